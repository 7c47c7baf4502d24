#include "api/query/traceql_trace.h"

#include <algorithm>
#include <utility>

namespace throughline::api::query::traceql {

Trace::Trace(TraceId id, const Batch& batch, const TraceTree& tree)
    : id_(id), batch_(batch), tree_(tree) {
  for (std::uint32_t place = 0; place < size(); ++place) {
    const Span& span = At(place);
    start_unix_ns_ = std::min(start_unix_ns_, span.start_unix_ns);
    end_unix_ns_ = std::max({end_unix_ns_, span.end_unix_ns, span.start_unix_ns});
  }
  if (size() == 0) start_unix_ns_ = 0;
}

const Span* Trace::Root() const { return tree_.roots == 0 ? nullptr : &At(tree_.root); }

std::string_view Trace::root_name() const {
  const Span* root = Root();
  return root == nullptr ? kNoRoot : root->name;
}

std::string_view Trace::root_service() const {
  const Span* root = Root();
  return root == nullptr ? kNoRoot : batch_.ServiceOf(*root);
}

void Trace::Values(const Field& field, std::uint32_t place, std::vector<Datum>& values) const {
  if (field.of_parent) {
    place = tree_.parent[place];
    if (place == kNoIndex) return;
  }
  if (field.intrinsic != Intrinsic::kNone) return Intrinsics(field.intrinsic, place, values);
  const Span& span = At(place);
  if (field.scope != FieldScope::kAny) {
    InScope(field.scope, field.key, span, values);
    return;
  }
  if (InScope(FieldScope::kSpan, field.key, span, values)) return;
  InScope(FieldScope::kResource, field.key, span, values);
}

void Trace::Intrinsics(Intrinsic intrinsic, std::uint32_t place, std::vector<Datum>& values) const {
  const Span& span = At(place);
  const InstrumentationScope* scope = batch_.ScopeOf(span.scope);
  switch (intrinsic) {
    case Intrinsic::kNone: break;
    case Intrinsic::kDuration: values.push_back(OfDuration(span.duration_ns())); break;
    case Intrinsic::kName: values.push_back(OfText(span.name)); break;
    case Intrinsic::kStatus:
      values.push_back({.type = Type::kStatus, .integer = span.status_code});
      break;
    case Intrinsic::kStatusMessage: values.push_back(OfText(span.status_message)); break;
    case Intrinsic::kKind: values.push_back({.type = Type::kKind, .integer = span.kind}); break;
    case Intrinsic::kChildCount: {
      std::int64_t count = 0;
      for (std::uint32_t child = tree_.first_child[place]; child != kNoIndex;
           child = tree_.next_sibling[child]) {
        ++count;
      }
      values.push_back(OfInt(count));
      break;
    }
    case Intrinsic::kSpanId: values.push_back(OfText(Kept(ToHex(span.span_id)))); break;
    case Intrinsic::kParentId:
      if (span.parent_span_id.IsValid()) {
        values.push_back(OfText(Kept(ToHex(span.parent_span_id))));
      }
      break;
    case Intrinsic::kTraceDuration: values.push_back(OfDuration(duration_ns())); break;
    case Intrinsic::kRootName: values.push_back(OfText(root_name())); break;
    case Intrinsic::kRootService: values.push_back(OfText(root_service())); break;
    case Intrinsic::kTraceId: values.push_back(OfText(Kept(ToHex(id_)))); break;
    case Intrinsic::kNestedSetLeft: values.push_back(OfInt(NestedSetOf(place).left)); break;
    case Intrinsic::kNestedSetRight: values.push_back(OfInt(NestedSetOf(place).right)); break;
    case Intrinsic::kNestedSetParent: values.push_back(OfInt(NestedSetOf(place).parent)); break;
    case Intrinsic::kEventName:
    case Intrinsic::kEventTimeSinceStart:
    case Intrinsic::kLinkSpanId:
    case Intrinsic::kLinkTraceId: OfEvents(intrinsic, span, values); break;
    case Intrinsic::kInstrumentationName:
      if (scope != nullptr) values.push_back(OfText(scope->name));
      break;
    case Intrinsic::kInstrumentationVersion:
      if (scope != nullptr) values.push_back(OfText(scope->version));
      break;
  }
}

void Trace::OfEvents(Intrinsic intrinsic, const Span& span, std::vector<Datum>& values) const {
  if (intrinsic == Intrinsic::kEventName || intrinsic == Intrinsic::kEventTimeSinceStart) {
    for (const SpanEvent& event : batch_.EventsOf(span)) {
      const std::uint64_t since =
          event.time_unix_ns > span.start_unix_ns ? event.time_unix_ns - span.start_unix_ns : 0;
      values.push_back(intrinsic == Intrinsic::kEventName ? OfText(event.name) : OfDuration(since));
    }
    return;
  }
  for (const SpanLink& link : batch_.LinksOf(span)) {
    const bool trace = intrinsic == Intrinsic::kLinkTraceId;
    values.push_back(OfText(Kept(trace ? ToHex(link.trace_id) : ToHex(link.span_id))));
  }
}

bool Trace::InScope(FieldScope scope, std::string_view key, const Span& span,
                    std::vector<Datum>& values) const {
  bool found = false;
  switch (scope) {
    case FieldScope::kAny: break;
    case FieldScope::kSpan: return Attributes(span.attributes, key, values);
    case FieldScope::kResource:
      if (const Resource* resource = batch_.ResourceOf(span.resource)) {
        return Attributes(resource->attributes, key, values);
      }
      break;
    case FieldScope::kEvent:
      for (const SpanEvent& event : batch_.EventsOf(span)) {
        found = Attributes(event.attributes, key, values) || found;
      }
      break;
    case FieldScope::kLink:
      for (const SpanLink& link : batch_.LinksOf(span)) {
        found = Attributes(link.attributes, key, values) || found;
      }
      break;
    case FieldScope::kInstrumentation:
      if (const InstrumentationScope* of = batch_.ScopeOf(span.scope)) {
        return Attributes(of->attributes, key, values);
      }
      break;
  }
  return found;
}

bool Trace::Attributes(Range range, std::string_view key, std::vector<Datum>& values) const {
  for (const Attribute& attribute : batch_.Of(range)) {
    if (attribute.key() != key) continue;
    AppendData(attribute.value(), values);
    return true;
  }
  return false;
}

// Numbers in the order of a walk over each tree; of spans that hang under nobody's root, zeros.
const Trace::NestedSet& Trace::NestedSetOf(std::uint32_t place) const {
  if (!nested_sets_.empty()) return nested_sets_[place];
  nested_sets_.resize(size());
  std::int64_t next = 1;
  for (std::uint32_t root = 0; root < size(); ++root) {
    if (tree_.parent[root] == kNoIndex && !At(root).parent_span_id.IsValid()) Number(root, next);
  }
  return nested_sets_[place];
}

void Trace::Number(std::uint32_t root, std::int64_t& next) const {
  const auto enter = [&](std::uint32_t at) {
    const std::uint32_t parent = tree_.parent[at];
    nested_sets_[at].left = next++;
    nested_sets_[at].parent = at == root ? -1 : nested_sets_[parent].left;
    return at;
  };
  std::uint32_t at = enter(root);
  while (true) {
    if (tree_.first_child[at] != kNoIndex) {
      at = enter(tree_.first_child[at]);
      continue;
    }
    // Up to the first span with a sibling left, closing each on the way.
    nested_sets_[at].right = next++;
    while (at != root && tree_.next_sibling[at] == kNoIndex) {
      at = tree_.parent[at];
      nested_sets_[at].right = next++;
    }
    if (at == root) return;
    at = enter(tree_.next_sibling[at]);
  }
}

std::string_view Trace::Kept(std::string text) const {
  return texts_.emplace_back(std::move(text));
}

void AppendData(std::string_view any_value, std::vector<Datum>& values) {
  const Value value = ReadValue(any_value);
  switch (value.type) {
    case ValueType::kString: values.push_back(OfText(value.bytes)); break;
    case ValueType::kBool: values.push_back(OfBool(value.boolean)); break;
    case ValueType::kInt: values.push_back(OfInt(value.integer)); break;
    case ValueType::kDouble:
      values.push_back({.type = Type::kFloat, .number = value.number});
      break;
    case ValueType::kArray:
      // Lists in lists are looked through no further.
      for (ValueItems items(value); items.Next();) {
        const Value item = ReadValue(items.value);
        if (item.type != ValueType::kArray) AppendData(items.value, values);
      }
      break;
    case ValueType::kEmpty:
    case ValueType::kMap:
    case ValueType::kBytes: break;
  }
}

}  // namespace throughline::api::query::traceql
