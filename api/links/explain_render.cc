#include "api/links/explain_render.h"

#include "api/links/render.h"
#include "api/links/report_text.h"

namespace throughline::api::links {
namespace {

void WriteWindows(wire::JsonWriter& json, const std::vector<TimeSpan>& windows) {
  json.BeginArray();
  for (const TimeSpan& window : windows) {
    json.BeginObject();
    WriteWindowTimes(json, window);
    json.EndObject();
  }
  json.EndArray();
}

void WriteEdge(wire::JsonWriter& json, const ExplainedEdge& edge) {
  json.BeginObject();
  json.Key("caller").String(edge.caller);
  WriteNullable(json.Key("callee"), edge.callee);
  WriteNullable(json.Key("operation"), edge.operation);
  WriteDuration(json.Key("added_ns"), Ns(edge.added_ns));
  json.Key("slower").Uint(edge.slower);
  json.Key("total").Uint(edge.total);
  WriteDuration(json.Key("baseline_median_ns"), Ns(edge.baseline_median_ns));
  json.Key("z").Double(Rounded(edge.z));
  json.EndObject();
}

void WriteFindingMembers(wire::JsonWriter& json, const ExplainedFinding& finding) {
  json.Key("kind").String(finding.kind);
  json.Key("change").String(finding.is_new ? "new" : "lost");
  json.Key("pattern").String(finding.pattern);
  json.Key("context").String(finding.context);
  json.Key("share_change").Double(Rounded(finding.share_change));
  json.Key("z").Double(Rounded(finding.z));
  json.Key("spans").Uint(finding.spans);
  json.Key("traces").Uint(finding.traces);
  WriteNullable(json.Key("explained_by"), finding.explained_by);
}

// null where there is none.
void WriteExample(wire::JsonWriter& json, const ExplainedExample& example) {
  if (example.steps.empty()) {
    json.Null();
    return;
  }
  json.BeginObject();
  WriteId(json.Key("trace_id"), example.trace_id);
  WriteDuration(json.Key("culprit_ns"), example.culprit_ns);
  WriteDuration(json.Key("duration_ns"), example.duration_ns);
  json.Key("steps").BeginArray();
  for (const ExampleStep& step : example.steps) {
    json.BeginObject();
    json.Key("service").String(step.service);
    WriteDuration(json.Key("duration_ns"), step.duration_ns);
    json.EndObject();
  }
  json.EndArray().EndObject();
}

void WriteCulprit(wire::JsonWriter& json, const Culprit& culprit) {
  json.BeginObject();
  json.Key("service").String(culprit.service);
  json.Key("score").Double(Rounded(culprit.score));
  json.Key("kind").String(culprit.kind);
  json.Key("added_share").Double(Rounded(culprit.added_share));
  json.Key("slow_traces").Uint(culprit.slow_traces);
  json.Key("changed_traces").Uint(culprit.changed_traces);
  json.Key("pods").BeginArray();
  for (const std::string& pod : culprit.pods) json.String(pod);
  json.EndArray();
  json.Key("edges").BeginArray();
  for (const ExplainedEdge& edge : culprit.edges) WriteEdge(json, edge);
  json.EndArray();
  json.Key("findings").BeginArray();
  for (const ExplainedFinding& finding : culprit.findings) {
    json.BeginObject();
    WriteFindingMembers(json, finding);
    json.EndObject();
  }
  json.EndArray();
  json.Key("attributes").BeginArray();
  for (const ExplainedAttribute& attribute : culprit.attributes) {
    json.BeginObject();
    json.Key("key").String(attribute.key);
    json.Key("value").String(attribute.value);
    json.Key("share_window").Double(Rounded(attribute.share_window));
    json.Key("share_baseline").Double(Rounded(attribute.share_baseline));
    json.Key("z").Double(Rounded(attribute.z));
    json.EndObject();
  }
  json.EndArray();
  json.Key("cpu").BeginArray();
  for (const CpuChange& cpu : culprit.cpu) {
    json.BeginObject();
    json.Key("pod").String(cpu.pod);
    json.Key("window_percent").Double(Rounded(cpu.window));
    json.Key("baseline_percent").Double(Rounded(cpu.baseline));
    json.EndObject();
  }
  json.EndArray();
  WriteExample(json.Key("example"), culprit.example);
  json.Key("stopped_callers").BeginArray();
  for (const std::string& caller : culprit.stopped_callers) json.String(caller);
  json.EndArray();
  WriteTraceIds(json, culprit.trace_ids);
  json.EndObject();
}

// --- text -------------------------------------------------------------------------------------

std::string EdgeText(const ExplainedEdge& edge) {
  std::string text = Plain(edge.caller);
  if (!edge.callee.empty()) text += " > " + Plain(edge.callee);
  if (!edge.operation.empty()) text += " " + Plain(edge.operation) + " itself";
  const double each = edge.slower > 0 ? edge.added_ns / static_cast<double>(edge.slower) : 0;
  text += ": +" + Duration(each) + " in " + std::to_string(edge.slower) + " of " +
          Count(edge.total, "call") + ", ";
  text += edge.baseline_median_ns > 0 ? "normally " + Duration(edge.baseline_median_ns)
                                      : std::string("not seen before");
  return text;
}

// "external-api, 1.4 s of 1.8 s: payment 1.8 s > fraud-check 1.5 s > external-api 1.4 s".
std::string ExampleText(const Culprit& culprit) {
  const ExplainedExample& example = culprit.example;
  std::string text = Plain(culprit.service) + ", " + ShortDuration(example.culprit_ns) + " of " +
                     ShortDuration(example.duration_ns);
  std::string_view before = ": ";
  for (const ExampleStep& step : example.steps) {
    text.append(before).append(Plain(step.service)).append(" ");
    text += ShortDuration(step.duration_ns);
    before = " > ";
  }
  return text;
}

std::string FindingText(const ExplainedFinding& finding) {
  return std::string(finding.is_new ? "new " : "lost ") + finding.kind + " \"" +
         Plain(finding.pattern) + "\" in " + Plain(finding.context) + ", " +
         Count(finding.traces, "trace");
}

std::string KindText(const std::string& kind) {
  if (kind == "network") return "calls to it are slow: the service, the network or a queue";
  if (kind == "own_time") return "its own work is slow";
  if (kind == "cpu") return "its pods burn CPU";
  if (kind == "error") return "it fails";
  return "it does something else";
}

void AppendCulprit(const Culprit& culprit, std::size_t traces, std::string& out) {
  if (!culprit.example.steps.empty()) out += "  " + ExampleText(culprit) + "\n";
  for (const ExplainedEdge& edge : culprit.edges) out += "  " + EdgeText(edge) + "\n";
  for (const ExplainedFinding& finding : culprit.findings) {
    if (finding.explained_by.empty()) out += "  " + FindingText(finding) + "\n";
  }
  for (const CpuChange& cpu : culprit.cpu) {
    out += "  CPU of " + Plain(cpu.pod) + ": " + Fixed(cpu.window, 0) + " %, normally " +
           Fixed(cpu.baseline, 0) + " %\n";
  }
  for (const ExplainedAttribute& attribute : culprit.attributes) {
    out += "  " + Plain(attribute.key) + "=" + Plain(attribute.value) + ": " +
           Percent(attribute.share_window) + " of what deviates, " +
           Percent(attribute.share_baseline) + " of the rest\n";
  }
  if (culprit.trace_ids.empty() || traces == 0) return;
  out += "  traces:";
  for (std::size_t i = 0; i < culprit.trace_ids.size() && i < traces; ++i) {
    out += " " + ToHex(culprit.trace_ids[i]);
  }
  out += "\n";
}

std::string Headline(const Explained& explained) {
  const Explanation& explanation = explained.explanation;
  switch (explanation.verdict) {
    case Verdict::kNoClearCulprit: return "no clear culprit: " + explanation.reason;
    case Verdict::kTooLittleData: return "too little data: " + explanation.reason;
    case Verdict::kCulprit: break;
  }
  const Culprit& culprit = explanation.culprits.front();
  return "culprit: " + Plain(culprit.service) + " (score " + Fixed(culprit.score, 2) + "), " +
         KindText(culprit.kind);
}

}  // namespace

std::string TextOf(const Explained& explained) {
  constexpr std::size_t kOthers = 3;
  const Explanation& explanation = explained.explanation;
  std::string out = Headline(explained) + "\n";
  out += Moment(explained.window.start_unix_ns) + " to " + Moment(explained.window.end_unix_ns) +
         ": " + Count(explanation.traces, "trace") + ", against " +
         Count(explanation.baseline_traces, "trace") + " of " +
         Count(explanation.baseline_windows, "normal window") + "; " +
         Percent(explanation.added_share) + " of the time was added\n";
  if (!explained.complete) out += "incomplete: " + Plain(explained.incomplete_reason) + "\n";
  const bool named = explanation.verdict == Verdict::kCulprit;
  std::size_t others = 0;
  for (const Culprit& culprit : explanation.culprits) {
    if (named && &culprit == &explanation.culprits.front()) {
      AppendCulprit(culprit, kShownTraces, out);
      continue;
    }
    if (others == 0) out += named ? "less likely:" : "candidates:";
    if (others++ == kOthers) break;
    out += (others > 1 ? ", " : " ") + Plain(culprit.service) + " " + Fixed(culprit.score, 2);
  }
  if (others > 0) out += "\n";
  std::size_t symptoms = 0;
  for (const Symptom& symptom : explanation.symptoms) {
    if (symptoms++ == kOthers) break;
    out += "symptom of " + Plain(symptom.explained_by) + ": " + FindingText(symptom.finding) + "\n";
  }
  return out;
}

void WriteReport(wire::JsonWriter& json, const Explained& explained) {
  const Explanation& explanation = explained.explanation;
  json.BeginObject();
  json.Key("verdict").String(VerdictName(explanation.verdict));
  WriteNullable(json.Key("reason"), explanation.reason);
  json.Key("culprits").BeginArray();
  for (const Culprit& culprit : explanation.culprits) WriteCulprit(json, culprit);
  json.EndArray();
  json.Key("symptoms").BeginArray();
  for (const Symptom& symptom : explanation.symptoms) {
    json.BeginObject();
    json.Key("service").String(symptom.service);
    WriteFindingMembers(json, symptom.finding);
    json.EndObject();
  }
  json.EndArray();
  json.Key("window").BeginObject();
  WriteWindowTimes(json, explained.window);
  json.Key("traces").Uint(explanation.traces);
  json.Key("spans").Uint(explanation.spans);
  json.Key("logs").Uint(explanation.lines);
  json.Key("added_share").Double(Rounded(explanation.added_share));
  json.EndObject();
  json.Key("baseline").BeginObject();
  json.Key("chosen").Bool(explained.baseline_chosen);
  json.Key("windows").Uint(explanation.baseline_windows);
  json.Key("traces").Uint(explanation.baseline_traces);
  WriteWindows(json.Key("times"), explained.baseline);
  WriteWindows(json.Key("spikes"), explained.spikes);
  json.EndObject();
  json.Key("text").String(TextOf(explained));
  WriteCompleteness(json, explained.complete, explained.incomplete_reason);
  json.EndObject();
}

}  // namespace throughline::api::links
