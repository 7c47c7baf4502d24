// The handshake of Fluent Forward, as its server: who shares a key may send.
//
//   server  ["HELO", {"nonce": bytes, "auth": salt or "", "keepalive": true}]
//   client  ["PING", hostname, salt, sha512(salt + hostname + nonce + key), user,
//            sha512(auth + user + password)]
//   server  ["PONG", accepted, reason, hostname, sha512(salt + hostname + nonce + key)]
// Digests are lower-case hexadecimal. A user and a password are asked for where there are users.
//
// Pure: randomness and the hash come in as arguments, since only the gateway has them.
// Source: Forward Protocol Specification v1, "Handshake messages".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace throughline::logs {

struct FluentSecrets {
  std::string shared_key;
  std::vector<std::pair<std::string, std::string>> users;  // Name and password; empty: none asked.
  std::string hostname;                                    // Ours, as the client is told.
};

// What this connection drew at random.
struct FluentChallenge {
  std::string nonce;      // 16 bytes.
  std::string auth_salt;  // 16 bytes.
};

// SHA-512 of bytes, in lower-case hexadecimal.
using Sha512Hex = std::string (*)(std::string_view bytes);

std::string FluentHelo(const FluentSecrets& secrets, const FluentChallenge& challenge);

struct FluentPong {
  bool accepted = false;
  std::string reason;  // Why not; empty when accepted. It says no more than the client may know.
  std::string bytes;   // The answer.
};
// Judges what should be a PING. Digests are compared in constant time.
FluentPong AnswerFluentPing(std::string_view message, const FluentSecrets& secrets,
                            const FluentChallenge& challenge, Sha512Hex sha512_hex);

}  // namespace throughline::logs
