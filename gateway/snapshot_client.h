// A snapshot of a running gateway, held as long as this lives: the caller's side of
// gateway/snapshot_calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "correlate/result.h"
#include "gateway/http_client.h"

namespace throughline::gateway {

class HeldSnapshot {
 public:
  // Waits until it is made, at most kMadeWithin. kConflict: another backup is under way.
  // kUnavailable: nobody answers at `url`, it could not be made, or a stop was asked for.
  static Result<std::unique_ptr<HeldSnapshot>> Make(const std::string& url,
                                                    const std::function<bool()>& stop_asked);
  ~HeldSnapshot();  // Releases it, if it can.
  HeldSnapshot(const HeldSnapshot&) = delete;
  HeldSnapshot& operator=(const HeldSnapshot&) = delete;

  std::uint64_t id() const { return id_; }
  // Once in kRenewed, tells the gateway that it is still wanted. What came of that does not matter:
  // whoever reads its files finds out.
  void Renew();

  static constexpr std::chrono::seconds kMadeWithin{120};
  static constexpr std::chrono::seconds kRenewed{10};

 private:
  using Clock = std::chrono::steady_clock;
  explicit HeldSnapshot(std::string url);
  std::string UrlOfIt() const;
  Result<void> Begin();
  Result<bool> IsReady();

  const std::string url_;
  HttpClient client_;
  std::string id_text_;  // As the gateway spells it; empty: there is none.
  std::uint64_t id_ = 0;
  Clock::time_point renewed_;
};

}  // namespace throughline::gateway
