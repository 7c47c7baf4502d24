// The head of an HTTP response.
//
// Source: RFC 9112.
#pragma once

#include <string>
#include <string_view>

#include "api/http.h"

namespace throughline::gateway {

// In HTTP/1.1 (11) or 1.0 (10). Replaces what `out` holds. `date` is the whole field, with its end
// of line.
void FormatHead(const api::Response& response, int version, bool keep, bool has_body,
                std::string_view date, std::string& out);

}  // namespace throughline::gateway
