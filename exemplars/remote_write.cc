#include "exemplars/remote_write.h"

#include <cstdint>
#include <vector>

#include "exemplars/series.h"
#include "otlp/utf8.h"
#include "wire/protobuf.h"

namespace throughline::exemplars {
namespace {

constexpr const char* kNotUtf8 = "a label is not UTF-8";
constexpr const char* kOddRefs = "an odd number of label references";
constexpr const char* kRefOutside = "a reference outside of the symbols";

// Labels on their way in, and the first thing that is wrong with them.
struct LabelList {
  std::vector<Label> labels;
  const char* problem = nullptr;  // Static text; null: none.

  void Clear() {
    labels.clear();
    problem = nullptr;
  }
  // Over the limit nothing more is kept: whoever checks the labels will say so.
  void Add(const Label& label, const DecodeOptions& options) {
    if (labels.size() <= options.attributes_per_record) labels.push_back(label);
  }
  void Refuse(const char* why) {
    if (problem == nullptr) problem = why;
  }
};

constexpr std::uint32_t kSamples = 2;  // Of TimeSeries, in both versions.

// What both versions share: the messages Sample, Histogram and Exemplar but for its labels, and
// what becomes of a series.
class WriteReader {
 public:
  WriteReader(std::string_view bytes, const DecodeOptions& options, Batch& batch)
      : bytes_(bytes),
        options_(options),
        check_(options),
        sink_(options, batch, decoded_.exemplars) {}
  virtual ~WriteReader() = default;

  Result<DecodedWrite> Read() {
    if (!ReadRequest()) {
      return error_.message.empty() ? InvalidArgument(fault_.Text(bytes_)) : error_;
    }
    decoded_.written_exemplars = decoded_.exemplars.accepted + decoded_.exemplars.unlinked;
    return decoded_;
  }

 protected:
  // The series at hand, as far as it is read.
  struct Fields {
    LabelList list;
    std::vector<std::string_view> exemplars;  // Messages.
    std::size_t samples = 0;
    std::size_t histograms = 0;
    NativeBuckets native;  // Of the last histogram.
    MetricType type = MetricType::kUnknown;
    std::string_view unit;
  };

  virtual bool ReadRequest() = 0;
  // Reads the current field of an Exemplar into `list`, and says that there is no more.
  virtual void ReadExemplarLabels(wire::ProtoReader& reader, LabelList& list) = 0;
  virtual void EndExemplarLabels(LabelList& list) = 0;

  // The first fault stays. A message that could not be taken is read as an empty one first.
  bool Fail(const wire::ProtoFault& fault) {
    if (!fault_) fault_ = fault;
    return false;
  }
  bool Fail(Error error) {
    error_ = std::move(error);
    return false;
  }

  void BeginSeries() {
    series_.list.Clear();
    series_.exemplars.clear();
    series_.samples = 0;
    series_.histograms = 0;
    series_.type = MetricType::kUnknown;
    series_.unit = {};
  }

  bool CountSample(std::string_view message) {
    Sample sample;
    ++series_.samples;
    return ReadSample(message, sample);
  }

  bool ReadHistogram(std::string_view message) {
    NativeBuckets& native = series_.native;
    native.schema = 0;
    native.zero_threshold = 0;
    native.custom_bounds.clear();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 4: native.schema = reader.ZigZag32(); break;
        case 5: native.zero_threshold = reader.Double(); break;
        case 16:
          reader.Doubles([&native](double bound) { native.custom_bounds.push_back(bound); });
          break;
        default: reader.Skip();
      }
    }
    ++series_.histograms;
    return reader.ok() || Fail(reader.fault());
  }

  bool KeepExemplar(std::string_view message) {
    if (series_.exemplars.size() > options_.records_per_request) return Fail(sink_.TooMany());
    series_.exemplars.push_back(message);
    return true;
  }

  // `message`, the series, is read: takes or refuses it.
  bool EndSeries(std::string_view message) {
    std::string problem = series_.list.problem != nullptr ? series_.list.problem
                                                          : check_.Problem(series_.list.labels);
    const std::size_t rejected_before = decoded_.exemplars.rejected;
    if (problem.empty()) {
      decoded_.samples += series_.samples;
      decoded_.histograms += series_.histograms;
      sink_.BeginSeries({.labels = series_.list.labels,
                         .type = series_.type,
                         .unit = series_.unit,
                         .native = series_.histograms > 0 ? &series_.native : nullptr});
      const std::string_view metric = check_.MetricOf(series_.list.labels);
      if (series_.samples > 0 && sink_.NamesGauge(metric) && !KeepPoints(message)) return false;
    }
    for (const std::string_view exemplar : series_.exemplars) {
      if (!ReadExemplar(exemplar, problem)) return false;
    }
    if (problem.empty() && decoded_.exemplars.rejected > rejected_before) {
      problem = decoded_.exemplars.first_rejection;
    }
    if (!problem.empty() && decoded_.rejected_series++ == 0) {
      decoded_.first_bad_series = "series " + std::to_string(series_count_) + ": " + problem;
    }
    ++series_count_;
    return true;
  }

  std::string_view bytes() const { return bytes_; }
  const DecodeOptions& options() const { return options_; }
  Fields& series() { return series_; }

 private:
  struct Sample {
    double value = 0;
    std::int64_t millis = 0;
  };

  bool ReadSample(std::string_view message, Sample& sample) {
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: sample.value = reader.Double(); break;
        case 2: sample.millis = static_cast<std::int64_t>(reader.Varint()); break;
        default: reader.Skip();
      }
    }
    return reader.ok() || Fail(reader.fault());
  }

  // Reads the samples again: what decides whether they are kept may stand behind them.
  bool KeepPoints(std::string_view series) {
    wire::ProtoReader reader(series);
    while (reader.Next()) {
      if (reader.field() != kSamples) {
        reader.Skip();
        continue;
      }
      Sample sample;
      if (!ReadSample(reader.Bytes(), sample)) return false;
      const auto kept = sink_.AddPoint(sample.value, NanosOfMillis(sample.millis));
      if (!kept) return Fail(kept.error());
      if (*kept) ++decoded_.gauge_points;
    }
    return true;
  }

  bool ReadExemplar(std::string_view message, std::string_view series_problem) {
    double value = 0;
    std::int64_t millis = 0;
    list_.Clear();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: ReadExemplarLabels(reader, list_); break;
        case 2: value = reader.Double(); break;
        case 3: millis = static_cast<std::int64_t>(reader.Varint()); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    EndExemplarLabels(list_);
    bool taken = false;
    if (!series_problem.empty()) {
      taken = sink_.Refuse(series_problem);
    } else if (list_.problem != nullptr) {
      taken = sink_.Refuse(list_.problem);
    } else {
      taken = sink_.Add(list_.labels, value, NanosOfMillis(millis));
    }
    return taken || Fail(sink_.TooMany());
  }

  std::string_view bytes_;
  const DecodeOptions& options_;
  DecodedWrite decoded_;
  SeriesCheck check_;
  SeriesRecords sink_;
  Fields series_;
  LabelList list_;  // Of the exemplar at hand.
  std::size_t series_count_ = 0;
  wire::ProtoFault fault_;
  Error error_;
};

// prometheus.WriteRequest { 1: TimeSeries*, 3: MetricMetadata* }
// TimeSeries { 1: Label*, 2: Sample*, 3: Exemplar*, 4: Histogram* }   Label { 1: name, 2: value }
class WriteReader1 final : public WriteReader {
 public:
  using WriteReader::WriteReader;

 private:
  bool ReadRequest() override {
    wire::ProtoReader reader(bytes());
    while (reader.Next()) {
      switch (reader.field()) {
        case 1:
          if (!ReadSeries(reader.Bytes())) return false;
          break;
        case 3:
          if (!ReadMetadata(reader.Bytes())) return false;
          break;
        case 4:
        case 5: reader.Fail("belongs to io.prometheus.write.v2.Request"); break;
        default: reader.Skip();
      }
    }
    return reader.ok() || Fail(reader.fault());
  }

  bool ReadSeries(std::string_view message) {
    BeginSeries();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      bool read = true;
      switch (reader.field()) {
        case 1:
          read = reader.BytesRun(
              [this](std::string_view label) { return ReadLabel(label, series().list); });
          break;
        case kSamples: read = CountSample(reader.Bytes()); break;
        case 3: read = KeepExemplar(reader.Bytes()); break;
        case 4: read = ReadHistogram(reader.Bytes()); break;
        default: reader.Skip();
      }
      if (!read) return false;
    }
    return reader.ok() ? EndSeries(message) : Fail(reader.fault());
  }

  bool ReadLabel(std::string_view message, LabelList& list) {
    Label label;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: label.name = reader.Bytes(); break;
        case 2: label.value = reader.Bytes(); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    // Nearly always the whole message is ASCII.
    if (!otlp::IsAscii(message.data(), message.size()) &&
        !(otlp::IsUtf8(label.name) && otlp::IsUtf8(label.value))) {
      list.Refuse(kNotUtf8);
    }
    list.Add(label, options());
    return true;
  }

  bool ReadMetadata(std::string_view message) {
    wire::ProtoReader reader(message);
    while (reader.Next()) reader.Skip();
    return reader.ok() || Fail(reader.fault());
  }

  void ReadExemplarLabels(wire::ProtoReader& reader, LabelList& list) override {
    if (!ReadLabel(reader.Bytes(), list)) reader.Fail("bad label");
  }
  void EndExemplarLabels(LabelList& /*list*/) override {}
};

// io.prometheus.write.v2.Request { 4: symbols*, 5: TimeSeries* }
// TimeSeries { 1: labels_refs*, 2: Sample*, 3: Histogram*, 4: Exemplar*, 5: Metadata, 6: created }
// Metadata { 1: type, 3: help_ref, 4: unit_ref }
class WriteReader2 final : public WriteReader {
 public:
  using WriteReader::WriteReader;

 private:
  struct Symbol {
    const char* data = nullptr;
    std::uint32_t size = 0;
    bool utf8 = true;

    std::string_view text() const { return {data, size}; }
  };

  // References to names and values in turn; a field may bring half a pair.
  struct Pairs {
    std::uint32_t name = 0;
    bool open = false;  // A name without its value.
  };

  // Symbols may stand behind the series that refer to them.
  bool ReadRequest() override {
    if (!ReadSymbols()) return false;
    if (!symbols_.empty() && symbols_.front().size > 0) {
      return Fail(InvalidArgument("symbols[0] is not empty"));
    }
    wire::ProtoReader reader(bytes());
    while (reader.Next()) {
      if (reader.field() != 5) {
        reader.Skip();
      } else if (!ReadSeries(reader.Bytes())) {
        return false;
      }
    }
    return true;
  }

  bool ReadSymbols() {
    wire::ProtoReader reader(bytes());
    while (reader.Next()) {
      switch (reader.field()) {
        case 1:
        case 3: reader.Fail("belongs to prometheus.WriteRequest"); break;
        case 4:
          if (const std::string_view text = reader.Bytes(); reader.ok()) {
            if (symbols_.size() == kMaxSymbols) return Fail(TooManySymbols());
            symbols_.push_back({.data = text.data(),
                                .size = static_cast<std::uint32_t>(text.size()),
                                .utf8 = otlp::IsUtf8(text)});
          }
          break;
        case 5: reader.Bytes(); break;
        default: reader.Skip();
      }
    }
    return reader.ok() || Fail(reader.fault());
  }

  static Error TooManySymbols() {
    return Error{Errc::kTooLarge,
                 "more than " + std::to_string(kMaxSymbols) + " symbols in one request"};
  }

  bool ReadSeries(std::string_view message) {
    BeginSeries();
    Pairs pairs;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      bool read = true;
      switch (reader.field()) {
        case 1: ReadRefs(reader, pairs, series().list); break;
        case kSamples: read = CountSample(reader.Bytes()); break;
        case 3: read = ReadHistogram(reader.Bytes()); break;
        case 4: read = KeepExemplar(reader.Bytes()); break;
        case 5: read = ReadMetadata(reader.Bytes()); break;
        case 6: reader.Varint(); break;
        default: reader.Skip();
      }
      if (!read) return false;
    }
    if (!reader.ok()) return Fail(reader.fault());
    if (pairs.open) series().list.Refuse(kOddRefs);
    return EndSeries(message);
  }

  void ReadRefs(wire::ProtoReader& reader, Pairs& pairs, LabelList& list) {
    reader.Varints([&](std::uint64_t value) {
      const auto ref = static_cast<std::uint32_t>(value);
      if (pairs.open) list.Add({.name = At(pairs.name, list), .value = At(ref, list)}, options());
      pairs = {.name = ref, .open = !pairs.open};
    });
  }

  std::string_view At(std::uint32_t ref, LabelList& list) const {
    if (ref >= symbols_.size()) {
      list.Refuse(kRefOutside);
      return {};
    }
    if (!symbols_[ref].utf8) list.Refuse(kNotUtf8);
    return symbols_[ref].text();
  }

  // Sent in several parts it is one message: later fields win.
  bool ReadMetadata(std::string_view message) {
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: series().type = TypeOf(reader.Varint32()); break;
        case 3: At(reader.Varint32(), series().list); break;
        case 4: series().unit = At(reader.Varint32(), series().list); break;
        default: reader.Skip();
      }
    }
    return reader.ok() || Fail(reader.fault());
  }

  static MetricType TypeOf(std::uint32_t type) {
    switch (type) {
      case 1: return MetricType::kSum;        // Counter.
      case 2: return MetricType::kGauge;      // Gauge.
      case 3:                                 // Histogram.
      case 4: return MetricType::kHistogram;  // Gauge histogram.
      case 5: return MetricType::kSummary;    // Summary.
      case 6:                                 // Info.
      case 7: return MetricType::kGauge;      // State set.
      default: return MetricType::kUnknown;
    }
  }

  void ReadExemplarLabels(wire::ProtoReader& reader, LabelList& list) override {
    ReadRefs(reader, exemplar_pairs_, list);
  }
  void EndExemplarLabels(LabelList& list) override {
    if (exemplar_pairs_.open) list.Refuse(kOddRefs);
    exemplar_pairs_ = {};
  }

  std::vector<Symbol> symbols_;
  Pairs exemplar_pairs_;
};

}  // namespace

Result<DecodedWrite> DecodeRemoteWrite(std::string_view bytes, WriteVersion version,
                                       const DecodeOptions& options, Batch& batch) {
  if (version == WriteVersion::k1) return WriteReader1(bytes, options, batch).Read();
  return WriteReader2(bytes, options, batch).Read();
}

}  // namespace throughline::exemplars
