// Explain in windows in which nothing is wrong: it must name nobody, or nearly so; and in the same
// systems whom something is wrong with.
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/analysis/explain.h"
#include "correlate/analysis/explain_baseline.h"
#include "tests/correlate/quiet_system.h"

namespace throughline {
namespace {

constexpr std::uint64_t kFirstWindow = 14;  // Minutes: before are its candidates.
constexpr std::uint64_t kWindowsApart = 3;

// THROUGHLINE_QUIET_SYSTEMS=1000 asks of as many, with eight windows each.
std::uint64_t SystemsToAsk() {
  const char* const given = std::getenv("THROUGHLINE_QUIET_SYSTEMS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 25;
}

TimeSpan MinuteOf(std::uint64_t minute) {
  return {QuietSystem::kStart + minute * QuietSystem::kMinute,
          QuietSystem::kStart + (minute + 1) * QuietSystem::kMinute};
}

Explanation ExplainMinute(const RecordedTraces& traces, std::uint64_t minute) {
  const auto window_of = [&traces](const TimeSpan& time) {
    return WindowOf(traces, time.start_unix_ns, time.end_unix_ns);
  };
  const ChosenBaseline chosen =
      ChooseBaseline(traces, MinuteOf(minute), minute * QuietSystem::kMinute);
  std::vector<TraceWindow> baseline;
  for (const TimeSpan& time : chosen.windows) baseline.push_back(window_of(time));
  return Explain(traces, window_of(MinuteOf(minute)), baseline, {});
}

// Whom it named, and for what.
std::string Named(std::uint64_t seed, std::uint64_t minute, const Explanation& explanation) {
  const Culprit& culprit = explanation.culprits.front();
  std::string text =
      "\n  seed " + std::to_string(seed) + " minute " + std::to_string(minute) + ": " +
      culprit.service + " " + culprit.kind + " " + std::to_string(culprit.score) + ", added " +
      std::to_string(culprit.added_share) + " in " + std::to_string(culprit.slow_traces) +
      ", changed " + std::to_string(culprit.changed_traces) + " of " +
      std::to_string(explanation.traces);
  for (const ExplainedEdge& edge : culprit.edges) {
    text += "\n    " + edge.caller + ">" + edge.callee + edge.operation + " " +
            std::to_string(edge.slower) + "/" + std::to_string(edge.total) + " z " +
            std::to_string(edge.z);
  }
  for (const ExplainedFinding& finding : culprit.findings) {
    text += "\n    " + finding.kind + " " + finding.pattern + " in " + finding.context + " " +
            std::to_string(finding.share_change) + " z " + std::to_string(finding.z) + " traces " +
            std::to_string(finding.traces) + " by " + finding.explained_by;
  }
  return text;
}

RecordedTraces Record(QuietSystem& system, std::uint64_t minutes) {
  TraceRecorder recorder(7, {}, {});
  for (std::uint64_t minute = 0; minute < minutes; ++minute) recorder.Add(system.Minute(minute));
  return std::move(recorder).Close();
}

// Of the systems, in whose window after `kFirstWindow` quiet minutes the one is named that `breaks`
// broke.
template <typename Break>
std::size_t CountFound(Break breaks, std::string& missed) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= SystemsToAsk(); ++seed) {
    QuietSystem system(seed);
    TraceRecorder recorder(7, {}, {});
    for (std::uint64_t minute = 0; minute < kFirstWindow; ++minute) {
      recorder.Add(system.Minute(minute));
    }
    const std::size_t broken = system.BusiestService();
    breaks(system, broken);
    recorder.Add(system.Minute(kFirstWindow));
    const RecordedTraces traces = std::move(recorder).Close();
    const Explanation explanation = ExplainMinute(traces, kFirstWindow);
    const bool named = explanation.verdict == Verdict::kCulprit;
    if (named && explanation.culprits.front().service == system.NameOf(broken)) {
      ++found;
    } else {
      missed += "\n" + system.NameOf(broken) + (named ? "" : ", nobody named");
      if (!explanation.culprits.empty()) missed += Named(seed, kFirstWindow, explanation);
    }
  }
  return found;
}

TEST(QuietWindows, TheSameSystemsNameWhoIsSlow) {
  std::string missed;
  const std::size_t found = CountFound(
      [](QuietSystem& system, std::size_t service) {
        system.slow_service = service;
        system.slow_times = 8;
      },
      missed);
  std::printf("%zu of %zu slow services are named%s\n", found, SystemsToAsk(), missed.c_str());
  EXPECT_GE(found, SystemsToAsk() * 9 / 10) << missed;
}

TEST(QuietWindows, TheSameSystemsNameWhoFails) {
  std::string missed;
  const std::size_t found = CountFound(
      [](QuietSystem& system, std::size_t service) {
        system.failing_service = service;
        system.failing_share = 0.5;
      },
      missed);
  std::printf("%zu of %zu failing services are named%s\n", found, SystemsToAsk(), missed.c_str());
  EXPECT_GE(found, SystemsToAsk() * 9 / 10) << missed;
}

TEST(QuietWindows, AtMostOneInTwentyNamesSomebody) {
  std::size_t windows = 0;
  std::size_t named = 0;
  std::string whom;
  for (std::uint64_t seed = 1; seed <= SystemsToAsk(); ++seed) {
    QuietSystem system(seed);
    const RecordedTraces traces = Record(system, QuietSystem::kMinutes);
    ASSERT_EQ(traces.limits, "") << seed;
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t minute = kFirstWindow + static_cast<std::uint64_t>(i) * kWindowsApart;
      const Explanation explanation = ExplainMinute(traces, minute);
      ASSERT_NE(explanation.verdict, Verdict::kTooLittleData) << explanation.reason;
      ++windows;
      if (explanation.verdict != Verdict::kCulprit) continue;
      ++named;
      whom += Named(seed, minute, explanation);
    }
  }
  EXPECT_LE(named, windows / 20) << whom;
  std::printf("%zu of %zu quiet windows name somebody%s\n", named, windows, whom.c_str());
}

}  // namespace
}  // namespace throughline
