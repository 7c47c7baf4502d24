#include "gateway/yaml_text.h"

#include <cstddef>

namespace throughline::gateway {

Result<std::string> YamlText::Substitute(const YAML::Node& node) const {
  const std::string text = node.IsNull() ? "" : node.as<std::string>();
  std::string out;
  std::size_t at = 0;
  while (true) {
    const std::size_t begin = text.find("${env:", at);
    out += text.substr(at, begin - at);
    if (begin == std::string::npos) return out;
    const std::size_t end = text.find('}', begin);
    if (end == std::string::npos) return InvalidArgument(At(node) + ": ${env: without }");
    const std::string inside = text.substr(begin + 6, end - begin - 6);
    const std::size_t dash = inside.find(":-");
    const std::string variable = inside.substr(0, dash);
    const char* const value = lookup(variable.c_str());
    if (value == nullptr && dash == std::string::npos) {
      return InvalidArgument(At(node) + ": environment variable " + variable + " is not set");
    }
    out += value != nullptr ? std::string(value) : inside.substr(dash + 2);
    at = end + 1;
  }
}

}  // namespace throughline::gateway
