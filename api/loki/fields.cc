// /detected_fields and /detected_field/{name}/values: what stands in lines, from a sample of them.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/loki/answer.h"
#include "api/loki/handlers.h"
#include "api/loki/parse_line.h"
#include "api/loki/scan.h"
#include "api/query/logql.h"
#include "api/query/logql_lexer.h"

namespace throughline::api::loki {
namespace {

using wire::JsonWriter;

constexpr std::size_t kDefaultLimit = 1000;  // Of fields, and of lines in the sample.
constexpr std::size_t kMaxValues = 10'000;   // Of one field that are remembered.

struct Field {
  std::set<std::string> values;
  std::set<std::string> parsers;  // None: structured metadata.
};

struct Fields {
  std::map<std::string, Field> fields;
  std::size_t limit = kDefaultLimit;
};

bool IsNumber(std::string_view text, bool whole) {
  const std::size_t begin = text.starts_with('-') ? 1 : 0;
  return text.size() > begin && text.find_first_not_of(whole ? "0123456789" : "0123456789.",
                                                       begin) == std::string_view::npos;
}

std::string_view TypeOf(std::string_view value) {
  double number = 0;
  if (IsNumber(value, true)) return "int";
  if (IsNumber(value, false)) return "float";
  if (value == "true" || value == "false") return "boolean";
  if (query::ReadSeconds(value, number)) return "duration";
  if (query::ReadBytes(value, number)) return "bytes";
  return "string";
}

// The type of all values; of several, string.
std::string_view TypeOf(const std::set<std::string>& values) {
  std::string_view type;
  for (const std::string& value : values) {
    const std::string_view one = TypeOf(value);
    if (!type.empty() && one != type) return "string";
    type = one;
  }
  return type.empty() ? "string" : type;
}

void AddTo(Fields& fields, const std::string& name, std::string_view value,
           std::string_view parser) {
  if (name.empty() || value.empty()) return;
  const auto found = fields.fields.find(name);
  if (found == fields.fields.end() && fields.fields.size() == fields.limit) return;
  Field& field = fields.fields[name];
  if (field.values.size() < kMaxValues) field.values.emplace(value);
  if (!parser.empty()) field.parsers.emplace(parser);
}

void Look(const Entry& entry, Fields& fields) {
  for (const Label& label : entry.labels.all()) {
    if (label.kind == LabelKind::kMetadata) AddTo(fields, label.name, label.value, {});
  }
  const auto add = [&](std::string_view parser) {
    return [&fields, &entry, parser](std::string_view key, std::string_view value) {
      std::string name = FieldLabel(key);
      const Label* const present = entry.labels.Find(name);
      const bool stays = present != nullptr && !present->gives_way;
      if (stays && present->kind != LabelKind::kParsed) name += "_extracted";
      AddTo(fields, name, value, parser);
    };
  };
  if (entry.line.starts_with('{')) {
    // Only what is JSON to its end has its fields.
    if (ParseJson(entry.line, [](std::string_view, std::string_view) {})) {
      ParseJson(entry.line, add("json"));
      return;
    }
  }
  ParseLogfmt(entry.line, add("logfmt"));
}

Result<Fields> FindFields(const Form& form, const Request& request, const Context& context) {
  Fields fields;
  const std::size_t most = context.settings.max_limit;
  TL_TRY_ASSIGN(fields.limit, ReadLimit(form, "limit", kDefaultLimit, most));
  TL_TRY_ASSIGN(const std::size_t lines, ReadLimit(form, "line_limit", kDefaultLimit, most));
  ScanOptions options;
  TL_TRY_ASSIGN(options.range, ReadRange(form, context.now_unix_ns));
  TL_TRY_ASSIGN(const query::LogQl query, query::ParseLogQl(form.Text("query").value_or("{}")));
  if (query.IsMetric()) return InvalidArgument("only log selector is supported");
  options.first_page = lines;
  options.lines = context.settings.lines_read;
  std::size_t seen = 0;
  TL_TRY(Scan(query.selection, options, request.scope, context, [&](Entry& entry) {
    Look(entry, fields);
    return ++seen < lines;
  }));
  return fields;
}

}  // namespace

Response DetectedFields(const Request& request, const Context& context) {
  const auto found = FindFields(Form(request), request, context);
  if (!found) return ErrorAnswer(found.error());
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  json.Key("fields").BeginArray();
  for (const auto& [name, field] : found->fields) {
    json.BeginObject();
    json.Key("label").String(name);
    json.Key("type").String(TypeOf(field.values));
    json.Key("cardinality").Uint(field.values.size());
    json.Key("parsers");
    if (field.parsers.empty()) {
      json.Null();
    } else {
      WriteStrings(json, {field.parsers.begin(), field.parsers.end()});
    }
    json.EndObject();
  }
  json.EndArray();
  json.Key("limit").Uint(found->limit);
  json.EndObject();
  return response;
}

Response DetectedFieldValues(const Request& request, const Context& context) {
  const auto found = FindFields(Form(request), request, context);
  if (!found) return ErrorAnswer(found.error());
  const std::string name = request.captures.empty() ? std::string() : request.captures[0];
  std::vector<std::string> values;
  if (const auto field = found->fields.find(name); field != found->fields.end()) {
    for (const std::string& value : field->second.values) {
      if (values.size() < found->limit) values.push_back(value);
    }
  }
  Response response;
  JsonWriter json(response.body);
  json.BeginObject();
  WriteStrings(json.Key("values"), values);
  json.Key("limit").Uint(found->limit);
  json.EndObject();
  return response;
}

}  // namespace throughline::api::loki
