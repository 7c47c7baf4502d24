// One line of NDJSON to one record (docs/export.md): the way back of ndjson_record.h.
//
// A pure function of the line and the options. Lines are untrusted: what is no record leaves the
// batch as it was, and memory grows with what is there, never with what is claimed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::store::transfer {

class NdjsonLines {
 public:
  // Both outlive it.
  NdjsonLines(const DecodeOptions& options, Batch& batch) : options_(options), batch_(batch) {}

  // Appends the record of a line to the batch, with its arrival (0: not stated). `tenant` becomes
  // the line's ("default" where it names none) if it is empty; false: it is another one, and
  // nothing was appended. `line` is followed by Body::kPadding readable bytes. `place` tells the
  // line from all others of its file: a plain line of log that states neither time nor identity is
  // identified by it. kInvalidArgument: it is no record, and why.
  Result<bool> Append(std::string_view line, std::uint64_t place, std::string& tenant);

 private:
  class Record;

  // Of the resource (scope) that was appended last, and with it all attributes from `attributes`
  // on: takes it back where an earlier one is the same, and gives the index to use.
  std::uint32_t Share(std::uint32_t resource, std::size_t attributes);
  std::uint32_t ShareScope(std::uint32_t scope, std::size_t attributes);

  const DecodeOptions& options_;
  Batch& batch_;
  std::unordered_map<std::uint64_t, std::uint32_t> resources_;  // By hash.
  std::unordered_map<std::uint64_t, std::uint32_t> scopes_;
};

}  // namespace throughline::store::transfer
