#include "api/links/compare_render.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "api/links/render.h"
#include "api/links/report_text.h"

namespace throughline::api::links {
namespace {

// Three digits; of what is less likely than kLeastP nobody needs to know how much.
double Probability(double p) {
  constexpr double kLeastP = 1e-12;
  if (p <= kLeastP) return kLeastP;
  const double digits = std::pow(10, 2 - std::floor(std::log10(p)));
  return std::round(p * digits) / digits;
}

void WriteSide(wire::JsonWriter& json, const ComparedSide& side, const TraceSelection& selection) {
  json.BeginObject();
  WriteWindowTimes(json, selection.window);
  WriteNullable(json.Key("service"), selection.filter.service.value_or(""));
  WriteNullable(json.Key("operation"), selection.filter.operation.value_or(""));
  json.Key("attributes").BeginObject();
  for (const auto& [key, value] : selection.filter.attributes) json.Key(key).String(value);
  json.EndObject();
  json.Key("traces").Uint(side.traces);
  json.Key("comparable_traces").Uint(side.comparable);
  json.Key("error_traces").Uint(side.error_traces);
  json.Key("spans").Uint(side.spans);
  json.Key("logs").Uint(side.lines);
  WriteDuration(json.Key("p50_ns"), Ns(side.p50_ns));
  WriteDuration(json.Key("p95_ns"), Ns(side.p95_ns));
  WriteDuration(json.Key("p99_ns"), Ns(side.p99_ns));
  json.EndObject();
}

void WriteDurationTest(wire::JsonWriter& json, const ComparedDuration& duration) {
  json.BeginObject();
  json.Key("change").String(ChangeName(duration.change));
  WriteInteger(json.Key("growth_ns"), SignedNs(duration.growth_ns));
  json.Key("growth_share").Double(Rounded(duration.growth_share));
  json.Key("p_value").Double(Probability(duration.p));
  json.Key("more_slow").Bool(duration.more_slow);
  json.Key("baseline_slow_share").Double(Rounded(duration.baseline_slow_share));
  json.Key("candidate_slow_share").Double(Rounded(duration.candidate_slow_share));
  json.Key("slow_p_value").Double(Probability(duration.slow_p));
  json.EndObject();
}

void WriteHop(wire::JsonWriter& json, const ComparedHop& hop) {
  json.BeginObject();
  json.Key("caller").String(hop.caller);
  WriteNullable(json.Key("callee"), hop.callee);
  WriteNullable(json.Key("operation"), hop.operation);
  json.Key("change").String(ChangeName(hop.change));
  WriteDuration(json.Key("baseline_median_ns"), Ns(hop.baseline_median_ns));
  WriteDuration(json.Key("candidate_median_ns"), Ns(hop.candidate_median_ns));
  WriteInteger(json.Key("growth_ns"), SignedNs(hop.growth_ns));
  json.Key("baseline_traces").Uint(hop.baseline_traces);
  json.Key("candidate_traces").Uint(hop.candidate_traces);
  json.Key("p_value").Double(Probability(hop.p));
  WriteTraceIds(json, hop.trace_ids);
  json.EndObject();
}

void WriteFeatures(wire::JsonWriter& json, std::string_view key,
                   const std::vector<ComparedFeature>& features) {
  json.Key(key).BeginArray();
  for (const ComparedFeature& feature : features) {
    json.BeginObject();
    json.Key("kind").String(feature.kind);
    json.Key("change").String(feature.change);
    json.Key("pattern").String(feature.pattern);
    json.Key("context").String(feature.context);
    json.Key("baseline_share").Double(Rounded(feature.baseline_share));
    json.Key("candidate_share").Double(Rounded(feature.candidate_share));
    json.Key("baseline_traces").Uint(feature.baseline_traces);
    json.Key("candidate_traces").Uint(feature.candidate_traces);
    json.Key("p_value").Double(Probability(feature.p));
    WriteNullable(json.Key("symptom_of"), feature.symptom_of);
    WriteTraceIds(json, feature.trace_ids);
    json.EndObject();
  }
  json.EndArray();
}

// --- text -------------------------------------------------------------------------------------

// "+20 %", "-3 %".
std::string Growth(double share) { return (share < 0 ? "" : "+") + Percent(share); }

std::string SideText(std::string_view name, const ComparedSide& side,
                     const TraceSelection& selection) {
  std::string text = std::string(name) + ": " + Moment(selection.window.start_unix_ns) + " to " +
                     Moment(selection.window.end_unix_ns);
  const TraceFilter& filter = selection.filter;
  if (filter.service) text += " " + Plain(*filter.service);
  if (filter.operation) text += " " + Plain(*filter.operation);
  for (const auto& [key, value] : filter.attributes) text += " " + Plain(key) + "=" + Plain(value);
  text += ": " + Count(side.traces, "trace");
  if (side.comparable != side.traces)
    text += " (" + std::to_string(side.comparable) + " comparable)";
  text += ", " + std::to_string(side.error_traces) + " with errors";
  if (side.comparable > 0) {
    text += ", p50 " + Duration(side.p50_ns) + ", p95 " + Duration(side.p95_ns) + ", p99 " +
            Duration(side.p99_ns);
  }
  return text + "\n";
}

std::string DurationText(const Comparison& comparison) {
  const ComparedDuration& duration = comparison.duration;
  std::string text = "duration: ";
  if (duration.change == TimeChange::kSame) {
    text += "no sure difference (median " + Growth(duration.growth_share) + ")";
  } else {
    text += std::string(ChangeName(duration.change)) + ", median " + Growth(duration.growth_share);
  }
  if (duration.more_slow) {
    text += "; slow traces: " + Percent(duration.candidate_slow_share) + " instead of " +
            Percent(duration.baseline_slow_share);
  }
  if (comparison.detectable_growth > 0) {
    text += "; " + Growth(comparison.detectable_growth) + " would have been found";
  }
  return text + "\n";
}

std::string HopText(const ComparedHop& hop) {
  std::string text = std::string(ChangeName(hop.change)) + ": " + Plain(hop.caller);
  text += hop.callee.empty() ? " " + Plain(hop.operation) + " itself" : " > " + Plain(hop.callee);
  const double share = hop.baseline_median_ns > 0 ? hop.growth_ns / hop.baseline_median_ns : 0;
  return text + ", " + Duration(hop.candidate_median_ns) + " instead of " +
         Duration(hop.baseline_median_ns) + " a trace (" + Growth(share) + ")\n";
}

std::string FeatureText(const ComparedFeature& feature) {
  std::string text = std::string(feature.change) + " " + feature.kind + ": \"" +
                     Plain(feature.pattern) + "\" in " + Plain(feature.context) + ", " +
                     Percent(feature.candidate_share) + " instead of " +
                     Percent(feature.baseline_share) + " of traces";
  if (!feature.symptom_of.empty()) text += ", a symptom of " + Plain(feature.symptom_of);
  return text + "\n";
}

// The examples of the first thing that fails the comparison.
std::string TracesText(const Comparison& comparison) {
  const std::vector<TraceId>* ids = nullptr;
  for (const ComparedHop& hop : comparison.critical_path) {
    if (ids == nullptr && hop.change == TimeChange::kSlower) ids = &hop.trace_ids;
  }
  if (!comparison.errors.empty()) ids = &comparison.errors.front().trace_ids;
  if (ids == nullptr || ids->empty()) return {};
  std::string text = "traces:";
  for (const TraceId id : *ids) text += " " + ToHex(id);
  return text + "\n";
}

}  // namespace

std::string TextOf(const Compared& compared) {
  constexpr std::size_t kLines = 5;  // Of each list.
  const Comparison& comparison = compared.comparison;
  std::string out = std::string(VerdictName(comparison.verdict)) + ": " + comparison.reason + "\n";
  out += SideText("baseline", comparison.baseline, compared.request.baseline);
  out += SideText("candidate", comparison.candidate, compared.request.candidate);
  if (!compared.complete) out += "incomplete: " + Plain(compared.incomplete_reason) + "\n";
  if (comparison.in_both > 0) {
    out += Count(comparison.in_both, "trace") + " of both selections left out\n";
  }
  out += DurationText(comparison);
  const auto lines = [&out](const auto& list, auto text_of) {
    for (std::size_t i = 0; i < list.size() && i < kLines; ++i) out += text_of(list[i]);
    if (list.size() > kLines) out += "and " + std::to_string(list.size() - kLines) + " more\n";
  };
  lines(comparison.critical_path, HopText);
  lines(comparison.errors, FeatureText);
  lines(comparison.calls, FeatureText);
  lines(comparison.logs, FeatureText);
  return out + TracesText(comparison);
}

void WriteReport(wire::JsonWriter& json, const Compared& compared) {
  const Comparison& comparison = compared.comparison;
  json.BeginObject();
  json.Key("verdict").String(VerdictName(comparison.verdict));
  json.Key("reason").String(comparison.reason);
  WriteSide(json.Key("baseline"), comparison.baseline, compared.request.baseline);
  WriteSide(json.Key("candidate"), comparison.candidate, compared.request.candidate);
  json.Key("in_both").Uint(comparison.in_both);
  json.Key("tests").Uint(comparison.tests);
  json.Key("error_level").Double(kErrorLevel);
  json.Key("detectable_growth").Double(Rounded(comparison.detectable_growth));
  WriteDurationTest(json.Key("duration"), comparison.duration);
  json.Key("critical_path").BeginArray();
  for (const ComparedHop& hop : comparison.critical_path) WriteHop(json, hop);
  json.EndArray();
  WriteFeatures(json, "errors", comparison.errors);
  WriteFeatures(json, "calls", comparison.calls);
  WriteFeatures(json, "logs", comparison.logs);
  json.Key("text").String(TextOf(compared));
  WriteCompleteness(json, compared.complete, compared.incomplete_reason);
  json.EndObject();
}

}  // namespace throughline::api::links
