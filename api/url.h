// Parts of URLs.
//
// Source: RFC 3986, section 2.
#pragma once

#include <string>
#include <string_view>

namespace throughline::api {

// All but unreserved characters (letters, digits, - . _ ~) as %XX.
void AppendPercentEncoded(std::string_view text, std::string& out);

}  // namespace throughline::api
