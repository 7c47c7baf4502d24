#include "correlate/analysis/coverage_advice.h"

#include <algorithm>
#include <cstdio>
#include <tuple>
#include <utility>

#include "correlate/check.h"

namespace throughline {
namespace {

constexpr std::string_view kEnvironment = "environment of the process";
constexpr std::string_view kGateway = "configuration of the gateway";
constexpr std::string_view kWriter = "what writes the line";

constexpr ConfigChange kSendSpans{kEnvironment, "OTEL_TRACES_EXPORTER=otlp"};
constexpr ConfigChange kSendHere{kEnvironment, "OTEL_EXPORTER_OTLP_ENDPOINT=<the gateway>"};
constexpr ConfigChange kSampledOnly{kEnvironment, "OTEL_METRICS_EXEMPLAR_FILTER=trace_based"};

// How the loggers of a language get the ids of the running span.
std::vector<ConfigChange> LoggerChanges(std::string_view language) {
  if (language == "java") {
    return {
        {"Logback, pattern (Java agent)", "trace_id=%mdc{trace_id} span_id=%mdc{span_id} %msg%n"},
        {"Spring Boot 3, application.properties",
         "logging.pattern.correlation=[%X{traceId:-},%X{spanId:-}]"}};
  }
  if (language == "python") return {{kEnvironment, "OTEL_PYTHON_LOG_CORRELATION=true"}};
  if (language == "nodejs") {
    return {{"start of the program, for pino",
             "registerInstrumentations({instrumentations: [new PinoInstrumentation()]})"},
            {"start of the program, for winston",
             "registerInstrumentations({instrumentations: [new WinstonInstrumentation()]})"}};
  }
  if (language == "dotnet") {
    return {{"Program.cs",
             "builder.Logging.Configure(o => o.ActivityTrackingOptions = "
             "ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId)"}};
  }
  if (language == "go") {
    return {
        {"start of the program, for log/slog", "slog.SetDefault(otelslog.NewLogger(\"<name>\"))"}};
  }
  return {{kWriter, "trace_id=<32 hex digits> span_id=<16 hex digits>"}};
}

std::uint64_t SumOf(const LinkCountsByKind& links, LinkCause cause) {
  std::uint64_t sum = 0;
  for (const LinkCounts& of_kind : links) sum += of_kind[static_cast<std::size_t>(cause)];
  return sum;
}

std::uint64_t CountOf(const ServiceCoverage& of, LinkKind kind, LinkCause cause) {
  return of.links[static_cast<std::size_t>(kind)][static_cast<std::size_t>(cause)];
}

// "1 span", "2 spans"
std::string Count(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

// "3 of 5 lines"
std::string Of(std::uint64_t part, std::uint64_t whole, std::string_view noun) {
  return std::to_string(part) + " of " + std::to_string(whole) + " " + std::string(noun);
}

std::string Ms(std::uint64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(ns) / 1e6);
  return text;
}

// Advice on one service.
class Adviser {
 public:
  Adviser(const Coverage& coverage, const ServiceCoverage& of, bool unlinked_kept,
          std::vector<Advice>& out)
      : coverage_(coverage), of_(of), unlinked_kept_(unlinked_kept), out_(out) {}

  void All() {
    ServiceName();
    Lines();
    LinesWithoutSpans();
    Exemplars();
    Ids();
  }

 private:
  void Say(Fault fault, bool wrong, std::uint64_t records, std::uint64_t of, std::string evidence,
           std::vector<ConfigChange> changes) {
    out_.push_back(
        {fault, wrong, of_.service, records, of, std::move(evidence), std::move(changes)});
  }

  // What did not come did not come: all was read, and whose it were would be known.
  bool KnowsAbsence() const { return coverage_.complete && !IsUnnamedService(of_.service); }

  void ServiceName() {
    if (!IsUnnamedService(of_.service)) return;
    const std::uint64_t records = of_.spans + of_.lines + of_.exemplars;
    if (records == 0) return;
    std::vector<ConfigChange> changes;
    const bool of_sdk = of_.spans > 0 || !of_.service.empty() || !of_.language.empty();
    if (of_sdk) changes.push_back({kEnvironment, "OTEL_SERVICE_NAME=<name>"});
    if (of_.service.empty()) LineService(changes);
    // A line without a service is given that of its span.
    Say(Fault::kMissingServiceName, of_.spans > 0 || !of_.service.empty(), records, records,
        Count(of_.spans, "span") + ", " + Count(of_.lines, "line") + " and " +
            Count(of_.exemplars, "exemplar") + " without a service.name of their own",
        std::move(changes));
  }

  // By the roads that the lines came.
  void LineService(std::vector<ConfigChange>& changes) const {
    if (of_.stream_lines > 0) {
      changes.push_back(
          {"Promtail, scrape_configs: static_configs: labels", "service_name: <name>"});
      changes.push_back({"Fluent Bit, output loki", "labels service_name=<name>"});
    }
    if (of_.resource_lines > 0) {
      changes.push_back({"Collector, processors: resource: attributes",
                         "- {key: service.name, value: <name>, action: insert}"});
    }
    if (of_.lines > of_.stream_lines + of_.resource_lines) {
      changes.push_back({"what writes the line, in JSON", "\"service\": \"<name>\""});
    }
  }

  void Lines() {
    const std::uint64_t without = of_.lines - of_.lines_with_ids;
    if (unlinked_kept_ && of_.lines >= kFewestRecords && 2 * of_.lines_with_ids < of_.lines) {
      // What sends no spans has no ids to write.
      Say(Fault::kLinesWithoutIds, of_.spans > 0, without, of_.lines,
          Of(without, of_.lines, "lines carry no trace id"), LoggerChanges(of_.language));
    } else if (KnowsAbsence() && of_.spans >= kFewestRecords && of_.lines_with_ids == 0 &&
               of_.spans_with_lines == 0) {
      std::vector<ConfigChange> changes{{kEnvironment, "OTEL_LOGS_EXPORTER=otlp"}};
      std::string evidence = Count(of_.spans, "span") + " came, and no line with a trace id";
      if (!unlinked_kept_) {
        evidence += "; lines without one are not stored, so whether any came is not known here";
        changes.push_back({kGateway, "logs: {keep_unlinked: true}"});
      }
      Say(Fault::kSpansWithoutLines, false, of_.spans, of_.spans, std::move(evidence),
          std::move(changes));
    }
  }

  void LinesWithoutSpans() {
    const std::uint64_t dead = CountOf(of_, LinkKind::kLog, LinkCause::kNoSpan);
    if (!KnowsAbsence() || of_.spans > 0) return;
    if (dead < kFewestRecords || 2 * dead < of_.lines_with_ids) return;
    Say(Fault::kLinesWithoutSpans, true, dead, of_.lines_with_ids,
        Of(dead, of_.lines_with_ids, "lines name traces of which no span came") +
            ", and the service sent none",
        {kSendSpans, kSendHere});
  }

  void Exemplars() {
    const std::uint64_t without = of_.exemplars - of_.exemplars_with_ids;
    if (unlinked_kept_ && of_.exemplars >= kFewestRecords && 2 * without > of_.exemplars) {
      Say(Fault::kExemplarsWithoutIds, true, without, of_.exemplars,
          Of(without, of_.exemplars, "exemplars carry no trace id"), {kSampledOnly});
    }
    const std::uint64_t unsampled = CountOf(of_, LinkKind::kExemplar, LinkCause::kUnsampledFlag);
    const std::uint64_t decided = CountOf(of_, LinkKind::kExemplar, LinkCause::kDecision);
    const std::uint64_t no_span = CountOf(of_, LinkKind::kExemplar, LinkCause::kNoSpan);
    const std::uint64_t retired = CountOf(of_, LinkKind::kExemplar, LinkCause::kRetention);
    const std::uint64_t dead = unsampled + decided + no_span + retired;
    if (dead == 0 || 10 * dead < of_.exemplars_with_ids) return;
    std::vector<ConfigChange> changes;
    if (unsampled > 0) changes.push_back(kSampledOnly);
    // Where it sends spans, these were lost or dropped on the way.
    if (no_span > 0 && of_.spans == 0) changes.insert(changes.end(), {kSendSpans, kSendHere});
    if (retired > 0) {
      changes.push_back({kGateway, "store: {retention_spans: <that of exemplars, or longer>}"});
    }
    Say(Fault::kDeadExemplars, true, dead, of_.exemplars_with_ids,
        Of(dead, of_.exemplars_with_ids, "exemplars do not open") + ": " + std::to_string(no_span) +
            " without spans, " + std::to_string(unsampled + decided) + " sampled out, " +
            std::to_string(retired) + " expired",
        std::move(changes));
  }

  void Ids() {
    if (const std::uint64_t broken = SumOf(of_.links, LinkCause::kNoId); broken > 0) {
      std::string evidence = Count(broken, "unreadable id");
      for (const LinkSample& sample : coverage_.unreadable) {
        if (sample.service != of_.service) continue;
        evidence += ", such as \"" + sample.text + "\" (" + sample.reason + ")";
        break;
      }
      Say(Fault::kUnreadableIds, true, broken, of_.lines + of_.exemplars, std::move(evidence),
          {{kWriter, "trace_id=<32 hex digits>"}});
    }
    const std::uint64_t zeros = CountOf(of_, LinkKind::kLog, LinkCause::kAllZero);
    if (zeros >= kFewestRecords && 2 * zeros > of_.lines) {
      Say(Fault::kZeroIds, false, zeros, of_.lines,
          Of(zeros, of_.lines, "lines have an id of zeros") +
              ": they are written where no span is running",
          {});
    }
    if (of_.short_ids > 0) {
      const bool datadog = of_.spellings[static_cast<std::size_t>(Spelling::kDecimal)] > 0;
      const std::uint64_t several = CountOf(of_, LinkKind::kLog, LinkCause::kSeveralTraces);
      const ConfigChange change =
          datadog ? ConfigChange{kEnvironment, "DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED=true"}
                  : ConfigChange{kWriter, "trace_id=<32 hex digits>"};
      Say(Fault::kShortIds, several > 0, of_.short_ids, of_.lines_with_ids,
          Of(of_.short_ids, of_.lines_with_ids, "lines with ids have 64 bits of one") + "; " +
              std::to_string(several) + " of them could be of several traces",
          {change});
    }
    if (of_.label_ids > 0) {
      Say(Fault::kIdsInLabels, false, of_.label_ids, of_.lines_with_ids,
          Of(of_.label_ids, of_.lines_with_ids,
             "lines with ids have theirs in the labels of their stream") +
              ", which makes a stream for each trace",
          {{"Promtail, pipeline_stages: instead of labels", "structured_metadata: {trace_id: }"},
           {"Fluent Bit, output loki: instead of label_keys",
            "structured_metadata trace_id=$trace_id"}});
    }
  }

  const Coverage& coverage_;
  const ServiceCoverage& of_;
  const bool unlinked_kept_;
  std::vector<Advice>& out_;
};

void AdviseOnExemplars(const Coverage& coverage, std::vector<Advice>& out) {
  std::uint64_t spans = 0;
  std::uint64_t exemplars = 0;
  for (const ServiceCoverage& of : coverage.services) {
    spans += of.spans;
    exemplars += of.exemplars;
  }
  if (!coverage.complete || spans < kFewestRecords || exemplars > 0) return;
  out.push_back({.fault = Fault::kNoExemplars,
                 .wrong = false,
                 .service = {},
                 .records = spans,
                 .of = spans,
                 .evidence = Count(spans, "span") + " came, and no exemplar",
                 .changes = {{kEnvironment, "OTEL_METRICS_EXPORTER=otlp"},
                             kSampledOnly,
                             {"Prometheus, command line", "--enable-feature=exemplar-storage"},
                             {"Prometheus, remote_write", "send_exemplars: true"}}});
}

void AdviseOnSkew(const Coverage& coverage, std::vector<Advice>& out) {
  for (const HostSkew& skew : coverage.skew) {
    if (!skew.is_proven() || skew.Distance() < kWorstSkewNs) continue;
    const bool ahead = skew.offset_ns > 0;
    out.push_back({.fault = Fault::kClockSkew,
                   .wrong = true,
                   .service = {},
                   .records = skew.pairs,
                   .of = skew.pairs,
                   .evidence = "the clock of " + (ahead ? skew.to : skew.from) + " is " +
                               Ms(skew.Distance()) + " (+- " + Ms(skew.bound_ns) +
                               ") ahead of that of " + (ahead ? skew.from : skew.to),
                   .changes = {{"both hosts", "timedatectl set-ntp true"}}});
  }
}

}  // namespace

std::string_view FaultName(Fault fault) {
  switch (fault) {
    case Fault::kMissingServiceName: return "missing_service_name";
    case Fault::kLinesWithoutIds: return "lines_without_ids";
    case Fault::kSpansWithoutLines: return "spans_without_lines";
    case Fault::kLinesWithoutSpans: return "lines_without_spans";
    case Fault::kDeadExemplars: return "dead_exemplars";
    case Fault::kNoExemplars: return "no_exemplars";
    case Fault::kExemplarsWithoutIds: return "exemplars_without_ids";
    case Fault::kUnreadableIds: return "unreadable_ids";
    case Fault::kZeroIds: return "zero_ids";
    case Fault::kShortIds: return "short_ids";
    case Fault::kIdsInLabels: return "ids_in_labels";
    case Fault::kClockSkew: return "clock_skew";
  }
  CheckFailed("known fault", __FILE__, __LINE__);
}

std::vector<Advice> AdviseOn(const Coverage& coverage, bool unlinked_kept) {
  std::vector<Advice> out;
  for (const ServiceCoverage& of : coverage.services) {
    Adviser(coverage, of, unlinked_kept, out).All();
  }
  AdviseOnExemplars(coverage, out);
  AdviseOnSkew(coverage, out);
  // Stable: of the same by name, as the services and hosts are.
  std::stable_sort(out.begin(), out.end(), [](const Advice& a, const Advice& b) {
    return std::tuple(!a.wrong, a.fault) < std::tuple(!b.wrong, b.fault);
  });
  return out;
}

}  // namespace throughline
