#include "tests/api/golden.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace throughline::api {

std::string Indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool in_string = false;
  const auto line = [&] {
    out += '\n';
    out.append(2 * depth, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      if (c == '"') in_string = false;
      continue;
    }
    const bool closes = c == '}' || c == ']';
    const bool empty = closes && i > 0 && (json[i - 1] == '{' || json[i - 1] == '[');
    if (closes && depth > 0) --depth;
    if (closes && !empty) line();
    out += c;
    if (c == '"') in_string = true;
    if (c == ':') out += ' ';
    const bool opens = c == '{' || c == '[';
    if (opens) ++depth;
    const bool opens_empty =
        opens && i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
    if (c == ',' || (opens && !opens_empty)) line();
  }
  out += '\n';
  return out;
}

void ExpectGolden(std::string_view name, const std::string& text) {
  const std::string path = std::string(THROUGHLINE_SOURCE_DIR "/tests/golden/api/").append(name);
  if (std::getenv("THROUGHLINE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path << " cannot be read; THROUGHLINE_UPDATE_GOLDEN=1 writes it";
  std::stringstream want;
  want << file.rdbuf();
  EXPECT_EQ(text, want.str()) << "of " << path;
}

}  // namespace throughline::api
