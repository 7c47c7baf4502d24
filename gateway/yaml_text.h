// What every reader of a YAML file needs: where a node stands, and its text with variables
// replaced.
#pragma once

#include <string>

#include <yaml-cpp/yaml.h>

#include "correlate/result.h"
#include "gateway/config.h"

namespace throughline::gateway {

struct YamlText {
  const std::string& name;  // Of the file.
  EnvironmentLookup lookup;

  // "throughline.yaml:3".
  std::string At(const YAML::Node& node) const {
    return name + ":" + std::to_string(node.Mark().line + 1);
  }

  // Replaces ${env:NAME} and ${env:NAME:-default}. Throws YAML::Exception where `node` is no
  // scalar.
  Result<std::string> Substitute(const YAML::Node& node) const;
};

}  // namespace throughline::gateway
