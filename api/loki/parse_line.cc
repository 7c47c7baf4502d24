#include "api/loki/parse_line.h"

#include <charconv>

#include "wire/json_cursor.h"

namespace throughline::api::loki {
namespace {

using wire::JsonCursor;
using wire::JsonString;
using Type = JsonCursor::Type;

class Flattener {
 public:
  Flattener(std::string_view line, const OnField& on_field) : json_(line), on_field_(on_field) {}

  bool Run() {
    if (json_.Peek() != Type::kObject) return false;
    Object({});
    return json_.AtEnd();
  }

 private:
  void Object(const std::string& prefix) {
    JsonString key;
    std::string scratch;
    for (json_.BeginObject(); json_.NextKey(key);) {
      std::string name = prefix;
      if (!name.empty()) name += '_';
      name += key.Text(scratch);
      Value(name);
    }
  }
  void Value(const std::string& name) {
    std::string scratch;
    switch (json_.Peek()) {
      case Type::kObject: return Object(name);  // The cursor bounds the depth.
      case Type::kString: {
        const JsonString text = json_.String();
        return Give(name, text.Text(scratch));
      }
      case Type::kNumber:
      case Type::kTrue:
      case Type::kFalse: return Give(name, json_.Skip());
      case Type::kArray:
      case Type::kNull:
      case Type::kNone: json_.Skip();
    }
  }
  void Give(const std::string& name, std::string_view value) {
    if (json_.ok() && fields_++ < kMaxFields) on_field_(name, value);
  }

  JsonCursor json_;
  const OnField& on_field_;
  std::size_t fields_ = 0;
};

// The next step of a path: a key, or an index where `is_index`. False: the path is none.
bool TakeStep(std::string_view& path, std::string& key, std::size_t& index, bool& is_index) {
  is_index = false;
  if (path.starts_with('.')) path.remove_prefix(1);
  if (!path.starts_with('[')) {
    const std::size_t end = std::min(path.find_first_of(".["), path.size());
    key = path.substr(0, end);
    path.remove_prefix(end);
    return !key.empty();
  }
  const std::size_t close = path.find(']');
  if (close == std::string_view::npos) return false;
  std::string_view inside = path.substr(1, close - 1);
  path.remove_prefix(close + 1);
  if (inside.size() >= 2 && inside.front() == '"' && inside.back() == '"') {
    key = inside.substr(1, inside.size() - 2);
    return true;
  }
  is_index = true;
  const auto read = std::from_chars(inside.data(), inside.data() + inside.size(), index);
  return read.ec == std::errc() && read.ptr == inside.data() + inside.size();
}

// The bytes of one member, or item; empty: there is none.
std::string_view StepInto(std::string_view value, const std::string& key, std::size_t index,
                          bool is_index) {
  JsonCursor json(value);
  if (json.Peek() != (is_index ? Type::kArray : Type::kObject)) return {};
  if (is_index) {
    for (json.BeginArray(); json.NextItem();) {
      const std::string_view item = json.Skip();
      if (index-- == 0) return item;
    }
    return {};
  }
  JsonString name;
  std::string scratch;
  for (json.BeginObject(); json.NextKey(name);) {
    const bool is_it = name.Text(scratch) == key;
    const std::string_view member = json.Skip();
    if (is_it && json.ok()) return member;
  }
  return {};
}

bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' '; }

}  // namespace

bool ParseJson(std::string_view line, const OnField& on_field) {
  return Flattener(line, on_field).Run();
}

bool JsonAt(std::string_view line, std::string_view path, std::string& value) {
  std::string key;
  std::size_t index = 0;
  bool is_index = false;
  while (!path.empty()) {
    if (!TakeStep(path, key, index, is_index)) return false;
    line = StepInto(line, key, index, is_index);
    if (line.empty()) return false;
  }
  JsonCursor json(line);
  if (json.Peek() == Type::kString) {
    std::string scratch;
    const JsonString text = json.String();
    value = text.Text(scratch);
  } else {
    value = line;
  }
  return json.ok();
}

void ParseLogfmt(std::string_view line, const OnField& on_field) {
  std::size_t at = 0;
  for (std::size_t fields = 0; at < line.size() && fields < kMaxFields; ++fields) {
    while (at < line.size() && IsSpace(line[at])) ++at;
    const std::size_t begin = at;
    while (at < line.size() && !IsSpace(line[at]) && line[at] != '=' && line[at] != '"') ++at;
    const std::string_view key = line.substr(begin, at - begin);
    if (at == line.size() || line[at] != '=') {
      if (!key.empty()) on_field(key, {});
      if (at < line.size() && line[at] == '"') ++at;  // A quote where no value begins.
      continue;
    }
    ++at;
    if (at < line.size() && line[at] == '"') {
      std::string value;
      for (++at; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == '\\' && at + 1 < line.size()) {
          const char c = line[++at];
          value += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        } else {
          value += line[at];
        }
      }
      if (at < line.size()) ++at;
      if (!key.empty()) on_field(key, value);
      continue;
    }
    const std::size_t value = at;
    while (at < line.size() && !IsSpace(line[at])) ++at;
    if (!key.empty()) on_field(key, line.substr(value, at - value));
  }
}

std::string FieldLabel(std::string_view key) {
  std::string out;
  if (!key.empty() && key.front() >= '0' && key.front() <= '9') out += '_';
  for (const char c : key) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += good ? c : '_';
  }
  return out;
}

}  // namespace throughline::api::loki
