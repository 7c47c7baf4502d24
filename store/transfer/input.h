// What an import reads from: the three forms that export writes, each read by a class of its own.
//
// Inputs are untrusted: a bad record is rejected and counted, what cannot be read at all ends the
// import with the place, and nothing is allocated for a size that is only claimed. One thread at a
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::store::transfer {

// The next records of an input.
struct Incoming {
  std::string tenant;  // Empty: not stated.
  // Arrivals as they stand in the records; 0: not stated. Null: this was the end.
  std::shared_ptr<const Batch> batch;
};

class Input {
 public:
  virtual ~Input() = default;

  virtual Result<Incoming> Next() = 0;
  // A text that says where reading stands, behind all that Next gave.
  virtual std::string Place() const = 0;
  // Goes on from there, in the same input. Before the first Next. kInvalidArgument: no such place.
  virtual Result<void> GoTo(std::string_view place) = 0;
  // What tells this input from another one of the same name that was put in its place; empty: the
  // input cannot be read again.
  virtual std::string Print() const = 0;
  // Of the input's bytes, rows or files; 0 of 0: not known.
  virtual std::uint64_t done() const = 0;
  virtual std::uint64_t size() const = 0;
  // Rejected since the input was opened, with the first reasons.
  virtual const Decoded& decoded() const = 0;
};

struct InputLimits {
  std::size_t batch_records = 5'000;
  std::size_t batch_bytes = 8U << 20U;  // Of the input; one record may be larger.
  std::size_t record_bytes =
      64U << 20U;  // Of a line, a value or a request. Longer ones are refused.
  DecodeOptions decode;
};

// "-" is stdin.
Result<std::unique_ptr<Input>> OpenNdjsonInput(const std::string& path, const InputLimits& limits);

// The decoders of requests, which are not below the store.
using DecodeRequest =
    std::function<Result<Decoded>(std::string_view, const DecodeOptions&, Batch&)>;
struct OtlpDecoders {
  DecodeRequest traces;
  DecodeRequest logs;
  DecodeRequest metrics;
};
Result<std::unique_ptr<Input>> OpenOtlpInput(const std::string& directory,
                                             const InputLimits& limits, OtlpDecoders decoders);

Result<std::unique_ptr<Input>> OpenSqliteInput(const std::string& path, const InputLimits& limits);

}  // namespace throughline::store::transfer
