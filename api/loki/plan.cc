#include "api/loki/plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "api/loki/line_labels.h"

namespace throughline::api::loki {
namespace {

using query::LabelCondition;
using query::LogSelection;
using query::LogStage;
using query::Template;
using Op = Matcher::Op;

// What senders and Grafana call the label.
constexpr std::array<std::string_view, 6> kTraceLabels = {"trace_id", "traceID", "traceId",
                                                          "TraceID",  "TraceId", "otel_trace_id"};

bool IsTraceLabel(std::string_view name) {
  return std::find(kTraceLabels.begin(), kTraceLabels.end(), name) != kTraceLabels.end();
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

// 16 digits are the low half, more have lost zeros in front.
std::optional<TraceId> TraceIdOf(std::string_view text) {
  if (text.size() < 16 || text.size() > 32 || !IsHex(text)) return std::nullopt;
  TraceId id;
  const std::size_t high_digits = text.size() - 16;
  const auto read = [](std::string_view digits, std::uint64_t& half) {
    std::from_chars(digits.data(), digits.data() + digits.size(), half, 16);
  };
  read(text.substr(0, high_digits), id.high);
  read(text.substr(high_digits), id.low);
  if (!id.IsValid()) return std::nullopt;
  return id;
}

// What label_format has made so far: labels whose text is "true" for lines that contain an id, and
// labels that are not what they were called by the sender.
struct Made {
  std::set<std::pair<std::string, TraceId>> contains;
  std::set<std::string> labels;
};

std::optional<TraceId> ImpliedBy(const LabelCondition& condition, const Made& made) {
  using Kind = LabelCondition::Kind;
  const Matcher& matcher = condition.text.matcher;
  switch (condition.kind) {
    case Kind::kNumber: return std::nullopt;
    case Kind::kText:
      if (matcher.op != Op::kEqual) return std::nullopt;
      if (matcher.value == "true") {
        for (const auto& [label, id] : made.contains) {
          if (label == matcher.key) return id;
        }
      }
      if (!IsTraceLabel(matcher.key) || made.labels.contains(matcher.key)) return std::nullopt;
      return TraceIdOf(matcher.value);
    case Kind::kAnd:
      for (const LabelCondition& part : condition.both) {
        if (const auto id = ImpliedBy(part, made)) return id;
      }
      return std::nullopt;
    case Kind::kOr: {
      std::optional<TraceId> common;
      for (const LabelCondition& part : condition.both) {
        const auto id = ImpliedBy(part, made);
        if (!id || (common && *common != *id)) return std::nullopt;
        common = id;
      }
      return common;
    }
  }
  return std::nullopt;
}

void Note(const LogStage& stage, Made& made) {
  for (const LogStage::Format& format : stage.formats) {
    if (format.label.empty()) continue;
    made.labels.insert(format.label);
    std::erase_if(made.contains, [&](const auto& pair) { return pair.first == format.label; });
    if (format.text.parts.size() != 1) continue;
    const Template::Part& part = format.text.parts[0];
    if (part.kind != Template::Part::Kind::kLineContains) continue;
    if (const auto id = TraceIdOf(part.text)) made.contains.emplace(format.label, *id);
  }
}

// No service is empty.
bool AcceptsAnyService(const Matcher& matcher) {
  return matcher.op == Op::kNotEqual
             ? matcher.value.empty()
             : matcher.op == Op::kRegex && (matcher.value == ".+" || matcher.value == ".*");
}

bool DependsOnService(const LabelCondition& condition) {
  using Kind = LabelCondition::Kind;
  if (condition.kind == Kind::kText || condition.kind == Kind::kNumber) {
    return IsOfService(condition.text.matcher.key);
  }
  return std::any_of(condition.both.begin(), condition.both.end(),
                     [](const LabelCondition& part) { return DependsOnService(part); });
}

void Spell(query::LabelMatch& match) {
  Matcher& matcher = match.matcher;
  const bool compares = matcher.op == Op::kEqual || matcher.op == Op::kNotEqual;
  const std::string_view text = matcher.value;
  if (matcher.key != "trace_id" || !compares || text.size() < 16 || text.size() > 32 ||
      !IsHex(text)) {
    return;
  }
  std::string spelt(32 - text.size(), '0');
  for (const char c : text) spelt += c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
  Op op = matcher.op;
  if (text.size() == 16) {
    spelt = "[0-9a-f]{16}" + spelt.substr(16);
    op = op == Op::kEqual ? Op::kRegex : Op::kNotRegex;
  }
  if (auto compiled = query::TextMatch::Compile(op, spelt)) match.match = *std::move(compiled);
}

void Spell(LabelCondition& condition) {
  if (condition.kind == LabelCondition::Kind::kText) Spell(condition.text);
  for (LabelCondition& part : condition.both) Spell(part);
}

}  // namespace

Plan PlanFor(const LogSelection& selection) {
  Plan plan;
  for (const query::LabelMatch& match : selection.stream) {
    const Matcher& matcher = match.matcher;
    // The service of lines that name none is not known to the store by that name.
    if (matcher.key == "service_name" && matcher.op == Op::kEqual && !matcher.value.empty() &&
        matcher.value != kUnknownService) {
      plan.service = matcher.value;
    }
  }
  Made made;
  bool text_is_sent = true;
  for (const LogStage& stage : selection.stages) {
    if (stage.kind == LogStage::Kind::kLineFilter && stage.op == Op::kEqual &&
        stage.texts.size() == 1 && text_is_sent) {
      const std::string& text = stage.texts[0];
      if (!plan.trace_id && text.size() == 32) plan.trace_id = TraceIdOf(text);
      if (text.size() > plan.contains.size()) plan.contains = text;
    }
    if (stage.kind == LogStage::Kind::kLineFormat || stage.kind == LogStage::Kind::kDecolorize) {
      text_is_sent = false;
    }
    if (stage.kind == LogStage::Kind::kLabelFormat && text_is_sent) Note(stage, made);
    if (stage.kind == LogStage::Kind::kCondition && !plan.trace_id) {
      plan.trace_id = ImpliedBy(stage.condition, made);
    }
  }
  return plan;
}

std::optional<TraceId> TraceOfQuery(std::string_view logql) {
  const auto query = query::ParseLogQl(logql);
  if (!query || query->kind != query::LogQl::Kind::kLines) return std::nullopt;
  return PlanFor(query->selection).trace_id;
}

bool IsOfService(std::string_view label) { return label == "service_name" || label == "job"; }

bool DependsOnService(const LogSelection& selection) {
  for (const query::LabelMatch& match : selection.stream) {
    if (IsOfService(match.matcher.key) && !AcceptsAnyService(match.matcher)) return true;
  }
  return std::any_of(selection.stages.begin(), selection.stages.end(), [](const LogStage& stage) {
    return stage.kind == LogStage::Kind::kLineFormat ||
           stage.kind == LogStage::Kind::kLabelFormat ||
           (stage.kind == LogStage::Kind::kCondition && DependsOnService(stage.condition));
  });
}

void SpellTraceIds(LogSelection& selection) {
  for (query::LabelMatch& match : selection.stream) Spell(match);
  for (LogStage& stage : selection.stages) Spell(stage.condition);
}

}  // namespace throughline::api::loki
