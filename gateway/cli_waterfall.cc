#include "gateway/cli_waterfall.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gateway/cli_state.h"

namespace throughline::gateway {
namespace {

struct Row {
  std::string_view span_id;
  std::string label;  // Indented service and name.
  std::size_t depth = 0;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t duration_ns = 0;
  bool is_error = false;
  std::string status_message;
};

struct Columns {
  std::size_t label = 0;
  std::size_t bar = 0;
};

constexpr std::size_t kDurationColumns = 8;
constexpr std::size_t kDeepestIndent = 24;

using ById = std::unordered_map<std::string_view, std::vector<Json>>;

ById GroupBySpan(const Json& records) {
  ById groups;
  for (const Json& record : records.Items()) groups[record["span_id"].Text()].push_back(record);
  return groups;
}

// The spans in the order of the tree, parents first. Iterative: the depth is the sender's choice.
class TreeOrder {
 public:
  explicit TreeOrder(const std::vector<Json>& spans) : spans_(spans) {
    for (std::size_t i = 0; i < spans.size(); ++i) ids_.insert(spans[i]["span_id"].Text());
    for (std::size_t i = 0; i < spans.size(); ++i) {
      const std::string_view parent = spans[i]["parent_span_id"].Text();
      const bool has_parent = ids_.contains(parent) && parent != spans[i]["span_id"].Text();
      if (has_parent) {
        children_[parent].push_back(i);
      } else {
        roots_.push_back(i);
      }
    }
  }

  std::vector<std::pair<std::size_t, std::size_t>> Walk() {  // Index and depth.
    std::vector<std::pair<std::size_t, std::size_t>> order;
    visited_.assign(spans_.size(), false);
    for (const std::size_t root : roots_) WalkFrom(root, order);
    // What is left hangs on a parent loop: each loop is entered at its first span.
    for (std::size_t i = 0; i < spans_.size(); ++i) WalkFrom(i, order);
    return order;
  }

 private:
  void WalkFrom(std::size_t root, std::vector<std::pair<std::size_t, std::size_t>>& order) {
    std::vector<std::pair<std::size_t, std::size_t>> stack{{root, 0}};
    while (!stack.empty()) {
      const auto [index, depth] = stack.back();
      stack.pop_back();
      if (visited_[index]) continue;
      visited_[index] = true;
      order.emplace_back(index, depth);
      const auto found = children_.find(spans_[index]["span_id"].Text());
      if (found == children_.end()) continue;
      // The answer's order is by time; reversed here because a stack turns it round again.
      for (auto child = found->second.rbegin(); child != found->second.rend(); ++child) {
        if (!visited_[*child]) stack.emplace_back(*child, depth + 1);
      }
    }
  }

  const std::vector<Json>& spans_;
  std::unordered_set<std::string_view> ids_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> children_;
  std::vector<std::size_t> roots_;
  std::vector<bool> visited_;
};

std::vector<Row> RowsOf(const Json& trace) {
  const std::vector<Json> spans = trace["spans"].Items();
  std::vector<Row> rows;
  rows.reserve(spans.size());
  for (const auto& [index, depth] : TreeOrder(spans).Walk()) {
    const Json& span = spans[index];
    Row row;
    row.span_id = span["span_id"].Text();
    row.depth = depth;
    row.label = std::string(std::min(depth * 2, kDeepestIndent), ' ') +
                Printable(span["service"].Text()) + "  " + Printable(span["name"].Text());
    row.start_unix_ns = span["start_unix_nano"].Uint();
    row.duration_ns = span["duration_ns"].Uint();
    row.is_error = span["status"].Text() == "error";
    row.status_message = Printable(span["status_message"].Text());
    rows.push_back(std::move(row));
  }
  return rows;
}

class Waterfall {
 public:
  Waterfall(const Json& trace, const WaterfallLimits& limits, const TerminalStyle& style)
      : trace_(trace),
        limits_(limits),
        style_(style),
        rows_(RowsOf(trace)),
        logs_(GroupBySpan(trace["logs"])),
        exemplars_(GroupBySpan(trace["exemplars"])) {
    for (const Json& step : trace["critical_path"].Items())
      critical_.insert(step["span_id"].Text());
    Measure();
  }

  std::string Render() {
    Header();
    if (!rows_.empty()) Ruler();
    const std::size_t shown = std::min(rows_.size(), limits_.spans);
    std::unordered_set<std::string_view> done;
    for (std::size_t i = 0; i < shown; ++i) {
      SpanRow(rows_[i]);
      if (done.insert(rows_[i].span_id).second) Beneath(rows_[i]);
    }
    if (rows_.size() > shown) Note(CountText(rows_.size() - shown, "more span"));
    Unplaced();
    Footer();
    return std::move(out_);
  }

 private:
  void Measure() {
    std::uint64_t end = 0;
    start_ = UINT64_MAX;
    std::size_t widest = 16;
    for (const Row& row : rows_) {
      start_ = std::min(start_, row.start_unix_ns);
      // Times are the sender's: the sum may pass the end of 64 bits.
      const std::uint64_t row_end = row.duration_ns > UINT64_MAX - row.start_unix_ns
                                        ? UINT64_MAX
                                        : row.start_unix_ns + row.duration_ns;
      end = std::max(end, row_end);
      widest = std::max(widest, DisplayWidth(row.label));
    }
    total_ = rows_.empty() || end <= start_ ? 1 : end - start_;
    columns_.label = std::min(widest, style_.width * 45 / 100);
    const std::size_t rest = columns_.label + kDurationColumns + 7;  // Gaps and marks.
    columns_.bar = style_.width > rest + 8 ? style_.width - rest : 8;
  }

  void Header() {
    const Json summary = trace_["summary"];
    const std::string state(trace_["state"].Text());
    out_ += Paint("trace " + Printable(trace_["trace_id"].Text()), Colour::kBold, style_) + "  " +
            Paint(Printable(state), StateColour(state), style_) + "  " +
            Printable(summary["root_service"].Text()) + "  " +
            Printable(summary["root_operation"].Text()) + "  " +
            DurationText(summary["duration_ns"].Uint()) + "\n";
    std::string counts = CountText(summary["span_count"].Uint(), "span") + ", " +
                         CountText(summary["error_count"].Uint(), "error") + ", " +
                         CountText(summary["log_count"].Uint(), "log line") + ", " +
                         CountText(summary["exemplar_count"].Uint(), "exemplar");
    out_ += "started " + TimeText(summary["start_unix_nano"].Uint()) + " UTC  " + counts + "\n";
    const std::string versions = Printable(Joined(summary["versions"]));
    out_ += "services " + Printable(Joined(summary["services"])) +
            (versions.empty() ? "" : "  versions " + versions) + "\n";
    if (state != "live") out_ += Printable(trace_["reason"].Text()) + "\n";
    out_ += "\n";
  }

  void Ruler() {
    std::string scale = "0";
    const std::string middle = DurationText(total_ / 2);
    const std::string end = DurationText(total_);
    if (columns_.bar > middle.size() + end.size() + 6) {
      scale = PadRight(std::move(scale), columns_.bar / 2 - middle.size() / 2) + middle;
    }
    if (columns_.bar > end.size() + DisplayWidth(scale)) {
      scale = PadRight(std::move(scale), columns_.bar - end.size()) + end;
    }
    out_ +=
        PadRight("", columns_.label) + "  " + Paint(std::move(scale), Colour::kDim, style_) + "\n";
  }

  std::string BarOf(const Row& row) const {
    const auto column_of = [this](std::uint64_t ns) {
      return static_cast<std::size_t>(static_cast<double>(ns) / static_cast<double>(total_) *
                                      static_cast<double>(columns_.bar));
    };
    const std::size_t begin = std::min(column_of(row.start_unix_ns - start_), columns_.bar - 1);
    const std::size_t length =
        std::clamp<std::size_t>(column_of(row.duration_ns), 1, columns_.bar - begin);
    std::string bar;
    for (std::size_t i = 0; i < length; ++i) bar += style_.unicode ? "█" : "#";
    const Colour colour = row.is_error                      ? Colour::kRed
                          : critical_.contains(row.span_id) ? Colour::kYellow
                                                            : Colour::kBlue;
    return std::string(begin, ' ') + Paint(std::move(bar), colour, style_) +
           std::string(columns_.bar - begin - length, ' ');
  }

  void SpanRow(const Row& row) {
    out_ += PadRight(Clip(row.label, columns_.label, style_), columns_.label) + "  " + BarOf(row) +
            "  " + PadLeft(DurationText(row.duration_ns), kDurationColumns) + " " +
            (critical_.contains(row.span_id) ? "*" : " ") +
            (row.is_error ? Paint("!", Colour::kRed, style_) : "");
    // No blanks at the end of lines.
    while (out_.ends_with(' ')) out_.pop_back();
    out_ += "\n";
    if (row.is_error && !row.status_message.empty()) {
      Under(row.depth, Paint("error: " + row.status_message, Colour::kRed, style_),
            row.status_message.size() + 7);
    }
  }

  // One text under a span, already coloured; `columns` is what it takes without the colours.
  void Under(std::size_t depth, const std::string& text, std::size_t columns) {
    const std::size_t indent = std::min(depth * 2, kDeepestIndent) + 2;
    out_ += std::string(indent, ' ');
    const bool fits = !style_.clip || indent + columns <= style_.width;
    out_ += fits ? text : Clip(text, style_.width - indent, PlainStyle());
    out_ += "\n";
  }

  TerminalStyle PlainStyle() const {
    TerminalStyle plain = style_;
    plain.colour = false;
    return plain;
  }

  void LogRow(std::size_t depth, const Json& line) {
    std::string severity = Printable(SeverityText(line));
    const std::string body = Printable(line["body"].ToText());
    const std::string clock = ClockText(line["time_unix_nano"].Uint());
    severity = PadRight(Clip(severity, 5, style_), 5);
    const std::size_t before = std::min(depth * 2, kDeepestIndent) + 2 + 12 + 1 + 5 + 1 + 2;
    const std::size_t room = style_.width > before + 10 ? style_.width - before : 10;
    const std::string text = style_.clip ? Clip(body, room, style_) : body;
    const std::string mark = style_.unicode ? "· " : "- ";
    const Colour colour = SeverityColour(line["severity_number"].Uint());
    out_ += std::string(before - 12 - 1 - 5 - 1 - 2, ' ') +
            Paint(mark + clock, Colour::kDim, style_) + " " + Paint(severity, colour, style_) +
            " " + text + "\n";
  }

  void ExemplarRow(std::size_t depth, const Json& exemplar) {
    std::string text = (style_.unicode ? "◆ " : "+ ") + Printable(exemplar["metric"].Text()) + " " +
                       NumberText(exemplar["value"]);
    if (exemplar["le"].present()) text += " (le " + NumberText(exemplar["le"]) + ")";
    Under(depth, text, DisplayWidth(text));
  }

  void Beneath(const Row& row) {
    Records(row.depth, row.span_id);
    logs_.erase(row.span_id);
    exemplars_.erase(row.span_id);
  }

  void Records(std::size_t depth, std::string_view span_id) {
    const auto show = [&](const ById& groups, const char* noun, auto render) {
      const auto found = groups.find(span_id);
      if (found == groups.end()) return;
      const std::size_t shown = std::min(found->second.size(), limits_.lines_a_span);
      for (std::size_t i = 0; i < shown; ++i) render(depth, found->second[i]);
      if (shown < found->second.size()) {
        const std::string more = CountText(found->second.size() - shown, noun);
        Under(depth, more, more.size());
      }
    };
    show(logs_, "more log line", [this](std::size_t d, const Json& line) { LogRow(d, line); });
    show(exemplars_, "more exemplar", [this](std::size_t d, const Json& e) { ExemplarRow(d, e); });
  }

  // Lines and exemplars of the trace that belong under no span that is here.
  void Unplaced() {
    std::vector<std::string_view> left;
    for (const auto& [span_id, group] : logs_) left.push_back(span_id);
    for (const auto& [span_id, group] : exemplars_) {
      if (!logs_.contains(span_id)) left.push_back(span_id);
    }
    if (left.empty()) return;
    std::sort(left.begin(), left.end());
    out_ += rows_.empty() ? "" : "\n";
    out_ += Paint(rows_.empty() ? "no spans here; what names the trace:" : "without a span here:",
                  Colour::kDim, style_) +
            "\n";
    for (const std::string_view span_id : left) Records(0, span_id);
  }

  void Footer() {
    const Json integrity = trace_["integrity"];
    const std::size_t missing = integrity["missing_parents"].Items().size();
    const std::uint64_t duplicates = integrity["duplicates"].Uint();
    const std::uint64_t loops = integrity["loops"].Uint();
    const std::uint64_t roots = integrity["roots"].Uint();
    std::string remarks;
    const auto remark = [&remarks](const std::string& text) {
      remarks += (remarks.empty() ? "" : ", ") + text;
    };
    if (missing > 0) remark(CountText(missing, "missing parent"));
    if (roots > 1) remark(CountText(roots, "root"));
    if (duplicates > 0) remark(CountText(duplicates, "duplicate"));
    if (loops > 0) remark(CountText(loops, "parent loop"));
    if (trace_["complete"].present() && !trace_["complete"].Bool()) {
      remark("incomplete: " + Printable(trace_["incomplete_reason"].Text()));
    }
    if (!rows_.empty()) {
      out_ += "\n" + Paint("* on the critical path   ! error", Colour::kDim, style_) + "\n";
    }
    if (!remarks.empty()) out_ += "note: " + remarks + "\n";
  }

  void Note(const std::string& text) { out_ += Paint(text, Colour::kDim, style_) + "\n"; }

  const Json& trace_;
  const WaterfallLimits& limits_;
  const TerminalStyle& style_;
  std::vector<Row> rows_;
  ById logs_;
  ById exemplars_;
  std::unordered_set<std::string_view> critical_;
  Columns columns_;
  std::uint64_t start_ = 0;
  std::uint64_t total_ = 1;
  std::string out_;
};

}  // namespace

std::string RenderTrace(const Json& trace, const WaterfallLimits& limits,
                        const TerminalStyle& style) {
  return Waterfall(trace, limits, style).Render();
}

}  // namespace throughline::gateway
