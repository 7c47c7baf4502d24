// The configuration file: YAML to the settings of config.h.
#include <algorithm>
#include <array>

#include <yaml-cpp/yaml.h>

#include "correlate/scope.h"
#include "gateway/config.h"
#include "gateway/scrape/yaml.h"
#include "gateway/yaml_text.h"

namespace throughline::gateway {
namespace {

struct Reader : YamlText {
  Config& config;

  Result<void> ReadBackend(const YAML::Node& node) const {
    constexpr std::array<std::string_view, 6> kKinds = {"loki",          "tempo", "jaeger",
                                                        "elasticsearch", "sql",   "grafana"};
    if (!node.IsMap()) return InvalidArgument(At(node) + ": want name, kind and url");
    BackendConfig backend;
    for (const auto& field : node) {
      const auto key = field.first.as<std::string>();
      TL_TRY_ASSIGN(std::string value, Substitute(field.second));
      if (key == "name") {
        backend.name = std::move(value);
      } else if (key == "kind") {
        backend.kind = std::move(value);
      } else if (key == "url") {
        backend.url = std::move(value);
      } else {
        return InvalidArgument(At(field.first) + ": unknown key backends[]." + key);
      }
    }
    if (std::find(kKinds.begin(), kKinds.end(), backend.kind) == kKinds.end()) {
      return InvalidArgument(At(node) + ": backend kind has \"" + backend.kind +
                             "\", want loki|tempo|jaeger|elasticsearch|sql|grafana");
    }
    if (backend.name.empty()) backend.name = backend.kind;
    config.backends.push_back(std::move(backend));
    return {};
  }

  // A rate has the bounds of the setting for all.
  Result<std::uint64_t> ReadRate(const std::string& key, const YAML::Node& node,
                                 std::string_view of_all, std::uint64_t Config::*member) const {
    if (!node.IsScalar()) return InvalidArgument(At(node) + ": " + key + " wants a number");
    TL_TRY_ASSIGN(const std::string text, Substitute(node));
    Config read;
    const auto set = FindSetting(of_all)->set(read, text);
    if (!set) return InvalidArgument(At(node) + ": " + key + " " + set.error().message);
    return read.*member;
  }

  Result<void> ReadTenant(const YAML::Node& name_node, const YAML::Node& map) const {
    if (!name_node.IsScalar()) return InvalidArgument(At(name_node) + ": want a name as key");
    const auto tenant = TenantFromHeader(name_node.as<std::string>());
    if (!tenant) return InvalidArgument(At(name_node) + ": tenants: " + tenant.error().message);
    const std::string prefix = "tenants." + *tenant;
    if (!map.IsMap()) {
      return InvalidArgument(At(name_node) + ": " + prefix + " wants a map of rates");
    }
    TenantRates rates;
    for (const auto& field : map) {
      const auto rate = field.first.as<std::string>();
      const std::string key = prefix + "." + rate;
      if (rate == "records_per_second") {
        TL_TRY_ASSIGN(rates.records_per_second,
                      ReadRate(key, field.second, "limits.tenant_records_per_second",
                               &Config::tenant_records_per_second));
      } else if (rate == "bytes_per_second") {
        TL_TRY_ASSIGN(rates.bytes_per_second,
                      ReadRate(key, field.second, "limits.tenant_bytes_per_second",
                               &Config::tenant_bytes_per_second));
      } else {
        return InvalidArgument(At(field.first) + ": unknown key " + key);
      }
    }
    if (!config.tenant_rates.emplace(*tenant, rates).second) {
      return InvalidArgument(At(name_node) + ": " + prefix + " stands twice");
    }
    return {};
  }

  Result<void> ReadTenants(const YAML::Node& key, const YAML::Node& map) const {
    config.tenant_rates.clear();
    if (map.IsNull()) return {};
    if (!map.IsMap()) return InvalidArgument(At(key) + ": tenants wants a map");
    for (const auto& field : map) TL_TRY(ReadTenant(field.first, field.second));
    return {};
  }

  Result<void> ReadLeaf(const std::string& key, const YAML::Node& key_node,
                        const YAML::Node& node) const {
    const Setting* const setting = FindSetting(key);
    if (setting == nullptr) return InvalidArgument(At(key_node) + ": unknown key " + key);
    std::string text;
    if (node.IsSequence()) {
      for (const YAML::Node& item : node) {
        if (!item.IsScalar()) return InvalidArgument(At(item) + ": want a list of texts");
        TL_TRY_ASSIGN(const std::string part, Substitute(item));
        text += (text.empty() ? "" : ",") + part;
      }
    } else {
      TL_TRY_ASSIGN(text, Substitute(node));
    }
    return Apply(*setting, text, At(node), config);
  }

  // `prefix` is "" or "limits.".
  Result<void> ReadMap(const std::string& prefix, const YAML::Node& map) const {
    for (const auto& field : map) {
      if (!field.first.IsScalar()) return InvalidArgument(At(map) + ": want a name as key");
      const std::string key = prefix + field.first.as<std::string>();
      if (key == "backends") {
        if (!field.second.IsSequence()) {
          return InvalidArgument(At(field.first) + ": backends wants a list");
        }
        config.backends.clear();
        for (const YAML::Node& backend : field.second) TL_TRY(ReadBackend(backend));
      } else if (key == "tenants") {
        TL_TRY(ReadTenants(field.first, field.second));
      } else if (key == "scrape_configs") {
        TL_TRY_ASSIGN(config.scrape_jobs, scrape::ReadJobs(*this, field.second));
      } else if (field.second.IsMap()) {
        const bool known = std::any_of(Settings().begin(), Settings().end(), [&](const Setting& s) {
          return s.key.substr(0, key.size() + 1) == key + ".";
        });
        if (!known) return InvalidArgument(At(field.first) + ": unknown key " + key);
        TL_TRY(ReadMap(key + ".", field.second));
      } else {
        TL_TRY(ReadLeaf(key, field.first, field.second));
      }
    }
    return {};
  }
};

}  // namespace

Result<void> ApplyYaml(const std::string& text, const std::string& name, EnvironmentLookup lookup,
                       Config& config) {
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return {};
    if (!root.IsMap()) return InvalidArgument(name + ":1: want a map of settings");
    return Reader{{name, lookup}, config}.ReadMap("", root);
  } catch (const YAML::Exception& error) {
    return InvalidArgument(name + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace throughline::gateway
