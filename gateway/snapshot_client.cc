#include "gateway/snapshot_client.h"

#include <charconv>
#include <thread>
#include <utility>

#include "gateway/cli_answer.h"
#include "gateway/cli_render.h"

namespace throughline::gateway {
namespace {

constexpr std::chrono::milliseconds kAskedEvery{50};
constexpr HttpClient::Limits kLimits = {.timeout_ms = 10'000, .answer_bytes = 1U << 20U};

Error ErrorOf(const std::string& url, const HttpAnswer& answer) {
  JsonDocument document;
  (void)document.Parse(answer.body);
  if (document.root()["type"].Text().empty()) {
    return {Errc::kUnavailable, "what answers at " + url + " is no gateway that makes backups"};
  }
  const Errc code = answer.status == 409 ? Errc::kConflict : Errc::kUnavailable;
  return {code, RenderProblem(document.root(), answer.status)};
}

}  // namespace

HeldSnapshot::HeldSnapshot(std::string url)
    : url_(std::move(url)), client_(kLimits, nullptr), renewed_(Clock::now()) {}

std::string HeldSnapshot::UrlOfIt() const {
  return UrlOf(url_, "/api/v1/snapshots/" + PercentEncode(id_text_), {});
}

Result<std::unique_ptr<HeldSnapshot>> HeldSnapshot::Make(const std::string& url,
                                                         const std::function<bool()>& stop_asked) {
  std::unique_ptr<HeldSnapshot> held(new HeldSnapshot(url));
  TL_TRY(held->Begin());
  const auto deadline = Clock::now() + kMadeWithin;
  for (;;) {
    TL_TRY_ASSIGN(const bool is_ready, held->IsReady());
    if (is_ready) return held;
    if (stop_asked()) return Error{Errc::kUnavailable, "stopped"};
    if (Clock::now() > deadline) {
      return Error{Errc::kUnavailable, "the gateway has not made a snapshot within " +
                                           std::to_string(kMadeWithin.count()) + " s"};
    }
    std::this_thread::sleep_for(kAskedEvery);
  }
}

Result<void> HeldSnapshot::Begin() {
  TL_TRY_ASSIGN(const HttpAnswer answer,
                client_.Post(UrlOf(url_, "/api/v1/snapshots", {}), {}, ""));
  if (answer.status != 202) return ErrorOf(url_, answer);
  JsonDocument document;
  (void)document.Parse(answer.body);
  const std::string_view id = document.root()["id"].Text();
  const auto read = std::from_chars(id.data(), id.data() + id.size(), id_, 16);
  if (read.ec != std::errc() || id_ == 0) return ErrorOf(url_, answer);
  id_text_ = id;
  return {};
}

Result<bool> HeldSnapshot::IsReady() {
  TL_TRY_ASSIGN(const HttpAnswer answer, client_.Get(UrlOfIt(), {}));
  if (answer.status == 200) return true;
  if (answer.status == 202) return false;
  return ErrorOf(url_, answer);
}

void HeldSnapshot::Renew() {
  if (Clock::now() - renewed_ < kRenewed) return;
  (void)IsReady();
  renewed_ = Clock::now();
}

HeldSnapshot::~HeldSnapshot() {
  if (!id_text_.empty()) (void)client_.Delete(UrlOfIt(), {});
}

}  // namespace throughline::gateway
