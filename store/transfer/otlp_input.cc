// OTLP as an input: the files of a folder and of its folders, which are tenants, a request each.
#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "correlate/scope.h"
#include "store/file.h"
#include "store/transfer/input.h"
#include "store/transfer/otlp_names.h"

namespace throughline::store::transfer {
namespace {

namespace fs = std::filesystem;

struct RequestFile {
  std::string name;  // Below the directory; "acme/traces-000001.pb".
  std::string tenant;
  Signal signal = Signal::kTraces;

  bool operator<(const RequestFile& other) const { return name < other.name; }
};

std::error_code AddFiles(const fs::path& folder, const std::string& tenant,
                         std::vector<RequestFile>& files) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const auto signal = SignalOfFile(name);
    if (!signal || !entry.is_regular_file(error)) continue;
    files.push_back({.name = tenant.empty() ? name : FolderOfTenant(tenant) + "/" + name,
                     .tenant = tenant,
                     .signal = *signal});
  }
  return error;
}

Result<std::vector<RequestFile>> FilesIn(const std::string& directory) {
  std::vector<RequestFile> files;
  std::error_code error = AddFiles(directory, "", files);
  if (!error) {
    for (const auto& entry : fs::directory_iterator(directory, error)) {
      if (!entry.is_directory(error)) continue;
      const std::string tenant = TenantOfFolder(entry.path().filename().string());
      if (tenant.empty() || !TenantFromHeader(tenant)) continue;
      error = AddFiles(entry.path(), tenant, files);
      if (error) break;
    }
  }
  if (error) return Error{Errc::kUnavailable, "cannot read " + directory + ": " + error.message()};
  if (files.empty()) {
    return InvalidArgument(directory + " holds no file traces*.pb, logs*.pb or metrics*.pb");
  }
  std::sort(files.begin(), files.end());
  return files;
}

class OtlpInput final : public Input {
 public:
  OtlpInput(std::string directory, std::vector<RequestFile> files, const InputLimits& limits,
            OtlpDecoders decoders)
      : directory_(std::move(directory)),
        files_(std::move(files)),
        limits_(limits),
        options_(limits.decode),
        decoders_(std::move(decoders)) {
    // What was stored is to be stored again, whatever the sender's requests were limited to.
    options_.keep_unlinked = true;
    options_.gauges = {"*"};
    options_.records_per_request = SIZE_MAX;
  }

  Result<Incoming> Next() override {
    while (next_ < files_.size()) {
      const RequestFile& file = files_[next_];
      auto batch = std::make_shared<Batch>();
      const auto read = Read(file, *batch);
      if (!read) return Error{read.error().code, file.name + ": " + read.error().message};
      ++next_;
      if (batch->record_count() > 0) return Incoming{file.tenant, std::move(batch)};
    }
    return Incoming{};
  }

  std::string Place() const override { return next_ == 0 ? "" : files_[next_ - 1].name; }

  Result<void> GoTo(std::string_view place) override {
    const auto at = std::find_if(files_.begin(), files_.end(),
                                 [place](const RequestFile& file) { return file.name == place; });
    if (!place.empty() && at == files_.end()) {
      return InvalidArgument(directory_ + " has no file " + std::string(place));
    }
    next_ = place.empty() ? 0 : static_cast<std::size_t>(at - files_.begin()) + 1;
    return {};
  }

  std::string Print() const override { return std::to_string(files_.size()) + " files"; }
  std::uint64_t done() const override { return next_; }
  std::uint64_t size() const override { return files_.size(); }
  const Decoded& decoded() const override { return decoded_; }

 private:
  Result<void> Read(const RequestFile& file, Batch& batch) {
    TL_TRY_ASSIGN(const std::string bytes,
                  ReadWholeFile(directory_ + "/" + file.name, limits_.record_bytes));
    batch.body = Body::Of(bytes);
    const std::string_view request = batch.body.view();
    TL_TRY_ASSIGN(const Decoded decoded, DecoderOf(file.signal)(request, options_, batch));
    // A rejected record would shift the others; then there can be no fields of ours.
    TL_TRY(ApplyExtras(file.signal, request, options_.hash_seed, batch));
    decoded_.received += decoded.received;
    decoded_.accepted += decoded.accepted;
    decoded_.unlinked += decoded.unlinked;
    if (decoded.rejected > 0) {
      decoded_.Reject(file.name + ": " + decoded.first_rejection);
      decoded_.rejected += decoded.rejected - 1;
    }
    return {};
  }

  const DecodeRequest& DecoderOf(Signal signal) const {
    switch (signal) {
      case Signal::kTraces: return decoders_.traces;
      case Signal::kLogs: return decoders_.logs;
      default: return decoders_.metrics;
    }
  }

  const std::string directory_;
  const std::vector<RequestFile> files_;
  const InputLimits limits_;
  DecodeOptions options_;
  const OtlpDecoders decoders_;
  Decoded decoded_;
  std::size_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Input>> OpenOtlpInput(const std::string& directory,
                                             const InputLimits& limits, OtlpDecoders decoders) {
  TL_TRY_ASSIGN(std::vector<RequestFile> files, FilesIn(directory));
  return std::unique_ptr<Input>(
      std::make_unique<OtlpInput>(directory, std::move(files), limits, std::move(decoders)));
}

}  // namespace throughline::store::transfer
