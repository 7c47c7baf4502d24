#include "logs/elastic_bulk.h"

#include <utility>

#include "correlate/attribute.h"
#include "correlate/hash.h"
#include "logs/finish_line.h"
#include "logs/json_line.h"
#include "otlp/utf8.h"
#include "wire/json_cursor.h"

namespace throughline::logs {
namespace {

using wire::JsonCursor;
using wire::JsonString;
using Type = JsonCursor::Type;

constexpr std::string_view kIndexKey = "_index";
constexpr std::string_view kBadDocument = "mapper_parsing_exception";
constexpr std::string_view kBadArgument = "illegal_argument_exception";
constexpr std::string_view kBadRequest = "action_request_validation_exception";

constexpr LineStyle kDocument{.name = "document", .plural = "documents"};

// The lines of a request, one after the other, numbered from 1.
class Lines {
 public:
  explicit Lines(std::string_view bytes) : rest_(bytes) {}

  bool Next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t newline = rest_.find('\n');
    line = rest_.substr(0, newline);
    rest_.remove_prefix(newline == std::string_view::npos ? rest_.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return true;
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

bool ActionOf(std::string_view name, BulkAction& action) {
  constexpr std::pair<std::string_view, BulkAction> kActions[] = {{"create", BulkAction::kCreate},
                                                                  {"index", BulkAction::kIndex},
                                                                  {"update", BulkAction::kUpdate},
                                                                  {"delete", BulkAction::kDelete}};
  for (const auto& [known, its_action] : kActions) {
    if (known != name) continue;
    action = its_action;
    return true;
  }
  return false;
}

class BulkReader {
 public:
  BulkReader(std::string_view request, std::string_view default_index, const DecodeOptions& options,
             Batch& batch, DecodedBulk& bulk)
      : default_index_(default_index),
        options_(options),
        batch_(batch),
        bulk_(bulk),
        reader_(options, batch),
        finisher_(request, options, batch, bulk.lines, kDocument),
        lines_(request),
        is_utf8_(otlp::IsUtf8(request)) {}

  Result<void> Read() {
    std::string_view line;
    while (lines_.Next(line)) {
      if (IsBlank(line)) continue;
      if (bulk_.items.size() == kMaxBulkItems) {
        return Error{Errc::kTooLarge,
                     "more than " + std::to_string(kMaxBulkItems) + " actions in one request"};
      }
      BulkItem item;
      TL_TRY(ReadAction(line, item));
      const bool has_source = item.action == BulkAction::kDelete || lines_.Next(line);
      TL_TRY(item.action == BulkAction::kDelete ? Delete(item)
             : has_source                       ? Store(item, line)
                                                : WithoutSource(item));
      bulk_.items.push_back(std::move(item));
    }
    return {};
  }

 private:
  Error Malformed(std::string_view why) const {
    std::string message = "malformed action/metadata line [" + std::to_string(lines_.number());
    message.append("], ").append(why);
    return InvalidArgument(std::move(message));
  }

  // {"create": {"_index": "a", "_id": "b", ...}}
  Result<void> ReadAction(std::string_view line, BulkItem& item) {
    if (!IsUtf8(line)) return Malformed("which is not UTF-8");
    JsonCursor json(line);
    JsonString name;
    if (!json.BeginObject() || !json.NextKey(name)) {
      return Malformed("expected an object with one action");
    }
    if (!ActionOf(name.Text(scratch_), item.action)) {
      return Malformed("expected field [create], [delete], [index] or [update]");
    }
    item.index = default_index_;
    if (json.Peek() != Type::kObject) return Malformed("expected an object of metadata");
    for (json.BeginObject(); json.NextKey(name);) {
      const std::string_view key = name.Text(scratch_);
      if (key == kIndexKey) {
        if (!ReadName(json, item.index)) return Malformed("expected text in [_index]");
      } else if (key == "_id") {
        if (!ReadName(json, item.id)) return Malformed("expected text in [_id]");
      } else {
        json.Skip();
      }
    }
    if (json.NextKey(name)) return Malformed("expected one action");
    if (!json.AtEnd()) return Malformed(json.error());
    return {};
  }

  // Text, or a number as text; null leaves it as it is.
  bool ReadName(JsonCursor& json, std::string_view& name) {
    switch (json.Peek()) {
      case Type::kNull: return json.Literal("null");
      case Type::kNumber: name = json.Number(); return json.ok();
      case Type::kString: {
        const JsonString text = json.String();
        name = text.escaped ? batch_.arena.Copy(text.Text(scratch_)) : text.raw;
        return json.ok();
      }
      default: return false;
    }
  }

  static void Fail(BulkItem& item, std::string_view type, std::string reason) {
    item.status = 400;
    item.error_type = type;
    item.error_reason = std::move(reason);
  }

  // False: its names cannot be; they are not repeated then, which bounds the answer.
  static bool CheckNames(BulkItem& item) {
    if (item.index.empty()) {
      Fail(item, kBadRequest, "index is missing");
    } else if (item.index.size() > kMaxIndexBytes) {
      Fail(item, "invalid_index_name_exception",
           "index name has " + std::to_string(item.index.size()) + " bytes, at most " +
               std::to_string(kMaxIndexBytes) + " are allowed");
      item.index = {};
    } else if (item.id.size() > kMaxDocumentIdBytes) {
      Fail(item, kBadArgument,
           "id has " + std::to_string(item.id.size()) + " bytes, at most " +
               std::to_string(kMaxDocumentIdBytes) + " are allowed");
      item.id = {};
    }
    return item.status == 0;
  }

  Result<void> Delete(BulkItem& item) {
    if (!CheckNames(item)) return {};
    if (item.id.empty()) {
      Fail(item, kBadRequest, "id is missing");
    } else {
      item.status = 404;
    }
    return {};
  }

  Result<void> WithoutSource(BulkItem& item) {
    if (!finisher_.Begin()) return finisher_.TooMany();
    Reject(item, kBadRequest, "the document is missing");
    return {};
  }

  Result<void> Store(BulkItem& item, std::string_view source) {
    if (!finisher_.Begin()) return finisher_.TooMany();
    item.generated_id = HashCombine(HashBytes(source, options_.hash_seed), bulk_.items.size());
    if (!CheckNames(item)) {
      finisher_.Reject(item.error_reason);
      return {};
    }
    if (!IsUtf8(source)) source = batch_.arena.Copy(otlp::ReplaceInvalidUtf8(source));
    if (item.action == BulkAction::kUpdate && !DocumentOfUpdate(item, source)) return {};
    LogLine line;
    if (!reader_.Read(source, line)) {
      Reject(item, kBadDocument, std::string("failed to parse: ") + reader_.problem());
    } else if (reader_.over_attributes()) {
      Reject(item, kBadArgument,
             "limit of total fields [" + std::to_string(options_.attributes_per_record) +
                 "] has been exceeded");
    } else {
      Accept(item, line);
    }
    return {};
  }

  void Reject(BulkItem& item, std::string_view type, std::string reason) {
    finisher_.Reject(reason);
    Fail(item, type, std::move(reason));
  }

  // The document of {"doc": {...}} or {"upsert": {...}}; the first one.
  bool DocumentOfUpdate(BulkItem& item, std::string_view& source) {
    JsonCursor json(source);
    JsonString name;
    std::string_view document;
    for (json.BeginObject(); json.NextKey(name);) {
      const std::string_view key = name.Text(scratch_);
      const bool is_document = (key == "doc" || key == "upsert") && json.Peek() == Type::kObject;
      const std::string_view value = json.Skip();
      if (is_document && document.empty()) document = value;
    }
    if (!json.AtEnd()) {
      Reject(item, kBadDocument, std::string("failed to parse: ") + json.error());
    } else if (document.empty()) {
      Reject(item, kBadRequest, "doc or upsert is missing");
    } else if (item.id.empty()) {
      Reject(item, kBadRequest, "id is missing");
    }
    source = document;
    return item.status == 0;
  }

  void Accept(BulkItem& item, LogLine& line) {
    batch_.attributes.push_back(IndexAttribute(item.index));
    ++line.attributes.count;
    item.status = item.action == BulkAction::kUpdate ? 200 : 201;
    if (item.id.empty()) {
      finisher_.Accept(line, {});
    } else {
      const std::uint64_t index = HashBytes(item.index, options_.hash_seed);
      finisher_.AcceptNamed(line, HashCombine(index, HashBytes(item.id, options_.hash_seed)));
    }
  }

  // Most items name the same one.
  const Attribute& IndexAttribute(std::string_view index) {
    if (index_attribute_.data == nullptr || StringOf(index_attribute_.value()) != index) {
      index_attribute_ = MakeStringAttribute(kIndexKey, index, options_.hash_seed, batch_.arena);
    }
    return index_attribute_;
  }

  bool IsUtf8(std::string_view bytes) const { return is_utf8_ || otlp::IsUtf8(bytes); }

  std::string_view default_index_;
  const DecodeOptions& options_;
  Batch& batch_;
  DecodedBulk& bulk_;
  JsonLineReader reader_;
  LineFinisher finisher_;
  Lines lines_;
  Attribute index_attribute_;
  std::string scratch_;
  bool is_utf8_;
};

}  // namespace

Result<DecodedBulk> DecodeBulk(std::string_view bytes, std::string_view default_index,
                               const DecodeOptions& options, Batch& batch) {
  if (bytes.empty()) return InvalidArgument("request body is required");
  if (!otlp::IsUtf8(default_index)) return InvalidArgument("index name is not UTF-8");
  DecodedBulk bulk;
  BulkReader reader(bytes, default_index, options, batch, bulk);
  TL_TRY(reader.Read());
  if (bulk.items.empty()) return InvalidArgument("validation failed: 1: no requests added;");
  return bulk;
}

}  // namespace throughline::logs
