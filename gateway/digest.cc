#include "gateway/digest.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "correlate/check.h"

namespace throughline::gateway {

std::string Sha512Hex(std::string_view bytes) {
  std::array<unsigned char, 64> digest{};
  unsigned size = 0;
  TL_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha512(), nullptr) ==
           1);
  TL_CHECK(size == digest.size());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::string RandomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  TL_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) ==
           1);
  return bytes;
}

}  // namespace throughline::gateway
