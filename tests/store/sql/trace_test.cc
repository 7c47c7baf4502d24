// The table trace says what Store::Summarize says, of every trace that has spans, once.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "correlate/ids.h"
#include "tests/store/random_records.h"
#include "tests/store/sql/world.h"

namespace throughline::store::sql {
namespace {

constexpr const char* kColumns =
    "tenant, trace_id, root_service, root_operation, root_span_id, start_unix_ns, end_unix_ns, "
    "duration_ns, span_count, error_count, log_count, exemplar_count";

std::string Text(const std::string& text) { return text.empty() ? "NULL | " : "'" + text + "' | "; }
std::string Number(std::uint64_t number) {
  return std::to_string(static_cast<std::int64_t>(number)) + " | ";
}

std::string RowOf(const std::string& tenant, const TraceSummary& trace) {
  return Text(tenant) + Text(ToHex(trace.trace_id)) + Text(trace.root_service) +
         Text(trace.root_operation) + Text(ToHex(trace.root_span_id)) +
         Number(trace.start_unix_ns) + Number(trace.end_unix_ns) + Number(trace.duration_ns) +
         Number(trace.evidence.span_count) + Number(trace.error_count) +
         Number(trace.evidence.log_count) + Number(trace.evidence.exemplar_count);
}

// All traces, by what makes a query want them.
struct Expected {
  std::string row;
  std::string tenant;
  TraceSummary summary;
};

std::vector<Expected> AllOf(World& world) {
  std::vector<Expected> all;
  std::set<std::string> seen;
  for (const std::string& tenant : world.store()->Tenants()) {
    for (const std::string& row :
         world.Here("SELECT DISTINCT trace_id FROM span WHERE tenant = '" + tenant + "'")) {
      const auto ids = ResolveAll(row.substr(1, 32));  // Between its quotes.
      EXPECT_FALSE(ids.empty()) << row;
      const auto found = world.store()->Summarize(AsTenant(tenant), ids.at(0).trace_id);
      EXPECT_TRUE(found);
      for (const TraceSummary& summary : *found) {
        std::string text = RowOf(tenant, summary);
        if (seen.insert(text).second) all.push_back({std::move(text), tenant, summary});
      }
    }
  }
  return all;
}

template <typename Wanted>
std::vector<std::string> Rows(const std::vector<Expected>& all, Wanted wanted) {
  std::vector<std::string> rows;
  for (const Expected& one : all) {
    if (wanted(one)) rows.push_back(one.row);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<std::string> Sorted(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(TraceTable, IsWhatSummarizeSays) {
  const std::uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE("THROUGHLINE_TEST_SEED=" + std::to_string(seed));
  World world(seed);
  Random random(seed + 1);
  const auto all = AllOf(world);
  ASSERT_GT(all.size(), 10U);
  const std::string select = std::string("SELECT ") + kColumns + " FROM trace ";
  EXPECT_EQ(Sorted(world.Here(select)), Rows(all, [](const Expected&) { return true; }));
  for (int i = 0; i < 60; ++i) {
    const TraceId id = random.Trace();
    EXPECT_EQ(Sorted(world.Here(select + "WHERE trace_id = '" + ToHex(id) + "'")),
              Rows(all, [&](const Expected& one) { return one.summary.trace_id == id; }));
    const std::uint64_t from = random.Time();
    const std::uint64_t to = from + random.Below(40);
    EXPECT_EQ(Sorted(world.Here(select + "WHERE start_unix_ns BETWEEN " + std::to_string(from) +
                                " AND " + std::to_string(to))),
              Rows(all, [&](const Expected& one) {
                return one.summary.start_unix_ns >= from && one.summary.start_unix_ns <= to;
              }));
    const std::string service = random.OneIn(2) ? "pay" : "shop";
    EXPECT_EQ(Sorted(world.Here(select + "WHERE root_service = '" + service +
                                "' AND start_unix_ns <= " + std::to_string(to))),
              Rows(all, [&](const Expected& one) {
                return one.summary.root_service == service && one.summary.start_unix_ns <= to;
              }));
  }
}

TEST(TraceTable, NewestFirst) {
  World world(7);
  const auto newest = [&world](const std::string& tail) {
    auto sql = Connection::Open(world.store(), {.tenant = "default"});
    EXPECT_TRUE(sql);
    std::vector<std::int64_t> starts;
    std::size_t used = 0;
    auto rows = (*sql)->Prepare("SELECT start_unix_ns FROM trace " + tail, &used);
    EXPECT_TRUE(rows);
    for (auto row = rows->Step(); row && *row; row = rows->Step()) {
      starts.push_back(rows->IntegerAt(0));
    }
    return starts;
  };
  const auto all = newest("ORDER BY +start_unix_ns DESC");
  ASSERT_GT(all.size(), 8U);
  EXPECT_EQ(newest("ORDER BY start_unix_ns DESC LIMIT 5"),
            std::vector<std::int64_t>(all.begin(), all.begin() + 5));
  EXPECT_EQ(newest("ORDER BY start_unix_ns DESC LIMIT 3 OFFSET 2"),
            std::vector<std::int64_t>(all.begin() + 2, all.begin() + 5));
  EXPECT_EQ(newest("WHERE log_count >= 0 ORDER BY start_unix_ns DESC LIMIT 1000"), all);
}

}  // namespace
}  // namespace throughline::store::sql
