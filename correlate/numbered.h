// Reasons that begin with a number ("31 hex digits, want 16 or 32") without making a string.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace throughline {

// The texts of one reason for each number up to kMaxNumber, made by the compiler.
template <std::size_t kSuffixSize>
class NumberedReasons {
 public:
  static constexpr std::size_t kMaxNumber = 99;

  constexpr explicit NumberedReasons(const char (&suffix)[kSuffixSize]) {
    for (std::size_t number = 0; number <= kMaxNumber; ++number) {
      std::size_t at = 0;
      if (number >= 10) texts_[number][at++] = static_cast<char>('0' + number / 10);
      texts_[number][at++] = static_cast<char>('0' + number % 10);
      for (std::size_t i = 0; i + 1 < kSuffixSize; ++i) texts_[number][at++] = suffix[i];
      sizes_[number] = at;
    }
    constexpr std::string_view kMore = "100+";
    for (std::size_t i = 0; i < kMore.size(); ++i) more_[i] = kMore[i];
    for (std::size_t i = 0; i + 1 < kSuffixSize; ++i) more_[kMore.size() + i] = suffix[i];
  }

  constexpr std::string_view For(std::size_t number) const {
    if (number > kMaxNumber) return {more_.data(), more_.size()};
    return {texts_[number].data(), sizes_[number]};
  }

 private:
  std::array<std::array<char, kSuffixSize + 1>, kMaxNumber + 1> texts_{};
  std::array<std::size_t, kMaxNumber + 1> sizes_{};
  std::array<char, kSuffixSize + 3> more_{};
};

}  // namespace throughline
