#include "store/sqlite/hash_set.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <unordered_set>

namespace throughline::store::sqlite {
namespace {

// Few distinct hashes, so that probes run into each other.
std::uint64_t HashOf(std::uint32_t reference) { return (reference % 37) * 0x100000001ULL; }

TEST(HashTable, AgreesWithAMapUnderInsertAndErase) {
  std::mt19937 random(7);
  HashTable table;
  std::unordered_set<std::uint32_t> expected;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t reference = 1 + static_cast<std::uint32_t>(random() % 500);
    if (expected.count(reference) == 0) {
      table.Insert(HashOf(reference), reference, HashOf);
      expected.insert(reference);
    } else if (random() % 2 == 0) {
      table.Erase(HashOf(reference), reference, HashOf);
      expected.erase(reference);
    }
    const std::uint32_t asked = 1 + static_cast<std::uint32_t>(random() % 500);
    const std::uint32_t found =
        table.Find(HashOf(asked), [asked](std::uint32_t candidate) { return candidate == asked; });
    ASSERT_EQ(found, expected.count(asked) ? asked : 0) << "step " << step;
  }
}

TEST(HashTable, KeepsAllWhenItDoubles) {
  HashTable table;
  const auto hash = [](std::uint32_t reference) { return reference * 0x9e3779b97f4a7c15ULL; };
  for (std::uint32_t i = 1; i <= 50'000; ++i) table.Insert(hash(i), i, hash);
  for (std::uint32_t i = 1; i <= 50'000; ++i) {
    ASSERT_EQ(table.Find(hash(i), [i](std::uint32_t candidate) { return candidate == i; }), i);
  }
}

TEST(IdentitySet, AgreesWithASetUnderInsertAndErase) {
  std::mt19937_64 random(11);
  IdentitySet identities;
  std::unordered_set<std::uint64_t> expected;
  for (int step = 0; step < 200'000; ++step) {
    // Neighbours in the table, to make runs.
    const std::uint64_t identity = 1 + random() % 20'000;
    if (random() % 3 == 0) {
      identities.Erase(identity);
      expected.erase(identity);
    } else {
      ASSERT_EQ(identities.Insert(identity), expected.insert(identity).second) << "step " << step;
    }
  }
}

}  // namespace
}  // namespace throughline::store::sqlite
