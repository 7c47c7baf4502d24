#include "exemplars/exposition_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exemplars/target_labels.h"
#include "otlp/utf8.h"

namespace throughline::exemplars {
namespace {

using wire::OpenMetricsLabel;
using wire::OpenMetricsReader;
using wire::OpenMetricsText;

struct TypeName {
  std::string_view name;
  MetricType type;
  bool has_exemplars;
};
constexpr std::array<TypeName, 9> kTypes = {{{"counter", MetricType::kSum, true},
                                             {"gauge", MetricType::kGauge, false},
                                             {"histogram", MetricType::kHistogram, true},
                                             {"gaugehistogram", MetricType::kHistogram, true},
                                             {"summary", MetricType::kSummary, false},
                                             {"info", MetricType::kGauge, false},
                                             {"stateset", MetricType::kGauge, false},
                                             {"unknown", MetricType::kUnknown, true},
                                             {"untyped", MetricType::kUnknown, true}}};

// What the samples of a family have behind its name.
constexpr std::array<std::string_view, 9> kSuffixes = {
    "", "_total", "_bucket", "_count", "_sum", "_created", "_gcount", "_gsum", "_info"};

std::size_t Characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

// The first line, from 1, that is not UTF-8. There is one.
std::size_t FirstBadLine(std::string_view text) {
  std::size_t line = 1;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    if (!otlp::IsUtf8(text.substr(0, end))) break;
    text.remove_prefix(end + 1);
    ++line;
  }
  return line;
}

class TextDecoder {
 public:
  TextDecoder(std::string_view bytes, OpenMetricsReader::Dialect dialect,
              const ScrapeTarget& target, const DecodeOptions& options, Batch& batch)
      : strict_(dialect == OpenMetricsReader::Dialect::kOpenMetrics),
        batch_(batch),
        target_(target, batch.arena),
        check_(options),
        sink_(options, batch, decoded_.exemplars),
        scrape_unix_ns_(target.time_unix_ns),
        reader_(bytes, dialect, options.attributes_per_record) {}

  Result<DecodedExposition> Decode() {
    while (reader_.Next()) {
      if (reader_.kind() != OpenMetricsReader::Kind::kSample) {
        if (!ReadDescriptor()) break;
        continue;
      }
      ++decoded_.samples;
      if (!TakeSample(reader_.sample())) break;
    }
    if (!error_.message.empty()) return error_;
    if (!reader_.ok()) return InvalidArgument(reader_.ErrorText());
    return decoded_;
  }

 private:
  // What the lines before have said of the samples that follow.
  struct Family {
    std::string_view raw_name;
    const TypeName* type = nullptr;  // Null: not stated.
    std::string_view unit;
  };

  bool ReadDescriptor() {
    if (family_.raw_name != reader_.family().raw) family_ = {};
    family_.raw_name = reader_.family().raw;
    if (reader_.kind() == OpenMetricsReader::Kind::kUnit) {
      family_.unit = reader_.word();
      return true;
    }
    const auto type = std::find_if(kTypes.begin(), kTypes.end(), [this](const TypeName& candidate) {
      return candidate.name == reader_.word();
    });
    if (type == kTypes.end()) return reader_.Fail("unknown metric type");
    family_.type = type;
    return true;
  }

  bool IsOfFamily(std::string_view raw_name) const {
    if (family_.raw_name.empty() || !raw_name.starts_with(family_.raw_name)) return false;
    const std::string_view suffix = raw_name.substr(family_.raw_name.size());
    return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
  }

  bool TakeSample(const wire::OpenMetricsSample& sample) {
    const std::string_view metric = TextOf(sample.name);
    const bool is_named = sink_.NamesGauge(metric);
    if (!is_named && !sample.has_exemplar) return true;
    const Family family = IsOfFamily(sample.name.raw) ? family_ : Family{};
    // When a counter began is no point of it.
    const bool is_counter = family.type != nullptr && family.type->type == MetricType::kSum;
    const bool names_gauge = is_named && !(is_counter && sample.name.raw.ends_with("_created"));
    if (sample.has_exemplar && !ReadExemplarLabels(sample, family)) return false;
    labels_.assign(1, {.name = kMetricName, .value = metric});
    Read(sample.labels, labels_);
    target_.AddTo(labels_);
    const std::string problem = check_.Problem(labels_);
    if (problem.empty()) {
      sink_.BeginSeries({.labels = labels_,
                         .type = family.type == nullptr ? MetricType::kUnknown : family.type->type,
                         .unit = family.unit});
      if (names_gauge && !TakePoint(sample)) return false;
    }
    return !sample.has_exemplar || TakeExemplar(sample, problem);
  }

  bool TakePoint(const wire::OpenMetricsSample& sample) {
    const auto kept =
        sink_.AddPoint(sample.value, sample.unix_ns == 0 ? scrape_unix_ns_ : sample.unix_ns);
    if (!kept) return Fail(kept.error());
    if (*kept) ++decoded_.gauge_points;
    return true;
  }

  bool ReadExemplarLabels(const wire::OpenMetricsSample& sample, const Family& family) {
    exemplar_labels_.clear();
    Read(sample.exemplar_labels, exemplar_labels_);
    if (!strict_) return true;
    if (family.type != nullptr && !family.type->has_exemplars) {
      return reader_.Fail("an exemplar on a metric that is neither a counter nor a histogram");
    }
    return CharactersOfLabels() <= kMaxExemplarCharacters ||
           reader_.Fail("the labels of an exemplar have more than 128 characters");
  }

  bool TakeExemplar(const wire::OpenMetricsSample& sample, std::string_view series_problem) {
    const bool taken = series_problem.empty() ? sink_.Add(exemplar_labels_, sample.exemplar_value,
                                                          sample.exemplar_unix_ns)
                                              : sink_.Refuse(series_problem);
    return taken || Fail(sink_.TooMany());
  }

  std::size_t CharactersOfLabels() const {
    std::size_t characters = 0;
    for (const Label& label : exemplar_labels_) {
      characters += Characters(label.name) + Characters(label.value);
    }
    return characters;
  }

  bool Fail(Error error) {
    error_ = std::move(error);
    return false;
  }

  void Read(const std::vector<OpenMetricsLabel>& from, std::vector<Label>& to) {
    for (const OpenMetricsLabel& label : from) {
      to.push_back({.name = TextOf(label.name), .value = TextOf(label.value)});
    }
  }

  std::string_view TextOf(const OpenMetricsText& text) {
    if (!text.escaped) return text.raw;
    scratch_.clear();
    text.AppendTo(scratch_);
    return batch_.arena.Copy(scratch_);
  }

  bool strict_;
  Batch& batch_;
  DecodedExposition decoded_;
  TargetLabels target_;
  SeriesCheck check_;
  SeriesRecords sink_;
  const std::uint64_t scrape_unix_ns_;
  OpenMetricsReader reader_;
  Family family_;
  std::vector<Label> labels_;
  std::vector<Label> exemplar_labels_;
  std::string scratch_;
  Error error_;
};

}  // namespace

Result<DecodedExposition> DecodeExpositionText(std::string_view bytes,
                                               OpenMetricsReader::Dialect dialect,
                                               const ScrapeTarget& target,
                                               const DecodeOptions& options, Batch& batch) {
  if (!otlp::IsUtf8(bytes)) {
    return InvalidArgument("line " + std::to_string(FirstBadLine(bytes)) + ": not UTF-8");
  }
  return TextDecoder(bytes, dialect, target, options, batch).Decode();
}

}  // namespace throughline::exemplars
