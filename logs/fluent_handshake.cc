#include "logs/fluent_handshake.h"

#include <array>

#include "wire/msgpack.h"

namespace throughline::logs {
namespace {

struct Ping {
  std::string_view hostname;
  std::string_view salt;
  std::string_view key_digest;
  std::string_view user;
  std::string_view password_digest;
};

bool ReadPing(std::string_view message, Ping& ping) {
  wire::MsgpackReader reader(message);
  wire::MsgpackValue value;
  if (!reader.Next(value) || value.type != wire::MsgpackType::kArray || value.count != 6) {
    return false;
  }
  std::string_view name;
  const std::array<std::string_view*, 6> fields = {
      &name, &ping.hostname, &ping.salt, &ping.key_digest, &ping.user, &ping.password_digest};
  for (std::string_view* const field : fields) {
    if (!reader.Next(value)) return false;
    if (value.type != wire::MsgpackType::kString && value.type != wire::MsgpackType::kBytes) {
      return false;
    }
    *field = value.bytes;
  }
  return reader.AtEnd() && name == "PING";
}

// In a time that does not tell where they differ.
bool Same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ b[i]));
  }
  return difference == 0;
}

std::string Joined(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) joined += part;
  return joined;
}

// Why the client may not send; empty: it may.
std::string_view Refusal(const Ping& ping, const FluentSecrets& secrets,
                         const FluentChallenge& challenge, Sha512Hex sha512_hex) {
  const std::string key =
      sha512_hex(Joined({ping.salt, ping.hostname, challenge.nonce, secrets.shared_key}));
  if (!Same(ping.key_digest, key)) return "shared_key mismatch";
  if (secrets.users.empty()) return {};
  // Every user is tried, so that the time tells no names.
  bool known = false;
  for (const auto& [name, password] : secrets.users) {
    const std::string digest = sha512_hex(Joined({challenge.auth_salt, name, password}));
    const bool same_user = Same(ping.user, name);
    const bool same_password = Same(ping.password_digest, digest);
    known = known || (same_user && same_password);
  }
  return known ? std::string_view() : "username/password mismatch";
}

}  // namespace

std::string FluentHelo(const FluentSecrets& secrets, const FluentChallenge& challenge) {
  std::string helo;
  wire::AppendMsgpackArray(2, helo);
  wire::AppendMsgpackString("HELO", helo);
  wire::AppendMsgpackMap(3, helo);
  wire::AppendMsgpackString("nonce", helo);
  wire::AppendMsgpackBytes(challenge.nonce, helo);
  wire::AppendMsgpackString("auth", helo);
  wire::AppendMsgpackBytes(secrets.users.empty() ? std::string_view() : challenge.auth_salt, helo);
  wire::AppendMsgpackString("keepalive", helo);
  wire::AppendMsgpackBool(true, helo);
  return helo;
}

FluentPong AnswerFluentPing(std::string_view message, const FluentSecrets& secrets,
                            const FluentChallenge& challenge, Sha512Hex sha512_hex) {
  Ping ping;
  FluentPong pong;
  pong.reason = ReadPing(message, ping) ? Refusal(ping, secrets, challenge, sha512_hex)
                                        : "invalid ping message";
  pong.accepted = pong.reason.empty();
  wire::AppendMsgpackArray(5, pong.bytes);
  wire::AppendMsgpackString("PONG", pong.bytes);
  wire::AppendMsgpackBool(pong.accepted, pong.bytes);
  wire::AppendMsgpackString(pong.reason, pong.bytes);
  wire::AppendMsgpackString(pong.accepted ? secrets.hostname : std::string_view(), pong.bytes);
  // To a client that does not know the key nothing is proved.
  const std::string proof =
      pong.accepted
          ? sha512_hex(Joined({ping.salt, secrets.hostname, challenge.nonce, secrets.shared_key}))
          : std::string();
  wire::AppendMsgpackString(proof, pong.bytes);
  return pong;
}

}  // namespace throughline::logs
