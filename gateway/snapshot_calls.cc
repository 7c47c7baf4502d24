#include "gateway/snapshot_calls.h"

#include <charconv>
#include <optional>
#include <string>

#include "api/status.h"
#include "gateway/log.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr int kHex = 16;

std::string IdText(std::uint64_t id) {
  char text[kHex];
  const auto end = std::to_chars(text, text + sizeof text, id, kHex);
  return std::string(text, end.ptr);
}

// 0: it is none.
std::uint64_t IdOf(const api::Request& request) {
  if (request.captures.empty()) return 0;
  const std::string& text = request.captures.front();
  std::uint64_t id = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id, kHex);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? id : 0;
}

api::Response StateAnswer(int status, std::uint64_t id, const char* state) {
  api::Response response;
  response.status = status;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("id").String(IdText(id));
  json.Key("state").String(state);
  json.EndObject();
  return response;
}

api::Response Gone() {
  return api::Problem(Error{Errc::kNotFound, "there is no such snapshot any more"});
}

api::Response NoFiles() {
  return api::HttpProblem(501, "not_implemented", "this store keeps no files (store.kind)");
}

}  // namespace

std::uint64_t SnapshotCalls::NewId() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::uint64_t id = (std::uint64_t{random_()} << 32U) | random_();
  return id == 0 ? 1 : id;
}

api::Response SnapshotCalls::Begin() {
  if (snapshots_ == nullptr) return NoFiles();
  const std::uint64_t id = NewId();
  const auto begun = snapshots_->Begin(id, clock_.NowUnixNs());
  if (!begun) return api::Problem(begun.error());
  LogInfo("a snapshot is being made", {{"id", IdText(id)}});
  return StateAnswer(202, id, "making");
}

api::Response SnapshotCalls::Look(const api::Request& request) {
  if (snapshots_ == nullptr) return NoFiles();
  const std::uint64_t id = IdOf(request);
  if (id == 0) return Gone();
  const auto state = snapshots_->Look(id, clock_.NowUnixNs());
  if (!state) return api::Problem(state.error());
  const bool is_ready = *state == store::backup::Snapshots::State::kReady;
  return is_ready ? StateAnswer(200, id, "ready") : StateAnswer(202, id, "making");
}

api::Response SnapshotCalls::Release(const api::Request& request) {
  if (snapshots_ == nullptr) return NoFiles();
  const std::uint64_t id = IdOf(request);
  if (id == 0 || !snapshots_->Release(id)) return Gone();
  LogInfo("the snapshot was released", {{"id", IdText(id)}});
  api::Response response;
  response.status = 204;
  return response;
}

}  // namespace throughline::gateway
