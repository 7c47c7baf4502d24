#include "gateway/cli_render.h"

#include <algorithm>
#include <utility>

#include "gateway/cli_state.h"

namespace throughline::gateway {
namespace {

constexpr std::size_t kLabelColumns = 10;
constexpr std::size_t kRoomyWidth = 120;  // From here on tables have all of their columns.

void Field(std::string_view label, const std::string& value, std::string& out) {
  out += PadRight(std::string(label), kLabelColumns) + value + "\n";
}

std::string QueryText(const Json& query) {
  return Printable(query["backend"].Text()) + " (" + Printable(query["language"].Text()) + ")  " +
         Printable(query["query"].Text());
}

void RenderMatch(const Json& match, const TerminalStyle& style, std::string& out) {
  const std::string state(match["state"].Text());
  const Json counts = match["counts"];
  Field("trace", Paint(Printable(match["trace_id"].Text()), Colour::kBold, style), out);
  Field(
      "state",
      Paint(Printable(state), StateColour(state), style) + "  " + Printable(match["reason"].Text()),
      out);
  Field("records",
        CountText(counts["spans"].Uint(), "span") + ", " +
            CountText(counts["logs"].Uint(), "log line") + ", " +
            CountText(counts["exemplars"].Uint(), "exemplar"),
        out);
  Field("first", TimeText(match["first_unix_nano"].Uint()) + " UTC", out);
  Field("last", TimeText(match["last_unix_nano"].Uint()) + " UTC", out);
  Field("window",
        Printable(match["window"]["start"].ToText()) + " .. " +
            Printable(match["window"]["end"].ToText()),
        out);
  const std::string services = Printable(Joined(match["services"]));
  const std::string hosts = Printable(Joined(match["hosts"]));
  if (!services.empty()) Field("services", services, out);
  if (!hosts.empty()) Field("hosts", hosts, out);
  for (const Json& query : match["queries"].Items()) {
    Field("query", QueryText(query), out);
    if (query["url"].present()) Field("", Printable(query["url"].Text()), out);
  }
}

// "root_service root_operation", or what stands there when nothing is known.
std::string RootText(const Json& summary) {
  if (!summary.present()) return "-";
  const std::string_view service = summary["root_service"].Text();
  const std::string_view operation = summary["root_operation"].Text();
  if (service.empty() && operation.empty()) return "-";
  return std::string(service) + " " + std::string(operation);
}

std::string DurationOf(const Json& summary) {
  return summary["duration_ns"].present() ? DurationText(summary["duration_ns"].Uint()) : "-";
}

// What stands under a list that is not the whole truth.
void Remarks(const Json& answer, std::size_t shown, std::string_view noun,
             const TerminalStyle& style, std::string& out) {
  std::string text = CountText(shown, noun);
  if (!answer["cursor"].Text().empty()) text += ", more with --limit or the cursor of --json";
  if (answer["complete"].present() && !answer["complete"].Bool()) {
    text += "; incomplete: " + Printable(answer["incomplete_reason"].Text());
  }
  out += Paint(std::move(text), Colour::kDim, style) + "\n";
}

std::string_view TextOrDash(const Json& text) {
  return text.Text().empty() ? std::string_view("-") : text.Text();
}

std::string LabelsText(const Json& labels) {
  std::string text;
  for (const auto& [key, value] : labels.Fields()) {
    if (!text.empty()) text += ", ";
    text += std::string(key) + "=" + value.ToText();
  }
  return text;
}

// One row of `resolve`; the state that counts for the exit code comes back.
std::string AddResolved(const Json& item, const Json& found, const std::string& input,
                        Table& table) {
  const std::string_view trace_id = found["trace_id"].Text();
  std::string state(item["state"].Text());
  const Json summary = item["summary"];
  if (trace_id.empty()) {
    const std::string_view reason = item["reason"].Text();
    table.Add({"-",
               {state.empty() ? "no id" : state, Colour::kRed},
               "-",
               reason.empty() ? "-" : reason,
               {"-", Colour::kNone, true},
               input});
    return "malformed";
  }
  const Json how = found["found_by"].present() ? found["found_by"] : found["spelling"];
  table.Add({trace_id,
             {state, StateColour(state)},
             how.Text(),
             RootText(summary),
             {DurationOf(summary), Colour::kNone, true},
             input});
  return state;
}

}  // namespace

Rendered RenderLocate(const Json& answer, const TerminalStyle& style) {
  Rendered rendered;
  const std::vector<Json> matches = answer["matches"].Items();
  if (!answer["spelling"].Text().empty()) {
    Field("input",
          Printable(answer["input"].Text()) + "  (" + Printable(answer["spelling"].Text()) + ")",
          rendered.text);
  }
  rendered.exit_code = kExitNotFound;
  for (const Json& match : matches) {
    if (!rendered.text.empty() && &match != &matches.front()) rendered.text += "\n";
    RenderMatch(match, style, rendered.text);
    if (!IsDead(match["state"].Text())) rendered.exit_code = kExitFound;
  }
  if (matches.empty()) rendered.text += "nothing carries this id\n";
  return rendered;
}

Rendered RenderLogs(const Json& answer, const TerminalStyle& style) {
  Rendered rendered;
  const bool narrow = style.clip && style.width < kRoomyWidth;
  Table table({{"TIME (UTC)", true}, "SEV", "SERVICE", {"TRACE", true}, "BODY"});
  const std::vector<Json> lines = answer["logs"].Items();
  for (const Json& line : lines) {
    const std::uint64_t time = line["time_unix_nano"].Uint();
    table.Add({narrow ? ClockText(time) : TimeText(time),
               {SeverityText(line), SeverityColour(line["severity_number"].Uint())},
               TextOrDash(line["service"]),
               TextOrDash(line["trace_id"]),
               line["body"].ToText()});
  }
  if (!table.empty()) rendered.text = table.Render(style);
  Remarks(answer, lines.size(), "log line", style, rendered.text);
  rendered.exit_code = lines.empty() ? kExitNotFound : kExitFound;
  return rendered;
}

Rendered RenderExemplars(const Json& answer, const TerminalStyle& style) {
  Rendered rendered;
  // On a narrow terminal a row keeps what leads on: the trace's id, whole.
  const bool narrow = style.clip && style.width < kRoomyWidth;
  std::vector<Table::Column> columns{{"TIME (UTC)", true}, "VALUE", "SERVICE", {"TRACE", true}};
  for (const char* column : {"STATE", "TOOK", "LE", "ROOT", "METRIC"}) {
    if (!narrow || columns.size() < 6) columns.emplace_back(column);
  }
  Table table(std::move(columns));
  const std::vector<Json> exemplars = answer["exemplars"].Items();
  for (const Json& exemplar : exemplars) {
    const std::string state(exemplar["link"]["state"].Text());
    const Json summary = exemplar["trace"];
    const std::uint64_t time = exemplar["time_unix_nano"].Uint();
    table.Add(
        {narrow ? ClockText(time) : TimeText(time),
         {NumberText(exemplar["value"]), Colour::kNone, true},
         TextOrDash(exemplar["service"]),
         TextOrDash(exemplar["trace_id"]),
         {state, StateColour(state)},
         {DurationOf(summary), Colour::kNone, true},
         {exemplar["le"].present() ? NumberText(exemplar["le"]) : "-", Colour::kNone, true},
         RootText(summary),
         std::string(exemplar["metric"].Text()) + "{" + LabelsText(exemplar["labels"]) + "}"});
  }
  if (!table.empty()) rendered.text = table.Render(style);
  Remarks(answer, exemplars.size(), "exemplar", style, rendered.text);
  rendered.exit_code = exemplars.empty() ? kExitNotFound : kExitFound;
  return rendered;
}

Rendered RenderResolve(const Json& answer, const std::vector<std::string>& ids,
                       const std::vector<std::string>& lines, const TerminalStyle& style) {
  Rendered rendered;
  Table table({{"TRACE", true}, "STATE", "HOW", "ROOT", "TOOK", "INPUT"});
  std::size_t alive = 0;
  std::size_t dead = 0;
  const auto count = [&](const std::string& state) { ++(IsDead(state) ? dead : alive); };
  const std::vector<Json> id_items = answer["ids"].Items();
  for (std::size_t i = 0; i < std::min(ids.size(), id_items.size()); ++i) {
    count(AddResolved(id_items[i], id_items[i], ids[i], table));
  }
  const std::vector<Json> line_items = answer["lines"].Items();
  for (std::size_t i = 0; i < std::min(lines.size(), line_items.size()); ++i) {
    const std::vector<Json> found = line_items[i]["found"].Items();
    if (found.empty()) {
      table.Add({"-", {"no id", Colour::kDim}, "-", "-", {"-", Colour::kNone, true}, lines[i]});
      continue;  // A line that names nothing is no dead link.
    }
    count(AddResolved(line_items[i], found.front(), lines[i], table));
  }
  if (!table.empty()) rendered.text = table.Render(style);
  rendered.exit_code = alive > 0 && dead == 0 ? kExitFound : kExitNotFound;
  if (answer["complete"].present() && !answer["complete"].Bool()) {
    rendered.text += "incomplete: " + Printable(answer["incomplete_reason"].Text()) + "\n";
    rendered.exit_code = kExitUnreachable;  // What was not looked at is not known to be missing.
  }
  return rendered;
}

std::string RenderProblem(const Json& problem, int http_status) {
  std::string text = Printable(problem["detail"].Text());
  if (text.empty()) text = Printable(problem["title"].Text());
  if (text.empty()) text = "the gateway answered with status " + std::to_string(http_status);
  const std::string_view state = problem["state"].Text();
  if (!state.empty()) text += " (" + Printable(state) + ")";
  for (const Json& match : problem["matches"].Items()) {
    const std::string_view trace_id = match["trace_id"].Text();
    text += "\n  " + Printable(trace_id.empty() ? match.Text() : trace_id);
  }
  return text;
}

bool IsLine(std::string_view text) {
  return text.find_first_of(" \t=[{\"") != std::string_view::npos;
}

}  // namespace throughline::gateway
