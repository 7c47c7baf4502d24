#include "correlate/metric_name.h"

#include <algorithm>
#include <utility>

namespace throughline {
namespace {

using Word = std::pair<std::string_view, std::string_view>;

constexpr Word kUnits[] = {
    {"d", "days"},          {"h", "hours"},         {"min", "minutes"},    {"s", "seconds"},
    {"ms", "milliseconds"}, {"us", "microseconds"}, {"ns", "nanoseconds"}, {"By", "bytes"},
    {"KiBy", "kibibytes"},  {"MiBy", "mebibytes"},  {"GiBy", "gibibytes"}, {"TiBy", "tebibytes"},
    {"KBy", "kilobytes"},   {"MBy", "megabytes"},   {"GBy", "gigabytes"},  {"TBy", "terabytes"},
    {"m", "meters"},        {"V", "volts"},         {"A", "amperes"},      {"J", "joules"},
    {"W", "watts"},         {"g", "grams"},         {"Cel", "celsius"},    {"Hz", "hertz"},
    {"%", "percent"},
};
constexpr Word kPer[] = {
    {"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"},
    {"w", "week"},   {"mo", "month"}, {"y", "year"},
};

bool IsAllowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == ':';
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string WordOf(std::string_view unit, const auto& words) {
  for (const auto& [code, word] : words) {
    if (unit == code) return std::string(word);
  }
  return PrometheusName(unit);
}

// "s" is seconds, "By/s" bytes_per_second; "1" and notes in braces say nothing.
std::string UnitSuffix(std::string_view unit, MetricType type) {
  if (unit == "1") return type == MetricType::kGauge ? "ratio" : "";
  if (unit.empty() || unit.find('{') != std::string_view::npos) return "";
  const std::size_t slash = unit.find('/');
  std::string suffix = WordOf(unit.substr(0, slash), kUnits);
  if (slash == std::string_view::npos) return suffix;
  if (!suffix.empty()) suffix += '_';
  return suffix + "per_" + WordOf(unit.substr(slash + 1), kPer);
}

std::string_view TypeSuffix(MetricType type) {
  switch (type) {
    case MetricType::kSum: return "_total";
    case MetricType::kHistogram: return "_bucket";
    case MetricType::kUnknown:
    case MetricType::kGauge:
    case MetricType::kExponentialHistogram:
    case MetricType::kSummary: return "";
  }
  return "";
}

void AddOnce(std::string name, std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
}

}  // namespace

std::string PrometheusName(std::string_view name) {
  std::string out;
  if (!name.empty() && IsDigit(name.front())) out += '_';
  for (const char c : name) out += IsAllowed(c) ? c : '_';
  return out;
}

bool IsPrometheusName(std::string_view asked, std::string_view name) {
  if (!name.empty() && IsDigit(name.front())) {
    if (asked.empty() || asked.front() != '_') return false;
    asked.remove_prefix(1);
  }
  return std::equal(asked.begin(), asked.end(), name.begin(), name.end(),
                    [](char a, char b) { return a == (IsAllowed(b) ? b : '_'); });
}

std::vector<std::string> NamesOf(std::string_view metric, std::string_view unit, MetricType type) {
  std::vector<std::string> names{std::string(metric)};
  const std::string base = PrometheusName(metric);
  const std::string unit_suffix = UnitSuffix(unit, type);
  const bool has_unit = unit_suffix.empty() || base.ends_with("_" + unit_suffix);
  const std::string with_unit = has_unit ? base : base + "_" + unit_suffix;
  const std::string_view suffix = TypeSuffix(type);
  for (const std::string& name : {base, with_unit}) {
    AddOnce(name, names);
    if (!suffix.empty() && !name.ends_with(suffix)) AddOnce(name + std::string(suffix), names);
  }
  AddOnce(PrometheusMetricName(metric, unit, type), names);
  return names;
}

std::string PrometheusMetricName(std::string_view metric, std::string_view unit, MetricType type) {
  std::string name = PrometheusName(metric);
  const std::string_view suffix = TypeSuffix(type);
  if (!suffix.empty() && name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  const std::string unit_suffix = UnitSuffix(unit, type);
  if (!unit_suffix.empty() && !name.ends_with("_" + unit_suffix)) name += "_" + unit_suffix;
  return name.append(suffix);
}

bool IsNamed(const Exemplar& exemplar, std::string_view asked) {
  if (exemplar.metric == asked || IsPrometheusName(asked, exemplar.metric)) return true;
  // The other names are all longer, and begin alike up to the suffix of the type.
  if (asked.size() <= exemplar.metric.size()) return false;
  const std::string_view suffix = TypeSuffix(exemplar.metric_type);
  std::size_t alike = exemplar.metric.size();
  if (exemplar.metric.ends_with(suffix)) alike -= suffix.size();
  if (!IsDigit(asked.front()) && asked.front() != '_' &&
      !IsPrometheusName(asked.substr(0, alike), exemplar.metric.substr(0, alike))) {
    return false;
  }
  const auto names = NamesOf(exemplar.metric, exemplar.unit, exemplar.metric_type);
  return std::find(names.begin(), names.end(), asked) != names.end();
}

}  // namespace throughline
