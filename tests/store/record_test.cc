#include "store/sqlite/record.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "correlate/identity.h"
#include "store/sqlite/gauge_record.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::uint64_t kSeed = 42;

Range Attributes(std::initializer_list<std::pair<const char*, const char*>> pairs, Batch& batch) {
  const Range range{static_cast<std::uint32_t>(batch.attributes.size()),
                    static_cast<std::uint32_t>(pairs.size())};
  for (const auto& [key, text] : pairs) {
    batch.attributes.push_back(MakeStringAttribute(key, text, kSeed, batch.arena));
  }
  return range;
}

// One record of each kind, with every field set to something of its own.
void Fill(Batch& batch) {
  batch.resources.push_back(
      {.attributes = Attributes({{"service.name", "shop"}, {"host.name", "a"}}, batch),
       .service = "shop"});
  batch.scopes.push_back(
      {.name = "lib", .version = "1.2", .attributes = Attributes({{"s", "t"}}, batch)});
  Span span;
  span.trace_id = {0x0102030405060708, 0x1112131415161718};
  span.span_id = {0x2122232425262728};
  span.parent_span_id = {0x3132333435363738};
  span.start_unix_ns = 1000;
  span.end_unix_ns = 900;  // Before the start: kept as sent.
  span.flags = 0x101;
  span.kind = 77;  // Open enumeration.
  span.status_code = 2;
  span.resource = 0;
  span.scope = 0;
  span.attributes = Attributes({{"k", "v"}, {"k2", ""}}, batch);
  span.events = {0, 1};
  batch.events.push_back(
      {.time_unix_ns = 5, .name = "ev", .attributes = Attributes({{"e", "f"}}, batch)});
  span.links = {0, 1};
  batch.span_links.push_back({.trace_id = {1, 2},
                              .span_id = {3},
                              .flags = 4,
                              .trace_state = "a=b",
                              .attributes = Attributes({{"l", "m"}}, batch)});
  span.name = "GET /";
  span.status_message = "oh";
  span.trace_state = "c=d";
  span.identity = 1;
  batch.spans.push_back(span);

  LogLine line;
  line.trace_id = span.trace_id;
  line.span_id = span.span_id;
  line.time_unix_ns = 7;
  line.observed_unix_ns = 8;
  line.severity_number = 300;
  line.flags = 1;
  line.found_by = FoundBy::kShape;
  line.sampled = Sampled::kNo;
  line.resource = 0;
  line.scope = 0;
  line.attributes = Attributes({{"x", "y"}}, batch);
  line.related = {0, 1};
  batch.related.push_back({{9, 10}, {11}});
  line.service = "own";
  line.severity_text = "WARN";
  line.event_name = "event";
  line.body = MakeStringValue("hello", batch.arena);
  line.identity = 2;
  batch.logs.push_back(line);

  Exemplar exemplar;
  exemplar.trace_id = {0, 0x1112131415161718};
  exemplar.span_id = span.span_id;
  exemplar.time_unix_ns = 12;
  exemplar.metric_type = MetricType::kHistogram;
  exemplar.number = 0.25;
  exemplar.le = 0.5;
  exemplar.has_le = true;
  exemplar.resource = 0;
  exemplar.scope = 0;
  exemplar.labels = Attributes({{"route", "/"}}, batch);
  exemplar.attributes = Attributes({{"user", "u"}}, batch);
  exemplar.metric = "duration";
  exemplar.unit = "s";
  exemplar.service = "shop";
  exemplar.identity = 3;
  batch.exemplars.push_back(exemplar);
}

std::string Texts(const Batch& batch, Range range) {
  std::string text;
  for (const Attribute& attribute : batch.Of(range)) {
    text += std::string(attribute.key()) + "=" + ValueText(attribute.value()) + ";";
  }
  return text;
}

// Writes all of `from` and reads it into `to`; returns the bytes, which `to` views.
[[nodiscard]] std::string RoundTrip(const Batch& from, Dictionary& dictionary, Batch& to) {
  RecordWriter writer(dictionary, from);
  std::string bytes;
  const auto write = [&](const auto& record) {
    std::string room(writer.Bound(record), '\xff');
    Written written;
    const std::size_t size = writer.Write(record, room.data(), written);
    EXPECT_LE(size, room.size());
    bytes.append(room, 0, size);
  };
  for (const Span& span : from.spans) write(span);
  for (const LogLine& line : from.logs) write(line);
  for (const Exemplar& exemplar : from.exemplars) write(exemplar);
  RecordReader reader(dictionary, to);
  for (std::size_t at = 0; at < bytes.size(); at += RecordView(bytes.data() + at).size()) {
    reader.Read(RecordView(bytes.data() + at), 99);
  }
  return bytes;
}

TEST(Record, EverySpanFieldComesBack) {
  Batch in;
  Fill(in);
  Batch out;
  Dictionary dictionary(1U << 20U, kSeed);
  const std::string bytes = RoundTrip(in, dictionary, out);
  ASSERT_EQ(out.spans.size(), 1u);
  const Span& was = in.spans[0];
  const Span& span = out.spans[0];
  EXPECT_EQ(span.trace_id, was.trace_id);
  EXPECT_EQ(span.span_id, was.span_id);
  EXPECT_EQ(span.parent_span_id, was.parent_span_id);
  EXPECT_EQ(span.start_unix_ns, was.start_unix_ns);
  EXPECT_EQ(span.end_unix_ns, was.end_unix_ns);
  EXPECT_EQ(span.flags, was.flags);
  EXPECT_EQ(span.kind, was.kind);
  EXPECT_EQ(span.status_code, was.status_code);
  EXPECT_EQ(span.name, was.name);
  EXPECT_EQ(span.status_message, was.status_message);
  EXPECT_EQ(span.trace_state, was.trace_state);
  EXPECT_EQ(span.identity, was.identity);
  EXPECT_EQ(span.arrival_unix_ns, 99u);
  EXPECT_EQ(Texts(out, span.attributes), "k=v;k2=;");
  ASSERT_EQ(span.events.count, 1u);
  EXPECT_EQ(out.EventsOf(span)[0].time_unix_ns, 5u);
  EXPECT_EQ(out.EventsOf(span)[0].name, "ev");
  EXPECT_EQ(Texts(out, out.EventsOf(span)[0].attributes), "e=f;");
  ASSERT_EQ(span.links.count, 1u);
  const SpanLink& link = out.LinksOf(span)[0];
  EXPECT_EQ(link.trace_id, (TraceId{1, 2}));
  EXPECT_EQ(link.span_id.value, 3u);
  EXPECT_EQ(link.flags, 4u);
  EXPECT_EQ(link.trace_state, "a=b");
  EXPECT_EQ(Texts(out, link.attributes), "l=m;");
  EXPECT_EQ(out.ServiceOf(span), "shop");
  EXPECT_EQ(Texts(out, out.resources[span.resource].attributes), "service.name=shop;host.name=a;");
  EXPECT_EQ(out.scopes[span.scope].name, "lib");
  EXPECT_EQ(out.scopes[span.scope].version, "1.2");
  EXPECT_EQ(Texts(out, out.scopes[span.scope].attributes), "s=t;");
}

TEST(Record, EveryLineFieldComesBack) {
  Batch in;
  Fill(in);
  Batch out;
  Dictionary dictionary(1U << 20U, kSeed);
  const std::string bytes = RoundTrip(in, dictionary, out);
  ASSERT_EQ(out.logs.size(), 1u);
  const LogLine& was = in.logs[0];
  const LogLine& line = out.logs[0];
  EXPECT_EQ(line.trace_id, was.trace_id);
  EXPECT_EQ(line.span_id, was.span_id);
  EXPECT_EQ(line.time_unix_ns, was.time_unix_ns);
  EXPECT_EQ(line.observed_unix_ns, was.observed_unix_ns);
  EXPECT_EQ(line.severity_number, was.severity_number);
  EXPECT_EQ(line.flags, was.flags);
  EXPECT_EQ(line.found_by, was.found_by);
  EXPECT_EQ(line.sampled, was.sampled);
  EXPECT_EQ(line.service, "own");
  EXPECT_EQ(line.severity_text, was.severity_text);
  EXPECT_EQ(line.event_name, was.event_name);
  EXPECT_EQ(line.body, was.body);
  EXPECT_EQ(line.identity, was.identity);
  EXPECT_EQ(Texts(out, line.attributes), "x=y;");
  ASSERT_EQ(line.related.count, 1u);
  EXPECT_EQ(out.RelatedOf(line)[0].trace_id, (TraceId{9, 10}));
  EXPECT_EQ(out.RelatedOf(line)[0].span_id.value, 11u);
}

TEST(Record, EveryExemplarFieldComesBack) {
  Batch in;
  Fill(in);
  Batch out;
  Dictionary dictionary(1U << 20U, kSeed);
  const std::string bytes = RoundTrip(in, dictionary, out);
  ASSERT_EQ(out.exemplars.size(), 1u);
  const Exemplar& was = in.exemplars[0];
  const Exemplar& exemplar = out.exemplars[0];
  EXPECT_EQ(exemplar.trace_id, was.trace_id);
  EXPECT_EQ(exemplar.span_id, was.span_id);
  EXPECT_EQ(exemplar.time_unix_ns, was.time_unix_ns);
  EXPECT_EQ(exemplar.metric_type, was.metric_type);
  EXPECT_EQ(exemplar.is_integer, was.is_integer);
  EXPECT_EQ(exemplar.value(), was.value());
  EXPECT_EQ(exemplar.le, was.le);
  EXPECT_TRUE(exemplar.has_le);
  EXPECT_EQ(exemplar.metric, was.metric);
  EXPECT_EQ(exemplar.unit, was.unit);
  EXPECT_EQ(exemplar.service, was.service);
  EXPECT_EQ(Texts(out, exemplar.labels), "route=/;");
  EXPECT_EQ(Texts(out, exemplar.attributes), "user=u;");
}

// A point of a resource's service and one that states its own, without a resource.
void FillGauges(Batch& batch) {
  GaugePoint point;
  point.time_unix_ns = 1'700'000'000'000'000'123;
  point.value = 0.25;
  point.resource = 0;
  point.labels = Attributes({{"cpu", "0"}, {"mode", "user"}}, batch);
  point.metric = "k8s.pod.cpu.usage";
  point.unit = "{cpu}";
  point.service = "shop";
  point.identity = 4;
  batch.gauges.push_back(point);
  point.time_unix_ns = 1'700'000'000'000'000'000;
  point.value = -1e300;
  point.metric_type = MetricType::kSum;
  point.resource = kNoIndex;
  point.labels = {};
  point.metric = "process_cpu_seconds_total";
  point.unit = "";
  point.service = "own";
  point.identity = 5;
  batch.gauges.push_back(point);
}

std::string FileOf(int format) {
  const std::string path = std::string(THROUGHLINE_SOURCE_DIR) + "/tests/golden/store_format_" +
                           std::to_string(format) + ".bin";
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_FALSE(bytes.empty()) << path;
  return bytes;
}

// The bytes on disk are a public format: these files were written by the releases that introduced
// the formats, and must never be written anew.
TEST(Record, Format1IsUnchanged) {
  Batch in;
  Fill(in);
  Batch out;
  Dictionary dictionary(1U << 20U, kSeed);
  std::string bytes = RoundTrip(in, dictionary, out);
  bytes += dictionary.Since({});
  EXPECT_TRUE(bytes == FileOf(1)) << "records or dictionary entries are written differently";
}

TEST(Record, Format2IsUnchanged) {
  Batch in;
  Fill(in);
  FillGauges(in);
  Memtable table(16U << 20U, kSeed);
  const auto staged = table.Stage(1, 99, in);
  ASSERT_TRUE(staged);
  EXPECT_EQ(staged->format, 2);
  const std::string bytes = std::string(staged->records) + std::string(staged->dictionary);
  EXPECT_TRUE(bytes == FileOf(2)) << "records or dictionary entries are written differently";
}

TEST(Record, AllFormatsAreRead) {
  for (const int format : {1, 2}) {
    SCOPED_TRACE(format);
    const std::string bytes = FileOf(format);
    std::size_t records = 0;
    for (int i = 0; i < (format == 1 ? 3 : 4); ++i) {
      records += RecordView(bytes.data() + records).size();
    }
    Memtable table(16U << 20U, kSeed);
    const auto replayed = table.Replay(1, 99, std::string_view(bytes).substr(0, records),
                                       std::string_view(bytes).substr(records));
    ASSERT_TRUE(replayed) << replayed.error().message;
    const StoreUsage usage = table.Usage();
    EXPECT_EQ(usage.spans, 1u);
    EXPECT_EQ(usage.logs, 1u);
    EXPECT_EQ(usage.exemplars, 1u);
    EXPECT_EQ(usage.gauges, format == 1 ? 0u : 2u);
    Batch in;
    Fill(in);
    if (format >= 2) FillGauges(in);
    const auto again = table.Stage(1, 100, in);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->records.empty()) << "identities are not those of the file";
    EXPECT_TRUE(again->dictionary.empty()) << "strings are not those of the file";
  }
}

TEST(Record, EveryFieldOfAGaugeComesBack) {
  Batch in;
  Fill(in);
  FillGauges(in);
  Memtable table(16U << 20U, kSeed);
  ASSERT_TRUE(table.Stage(1, 99, in));
  table.Publish([] { return false; }, {});
  const auto snapshot = table.Read();
  Batch out;
  GaugeReader reader(snapshot.dictionary(), kSeed, out);
  const Block& block = snapshot.blocks().back();
  const GaugeRecordView record(snapshot.At(block.gauge_record).data());
  record.EachPoint([&](const StoredGauge& point, const char*) {
    reader.Read(point, 99);
    return true;
  });
  ASSERT_EQ(out.gauges.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const GaugePoint& was = in.gauges[i];
    const GaugePoint& point = out.gauges[i];
    EXPECT_EQ(point.time_unix_ns, was.time_unix_ns);
    EXPECT_EQ(point.value, was.value);
    EXPECT_EQ(point.metric_type, was.metric_type);
    EXPECT_EQ(point.metric, was.metric);
    EXPECT_EQ(point.unit, was.unit);
    EXPECT_EQ(point.service, was.service);
    EXPECT_EQ(point.identity, was.identity);
    EXPECT_EQ(point.arrival_unix_ns, 99u);
    EXPECT_EQ(Texts(out, point.labels), Texts(in, was.labels));
    EXPECT_EQ(point.resource == kNoIndex, was.resource == kNoIndex);
  }
  EXPECT_EQ(Texts(out, out.resources[0].attributes), "service.name=shop;host.name=a;");
}

// What a store of a day of pods holds in memory for a point, all of it: the budget of format.md.
TEST(Memtable, AGaugePointTakesLessThan40Bytes) {
  Memtable table(64U << 20U, kSeed);
  const std::uint64_t before = table.Usage().memory_bytes;
  constexpr std::uint64_t kPods = 200;
  constexpr std::uint64_t kSteps = 1000;
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    Batch batch;
    for (std::uint64_t pod = 0; pod < kPods; ++pod) {
      GaugePoint point;
      point.time_unix_ns = 1'700'000'000'000'000'000 + step * kGaugeStepNs + pod;
      point.value = static_cast<double>(pod) / 7;
      point.resource = static_cast<std::uint32_t>(pod);
      point.metric = "k8s.pod.cpu.usage";
      const std::string name = std::to_string(pod);
      Resource resource;
      resource.attributes = Attributes({{"k8s.pod.name", name.c_str()}}, batch);
      batch.resources.push_back(resource);
      point.identity = IdentityOf(point, batch, kSeed);
      batch.gauges.push_back(point);
    }
    ASSERT_TRUE(table.Stage(1, step, batch));
    table.Publish([] { return false; }, {});
  }
  EXPECT_EQ(table.Usage().gauges, kPods * kSteps);
  EXPECT_LT((table.Usage().memory_bytes - before) / (kPods * kSteps), 40u);
}

TEST(Dictionary, KeepsAtMostThatManyValuesOfAKey) {
  Dictionary dictionary(1U << 22U, kSeed);
  Batch batch;
  std::size_t interned = 0;
  for (int i = 0; i < 3000; ++i) {
    const Attribute attribute =
        MakeStringAttribute("request.id", std::to_string(i), kSeed, batch.arena);
    if (dictionary.Intern(attribute) != kNotInterned) ++interned;
  }
  EXPECT_EQ(interned, 1024u);
}

TEST(Dictionary, RollBackForgetsAndIdsCountOn) {
  Dictionary dictionary(1U << 20U, kSeed);
  Batch batch;
  const Attribute a = MakeStringAttribute("k", "a", kSeed, batch.arena);
  const Attribute b = MakeStringAttribute("other", "b", kSeed, batch.arena);
  EXPECT_EQ(dictionary.Intern(a), 0u);
  const auto mark = dictionary.mark();
  EXPECT_EQ(dictionary.Intern(b), 1u);
  EXPECT_EQ(dictionary.Intern("text"), 2u);
  dictionary.RollBack(mark);
  EXPECT_EQ(dictionary.Intern("new"), 1u);
  EXPECT_EQ(dictionary.Intern(b), 2u);
  EXPECT_EQ(dictionary.Intern(a), 0u);
}

TEST(Memtable, DropStagedLeavesNoTrace) {
  Memtable table(16U << 20U, kSeed);
  Batch batch;
  Fill(batch);
  ASSERT_TRUE(table.Stage(1, 5, batch));
  table.DropStaged();
  EXPECT_TRUE(table.Read().TracesOf(1, batch.spans[0].trace_id).empty());
  const auto again = table.Stage(1, 6, batch);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->counts.spans, 1u);
  EXPECT_EQ(again->counts.deduplicated_spans, 0u);
  EXPECT_TRUE(table.Read().TracesOf(1, batch.spans[0].trace_id).empty()) << "not published yet";
  table.Publish([] { return false; }, {});
  EXPECT_EQ(table.Read().TracesOf(1, batch.spans[0].trace_id).size(), 2u);  // And the 64-bit one.
  EXPECT_TRUE(table.Read().TracesOf(2, batch.spans[0].trace_id).empty()) << "another tenant";
}

TEST(Memtable, ASnapshotDoesNotSeeWhatCameLater) {
  Memtable table(16U << 20U, kSeed);
  Batch first;
  Fill(first);
  ASSERT_TRUE(table.Stage(1, 5, first));
  table.Publish([] { return false; }, {});
  const auto snapshot = table.Read();
  Batch second;
  Fill(second);
  second.spans[0].identity = 100;
  ASSERT_TRUE(table.Stage(1, 6, second));
  table.Publish([] { return false; }, {});
  const auto chain = [](const Memtable::Snapshot& from, TraceId id) {
    std::size_t length = 0;
    for (const auto& trace : from.TracesOf(1, id)) {
      for (std::uint32_t at = trace.spans; at != 0; at = from.At(at).next()) ++length;
    }
    return length;
  };
  EXPECT_EQ(chain(snapshot, first.spans[0].trace_id), 1u);
  EXPECT_EQ(chain(table.Read(), first.spans[0].trace_id), 2u);
}

TEST(Memtable, RefusesWhatDoesNotFit) {
  Memtable table(300'000, kSeed);
  std::size_t stored = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    Batch batch;
    Fill(batch);
    batch.spans[0].identity = 10 + i;
    const auto staged = table.Stage(1, i, batch);
    if (!staged) {
      EXPECT_EQ(staged.error().code, Errc::kUnavailable);
      EXPECT_NE(staged.error().message.find("store.hot_bytes"), std::string::npos);
      break;
    }
    table.Publish([] { return false; }, {});
    ++stored;
  }
  EXPECT_GT(stored, 100u);
  EXPECT_LT(stored, 10'000u);
  EXPECT_LE(table.Usage().memory_bytes, 300'000u);
}

}  // namespace
}  // namespace throughline::store::sqlite
