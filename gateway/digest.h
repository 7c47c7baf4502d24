// What the process needs of cryptography: a hash and randomness. Only digest.cc knows OpenSSL.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace throughline::gateway {

// SHA-512 in lower-case hexadecimal.
std::string Sha512Hex(std::string_view bytes);

// From the operating system's generator, fit for secrets.
std::string RandomBytes(std::size_t count);

}  // namespace throughline::gateway
