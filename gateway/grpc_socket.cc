#include "gateway/grpc_socket.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include "wire/json_reader.h"

namespace throughline::gateway {
namespace {

using wire::JsonItems;
using wire::JsonMembers;
using wire::JsonValue;

// One of gRPC's answers, which are JSON: messages of channelz.proto. Takes `text`; null is null.
class Answer {
 public:
  explicit Answer(char* text) {
    if (text == nullptr) return;
    text_.assign(text);
    gpr_free(text);
    const std::size_t size = text_.size();
    text_.resize(size + wire::kJsonPadding);
    if (const auto parsed = document_.Parse(std::string_view(text_).substr(0, size))) {
      root_ = *parsed;
    }
  }
  JsonValue root() const { return root_; }

 private:
  std::string text_;
  wire::JsonDocument document_;
  JsonValue root_;
};

// Null where there is none.
JsonValue Get(JsonValue object, std::string_view key) {
  if (!object.is_object()) return {};
  for (JsonMembers members(object); members.Next();) {
    if (members.key() == key) return members.value();
  }
  return {};
}

// Integers of 64 bits are strings in protobuf's JSON, and left out where they are 0.
std::int64_t Number(JsonValue value) {
  if (!value.is_string()) return 0;
  const std::string_view digits = value.string();
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// The server's socket whose name ("chttp2 ipv4:127.0.0.1:52144") ends so.
std::optional<std::int64_t> FindSocket(std::int64_t server, std::string_view ending) {
  for (std::int64_t next = 0;;) {
    const Answer page(grpc_channelz_get_server_sockets(server, next, 0));
    const JsonValue sockets = Get(page.root(), "socketRef");
    if (!sockets.is_array() || sockets.count() == 0) return std::nullopt;
    for (JsonItems refs(sockets); refs.Next();) {
      const JsonValue name = Get(refs.value(), "name");
      const std::int64_t id = Number(Get(refs.value(), "socketId"));
      if (name.is_string() && name.string().ends_with(ending)) return id;
      next = id + 1;
    }
    if (!Get(page.root(), "end").is_null()) return std::nullopt;
  }
}

}  // namespace

bool HasBroughtAMessage(std::string_view peer) {
  const std::string ending = ' ' + std::string(peer);
  const Answer answer(grpc_channelz_get_servers(0));
  const JsonValue servers = Get(answer.root(), "server");
  if (!servers.is_array()) return true;
  for (JsonItems server(servers); server.Next();) {
    const auto id = FindSocket(Number(Get(Get(server.value(), "ref"), "serverId")), ending);
    if (!id) continue;
    const Answer socket(grpc_channelz_get_socket(*id));
    const JsonValue data = Get(Get(socket.root(), "socket"), "data");
    return !data.is_object() || Number(Get(data, "messagesReceived")) > 0;
  }
  return true;
}

}  // namespace throughline::gateway
