// The labels of a Loki stream as text: {app="shop", q="a\"b\\c"}.
//
//   LokiLabels labels(text);
//   while (labels.Next()) Use(labels.name(), labels.value());
//   if (!labels.problem().empty()) ...
//
// Values are quoted as in Go: "..." and '...' with escapes, `...` without. Names may be anything
// that is set apart from what is around them, since clients send odd ones (weird-label.x), and may
// be quoted. White space between is free, a comma may follow the last pair, and no text at all is
// no labels. Matchers (!=, =~) are no labels.
// Sources: Loki, pkg/logql/syntax, ParseLabels; Prometheus, promql/parser/lex.go and its UTF-8
// names; The Go Programming Language Specification, "String literals".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace throughline::logs {

class LokiLabels {
 public:
  // `text` must outlive it; any bytes.
  explicit LokiLabels(std::string_view text) : rest_(text) {}

  // The next pair; false: there is none, or the text is broken.
  bool Next();
  // Valid until the next call of Next. An escape may make them no UTF-8.
  std::string_view name() const { return name_; }
  std::string_view value() const { return value_; }
  // Why the text is broken; empty: it is not. Static text.
  std::string_view problem() const { return problem_; }

 private:
  enum class At { kBegin, kPairs, kEnd };

  bool Fail(std::string_view problem);
  void SkipSpace();
  bool Take(char c);
  bool Begin();
  bool ReadName();
  // Reads a quoted text; `text` views the input or `scratch`.
  bool ReadQuoted(std::string& scratch, std::string_view& text);
  bool ReadEscape(std::string& out);
  bool ReadCode(std::size_t count, unsigned base, std::uint32_t& code);

  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  std::string name_scratch_;
  std::string value_scratch_;
  std::string_view problem_;
  At at_ = At::kBegin;
};

}  // namespace throughline::logs
