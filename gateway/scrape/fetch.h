// One scrape over the wire: an HTTP/1.1 GET with a deadline and a bound.
//
// A connection is made for each and closed after it. Redirects are not followed.
// Source: Prometheus, scrape/scrape.go (headers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "correlate/batch.h"
#include "gateway/scrape/target.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace throughline::gateway::scrape {

// Why a scrape gave nothing: the `reason` of its counter.
enum class Failure : std::uint8_t {
  kResolve,     // The host has no address.
  kConnect,     // Nobody listens there.
  kTimeout,     // Not all came within the target's timeout.
  kBroken,      // The connection broke, or this was not HTTP.
  kStatus,      // Any but 200.
  kTooLarge,    // Over limits.scrape_bytes, also when inflated.
  kEncoding,    // A Content-Encoding that nobody here reads, or a damaged one.
  kUnreadable,  // The exposition was not understood.
  kRefused,     // The tenant is over its rate.
  kBusy,        // The one before was not done yet.
};
inline constexpr std::size_t kFailureCount = 10;
std::string_view FailureName(Failure failure);

struct FetchError {
  Failure failure = Failure::kBroken;
  std::string message;
};

struct Fetched {
  std::string content_type;
  Body body;  // Inflated, with Body::kPadding to spare.
};

using FetchResult = std::variant<Fetched, FetchError>;

// Called once, on the loop.
using OnFetched = std::function<void(FetchResult)>;

// A scrape under way. On the loop's thread only.
class Fetch {
 public:
  virtual ~Fetch() = default;
  // The callback will not come.
  virtual void Cancel() = 0;
};

std::shared_ptr<Fetch> StartFetch(boost::asio::io_context& context, const Target& target,
                                  std::size_t body_bytes, OnFetched on_fetched);

}  // namespace throughline::gateway::scrape
