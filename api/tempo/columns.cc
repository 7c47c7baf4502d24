#include "api/tempo/columns.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/query/traceql_names.h"
#include "api/query/traceql_value.h"

namespace throughline::api::tempo {
namespace {

using query::traceql::Constant;
using query::traceql::Datum;
using query::traceql::Field;
using query::traceql::Intrinsic;
using query::traceql::Type;

// What stands in the answer anyway.
bool IsShownElsewhere(Intrinsic intrinsic) {
  switch (intrinsic) {
    case Intrinsic::kName:
    case Intrinsic::kDuration:
    case Intrinsic::kTraceDuration:
    case Intrinsic::kRootName:
    case Intrinsic::kRootService:
    case Intrinsic::kTraceId:
    case Intrinsic::kSpanId: return true;
    default: return false;
  }
}

// Ints and floats can share a column; everything else is text there.
Type Joined(Type a, Type b) {
  if (a == b) return a;
  const auto is_number = [](Type type) { return type == Type::kInt || type == Type::kFloat; };
  return is_number(a) && is_number(b) ? Type::kFloat : Type::kString;
}

std::string TextOf(const Constant& constant) {
  if (constant.type == Type::kDuration) return DurationText(constant.integer);
  return query::traceql::TextOf(query::traceql::Of(constant));
}

void WriteCell(const Constant& constant, Type type, wire::JsonWriter& json) {
  json.BeginObject();
  switch (type) {
    case Type::kBool: json.Key("boolValue").Bool(constant.integer != 0); break;
    case Type::kInt: json.Key("intValue").String(std::to_string(constant.integer)); break;
    case Type::kFloat:
      json.Key("doubleValue").Double(query::traceql::NumberOf(query::traceql::Of(constant)));
      break;
    default: json.Key("stringValue").String(TextOf(constant));
  }
  json.EndObject();
}

}  // namespace

Columns::Columns(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    if (IsShownElsewhere(field.intrinsic) && !field.of_parent) continue;
    std::string key = field.intrinsic == Intrinsic::kNone ? field.key : ToText(field);
    const auto taken = [&key](const Column& column) { return column.key == key; };
    if (std::any_of(columns_.begin(), columns_.end(), taken)) key = ToText(field);
    columns_.push_back({std::move(key), field});
  }
}

Cells Columns::CellsOf(const query::traceql::Trace& trace, std::uint32_t place) {
  Cells cells;
  std::vector<Datum> values;
  for (const Column& column : columns_) {
    values.clear();
    trace.Values(column.field, place, values);
    if (values.empty()) continue;
    Constant cell = query::traceql::Owned(values.front());
    if (values.size() > 1) {
      std::string all;
      for (const Datum& value : values) {
        if (!all.empty()) all += ", ";
        all += TextOf(query::traceql::Owned(value));
      }
      cell = {.type = Type::kString, .text = std::move(all)};
    }
    NoteType(column.key, cell.type);
    cells.emplace_back(column.key, std::move(cell));
  }
  trace.Forget();
  return cells;
}

void Columns::Note(const Cells& cells) {
  for (const auto& [key, cell] : cells) NoteType(key, cell.type);
}

void Columns::NoteType(const std::string& key, Type type) {
  const auto [at, is_new] = types_.emplace(key, type);
  if (!is_new) at->second = Joined(at->second, type);
}

void Columns::Write(const Cells& cells, wire::JsonWriter& json) const {
  json.Key("attributes").BeginArray();
  for (const auto& [key, cell] : cells) {
    const auto type = types_.find(key);
    json.BeginObject().Key("key").String(key).Key("value");
    WriteCell(cell, type == types_.end() ? cell.type : type->second, json);
    json.EndObject();
  }
  json.EndArray();
}

std::string DurationText(std::int64_t ns) {
  constexpr std::array<std::pair<double, std::string_view>, 3> kUnits = {
      {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}}};
  for (const auto& [unit, name] : kUnits) {
    if (static_cast<double>(ns) < unit) continue;
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<double>(ns) / unit);
    return std::string(digits, end.ptr).append(name);
  }
  return std::to_string(ns) + "ns";
}

}  // namespace throughline::api::tempo
