#include "gateway/follow_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "wire/json_cursor.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

using wire::JsonCursor;
using wire::JsonString;

Error Unwritable(const std::string& path) {
  return Error{Errc::kUnavailable, "cannot write " + path + ": " + std::strerror(errno)};
}

std::uint64_t Unsigned(JsonCursor& json) {
  const std::string_view digits = json.Number();
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

bool Truth(JsonCursor& json) {
  const bool truth = json.Peek() == JsonCursor::Type::kTrue;
  json.Literal(truth ? "true" : "false");
  return truth;
}

FollowedFile ReadFile(JsonCursor& json) {
  FollowedFile file;
  JsonString key;
  std::string scratch;
  for (json.BeginObject(); json.NextKey(key);) {
    const std::string_view name = key.raw;
    if (name == "path") {
      file.path = json.String().Text(scratch);
    } else if (name == "device") {
      file.device = Unsigned(json);
    } else if (name == "inode") {
      file.inode = Unsigned(json);
    } else if (name == "id") {
      file.id = Unsigned(json);
    } else if (name == "offset") {
      file.offset = Unsigned(json);
    } else if (name == "skipping") {
      file.skipping = Truth(json);
    } else if (name == "print") {
      file.print = Unsigned(json);
    } else if (name == "print_bytes") {
      file.print_bytes = Unsigned(json);
    } else {
      json.Skip();
    }
  }
  return file;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string FollowStateText(const FollowState& state) {
  std::string text;
  wire::JsonWriter json(text);
  json.BeginObject();
  json.Key("version").Uint(1);
  json.Key("next_id").Uint(state.next_id);
  json.Key("patterns").BeginArray();
  for (const std::string& pattern : state.patterns) json.String(pattern);
  json.EndArray();
  json.Key("files").BeginArray();
  for (const FollowedFile& file : state.files) {
    json.BeginObject();
    json.Key("path").String(file.path);
    json.Key("device").Uint(file.device);
    json.Key("inode").Uint(file.inode);
    json.Key("id").Uint(file.id);
    json.Key("offset").Uint(file.offset);
    json.Key("skipping").Bool(file.skipping);
    json.Key("print").Uint(file.print);
    json.Key("print_bytes").Uint(file.print_bytes);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  text += '\n';
  return text;
}

Result<FollowState> ParseFollowState(std::string_view text) {
  FollowState state;
  std::uint64_t version = 0;
  JsonCursor json(text);
  JsonString key;
  std::string scratch;
  for (json.BeginObject(); json.NextKey(key);) {
    if (key.raw == "version") {
      version = Unsigned(json);
    } else if (key.raw == "next_id") {
      state.next_id = Unsigned(json);
    } else if (key.raw == "patterns") {
      for (json.BeginArray(); json.NextItem();) {
        state.patterns.emplace_back(json.String().Text(scratch));
      }
    } else if (key.raw == "files") {
      for (json.BeginArray(); json.NextItem();) state.files.push_back(ReadFile(json));
    } else {
      json.Skip();
    }
  }
  if (!json.AtEnd()) {
    return Error{Errc::kDataLoss, "json: " + std::string(json.error()) + " at byte " +
                                      std::to_string(json.offset())};
  }
  if (version != 1) {
    return Error{Errc::kDataLoss, "version is " + std::to_string(version) + ", want 1"};
  }
  return state;
}

Result<FollowState> ReadFollowState(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return Error{Errc::kNotFound, "no " + path};
    return Error{Errc::kDataLoss, "cannot read " + path + ": " + std::strerror(errno)};
  }
  std::stringstream text;
  text << file.rdbuf();
  auto state = ParseFollowState(text.str());
  if (!state) return Error{Errc::kDataLoss, path + ": " + state.error().message};
  return state;
}

Result<void> WriteFollowState(const FollowState& state, const std::string& path) {
  const std::string beside = path + ".new";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Unwritable(beside);
  const bool written = WriteAll(fd, FollowStateText(state)) && ::fdatasync(fd) == 0;
  const Error error = Unwritable(beside);
  ::close(fd);
  if (!written) return error;
  if (std::rename(beside.c_str(), path.c_str()) != 0) return Unwritable(path);
  return {};
}

}  // namespace throughline::gateway
