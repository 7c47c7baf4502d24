// An export that is stopped, or dies, and goes on: nothing twice, nothing missing.
#include <gtest/gtest.h>

#include "store/transfer/export.h"
#include "tests/store/transfer/forms.h"
#include "tests/store/transfer/odd_records.h"

namespace throughline::store::transfer {
namespace {

FakeWalkable SomeStore() {
  FakeWalkable store;
  for (std::uint64_t i = 0; i < 4; ++i) store.Add("acme", OddBatch(7 + i));
  for (std::uint64_t i = 0; i < 3; ++i) store.Add("default", OddBatch(90 + i));
  return store;
}

// Stops, or dies without a word, once so many batches were written; saves at every second.
Result<Exported> RunTo(int batches, bool dies, const Form& form, const std::string& path,
                       const FakeWalkable& store) {
  auto output = form.open_output(path);
  if (!output) return output.error();
  int written = 0;
  struct Death {};
  ExportHooks hooks;
  hooks.stop = [&] {
    if (written < batches) return false;
    if (dies) throw Death();
    return true;
  };
  hooks.save_due = [&] { return written % 2 == 1; };
  hooks.progress = [&](std::uint64_t) { ++written; };
  try {
    return Export(store, {.question = "all"}, **output, hooks);
  } catch (const Death&) {
    return Exported{};
  }
}

TEST(Resume, NothingTwiceAndNothingMissing) {
  const FakeWalkable store = SomeStore();
  const auto expected = Texts(store);
  for (const Form& form : Forms()) {
    for (const bool dies : {false, true}) {
      for (int batches = 0; batches < 8; ++batches) {
        SCOPED_TRACE(std::string(form.name) + (dies ? " dies" : " stops") + " after " +
                     std::to_string(batches));
        const TestFolder folder;
        const std::string path = folder / "out";
        // Then once more in the middle of what is left, and then to its end.
        Result<Exported> run = RunTo(batches, dies, form, path, store);
        ASSERT_TRUE(run) << run.error().message;
        for (const int further : {1, 100}) {
          if (run->complete) continue;
          run = RunTo(further, dies && further == 1, form, path, store);
          ASSERT_TRUE(run) << run.error().message;
        }
        ASSERT_TRUE(run->complete);
        EXPECT_EQ(run->records, expected.size());
        auto input = form.open_input(path);
        ASSERT_TRUE(input) << input.error().message;
        ASSERT_EQ(Difference(expected, Texts(**input)), "");
      }
    }
  }
}

TEST(Resume, OnlyTheSameQuestion) {
  const FakeWalkable store = SomeStore();
  for (const Form& form : Forms()) {
    const TestFolder folder;
    const std::string path = folder / "out";
    ASSERT_TRUE(RunTo(2, false, form, path, store));
    auto output = form.open_output(path);
    ASSERT_TRUE(output) << output.error().message;
    const ExportHooks hooks{.stop = [] { return false; },
                            .save_due = [] { return false; },
                            .progress = [](std::uint64_t) {}};
    const auto other = Export(store, {.question = "something else"}, **output, hooks);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Errc::kConflict) << form.name;
  }
}

TEST(Resume, WhatIsThereIsNotOverwritten) {
  const FakeWalkable store = SomeStore();
  for (const Form& form : Forms()) {
    const TestFolder folder;
    const std::string path = folder / "out";
    ASSERT_TRUE(RunTo(100, false, form, path, store)->complete);
    const auto again = form.open_output(path);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::kConflict) << form.name;
  }
}

TEST(Resume, AnInputGoesOnBehindItsPlace) {
  const FakeWalkable store = SomeStore();
  for (const Form& form : Forms()) {
    const TestFolder folder;
    const std::string path = folder / "out";
    ASSERT_TRUE(RunTo(100, false, form, path, store)->complete);
    std::vector<std::string> texts;
    std::string place;
    for (bool more = true; more;) {
      auto input = form.open_input(path);  // A new one for each batch.
      ASSERT_TRUE(input);
      if (!place.empty()) {
        ASSERT_TRUE((*input)->GoTo(place)) << form.name << " " << place;
      }
      const auto incoming = (*input)->Next();
      ASSERT_TRUE(incoming);
      more = incoming->batch != nullptr;
      if (!more) break;
      for (auto& text : Texts(incoming->tenant, *incoming->batch)) texts.push_back(text);
      place = (*input)->Place();
    }
    std::sort(texts.begin(), texts.end());
    EXPECT_EQ(Difference(Texts(store), texts), "") << form.name;
  }
}

TEST(ExportState, ReadsWhatItWrote) {
  const ExportState state{.question = "a \"b\"\n",
                          .time = {.start_unix_ns = 1, .end_unix_ns = UINT64_MAX},
                          .tenant = "acme",
                          .place = {.source = UINT64_MAX, .at = 5},
                          .records = 7,
                          .output = {1, 2, 3}};
  const auto read = ParseExportState(ExportStateText(state));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(ExportStateText(*read), ExportStateText(state));
  EXPECT_EQ(read->place, state.place);
  EXPECT_FALSE(ParseExportState(""));
  EXPECT_FALSE(ParseExportState("{\"version\":2}"));
  EXPECT_FALSE(ParseExportState("{\"version\":1"));
}

}  // namespace
}  // namespace throughline::store::transfer
