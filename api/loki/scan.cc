#include "api/loki/scan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/loki/plan.h"
#include "correlate/attribute.h"

namespace throughline::api::loki {
namespace {

constexpr std::size_t kMostOfAPage = 20'000;
constexpr std::size_t kPageGrowth = 4;
constexpr std::string_view kDeadline =
    "lines are missing: the query was cut at limits.lookup_deadline";

std::uint64_t TimeOf(const LogLine& line, std::uint64_t arrival_unix_ns) {
  return EffectiveTimeOf(line.time_unix_ns, line.observed_unix_ns, arrival_unix_ns).unix_ns;
}

class Scanner {
 public:
  Scanner(const query::LogSelection& selection, const Scope& scope, const links::Context& context,
          const OnEntry& on_entry, std::string service, bool metadata,
          std::size_t most_asked = kNoBound)
      : pipeline_(selection),
        labeler_(scope, context, std::move(service), most_asked),
        on_entry_(on_entry),
        metadata_(metadata) {}

  // False: the caller has enough. `arrival_unix_ns`: of all lines; nullopt: each has its own.
  bool Page(const Batch& page, std::optional<std::uint64_t> arrival_unix_ns, ScanEnd& end) {
    labeler_.Begin(page);
    for (const LogLine& line : page.logs) {
      ++end.lines;
      Entry entry;
      const Value body = ReadValue(line.body);
      if (body.type == ValueType::kString) {
        end.bytes += body.bytes.size();
        if (!pipeline_.TextMatches(body.bytes)) continue;
        entry.line = body.bytes;
      } else {
        entry.line = ValueText(line.body);
        end.bytes += entry.line.size();
        if (!pipeline_.TextMatches(entry.line)) continue;
      }
      const LineLabels& stream = labeler_.StreamOf(line);
      const std::uint64_t unix_ns = TimeOf(line, arrival_unix_ns.value_or(line.arrival_unix_ns));
      if (labeler_.gave_up()) {
        end.missing = kDeadline;  // Or the caller's most_asked, of which it says so itself.
        end.reached_unix_ns = unix_ns;
        return false;
      }
      if (!pipeline_.StreamMatches(stream)) continue;
      entry.unix_ns = unix_ns;
      entry.labels = stream;
      if (metadata_) labeler_.AddMetadata(line, entry.labels);
      if (pipeline_.Run(entry) && !on_entry_(entry)) return false;
    }
    return true;
  }

 private:
  const Pipeline pipeline_;
  LineLabeler labeler_;
  const OnEntry& on_entry_;
  const bool metadata_;
};

std::string Missing(const RecordPage& page) {
  return page.incomplete_reason == "deadline" ? std::string(kDeadline)
                                              : "lines may be missing: " + page.incomplete_reason;
}

}  // namespace

Result<ScanEnd> Scan(const query::LogSelection& asked, const ScanOptions& options,
                     const Scope& scope, const links::Context& context, const OnEntry& on_entry) {
  query::LogSelection selection = asked;
  SpellTraceIds(selection);
  const Plan plan = PlanFor(selection);
  LogQuery query;
  query.time = options.range;
  query.trace_id = plan.trace_id;
  query.service = plan.service;
  query.contains = plan.contains;
  query.linked_only = false;
  query.newest_first = options.newest_first;
  query.limit = std::clamp<std::size_t>(options.first_page, 1, options.lines);
  const std::string_view assumed = options.services ? std::string_view() : kUnknownService;
  Scanner scanner(selection, scope, context, on_entry, plan.service.value_or(std::string(assumed)),
                  options.metadata || !selection.stages.empty(), options.most_asked);
  ScanEnd end;
  end.reached_unix_ns =
      options.newest_first ? options.range.end_unix_ns : options.range.start_unix_ns;
  while (true) {
    TL_TRY_ASSIGN(const RecordPage page, context.store.FindLogs(scope, query));
    const bool goes_on = scanner.Page(page.records, std::nullopt, end);
    if (!page.complete) {
      if (end.missing.empty()) end.missing = Missing(page);
      return end;
    }
    if (!goes_on || page.cursor.empty()) return end;
    // What comes next is not before the last line, so the store need not look there again.
    const LogLine& last = page.records.logs.back();
    end.reached_unix_ns = TimeOf(last, last.arrival_unix_ns);
    (options.newest_first ? query.time.end_unix_ns : query.time.start_unix_ns) =
        end.reached_unix_ns;
    query.cursor = page.cursor;
    if (end.lines >= options.lines || scope.Expired()) {
      end.missing = end.lines >= options.lines
                        ? "lines are missing: only " + std::to_string(end.lines) +
                              " were looked at (limits.lines_read)"
                        : std::string(kDeadline);
      return end;
    }
    query.limit = std::min({query.limit * kPageGrowth, kMostOfAPage, options.lines - end.lines});
  }
}

void ScanBatch(const query::LogSelection& selection, const Batch& batch,
               std::uint64_t arrival_unix_ns, const Scope& scope, const links::Context& context,
               const OnEntry& on_entry) {
  ScanEnd end;
  Scanner(selection, scope, context, on_entry, std::string(), true)
      .Page(batch, arrival_unix_ns, end);
}

}  // namespace throughline::api::loki
