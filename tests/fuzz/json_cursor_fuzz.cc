// The cursor accepts all that the tree parser accepts, and what it gives lies inside its bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/check.h"
#include "wire/json_cursor.h"
#include "wire/json_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // An allocation of its own, so that the sanitizer sees an over-read.
  const std::vector<char> copy(data, data + size);
  const std::string_view bytes(copy.data(), copy.size());
  throughline::wire::JsonCursor json(bytes);
  const std::string_view value = json.Skip();
  const bool accepted = json.AtEnd();
  TL_CHECK(json.offset() <= size);
  TL_CHECK(accepted || *json.error() != '\0');
  TL_CHECK(value.empty() || (value.data() >= bytes.data() &&
                             value.data() + value.size() <= bytes.data() + bytes.size()));
  // A byte order mark is the tree parser's liberty.
  if (bytes.starts_with("\xef\xbb\xbf")) return 0;
  std::string padded(bytes);
  padded.append(throughline::wire::kJsonPadding, ' ');
  throughline::wire::JsonDocument document;
  const auto root = document.Parse(std::string_view(padded).substr(0, size));
  if (root) TL_CHECK(accepted);
  if (accepted && value.starts_with('"')) {
    throughline::wire::JsonCursor again(bytes);
    std::string scratch;
    const std::string_view text = again.String().Text(scratch);
    TL_CHECK(again.ok());
    if (root) TL_CHECK(text == root->string());
  }
  return 0;
}
