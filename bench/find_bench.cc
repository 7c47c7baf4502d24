// Nanoseconds of CPU to find the trace ids of one line, for lines of several kinds.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "correlate/find.h"

namespace {

constexpr std::size_t kLineBytes = 228;
constexpr int kRounds = 7;
constexpr std::size_t kLines = 200'000;
constexpr std::size_t kDistinct = 64;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::string Hex(std::size_t count, std::uint64_t& state) {
  std::string text;
  while (text.size() < count) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += "0123456789abcdef"[state >> 60U];
  }
  return text;
}

// `head`, with 32 hex digits for each \1 and 16 for each \2, then words up to kLineBytes.
std::vector<std::string> Lines(const char* head) {
  std::vector<std::string> lines;
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < kDistinct; ++i) {
    std::string line;
    for (const char* c = head; *c != '\0'; ++c) {
      if (*c == '\1') {
        line += Hex(32, state);
      } else if (*c == '\2') {
        line += Hex(16, state);
      } else {
        line += *c;
      }
    }
    const std::string words = " order 4711 accepted for customer 12, total 99.50 EUR in 38 ms;";
    while (line.size() < kLineBytes) line += words;
    line.resize(kLineBytes);
    lines.push_back(line);
  }
  return lines;
}

using Find = void (*)(std::string_view, throughline::FoundIds&);

double NanosecondsPerLine(const std::vector<std::string>& lines, Find find, std::size_t& found) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    throughline::FoundIds ids;
    found = 0;
    const double start = CpuSeconds();
    for (std::size_t i = 0; i < kLines; ++i) {
      find(lines[i % kDistinct], ids);
      found += ids.count;
    }
    best = std::min(best, (CpuSeconds() - start) / kLines * 1e9);
  }
  return best;
}

void Report(const char* name, const char* head) {
  const auto lines = Lines(head);
  std::size_t found = 0;
  const double fast = NanosecondsPerLine(lines, throughline::FindIds, found);
  const double portable = NanosecondsPerLine(lines, throughline::FindIdsPortable, found);
  std::printf("%-24s %8.1f ns %8.1f ns portable   %.1f ids a line\n", name, fast, portable,
              static_cast<double>(found) / kLines);
}

// The work must grow with the size only: a megabyte of anchors.
void ReportHostile(const char* name, const char* unit) {
  constexpr std::size_t kHostileBytes = 1 << 20;
  std::string line;
  while (line.size() < kHostileBytes) line += unit;
  throughline::FoundIds ids;
  const double start = CpuSeconds();
  throughline::FindIds(line, ids);
  std::printf("%-24s %8.2f ms for 1 MiB\n", name, (CpuSeconds() - start) * 1e3);
}

}  // namespace

int main() {
  Report("no id", "2026-01-01 10:00:00,123 INFO [main] shop:");
  Report("trace_id", "2026-01-01 10:00:00,123 INFO [main] trace_id=\1");
  Report("trace_id, span_id", "2026-01-01 10:00:00,123 INFO [main] trace_id=\1 span_id=\2");
  Report("JSON", "{\"level\":\"info\",\"trace_id\":\"\1\",\"span_id\":\"\2\",\"msg\":\"");
  Report("TraceID: SpanID:", "10:00:00.123 INFO  a.b.C#115 TraceID: \1 SpanID: \2 [query]");
  Report("traceparent", "\"GET / HTTP/1.1\" 200 traceparent=\"00-\1-\2-01\"");
  Report("traceparent, no key", "\"GET / HTTP/1.1\" 200 \"00-\1-\2-01\"");
  Report("Sleuth", "2026-01-01 10:00:00.123 INFO [shop,\1,\2] 1 --- [main]");
  ReportHostile("trace", "trace");
  ReportHostile("trace_id=", "trace_id=");
  ReportHostile("trace_id= (open quote)", "trace_id=\"");
  ReportHostile("a.trace_id", "a.trace_id.");
  ReportHostile("[", "[");
  ReportHostile("-", "-");
  ReportHostile(",", ",");
  ReportHostile("sw8=", "sw8=");
  ReportHostile("b3=", "b3=");
  ReportHostile("1-", "1-------");
  ReportHostile("backslashes", "trace_id=\\\\\\\\\\\\\\\\");
  ReportHostile("dd", "trace_id:1234567890 ");
  ReportHostile("traces/", "projects/p/traces/");
  ReportHostile("trace object", "\"trace\":{");
  ReportHostile("Root=", "Root=1-aaaaaaaa-");
  ReportHostile("Request-Id", "Request-Id: |4bf92f3577b34da6a3ce929d0e0e473.");
  return 0;
}
