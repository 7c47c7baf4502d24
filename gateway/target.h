// A request's target, taken apart: "/api/v1/traces?service=a%20b".
//
// Source: RFC 9112 section 3.2 (origin and absolute form), RFC 3986, and for the query HTML's
// application/x-www-form-urlencoded ('+' is a space).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace throughline::gateway {

struct Target {
  std::string_view path;   // Still encoded, so that a %2F is no separator; views the target.
  std::string_view query;  // Without the '?'.
};

// nullopt: not a target that starts with a path.
std::optional<Target> SplitTarget(std::string_view target);

// nullopt: a % without two hex digits.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

// In order, decoded. nullopt as above.
std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query);

}  // namespace throughline::gateway
