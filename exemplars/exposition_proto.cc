#include "exemplars/exposition_proto.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exemplars/target_labels.h"
#include "otlp/proto.h"
#include "wire/protobuf.h"

namespace throughline::exemplars {
namespace {

// A message field that is not repeated: sent in several parts it is one message, their
// concatenation. Source: protobuf.dev/programming-guides/encoding, "Last One Wins".
class MessageParts {
 public:
  void Add(std::string_view part) {
    if (++count_ == 1) {
      first_ = part;
      return;
    }
    if (count_ == 2) joined_ = first_;
    joined_ += part;
  }
  bool is_set() const { return count_ > 0; }
  std::string_view Message(Arena& arena) const { return count_ < 2 ? first_ : arena.Copy(joined_); }

 private:
  std::size_t count_ = 0;
  std::string_view first_;
  std::string joined_;
};

// As OpenMetrics spells the bounds of buckets: whole numbers too have a point.
std::string BoundText(double bound) {
  if (std::isnan(bound)) return "NaN";
  if (std::isinf(bound)) return bound > 0 ? "+Inf" : "-Inf";
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, bound, std::chars_format::general);
  std::string text(digits, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// google.protobuf.Timestamp; what nanoseconds do not hold becomes the nearest that they do.
std::uint64_t NanosOf(std::int64_t seconds, std::int32_t nanos) {
  __extension__ using Int128 = __int128;
  const Int128 sum = Int128{seconds} * 1'000'000'000 + nanos;
  if (sum < 0) return 1;
  return sum > Int128{UINT64_MAX} ? UINT64_MAX : static_cast<std::uint64_t>(sum);
}

class ProtoDecoder {
 public:
  ProtoDecoder(std::string_view bytes, const ScrapeTarget& target, const DecodeOptions& options,
               Batch& batch)
      : bytes_(bytes),
        options_(options),
        arena_(batch.arena),
        target_(target, batch.arena),
        check_(options),
        sink_(options, batch, decoded_.exemplars),
        scrape_unix_ns_(target.time_unix_ns) {}

  Result<DecodedExposition> Decode() {
    wire::ProtoReader reader(bytes_);
    while (true) {
      std::string_view family;
      if (!reader.NextDelimited(family)) {
        if (!reader.ok()) return InvalidArgument(reader.fault().Text(bytes_));
        return decoded_;
      }
      if (ReadFamily(family)) continue;
      return error_.message.empty() ? InvalidArgument(fault_.Text(bytes_)) : error_;
    }
  }

 private:
  bool Fail(const wire::ProtoFault& fault) {
    if (!fault_) fault_ = fault;
    return false;
  }
  bool Fail(Error error) {
    error_ = std::move(error);
    return false;
  }

  // MetricFamily { 1: name, 4: Metric*, 5: unit }. Its type says nothing that the metrics do not.
  bool ReadFamily(std::string_view message) {
    family_ = {};
    unit_ = {};
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: family_ = otlp::ReadText(reader); break;
        case 4: reader.Bytes(); break;
        case 5: unit_ = otlp::ReadText(reader); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    bucket_family_ = {};
    names_gauge_ = sink_.NamesGauge(family_);
    wire::ProtoReader metrics(message);
    while (metrics.Next()) {
      if (metrics.field() != 4) {
        metrics.Skip();
      } else if (!ReadMetric(metrics.Bytes())) {
        return false;
      }
    }
    return true;
  }

  // Metric { 1: LabelPair*, 2: Gauge, 3: Counter, 4: Summary, 5: Untyped, 6: timestamp_ms,
  // 7: Histogram }
  bool ReadMetric(std::string_view message) {
    MessageParts gauge;
    MessageParts untyped;
    MessageParts counter;
    MessageParts summary;
    MessageParts histogram;
    std::int64_t millis = 0;
    labels_.assign(1, {.name = kMetricName, .value = family_});
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1:
          if (!ReadLabel(reader.Bytes(), labels_)) return false;
          break;
        case 2: gauge.Add(reader.Bytes()); break;
        case 5: untyped.Add(reader.Bytes()); break;
        case 6: millis = static_cast<std::int64_t>(reader.Varint()); break;
        case 3: counter.Add(reader.Bytes()); break;
        case 4: summary.Add(reader.Bytes()); break;
        case 7: histogram.Add(reader.Bytes()); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    own_labels_ = labels_.size();
    decoded_.samples += (gauge.is_set() ? 1U : 0U) + (untyped.is_set() ? 1U : 0U);
    const std::uint64_t time_unix_ns = millis == 0 ? scrape_unix_ns_ : NanosOfMillis(millis);
    return (!counter.is_set() || ReadCounter(counter.Message(arena_))) &&
           (!summary.is_set() || ReadSummary(summary.Message(arena_))) &&
           (!histogram.is_set() || ReadHistogram(histogram.Message(arena_))) &&
           TakePoint(gauge, MetricType::kGauge, time_unix_ns) &&
           TakePoint(counter, MetricType::kSum, time_unix_ns) &&
           TakePoint(untyped, MetricType::kUnknown, time_unix_ns);
  }

  bool ReadLabel(std::string_view message, std::vector<Label>& labels) {
    Label label;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: label.name = otlp::ReadText(reader); break;
        case 2: label.value = otlp::ReadText(reader); break;
        default: reader.Skip();
      }
    }
    // Over the limit nothing more is kept: whoever checks the labels will say so.
    if (labels.size() <= options_.attributes_per_record) labels.push_back(label);
    return reader.ok() || Fail(reader.fault());
  }

  // Gauge { 1: value }, Counter { 1: value }, Untyped { 1: value }
  bool TakePoint(const MessageParts& parts, MetricType type, std::uint64_t time_unix_ns) {
    if (!names_gauge_ || !parts.is_set()) return true;
    double value = 0;
    wire::ProtoReader reader(parts.Message(arena_));
    while (reader.Next()) {
      if (reader.field() == 1) {
        value = reader.Double();
      } else {
        reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    labels_.resize(own_labels_);
    labels_.front().value = family_;
    BeginSeries({.type = type, .unit = unit_});
    if (!problem_.empty()) return true;
    const auto kept = sink_.AddPoint(value, time_unix_ns);
    if (!kept) return Fail(kept.error());
    if (*kept) ++decoded_.gauge_points;
    return true;
  }

  // Counter { 2: Exemplar }
  bool ReadCounter(std::string_view message) {
    ++decoded_.samples;
    MessageParts exemplar;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() == 2) {
        exemplar.Add(reader.Bytes());
      } else {
        reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    if (!exemplar.is_set()) return true;
    BeginSeries({.type = MetricType::kSum, .unit = unit_});
    return TakeExemplar(exemplar.Message(arena_));
  }

  // Summary { 3: Quantile* }
  bool ReadSummary(std::string_view message) {
    decoded_.samples += 2;  // Sum and count.
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() == 3) ++decoded_.samples;
      reader.Skip();
    }
    return reader.ok() || Fail(reader.fault());
  }

  // Histogram { 3: Bucket*, 5: schema, 6: zero_threshold, 16: Exemplar* }
  bool ReadHistogram(std::string_view message) {
    native_.schema = 0;
    native_.zero_threshold = 0;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 3:
        case 16: reader.Bytes(); break;
        case 5: native_.schema = reader.ZigZag32(); break;
        case 6: native_.zero_threshold = reader.Double(); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    decoded_.samples += 3;  // Sum, count and the bucket of +Inf.
    return ReadBuckets(message) && ReadNativeExemplars(message);
  }

  bool ReadBuckets(std::string_view message) {
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() != 3) {
        reader.Skip();
      } else if (!ReadBucket(reader.Bytes())) {
        return false;
      }
    }
    return true;
  }

  // Bucket { 2: upper_bound, 3: Exemplar }
  bool ReadBucket(std::string_view message) {
    double bound = 0;
    MessageParts exemplar;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 2: bound = reader.Double(); break;
        case 3: exemplar.Add(reader.Bytes()); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    if (!(std::isinf(bound) && bound > 0)) ++decoded_.samples;
    if (!exemplar.is_set()) return true;
    if (bucket_family_.empty()) {
      bucket_family_ = arena_.Copy(std::string(family_).append(kBucketSuffix));
    }
    labels_.resize(own_labels_);
    labels_.front().value = bucket_family_;
    labels_.push_back({.name = kBucketLabel, .value = arena_.Copy(BoundText(bound))});
    BeginSeries({.type = MetricType::kHistogram, .unit = unit_});
    return TakeExemplar(exemplar.Message(arena_));
  }

  bool ReadNativeExemplars(std::string_view message) {
    bool begun = false;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      if (reader.field() != 16) {
        reader.Skip();
        continue;
      }
      if (!begun) {
        labels_.resize(own_labels_);
        labels_.front().value = family_;
        BeginSeries({.type = native_.type(), .unit = unit_, .native = &native_});
        begun = true;
      }
      if (!TakeExemplar(reader.Bytes())) return false;
    }
    return true;
  }

  // The labels of the series are in labels_ but for the target's.
  void BeginSeries(Series series) {
    target_.AddTo(labels_);
    problem_ = check_.Problem(labels_);
    series.labels = labels_;
    if (problem_.empty()) sink_.BeginSeries(series);
  }

  // Exemplar { 1: LabelPair*, 2: value, 3: Timestamp }
  bool TakeExemplar(std::string_view message) {
    double value = 0;
    std::uint64_t time_unix_ns = 0;
    MessageParts timestamp;
    exemplar_labels_.clear();
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1:
          if (!ReadLabel(reader.Bytes(), exemplar_labels_)) return false;
          break;
        case 2: value = reader.Double(); break;
        case 3: timestamp.Add(reader.Bytes()); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Fail(reader.fault());
    if (!ReadTimestamp(timestamp.Message(arena_), time_unix_ns)) return false;
    const bool taken = problem_.empty() ? sink_.Add(exemplar_labels_, value, time_unix_ns)
                                        : sink_.Refuse(problem_);
    return taken || Fail(sink_.TooMany());
  }

  // Timestamp { 1: seconds, 2: nanos }
  bool ReadTimestamp(std::string_view message, std::uint64_t& unix_ns) {
    std::int64_t seconds = 0;
    std::int32_t nanos = 0;
    wire::ProtoReader reader(message);
    while (reader.Next()) {
      switch (reader.field()) {
        case 1: seconds = static_cast<std::int64_t>(reader.Varint()); break;
        case 2: nanos = static_cast<std::int32_t>(reader.Varint32()); break;
        default: reader.Skip();
      }
    }
    unix_ns = NanosOf(seconds, nanos);
    return reader.ok() || Fail(reader.fault());
  }

  std::string_view bytes_;
  const DecodeOptions& options_;
  Arena& arena_;
  DecodedExposition decoded_;
  TargetLabels target_;
  SeriesCheck check_;
  SeriesRecords sink_;
  const std::uint64_t scrape_unix_ns_;
  std::string_view family_;
  std::string_view bucket_family_;  // Its name with the suffix; empty: not made yet.
  std::string_view unit_;
  bool names_gauge_ = false;   // The family at hand.
  std::vector<Label> labels_;  // Of the series at hand; the first own_labels_ are the metric's.
  std::size_t own_labels_ = 0;
  NativeBuckets native_;
  std::string problem_;  // Why the series at hand is none; empty: it is one.
  std::vector<Label> exemplar_labels_;
  wire::ProtoFault fault_;
  Error error_;
};

}  // namespace

Result<DecodedExposition> DecodeExpositionProto(std::string_view bytes, const ScrapeTarget& target,
                                                const DecodeOptions& options, Batch& batch) {
  return ProtoDecoder(bytes, target, options, batch).Decode();
}

}  // namespace throughline::exemplars
