// A small shop's records and the calls that tests make on them, without a network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http.h"
#include "api/links/handlers.h"
#include "store/memory/memory_store.h"
#include "tests/store/sample.h"

namespace throughline::api {

inline constexpr std::uint64_t kArrival = store::kNow;
inline constexpr std::uint64_t kMinute = 60 * store::kSecond;
inline constexpr std::uint64_t kMs = 1'000'000;

// A purchase over four services: an error, a late consumer, links, lines and exemplars.
inline constexpr TraceId kBuy{0x0af7651916cd43dd, 0x8448eb211c80319c};
// Named by a line and by a link of kBuy; no spans.
inline constexpr TraceId kOnlyLines{0x1111111111111111, 0x2222222222222222};
// Named by a link of kBuy; no records.
inline constexpr TraceId kNowhere{0x3333333333333333, 0x4444444444444444};
// Two traces whose low halves are equal.
inline constexpr TraceId kTwinA{0xaaaaaaaaaaaaaaaa, 0x5555555555555555};
inline constexpr TraceId kTwinB{0xbbbbbbbbbbbbbbbb, 0x5555555555555555};
// A 64-bit id, its parent missing, in a loop with nobody.
inline constexpr TraceId kShort{0, 0x1234567890abcdef};

using Batches = std::vector<std::shared_ptr<const Batch>>;

// Each batch is one sender's.
Batches ShopBatches();

// A store with records, and a moment to ask at.
class Shop {
 public:
  explicit Shop(const Batches& batches = ShopBatches());

  using Handler = Response (*)(const Request&, const links::Context&);
  // `query` as in a URL, percent-encoding not undone.
  Response Get(Handler handler, std::string_view query = {}, std::string_view capture = {}) const;
  Response Post(Handler handler, std::string_view body) const;
  Response Call(Handler handler, const Request& request) const;

  store::MemoryStore store;
  links::Settings settings;
  std::uint64_t now_unix_ns = kArrival + 10 * store::kSecond;
};

Request MakeRequest(std::string_view query, std::string_view capture);

}  // namespace throughline::api
