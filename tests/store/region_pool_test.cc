// Mappings that are spare are used again, within a bound.
#include "store/sqlite/region_pool.h"

#include <gtest/gtest.h>

#include <memory>

#include "store/sqlite/region.h"

namespace throughline::store::sqlite {
namespace {

constexpr std::size_t kCapacity = 1U << 20U;

char* Fill(Region& region, std::size_t bytes) {
  region.end()[0] = 'x';
  region.Extend(bytes);
  return region.data();
}

TEST(RegionPool, TheNextOfTheSameCapacityGetsTheSpareOneThatUsesMost) {
  const auto pool = std::make_shared<RegionPool>(kCapacity);
  char* small = nullptr;
  char* large = nullptr;
  {
    Region first(kCapacity, pool);
    Region second(kCapacity, pool);
    small = Fill(first, 10);
    large = Fill(second, 5000);
    second.Shrink(0);  // What it was once is touched.
  }
  const Region other(2 * kCapacity, pool);
  EXPECT_NE(other.data(), small);
  EXPECT_NE(other.data(), large);
  const Region third(kCapacity, pool);
  const Region fourth(kCapacity, pool);
  EXPECT_EQ(third.data(), large);
  EXPECT_EQ(fourth.data(), small);
  EXPECT_EQ(third.data()[0], 'x');
  EXPECT_EQ(third.size(), 0U);
}

TEST(RegionPool, WhatIsSpareIsBounded) {
  const auto pool = std::make_shared<RegionPool>(100);
  {
    Region first(kCapacity, pool);
    Region second(kCapacity, pool);
    Fill(first, 60);
    Fill(second, 60);
  }
  // One of the two was kept.
  EXPECT_EQ(pool->Take(kCapacity).used, 60U);
  EXPECT_EQ(pool->Take(kCapacity).used, 0U);
}

TEST(RegionPool, NothingIsSpareOnceItIsTrimmed) {
  const auto pool = std::make_shared<RegionPool>(kCapacity);
  { Fill(*std::make_unique<Region>(kCapacity, pool), 60); }
  pool->Trim();
  const auto mapping = pool->Take(kCapacity);
  EXPECT_EQ(mapping.used, 0U);
  EXPECT_EQ(mapping.data[0], '\0');
  pool->Give(mapping);
}

}  // namespace
}  // namespace throughline::store::sqlite
