#include "store/segment/group_reader.h"

#include <algorithm>

#include "correlate/identity.h"
#include "store/sqlite/record_layout.h"

namespace throughline::store::segment {

using sqlite::RecordKind;

void GroupReader::ParseKeys(Cursor& cursor, std::vector<KeyColumn*>& keys) {
  std::uint64_t left = cursor.Varint();
  keys.reserve(std::min(left, static_cast<std::uint64_t>(cursor.end() - cursor.at())));
  for (; left > 0 && !cursor.done(); --left) {
    const auto key = static_cast<std::uint32_t>(cursor.Varint());
    const auto [found, is_new] = keys_.try_emplace(key);
    if (is_new) {
      found->second.values = Cursor(frame_.Column(kFirstKey + key));
      found->second.key = key == kOtherKey ? nullptr : strings_.KeyAt(key);
    }
    keys.push_back(&found->second);
  }
}

void GroupReader::ParseSpanHead(Cursor cursor, Head& head) {
  for (int i = 0; i < 2; ++i) head.flags[i] = static_cast<unsigned char>(cursor.Fixed<char>());
  const unsigned packed = head.flags[0];
  head.kind = packed == sqlite::kFollows ? cursor.Varint() : packed & 15U;
  head.status = packed == sqlite::kFollows ? cursor.Varint() : packed >> 4U;
  head.span_flags = cursor.Varint();
  head.name = cursor.Varint();
  if (!(head.flags[1] & sqlite::kNoResource)) {
    head.resource = cursor.Varint();
    head.service = cursor.Varint();
  }
  if (!(head.flags[1] & sqlite::kNoScope)) head.scope = cursor.Varint();
  ParseKeys(cursor, head.keys);
}

void GroupReader::ParseLineHead(Cursor cursor, Head& head) {
  for (unsigned& flags : head.flags) flags = static_cast<unsigned char>(cursor.Fixed<char>());
  head.kind = head.flags[1] == sqlite::kFollows ? cursor.Varint() : head.flags[1];
  head.span_flags = cursor.Varint();
  head.name = cursor.Varint();
  const unsigned parts = head.flags[3];
  if (!(parts & sqlite::kNoResource)) {
    head.resource = cursor.Varint();
    head.service = cursor.Varint();
  }
  if (!(parts & sqlite::kNoScope)) head.scope = cursor.Varint();
  ParseKeys(cursor, head.keys);
  if (parts & sqlite::kEventName) head.event_name = cursor.Varint();
  if (parts & sqlite::kOwnService) head.own_service = cursor.Varint();
}

void GroupReader::ParseExemplarHead(Cursor cursor, Head& head) {
  for (int i = 0; i < 3; ++i) head.flags[i] = static_cast<unsigned char>(cursor.Fixed<char>());
  if (head.flags[0] & sqlite::kHasLe) head.le = cursor.Fixed<double>();
  head.name = cursor.Varint();
  head.unit = cursor.Varint();
  if (!(head.flags[1] & sqlite::kNoResource)) {
    head.resource = cursor.Varint();
    head.service = cursor.Varint();
  }
  if (!(head.flags[1] & sqlite::kNoScope)) head.scope = cursor.Varint();
  ParseKeys(cursor, head.keys);
  ParseKeys(cursor, head.more_keys);
  if (head.flags[2] & sqlite::kExemplarService) head.own_service = cursor.Varint();
}

GroupReader::Head& GroupReader::HeadOf(std::uint32_t id, RecordKind kind) {
  const auto [found, is_new] = parsed_.try_emplace(id);
  Head& head = found->second;
  if (!is_new) return head;
  if (!heads_row_.Holds(id)) heads_row_ = strings_.RowOf(StringSpace::kHeads, id);
  const Cursor cursor(heads_row_.At(id));
  if (kind == RecordKind::kSpan) ParseSpanHead(cursor, head);
  if (kind == RecordKind::kLine) ParseLineHead(cursor, head);
  if (kind == RecordKind::kExemplar) ParseExemplarHead(cursor, head);
  return head;
}

const GroupReader::Head& GroupReader::NextHead(RecordKind kind) {
  const auto id = static_cast<std::uint32_t>(heads_.Varint());
  Recent& recent = recent_[id % kRecentHeads];
  if (recent.head == nullptr || recent.id != id) recent = {id, &HeadOf(id, kind)};
  Head& head = *recent.head;
  time_ += times_.Next();
  arrival_ += arrivals_.Next();
  if (keep_ && !head.has_indexes) {
    const unsigned parts = kind == RecordKind::kSpan   ? head.flags[1]
                           : kind == RecordKind::kLine ? head.flags[3]
                                                       : head.flags[1];
    Resolve(!(parts & sqlite::kNoResource), !(parts & sqlite::kNoScope), head);
  }
  return head;
}

void GroupReader::Resolve(bool has_resource, bool has_scope, Head& head) {
  if (has_resource) {
    head.resource_index =
        parts_.ResourceOf((head.resource << 32U) | head.service,
                          [&] { return Text(head.resource); }, [&] { return Text(head.service); });
  }
  if (has_scope) head.scope_index = parts_.ScopeOf(head.scope, [&] { return Text(head.scope); });
  head.name_text = Text(head.name);
  head.has_indexes = true;
}

SpanId GroupReader::NextPlace() {
  const std::uint64_t place = places_.Varint();
  if (place == 0) return {};
  if (place == 1) return {escapes_.Fixed<std::uint64_t>()};
  return place - 2 < span_count_ ? SpanId{NumberAt(span_ids_ + 8 * (place - 2))} : SpanId{};
}

Attribute GroupReader::Value(KeyColumn& column, SpanId span_id) {
  const std::uint64_t code = column.values.Varint();
  if (code == kInline) {
    const std::string_view bytes = column.values.Bytes();
    if (!keep_) return {};
    if (column.key != nullptr) return Remade(column.key->text, bytes);
    return parts_.Over(to_.arena.Copy(bytes));
  }
  if (!keep_ || column.key == nullptr) return {};
  if (code >= kFirstRank) {
    const std::uint64_t rank = code - kFirstRank;
    if (rank >= column.key->count) return {};
    const auto id = static_cast<std::uint32_t>(column.key->base + rank);
    return parts_.Over(to_.arena.Copy(column.row.At(id, strings_)));
  }
  const std::string text = code == kOwnTraceId ? hex_ : ToHex(span_id);
  return MakeStringAttribute(column.key->text, text, strings_.hash_seed(), to_.arena);
}

Range GroupReader::Attributes(const std::vector<KeyColumn*>& keys, SpanId span_id) {
  Range range{.begin = static_cast<std::uint32_t>(to_.attributes.size()), .count = 0};
  for (KeyColumn* const column : keys) {
    const Attribute attribute = Value(*column, span_id);
    if (attribute.data == nullptr) continue;
    to_.attributes.push_back(attribute);
    ++range.count;
  }
  return range;
}

Range GroupReader::RestAttributes() {
  Range range{.begin = static_cast<std::uint32_t>(to_.attributes.size()), .count = 0};
  for (std::uint64_t left = rest_.Varint(); left > 0 && !rest_.done(); --left) {
    const std::uint64_t string = rest_.Varint();
    const std::string_view bytes = string == 0 ? rest_.Bytes() : std::string_view();
    if (!keep_) continue;
    const Attribute attribute = parts_.Over(string == 0 ? to_.arena.Copy(bytes) : Text(string));
    if (attribute.data == nullptr) continue;
    to_.attributes.push_back(attribute);
    ++range.count;
  }
  return range;
}

void GroupReader::ReadEvents(Span& span) {
  std::vector<SpanEvent> events;
  for (std::uint64_t left = rest_.Varint(); left > 0 && !rest_.done(); --left) {
    SpanEvent event;
    event.time_unix_ns = span.start_unix_ns + UnZigZag(rest_.Varint());
    const std::uint64_t name = rest_.Varint();
    event.attributes = RestAttributes();
    if (!keep_) continue;
    event.name = Text(name);
    events.push_back(event);
  }
  span.events = {static_cast<std::uint32_t>(to_.events.size()),
                 static_cast<std::uint32_t>(events.size())};
  to_.events.insert(to_.events.end(), events.begin(), events.end());
}

void GroupReader::ReadLinks(Span& span) {
  std::vector<SpanLink> links;
  for (std::uint64_t left = rest_.Varint(); left > 0 && !rest_.done(); --left) {
    SpanLink link;
    link.trace_id.high = rest_.Fixed<std::uint64_t>();
    link.trace_id.low = rest_.Fixed<std::uint64_t>();
    link.span_id.value = rest_.Fixed<std::uint64_t>();
    link.flags = static_cast<std::uint32_t>(rest_.Varint());
    const std::uint64_t state = rest_.Varint();
    link.attributes = RestAttributes();
    if (!keep_) continue;
    link.trace_state = Text(state);
    links.push_back(link);
  }
  span.links = {static_cast<std::uint32_t>(to_.span_links.size()),
                static_cast<std::uint32_t>(links.size())};
  to_.span_links.insert(to_.span_links.end(), links.begin(), links.end());
}

void GroupReader::ReadSpan(std::size_t place) {
  const Head& head = NextHead(RecordKind::kSpan);
  Span span;
  span.trace_id = id_;
  span.span_id = {NumberAt(span_ids_ + 8 * place)};
  span.parent_span_id = NextPlace();
  span.start_unix_ns = time_;
  span.arrival_unix_ns = arrival_;
  span.end_unix_ns = time_ + more_.Next();
  span.attributes = Attributes(head.keys, span.span_id);
  const unsigned parts = head.flags[1];
  const std::uint64_t message = parts & sqlite::kStatusMessage ? rest_.Varint() : 0;
  const std::uint64_t state = parts & sqlite::kTraceState ? rest_.Varint() : 0;
  if (parts & sqlite::kEvents) ReadEvents(span);
  if (parts & sqlite::kLinks) ReadLinks(span);
  if (!keep_) return;
  span.kind = static_cast<std::uint32_t>(head.kind);
  span.status_code = static_cast<std::uint32_t>(head.status);
  span.flags = static_cast<std::uint32_t>(head.span_flags);
  span.name = head.name_text;
  span.resource = head.resource_index;
  span.scope = head.scope_index;
  span.status_message = Text(message);
  span.trace_state = Text(state);
  if (identities_) span.identity = IdentityOf(span, to_, strings_.hash_seed());
  to_.spans.push_back(span);
}

std::string_view GroupReader::NextBody(SpanId span_id) {
  const std::uint64_t first = texts_.Varint();
  const std::uint64_t cuts = first & 7U;
  std::uint64_t size = first >> 3U;
  // What is damaged may claim any size: it is at most what the column holds and two ids.
  const auto next = [&](std::uint64_t bytes) {
    const auto left = static_cast<std::uint64_t>(texts_.end() - texts_.at());
    return texts_.Take(std::min(bytes, left));
  };
  if (cuts == 0) {
    const std::string_view body = next(size);
    return keep_ ? to_.arena.Copy(body) : body;
  }
  std::string body;
  const std::string span_hex = ToHex(span_id);
  const auto put = [&](const std::string& hex) {
    const std::uint64_t before = texts_.Varint();
    const std::string_view text = next(before);
    body += text;
    body += hex;
    size -= std::min<std::uint64_t>(size, text.size() + hex.size());
  };
  const std::string trace_hex = keep_ ? hex_ : std::string(32, '0');
  put(cuts == 2 || cuts == 7 ? span_hex : trace_hex);
  if (cuts == 3) put(span_hex);
  if (cuts == 7) put(trace_hex);
  body += next(size);
  return keep_ ? to_.arena.Copy(body) : std::string_view();
}

void GroupReader::ReadLine() {
  const Head& head = NextHead(RecordKind::kLine);
  LogLine line;
  line.trace_id = id_;
  line.span_id = NextPlace();
  line.identity_follows = (head.flags[2] & sqlite::kIdentityFollows) != 0;
  if (!line.identity_follows) line.identity = escapes_.Fixed<std::uint64_t>();
  line.time_unix_ns = time_;
  line.arrival_unix_ns = arrival_;
  if (head.flags[0] & kObservedStored) line.observed_unix_ns = time_ + more_.Next();
  line.attributes = Attributes(head.keys, line.span_id);
  if (head.flags[3] & sqlite::kRelated) {
    line.related.begin = static_cast<std::uint32_t>(to_.related.size());
    for (std::uint64_t left = rest_.Varint(); left > 0 && !rest_.done(); --left) {
      RelatedId related;
      related.trace_id.high = rest_.Fixed<std::uint64_t>();
      related.trace_id.low = rest_.Fixed<std::uint64_t>();
      related.span_id.value = rest_.Fixed<std::uint64_t>();
      if (!keep_) continue;
      to_.related.push_back(related);
      ++line.related.count;
    }
  }
  line.body = NextBody(line.span_id);
  if (!keep_) return;
  line.severity_number = static_cast<std::uint32_t>(head.kind);
  line.found_by = static_cast<FoundBy>(head.flags[2] & 7U);
  line.sampled = static_cast<Sampled>((head.flags[2] >> 3U) & 3U);
  line.flags = static_cast<std::uint32_t>(head.span_flags);
  line.severity_text = head.name_text;
  line.resource = head.resource_index;
  line.scope = head.scope_index;
  if (line.resource != kNoIndex) line.service = to_.resources[line.resource].service;
  if (head.event_name != 0) line.event_name = Text(head.event_name);
  if (head.own_service != 0) line.service = Text(head.own_service);
  if (identities_ && line.identity_follows) {
    line.identity = IdentityOf(line, to_, strings_.hash_seed());
  }
  to_.logs.push_back(line);
}

void GroupReader::ReadExemplar() {
  const Head& head = NextHead(RecordKind::kExemplar);
  Exemplar exemplar;
  exemplar.trace_id = id_;
  exemplar.span_id = NextPlace();
  exemplar.time_unix_ns = time_;
  exemplar.arrival_unix_ns = arrival_;
  const auto value = texts_.Fixed<std::uint64_t>();
  exemplar.labels = Attributes(head.keys, exemplar.span_id);
  exemplar.attributes = Attributes(head.more_keys, exemplar.span_id);
  if (!keep_) return;
  exemplar.is_integer = (head.flags[0] & sqlite::kInteger) != 0;
  exemplar.has_le = (head.flags[0] & sqlite::kHasLe) != 0;
  exemplar.metric_type = static_cast<MetricType>(head.flags[0] >> 4U);
  if (exemplar.is_integer) {
    std::memcpy(&exemplar.integer, &value, sizeof value);
  } else {
    std::memcpy(&exemplar.number, &value, sizeof value);
  }
  exemplar.le = head.le;
  exemplar.metric = head.name_text;
  exemplar.unit = Text(head.unit);
  exemplar.resource = head.resource_index;
  exemplar.scope = head.scope_index;
  if (exemplar.resource != kNoIndex) exemplar.service = to_.resources[exemplar.resource].service;
  if (head.own_service != 0) exemplar.service = Text(head.own_service);
  if (identities_) exemplar.identity = IdentityOf(exemplar, to_, strings_.hash_seed());
  to_.exemplars.push_back(exemplar);
}

}  // namespace throughline::store::segment
