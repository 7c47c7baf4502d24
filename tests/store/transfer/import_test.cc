#include "store/transfer/import.h"

#include <gtest/gtest.h>

#include <fstream>

#include "store/memory/memory_store.h"
#include "store/transfer/export.h"
#include "tests/store/dump.h"
#include "tests/store/sample.h"
#include "tests/store/transfer/forms.h"

namespace throughline::store::transfer {
namespace {

constexpr std::uint64_t kNowOfImport = kNow + kHour;

MemoryStore::Options Options() {
  MemoryStore::Options options;
  options.hash_seed = 42;
  return options;
}

ImportRequest Request() {
  ImportRequest request;
  request.arrival_unix_ns = kNowOfImport;
  return request;
}

ImportHooks Hooks() {
  return {.stop = [] { return false; },
          .note = []() -> Result<void> { return {}; },
          .progress = [](const Imported&) {}};
}

std::string Write(const TestFolder& folder, const std::string& text) {
  const std::string path = folder / "in.ndjson";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string Line(const std::string& text, std::uint64_t time, std::uint64_t arrival,
                 const std::string& tenant = "default") {
  return R"({"kind":"log","traceId":"0123456789abcdef0123456789abcdef","tenant":")" + tenant +
         R"(","timeUnixNano":")" + std::to_string(time) + R"(","arrivalTimeUnixNano":")" +
         std::to_string(arrival) + R"(","body":{"stringValue":")" + text + "\"}}\n";
}

std::vector<std::string> Lines(const Store& store, const std::string& tenant = "default") {
  const auto page = store.FindLogs(AsTenant(tenant), {});
  std::vector<std::string> lines;
  for (const LogLine& line : page->records.logs) {
    lines.push_back(std::string(StringOf(line.body)) + " at " +
                    std::to_string(line.arrival_unix_ns));
  }
  return lines;
}

TEST(Import, KeepsArrivals) {
  const TestFolder folder;
  const std::string path =
      Write(folder, Line("one", kNow, kNow + 1) + Line("two", kNow + 1, kNow + 2) +
                        Line("three", kNow + 2, 0) + Line("four", kNow + 3, kNow + 1));
  auto input = OpenNdjsonInput(path, TestLimits());
  MemoryStore store(Options());
  const auto imported = Import(**input, Request(), store, Hooks());
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_TRUE(imported->complete);
  EXPECT_EQ(imported->appended.logs, 4U);
  const std::string now = std::to_string(kNow).substr(0, 18);
  EXPECT_EQ(Lines(store), (std::vector<std::string>{"one at " + now + "1", "two at " + now + "2",
                                                    "three at " + std::to_string(kNowOfImport),
                                                    "four at " + now + "1"}));
}

TEST(Import, OnlyTheTenantAndTheTimeAskedFor) {
  const TestFolder folder;
  const std::string path = Write(folder, Line("early", kNow, kNow, "acme") +
                                             Line("in time", kNow + kSecond, kNow, "acme") +
                                             Line("another's", kNow + kSecond, kNow));
  auto input = OpenNdjsonInput(path, TestLimits());
  MemoryStore store(Options());
  ImportRequest request = Request();
  request.tenant = "acme";
  request.time.start_unix_ns = kNow + 1;
  const auto imported = Import(**input, request, store, Hooks());
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->appended.logs, 1U);
  EXPECT_EQ(imported->left_out, 2U);
  EXPECT_EQ(Lines(store, "acme").size(), 1U);
  EXPECT_TRUE(Lines(store).empty());
}

TEST(Import, GoesOnWhereItWasStopped) {
  const TestFolder folder;
  std::string text;
  for (std::uint64_t i = 0; i < 100; ++i) text += Line(std::to_string(i), kNow + i, kNow);
  const std::string path = Write(folder, text);
  MemoryStore store(Options());
  std::string place;
  std::uint64_t stored = 0;
  int runs = 0;
  for (bool complete = false; !complete; ++runs) {
    auto input = OpenNdjsonInput(path, TestLimits());  // 20 records a batch.
    if (!place.empty()) {
      ASSERT_TRUE((*input)->GoTo(place));
    }
    bool noted = false;
    ImportHooks hooks = Hooks();
    hooks.stop = [&] { return noted; };
    hooks.note = [&]() -> Result<void> {
      noted = true;
      place = (*input)->Place();
      return {};
    };
    const auto imported = Import(**input, Request(), store, hooks);
    ASSERT_TRUE(imported);
    EXPECT_EQ(imported->appended.deduplicated_logs, 0U);
    stored += imported->appended.logs;
    complete = imported->complete;
  }
  EXPECT_EQ(runs, 6);
  EXPECT_EQ(stored, 100U);
}

TEST(Import, AnExportComesBackIntoAStore) {
  Sample sample;
  sample.From({{"service.name", "pay"}}, "http");
  sample.Add(SampleSpan{.trace = {1, 2}, .span = {3}});
  sample.Add(SampleLine{.trace = {1, 2}});
  sample.Add(SampleExemplar{.trace = {1, 2}});
  const auto batch = sample.Finish();
  const std::vector<Appending> appendings = {
      {.tenant = "default", .batch = batch, .arrival_unix_ns = kNow}};
  MemoryStore first(Options());
  ASSERT_TRUE(first.Append(appendings));
  const auto wanted = first.FindTrace(Scope(), {1, 2}, {});
  for (const Form& form : Forms()) {
    const TestFolder folder;
    FakeWalkable walkable;
    auto kept = std::make_shared<Batch>();
    RecordCopier copier(wanted->records, *kept);
    for (const auto& span : wanted->records.spans) copier.Copy(span);
    for (const auto& line : wanted->records.logs) copier.Copy(line);
    for (const auto& exemplar : wanted->records.exemplars) copier.Copy(exemplar);
    walkable.Add("default", kept);
    auto output = form.open_output(folder / "out");
    ASSERT_TRUE(Export(walkable, {}, **output,
                       {.stop = [] { return false; },
                        .save_due = [] { return true; },
                        .progress = [](std::uint64_t) {}}));
    MemoryStore second(Options());
    auto input = form.open_input(folder / "out");
    ASSERT_TRUE(input) << input.error().message;
    ASSERT_TRUE(Import(**input, Request(), second, Hooks()));
    EXPECT_EQ(Dump(*second.FindTrace(Scope(), {1, 2}, {})), Dump(*wanted)) << form.name;
  }
}

TEST(Import, AStoreThatRefusesEndsIt) {
  const TestFolder folder;
  const std::string path = Write(folder, Line("one", kNow, kNow));
  auto input = OpenNdjsonInput(path, TestLimits());
  MemoryStore::Options options = Options();
  options.tenants = 0;
  MemoryStore store(options);
  const auto imported = Import(**input, Request(), store, Hooks());
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, Errc::kOverloaded);
}

}  // namespace
}  // namespace throughline::store::transfer
