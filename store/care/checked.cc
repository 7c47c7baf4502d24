#include "store/care/checked.h"

#include <sys/stat.h>

#include <utility>

#include "correlate/digits.h"
#include "store/file.h"
#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::store::care {
namespace {

using segment::SegmentInfo;
using wire::JsonCursor;
using wire::JsonString;

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMostBytes = 256U << 20U;  // Of a state: a million files and more.

std::uint64_t Unsigned(JsonCursor& json) {
  std::uint64_t value = 0;
  (void)digits::ParseDecimal(json.Number(), value);
  return value;
}

// When a file was written or renamed last; absent: it cannot be told.
std::optional<std::uint64_t> ChangedUnixNs(const std::string& path) {
  struct stat about = {};
  if (::stat(path.c_str(), &about) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(about.st_mtim.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(about.st_mtim.tv_nsec);
}

}  // namespace

Checked Checked::Load(const std::string& directory) {
  Checked checked(directory);
  const auto text = ReadWholeFile(checked.StatePath(), kMostBytes);
  if (text && !checked.Parse(*text)) checked.files_.clear();
  return checked;
}

bool Checked::Parse(std::string_view text) {
  std::uint64_t version = 0;
  JsonCursor json(text);
  JsonString key;
  for (json.BeginObject(); json.NextKey(key);) {
    if (key.raw == "version") {
      version = Unsigned(json);
    } else if (key.raw == "whole") {
      for (json.BeginArray(); json.NextItem();) ParseFile(json);
    } else {
      json.Skip();
    }
  }
  return json.AtEnd() && version == kVersion;
}

void Checked::ParseFile(JsonCursor& json) {
  std::string name;
  std::string scratch;
  File file;
  JsonString key;
  for (json.BeginObject(); json.NextKey(key);) {
    if (key.raw == "file") {
      name = json.String().Text(scratch);
    } else if (key.raw == "bytes") {
      file.bytes = Unsigned(json);
    } else if (key.raw == "changed_unix_ns") {
      file.changed_unix_ns = Unsigned(json);
    } else if (key.raw == "hash") {
      file.hash = Unsigned(json);
    } else if (key.raw == "hash_seed") {
      file.has_seed = true;
      file.hash_seed = Unsigned(json);
    } else if (key.raw == "most_tenant") {
      file.most_tenant = static_cast<std::uint32_t>(Unsigned(json));
    } else {
      json.Skip();
    }
  }
  files_[name] = file;
}

std::optional<SegmentFacts> Checked::FactsOf(const std::string& name,
                                             const SegmentInfo& row) const {
  const auto found = files_.find(name);
  if (found == files_.end()) return std::nullopt;
  const File& file = found->second;
  if (file.bytes != row.bytes || file.hash != row.hash || row.hash == 0 ||
      file.changed_unix_ns != ChangedUnixNs(directory_ + '/' + name)) {
    return std::nullopt;
  }
  SegmentFacts facts;
  facts.info = Left(row);
  facts.is_readable = true;
  facts.has_seed = file.has_seed;
  facts.hash_seed = file.hash_seed;
  facts.most_tenant = file.most_tenant;
  return facts;
}

void Checked::Add(const std::string& name, const SegmentInfo& row, const SegmentFacts& facts) {
  const auto changed = ChangedUnixNs(directory_ + '/' + name);
  if (!changed) return;
  files_[name] = {.bytes = row.bytes,
                  .changed_unix_ns = *changed,
                  .hash = row.hash,
                  .has_seed = facts.has_seed,
                  .hash_seed = facts.hash_seed,
                  .most_tenant = facts.most_tenant};
}

Result<void> Checked::Save() const {
  std::string text;
  wire::JsonWriter json(text);
  json.BeginObject();
  json.Key("version").Uint(kVersion);
  json.Key("whole").BeginArray();
  for (const auto& [name, file] : files_) {
    json.BeginObject();
    json.Key("file").String(name);
    json.Key("bytes").Uint(file.bytes);
    json.Key("changed_unix_ns").Uint(file.changed_unix_ns);
    json.Key("hash").Uint(file.hash);
    if (file.has_seed) json.Key("hash_seed").Uint(file.hash_seed);
    json.Key("most_tenant").Uint(file.most_tenant);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  text += '\n';
  return ReplaceFile(StatePath(), text);
}

Result<void> Checked::Remove() const { return RemoveFile(StatePath()); }

}  // namespace throughline::store::care
