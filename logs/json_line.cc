#include "logs/json_line.h"

#include "correlate/attribute.h"
#include "logs/lines.h"
#include "otlp/plain_json.h"

namespace throughline::logs {
namespace {

using wire::JsonCursor;
using wire::JsonString;

bool EqualIgnoringCase(std::string_view key, std::string_view lower) {
  if (key.size() != lower.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i] >= 'A' && key[i] <= 'Z' ? static_cast<char>(key[i] - 'A' + 'a') : key[i];
    if (c != lower[i]) return false;
  }
  return true;
}

// How far down the list of preferred names a key stands; -1: not on it.
constexpr std::string_view kServiceKeys[] = {
    "service.name", "service_name",          "service", "app", "resource.service.name",
    "dd.service",   "app_kubernetes_io_name"};
constexpr std::string_view kLabelKeys[] = {"app.kubernetes.io/name", "app_kubernetes_io/name",
                                           "app_kubernetes_io_name", "app", "k8s-app"};

template <std::size_t N>
int RankOf(std::string_view key, const std::string_view (&keys)[N]) {
  for (std::size_t i = 0; i < N; ++i) {
    if (key == keys[i]) return static_cast<int>(i);
  }
  return -1;
}

std::string_view MemberOf(std::string_view map_value, std::string_view key) {
  const Value map = ReadValue(map_value);
  if (map.type != ValueType::kMap) return {};
  for (ValueItems items(map); items.Next();) {
    if (items.key == key) return items.value;
  }
  return {};
}

std::string_view ServiceOfLabels(std::string_view kubernetes) {
  const Value labels = ReadValue(MemberOf(kubernetes, "labels"));
  if (labels.type != ValueType::kMap) return {};
  std::string_view service;
  int best = static_cast<int>(std::size(kLabelKeys));
  for (ValueItems items(labels); items.Next();) {
    const int rank = RankOf(items.key, kLabelKeys);
    if (rank < 0 || rank >= best) continue;
    if (const auto text = StringOf(items.value); !text.empty()) {
      service = text;
      best = rank;
    }
  }
  return service;
}

// The level of {"log":{"level":"error"}}, as Elastic's ECS is when it is not dotted; empty: none.
std::string_view NestedLevel(std::span<const Attribute> attributes) {
  for (const Attribute& attribute : attributes) {
    if (!EqualIgnoringCase(attribute.key(), "log")) continue;
    const Value log = ReadValue(attribute.value());
    if (log.type != ValueType::kMap) continue;
    for (ValueItems items(log); items.Next();) {
      if (EqualIgnoringCase(items.key, "level")) return StringOf(items.value);
    }
  }
  return {};
}

}  // namespace

std::string_view StatedService(std::span<const Attribute> attributes) {
  std::string_view service;
  int best = static_cast<int>(std::size(kServiceKeys)) + 2;  // After the keys: two nested places.
  const auto offer = [&](int rank, std::string_view text) {
    if (rank >= best || text.empty()) return;
    service = text;
    best = rank;
  };
  for (const Attribute& attribute : attributes) {
    const std::string_view key = attribute.key();
    // Most keys are none of the names below: the first letter says so.
    const char first = key.empty() ? '\0' : key.front();
    if (first != 's' && first != 'a' && first != 'r' && first != 'd' && first != 'k') continue;
    if (key == "kubernetes") {
      offer(static_cast<int>(std::size(kServiceKeys)), ServiceOfLabels(attribute.value()));
    } else if (key == "dd") {
      offer(static_cast<int>(std::size(kServiceKeys)) + 1,
            StringOf(MemberOf(attribute.value(), "service")));
    } else if (const int rank = RankOf(key, kServiceKeys); rank >= 0) {
      std::string_view text = StringOf(attribute.value());
      if (text.empty() && key == "service") text = StringOf(MemberOf(attribute.value(), "name"));
      offer(rank, text);
    }
  }
  return service;
}

JsonLineReader::Place JsonLineReader::PlaceOf(std::string_view key) {
  if (key.size() < 2 || key.size() > 13) return {};
  const auto is = [key](std::string_view name) { return EqualIgnoringCase(key, name); };
  switch (static_cast<unsigned char>(key.front()) | 0x20U) {
    case 'l':
      if (is("level")) return {.role = Role::kSeverity, .name = 0};
      if (is("log")) return {.role = Role::kText, .name = 0};
      if (is("log.level")) return {.role = Role::kSeverity, .name = 3};
      break;
    case 'm':
      if (is("message")) return {.role = Role::kText, .name = 1};
      if (is("msg")) return {.role = Role::kText, .name = 2};
      break;
    case 'b':
      if (is("body")) return {.role = Role::kText, .name = 3};
      break;
    case 't':
      if (is("time")) return {.role = Role::kTime, .name = 0};
      if (is("timestamp")) return {.role = Role::kTime, .name = 1};
      if (is("ts")) return {.role = Role::kTime, .name = 2};
      break;
    case '@' | 0x20U:
      if (is("@timestamp")) return {.role = Role::kTime, .name = 3};
      break;
    case 's':
      if (is("severity")) return {.role = Role::kSeverity, .name = 1};
      if (is("severity_text")) return {.role = Role::kSeverity, .name = 2};
      break;
    default: break;
  }
  return {};
}

bool JsonLineReader::Fail(const char* problem) {
  problem_ = problem;
  batch_.attributes.resize(begin_);
  return false;
}

void JsonLineReader::Append(const Attribute& attribute) {
  over_attributes_ = batch_.attributes.size() - begin_ >= options_.attributes_per_record;
  if (!over_attributes_) batch_.attributes.push_back(attribute);
}

bool JsonLineReader::Keep(Candidate& candidate, std::string_view key, Role role, JsonCursor& json) {
  if (candidate.present) return false;
  const auto type = json.Peek();
  const bool is_string = type == JsonCursor::Type::kString;
  if (!is_string && (type != JsonCursor::Type::kNumber || role == Role::kText)) return false;
  candidate = {.present = true, .is_string = is_string, .key = key, .value = {}};
  if (is_string) {
    candidate.value = json.String();
  } else {
    candidate.value = {.raw = json.Number(), .escaped = false};
  }
  return true;
}

void JsonLineReader::AddAttribute(const Candidate& candidate) {
  if (candidate.is_string) {
    Append(MakeStringAttribute(candidate.key, candidate.value.Text(text_), options_.hash_seed,
                               batch_.arena));
    return;
  }
  value_.clear();
  otlp::AppendPlainNumber(candidate.value.raw, value_);
  Append(MakeAttribute(candidate.key, value_, options_.hash_seed, batch_.arena));
}

void JsonLineReader::AddAttribute(std::string_view key, JsonCursor& json) {
  if (json.Peek() == JsonCursor::Type::kString) {
    const std::string_view text = json.String().Text(text_);
    if (json.ok()) Append(MakeStringAttribute(key, text, options_.hash_seed, batch_.arena));
    return;
  }
  value_.clear();
  if (!otlp::AppendPlainValue(json, 0, value_)) {
    if (json.ok()) problem_ = "nested deeper than 64";
    return;
  }
  Append(MakeAttribute(key, value_, options_.hash_seed, batch_.arena));
}

bool JsonLineReader::TakeTime(const Candidate& candidate, LogLine& line) {
  line.time_unix_ns = ParseTime(candidate.value.Text(text_));
  return line.time_unix_ns != 0;
}

bool JsonLineReader::TakeSeverity(const Candidate& candidate, LogLine& line) {
  const std::string_view text = candidate.value.Text(text_);
  line.severity_number = SeverityNumberOf(text);
  // A number that is known says no more than the severity number does.
  if (!candidate.is_string) return line.severity_number != 0;
  line.severity_text = batch_.arena.Copy(text);
  return true;
}

void JsonLineReader::TakeRoles(std::string_view object, LogLine& line) {
  for (std::size_t role = 0; role < kRoles; ++role) {
    bool taken = false;
    for (const Candidate& candidate : candidates_[role]) {
      if (!candidate.present) continue;
      if (!taken) {
        switch (static_cast<Role>(role)) {
          case Role::kText:
            line.body = MakeStringValue(candidate.value.Text(text_), batch_.arena);
            taken = true;
            break;
          case Role::kTime: taken = TakeTime(candidate, line); break;
          case Role::kSeverity: taken = TakeSeverity(candidate, line); break;
          case Role::kNone: break;
        }
        if (taken) continue;
      }
      AddAttribute(candidate);
    }
  }
  // Without a text the whole line is shown, so that it can be read and searched.
  if (line.body.empty()) line.body = MakeStringValue(object, batch_.arena);
}

bool JsonLineReader::Read(std::string_view object, LogLine& line) {
  begin_ = batch_.attributes.size();
  problem_ = "";
  over_attributes_ = false;
  for (auto& role : candidates_) {
    for (Candidate& candidate : role) candidate.present = false;
  }
  JsonCursor json(object);
  JsonString raw_key;
  for (json.BeginObject(); json.NextKey(raw_key);) {
    const std::string_view key = raw_key.Text(key_);
    if (key.size() > kMaxKeyBytes) return Fail("key of more than 1 MiB");
    const Place place = PlaceOf(key);
    // The key of a candidate must outlive the next key.
    if (place.role != Role::kNone && !raw_key.escaped &&
        Keep(candidates_[static_cast<std::size_t>(place.role)][place.name], key, place.role,
             json)) {
      continue;
    }
    AddAttribute(key, json);
    if (*problem_ != '\0') return Fail(problem_);
  }
  if (!json.AtEnd()) return Fail(json.error());
  TakeRoles(object, line);
  line.attributes = {.begin = static_cast<std::uint32_t>(begin_),
                     .count = static_cast<std::uint32_t>(batch_.attributes.size() - begin_)};
  if (line.severity_number == 0 && line.severity_text.empty()) {
    line.severity_text = NestedLevel(batch_.Of(line.attributes));
    line.severity_number = SeverityNumberOf(line.severity_text);
  }
  line.service = StatedService(batch_.Of(line.attributes));
  return true;
}

}  // namespace throughline::logs
