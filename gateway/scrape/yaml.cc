#include "gateway/scrape/yaml.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "correlate/scope.h"
#include "gateway/quantity.h"
#include "gateway/scrape/target.h"

namespace throughline::gateway::scrape {
namespace {

constexpr std::array kProtocols = {Protocol::kOpenMetrics1, Protocol::kOpenMetrics0,
                                   Protocol::kProtobuf, Protocol::kText};
constexpr std::chrono::nanoseconds kLeastInterval = std::chrono::milliseconds(100);

class JobReader {
 public:
  explicit JobReader(const YamlText& text) : text_(text) {}

  Result<std::vector<Job>> ReadJobs(const YAML::Node& list) const {
    std::vector<Job> jobs;
    std::set<std::string> names;
    if (list.IsNull()) return jobs;
    TL_TRY(WantList(list, "scrape_configs"));
    for (const YAML::Node& node : list) {
      TL_TRY_ASSIGN(Job job, ReadJob(node));
      if (!names.insert(job.name).second) {
        return Bad(node, "job_name \"" + job.name + "\" stands twice");
      }
      jobs.push_back(std::move(job));
    }
    return jobs;
  }

  Result<std::vector<TargetGroup>> ReadGroups(const YAML::Node& list) const {
    std::vector<TargetGroup> groups;
    if (list.IsNull()) return groups;
    TL_TRY(WantList(list, "a list of targets"));
    for (const YAML::Node& node : list) {
      TL_TRY_ASSIGN(TargetGroup group, ReadGroup(node));
      groups.push_back(std::move(group));
    }
    return groups;
  }

 private:
  Error Bad(const YAML::Node& node, const std::string& problem) const {
    return InvalidArgument(text_.At(node) + ": " + problem);
  }

  Result<void> WantList(const YAML::Node& node, const std::string& what) const {
    if (!node.IsSequence()) return Bad(node, what + ": want a list");
    return {};
  }

  Result<std::string> ReadText(const YAML::Node& node, const std::string& what) const {
    if (!node.IsScalar() && !node.IsNull()) return Bad(node, what + ": want a text");
    return text_.Substitute(node);
  }

  Result<std::chrono::nanoseconds> ReadDuration(const YAML::Node& node,
                                                const std::string& what) const {
    TL_TRY_ASSIGN(const std::string value, ReadText(node, what));
    const auto duration = ParseDuration(value);
    if (!duration) return Bad(node, what + " " + duration.error().message);
    if (*duration < kLeastInterval) {
      return Bad(node,
                 what + " has \"" + value + "\", want at least " + PrintDuration(kLeastInterval));
    }
    return *duration;
  }

  Result<std::vector<std::string>> ReadTexts(const YAML::Node& list,
                                             const std::string& what) const {
    std::vector<std::string> texts;
    TL_TRY(WantList(list, what));
    for (const YAML::Node& node : list) {
      TL_TRY_ASSIGN(std::string value, ReadText(node, what));
      texts.push_back(std::move(value));
    }
    return texts;
  }

  Result<TargetGroup> ReadGroup(const YAML::Node& node) const {
    if (!node.IsMap()) return Bad(node, "want targets and labels");
    TargetGroup group;
    for (const auto& field : node) {
      const auto key = field.first.as<std::string>();
      if (key == "targets") {
        TL_TRY_ASSIGN(group.targets, ReadTexts(field.second, key));
      } else if (key == "labels") {
        if (field.second.IsNull()) continue;
        if (!field.second.IsMap()) return Bad(field.second, "labels: want a map");
        for (const auto& label : field.second) {
          TL_TRY_ASSIGN(group.labels[label.first.as<std::string>()],
                        ReadText(label.second, "labels"));
        }
      } else {
        return Bad(field.first, "unknown key " + key);
      }
    }
    // A bad target is told of where it is written, not when it is to be scraped.
    for (const std::string& target : group.targets) {
      const auto made = MakeTarget(Job(), target, group.labels);
      if (!made) return Bad(node, made.error().message);
    }
    return group;
  }

  Result<FileTargets> ReadFiles(const YAML::Node& node) const {
    if (!node.IsMap()) return Bad(node, "file_sd_configs[]: want files");
    FileTargets files;
    for (const auto& field : node) {
      const auto key = field.first.as<std::string>();
      if (key == "files") {
        TL_TRY_ASSIGN(files.files, ReadTexts(field.second, key));
      } else if (key == "refresh_interval") {
        TL_TRY_ASSIGN(files.refresh_interval, ReadDuration(field.second, key));
      } else {
        return Bad(field.first, "unknown key file_sd_configs[]." + key);
      }
    }
    for (const std::string& file : files.files) {
      if (!file.ends_with(".json") && !file.ends_with(".yml") && !file.ends_with(".yaml")) {
        return Bad(node, "file \"" + file + "\", want .json, .yml or .yaml at its end");
      }
    }
    return files;
  }

  Result<std::vector<Protocol>> ReadProtocols(const YAML::Node& list) const {
    TL_TRY_ASSIGN(const auto names, ReadTexts(list, "scrape_protocols"));
    std::vector<Protocol> protocols;
    for (const std::string& name : names) {
      const auto* const found =
          std::find_if(kProtocols.begin(), kProtocols.end(),
                       [&name](Protocol protocol) { return ProtocolName(protocol) == name; });
      if (found == kProtocols.end()) {
        std::string known;
        for (const Protocol protocol : kProtocols) known.append(ProtocolName(protocol)) += '|';
        known.pop_back();
        return Bad(list, "scrape_protocols has \"" + name + "\", want " + known);
      }
      if (std::find(protocols.begin(), protocols.end(), *found) != protocols.end()) {
        return Bad(list, "scrape_protocols has \"" + name + "\" twice");
      }
      protocols.push_back(*found);
    }
    if (protocols.empty()) return Bad(list, "scrape_protocols is empty");
    return protocols;
  }

  Result<void> ReadField(const YAML::Node& key_node, const YAML::Node& node, Job& job) const {
    const auto key = key_node.as<std::string>();
    if (key == "job_name") {
      TL_TRY_ASSIGN(job.name, ReadText(node, key));
    } else if (key == "scrape_interval") {
      TL_TRY_ASSIGN(job.interval, ReadDuration(node, key));
    } else if (key == "scrape_timeout") {
      TL_TRY_ASSIGN(job.timeout, ReadDuration(node, key));
    } else if (key == "metrics_path") {
      TL_TRY_ASSIGN(job.metrics_path, ReadText(node, key));
    } else if (key == "scheme") {
      TL_TRY_ASSIGN(const std::string scheme, ReadText(node, key));
      if (scheme != "http") return Bad(node, "scheme has \"" + scheme + "\", want http");
    } else if (key == "honor_labels") {
      TL_TRY_ASSIGN(const std::string value, ReadText(node, key));
      if (value != "true" && value != "false") {
        return Bad(node, "honor_labels has \"" + value + "\", want true or false");
      }
      job.honor_labels = value == "true";
    } else if (key == "tenant") {
      TL_TRY_ASSIGN(job.tenant, ReadText(node, key));
      const auto tenant = TenantFromHeader(job.tenant);
      if (!tenant) return Bad(node, "tenant: " + tenant.error().message);
    } else if (key == "scrape_protocols") {
      TL_TRY_ASSIGN(job.protocols, ReadProtocols(node));
    } else if (key == "static_configs") {
      TL_TRY_ASSIGN(job.groups, ReadGroups(node));
    } else if (key == "file_sd_configs") {
      TL_TRY(WantList(node, key));
      for (const YAML::Node& item : node) {
        TL_TRY_ASSIGN(FileTargets files, ReadFiles(item));
        job.files.push_back(std::move(files));
      }
    } else {
      return Bad(key_node, "unknown key scrape_configs[]." + key);
    }
    return {};
  }

  Result<Job> ReadJob(const YAML::Node& node) const {
    if (!node.IsMap()) return Bad(node, "scrape_configs[]: want a map");
    Job job;
    bool has_timeout = false;
    for (const auto& field : node) {
      has_timeout = has_timeout || field.first.as<std::string>() == "scrape_timeout";
      TL_TRY(ReadField(field.first, field.second, job));
    }
    if (job.name.empty()) return Bad(node, "scrape_configs[] lacks job_name");
    if (const auto made = MakeTarget(job, "localhost", {}); !made) {
      return Bad(node, made.error().message);
    }
    if (!has_timeout) job.timeout = std::min(job.timeout, job.interval);
    if (job.timeout > job.interval) return Bad(node, "scrape_timeout is above scrape_interval");
    return job;
  }

  const YamlText& text_;
};

void PrintTexts(const std::vector<std::string>& texts, YAML::Emitter& out) {
  out << YAML::Flow << YAML::BeginSeq;
  for (const std::string& text : texts) out << YAML::DoubleQuoted << text;
  out << YAML::EndSeq;
}

void PrintGroup(const TargetGroup& group, YAML::Emitter& out) {
  out << YAML::BeginMap << YAML::Key << "targets" << YAML::Value;
  PrintTexts(group.targets, out);
  out << YAML::Key << "labels" << YAML::Value << YAML::Flow << YAML::BeginMap;
  for (const auto& [name, value] : group.labels) {
    out << YAML::Key << name << YAML::Value << YAML::DoubleQuoted << value;
  }
  out << YAML::EndMap << YAML::EndMap;
}

void PrintJob(const Job& job, YAML::Emitter& out) {
  const auto text = [&out](const char* key, const std::string& value) {
    out << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << value;
  };
  out << YAML::BeginMap;
  text("job_name", job.name);
  out << YAML::Key << "scrape_interval" << YAML::Value << PrintDuration(job.interval);
  out << YAML::Key << "scrape_timeout" << YAML::Value << PrintDuration(job.timeout);
  text("metrics_path", job.metrics_path);
  out << YAML::Key << "honor_labels" << YAML::Value << job.honor_labels;
  text("tenant", job.tenant);
  out << YAML::Key << "scrape_protocols" << YAML::Value << YAML::Flow << YAML::BeginSeq;
  for (const Protocol protocol : job.protocols) out << std::string(ProtocolName(protocol));
  out << YAML::EndSeq << YAML::Key << "static_configs" << YAML::Value << YAML::BeginSeq;
  for (const TargetGroup& group : job.groups) PrintGroup(group, out);
  out << YAML::EndSeq << YAML::Key << "file_sd_configs" << YAML::Value << YAML::BeginSeq;
  for (const FileTargets& files : job.files) {
    out << YAML::BeginMap << YAML::Key << "files" << YAML::Value;
    PrintTexts(files.files, out);
    out << YAML::Key << "refresh_interval" << YAML::Value << PrintDuration(files.refresh_interval)
        << YAML::EndMap;
  }
  out << YAML::EndSeq << YAML::EndMap;
}

}  // namespace

Result<std::vector<Job>> ReadJobs(const YamlText& text, const YAML::Node& list) {
  return JobReader(text).ReadJobs(list);
}

Result<std::vector<TargetGroup>> ReadTargetFile(const std::string& text, const std::string& name) {
  // Variables are for the configuration; in these files none is set.
  const YamlText yaml{name, [](const char* /*variable*/) -> const char* { return nullptr; }};
  try {
    return JobReader(yaml).ReadGroups(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    return InvalidArgument(name + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

std::string PrintJobs(const std::vector<Job>& jobs) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "scrape_configs" << YAML::Value << YAML::BeginSeq;
  for (const Job& job : jobs) PrintJob(job, out);
  out << YAML::EndSeq << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace throughline::gateway::scrape
