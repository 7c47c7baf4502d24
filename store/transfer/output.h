// What an export writes to: one of the three forms, each in a file of its own.
//
// The contract that makes an export resumable: Save makes all that was written durable and notes
// the state with it. Whatever happens after, the next Open of the same output takes away what was
// written behind the state, so that nothing is there twice. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "store/transfer/export_state.h"

namespace throughline::store::transfer {

class Output {
 public:
  virtual ~Output() = default;

  // Of the export that was stopped here, as it was when the output was opened.
  virtual const std::optional<ExportState>& resumed() const = 0;
  // All records of the batch, of one tenant. Between two tenants stands a Save.
  virtual Result<void> Write(std::string_view tenant, const Batch& batch) = 0;
  // `state.output` is the output's to fill.
  virtual Result<void> Save(ExportState state) = 0;
  // The output is whole, and its state gone. No call after it.
  virtual Result<void> Finish() = 0;
};

// Each opens a new output, or the one that a stopped export left. kConflict: something is there
// that is no stopped export.

// One JSON object a line; "-" is stdout, which cannot be resumed.
Result<std::unique_ptr<Output>> OpenNdjsonOutput(const std::string& path);

// A folder for each tenant, in it one OTLP request a file.
struct OtlpLimits {
  // A file is closed when it has so many; one record may be larger. Receivers of OTLP take 4 MiB
  // over gRPC and usually 20 MiB over HTTP.
  std::size_t file_bytes = 4U << 20U;
};
Result<std::unique_ptr<Output>> OpenOtlpOutput(const std::string& directory,
                                               const OtlpLimits& limits);

// Ordinary tables. The state stands in the same file, so that it and the rows are of one commit.
Result<std::unique_ptr<Output>> OpenSqliteOutput(const std::string& path);

}  // namespace throughline::store::transfer
