// PromQL that can be read stays within its bounds and reads the same again, and so does each of its
// selectors by itself; what cannot be read has a place.
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/prometheus/constant.h"
#include "api/query/promql.h"
#include "correlate/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace throughline::api;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto expression = query::ParsePromQl(text);
  if (!expression) {
    TL_CHECK(expression.error().message.find(": parse error: ") != std::string::npos);
    return 0;
  }
  const auto selectors = query::SelectorsOf(*expression);
  TL_CHECK(selectors.size() <= query::kMaxPromQlSelectors);
  for (const query::PromQl* selector : selectors) {
    TL_CHECK(!selector->selector.metric.empty() || !selector->selector.matchers.empty());
    TL_CHECK(selector->selector.matchers.size() <= query::kMaxMatchers);
  }
  // What has a selector has no value that is known without samples.
  const auto constant = prometheus::ConstantOf(*expression, 1.5);
  TL_CHECK(!constant || selectors.empty());
  const auto again = query::ParsePromQl("(" + text + "\n)");
  TL_CHECK(!again || query::SelectorsOf(*again).size() == selectors.size());
  return 0;
}
