// Every prefix of a message, each in an allocation of its own size, so that a sanitizer sees a read
// past its end.
#pragma once

#include <memory>
#include <string_view>

namespace throughline::samples {

template <typename OnPrefix>
void ForEachPrefix(std::string_view bytes, OnPrefix on_prefix) {
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto copy = std::make_unique<char[]>(size);
    bytes.copy(copy.get(), size);
    on_prefix(std::string_view(copy.get(), size));
  }
}

}  // namespace throughline::samples
