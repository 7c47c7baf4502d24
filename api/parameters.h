// The query parameters of one request, read strictly.
//
// Getters return the value or the fallback; what is wrong is remembered, the first of it, and
// `error()` gives it once all have been read. A parameter that no getter asked for is wrong too:
// a filter with a typing error must not become a search without that filter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http.h"
#include "correlate/query.h"
#include "correlate/result.h"

namespace throughline::api {

// Views the request, which must outlive it.
class Parameters {
 public:
  Parameters(const Request& request, std::uint64_t now_unix_ns);

  // Text; an empty value is as if it were not there.
  std::optional<std::string_view> Text(std::string_view name);
  std::optional<std::string> OwnedText(std::string_view name);
  std::optional<double> Number(std::string_view name);
  std::optional<std::uint64_t> Time(std::string_view name);
  std::optional<std::uint64_t> Duration(std::string_view name);
  bool Flag(std::string_view name, bool fallback);
  std::size_t Limit(std::size_t fallback, std::size_t most);
  // `start` and `end`; without them the hour before now, or before the end.
  TimeRange Range();
  // What stands behind `prefix`, with its value: "attr.http.method" -> {"http.method", "GET"}.
  std::vector<std::pair<std::string_view, std::string_view>> Prefixed(std::string_view prefix);
  // One of `words`, as its index; or `fallback`.
  std::size_t Word(std::string_view name, const std::vector<std::string_view>& words,
                   std::size_t fallback);
  // A comma-separated list of `words`, as a bit for each; nullopt: not given.
  std::optional<std::uint32_t> Words(std::string_view name,
                                     const std::vector<std::string_view>& words);
  // Known and read by somebody else (the gateway's `wait`).
  void Allow(std::string_view name);

  // Remembers that `name` is wrong: "parameter start: want RFC 3339 ...".
  void Fail(std::string_view name, std::string_view want);

  // Once, at the end.
  Result<void> Check();

 private:
  const std::string* Find(std::string_view name);

  const Request& request_;
  const std::uint64_t now_unix_ns_;
  std::vector<bool> read_;  // By the request's parameters.
  std::optional<Error> error_;
};

}  // namespace throughline::api
