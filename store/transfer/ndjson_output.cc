// NDJSON as an output: a file and, beside it, the state, which says how long the file was.
#include <unistd.h>

#include <utility>

#include "store/file.h"
#include "store/transfer/ndjson_record.h"
#include "store/transfer/output.h"

namespace throughline::store::transfer {
namespace {

// Written at once; a batch may be much larger than what it is worth to hold as text.
constexpr std::size_t kWriteBytes = 1U << 20U;

class NdjsonOutput final : public Output {
 public:
  NdjsonOutput(AppendFile file, std::string state_path, std::optional<ExportState> resumed)
      : file_(std::move(file)), state_path_(std::move(state_path)), resumed_(std::move(resumed)) {}

  const std::optional<ExportState>& resumed() const override { return resumed_; }

  Result<void> Write(std::string_view tenant, const Batch& batch) override {
    NdjsonRecords records(tenant, batch);
    TL_TRY(WriteAll(batch.spans, records));
    TL_TRY(WriteAll(batch.logs, records));
    TL_TRY(WriteAll(batch.exemplars, records));
    TL_TRY(WriteAll(batch.gauges, records));
    return Flush();
  }

  Result<void> Save(ExportState state) override {
    if (state_path_.empty()) return {};
    TL_TRY(file_.Sync());
    state.output = {file_.size_bytes()};
    return ReplaceFile(state_path_, ExportStateText(state));
  }

  Result<void> Finish() override {
    TL_TRY(file_.Sync());
    if (state_path_.empty()) return {};
    return RemoveFile(state_path_);
  }

 private:
  template <typename Record>
  Result<void> WriteAll(const std::vector<Record>& list, NdjsonRecords& records) {
    for (const Record& record : list) {
      records.Append(record, text_);
      if (text_.size() >= kWriteBytes) TL_TRY(Flush());
    }
    return {};
  }

  Result<void> Flush() {
    TL_TRY(file_.Append(text_));
    text_.clear();
    return {};
  }

  AppendFile file_;
  const std::string state_path_;  // Empty: stdout.
  const std::optional<ExportState> resumed_;
  std::string text_;
};

}  // namespace

Result<std::unique_ptr<Output>> OpenNdjsonOutput(const std::string& path) {
  if (path == "-") {
    return std::unique_ptr<Output>(std::make_unique<NdjsonOutput>(
        AppendFile::Of(STDOUT_FILENO, "stdout"), std::string(), std::nullopt));
  }
  std::optional<ExportState> resumed;
  std::uint64_t size_bytes = 0;
  auto state = ReadExportState(StatePathOf(path));
  if (state) {
    if (state->output.size() != 1) return Error{Errc::kDataLoss, StatePathOf(path) + ": no size"};
    size_bytes = state->output[0];
    resumed = std::move(*state);
  } else if (state.error().code != Errc::kNotFound) {
    return state.error();
  } else if (auto there = ReadWholeFile(path, 0);
             there.has_error() && there.error().code != Errc::kNotFound) {
    return Error{Errc::kConflict, path + " is there already: remove it, or name another file"};
  }
  TL_TRY_ASSIGN(AppendFile file, AppendFile::Open(path, size_bytes));
  return std::unique_ptr<Output>(
      std::make_unique<NdjsonOutput>(std::move(file), StatePathOf(path), std::move(resumed)));
}

}  // namespace throughline::store::transfer
