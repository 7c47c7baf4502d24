#include "correlate/scope.h"

#include <algorithm>

namespace throughline {

Result<std::string> TenantFromHeader(std::string_view value) {
  constexpr std::size_t kLongest = 150;
  if (value.empty()) return std::string(kDefaultTenant);
  if (value.size() > kLongest) {
    return InvalidArgument("X-Scope-OrgID has " + std::to_string(value.size()) +
                           " characters, want at most 150");
  }
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!_.*'()-").find(c) != std::string_view::npos;
  };
  const auto odd = std::find_if_not(value.begin(), value.end(), allowed);
  if (odd != value.end()) {
    return InvalidArgument("X-Scope-OrgID has an odd character at " +
                           std::to_string(odd - value.begin()) +
                           ", want A-Z a-z 0-9 ! _ . * ' ( ) -");
  }
  return std::string(value);
}

}  // namespace throughline
