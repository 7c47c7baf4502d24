// What is exported and read again is what was there, in every form.
#include <gtest/gtest.h>

#include "store/transfer/export.h"
#include "tests/store/transfer/forms.h"
#include "tests/store/transfer/odd_records.h"

namespace throughline::store::transfer {
namespace {

ExportHooks NoHooks() {
  return {.stop = [] { return false; },
          .save_due = [] { return false; },
          .progress = [](std::uint64_t) {}};
}

FakeWalkable OddStore(std::uint64_t seed) {
  FakeWalkable store;
  for (const char* tenant : {"..", "acme", "default"}) {
    for (std::uint64_t i = 0; i < 3; ++i) store.Add(tenant, OddBatch(seed * 100 + i));
  }
  return store;
}

std::vector<std::string> ExportAndRead(const Form& form, const FakeWalkable& store,
                                       const std::string& path) {
  auto output = form.open_output(path);
  if (!output) return {output.error().message};
  const auto exported = Export(store, {}, **output, NoHooks());
  if (!exported) return {exported.error().message};
  output->reset();
  EXPECT_FALSE(std::filesystem::exists(StatePathOf(path)));
  auto input = form.open_input(path);
  if (!input) return {input.error().message};
  return Texts(**input);
}

TEST(Transfer, GivesBackWhatWasThere) {
  const TestFolder folder;
  for (const Form& form : Forms()) {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
      SCOPED_TRACE(std::string(form.name) + " seed " + std::to_string(seed));
      const FakeWalkable store = OddStore(seed);
      const auto expected = Texts(store);
      const auto got = ExportAndRead(form, store, folder / (form.name + std::to_string(seed)));
      ASSERT_EQ(Difference(expected, got), "");
    }
  }
}

TEST(Transfer, AnEmptyStoreIsAnEmptyExport) {
  const TestFolder folder;
  for (const Form& form : Forms()) {
    const auto read = ExportAndRead(form, FakeWalkable(), folder / form.name);
    if (std::string(form.name) == "otlp") {
      ASSERT_EQ(read.size(), 1U);
      EXPECT_NE(read[0].find("holds no file"), std::string::npos);
    } else {
      EXPECT_TRUE(read.empty()) << form.name << ": " << read[0];
    }
  }
}

}  // namespace
}  // namespace throughline::store::transfer
