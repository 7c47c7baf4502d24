// Records to lines of NDJSON: the fields of docs/export.md, in the names of OTLP/JSON.
//
// What has its default is left out. A writer belongs to one batch, whose resources and scopes it
// spells once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "wire/json_writer.h"

namespace throughline::store::transfer {

class NdjsonRecords {
 public:
  // Both outlive it.
  NdjsonRecords(std::string_view tenant, const Batch& batch);

  // Appends the line of the record and its newline.
  void Append(const Span& span, std::string& out);
  void Append(const LogLine& line, std::string& out);
  void Append(const Exemplar& exemplar, std::string& out);
  void Append(const GaugePoint& point, std::string& out);

 private:
  void PutOrigin(std::uint32_t resource, std::uint32_t scope, wire::JsonWriter& json);
  void PutAttributes(std::string_view name, Range range, wire::JsonWriter& json);
  void PutSpanParts(const Span& span, wire::JsonWriter& json);
  void PutService(std::string_view service, std::string_view implied, wire::JsonWriter& json);
  void Begin(std::string_view kind, std::uint64_t arrival_unix_ns, wire::JsonWriter& json);

  std::string_view tenant_;
  const Batch& batch_;
  // By index of the batch: `"resource":{...}` without its name; empty: not spelled yet.
  std::vector<std::string> resources_;
  std::vector<std::string> scopes_;
};

}  // namespace throughline::store::transfer
