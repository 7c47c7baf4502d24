// The text expositions of Prometheus, line by line: OpenMetrics 1.0 and the text format 0.0.4.
//
//   OpenMetricsReader reader(text, OpenMetricsReader::Dialect::kOpenMetrics, 1000);
//   while (reader.Next()) {
//     if (reader.kind() == OpenMetricsReader::Kind::kSample) ... reader.sample()
//   }
//   if (!reader.ok()) ... reader.ErrorText()
//
// Views point into the text, which must outlive them; UTF-8 is the caller's to check. A failure
// sticks. Names may be quoted, as Prometheus 3 writes those that are not [a-zA-Z_:][a-zA-Z0-9_:]*.
//
// OpenMetrics is read as its grammar says: `# EOF` ends the text, nothing follows it, no line is
// empty and no comment free. More lenient than the grammar: several blanks where it has one, and a
// comma behind the last label. In 0.0.4 exemplars are read where somebody writes them.
// Sources: OpenMetrics 1.0, "ABNF"; prometheus.io/docs/instrumenting/exposition_formats,
// "Text-based format"; Prometheus proposal 0028, "UTF-8 support in metric and label names".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace throughline::wire {

// A bare word, or what stands between two quotes.
struct OpenMetricsText {
  std::string_view raw;
  bool escaped = false;  // `raw` has a backslash.

  void AppendTo(std::string& out) const;
};

struct OpenMetricsLabel {
  OpenMetricsText name;
  OpenMetricsText value;
};

struct OpenMetricsSample {
  OpenMetricsText name;
  std::vector<OpenMetricsLabel> labels;
  double value = 0;
  std::uint64_t unix_ns = 0;  // 0: not sent.
  bool has_exemplar = false;
  std::vector<OpenMetricsLabel> exemplar_labels;
  double exemplar_value = 0;
  std::uint64_t exemplar_unix_ns = 0;  // 0: not sent.
};

// A number as Prometheus spells it: decimal, Inf, NaN; the whole of `text`. nullopt: it is none, or
// one that no double holds.
std::optional<double> ParseOpenMetricsNumber(std::string_view text);

// Decimal seconds to nanoseconds, exactly as far as they go. Before 1970 it is 1, beyond 64 bits
// the greatest number.
std::optional<std::uint64_t> ParseUnixSeconds(std::string_view text);
// The same of milliseconds, in which 0.0.4 has the time of a sample.
std::optional<std::uint64_t> ParseUnixMillis(std::string_view text);

class OpenMetricsReader {
 public:
  enum class Dialect { kOpenMetrics, kText };
  enum class Kind { kSample, kType, kUnit };

  // Of a list of labels no more than `max_labels` + 1 are kept.
  OpenMetricsReader(std::string_view text, Dialect dialect, std::size_t max_labels)
      : rest_(text), dialect_(dialect), max_labels_(max_labels) {}

  // Goes to the next line that says something; false at the end and after a failure.
  bool Next();
  Kind kind() const { return kind_; }
  const OpenMetricsSample& sample() const { return sample_; }
  // Of kType and kUnit: the family, and its type or unit.
  const OpenMetricsText& family() const { return family_; }
  std::string_view word() const { return word_; }

  bool ok() const { return error_ == nullptr; }
  // Stops with an error of the caller's at the current line. False, for `return`.
  bool Fail(const char* error);
  std::string ErrorText() const;  // "line 3: label value is not closed".

 private:
  // What stands at the front of line_.
  bool ReadComment(bool& says_something);
  bool ReadDescriptor(bool& says_something);
  bool ReadSample();
  bool ReadValue(double& value);
  bool ReadExemplar();
  bool ReadLabels(std::vector<OpenMetricsLabel>& labels, OpenMetricsText* name);
  bool ReadName(OpenMetricsText& name);
  bool ReadQuoted(OpenMetricsText& text);
  std::string_view TakeWord();
  void SkipBlanks();
  bool Take(char c);
  bool End();

  std::string_view rest_;  // Behind the current line.
  std::string_view line_;  // What is left of it.
  Dialect dialect_;
  std::size_t max_labels_;
  std::size_t line_number_ = 0;
  bool ended_ = false;  // `# EOF` was read.
  Kind kind_ = Kind::kSample;
  OpenMetricsSample sample_;
  OpenMetricsText family_;
  std::string_view word_;
  const char* error_ = nullptr;
};

}  // namespace throughline::wire
