#include "correlate/ids.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "correlate/digits.h"

namespace throughline {
namespace {

constexpr char kHex[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kSpan[] = "b7ad6b7169203331";

struct Case {
  const char* name;
  std::string text;
  KeyKind key = KeyKind::kNone;
  // Empty: no id. The spelling and all that follows are of the valid result.
  std::string trace_id = {};
  Spelling spelling = Spelling::kNone;
  std::string span_id = {};
  Sampled sampled = Sampled::kUnknown;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name << ": " << one.text; }

void Check(const Case& one, Strictness strictness) {
  const Resolved got = Resolve(one.text, strictness, one.key);
  EXPECT_EQ(got.IsValid() ? ToHex(got.trace_id) : "", one.trace_id) << got.reason;
  EXPECT_EQ(SpellingName(got.spelling), SpellingName(one.spelling));
  EXPECT_EQ(got.span_id.IsValid() ? ToHex(got.span_id) : "", one.span_id);
  EXPECT_EQ(got.sampled, one.sampled);
  EXPECT_EQ(got.IsValid(), !one.trace_id.empty());
  if (!got.IsValid()) {
    EXPECT_FALSE(got.reason.empty());
  }
}

std::string Name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

const std::string kLow16 = std::string(16, '0') + "1234567890abcdef";
const std::string kTraceparent = std::string("00-") + kHex + "-" + kSpan + "-01";
const std::string kXRayId = "1-620ca1d6-07f7494e51e410242c9d67f3";
const std::string kXRayHex = "620ca1d607f7494e51e410242c9d67f3";
const std::string kEscaped =
    "\\xc4\\x13\\xd5\\xb5\\xfe\\xa3\\x65\\x73\\x25\\xff\\x66\\x33\\x20\\xc7\\xfd\\x10";
const std::string kBase64Hex = "c413d5b5fea3657325ff663320c7fd10";
const std::string kSkyWalking = "ddd92f52207c468e9cd03ddd107cd530.69.16181331190470001";

class LookupTest : public testing::TestWithParam<Case> {};
TEST_P(LookupTest, Resolves) { Check(GetParam(), Strictness::kLookup); }

INSTANTIATE_TEST_SUITE_P(
    Ids, LookupTest,
    testing::Values(
        Case{.name = "Hex32", .text = kHex, .trace_id = kHex, .spelling = Spelling::kHex32},
        Case{.name = "UpperCase",
             .text = "0AF7651916CD43DD8448EB211C80319C",
             .trace_id = kHex,
             .spelling = Spelling::kHex32},
        Case{.name = "HexPrefix",
             .text = std::string("0x") + kHex,
             .trace_id = kHex,
             .spelling = Spelling::kHex32},
        Case{.name = "Pasted",
             .text = std::string(" \"") + kHex + "\"\n",
             .trace_id = kHex,
             .spelling = Spelling::kHex32},
        Case{.name = "Stripped",
             .text = "9807419f4829510b4708edbbbba9",
             .trace_id = "00009807419f4829510b4708edbbbba9",
             .spelling = Spelling::kHexStripped},
        Case{.name = "Hex64",
             .text = "1234567890abcdef",
             .trace_id = kLow16,
             .spelling = Spelling::kHex64},
        Case{.name = "ShortHex",
             .text = "abc",
             .trace_id = std::string(29, '0') + "abc",
             .spelling = Spelling::kHex64},
        Case{.name = "Decimal",
             .text = "14573057136609150318",
             .key = KeyKind::kDatadog,
             .trace_id = "0000000000000000ca3de6411f0f456e",
             .spelling = Spelling::kDecimal},
        Case{.name = "DecimalWithoutKey",
             .text = "14573057136609150318",
             .trace_id = "0000000000000000ca3de6411f0f456e",
             .spelling = Spelling::kDecimal},
        Case{.name = "Uuid",
             .text = "1b759901-d1b7-475e-ac4f-686280edecdf",
             .trace_id = "1b759901d1b7475eac4f686280edecdf",
             .spelling = Spelling::kUuid},
        Case{.name = "Traceparent",
             .text = kTraceparent,
             .trace_id = kHex,
             .spelling = Spelling::kTraceparent,
             .span_id = kSpan,
             .sampled = Sampled::kYes},
        Case{.name = "TraceparentUpperCase",
             .text = "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-00",
             .trace_id = kHex,
             .spelling = Spelling::kTraceparent,
             .span_id = kSpan,
             .sampled = Sampled::kNo},
        Case{.name = "TraceparentShort",
             .text = "00-1234567890abcdef-aaa000000000001-01",
             .trace_id = kLow16,
             .spelling = Spelling::kTraceparentShort,
             .sampled = Sampled::kYes},
        Case{.name = "B3",
             .text = std::string(kHex) + "-" + kSpan + "-1-05e3ac9a4f6e3b90",
             .trace_id = kHex,
             .spelling = Spelling::kB3,
             .span_id = kSpan,
             .sampled = Sampled::kYes},
        Case{.name = "B3Debug",
             .text = std::string(kHex) + "-" + kSpan + "-d",
             .trace_id = kHex,
             .spelling = Spelling::kB3,
             .span_id = kSpan,
             .sampled = Sampled::kYes},
        Case{.name = "B3Deferred",
             .text = std::string("1234567890abcdef-") + kSpan,
             .trace_id = kLow16,
             .spelling = Spelling::kB3,
             .span_id = kSpan},
        Case{.name = "UberTraceId",
             .text = "3:4:0:1",
             .trace_id = std::string(31, '0') + "3",
             .spelling = Spelling::kUberTraceId,
             .span_id = "0000000000000004",
             .sampled = Sampled::kYes},
        Case{.name = "UberTraceIdEncoded",
             .text = std::string(kHex) + "%3A" + kSpan + "%3a0%3A0",
             .trace_id = kHex,
             .spelling = Spelling::kUberTraceId,
             .span_id = kSpan,
             .sampled = Sampled::kNo},
        Case{.name = "XRayHeader",
             .text = "Root=" + kXRayId + ";Parent=53995c3f42cd8ad8;Sampled=1",
             .trace_id = kXRayHex,
             .spelling = Spelling::kXRay,
             .span_id = "53995c3f42cd8ad8",
             .sampled = Sampled::kYes},
        Case{.name = "XRayOtherOrder",
             .text = "Sampled=0; Self=1-00000000-000000000000000000000001; Root=" + kXRayId,
             .trace_id = kXRayHex,
             .spelling = Spelling::kXRay,
             .sampled = Sampled::kNo},
        Case{.name = "XRaySegment",
             .text = kXRayId + "@53995c3f42cd8ad8",
             .trace_id = kXRayHex,
             .spelling = Spelling::kXRay,
             .span_id = "53995c3f42cd8ad8"},
        Case{.name = "GcpPath",
             .text = std::string("projects/shop-1/traces/") + kHex,
             .trace_id = kHex,
             .spelling = Spelling::kGcp},
        Case{.name = "GcpHeader",
             .text = std::string(kHex) + "/10808677672313042198;o=1",
             .trace_id = kHex,
             .spelling = Spelling::kGcp,
             .span_id = "960023137dea3516",
             .sampled = Sampled::kYes},
        Case{.name = "DoubleHex",
             .text = "3061663736353139313663643433646438343438656232313163383033313963",
             .trace_id = kHex,
             .spelling = Spelling::kDoubleHex},
        Case{.name = "Base64",
             .text = "xBPVtf6jZXMl/2YzIMf9EA==",
             .trace_id = kBase64Hex,
             .spelling = Spelling::kBase64},
        Case{.name = "Escaped",
             .text = kEscaped,
             .trace_id = kBase64Hex,
             .spelling = Spelling::kEscapedBytes},
        Case{.name = "EscapedPrintable",
             .text = R"(\xc4\x13\xd5\xb5\xfe\xa3es%\xfff3 \xc7\xfd\x10)",
             .trace_id = kBase64Hex,
             .spelling = Spelling::kEscapedBytes},
        Case{.name = "EscapedOctal",
             .text = R"(\304\023\325\265\376\243es%\377f3 \307\375\020)",
             .trace_id = kBase64Hex,
             .spelling = Spelling::kEscapedBytes},
        Case{.name = "Sleuth",
             .text = std::string("[shop,") + kHex + "," + kSpan + "]",
             .trace_id = kHex,
             .spelling = Spelling::kSleuth,
             .span_id = kSpan},
        Case{.name = "SpringBoot3",
             .text = std::string("[") + kHex + "-" + kSpan + "]",
             .trace_id = kHex,
             .spelling = Spelling::kSleuth,
             .span_id = kSpan},
        Case{.name = "RequestId",
             .text = std::string("|") + kHex + "." + kSpan + ".",
             .trace_id = kHex,
             .spelling = Spelling::kRequestId,
             .span_id = kSpan},
        Case{.name = "Empty", .text = ""}, Case{.name = "OnlySpaces", .text = "  "},
        Case{.name = "Word", .text = "checkout"}, Case{.name = "Zero", .text = "0"},
        Case{.name = "AllZero", .text = std::string(32, '0')},
        Case{.name = "AllZeroUuid", .text = "00000000-0000-0000-0000-000000000000"},
        Case{.name = "Hex33", .text = std::string(kHex) + "0"},
        Case{.name = "Sha1", .text = "cc33bc635dd6ba674793694b63d6c60fe76d8b51"},
        Case{.name = "Sha256",
             .text = "a532217a706acee761930fd24517f4401bc26dc2f03cd00d6b2a53e75ee3dfcb"},
        Case{.name = "VersionFf", .text = "ff" + kTraceparent.substr(2)},
        Case{.name = "Huge", .text = std::string(100'000, 'a')}),
    Name);

// What a typed field and what stands beside a key in a line are taken for.
class StrictTest : public testing::TestWithParam<Case> {};
TEST_P(StrictTest, ResolvesInText) { Check(GetParam(), Strictness::kText); }
TEST_P(StrictTest, ResolvesInAField) { Check(GetParam(), Strictness::kField); }

INSTANTIATE_TEST_SUITE_P(
    Ids, StrictTest,
    testing::Values(
        Case{.name = "Hex32",
             .text = kHex,
             .key = KeyKind::kTraceId,
             .trace_id = kHex,
             .spelling = Spelling::kHex32},
        Case{.name = "Hex64",
             .text = "1234567890abcdef",
             .key = KeyKind::kTraceId,
             .trace_id = kLow16,
             .spelling = Spelling::kHex64},
        Case{.name = "HexPrefix",
             .text = std::string("0X") + kHex,
             .key = KeyKind::kTraceId,
             .trace_id = kHex,
             .spelling = Spelling::kHex32},
        Case{.name = "DecimalDigitsAreHex",
             .text = "12345678901234567890123456789012",
             .key = KeyKind::kTraceId,
             .trace_id = "12345678901234567890123456789012",
             .spelling = Spelling::kHex32},
        Case{.name = "Uuid",
             .text = "1b759901-d1b7-475e-ac4f-686280edecdf",
             .key = KeyKind::kTraceId,
             .trace_id = "1b759901d1b7475eac4f686280edecdf",
             .spelling = Spelling::kUuid},
        Case{.name = "TraceparentUnderTraceKey",
             .text = kTraceparent,
             .key = KeyKind::kTraceId,
             .trace_id = kHex,
             .spelling = Spelling::kTraceparent,
             .span_id = kSpan,
             .sampled = Sampled::kYes},
        Case{.name = "XRayUnderTraceKey",
             .text = kXRayId,
             .key = KeyKind::kTraceId,
             .trace_id = kXRayHex,
             .spelling = Spelling::kXRay},
        Case{.name = "GcpUnderTraceKey",
             .text = std::string("projects/p/traces/") + kHex,
             .key = KeyKind::kTraceId,
             .trace_id = kHex,
             .spelling = Spelling::kGcp},
        Case{.name = "EscapedUnderTraceKey",
             .text = kEscaped,
             .key = KeyKind::kTraceId,
             .trace_id = kBase64Hex,
             .spelling = Spelling::kEscapedBytes},
        Case{.name = "Stripped", .text = "9807419f4829510b4708edbbbba9", .key = KeyKind::kTraceId},
        Case{.name = "Hex31", .text = std::string(kHex).substr(1), .key = KeyKind::kTraceId},
        Case{.name = "Hex48", .text = std::string(kHex) + kSpan, .key = KeyKind::kTraceId},
        Case{.name = "ShortHex", .text = "42", .key = KeyKind::kTraceId},
        Case{.name = "AllZero", .text = std::string(32, '0'), .key = KeyKind::kTraceId},
        Case{.name = "Dash", .text = "-", .key = KeyKind::kTraceId},
        Case{.name = "Null", .text = "null", .key = KeyKind::kTraceId},
        Case{.name = "DecimalUnderTraceKey",
             .text = "14573057136609150318",
             .key = KeyKind::kTraceId},
        Case{.name = "Datadog",
             .text = "14573057136609150318",
             .key = KeyKind::kDatadog,
             .trace_id = "0000000000000000ca3de6411f0f456e",
             .spelling = Spelling::kDecimal},
        Case{.name = "Datadog16",
             .text = "1234567890123456",
             .key = KeyKind::kDatadog,
             .trace_id = "0000000000000000000462d53c8abac0",
             .spelling = Spelling::kDecimal},
        Case{.name = "DatadogHex",
             .text = kHex,
             .key = KeyKind::kDatadog,
             .trace_id = kHex,
             .spelling = Spelling::kHex32},
        Case{.name = "DatadogZero", .text = "0", .key = KeyKind::kDatadog},
        Case{.name = "DatadogTooLarge", .text = "18446744073709551616", .key = KeyKind::kDatadog},
        Case{.name = "Traceparent",
             .text = kTraceparent,
             .key = KeyKind::kTraceparent,
             .trace_id = kHex,
             .spelling = Spelling::kTraceparent,
             .span_id = kSpan,
             .sampled = Sampled::kYes},
        Case{.name = "TraceparentFlags3",
             .text = kTraceparent.substr(0, 53) + "03",
             .key = KeyKind::kTraceparent,
             .trace_id = kHex,
             .spelling = Spelling::kTraceparent,
             .span_id = kSpan,
             .sampled = Sampled::kYes},
        Case{.name = "TraceparentFuture",
             .text = "cc" + kTraceparent.substr(2) + "-what-may-come",
             .key = KeyKind::kTraceparent,
             .trace_id = kHex,
             .spelling = Spelling::kTraceparent,
             .span_id = kSpan,
             .sampled = Sampled::kYes},
        Case{.name = "TraceparentTrailing",
             .text = kTraceparent + "-more",
             .key = KeyKind::kTraceparent},
        Case{.name = "TraceparentFutureGlued",
             .text = "cc" + kTraceparent.substr(2) + ".more",
             .key = KeyKind::kTraceparent},
        Case{.name = "TraceparentVersionFf",
             .text = "ff" + kTraceparent.substr(2),
             .key = KeyKind::kTraceparent},
        Case{.name = "TraceparentZeroParent",
             .text = std::string("00-") + kHex + "-0000000000000000-01",
             .key = KeyKind::kTraceparent},
        Case{.name = "TraceparentZeroTrace",
             .text = "00-" + std::string(32, '0') + "-" + kSpan + "-01",
             .key = KeyKind::kTraceparent},
        Case{.name = "TraceparentUpperCase",
             .text = "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
             .key = KeyKind::kTraceparent},
        Case{.name = "TraceparentShort",
             .text = "00-1234567890abcdef-aaa000000000001-01",
             .key = KeyKind::kTraceparent,
             .trace_id = kLow16,
             .spelling = Spelling::kTraceparentShort,
             .sampled = Sampled::kYes},
        Case{.name = "TraceparentShortGoodSpan",
             .text = std::string("00-1234567890abcdef-") + kSpan + "-00",
             .key = KeyKind::kTraceparent,
             .trace_id = kLow16,
             .spelling = Spelling::kTraceparentShort,
             .span_id = kSpan,
             .sampled = Sampled::kNo},
        Case{.name = "TraceparentTrace31",
             .text = std::string("00-") + std::string(kHex).substr(1) + "-" + kSpan + "-01",
             .key = KeyKind::kTraceparent},
        Case{.name = "B3",
             .text = std::string(kHex) + "-" + kSpan + "-0",
             .key = KeyKind::kB3,
             .trace_id = kHex,
             .spelling = Spelling::kB3,
             .span_id = kSpan,
             .sampled = Sampled::kNo},
        Case{.name = "B3Deny", .text = "0", .key = KeyKind::kB3},
        Case{.name = "B3BadState",
             .text = std::string(kHex) + "-" + kSpan + "-x",
             .key = KeyKind::kB3},
        Case{.name = "B3ZeroSpan",
             .text = std::string(kHex) + "-0000000000000000-1",
             .key = KeyKind::kB3},
        Case{.name = "Uber",
             .text = "3:4:0:1",
             .key = KeyKind::kUberTraceId,
             .trace_id = std::string(31, '0') + "3",
             .spelling = Spelling::kUberTraceId,
             .span_id = "0000000000000004",
             .sampled = Sampled::kYes},
        Case{.name = "UberThreeParts", .text = "3:4:0", .key = KeyKind::kUberTraceId},
        Case{.name = "XRay",
             .text = "Self=1-dc60cd1d-723571bc4e13af157a33daae;Root=" + kXRayId,
             .key = KeyKind::kXRay,
             .trace_id = kXRayHex,
             .spelling = Spelling::kXRay},
        Case{.name = "XRayOnlySelf",
             .text = "Self=1-dc60cd1d-723571bc4e13af157a33daae",
             .key = KeyKind::kXRay},
        Case{.name = "XRayShortRoot",
             .text = "Root=1-620ca1d6-07f7494e51e410242c9d67f;Parent=53995c3f42cd8ad8",
             .key = KeyKind::kXRay},
        Case{.name = "GcpBareHex", .text = kHex, .key = KeyKind::kGcp},
        Case{.name = "GcpShortPath",
             .text = std::string("projects//traces/") + kHex,
             .key = KeyKind::kGcp},
        Case{.name = "RequestIdUuid",
             .text = "1b759901-d1b7-475e-ac4f-686280edecdf",
             .key = KeyKind::kRequestId},
        Case{.name = "OpaqueThreadId", .text = "1234", .key = KeyKind::kOpaque},
        Case{.name = "OpaqueNotApplicable", .text = "N/A", .key = KeyKind::kOpaque},
        Case{.name = "Huge", .text = std::string(100'000, 'a'), .key = KeyKind::kTraceId}),
    Name);

TEST(Resolve, BrokenSpellingsAreRepairedInFieldsOnly) {
  const std::string texts[] = {"3061663736353139313663643433646438343438656232313163383033313963",
                               "xBPVtf6jZXMl/2YzIMf9EA=="};
  for (const std::string& text : texts) {
    const Resolved field = Resolve(text, Strictness::kField, KeyKind::kTraceId);
    EXPECT_TRUE(field.IsValid() && field.repaired) << text;
    EXPECT_FALSE(Resolve(text, Strictness::kText, KeyKind::kTraceId).IsValid()) << text;
  }
}

TEST(Resolve, ReasonsHaveTheNumbers) {
  const auto reason = [](std::string_view text) {
    return Resolve(text, Strictness::kText, KeyKind::kTraceId).reason;
  };
  EXPECT_EQ(reason(std::string(31, 'a')), "31 hex digits, want 16 or 32");
  EXPECT_EQ(reason(std::string(5, 'a')), "5 hex digits, want 16 or 32");
  EXPECT_EQ(reason(std::string(150, 'a')), "100+ hex digits, want 16 or 32");
  EXPECT_EQ(reason(std::string(32, '0')), "all zero");
}

TEST(Resolve, DroppedSpanHasAReason) {
  const Resolved resolved =
      Resolve("00-1234567890abcdef-aaa000000000001-01", Strictness::kText, KeyKind::kTraceparent);
  EXPECT_TRUE(resolved.IsValid());
  EXPECT_FALSE(resolved.reason.empty());
}

TEST(Resolve, OpaqueIdsGetOneAlias) {
  const Resolved line = Resolve(kSkyWalking, Strictness::kText, KeyKind::kOpaque);
  ASSERT_TRUE(line.IsValid());
  EXPECT_EQ(line.spelling, Spelling::kOpaque);
  EXPECT_EQ(Resolve(kSkyWalking, Strictness::kLookup, KeyKind::kNone).trace_id, line.trace_id);
  // The same id in an sw8 header, in base64.
  const Resolved header = Resolve(
      "1-ZGRkOTJmNTIyMDdjNDY4ZTljZDAzZGRkMTA3Y2Q1MzAuNjkuMTYxODEzMzExOTA0NzAwMDE=-c2Vn-3-c2hvcA==-"
      "cG9k-L29yZGVy-ZGI=",
      Strictness::kText, KeyKind::kOpaque);
  EXPECT_EQ(header.trace_id, line.trace_id);
  // Aliases are stored: they must never change.
  EXPECT_EQ(ToHex(line.trace_id), "9ccf043bbd412bcdc34e23d17406f35e");
}

TEST(ResolveAll, DigitsAreHexAndDecimal) {
  const auto readings = ResolveAll("14573057136609150318");
  ASSERT_EQ(readings.size(), 2U);
  EXPECT_EQ(readings[0].spelling, Spelling::kDecimal);
  EXPECT_EQ(ToHex(readings[1].trace_id), "00000000000014573057136609150318");
  const auto sixteen = ResolveAll("1234567890123456");
  ASSERT_EQ(sixteen.size(), 2U);
  EXPECT_EQ(sixteen[0].spelling, Spelling::kHex64);
  EXPECT_EQ(sixteen[1].spelling, Spelling::kDecimal);
  EXPECT_EQ(ResolveAll("123456789").size(), 1U);
  EXPECT_EQ(ResolveAll("99999999999999999999").size(), 1U);  // More than 64 bits.
  EXPECT_EQ(ResolveAll(kHex).size(), 1U);
  EXPECT_TRUE(ResolveAll("checkout").empty());
  EXPECT_TRUE(ResolveAll("").empty());
}

TEST(SameTrace, OneTraceInTwoWidths) {
  const auto id = [](std::string_view text) {
    return Resolve(text, Strictness::kLookup, KeyKind::kNone).trace_id;
  };
  EXPECT_TRUE(SameTrace(id("463ac35c9f6413ad48485a3953bb6124"), id("48485a3953bb6124")));
  EXPECT_FALSE(SameTrace(id("463ac35c9f6413ad48485a3953bb6124"), id("463ac35c9f6413ad")));
}

TEST(ResolveTraceIdBytes, Sizes) {
  const std::string bytes(16, '\x0a');
  EXPECT_EQ(ResolveTraceIdBytes(bytes).spelling, Spelling::kBytes);
  EXPECT_FALSE(ResolveTraceIdBytes(bytes).repaired);
  const Resolved ascii = ResolveTraceIdBytes(kHex);
  EXPECT_EQ(ToHex(ascii.trace_id), kHex);
  EXPECT_EQ(ascii.spelling, Spelling::kAsciiHexBytes);
  EXPECT_TRUE(ascii.repaired);
  EXPECT_EQ(ResolveTraceIdBytes(std::string(15, 'a')).reason, "15 bytes, want 16");
  EXPECT_EQ(ResolveTraceIdBytes(std::string(32, 'x')).reason, "32 bytes, want 16");
  EXPECT_EQ(ResolveTraceIdBytes(std::string(16, '\0')).reason, "all zero");
  EXPECT_EQ(ResolveTraceIdBytes("").reason, "empty");
}

TEST(ResolveTraceIdText, SpellingsOfJson) {
  EXPECT_EQ(ToHex(ResolveTraceIdText(kHex).trace_id), kHex);
  EXPECT_FALSE(ResolveTraceIdText(kHex).repaired);
  const Resolved base64 = ResolveTraceIdText("xBPVtf6jZXMl/2YzIMf9EA==");
  EXPECT_EQ(ToHex(base64.trace_id), kBase64Hex);
  EXPECT_TRUE(base64.repaired);
  EXPECT_EQ(ResolveTraceIdText("xBPVtf6jZXMl_2YzIMf9EA").trace_id, base64.trace_id);
  EXPECT_TRUE(ResolveTraceIdText("3061663736353139313663643433646438343438656232313163383033313963")
                  .repaired);
  EXPECT_EQ(ResolveTraceIdText("1234567890abcdef").reason, "16 characters, want 32 hex digits");
  EXPECT_EQ(ResolveTraceIdText(std::string(22, 'A')).reason, "22 characters, want 32 hex digits");
  EXPECT_EQ(ResolveTraceIdText("AAAAAAAAAAAAAAAAAAAAAA==").reason, "all zero");
  EXPECT_EQ(ResolveTraceIdText("").reason, "empty");
}

TEST(ResolveSpanId, BytesAndText) {
  EXPECT_EQ(ResolveSpanIdBytes(std::string(8, '\1')).span_id.value, 0x0101010101010101U);
  EXPECT_EQ(ResolveSpanIdBytes(std::string(8, '\0')).reason, "all zero");
  EXPECT_EQ(ResolveSpanIdBytes(std::string(7, '\1')).reason, "7 bytes, want 8");
  EXPECT_EQ(ToHex(ResolveSpanIdBytes(kSpan).span_id), kSpan);
  EXPECT_TRUE(ResolveSpanIdBytes(kSpan).repaired);
  EXPECT_EQ(ToHex(ResolveSpanIdText(kSpan).span_id), kSpan);
  EXPECT_FALSE(ResolveSpanIdText(kSpan).repaired);
  EXPECT_EQ(ToHex(ResolveSpanIdText("t61rcWkgMzE=").span_id), kSpan);
  EXPECT_TRUE(ResolveSpanIdText("t61rcWkgMzE=").repaired);
  EXPECT_EQ(ResolveSpanIdText("abc").reason, "3 characters, want 16 hex digits");
  EXPECT_EQ(ResolveSpanIdText("0000000000000000").reason, "all zero");
  EXPECT_FALSE(ResolveSpanIdText("b7ad6b716920333x").reason.empty());
}

TEST(ResolveSpanId, Loose) {
  EXPECT_EQ(ToHex(ResolveSpanIdLoose(kSpan, false)), kSpan);
  EXPECT_EQ(ResolveSpanIdLoose("7ad6b7169203331", false).value, 0x07ad6b7169203331U);
  EXPECT_EQ(ResolveSpanIdLoose("1234567890123456", false).value, 0x1234567890123456U);
  EXPECT_EQ(ResolveSpanIdLoose("1234567890123456", true).value, 1234567890123456U);
  EXPECT_EQ(ResolveSpanIdLoose("10808677672313042198", true).value, 0x960023137dea3516U);
  EXPECT_EQ(ToHex(ResolveSpanIdLoose(kSpan, true)), kSpan);  // Not decimal: Datadog's hex.
  EXPECT_FALSE(ResolveSpanIdLoose("10808677672313042198", false).IsValid());
  EXPECT_FALSE(ResolveSpanIdLoose("0", true).IsValid());
  EXPECT_FALSE(ResolveSpanIdLoose("", false).IsValid());
  EXPECT_FALSE(ResolveSpanIdLoose("span", false).IsValid());
}

// Each in an allocation of its own size, so that the sanitizers see a read behind the end.
TEST(Resolve, ReadsNothingBehindTheEnd) {
  const std::string texts[] = {kTraceparent, kEscaped, kXRayId, kSkyWalking,
                               std::string("[shop,") + kHex + "," + kSpan + "]"};
  for (const std::string& text : texts) {
    for (std::size_t size = 0; size <= text.size(); ++size) {
      const auto copy = std::make_unique<char[]>(size);
      text.copy(copy.get(), size);
      const std::string_view cut(copy.get(), size);
      const bool is_valid = Resolve(cut, Strictness::kLookup, KeyKind::kNone).IsValid();
      EXPECT_TRUE(size < text.size() || is_valid) << text;
      Resolve(cut, Strictness::kText, KeyKind::kTraceId);
      Resolve(cut, Strictness::kField, KeyKind::kOpaque);
    }
  }
}

TEST(Digits, EveryByteInEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t place = 0; place < 16; ++place) {
      std::string text = "0123456789abcdef";
      text[place] = static_cast<char>(byte);
      std::uint64_t whole = 0;
      std::uint32_t high = 0;
      std::uint32_t low = 0;
      const bool is_hex = digits::IsHex(static_cast<char>(byte));
      EXPECT_EQ(digits::ParseHex16(text.data(), whole), is_hex) << byte << " at " << place;
      const bool halves =
          digits::ParseHex8(text.data(), high) && digits::ParseHex8(text.data() + 8, low);
      EXPECT_EQ(halves, is_hex);
      if (is_hex) {
        EXPECT_EQ(whole, std::stoull(text, nullptr, 16));
        EXPECT_EQ((std::uint64_t{high} << 32U) | low, whole);
      }
    }
  }
}

}  // namespace
}  // namespace throughline
