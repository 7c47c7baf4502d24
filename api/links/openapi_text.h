// api/links/openapi.yaml, embedded by CMake (api/CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>

namespace throughline::api::links {

// In order; together they are the file.
std::span<const std::string_view> OpenApiParts();

}  // namespace throughline::api::links
