// Reads the log records of an OTLP body one by one with the decoders of the intake, so that a
// record gets the id that it would have if it were stored.
#pragma once

#include <string>
#include <string_view>

#include "logs/enrich_fields.h"
#include "otlp/response.h"

namespace throughline::logs {

class OtlpRecordReader {
 public:
  explicit OtlpRecordReader(const DecodeOptions& options) : options_(options) {
    options_.keep_unlinked = true;
  }

  struct Read {
    bool readable = false;
    std::string_view malformed;  // Why its id is none; empty: it has one, or names none.
    LogLine line;                // Of batch.
    const Batch* batch = nullptr;
  };
  // `record` is one LogRecord in `format`. Valid until the next call.
  Read Of(std::string_view record, otlp::Format format);

 private:
  DecodeOptions options_;
  ScratchBatch scratch_;
  std::string request_;  // A request of this one record.
};

}  // namespace throughline::logs
