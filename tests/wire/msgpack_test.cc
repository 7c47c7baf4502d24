#include "wire/msgpack.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/proto/truncation.h"

namespace throughline::wire {
namespace {

using std::string_literals::operator""s;

MsgpackValue One(std::string_view bytes) {
  MsgpackReader reader(bytes);
  MsgpackValue value;
  EXPECT_TRUE(reader.Next(value)) << reader.error();
  EXPECT_TRUE(reader.AtEnd());
  return value;
}

struct IntegerCase {
  const char* name;
  std::string bytes;
  std::int64_t value;
};

TEST(MsgpackReader, ReadsEveryIntegerForm) {
  const std::vector<IntegerCase> cases = {
      {"PositiveFix", "\x7f", 127},
      {"NegativeFix", "\xff", -1},
      {"NegativeFixSmallest", "\xe0", -32},
      {"Uint8", "\xcc\xff", 255},
      {"Uint16", "\xcd\x01\x00"s, 256},
      {"Uint32", "\xce\xff\xff\xff\xff", 4'294'967'295},
      {"Uint64", "\xcf\x00\x00\x00\x01\x00\x00\x00\x00"s, 4'294'967'296},
      {"Int8", "\xd0\x80", -128},
      {"Int16", "\xd1\x80\x00"s, -32768},
      {"Int32", "\xd2\x80\x00\x00\x00"s, -2'147'483'648},
      {"Int64", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"s, std::numeric_limits<std::int64_t>::min()},
  };
  for (const IntegerCase& c : cases) {
    SCOPED_TRACE(c.name);
    const MsgpackValue value = One(c.bytes);
    EXPECT_EQ(value.type, MsgpackType::kInt);
    EXPECT_EQ(value.integer, c.value);
  }
  const MsgpackValue large = One("\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
  EXPECT_EQ(large.type, MsgpackType::kUint);
  EXPECT_EQ(large.unsigned_integer, std::numeric_limits<std::uint64_t>::max());
}

TEST(MsgpackReader, ReadsScalars) {
  EXPECT_EQ(One("\xc0").type, MsgpackType::kNil);
  EXPECT_FALSE(One("\xc2").boolean);
  EXPECT_TRUE(One("\xc3").boolean);
  EXPECT_EQ(One("\xca\x3f\xc0\x00\x00"s).number, 1.5);
  EXPECT_EQ(One("\xcb\x40\x04\x00\x00\x00\x00\x00\x00"s).number, 2.5);
  EXPECT_EQ(One("\xa3log").bytes, "log");
  EXPECT_EQ(One("\xd9\x03log").bytes, "log");
  EXPECT_EQ(One("\xda\x00\x03log"s).bytes, "log");
  EXPECT_EQ(One("\xdb\x00\x00\x00\x03log"s).type, MsgpackType::kString);
  EXPECT_EQ(One("\xc4\x02\x00\xff"s).bytes, "\x00\xff"s);
  EXPECT_EQ(One("\xc5\x00\x01x"s).type, MsgpackType::kBytes);
  EXPECT_EQ(One("\xc6\x00\x00\x00\x01x"s).bytes, "x");
  const MsgpackValue time = One("\xd7\x00\x6b\x03\x5c\x92\x25\x7e\xe1\x92"s);
  EXPECT_EQ(time.type, MsgpackType::kExt);
  EXPECT_EQ(time.ext_type, 0);
  EXPECT_EQ(time.bytes.size(), 8U);
  EXPECT_EQ(One("\xd4\xffx").ext_type, -1);
  EXPECT_EQ(One("\xc7\x03\x05xyz").bytes, "xyz");
}

TEST(MsgpackReader, AContainerIsItsCountAndTheValuesThatFollow) {
  MsgpackReader reader(
      "\x93\x01\x82\xa1"
      "a\x92\x02\x03\xa1"
      "b\xc0\xa1z");
  MsgpackValue value;
  ASSERT_TRUE(reader.Next(value));
  EXPECT_EQ(value.type, MsgpackType::kArray);
  EXPECT_EQ(value.count, 3U);
  ASSERT_TRUE(reader.Next(value));
  EXPECT_EQ(value.integer, 1);
  EXPECT_EQ(reader.Skip().size(), 9U);
  ASSERT_TRUE(reader.Next(value));
  EXPECT_EQ(value.bytes, "z");
  EXPECT_TRUE(reader.AtEnd());
}

struct BadCase {
  const char* name;
  std::string bytes;
  const char* error;
};

TEST(MsgpackReader, SaysWhatIsWrong) {
  const std::vector<BadCase> cases = {
      {"Empty", "", "value runs past the end"},
      {"NeverUsed", "\xc1", "0xc1 begins no value"},
      {"HalfANumber", "\xcf\x01", "value runs past the end"},
      {"LyingText", "\xdb\xff\xff\xff\xff"s, "length runs past the end"},
      {"LyingArray", "\xdd\xff\xff\xff\xff"s, "count runs past the end"},
      {"LyingMap", "\xdf\xff\xff\xff\xff"s, "count runs past the end"},
      {"MapOfHalfAPair", "\x81\xc0", "count runs past the end"},
      {"LyingExtension", "\xc9\xff\xff\xff\xff\x01"s, "length runs past the end"},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.name);
    MsgpackReader reader(c.bytes);
    MsgpackValue value;
    EXPECT_FALSE(reader.Next(value));
    EXPECT_STREQ(reader.error(), c.error);
    EXPECT_FALSE(reader.Next(value));
    EXPECT_FALSE(reader.AtEnd());
    EXPECT_TRUE(MsgpackReader(c.bytes).Skip().empty());
  }
}

// All kinds, as Append... writes them.
std::string Sample() {
  std::string bytes;
  AppendMsgpackArray(11, bytes);
  AppendMsgpackNil(bytes);
  AppendMsgpackBool(true, bytes);
  AppendMsgpackInt(-70'000, bytes);
  AppendMsgpackUint(std::numeric_limits<std::uint64_t>::max(), bytes);
  AppendMsgpackDouble(0.25, bytes);
  AppendMsgpackString(std::string(40, 's'), bytes);
  AppendMsgpackBytes("\x00\xff"s, bytes);
  AppendMsgpackExt(0, "12345678", bytes);
  AppendMsgpackExt(9, "123", bytes);
  AppendMsgpackMap(2, bytes);
  AppendMsgpackString("k", bytes);
  AppendMsgpackArray(20, bytes);
  for (int i = 0; i < 20; ++i) AppendMsgpackInt(i - 10, bytes);
  AppendMsgpackString("l", bytes);
  AppendMsgpackMap(0, bytes);
  AppendMsgpackString("", bytes);
  return bytes;
}

TEST(MsgpackWriter, WhatIsWrittenReadsBackInItsShortestForm) {
  for (const std::int64_t value :
       {0L, 127L, 128L, 255L, 256L, 65535L, 65536L, 4294967295L, 4294967296L, -1L, -32L, -33L,
        -128L, -129L, -32768L, -32769L, -2147483648L, -2147483649L}) {
    std::string bytes;
    AppendMsgpackInt(value, bytes);
    EXPECT_EQ(One(bytes).integer, value);
  }
  for (const std::size_t size : {0UL, 31UL, 32UL, 255UL, 256UL, 65535UL, 65536UL}) {
    const std::string text(size, 'x');
    std::string bytes;
    AppendMsgpackString(text, bytes);
    EXPECT_EQ(One(bytes).bytes, text);
    EXPECT_EQ(bytes.size() - size, size < 32 ? 1U : size < 256 ? 2U : size < 65536 ? 3U : 5U);
    bytes.clear();
    AppendMsgpackBytes(text, bytes);
    EXPECT_EQ(One(bytes).bytes, text);
    bytes.clear();
    AppendMsgpackExt(-7, text, bytes);
    EXPECT_EQ(One(bytes).bytes, text);
    EXPECT_EQ(One(bytes).ext_type, -7);
  }
  for (const std::uint32_t count : {15U, 16U, 65535U, 65536U}) {
    std::string bytes;
    AppendMsgpackArray(count, bytes);
    bytes.append(count, '\xc0');
    MsgpackReader reader(bytes);
    EXPECT_EQ(reader.Skip().size(), bytes.size());
  }
  const std::string sample = Sample();
  MsgpackReader reader(sample);
  EXPECT_EQ(reader.Skip().size(), sample.size());
}

TEST(MsgpackReader, EveryPrefixIsRefusedAndNothingIsReadPastIt) {
  const std::string sample = Sample();
  samples::ForEachPrefix(sample, [&sample](std::string_view prefix) {
    MsgpackReader skimming(prefix);
    EXPECT_EQ(skimming.Skip().size(), prefix.size() == sample.size() ? sample.size() : 0);
    MsgpackReader reader(prefix);
    MsgpackValue value;
    while (!reader.AtEnd() && reader.Next(value)) {
    }
    MsgpackScanner scanner(1000);
    EXPECT_EQ(scanner.Scan(prefix), prefix.size() == sample.size()
                                        ? MsgpackScanner::State::kWhole
                                        : MsgpackScanner::State::kNeedMore);
  });
}

TEST(MsgpackScanner, GoesOnWhereItStopped) {
  const std::string sample = Sample();
  MsgpackScanner scanner(sample.size());
  for (std::size_t size = 0; size < sample.size(); ++size) {
    EXPECT_EQ(scanner.Scan(std::string_view(sample).substr(0, size)),
              MsgpackScanner::State::kNeedMore);
  }
  EXPECT_EQ(scanner.Scan(sample + "more"), MsgpackScanner::State::kWhole);
  EXPECT_EQ(scanner.size(), sample.size());
  scanner.Reset();
  EXPECT_EQ(scanner.Scan("\xc0"), MsgpackScanner::State::kWhole);
  EXPECT_EQ(scanner.size(), 1U);
}

TEST(MsgpackScanner, RefusesWhatCannotFitAsSoonAsItIsClaimed) {
  using State = MsgpackScanner::State;
  EXPECT_EQ(MsgpackScanner(100).Scan("\xdd\xff\xff\xff\xff"s), State::kTooLarge);
  EXPECT_EQ(MsgpackScanner(100).Scan("\xdf\x00\x00\x00\x2f"s), State::kNeedMore);
  EXPECT_EQ(MsgpackScanner(100).Scan("\xdf\x00\x00\x00\x30"s), State::kTooLarge);
  EXPECT_EQ(MsgpackScanner(100).Scan("\xdb\x00\x00\x00\x60"s), State::kTooLarge);
  EXPECT_EQ(MsgpackScanner(100).Scan("\xdb\x00\x00\x00\x5f"s), State::kNeedMore);
  EXPECT_EQ(MsgpackScanner(100).Scan("\x92\xc1"), State::kMalformed);
}

TEST(MsgpackScanner, DepthCostsNothing) {
  const std::string deep = std::string(1'000'000, '\x91') + "\xc0";
  MsgpackReader reader(deep);
  EXPECT_EQ(reader.Skip().size(), deep.size());
}

}  // namespace
}  // namespace throughline::wire
