// GET /traces/{id}: all of one trace.
#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "api/links/handlers.h"
#include "api/links/known_traces.h"
#include "api/links/lookup.h"
#include "api/links/render.h"
#include "api/otlp_traces.h"
#include "api/parameters.h"
#include "api/status.h"
#include "correlate/analysis/critical_path.h"
#include "correlate/analysis/integrity.h"
#include "correlate/analysis/line_placement.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/record_time.h"
#include "correlate/summary.h"

namespace throughline::api::links {
namespace {

// The states of so many distinct linked traces are looked up; of further ones the state is null.
constexpr std::size_t kMaxLinkedTraces = 64;

enum Part : std::uint32_t {
  kSummary = 1,
  kSpans = 2,
  kLogs = 4,
  kExemplars = 8,
  kIntegrity = 16,
  kCriticalPath = 32,
  kAll = 63
};

struct Asked {
  std::uint32_t parts = kAll;
  bool otlp = false;
  FindOptions options;
};

Result<Asked> ReadParameters(const Request& request, const Context& context) {
  Parameters parameters(request, context.now_unix_ns);
  Asked asked;
  asked.parts =
      parameters
          .Words("include", {"summary", "spans", "logs", "exemplars", "integrity", "critical_path"})
          .value_or(kAll);
  const std::string_view accept = request.Header("accept");
  const bool accepts_otlp = accept.find("application/protobuf") != accept.npos ||
                            accept.find("application/x-protobuf") != accept.npos;
  asked.otlp = parameters.Word("format", {"json", "otlp"}, accepts_otlp ? 1 : 0) == 1;
  asked.options.hint.start_unix_ns = parameters.Time("start").value_or(0);
  asked.options.hint.end_unix_ns = parameters.Time("end").value_or(UINT64_MAX);
  parameters.Allow("wait");  // The gateway's.
  parameters.Allow("complete");
  TL_TRY(parameters.Check());
  return asked;
}

// Records are missing that can still be expected: no span yet, or parents that are named and not
// here, while the last record is young.
bool StillArriving(const Batch& batch, const TraceTree& tree, const Context& context) {
  if (!batch.spans.empty() && tree.missing_parents.empty()) return false;
  std::uint64_t last = 0;
  for (const Span& span : batch.spans) last = std::max(last, span.arrival_unix_ns);
  for (const LogLine& line : batch.logs) last = std::max(last, line.arrival_unix_ns);
  for (const Exemplar& exemplar : batch.exemplars) {
    last = std::max(last, exemplar.arrival_unix_ns);
  }
  return last > context.now_unix_ns ||
         context.now_unix_ns - last < context.settings.pending_wait_ns;
}

// Writes the parts of the answer that are records.
class TraceWriter {
 public:
  TraceWriter(wire::JsonWriter& json, TraceId trace_id, const TraceRecords& records,
              KnownTraces& known, const Context& context)
      : json_(json),
        trace_id_(trace_id),
        batch_(records.records),
        tree_(BuildTraceTree(batch_)),
        records_(json, batch_),
        known_(known),
        context_(context) {}

  const TraceTree& tree() const { return tree_; }

  void Spans() {
    json_.Key("spans").BeginArray();
    const auto states = [this](TraceId id) { return StateOfLinked(id); };
    for (const std::uint32_t index : tree_.order) records_.WriteSpan(batch_.spans[index], states);
    json_.EndArray();
  }

  void Logs() {
    std::vector<std::uint32_t> indices(batch_.logs.size());
    std::iota(indices.begin(), indices.end(), 0U);
    json_.Key("logs").BeginArray();
    for (const PlacedLine& line : PlaceLines(batch_, tree_, batch_, indices)) {
      records_.WriteLine(line, false);
    }
    json_.EndArray();
  }

  void Exemplars() {
    std::vector<const Exemplar*> order;
    for (const Exemplar& exemplar : batch_.exemplars) order.push_back(&exemplar);
    std::sort(order.begin(), order.end(), [](const Exemplar* a, const Exemplar* b) {
      return std::tuple(TimeOf(*a), a->span_id, a->identity) <
             std::tuple(TimeOf(*b), b->span_id, b->identity);
    });
    json_.Key("exemplars").BeginArray();
    for (const Exemplar* exemplar : order) {
      json_.BeginObject();
      records_.WriteExemplarMembers(*exemplar);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Integrity() {
    const TraceIntegrity integrity = IntegrityOf(batch_, tree_);
    json_.Key("integrity").BeginObject();
    json_.Key("roots").Uint(integrity.roots);
    json_.Key("missing_parents").BeginArray();
    for (const SpanId id : integrity.missing_parents) WriteId(json_, id);
    json_.EndArray();
    json_.Key("duplicates").Uint(integrity.duplicates);
    json_.Key("loops").Uint(integrity.loops);
    json_.Key("end_before_start").Uint(integrity.end_before_start);
    json_.Key("after_parent").Uint(integrity.after_parent);
    json_.Key("before_parent").Uint(integrity.before_parent);
    json_.Key("outlives_parent").Uint(integrity.outlives_parent);
    json_.Key("skew").BeginArray();
    for (const HostSkew& skew : SkewOf(batch_)) WriteSkew(json_, skew);
    json_.EndArray();
    json_.EndObject();
  }

  void Path() {
    const CriticalPathOf path = CriticalPath(batch_, tree_);
    json_.Key("critical_path").BeginArray();
    for (const CriticalSpan& critical : path.spans) {
      const Span& span = tree_.At(batch_, critical.place);
      json_.BeginObject();
      WriteId(json_.Key("span_id"), span.span_id);
      json_.Key("service").String(batch_.ServiceOf(span));
      json_.Key("name").String(span.name);
      WriteTime(json_, "start_unix_nano", "start_time", span.start_unix_ns);
      WriteDuration(json_.Key("self_ns"), critical.self_ns);
      json_.EndObject();
    }
    json_.EndArray();
    json_.Key("critical_path_undetermined");
    if (path.undetermined.empty()) {
      json_.Null();
    } else {
      json_.String(path.undetermined);
    }
  }

 private:
  std::optional<LinkState> StateOfLinked(TraceId id) {
    if (SameTrace(id, trace_id_)) return LinkState::kLive;  // This span is here.
    if (!known_.Has(id) && known_.size() >= kMaxLinkedTraces) return std::nullopt;
    const auto found = known_.Find(id);
    if (!found) return std::nullopt;
    return LinkOf(**found, 0, context_).state;
  }

  wire::JsonWriter& json_;
  const TraceId trace_id_;
  const Batch& batch_;
  const TraceTree tree_;
  RecordWriter records_;
  KnownTraces& known_;
  const Context& context_;
};

Result<Response> Render(const Asked& asked, const Lookup& lookup, KnownTraces& known,
                        const Context& context) {
  const TraceRecords& records = lookup.records;
  const TraceId trace_id = lookup.matches.front().trace_id;
  Response response;
  const Batch& batch = records.records;
  response.body.reserve(1024 + batch.spans.size() * 1280 + batch.logs.size() * 1024 +
                        batch.exemplars.size() * 768);
  wire::JsonWriter json(response.body);
  TraceWriter writer(json, trace_id, records, known, context);
  json.BeginObject();
  WriteId(json.Key("trace_id"), trace_id);
  json.Key("spelling").String(SpellingName(lookup.matches.front().spelling));
  WriteLink(json,
            StateOf(records.evidence, 0, context.now_unix_ns, context.settings.pending_wait_ns));
  const bool arriving = records.complete && StillArriving(batch, writer.tree(), context);
  WriteCompleteness(json, records.complete && !arriving,
                    arriving ? std::string_view("still arriving") : records.incomplete_reason);
  if ((asked.parts & kSummary) != 0) {
    json.Key("summary");
    if (records.complete) {
      const TraceSummary summary = SummaryOf(trace_id, batch);
      WriteSummary(json, &summary);
    } else {
      // The store looks at more records than an answer may have.
      TL_TRY_ASSIGN(const KnownTrace* trace, known.Find(trace_id));
      WriteSummary(json, trace->summary());
    }
  }
  if ((asked.parts & kSpans) != 0) writer.Spans();
  if ((asked.parts & kLogs) != 0) writer.Logs();
  if ((asked.parts & kExemplars) != 0) writer.Exemplars();
  if ((asked.parts & kIntegrity) != 0) writer.Integrity();
  if ((asked.parts & kCriticalPath) != 0) writer.Path();
  json.EndObject();
  return response;
}

Response RenderOtlp(const TraceRecords& records) {
  Response response;
  response.content_type = "application/protobuf";
  response.body =
      OtlpTracesData(records.records, BuildTraceTree(records.records), OtlpPresence::kAsSent);
  return response;
}

}  // namespace

Response GetTrace(const Request& request, const Context& context) {
  const std::string_view text = request.captures.empty() ? std::string_view() : request.captures[0];
  const auto asked = ReadParameters(request, context);
  if (!asked) return Problem(asked.error());
  const auto lookup = LookUp(text, request.scope, asked->options, context);
  if (!lookup) return MalformedProblem(text, lookup.error());
  if (lookup->matches.empty()) return NothingProblem(text, *lookup, context);
  KnownTraces known(request.scope, context);
  if (lookup->matches.size() > 1) return AmbiguousProblem(text, *lookup, known, context);
  if (asked->otlp) return RenderOtlp(lookup->records);
  auto response = Render(*asked, *lookup, known, context);
  return response ? std::move(*response) : Problem(response.error());
}

}  // namespace throughline::api::links
