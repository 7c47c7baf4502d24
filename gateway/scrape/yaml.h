// Jobs and targets from YAML: the configuration's `scrape_configs`, and the files that name targets
// (YAML or JSON, which YAML contains).
#pragma once

#include <string>
#include <vector>

#include "correlate/result.h"
#include "gateway/scrape/job.h"
#include "gateway/yaml_text.h"

namespace throughline::gateway::scrape {

// Reads the value of `scrape_configs`. Unknown keys and bad values are errors with their line.
// May throw YAML::Exception.
Result<std::vector<Job>> ReadJobs(const YamlText& text, const YAML::Node& list);

// Reads the text of a file of targets, a list of {targets: [...], labels: {...}}. Errors begin with
// `name` and a line.
Result<std::vector<TargetGroup>> ReadTargetFile(const std::string& text, const std::string& name);

// `scrape_configs` as ReadJobs reads it, with every key.
std::string PrintJobs(const std::vector<Job>& jobs);

}  // namespace throughline::gateway::scrape
