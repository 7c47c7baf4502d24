#include "wire/protobuf_writer.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

namespace throughline::wire {
namespace {

TEST(ProtoWriter, WritesWhatTheReaderReads) {
  std::string bytes;
  ProtoWriter proto(bytes);
  proto.Varint(1, 300);
  proto.Enum(2, 0xffffffff);
  proto.Fixed32(3, 7);
  proto.Fixed64(4, UINT64_MAX);
  proto.Text(5, "text");
  proto.Double(6, -0.0);
  const std::size_t list = proto.Begin(7);
  proto.PackedDouble(1.5);
  proto.PackedDouble(2.5);
  proto.End(list);

  ProtoReader reader(bytes);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Varint32(), 300U);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Varint32(), 0xffffffffU);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Fixed32(), 7U);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Fixed64(), UINT64_MAX);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Bytes(), "text");
  ASSERT_TRUE(reader.Next());
  EXPECT_TRUE(std::signbit(reader.Double()));
  ASSERT_TRUE(reader.Next());
  double sum = 0;
  reader.Doubles([&sum](double value) { sum += value; });
  EXPECT_EQ(sum, 4);
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.ok());
}

TEST(ProtoWriter, LeavesDefaultsOut) {
  std::string bytes;
  ProtoWriter proto(bytes);
  proto.Varint(1, 0);
  proto.Enum(2, 0);
  proto.Fixed32(3, 0);
  proto.Fixed64(4, 0);
  proto.Text(5, "");
  EXPECT_EQ(bytes, "");
  proto.VarintAlways(1, 0);
  proto.Bytes(5, "");
  EXPECT_EQ(bytes, std::string("\x08\x00\x2a\x00", 4));
}

TEST(ProtoWriter, SizesOfMessagesOfAnyLength) {
  for (const std::size_t size : {0U, 1U, 127U, 128U, 16'383U, 16'384U, 3'000'000U}) {
    std::string bytes = "before";
    ProtoWriter proto(bytes);
    const std::size_t outer = proto.Begin(1);
    const std::size_t inner = proto.Begin(2);
    proto.Bytes(3, std::string(size, 'x'));
    proto.End(inner);
    proto.Varint(4, 1);
    proto.End(outer);
    ProtoReader reader(std::string_view(bytes).substr(6));
    ASSERT_TRUE(reader.Next());
    ProtoReader message(reader.Bytes());
    EXPECT_FALSE(reader.Next());
    ASSERT_TRUE(message.Next());
    ProtoReader innermost(message.Bytes());
    ASSERT_TRUE(message.Next());
    EXPECT_EQ(message.Varint32(), 1U);
    ASSERT_TRUE(innermost.Next());
    EXPECT_EQ(innermost.Bytes().size(), size);
  }
}

}  // namespace
}  // namespace throughline::wire
