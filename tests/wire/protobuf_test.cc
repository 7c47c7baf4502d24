#include "wire/protobuf.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace throughline::wire {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

// Skips through a message; the fault's text, or "".
std::string Skim(std::string_view bytes) {
  ProtoReader reader(bytes);
  while (reader.Next()) reader.Skip();
  return reader.ok() ? "" : reader.fault().Text(bytes);
}

TEST(ProtoReader, ReadsEachWireType) {
  const std::string bytes = Bytes({0x08, 0x96, 0x01,                            // 1: 150
                                   0x12, 0x03, 'a',  'b', 'c',                  // 2: "abc"
                                   0x1d, 1,    0,    0,   0x80,                 // 3: fixed32
                                   0x21, 2,    0,    0,   0,    0, 0, 0, 0x80,  // 4: fixed64
                                   0x28, 0x03,                                  // 5: zigzag -2
                                   0x85, 0x01, 5,    0,   0,    0});            // 16: fixed32
  ProtoReader reader(bytes);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.field(), 1U);
  EXPECT_EQ(reader.Varint(), 150U);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.field(), 2U);
  EXPECT_EQ(reader.Bytes(), "abc");
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Fixed32(), 0x80000001U);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Fixed64(), 0x8000000000000002ULL);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.ZigZag32(), -2);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.field(), 16U);
  EXPECT_EQ(reader.field_at(), bytes.data() + bytes.size() - 6);
  EXPECT_EQ(reader.Fixed32(), 5U);
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.ok());
}

TEST(ProtoReader, ReadsTheWidestVarint) {
  const std::string bytes =
      Bytes({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});
  ProtoReader reader(bytes);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Varint(), UINT64_MAX);
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.ok());
}

TEST(ProtoReader, EmptyMessageHasNoFields) {
  ProtoReader reader(std::string_view{});
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.ok());
}

TEST(ProtoReader, RepeatedScalarsComePackedOrNot) {
  const std::string bytes = Bytes({0x0a, 0x03, 0x01, 0x96, 0x01, 0x08, 0x05}) +
                            Bytes({0x12, 0x08, 1, 0, 0, 0, 0, 0, 0, 0}) +
                            Bytes({0x11, 2, 0, 0, 0, 0, 0, 0, 0});
  std::vector<std::uint64_t> values;
  ProtoReader reader(bytes);
  while (reader.Next()) {
    const auto keep = [&values](std::uint64_t value) { values.push_back(value); };
    if (reader.field() == 1) {
      reader.Varints(keep);
    } else {
      reader.Fixed64s(keep);
    }
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(values, (std::vector<std::uint64_t>{1, 150, 5, 1, 2}));
}

TEST(ProtoReader, PackedValuesMustFit) {
  const std::string varints = Bytes({0x0a, 0x02, 0x01, 0x96});
  ProtoReader cut(varints);
  ASSERT_TRUE(cut.Next());
  cut.Varints([](std::uint64_t) {});
  EXPECT_FALSE(cut.ok());
  const std::string fixed = Bytes({0x0a, 0x07, 1, 2, 3, 4, 5, 6, 7});
  ProtoReader odd(fixed);
  ASSERT_TRUE(odd.Next());
  odd.Fixed64s([](std::uint64_t) { FAIL(); });
  EXPECT_EQ(odd.fault().Text(fixed), "byte 0: field 1: packed length is no multiple of 8");
}

struct SkimCase {
  const char* name;
  std::string bytes;
  std::string fault;
};

class Skimming : public testing::TestWithParam<SkimCase> {};

TEST_P(Skimming, SaysWhatIsWrong) { EXPECT_EQ(Skim(GetParam().bytes), GetParam().fault); }

std::string NestedGroups(std::size_t levels) {
  return std::string(levels, '\x0b') + std::string(levels, '\x0c');
}

INSTANTIATE_TEST_SUITE_P(
    All, Skimming,
    testing::Values(
        SkimCase{"UnknownFields", Bytes({0x08, 1, 0xfa, 0x3f, 2, 'h', 'i', 0x9d, 0x7f, 1, 2, 3, 4}),
                 ""},
        SkimCase{"FieldZero", Bytes({0x02, 0x00}), "byte 0: field number 0"},
        SkimCase{"FieldTooLarge", Bytes({0x88, 0x80, 0x80, 0x80, 0x10, 0}),
                 "byte 0: field number is over 2^29-1"},
        SkimCase{"WireTypeSix", Bytes({0x08, 1, 0x0e, 0}),
                 "byte 2: field 1: wire type 6 does not exist"},
        SkimCase{"WireTypeSeven", Bytes({0x0f, 0}), "byte 0: field 1: wire type 7 does not exist"},
        SkimCase{"LengthPastTheEnd", Bytes({0x0a, 0x7f}),
                 "byte 0: field 1: length runs past the end"},
        SkimCase{"LengthOfMinusOne",
                 Bytes({0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}),
                 "byte 0: field 1: length runs past the end"},
        SkimCase{"VarintOver64Bits",
                 Bytes({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}),
                 "byte 0: field 1: varint is over 64 bits"},
        SkimCase{"VarintOfElevenBytes",
                 Bytes({0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}),
                 "byte 0: field 1: varint is over 64 bits"},
        SkimCase{"Group", Bytes({0x0b, 0x08, 1, 0x13, 0x14, 0x0c, 0x10, 1}), ""},
        SkimCase{"GroupNotClosed", Bytes({0x08, 1, 0x0b, 0x08, 1}),
                 "byte 2: field 1: group is not closed"},
        SkimCase{"GroupClosedByAnother", Bytes({0x0b, 0x14}),
                 "byte 1: field 2: end of a group that was not begun"},
        SkimCase{"GroupEndAlone", Bytes({0x0c}),
                 "byte 0: field 1: end of a group that was not begun"},
        SkimCase{"GroupsAtTheLimit", NestedGroups(kMaxGroupDepth), ""},
        SkimCase{"GroupsOverTheLimit", NestedGroups(kMaxGroupDepth + 1),
                 "byte 100: field 1: groups are nested too deep"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ProtoReader, AKnownFieldOfAnotherTypeFails) {
  const std::string bytes = Bytes({0x08, 1, 0x10, 5});
  ProtoReader reader(bytes);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Varint(), 1U);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Bytes(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.fault().Text(bytes), "byte 2: field 2: want wire type 2");
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(reader.fault().Text("elsewhere"), "field 2: want wire type 2");
}

// Each prefix in an allocation of its own size, so that a sanitizer sees a read past its end.
TEST(ProtoReader, TruncationAtEveryByteIsFoundOrHarmless) {
  const std::string bytes =
      Bytes({0x08, 0x96, 0x01, 0x12, 0x03, 'a', 'b',  'c',  0x1d, 1,    0,    0,    0, 0x21, 2, 0,
             0,    0,    0,    0,    0,    0,   0x0b, 0x08, 1,    0x0c, 0x85, 0x01, 5, 0,    0, 0});
  const std::vector<std::size_t> whole_fields = {0, 3, 8, 13, 22, 26, 32};
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto copy = std::make_unique<char[]>(size);
    bytes.copy(copy.get(), size);
    const bool whole =
        std::find(whole_fields.begin(), whole_fields.end(), size) != whole_fields.end();
    EXPECT_EQ(Skim({copy.get(), size}).empty(), whole) << size;
  }
}

}  // namespace
}  // namespace throughline::wire
