#include "gateway/upstream.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "api/form.h"
#include "api/loki/answer.h"
#include "api/loki/plan.h"
#include "api/plain_text.h"
#include "api/trace_range.h"
#include "api/url.h"
#include "gateway/log.h"
#include "gateway/scrape/target.h"
#include "gateway/target.h"
#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

struct Words {
  std::string_view setting;
  std::string_view prefix;  // Taken off a path before it is passed on.
};
constexpr std::array<Words, kUpstreamCount> kWords = {
    Words{"", ""}, Words{"prometheus.upstream", "/prometheus"}, Words{"loki.upstream", "/loki"},
    Words{"tempo.upstream", "/tempo"}};

const Words& WordsOf(const Route& route) { return kWords[IndexOf(route.upstream())]; }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Headers that are of one connection, or that the next one has of its own.
bool IsOfConnection(std::string_view lower_case_name, std::string_view connection) {
  constexpr std::array<std::string_view, 14> kNames = {"connection",
                                                       "keep-alive",
                                                       "proxy-authenticate",
                                                       "proxy-authorization",
                                                       "proxy-connection",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade",
                                                       "host",
                                                       "expect",
                                                       "date",
                                                       "content-length",
                                                       "content-type"};
  if (std::find(kNames.begin(), kNames.end(), lower_case_name) != kNames.end()) return true;
  // Named by Connection: "close, x-a".
  while (!connection.empty()) {
    const std::size_t comma = std::min(connection.find(','), connection.size());
    std::string_view name = connection.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name == lower_case_name) return true;
    connection.remove_prefix(std::min(comma + 1, connection.size()));
  }
  return false;
}

// A path that steps up would leave the upstream's own.
bool StepsUp(std::string_view path) {
  const auto decoded = PercentDecode(path, false);
  const std::string text = (decoded ? *decoded : std::string(path)) + "/";
  return text.find("/../") != std::string::npos || text.find("/./") != std::string::npos;
}

// In the form of the product that was asked.
api::Response Problem(const Route& route, int status, const std::string& why) {
  const std::string text = std::string(WordsOf(route).setting) + ": " + why;
  if (route.upstream() != Upstream::kPrometheus) return api::PlainText(status, text);
  api::Response response;
  response.status = status;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("status").String("error");
  json.Key("errorType").String(status == 504 ? "timeout" : "unavailable");
  json.Key("error").String(text);
  json.EndObject();
  return response;
}

std::string WhyNot(const CallError& error) {
  switch (error.why) {
    case CallError::Why::kResolve: return "its host has no address: " + error.message;
    case CallError::Why::kConnect: return "it cannot be reached: " + error.message;
    case CallError::Why::kTimeout: return error.message + " (upstream.timeout)";
    case CallError::Why::kBroken: return "the connection to it broke: " + error.message;
    case CallError::Why::kTooLarge: return error.message + " (limits.upstream_bytes)";
  }
  return error.message;
}

api::Response ResponseOf(CallAnswer answer) {
  api::Response response;
  response.status = answer.status;
  response.content_type.clear();
  std::string connection;
  for (auto& [name, value] : answer.headers) {
    name = Lower(name);
    if (name == "connection") connection += Lower(value) + ",";
    if (name == "content-type") response.content_type = value;
  }
  for (auto& [name, value] : answer.headers) {
    if (!IsOfConnection(name, connection)) response.headers.emplace_back(name, std::move(value));
  }
  response.body = std::move(answer.body);
  return response;
}

bool IsExemplars(const Route& route) { return route.pattern.ends_with("/query_exemplars"); }
bool IsTraceById(const Route& route) {
  return route.upstream() == Upstream::kTempo && route.pattern.ends_with("/traces/{id}");
}
bool IsLogQuery(const Route& route) {
  return route.upstream() == Upstream::kLoki && route.pattern.ends_with("/query_range");
}

void AppendParameter(std::string_view name, std::string_view value, std::string& query) {
  if (!query.empty()) query += '&';
  api::AppendPercentEncoded(name, query);
  query += '=';
  api::AppendPercentEncoded(value, query);
}

}  // namespace

Result<UpstreamAddress> ParseUpstream(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const auto wrong = [&url] {
    return InvalidArgument("has \"" + std::string(url) + "\", want http://HOST[:PORT][/PATH]");
  };
  if (!url.starts_with(kScheme)) return wrong();
  const std::string_view rest = url.substr(kScheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const auto address = scrape::ParseAddress(rest.substr(0, slash));
  if (!address) return wrong();
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!std::all_of(path.begin(), path.end(),
                   [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#'; })) {
    return wrong();
  }
  return UpstreamAddress{.host = address->host,
                         .port = address->port,
                         .address = address->text,
                         .path = std::string(path)};
}

Upstreams::Upstreams(Limits limits, const api::links::Settings& settings, const Store& store,
                     Lookups& lookups, ReadPool& reads, const Clock& clock)
    : limits_(std::move(limits)),
      settings_(settings),
      store_(store),
      lookups_(lookups),
      reads_(reads),
      clock_(clock) {
  for (std::size_t i = 0; i < kUpstreamCount; ++i) {
    configured_.set(i, limits_.addresses[i].has_value());
  }
}

bool Upstreams::Enter() {
  if (calls_.fetch_add(1) < limits_.calls) return true;
  calls_.fetch_sub(1);
  return false;
}

CallRequest Upstreams::CallFor(const Route& route, const api::Request& request,
                               std::string_view query) const {
  const UpstreamAddress& to = *limits_.addresses[IndexOf(route.upstream())];
  CallRequest call;
  call.host = to.host;
  call.port = to.port;
  call.address = to.address;
  call.method = request.method == "HEAD" ? "GET" : request.method;
  const auto target = SplitTarget(request.target);
  call.target = to.path + std::string(target->path.substr(WordsOf(route).prefix.size()));
  if (!query.empty()) call.target.append("?").append(query);
  const std::string connection = Lower(request.Header("connection"));
  for (const auto& [name, value] : request.headers) {
    if (name == "content-type" || !IsOfConnection(name, connection)) {
      call.headers.emplace_back(name, value);
    }
  }
  call.body = std::string(request.body.view());
  call.deadline = limits_.deadline;
  call.answer_bytes = limits_.answer_bytes;
  return call;
}

void Upstreams::PassOn(const Route& route, CallRequest call, boost::asio::io_context& loop,
                       Respond respond) {
  if (!Enter()) {
    return respond(Problem(route, 503, "too many calls at once (limits.upstream_calls)"));
  }
  StartCall(loop, std::move(call), [this, &route, respond](CallResult result) {
    calls_.fetch_sub(1);
    if (auto* const answer = std::get_if<CallAnswer>(&result)) {
      return respond(ResponseOf(std::move(*answer)));
    }
    const auto& error = std::get<CallError>(result);
    const int status = error.why == CallError::Why::kTimeout ? 504 : 502;
    respond(Problem(route, status, WhyNot(error)));
  });
}

void Upstreams::MergeExemplars(const Route& route, api::Request request,
                               boost::asio::io_context& loop, Respond respond) {
  const auto answer = [this, &route, &loop, respond](const std::shared_ptr<api::Request>& asked) {
    lookups_.Handle(route, std::move(*asked), loop, respond);
  };
  const auto target = SplitTarget(request.target);
  CallRequest call = CallFor(route, request, target->query);
  std::erase_if(call.headers, [](const auto& header) { return header.first == "accept-encoding"; });
  auto asked = std::make_shared<api::Request>(std::move(request));
  if (!Enter()) {
    asked->upstream_failure = "too many calls at once (limits.upstream_calls)";
    return answer(asked);
  }
  StartCall(loop, std::move(call), [this, asked, answer](CallResult result) {
    calls_.fetch_sub(1);
    if (auto* const got = std::get_if<CallAnswer>(&result)) {
      if (got->body.empty()) {
        asked->upstream_failure = "status " + std::to_string(got->status);
      } else {
        asked->upstream_body = std::move(got->body);
      }
    } else {
      asked->upstream_failure = WhyNot(std::get<CallError>(result));
    }
    answer(asked);
  });
}

std::optional<std::string> Upstreams::NarrowedQuery(const Route& route,
                                                    const api::Request& request) const {
  const api::links::Context context{store_, settings_, clock_.NowUnixNs()};
  std::string query;
  if (IsTraceById(route)) {
    if (request.Query("start") || request.Query("end")) return std::nullopt;
    const auto range = api::RangeOfTrace(request.captures[0], request.scope, context);
    if (!range) return std::nullopt;
    for (const auto& [name, value] : request.query) AppendParameter(name, value, query);
    AppendParameter("start", std::to_string(range->start_unix_ns / kSecondNs), query);
    AppendParameter("end", std::to_string(range->end_unix_ns / kSecondNs + 1), query);
    return query;
  }
  const api::Form form(request);
  const auto trace_id = api::loki::TraceOfQuery(form.Text("query").value_or(""));
  const auto asked = api::loki::ReadRange(form, context.now_unix_ns);
  if (!trace_id || !asked) return std::nullopt;
  const auto range = api::RangeOfTrace(ToHex(*trace_id), request.scope, context);
  if (!range) return std::nullopt;
  const std::uint64_t start = std::max(asked->start_unix_ns, range->start_unix_ns);
  const std::uint64_t end = std::min(asked->end_unix_ns, range->end_unix_ns);
  if (start >= end) return std::nullopt;  // Lines that we do not hold, perhaps: as it came.
  for (const auto& [name, value] : request.query) {
    if (name != "start" && name != "end" && name != "since") AppendParameter(name, value, query);
  }
  AppendParameter("start", std::to_string(start), query);
  AppendParameter("end", std::to_string(end + 1), query);
  return query;
}

void Upstreams::Handle(const Route& route, api::Request request, boost::asio::io_context& loop,
                       Respond respond) {
  const auto target = SplitTarget(request.target);
  if (!target || StepsUp(target->path)) {
    return respond(Problem(route, 400, "the path leads out of it"));
  }
  if (IsExemplars(route)) {
    return MergeExemplars(route, std::move(request), loop, std::move(respond));
  }
  const bool is_narrowed = request.method != "POST" && (IsTraceById(route) || IsLogQuery(route));
  if (!is_narrowed) {
    CallRequest call = CallFor(route, request, target->query);
    return PassOn(route, std::move(call), loop, std::move(respond));
  }
  auto tenant = TenantFromHeader(request.Header("x-scope-orgid"));
  if (!tenant) return respond(Problem(route, 400, tenant.error().message));
  request.scope.tenant = *std::move(tenant);
  request.scope.deadline =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(limits_.deadline);
  const auto asked = std::make_shared<const api::Request>(std::move(request));
  auto work = [this, &route, asked, &loop, respond] {
    std::optional<std::string> query;
    try {
      query = NarrowedQuery(route, *asked);
    } catch (const std::exception& error) {
      LogError("a query could not be narrowed", {{"path", asked->path}, {"error", error.what()}});
    }
    const std::string_view as_sent = SplitTarget(asked->target)->query;
    auto call = std::make_shared<CallRequest>(
        CallFor(route, *asked, query ? std::string_view(*query) : as_sent));
    boost::asio::post(loop, [this, &route, call, &loop, respond] {
      PassOn(route, std::move(*call), loop, respond);
    });
  };
  if (!reads_.Submit(std::move(work))) respond(ReadQueueFull());
}

}  // namespace throughline::gateway
