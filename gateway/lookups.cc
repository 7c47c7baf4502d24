#include "gateway/lookups.h"

#include <algorithm>
#include <exception>
#include <unordered_set>
#include <utility>
#include <vector>

#include "api/links/known_traces.h"
#include "api/status.h"
#include "correlate/hash.h"
#include "correlate/ids.h"
#include "gateway/inflate.h"
#include "gateway/log.h"
#include "gateway/media.h"
#include "logs/enrich.h"
#include "wire/compress.h"

namespace throughline::gateway {
namespace {

constexpr std::size_t kGzipFromBytes = 1024;  // Smaller answers fit a packet anyway.
constexpr std::size_t kEnrichWaits = 1000;    // Ids that one enrich request waits for at most.

// The distinct ids that `text` may mean.
std::vector<TraceId> IdsOf(std::string_view text) {
  std::vector<TraceId> ids;
  for (const Resolved& reading : ResolveAll(text)) {
    if (std::find(ids.begin(), ids.end(), reading.trace_id) == ids.end()) {
      ids.push_back(reading.trace_id);
    }
  }
  return ids;
}

// "a, b" in If-None-Match, compared weakly (RFC 9110 section 8.8.3.2).
bool NamesTag(std::string_view if_none_match, std::string_view tag) {
  return if_none_match == "*" || if_none_match.find(tag) != std::string_view::npos;
}

std::vector<std::string> SplitFields(std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) fields.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return fields;
}

api::Response BadShape(std::string_view type) {
  return api::Problem(
      Error{Errc::kUnsupported, "content-type is \"" + std::string(type) +
                                    "\", want application/json, application/x-ndjson or "
                                    "application/x-protobuf"});
}

}  // namespace

void FinishGet(const api::Request& request, api::Response& response) {
  if (response.status != 200 || (request.method != "GET" && request.method != "HEAD")) return;
  constexpr char kHex[] = "0123456789abcdef";
  const std::uint64_t hash = HashBytes(response.body, 0);
  std::string tag = "\"";
  for (int shift = 60; shift >= 0; shift -= 4)
    tag += kHex[(hash >> static_cast<unsigned>(shift)) & 15U];
  tag += '"';
  // Weak: the same answer compressed and not.
  response.headers.emplace_back("ETag", "W/" + tag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (NamesTag(request.Header("if-none-match"), tag)) {
    response.status = 304;
    response.body.clear();
    return;
  }
  if (response.body.size() < kGzipFromBytes || !AcceptsGzip(request.Header("accept-encoding"))) {
    return;
  }
  response.body = wire::Gzip(response.body);
  response.headers.emplace_back("Content-Encoding", "gzip");
}

api::Response Lookups::Answer(const Route& route, const api::Request& request) const {
  api::Response response;
  try {
    if (request.scope.Expired()) {
      return api::Problem(
          Error{Errc::kUnavailable, "the lookup waited longer than limits.lookup_deadline"});
    }
    if (route.kind == RouteKind::kEnrich) return Enrich(request);
    const api::links::Context context{store_, settings_, clock_.NowUnixNs(), &path_minutes_};
    response = route.lookup(request, context);
    FinishGet(request, response);
  } catch (const std::exception& error) {
    LogError("a lookup failed", {{"path", request.path}, {"error", error.what()}});
    return api::HttpProblem(500, "internal", "the lookup failed; the gateway's log says why");
  }
  return response;
}

void Lookups::Handle(const Route& route, api::Request request, boost::asio::io_context& loop,
                     Respond respond) {
  auto tenant = TenantFromHeader(request.Header("x-scope-orgid"));
  if (!tenant) return respond(api::Problem(tenant.error()));
  request.scope.tenant = *std::move(tenant);
  const auto encoding = EncodingFromHeader(request);
  if (!encoding) return respond(api::Problem(encoding.error()));
  const auto inflated = InflateBody(*encoding, limits_.inflated_bytes, request.body);
  if (!inflated) return respond(api::Problem(inflated.error()));
  const auto deadline =
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(limits_.lookup_deadline);
  const auto wait = request.Query("wait");
  auto shared = std::make_shared<api::Request>(std::move(request));
  const auto answer = [this, &route, shared] { return Answer(route, *shared); };

  if (route.kind == RouteKind::kEnrich) {
    shared->scope.deadline = std::chrono::steady_clock::now() + deadline;
    return HandleEnrich(shared, loop, std::move(respond));
  }
  if (route.kind == RouteKind::kWaitingLookup && wait) {
    const auto patience = ParsePatience(*wait, limits_.longest_wait);
    if (!patience) return respond(api::Problem(patience.error()));
    Waiting waiting;
    waiting.ids = shared->captures.empty() ? std::vector<TraceId>() : IdsOf(shared->captures[0]);
    shared->scope.deadline = std::chrono::steady_clock::now() + *patience + deadline;
    if (!waiting.ids.empty() && patience->count() > 0) {
      const bool complete = shared->Query("complete").value_or("0") != "0";
      waiting.scope = shared->scope;
      waiting.until = complete ? WaitFor::kQuiet : WaitFor::kFirstRecord;
      waiting.patience = *patience;
      waiting.answer = answer;
      return waits_.Hold(std::move(waiting), loop, std::move(respond));
    }
  }
  shared->scope.deadline = std::chrono::steady_clock::now() + deadline;
  auto work = [answer, respond] { respond(answer()); };
  if (!reads_.Submit(std::move(work))) respond(ReadQueueFull());
}

api::Response Lookups::Enrich(const api::Request& request) const {
  const std::string_view type = request.Header("content-type");
  const auto shape = EnrichShapeOf(type, request.body.view());
  if (!shape) return BadShape(type);
  logs::EnrichOptions options;
  options.decode = limits_.decode;
  options.fields = SplitFields(request.Query("fields").value_or(""));
  options.url_template = limits_.enrich_url_template.empty()
                             ? request.base_url + "/api/v1/traces/{trace_id}"
                             : limits_.enrich_url_template;
  const api::links::Context context{store_, settings_, clock_.NowUnixNs()};
  api::links::KnownTraces known(request.scope, context);
  const logs::TraceLookup lookup = [&](const Resolved& id, std::uint64_t line_time_unix_ns) {
    logs::TraceAnswer answer;
    const auto found = known.Find(id.trace_id);
    if (!found) {
      answer.link.reason = found.error().message;
      return answer;
    }
    const api::links::KnownTrace& trace = **found;
    // A line without a time is being written now.
    const std::uint64_t named_at = line_time_unix_ns > 0 ? line_time_unix_ns : context.now_unix_ns;
    answer.link = LinkOf(trace, named_at, context);
    answer.summary = trace.summary();
    const bool dropped = trace.evidence.said_unsampled || trace.evidence.decided_out;
    answer.sampled = trace.evidence.span_count > 0 ? Sampled::kYes
                     : dropped                     ? Sampled::kNo
                                                   : id.sampled;
    return answer;
  };
  auto enriched = logs::Enrich(request.body.view(), *shape, options, lookup);
  if (!enriched) return api::Problem(enriched.error());
  api::Response response;
  response.content_type = type.empty() ? "application/json" : MediaTypeOf(type);
  response.headers.emplace_back("X-Throughline-Malformed", std::to_string(enriched->malformed));
  response.body = std::move(enriched->body);
  return response;
}

void Lookups::HandleEnrich(const Shared& request, boost::asio::io_context& loop, Respond respond) {
  static constexpr Route kEnrich{"POST", "", RouteKind::kEnrich};
  const auto answer = [this, request] { return Answer(kEnrich, *request); };
  const auto pending = request->Query("pending");
  if (pending) {
    constexpr std::string_view kWait = "wait:";
    if (pending->substr(0, kWait.size()) != kWait) {
      return respond(api::Problem(InvalidArgument("pending is \"" + std::string(*pending) +
                                                  "\", want wait:TIME such as wait:200ms")));
    }
    const auto patience = ParsePatience(pending->substr(kWait.size()), limits_.longest_wait);
    if (!patience) return respond(api::Problem(patience.error()));
    const std::string_view type = request->Header("content-type");
    const auto shape = EnrichShapeOf(type, request->body.view());
    if (!shape) return respond(BadShape(type));
    logs::EnrichOptions options;
    options.decode = limits_.decode;
    Waiting waiting;
    waiting.ids = logs::IdsToEnrich(request->body.view(), *shape, options);
    std::sort(waiting.ids.begin(), waiting.ids.end());
    waiting.ids.erase(std::unique(waiting.ids.begin(), waiting.ids.end()), waiting.ids.end());
    waiting.ids.resize(std::min(waiting.ids.size(), kEnrichWaits));
    request->scope.deadline +=
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(*patience);
    if (!waiting.ids.empty()) {
      waiting.scope = request->scope;
      waiting.until = WaitFor::kEveryId;
      waiting.patience = *patience;
      waiting.answer = answer;
      return waits_.Hold(std::move(waiting), loop, std::move(respond));
    }
  }
  auto work = [answer, respond] { respond(answer()); };
  if (!reads_.Submit(std::move(work))) respond(ReadQueueFull());
}

}  // namespace throughline::gateway
