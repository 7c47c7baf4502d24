// The parameters of a request as forms send them: in the URL, and in the body of a POST with
// application/x-www-form-urlencoded. The URL's stand first.
//
// What nobody asks for is passed by: these are the parameters of other products' APIs, whose
// clients send more than we know.
// Source: WHATWG URL, "application/x-www-form-urlencoded parsing".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http.h"

namespace throughline::api {

class Form {
 public:
  explicit Form(const Request& request);

  // The first of that name; an empty one is as if it were not there.
  std::optional<std::string_view> Text(std::string_view name) const;
  std::vector<std::string_view> All(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace throughline::api
