#include "api/links/coverage_render.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "api/links/render.h"
#include "api/links/report_text.h"

namespace throughline::api::links {
namespace {

// null: not known, or there is nothing that it were a share of.
void WriteShare(wire::JsonWriter& json, bool known, std::uint64_t part, std::uint64_t whole) {
  if (known && whole > 0) {
    json.Double(Rounded(static_cast<double>(part) / static_cast<double>(whole)));
  } else {
    json.Null();
  }
}

// Of the exemplars whose links were looked up.
struct Opening {
  std::uint64_t open = 0;
  std::uint64_t pending = 0;
  std::uint64_t dead = 0;
};

Opening OpeningOf(const ServiceCoverage& of) {
  const LinkCounts& links = of.links[static_cast<std::size_t>(LinkKind::kExemplar)];
  Opening opening;
  for (std::size_t i = 0; i < kLinkCauses; ++i) {
    const LinkState state = StateOfCause(static_cast<LinkCause>(i));
    const bool has_no_id = state == LinkState::kMalformed;
    if (has_no_id) continue;
    (state == LinkState::kLive      ? opening.open
     : state == LinkState::kPending ? opening.pending
                                    : opening.dead) += links[i];
  }
  return opening;
}

void WriteService(wire::JsonWriter& json, const ServiceCoverage& of, bool unlinked_kept) {
  json.BeginObject();
  json.Key("service").String(of.service);
  json.Key("named").Bool(!IsUnnamedService(of.service));
  json.Key("language");
  WriteNullable(json, of.language);
  json.Key("spans").BeginObject();
  json.Key("count").Uint(of.spans);
  json.Key("with_lines").Uint(of.spans_with_lines);
  json.Key("of_traces_with_lines").Uint(of.spans_of_logged_traces);
  WriteShare(json.Key("share_with_lines"), true, of.spans_with_lines, of.spans);
  WriteShare(json.Key("share_of_traces_with_lines"), true, of.spans_of_logged_traces, of.spans);
  json.EndObject();
  json.Key("lines").BeginObject();
  json.Key("count").Uint(of.lines);
  json.Key("with_ids").Uint(of.lines_with_ids);
  WriteShare(json.Key("share_with_ids"), unlinked_kept, of.lines_with_ids, of.lines);
  json.Key("spellings").BeginArray();
  for (std::size_t i = 0; i < kSpellings; ++i) {
    if (of.spellings[i] == 0) continue;
    json.BeginObject();
    json.Key("spelling").String(SpellingName(static_cast<Spelling>(i)));
    json.Key("lines").Uint(of.spellings[i]);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  const Opening opening = OpeningOf(of);
  json.Key("exemplars").BeginObject();
  json.Key("count").Uint(of.exemplars);
  json.Key("with_ids").Uint(of.exemplars_with_ids);
  WriteShare(json.Key("share_with_ids"), unlinked_kept, of.exemplars_with_ids, of.exemplars);
  json.Key("opening").Uint(opening.open);
  json.Key("pending").Uint(opening.pending);
  json.Key("dead").Uint(opening.dead);
  WriteShare(json.Key("share_opening"), true, opening.open, opening.open + opening.dead);
  json.EndObject();
  json.EndObject();
}

void WriteAdvice(wire::JsonWriter& json, const Advice& advice) {
  json.BeginObject();
  json.Key("fault").String(FaultName(advice.fault));
  json.Key("wrong").Bool(advice.wrong);
  json.Key("service").String(advice.service);
  json.Key("records").Uint(advice.records);
  json.Key("of").Uint(advice.of);
  json.Key("evidence").String(advice.evidence);
  json.Key("changes").BeginArray();
  for (const ConfigChange& change : advice.changes) {
    json.BeginObject();
    json.Key("where").String(change.where);
    json.Key("text").String(change.text);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

}  // namespace

void WriteCoverage(wire::JsonWriter& json, const CoverageAnswer& answer) {
  const Coverage& coverage = answer.coverage;
  bool all = true;
  // The first of a list, and whether these are all.
  const auto most = [&](std::size_t size) {
    all = all && size <= answer.most_services;
    return std::min(size, answer.most_services);
  };
  json.BeginObject();
  json.Key("window").BeginObject();
  WriteWindowTimes(json, answer.window);
  json.EndObject();
  json.Key("wrong").Uint(static_cast<std::uint64_t>(std::count_if(
      answer.advice.begin(), answer.advice.end(), [](const Advice& a) { return a.wrong; })));
  json.Key("advice").BeginArray();
  for (std::size_t i = 0; i < most(answer.advice.size()); ++i) WriteAdvice(json, answer.advice[i]);
  json.EndArray();
  json.Key("services").BeginArray();
  for (std::size_t i = 0; i < most(coverage.services.size()); ++i) {
    WriteService(json, coverage.services[i], answer.unlinked_kept);
  }
  json.EndArray();
  json.Key("skew").BeginArray();
  for (std::size_t i = 0; i < most(coverage.skew.size()); ++i) WriteSkew(json, coverage.skew[i]);
  json.EndArray();
  json.Key("unknown").BeginArray();
  if (!answer.unlinked_kept) {
    json.String(
        "which share of lines and exemplars has a trace id: those without one are not stored "
        "(logs.keep_unlinked)");
  }
  if (coverage.unchecked > 0) {
    json.String("the states of " + Count(coverage.unchecked, "link") + ": not looked up");
  }
  json.EndArray();
  WriteCompleteness(json, coverage.complete && all,
                    coverage.complete ? std::string_view("limit") : coverage.incomplete_reason);
  json.EndObject();
}

}  // namespace throughline::api::links
