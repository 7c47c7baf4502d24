#include "store/segment/block_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "correlate/attribute.h"
#include "correlate/check.h"
#include "store/sqlite/record_bytes.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::segment {
namespace {

using sqlite::RecordKind;
using sqlite::RecordView;

// Larger traces look spans up in a table.
constexpr std::size_t kScannedSpans = 32;
constexpr std::size_t kTraceHex = 32;
constexpr std::size_t kSpanHex = 16;

unsigned ByteAt(RecordView record, std::size_t offset) {
  return static_cast<unsigned char>(record.data()[offset]);
}

std::uint64_t NumberAt(RecordView record, std::size_t offset) {
  std::uint64_t value = 0;
  std::memcpy(&value, record.data() + offset, sizeof value);
  return value;
}

Cursor VaryingPart(RecordView record) {
  return {record.data() + sqlite::kFixedBytes, record.data() + record.size()};
}

void AppendFixed(std::uint64_t value, std::string& out) {
  char bytes[8];
  sqlite::Put(value, bytes);
  out.append(bytes, sizeof bytes);
}

void AppendBytes(std::string_view bytes, std::string& out) {
  AppendVarint(bytes.size(), out);
  out += bytes;
}

// As body.find(id), which would look at every byte that is the first of the id.
std::size_t Find(std::string_view body, std::string_view id) {
  const void* const at = ::memmem(body.data(), body.size(), id.data(), id.size());
  return at == nullptr ? std::string_view::npos
                       : static_cast<std::size_t>(static_cast<const char*>(at) - body.data());
}

// The text of an AnyValue that is a string of `size` bytes, else nothing.
std::string_view TextOfSize(std::string_view any_value, std::size_t size) {
  if (any_value.size() != size + 2 || any_value[0] != '\x0a' ||
      any_value[1] != static_cast<char>(size)) {
    return {};
  }
  return any_value.substr(2);
}

}  // namespace

void BlockWriter::BeginTrace(std::uint32_t tenant, TraceId id) {
  EndTrace();
  traces_.push_back({.tenant = tenant, .id = id});
  trace_hex_ = ToHex(id);
}

void BlockWriter::EndTrace() {
  if (traces_.empty()) return;
  for (Group& group : groups_) {
    AppendVarint(group.trace_records, group.counts);
    group.trace_records = 0;
  }
  span_ids_.clear();
  places_.clear();
}

void BlockWriter::AddCommon(std::uint64_t time, std::uint64_t arrival, Group& group) {
  group.times.Add(time - group.last_time);
  group.arrivals.Add(arrival - group.last_arrival);
  group.last_time = time;
  group.last_arrival = arrival;
  ++group.records;
  ++group.trace_records;
  ++records_;
  head_.clear();
  keys_.clear();
  key_count_ = 0;
}

std::uint32_t BlockWriter::PlaceOf(std::uint64_t span_id) const {
  if (span_ids_.size() <= kScannedSpans) {
    // From the end: parents are near.
    for (std::size_t i = span_ids_.size(); i > 0; --i) {
      if (span_ids_[i - 1] == span_id) return static_cast<std::uint32_t>(i);
    }
    return 0;
  }
  const auto found = places_.find(span_id);
  return found == places_.end() ? 0 : found->second;
}

// 0: no id; 1: it is the next of the escapes; else its place and 1.
void BlockWriter::PutPlace(std::uint64_t span_id, Group& group) {
  if (span_id == 0) {
    group.parents += '\0';
  } else if (const std::uint32_t place = PlaceOf(span_id); place != 0) {
    AppendVarint(place + 1ULL, group.parents);
  } else {
    group.parents += '\1';
    AppendFixed(span_id, group.escapes);
    raw_bytes_ += 8;
  }
}

std::uint32_t BlockWriter::PutHeadString(Cursor& cursor) {
  const std::uint32_t hot = cursor.StringId();
  const std::uint32_t string = strings_.StringOf(hot);
  AppendVarint(string == sqlite::kNotInterned ? 0 : string + 1ULL, head_);
  return hot;
}

std::string& BlockWriter::KeyColumn(std::uint32_t key, Group& group) {
  if (key >= group.keys.size()) group.keys.resize(key + 1);
  std::string& column = group.keys[key];
  if (column.empty()) group.used_keys.push_back(key);
  return column;
}

void BlockWriter::PutKey(std::uint32_t key) {
  AppendVarint(key, keys_);
  ++key_count_;
}

void BlockWriter::PutValue(std::string_view key_value, std::uint64_t span_id, Group& group) {
  const Attribute attribute = AttributeOver(key_value, 0);
  const std::uint32_t key = attribute.data == nullptr ? kOtherKey : strings_.KeyOf(attribute.key());
  PutKey(key);
  std::string& column = KeyColumn(key, group);
  if (key == kOtherKey) {
    AppendVarint(kInline, column);
    AppendBytes(key_value, column);
    return;
  }
  const std::string_view value = attribute.value();
  if (TextOfSize(value, kTraceHex) == trace_hex_) {
    AppendVarint(kOwnTraceId, column);
  } else if (const auto text = TextOfSize(value, kSpanHex);
             !text.empty() && text == ToHex(SpanId{span_id})) {
    AppendVarint(kOwnSpanId, column);
  } else {
    AppendVarint(kInline, column);
    AppendBytes(value, column);
    raw_bytes_ += value.size();
  }
}

void BlockWriter::PutAttributes(Cursor& cursor, RecordKind kind, std::uint64_t span_id,
                                Group& group) {
  // Labels of exemplars are asked for by more than one name.
  const bool has_tags = kind != RecordKind::kExemplar;
  const std::uint64_t count = cursor.Varint();
  raw_bytes_ += count;
  for (std::uint64_t left = count; left > 0 && !cursor.done(); --left) {
    const std::uint32_t hot = cursor.StringId();
    DictionaryWriter::Interned interned;
    if (hot == sqlite::kNotInterned) {
      const std::string_view key_value = cursor.Bytes();
      PutValue(key_value, span_id, group);
      if (has_tags) tags_.Add(kind, key_value);
      continue;
    }
    if (has_tags) tags_.Add(kind, hot);
    if (strings_.AttributeOf(hot, interned)) {
      PutKey(interned.key);
      AppendVarint(interned.rank + std::uint64_t{kFirstRank}, KeyColumn(interned.key, group));
    } else {
      PutValue(strings_.Text(hot), span_id, group);
    }
  }
  // Behind the fields of the head, so that equal ones stand at equal places.
  AppendVarint(key_count_, head_);
  head_ += keys_;
  keys_.clear();
  key_count_ = 0;
}

void BlockWriter::PutRestString(Cursor& cursor, std::string& rest) {
  const std::uint32_t string = strings_.StringOf(cursor.StringId());
  AppendVarint(string == sqlite::kNotInterned ? 0 : string + 1ULL, rest);
}

void BlockWriter::PutRestAttributes(Cursor& cursor, std::string& rest) {
  const std::uint64_t count = cursor.Varint();
  AppendVarint(count, rest);
  for (std::uint64_t left = count; left > 0 && !cursor.done(); --left) {
    const std::uint32_t hot = cursor.StringId();
    if (hot == sqlite::kNotInterned) {
      rest += '\0';
      AppendBytes(cursor.Bytes(), rest);
    } else {
      AppendVarint(strings_.StringOf(hot) + 1ULL, rest);
    }
  }
}

SpanKeys BlockWriter::AddSpan(RecordView record, std::uint64_t arrival_unix_ns) {
  SpanKeys keys;
  Group& group = groups_[0];
  AddCommon(record.time_unix_ns(), arrival_unix_ns, group);
  raw_bytes_ += 40;
  const std::uint64_t span_id = record.span_id().value;
  AppendFixed(span_id, group.ids);
  PutPlace(NumberAt(record, 52), group);
  span_ids_.push_back(span_id);
  if (span_ids_.size() == kScannedSpans + 1) {
    for (std::uint32_t i = 0; i < span_ids_.size(); ++i) places_.emplace(span_ids_[i], i + 1);
  } else if (span_ids_.size() > kScannedSpans) {
    places_.emplace(span_id, span_ids_.size());
  }

  Cursor cursor = VaryingPart(record);
  const unsigned packed = ByteAt(record, 9);
  const unsigned parts = ByteAt(record, 10);
  const std::uint64_t start = record.time_unix_ns();
  const std::uint64_t length = cursor.Varint();  // Modulo 2^64.
  group.more.Add(length);
  // As SpanMatch counts it.
  keys.duration_ns = start != 0 && start + length > start ? length : 0;
  head_ += static_cast<char>(packed);
  head_ += static_cast<char>(parts);
  keys.kind = packed & 15U;
  keys.status_code = packed >> 4U;
  if (packed == sqlite::kFollows) {
    keys.kind = static_cast<std::uint32_t>(cursor.Varint());
    keys.status_code = static_cast<std::uint32_t>(cursor.Varint());
    AppendVarint(keys.kind, head_);
    AppendVarint(keys.status_code, head_);
  }
  AppendVarint(cursor.Varint(), head_);  // Flags.
  keys.name = PutHeadString(cursor);
  if (!(parts & sqlite::kNoResource)) {
    tags_.AddResource(RecordKind::kSpan, PutHeadString(cursor));
    keys.service = PutHeadString(cursor);
  }
  if (!(parts & sqlite::kNoScope)) PutHeadString(cursor);
  PutAttributes(cursor, RecordKind::kSpan, span_id, group);
  AppendVarint(strings_.HeadOf(head_), group.heads);

  std::string& rest = group.rest;
  const std::size_t rest_begin = rest.size();
  if (parts & sqlite::kStatusMessage) PutRestString(cursor, rest);
  if (parts & sqlite::kTraceState) PutRestString(cursor, rest);
  if (parts & sqlite::kEvents) {
    std::uint64_t left = cursor.Varint();
    AppendVarint(left, rest);
    for (; left > 0 && !cursor.done(); --left) {
      AppendVarint(ZigZag(cursor.Fixed<std::uint64_t>() - record.time_unix_ns()), rest);
      PutRestString(cursor, rest);
      PutRestAttributes(cursor, rest);
    }
  }
  if (parts & sqlite::kLinks) {
    std::uint64_t left = cursor.Varint();
    AppendVarint(left, rest);
    for (; left > 0 && !cursor.done(); --left) {
      for (int i = 0; i < 3; ++i) AppendFixed(cursor.Fixed<std::uint64_t>(), rest);
      AppendVarint(cursor.Varint(), rest);
      PutRestString(cursor, rest);
      PutRestAttributes(cursor, rest);
    }
  }
  raw_bytes_ += rest.size() - rest_begin;
  return keys;
}

// The ids that the body names are the record's own: they are cut out, and put back at their places.
void BlockWriter::PutBody(std::string_view body, std::uint64_t span_id, std::string& texts) {
  const std::string span_hex = span_id == 0 ? std::string() : ToHex(SpanId{span_id});
  const std::size_t trace_at = Find(body, trace_hex_);
  const std::size_t span_at = span_hex.empty() ? std::string_view::npos : Find(body, span_hex);
  std::size_t first_at = trace_at;
  std::size_t second_at = span_at;
  std::uint64_t cuts = (trace_at != std::string_view::npos ? 1U : 0U) |
                       (span_at != std::string_view::npos ? 2U : 0U);
  std::size_t first_size = kTraceHex;
  std::size_t second_size = kSpanHex;
  if (cuts == 3) {
    if (span_at < trace_at) {
      std::swap(first_at, second_at);
      std::swap(first_size, second_size);
      cuts = 7;
    }
    // One inside the other: only the first is cut out.
    if (second_at < first_at + first_size) cuts = cuts == 3 ? 1 : 2;
  } else if (cuts == 2) {
    first_at = span_at;
    first_size = kSpanHex;
  }
  AppendVarint((body.size() << 3U) | cuts, texts);
  cuts_.clear();
  if (cuts != 0) cuts_.push_back({first_at, first_size});
  if (cuts == 3 || cuts == 7) cuts_.push_back({second_at, second_size});
  if (cuts == 0) {
    texts += body;
    return;
  }
  AppendVarint(first_at, texts);
  texts += body.substr(0, first_at);
  body.remove_prefix(first_at + first_size);
  if (cuts == 3 || cuts == 7) {
    second_at -= first_at + first_size;
    AppendVarint(second_at, texts);
    texts += body.substr(0, second_at);
    body.remove_prefix(second_at + second_size);
  }
  texts += body;
}

void BlockWriter::NoteText(std::string_view body) {
  const Value value = ReadValue(body);
  if (value.type != ValueType::kString) return text_.Add(ValueText(body));
  const auto begin = static_cast<std::size_t>(value.bytes.data() - body.data());
  for (TextGatherer::Cut& cut : cuts_) {
    // The length before the text may look like the first digit of an id.
    const std::size_t before = begin > cut.at ? begin - cut.at : 0;
    cut.at = cut.at + before - begin;
    cut.size -= before;
  }
  text_.Add(value.bytes, cuts_);
}

LineKeys BlockWriter::AddLine(RecordView record, std::uint64_t arrival_unix_ns) {
  LineKeys keys;
  Group& group = groups_[1];
  AddCommon(record.time_unix_ns(), arrival_unix_ns, group);
  const std::uint64_t span_id = record.span_id().value;
  PutPlace(span_id, group);
  Cursor cursor = VaryingPart(record);
  const unsigned severity = ByteAt(record, 9);
  const unsigned parts = ByteAt(record, 11);
  const std::uint64_t observed = record.observed_unix_ns();
  head_ += static_cast<char>(observed != 0 ? kObservedStored : 0U);
  head_ += static_cast<char>(severity);
  head_ += static_cast<char>(ByteAt(record, 10));
  head_ += static_cast<char>(parts);
  if (!(ByteAt(record, 10) & sqlite::kIdentityFollows)) {
    AppendFixed(record.identity(), group.escapes);
  }
  if (observed != 0) group.more.Add(observed - record.time_unix_ns());
  keys.severity_number = severity;
  if (severity == sqlite::kFollows) {
    keys.severity_number = static_cast<std::uint32_t>(cursor.Varint());
    AppendVarint(keys.severity_number, head_);
  }
  AppendVarint(cursor.Varint(), head_);  // Flags.
  PutHeadString(cursor);                 // Severity text.
  if (!(parts & sqlite::kNoResource)) {
    tags_.AddResource(RecordKind::kLine, PutHeadString(cursor));
    keys.service = PutHeadString(cursor);
  }
  if (!(parts & sqlite::kNoScope)) PutHeadString(cursor);
  PutAttributes(cursor, RecordKind::kLine, span_id, group);
  if (parts & sqlite::kEventName) PutHeadString(cursor);
  if (parts & sqlite::kRelated) {
    std::uint64_t left = cursor.Varint();
    AppendVarint(left, group.rest);
    for (left *= 3; left > 0 && !cursor.done(); --left) {
      AppendFixed(cursor.Fixed<std::uint64_t>(), group.rest);
    }
  }
  if (parts & sqlite::kOwnService) keys.service = PutHeadString(cursor);
  AppendVarint(strings_.HeadOf(head_), group.heads);
  const std::string_view body = cursor.Bytes();
  PutBody(body, span_id, group.texts);
  NoteText(body);
  raw_bytes_ += 24 + body.size();
  return keys;
}

ExemplarKeys BlockWriter::AddExemplar(RecordView record, std::uint64_t arrival_unix_ns) {
  ExemplarKeys keys;
  Group& group = groups_[2];
  AddCommon(record.time_unix_ns(), arrival_unix_ns, group);
  raw_bytes_ += 40;
  const std::uint64_t span_id = record.span_id().value;
  PutPlace(span_id, group);
  const std::uint64_t value = NumberAt(record, 52);
  AppendFixed(value, group.texts);
  Cursor cursor = VaryingPart(record);
  const unsigned flags = ByteAt(record, 9);
  const unsigned missing = ByteAt(record, 10);
  const unsigned service = ByteAt(record, 11);
  keys.type = flags >> 4U;
  keys.value = flags & sqlite::kInteger ? static_cast<double>(static_cast<std::int64_t>(value))
                                        : std::bit_cast<double>(value);
  head_ += static_cast<char>(flags);
  head_ += static_cast<char>(missing);
  head_ += static_cast<char>(service);
  if (flags & sqlite::kHasLe) AppendFixed(cursor.Fixed<std::uint64_t>(), head_);
  keys.metric = PutHeadString(cursor);
  keys.unit = PutHeadString(cursor);
  if (!(missing & sqlite::kNoResource)) {
    PutHeadString(cursor);
    PutHeadString(cursor);
  }
  if (!(missing & sqlite::kNoScope)) PutHeadString(cursor);
  PutAttributes(cursor, RecordKind::kExemplar, span_id, group);
  PutAttributes(cursor, RecordKind::kExemplar, span_id, group);
  if (service & sqlite::kExemplarService) PutHeadString(cursor);
  AppendVarint(strings_.HeadOf(head_), group.heads);
  return keys;
}

void BlockWriter::PutGroup(Group& group, std::string& out) {
  AppendVarint(group.records, out);
  if (group.records > 0) {
    out += group.ids;
    frame_.Begin();
    frame_.Add(kCounts, group.counts);
    frame_.Add(kHeads, group.heads);
    frame_.Add(kTimes, group.times.Take());
    frame_.Add(kArrivals, group.arrivals.Take());
    frame_.Add(kMore, group.more.Take());
    frame_.Add(kParents, group.parents);
    frame_.Add(kEscapes, group.escapes);
    frame_.Add(kTexts, group.texts);
    frame_.Add(kRest, group.rest);
    std::sort(group.used_keys.begin(), group.used_keys.end());
    for (const std::uint32_t key : group.used_keys) {
      frame_.Add(kFirstKey + key, group.keys[key]);
      group.keys[key].clear();
    }
    frame_.Put(kLevel, out);
  }
  group.records = 0;
  group.last_time = 0;
  group.last_arrival = 0;
  group.used_keys.clear();
  for (std::string* column : {&group.ids, &group.counts, &group.heads, &group.parents,
                              &group.escapes, &group.texts, &group.rest}) {
    column->clear();
  }
}

std::string BlockWriter::Finish() {
  TL_CHECK(!traces_.empty());
  EndTrace();
  std::string out;
  AppendVarint(traces_.size(), out);
  std::size_t run = 0;
  for (std::size_t i = 0; i <= traces_.size(); ++i) {
    if (i < traces_.size() && traces_[i].tenant == traces_[run].tenant) continue;
    AppendVarint(traces_[run].tenant, out);
    AppendVarint(i - run, out);
    run = i;
  }
  for (const First& trace : traces_) {
    AppendFixed(trace.id.low, out);
    AppendFixed(trace.id.high, out);
  }
  out += groups_[0].counts;
  groups_[0].counts.clear();
  for (Group& group : groups_) PutGroup(group, out);
  first_ = traces_.front();
  traces_.clear();
  records_ = 0;
  raw_bytes_ = 0;
  return out;
}

}  // namespace throughline::store::segment
