// OTLP as an output: numbered files, each written whole before it gets its name, and beside the
// folder the state, which says the number of the next one of each signal.
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/file.h"
#include "store/transfer/otlp_names.h"
#include "store/transfer/otlp_request.h"
#include "store/transfer/output.h"

namespace throughline::store::transfer {
namespace {

namespace fs = std::filesystem;

class OtlpOutput final : public Output {
 public:
  OtlpOutput(std::string directory, const OtlpLimits& limits, std::optional<ExportState> resumed)
      : directory_(std::move(directory)), limits_(limits), resumed_(std::move(resumed)) {
    if (!resumed_) return;
    tenant_ = resumed_->tenant;
    for (std::size_t i = 0; i < kSignals.size(); ++i) next_[i] = resumed_->output[i];
  }

  const std::optional<ExportState>& resumed() const override { return resumed_; }

  Result<void> Write(std::string_view tenant, const Batch& batch) override {
    if (tenant != tenant_) return InvalidArgument("no Save before another tenant");
    return WriteOtlp(batch, limits_.file_bytes / 4,
                     [this](Signal signal, std::string_view piece) { return Take(signal, piece); });
  }

  Result<void> Save(ExportState state) override {
    for (const Signal signal : kSignals) TL_TRY(WriteFile(signal));
    if (state.tenant != tenant_) {
      tenant_ = state.tenant;
      for (std::uint64_t& next : next_) next = 1;
    }
    state.output.assign(std::begin(next_), std::end(next_));
    return ReplaceFile(StatePathOf(directory_), ExportStateText(state));
  }

  Result<void> Finish() override {
    for (const Signal signal : kSignals) TL_TRY(WriteFile(signal));
    return RemoveFile(StatePathOf(directory_));
  }

  // Takes away what was written after the last Save, which was all for its tenant.
  Result<void> RemoveLaterFiles() const {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(FolderPath(), error)) {
      const std::string name = entry.path().filename().string();
      const auto number = NumberOfFile(name);
      if (name.ends_with(".pb.new")) TL_TRY(RemoveFile(entry.path().string()));
      if (number && *number >= next_[static_cast<std::size_t>(*SignalOfFile(name))]) {
        TL_TRY(RemoveFile(entry.path().string()));
      }
    }
    return {};
  }

 private:
  std::string FolderPath() const { return directory_ + "/" + FolderOfTenant(tenant_); }

  Result<void> Take(Signal signal, std::string_view piece) {
    std::string& request = requests_[static_cast<std::size_t>(signal)];
    if (!request.empty() && request.size() + piece.size() > limits_.file_bytes) {
      TL_TRY(WriteFile(signal));
    }
    request += piece;
    return {};
  }

  Result<void> WriteFile(Signal signal) {
    const auto index = static_cast<std::size_t>(signal);
    if (requests_[index].empty()) return {};
    std::error_code error;
    fs::create_directories(FolderPath(), error);
    if (error) {
      return Error{Errc::kUnavailable, "cannot make " + FolderPath() + ": " + error.message()};
    }
    TL_TRY(ReplaceFile(FolderPath() + "/" + FileNameOf(signal, next_[index]), requests_[index]));
    requests_[index].clear();
    ++next_[index];
    return {};
  }

  const std::string directory_;
  const OtlpLimits limits_;
  const std::optional<ExportState> resumed_;
  std::string tenant_;
  std::uint64_t next_[kSignals.size()] = {1, 1, 1};  // Numbers of the next files.
  std::string requests_[kSignals.size()];            // Not in a file yet.
};

}  // namespace

Result<std::unique_ptr<Output>> OpenOtlpOutput(const std::string& directory,
                                               const OtlpLimits& limits) {
  std::optional<ExportState> resumed;
  auto state = ReadExportState(StatePathOf(directory));
  if (state) {
    if (state->output.size() != kSignals.size()) {
      return Error{Errc::kDataLoss, StatePathOf(directory) + ": no numbers of files"};
    }
    resumed = std::move(*state);
  } else if (state.error().code != Errc::kNotFound) {
    return state.error();
  } else if (std::error_code error;
             fs::exists(directory, error) &&
             !(fs::is_directory(directory, error) && fs::is_empty(directory, error))) {
    return Error{Errc::kConflict, directory + " is no empty folder: name another one"};
  }
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Error{Errc::kUnavailable, "cannot make " + directory + ": " + error.message()};
  auto output = std::make_unique<OtlpOutput>(directory, limits, std::move(resumed));
  TL_TRY(output->RemoveLaterFiles());
  return std::unique_ptr<Output>(std::move(output));
}

}  // namespace throughline::store::transfer
