// Finds the trace that a structured line belongs to, whatever the door it came through.
//
// First the fields: attributes, then the entries of a body that is a map, that are named like a
// trace id (correlate/find.h, TraceKeyKind), at any depth, the shallowest first. Then the text: the
// body where it is a string, else the strings in it. Where none of these has an id, the strings of
// the attributes. The first id is the link, the others become `related`.
#pragma once

#include <span>
#include <string_view>

#include "correlate/batch.h"

namespace throughline::logs {

// The ids that one line may have besides its own; more are left out.
inline constexpr std::size_t kMaxRelated = 7;

struct Linked {
  bool repaired = false;       // The id that links was misspelt.
  std::string_view malformed;  // Why a field named like a trace id gave none; empty: there is none
                               // such, or the line has another id. Static text.
};

// Sets trace_id, found_by, sampled and related of `line`, and span_id where it has none. Reads
// line.attributes and line.body, which are canonical. `field` is what found_by says of an id from
// a field. `source` are further fields, of where the line comes from: they count after its own.
Linked LinkLine(LogLine& line, Batch& batch, FoundBy field = FoundBy::kKey,
                std::span<const Attribute> source = {});

// Whether LinkLine can learn something of a source's attribute, which is for most of them no.
bool MayLink(const Attribute& attribute);

}  // namespace throughline::logs
