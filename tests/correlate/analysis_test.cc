// The tree of a trace, its critical path, and where its lines belong.
#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/analysis/critical_path.h"
#include "correlate/analysis/integrity.h"
#include "correlate/analysis/line_placement.h"
#include "correlate/analysis/trace_tree.h"
#include "correlate/batch.h"

namespace throughline {
namespace {

constexpr std::uint64_t kBase = 1'700'000'000'000'000'000;

struct TestSpan {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::uint64_t start = 0;  // After kBase.
  std::uint64_t end = 0;
  std::string service = "a";
  std::uint32_t kind = 1;
};

struct TestLine {
  std::uint64_t span_id = 0;
  std::uint64_t time = 0;
  std::string service = "a";
};

// A batch of one trace; identities are the numbers of the spans in the list.
class TestTrace {
 public:
  explicit TestTrace(const std::vector<TestSpan>& spans, const std::vector<TestLine>& lines = {}) {
    for (const TestSpan& from : spans) {
      Span span;
      span.trace_id = {1, 2};
      span.span_id = {from.id};
      span.parent_span_id = {from.parent};
      span.start_unix_ns = kBase + from.start;
      span.end_unix_ns = kBase + from.end;
      span.kind = from.kind;
      span.arrival_unix_ns = kBase;
      span.resource = ResourceOf(from.service);
      span.identity = batch.spans.size();
      batch.spans.push_back(span);
    }
    for (const TestLine& from : lines) {
      LogLine line;
      line.trace_id = {1, 2};
      line.span_id = {from.span_id};
      line.time_unix_ns = kBase + from.time;
      line.arrival_unix_ns = kBase;
      line.service = batch.arena.Copy(from.service);
      line.identity = batch.logs.size();
      batch.logs.push_back(line);
    }
  }

  std::vector<PlacedLine> Place() const {
    std::vector<std::uint32_t> indices(batch.logs.size());
    std::iota(indices.begin(), indices.end(), 0U);
    return PlaceLines(batch, BuildTraceTree(batch), batch, indices);
  }

  Batch batch;

 private:
  std::uint32_t ResourceOf(const std::string& service) {
    const auto next = static_cast<std::uint32_t>(batch.resources.size());
    const auto [at, added] = resources_.emplace(service, next);
    if (added) {
      Resource resource;
      resource.service = batch.arena.Copy(service);
      batch.resources.push_back(resource);
    }
    return at->second;
  }

  std::map<std::string, std::uint32_t> resources_;
};

// Names the cases of a parameterised suite.
struct NameOf {
  template <typename Case>
  std::string operator()(const testing::TestParamInfo<Case>& test) const {
    return test.param.name;
  }
};

std::uint64_t ParentId(const TestTrace& trace, const TraceTree& tree, std::uint64_t id) {
  const auto halves = tree.HalvesOf({id});
  EXPECT_EQ(halves.size(), 1U);
  const std::uint32_t parent = tree.parent[halves.front().place];
  return parent == kNoIndex ? 0 : tree.At(trace.batch, parent).span_id.value;
}

TEST(TraceTree, OfNothing) {
  const TestTrace trace({});
  const TraceTree tree = BuildTraceTree(trace.batch);
  EXPECT_TRUE(tree.order.empty());
  EXPECT_EQ(tree.root, kNoIndex);
  EXPECT_TRUE(CriticalPath(trace.batch, tree).spans.empty());
  EXPECT_EQ(CriticalPath(trace.batch, tree).undetermined, "no spans");
}

TEST(TraceTree, OrdersByTimeThenSpanIdThenIdentity) {
  const TestTrace trace({{7, 0, 5, 6}, {9, 7, 1, 2}, {3, 7, 5, 6}, {3, 7, 5, 6}});
  const TraceTree tree = BuildTraceTree(trace.batch);
  EXPECT_EQ(tree.order, (std::vector<std::uint32_t>{1, 2, 3, 0}));
}

TEST(TraceTree, RootIsTheEarliestWithoutParent) {
  const TestTrace trace({{1, 99, 0, 10}, {2, 0, 5, 10}, {3, 0, 4, 10}});
  const TraceTree tree = BuildTraceTree(trace.batch);
  EXPECT_EQ(tree.At(trace.batch, tree.root).span_id, SpanId{3});
  EXPECT_EQ(tree.roots, 2U);
  EXPECT_EQ(tree.missing_parents, (std::vector<SpanId>{{99}}));
}

TEST(TraceTree, WithoutOneTheEarliestWithAMissingParent) {
  const TestTrace trace({{4, 5, 0, 9}, {5, 4, 1, 9}, {6, 99, 3, 4}, {7, 98, 2, 4}});
  const TraceTree tree = BuildTraceTree(trace.batch);
  EXPECT_EQ(tree.At(trace.batch, tree.root).span_id, SpanId{7});
  EXPECT_EQ(tree.missing_parents, (std::vector<SpanId>{{98}, {99}}));
  EXPECT_EQ(tree.loops, 1U);
}

TEST(TraceTree, CutsLoopsAtTheirEarliestSpan) {
  const TestTrace trace({{1, 3, 5, 9}, {2, 1, 2, 9}, {3, 2, 3, 9}, {4, 1, 6, 7}, {8, 8, 1, 2}});
  const TraceTree tree = BuildTraceTree(trace.batch);
  EXPECT_EQ(tree.loops, 2U);
  EXPECT_EQ(ParentId(trace, tree, 2), 0U);
  EXPECT_EQ(ParentId(trace, tree, 3), 2U);
  EXPECT_EQ(ParentId(trace, tree, 1), 3U);
  EXPECT_EQ(ParentId(trace, tree, 4), 1U);
  EXPECT_EQ(ParentId(trace, tree, 8), 0U);
  EXPECT_EQ(tree.root, 0U);
}

TEST(TraceTree, SharedSpanServerHalfStandsUnderTheClientHalf) {
  // Zipkin: both halves of a call carry one id and the same parent.
  const TestTrace trace({{1, 0, 0, 100, "front", 2},
                         {2, 1, 10, 90, "front", 3},
                         {2, 1, 20, 80, "back", 2},
                         {3, 2, 30, 70, "back", 1},
                         {4, 2, 31, 70, "other", 1}});
  const TraceTree tree = BuildTraceTree(trace.batch);
  EXPECT_EQ(tree.duplicates, 1U);
  EXPECT_EQ(tree.roots, 1U);
  EXPECT_EQ(tree.parent, (std::vector<std::uint32_t>{kNoIndex, 0, 1, 2, 2}));
  EXPECT_EQ(tree.depth, (std::vector<std::uint32_t>{0, 1, 2, 3, 3}));
}

TEST(TraceTree, HugeChainsAndHugeTwinsAreBounded) {
  std::vector<TestSpan> spans;
  for (std::uint64_t i = 1; i <= 20'000; ++i) spans.push_back({i, i - 1, i, 100'000 - i});
  const TestTrace chain(spans);
  const TraceTree deep = BuildTraceTree(chain.batch);
  EXPECT_EQ(deep.depth.back(), 19'999U);
  EXPECT_EQ(CriticalPath(chain.batch, deep).spans.size(), 20'000U);
  for (TestSpan& span : spans) span.id = span.parent = 5;
  const TestTrace twins(spans);
  EXPECT_EQ(BuildTraceTree(twins.batch).duplicates, 19'999U);
}

// Self times by span id.
std::map<std::uint64_t, std::uint64_t> SelfTimes(const TestTrace& trace) {
  const TraceTree tree = BuildTraceTree(trace.batch);
  std::map<std::uint64_t, std::uint64_t> self;
  for (const CriticalSpan& span : CriticalPath(trace.batch, tree).spans) {
    self[tree.At(trace.batch, span.place).span_id.value] += span.self_ns;
  }
  return self;
}

using Times = std::map<std::uint64_t, std::uint64_t>;

struct PathCase {
  const char* name;
  std::vector<TestSpan> spans;
  Times self;
};

class CriticalPathTest : public testing::TestWithParam<PathCase> {};

TEST_P(CriticalPathTest, SelfTimes) {
  EXPECT_EQ(SelfTimes(TestTrace(GetParam().spans)), GetParam().self);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, CriticalPathTest,
    testing::Values(
        PathCase{"Alone", {{1, 0, 0, 100}}, {{1, 100}}},
        PathCase{"WithoutDuration", {{1, 0, 50, 50}, {2, 1, 50, 50}}, {{1, 0}}},
        PathCase{"EndBeforeStart", {{1, 0, 50, 20}, {2, 1, 30, 40}}, {{1, 0}}},
        PathCase{"OneAfterTheOther",
                 {{1, 0, 0, 100}, {2, 1, 10, 40}, {3, 1, 50, 90}},
                 {{1, 30}, {2, 30}, {3, 40}}},
        PathCase{"BesideALongerOne",
                 {{1, 0, 0, 100}, {2, 1, 10, 60}, {3, 1, 10, 90}},
                 {{1, 20}, {3, 80}}},
        // 4 ran beside both, and longer than 2.
        PathCase{"Overlapping",
                 {{1, 0, 0, 100}, {2, 1, 10, 50}, {3, 1, 55, 90}, {4, 1, 20, 70}},
                 {{1, 20}, {2, 10}, {3, 35}, {4, 35}}},
        // A clock that is off by one between the two changes the answer by one.
        PathCase{"BackToBackAndOneOver",
                 {{1, 0, 0, 100}, {2, 1, 0, 51}, {3, 1, 50, 100}},
                 {{1, 0}, {2, 50}, {3, 50}}},
        PathCase{"CalledBesideEachOtherAndStaggered",
                 {{1, 0, 0, 100}, {2, 1, 0, 70}, {3, 1, 1, 90}, {4, 1, 2, 80}},
                 {{1, 10}, {2, 1}, {3, 89}}},
        PathCase{"NestedInAnOverlap",
                 {{1, 0, 0, 100}, {2, 1, 0, 60}, {3, 1, 40, 100}, {4, 2, 10, 55}},
                 {{1, 0}, {2, 10}, {3, 60}, {4, 30}}},
        // The consumer works on after its parent: nobody waits. One that is done before may be
        // waited for.
        PathCase{"AsyncConsumer", {{1, 0, 0, 100}, {2, 1, 10, 500, "b", 5}}, {{1, 100}}},
        PathCase{"AsyncBehindAProducer",
                 {{1, 0, 0, 100}, {2, 1, 10, 20, "a", 4}, {3, 2, 15, 500, "b", 1}},
                 {{1, 90}, {2, 10}}},
        PathCase{"ConsumerThatIsWaitedFor",
                 {{1, 0, 0, 100}, {2, 1, 10, 80, "b", 5}},
                 {{1, 30}, {2, 70}}},
        PathCase{"OutlivesItsParent", {{1, 0, 0, 100}, {2, 1, 80, 500}}, {{1, 80}, {2, 20}}},
        PathCase{"BeginsAfterItsParent", {{1, 0, 0, 100}, {2, 1, 150, 500}}, {{1, 100}}},
        PathCase{"BeginsBeforeItsParent", {{1, 0, 50, 100}, {2, 1, 10, 60}}, {{1, 40}, {2, 10}}},
        PathCase{"GrandchildOutlivesAll",
                 {{1, 0, 0, 100}, {2, 1, 10, 60}, {3, 2, 20, 900}},
                 {{1, 50}, {2, 10}, {3, 40}}},
        PathCase{"BackToBack",
                 {{1, 0, 0, 100}, {2, 1, 0, 50}, {3, 1, 50, 100}},
                 {{1, 0}, {2, 50}, {3, 50}}},
        PathCase{"OnlyOfTheRoot", {{1, 0, 0, 100}, {2, 0, 10, 900}}, {{1, 100}}},
        PathCase{"InALoop", {{1, 2, 0, 100}, {2, 1, 10, 60}}, {{1, 50}, {2, 50}}}),
    NameOf());

std::vector<TestSpan> RandomSpans(std::mt19937_64& random) {
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  std::vector<TestSpan> spans(1 + below(60));
  for (std::size_t i = 0; i < spans.size(); ++i) {
    TestSpan& span = spans[i];
    span.id = 1 + below(spans.size() * 2);
    span.parent = below(8) == 0 ? 0 : 1 + below(spans.size() * 2);
    if (i > 0 && below(3) > 0) span.parent = spans[below(i)].id;
    span.start = below(1000);
    span.end = span.start + below(1000);
    if (below(20) == 0) span.end = span.start / 2;
    span.service = std::string(1, static_cast<char>('a' + below(3)));
    span.kind = static_cast<std::uint32_t>(below(6));
  }
  return spans;
}

TEST(CriticalPathProperties, SelfTimesAddUpToTheRootsDuration) {
  for (std::uint64_t seed = 1; seed <= 100'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const TestTrace trace(RandomSpans(random));
    const TraceTree tree = BuildTraceTree(trace.batch);
    const auto path = CriticalPath(trace.batch, tree).spans;
    std::uint64_t sum = 0;
    std::set<std::uint32_t> places;
    for (const CriticalSpan& span : path) {
      sum += span.self_ns;
      EXPECT_TRUE(places.insert(span.place).second) << "place " << span.place << " twice";
      EXPECT_LE(span.self_ns, tree.At(trace.batch, span.place).duration_ns());
    }
    ASSERT_EQ(sum, tree.At(trace.batch, tree.root).duration_ns());
    // The path is connected: the parent of all but the root is on it.
    for (const std::uint32_t place : places) {
      EXPECT_TRUE(place == tree.root || places.contains(tree.parent[place]));
    }
  }
}

// Which moment belongs to whom, by the definition, moment by moment.
Times ByTheMoment(const Batch& batch, const TraceTree& tree) {
  Times self;
  const Span& root = tree.At(batch, tree.root);
  self[root.span_id.value];
  for (std::uint64_t now = root.start_unix_ns; now < root.end_unix_ns; ++now) {
    std::uint32_t owner = tree.root;
    for (std::uint32_t next = owner; next != kNoIndex;) {
      owner = next;
      next = kNoIndex;
      const Span& parent = tree.At(batch, owner);
      for (std::uint32_t child = tree.first_child[owner]; child != kNoIndex;
           child = tree.next_sibling[child]) {
        const Span& span = tree.At(batch, child);
        if (span.start_unix_ns > now || span.end_unix_ns <= now) continue;
        const bool outlives = span.end_unix_ns > parent.end_unix_ns;
        if (outlives && (span.kind == 5 || parent.kind == 4)) continue;
        if (next == kNoIndex || span.end_unix_ns > tree.At(batch, next).end_unix_ns) next = child;
      }
    }
    ++self[tree.At(batch, owner).span_id.value];
  }
  return self;
}

TEST(CriticalPathProperties, EachMomentBelongsToTheRunningChildThatFinishedLast) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<TestSpan> spans(1 + random() % 12);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      // Children inside their parents.
      const std::uint64_t parent = i == 0 ? 0 : random() % i;
      const std::uint64_t from = i == 0 ? 0 : spans[parent].start;
      const std::uint64_t to = i == 0 ? 400 : spans[parent].end;
      spans[i].id = i + 1;
      spans[i].parent = i == 0 ? 0 : parent + 1;
      spans[i].start = from + random() % (to - from + 1);
      spans[i].end = spans[i].start + random() % (to - spans[i].start + 1);
      if (i == 0) spans[i].start = 0, spans[i].end = 400;
      spans[i].kind = static_cast<std::uint32_t>(random() % 6);
    }
    const TestTrace trace(spans);
    const TraceTree tree = BuildTraceTree(trace.batch);
    Times want = ByTheMoment(trace.batch, tree);
    Times have = SelfTimes(trace);
    std::erase_if(want, [](const auto& item) { return item.second == 0; });
    std::erase_if(have, [](const auto& item) { return item.second == 0; });
    ASSERT_EQ(have, want);
  }
}

struct DoubtCase {
  const char* name;
  std::vector<TestSpan> spans;
  std::string undetermined;
  TraceIntegrity integrity;
};

class DoubtTest : public testing::TestWithParam<DoubtCase> {};

TEST_P(DoubtTest, IsSaid) {
  const TestTrace trace(GetParam().spans);
  const TraceTree tree = BuildTraceTree(trace.batch);
  EXPECT_EQ(CriticalPath(trace.batch, tree).undetermined, GetParam().undetermined);
  EXPECT_EQ(IntegrityOf(trace.batch, tree), GetParam().integrity);
}

INSTANTIATE_TEST_SUITE_P(
    Doubts, DoubtTest,
    testing::Values(
        DoubtCase{"None", {{1, 0, 0, 100}, {2, 1, 10, 50}}, "", {.roots = 1}},
        DoubtCase{"RootMissing",
                  {{2, 1, 10, 50}},
                  "the root is missing: span 0000000000000001 is not here",
                  {.missing_parents = {{1}}}},
        DoubtCase{"ParentMissing",
                  {{1, 0, 0, 100}, {2, 7, 10, 50}},
                  "1 missing parents: what stood under them hangs on nothing",
                  {.roots = 1, .missing_parents = {{7}}}},
        DoubtCase{"TwoRoots",
                  {{1, 0, 0, 100}, {2, 0, 10, 50}},
                  "of 2 roots this is the earliest",
                  {.roots = 2}},
        DoubtCase{"Circle",
                  {{1, 2, 0, 100}, {2, 1, 10, 50}},
                  "no root: the parents go in a circle",
                  {.loops = 1}},
        DoubtCase{"CircleBeside",
                  {{5, 0, 0, 100}, {1, 2, 0, 100}, {2, 1, 10, 50}},
                  "1 circles of parents were cut",
                  {.roots = 1, .loops = 1}},
        DoubtCase{"Backwards",
                  {{1, 0, 50, 20}},
                  "the root ends before it starts",
                  {.roots = 1, .end_before_start = 1}},
        DoubtCase{"TwoOfOneId",
                  {{1, 0, 0, 100}, {2, 1, 10, 50}, {2, 1, 20, 50}},
                  "several spans have the id 0000000000000002",
                  {.roots = 1, .duplicates = 1}},
        DoubtCase{"HalvesOfASharedSpan",
                  {{1, 0, 0, 100}, {2, 1, 10, 50, "a", 3}, {2, 1, 20, 40, "b", 2}},
                  "",
                  {.roots = 1, .duplicates = 1}},
        DoubtCase{
            "Times",
            {{1, 0, 50, 100}, {2, 1, 10, 60}, {3, 1, 60, 120}, {4, 1, 100, 150}, {5, 1, 60, 50}},
            "",
            {.roots = 1,
             .end_before_start = 1,
             .after_parent = 1,
             .before_parent = 1,
             .outlives_parent = 1}}),
    NameOf());

TEST(TraceTreeProperties, EverySpanHangsOnATreeWhateverTheOrder) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    TestTrace trace(RandomSpans(random));
    const TraceTree tree = BuildTraceTree(trace.batch);
    for (std::uint32_t place = 0; place < tree.order.size(); ++place) {
      const std::uint32_t parent = tree.parent[place];
      EXPECT_EQ(tree.depth[place], parent == kNoIndex ? 0 : tree.depth[parent] + 1);
    }
    std::vector<std::uint64_t> identities;
    for (const std::uint32_t i : tree.order) identities.push_back(trace.batch.spans[i].identity);

    const Times self = SelfTimes(trace);
    const TraceIntegrity integrity = IntegrityOf(trace.batch, tree);
    std::shuffle(trace.batch.spans.begin(), trace.batch.spans.end(), random);
    const TraceTree again = BuildTraceTree(trace.batch);
    std::vector<std::uint64_t> identities_again;
    for (const std::uint32_t i : again.order) {
      identities_again.push_back(trace.batch.spans[i].identity);
    }
    EXPECT_EQ(identities, identities_again);
    EXPECT_EQ(tree.parent, again.parent);
    EXPECT_EQ(tree.root, again.root);
    EXPECT_EQ(tree.loops, again.loops);
    EXPECT_EQ(tree.missing_parents, again.missing_parents);
    EXPECT_EQ(SelfTimes(trace), self);
    EXPECT_TRUE(IntegrityOf(trace.batch, again) == integrity);
  }
}

struct LineCase {
  const char* name;
  TestLine line;
  std::uint64_t span_id;
  bool span_inferred;
  std::string service;
  bool service_inferred;
};

class LinePlacementTest : public testing::TestWithParam<LineCase> {};

// root a [0,100] > 2 a [10,60] > 3 a [20,30]; 4 b [15,50] under 2; 5 a [40,90] under the root.
TEST_P(LinePlacementTest, Place) {
  const LineCase& test = GetParam();
  const TestTrace trace({{1, 0, 0, 100, "a"},
                         {2, 1, 10, 60, "a"},
                         {3, 2, 20, 30, "a"},
                         {4, 2, 15, 50, "b"},
                         {5, 1, 40, 90, "a"}},
                        {test.line});
  const auto placed = trace.Place();
  ASSERT_EQ(placed.size(), 1U);
  EXPECT_EQ(placed[0].span_id.value, test.span_id);
  EXPECT_EQ(placed[0].span_inferred, test.span_inferred);
  EXPECT_EQ(placed[0].service, test.service);
  EXPECT_EQ(placed[0].service_inferred, test.service_inferred);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, LinePlacementTest,
    testing::Values(LineCase{"NamesItsSpan", {4, 25, "a"}, 4, false, "a", false},
                    LineCase{"NamesASpanThatIsNotHere", {77, 25, "a"}, 77, false, "a", false},
                    LineCase{"Innermost", {0, 25, "a"}, 3, true, "a", false},
                    LineCase{"AtTheFirstInstant", {0, 20, "a"}, 3, true, "a", false},
                    LineCase{"AtTheLastInstant", {0, 30, "a"}, 3, true, "a", false},
                    LineCase{"InnerOneIsOver", {0, 31, "a"}, 2, true, "a", false},
                    LineCase{"OfBothTheLaterToBegin", {0, 50, "a"}, 5, true, "a", false},
                    LineCase{"OfAnotherService", {0, 25, "b"}, 4, true, "b", false},
                    LineCase{"OfAServiceWithoutOpenSpan", {0, 55, "b"}, 0, false, "b", false},
                    LineCase{"OfAnUnknownService", {0, 25, "c"}, 0, false, "c", false},
                    LineCase{"AfterAll", {0, 200, "a"}, 0, false, "a", false},
                    LineCase{"ServiceOfTheSpanItNames", {4, 25, ""}, 4, false, "b", true},
                    LineCase{"ServiceOfTheRoot", {0, 25, ""}, 3, true, "a", true},
                    LineCase{
                        "ServiceOfTheRootForAMissingSpan", {77, 25, ""}, 77, false, "a", true}),
    NameOf());

TEST(LinePlacement, ClocksThatAreYearsOffAgreeWithThemselves) {
  TestTrace trace({{1, 0, 0, 100, "a"}, {2, 1, 10, 60, "a"}}, {{0, 20, "a"}});
  for (Span& span : trace.batch.spans) span.arrival_unix_ns = 2 * kBase;
  trace.batch.logs[0].arrival_unix_ns = 2 * kBase;
  const auto placed = trace.Place();
  ASSERT_EQ(placed.size(), 1U);
  EXPECT_TRUE(placed[0].time.suspect);
  EXPECT_EQ(placed[0].span_id, SpanId{2});
}

TEST(LinePlacement, WithoutSpansLinesStayAsTheyAre) {
  const TestTrace trace({}, {{0, 5, ""}, {3, 4, "x"}});
  const auto placed = trace.Place();
  ASSERT_EQ(placed.size(), 2U);
  EXPECT_EQ(placed[0].span_id, SpanId{3});
  EXPECT_EQ(placed[1].service, "");
  EXPECT_FALSE(placed[1].service_inferred);
}

TEST(LinePlacement, AgreesWithTheObviousSearch) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<TestLine> lines(30);
    for (TestLine& line : lines) {
      line.time = random() % 2000;
      line.service = std::string(1, static_cast<char>('a' + random() % 4));
    }
    const TestTrace trace(RandomSpans(random), lines);
    const TraceTree tree = BuildTraceTree(trace.batch);
    for (const PlacedLine& line : trace.Place()) {
      std::tuple<std::int64_t, std::uint64_t, std::uint32_t> best{-1, 0, 0};
      for (std::uint32_t place = 0; place < tree.order.size(); ++place) {
        const Span& span = tree.At(trace.batch, place);
        if (trace.batch.ServiceOf(span) != line.service || span.start_unix_ns > line.time.unix_ns ||
            span.end_unix_ns < line.time.unix_ns) {
          continue;
        }
        best = std::max(best, {std::int64_t{tree.depth[place]}, span.start_unix_ns, place});
      }
      const SpanId want =
          std::get<0>(best) < 0 ? SpanId() : tree.At(trace.batch, std::get<2>(best)).span_id;
      EXPECT_EQ(line.span_id, want);
      EXPECT_EQ(line.span_inferred, std::get<0>(best) >= 0);
    }
  }
}

}  // namespace
}  // namespace throughline
