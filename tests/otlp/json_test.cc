#include "otlp/json.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "otlp/base64.h"
#include "otlp/json_integer.h"

namespace throughline::otlp {
namespace {

using State = DecimalInteger::State;

// One document, decoded into one batch.
class Request {
 public:
  explicit Request(std::string_view text, const DecodeOptions& options = {})
      : options_(options), decoder_(options_, batch_) {
    batch_.body = Body::Of(text);
    auto parsed = decoder_.Parse(batch_.body.view());
    if (!parsed) {
      error_ = parsed.error().message;
      return;
    }
    root_ = *parsed;
    decoder_.BeginRecord();
  }

  Batch& batch() { return batch_; }
  JsonDecoder& decoder() { return decoder_; }
  wire::JsonValue root() const { return root_; }
  const JsonPath& path() const { return path_; }
  // The member of the root.
  wire::JsonValue Get(std::string_view name) const {
    wire::JsonValue found;
    for (wire::JsonMembers members(root_); members.Next();) {
      if (members.key() == name) found = members.value();
    }
    return found;
  }
  std::string error() const { return decoder_.ok() ? error_ : decoder_.error().message; }

 private:
  DecodeOptions options_;
  Batch batch_;
  JsonDecoder decoder_;
  wire::JsonValue root_;
  JsonPath path_;
  std::string error_;
};

// The canonical bytes of {"v": `any_value`}, or what is wrong with it.
std::string ValueOf(const std::string& any_value) {
  Request request("{\"v\":" + any_value + "}");
  const std::string_view bytes = request.decoder().AnyValue(request.Get("v"), request.path(), "v");
  return request.error().empty() ? std::string(bytes) : "error: " + request.error();
}

std::string Bytes(std::string_view text) { return std::string(text); }

TEST(ParseInteger, IsExact) {
  struct Case {
    const char* text;
    State state;
    bool negative;
    std::uint64_t magnitude;
  };
  const Case cases[] = {
      {"0", State::kOk, false, 0},
      {"-0", State::kOk, false, 0},
      {"-0.0e7", State::kOk, false, 0},
      {"1700000000000000001", State::kOk, false, 1700000000000000001U},
      {"-5", State::kOk, true, 5},
      {"2.0", State::kOk, false, 2},
      {"1.5e9", State::kOk, false, 1500000000},
      {"1.500E+9", State::kOk, false, 1500000000},
      {"1500e-2", State::kOk, false, 15},
      {"1.700000000000000001e18", State::kOk, false, 1700000000000000001U},
      {"18446744073709551615", State::kOk, false, UINT64_MAX},
      {"184467440737095516150e-1", State::kOk, false, UINT64_MAX},
      {"0.000018446744073709551615e24", State::kOk, false, UINT64_MAX},
      {"0e999999999999999999999", State::kOk, false, 0},
      {"18446744073709551616", State::kTooLarge, false, 0},
      {"1e20", State::kTooLarge, false, 0},
      {"1e999999999999999999999", State::kTooLarge, false, 0},
      {"1e-999999999999999999999", State::kNotIntegral, false, 0},
      {"1.5", State::kNotIntegral, false, 0},
      {"15e-2", State::kNotIntegral, false, 0},
      {"", State::kNotANumber, false, 0},
      {"-", State::kNotANumber, false, 0},
      {"+1", State::kNotANumber, false, 0},
      {" 1", State::kNotANumber, false, 0},
      {"1 ", State::kNotANumber, false, 0},
      {"01", State::kNotANumber, false, 0},
      {"0x10", State::kNotANumber, false, 0},
      {"1.", State::kNotANumber, false, 0},
      {".5", State::kNotANumber, false, 0},
      {"1e", State::kNotANumber, false, 0},
      {"1e+", State::kNotANumber, false, 0},
      {"one", State::kNotANumber, false, 0},
  };
  for (const Case& test : cases) {
    const DecimalInteger parsed = ParseInteger(test.text);
    EXPECT_EQ(parsed.state, test.state) << test.text;
    if (test.state != State::kOk) continue;
    EXPECT_EQ(parsed.negative, test.negative) << test.text;
    EXPECT_EQ(parsed.magnitude, test.magnitude) << test.text;
  }
}

TEST(DecodeBase64, BothAlphabetsAndPadding) {
  std::string bytes;
  EXPECT_TRUE(DecodeBase64("", bytes));
  EXPECT_EQ(bytes, "");
  for (const char* text : {"+/8=", "-_8=", "-_8", "+/8"}) {
    EXPECT_TRUE(DecodeBase64(text, bytes)) << text;
    EXPECT_EQ(bytes, "\xfb\xff") << text;
  }
  EXPECT_TRUE(DecodeBase64("AAECAw==", bytes));
  EXPECT_EQ(bytes, std::string("\x00\x01\x02\x03", 4));
  for (const char* text : {"A", "AAAAA", "A===", "AA=", "AA=A", "A A=", "AA\n=", "====", "%%%%"}) {
    EXPECT_FALSE(DecodeBase64(text, bytes)) << text;
  }
}

TEST(JsonDecoder, IntegersInAllSpellings) {
  Request request(
      R"({"a":1700000000000000001,"b":"1700000000000000001","c":1.700000000000000001e18,)"
      R"("d":"1.5e9","e":2.0,"f":18446744073709551615,"g":null,"h":-9223372036854775808,)"
      R"("i":"-9223372036854775808","j":0,"k":"0"})");
  JsonDecoder& decoder = request.decoder();
  const auto unsigned_of = [&](const char* name) {
    return decoder.Uint64(request.Get(name), request.path(), name);
  };
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(unsigned_of(name), 1700000000000000001U);
  EXPECT_EQ(unsigned_of("d"), 1500000000U);
  EXPECT_EQ(unsigned_of("e"), 2U);
  EXPECT_EQ(unsigned_of("f"), UINT64_MAX);
  for (const char* name : {"g", "j", "k", "absent"}) EXPECT_EQ(unsigned_of(name), 0U);
  EXPECT_EQ(decoder.Int64(request.Get("h"), request.path(), "h"), INT64_MIN);
  EXPECT_EQ(decoder.Int64(request.Get("i"), request.path(), "i"), INT64_MIN);
  EXPECT_EQ(request.error(), "");
}

TEST(JsonDecoder, WrongFieldsAreNamed) {
  struct Case {
    const char* json;
    const char* error;
  };
  const Case unsigned_cases[] = {
      {"-1", "v: is negative"},
      {"\"-1\"", "v: is negative"},
      {"18446744073709551616", "v: does not fit 64 bits"},
      {"\"18446744073709551616\"", "v: does not fit 64 bits"},
      {"1.5", "v: is not integral"},
      {"\"abc\"", "v: is a string that is no integer"},
      {"\"\"", "v: is a string that is no integer"},
      {"\"007\"", "v: is a string that is no integer"},
      {"true", "v: is a boolean, want an integer"},
      {"[1]", "v: is an array, want an integer"},
      {"{}", "v: is an object, want an integer"},
  };
  for (const Case& test : unsigned_cases) {
    Request request(std::string("{\"v\":") + test.json + "}");
    EXPECT_EQ(request.decoder().Uint64(request.Get("v"), request.path(), "v"), 0U);
    EXPECT_EQ(request.error(), test.error);
  }
  Request wide(R"({"a":4294967296})");
  wide.decoder().Uint32(wide.Get("a"), wide.path(), "a");
  EXPECT_EQ(wide.error(), "a: does not fit 32 bits");
  Request large(R"({"a":9223372036854775808})");
  large.decoder().Int64(large.Get("a"), large.path(), "a");
  EXPECT_EQ(large.error(), "a: does not fit 64 bits with a sign");
  Request text(R"({"a":7})");
  text.decoder().Text(text.Get("a"), text.path(), "a");
  EXPECT_EQ(text.error(), "a: is a number, want a string");
}

TEST(JsonDecoder, FirstProblemStays) {
  Request request(R"({"a":true,"b":true})");
  request.decoder().Uint64(request.Get("a"), request.path(), "a");
  request.decoder().Uint64(request.Get("b"), request.path(), "b");
  EXPECT_EQ(request.error(), "a: is a boolean, want an integer");
}

TEST(JsonDecoder, DocumentsAreObjects) {
  EXPECT_EQ(Request("[]").error(), "the request is an array, want an object");
  EXPECT_EQ(Request("null").error(), "the request is null, want an object");
  EXPECT_EQ(Request("{").error(), "json: byte 1: the text ends early");
}

TEST(AnyValue, IsCanonical) {
  EXPECT_EQ(ValueOf("null"), "");
  EXPECT_EQ(ValueOf("{}"), "");
  EXPECT_EQ(ValueOf(R"({"stringValue":"ab"})"),
            "\x0a\x02"
            "ab");
  EXPECT_EQ(ValueOf(R"({"stringValue":""})"), Bytes({"\x0a\x00", 2}));
  EXPECT_EQ(ValueOf(R"({"boolValue":true})"), "\x10\x01");
  EXPECT_EQ(ValueOf(R"({"boolValue":false})"), Bytes({"\x10\x00", 2}));
  EXPECT_EQ(ValueOf(R"({"intValue":"300"})"), "\x18\xac\x02");
  EXPECT_EQ(ValueOf(R"({"intValue":300})"), "\x18\xac\x02");
  EXPECT_EQ(ValueOf(R"({"intValue":-1})"), "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(ValueOf(R"({"doubleValue":0.5})"), Bytes({"\x21\0\0\0\0\0\0\xe0\x3f", 9}));
  EXPECT_EQ(ValueOf(R"({"doubleValue":1})"), Bytes({"\x21\0\0\0\0\0\0\xf0\x3f", 9}));
  EXPECT_EQ(ValueOf(R"({"doubleValue":"1"})"), Bytes({"\x21\0\0\0\0\0\0\xf0\x3f", 9}));
  EXPECT_EQ(ValueOf(R"({"bytesValue":"AAE="})"), Bytes({"\x3a\x02\x00\x01", 4}));
  EXPECT_EQ(ValueOf(R"({"arrayValue":{}})"), Bytes({"\x2a\x00", 2}));
  EXPECT_EQ(ValueOf(R"({"arrayValue":{"values":[{"intValue":1},{},null]}})"),
            Bytes({"\x2a\x08\x0a\x02\x18\x01\x0a\x00\x0a\x00", 10}));
  EXPECT_EQ(ValueOf(R"({"kvlistValue":{"values":[{"key":"b","value":{"boolValue":true}},{}]}})"),
            Bytes({"\x32\x0f\x0a\x07\x0a\x01"
                   "b\x12\x02\x10\x01\x0a\x04\x0a\x00\x12\x00",
                   17}));
}

TEST(AnyValue, LengthsAreMinimalVarints) {
  const std::string text(200, 'x');
  const std::string inner = "\x0a\xc8\x01" + text;
  EXPECT_EQ(ValueOf("{\"stringValue\":\"" + text + "\"}"), inner);
  EXPECT_EQ(ValueOf("{\"arrayValue\":{\"values\":[{\"stringValue\":\"" + text + "\"}]}}"),
            "\x2a\xce\x01\x0a\xcb\x01" + inner);
}

TEST(AnyValue, LastMemberThatIsNotNullWins) {
  EXPECT_EQ(ValueOf(R"({"stringValue":"x","intValue":"1"})"), "\x18\x01");
  EXPECT_EQ(ValueOf(R"({"intValue":"1","stringValue":null,"later":7})"), "\x18\x01");
  EXPECT_EQ(ValueOf(R"({"intValue":"1","intValue":"2"})"), "\x18\x02");
}

TEST(AnyValue, OddDoubles) {
  EXPECT_TRUE(std::isnan(ReadValue(ValueOf(R"({"doubleValue":"NaN"})")).number));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(ReadValue(ValueOf(R"({"doubleValue":"Infinity"})")).number, kInfinity);
  EXPECT_EQ(ReadValue(ValueOf(R"({"doubleValue":"-Infinity"})")).number, -kInfinity);
  EXPECT_EQ(ReadValue(ValueOf(R"({"doubleValue":100000000000000000000})")).number, 1e20);
}

TEST(AnyValue, WrongOnesAreNamed) {
  EXPECT_EQ(ValueOf("\"b\""), "error: v: is a string, want an object");
  EXPECT_EQ(ValueOf(R"({"intValue":1.5})"), "error: v.intValue: is not integral");
  EXPECT_EQ(ValueOf(R"({"boolValue":1})"), "error: v.boolValue: is a number, want a boolean");
  EXPECT_EQ(ValueOf(R"({"boolValue":"true"})"), "error: v.boolValue: is a string, want a boolean");
  EXPECT_EQ(ValueOf(R"({"doubleValue":"x"})"),
            "error: v.doubleValue: is a string that is no number");
  EXPECT_EQ(ValueOf(R"({"doubleValue":"inf"})"),
            "error: v.doubleValue: is a string that is no number");
  EXPECT_EQ(ValueOf(R"({"bytesValue":"!"})"), "error: v.bytesValue: is not base64");
  EXPECT_EQ(ValueOf(R"({"arrayValue":[]})"), "error: v.arrayValue: is an array, want an object");
  EXPECT_EQ(ValueOf(R"({"arrayValue":{"values":[{},{"intValue":"a"}]}})"),
            "error: v.arrayValue.values[1].intValue: is a string that is no integer");
  EXPECT_EQ(ValueOf(R"({"kvlistValue":{"values":[{"key":1}]}})"),
            "error: v.kvlistValue.values[0].key: is a number, want a string");
}

std::string Nested(int levels) {
  std::string json = R"({"intValue":1})";
  for (int i = 0; i < levels; ++i) json = R"({"arrayValue":{"values":[)" + json + "]}}";
  return json;
}

TEST(AnyValue, DepthIsBounded) {
  const std::string deepest = ValueOf(Nested(kMaxValueDepth));
  int levels = 0;
  Value value = ReadValue(deepest);
  while (value.type == ValueType::kArray) {
    ValueItems items(value);
    ASSERT_TRUE(items.Next());
    value = ReadValue(items.value);
    ++levels;
  }
  EXPECT_EQ(levels, kMaxValueDepth);
  EXPECT_EQ(value.integer, 1);
  const std::string deeper = ValueOf(Nested(kMaxValueDepth + 1));
  EXPECT_TRUE(deeper.ends_with("nested too deeply")) << deeper;
}

TEST(Attributes, AreCanonicalInOrderAndHashed) {
  DecodeOptions options;
  options.hash_seed = 42;
  Request request(R"({"attributes":[{"key":"b","value":{"stringValue":"x"}},)"
                  R"({"value":{"intValue":"1"},"key":"a"},{"key":"e"},{},null,)"
                  R"({"key":"u","value":{"stringValue":"y"},"future":1},)"
                  R"({"key":"d","key":"last","value":{"stringValue":"z"}}]})",
                  options);
  const Range range =
      request.decoder().Attributes(request.Get("attributes"), request.path(), "attributes");
  ASSERT_EQ(request.error(), "");
  const auto attributes = request.batch().Of(range);
  ASSERT_EQ(attributes.size(), 7U);
  const char* const keys[] = {"b", "a", "e", "", "", "u", "last"};
  Arena arena;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    EXPECT_EQ(attributes[i].key(), keys[i]);
    const Attribute same = MakeAttribute(keys[i], attributes[i].value(), 42, arena);
    EXPECT_EQ(attributes[i].bytes(), same.bytes());
    EXPECT_EQ(attributes[i].hash, same.hash);
  }
  EXPECT_EQ(StringOf(attributes[0].value()), "x");
  EXPECT_EQ(ReadValue(attributes[1].value()).integer, 1);
  EXPECT_EQ(attributes[2].value(), "");
  EXPECT_EQ(StringOf(attributes[5].value()), "y");
}

TEST(Attributes, LongTextsHaveLongLengths) {
  for (const std::size_t size : {127U, 128U, 125U, 16380U, 16384U, 70000U}) {
    const std::string text(size, 'v');
    const std::string key(size, 'k');
    Request request(R"({"a":[{"key":")" + key + R"(","value":{"stringValue":")" + text + "\"}}]}");
    const Range range = request.decoder().Attributes(request.Get("a"), request.path(), "a");
    ASSERT_EQ(range.count, 1U);
    const Attribute& attribute = request.batch().Of(range)[0];
    Arena arena;
    std::string any_value;
    AppendStringValue(text, any_value);
    EXPECT_EQ(attribute.bytes(), MakeAttribute(key, any_value, 0, arena).bytes());
    EXPECT_EQ(attribute.key(), key);
  }
}

TEST(Attributes, AreBoundedPerRecord) {
  DecodeOptions options;
  options.attributes_per_record = 2;
  Request request(R"({"a":[{"key":"1"},{"key":"2"}],"b":[{"key":"3"}]})", options);
  EXPECT_EQ(request.decoder().Attributes(request.Get("a"), request.path(), "a").count, 2U);
  EXPECT_EQ(request.decoder().problem(), "");
  EXPECT_EQ(request.decoder().Attributes(request.Get("b"), request.path(), "b").count, 0U);
  EXPECT_EQ(request.decoder().problem(), "more than 2 attributes");
  EXPECT_EQ(request.error(), "");
  request.decoder().BeginRecord();
  EXPECT_EQ(request.decoder().problem(), "");
}

TEST(Attributes, KeysAreBounded) {
  const std::string longest(kMaxKeyBytes, 'k');
  Request good(R"({"a":[{"key":")" + longest + R"(","value":{"stringValue":"v"}}]})");
  EXPECT_EQ(good.decoder().Attributes(good.Get("a"), good.path(), "a").count, 1U);
  EXPECT_EQ(good.decoder().problem(), "");
  for (const char* const value : {R"({"stringValue":"v"})", R"({"intValue":1})"}) {
    Request bad(R"({"a":[{"key":"k)" + longest + R"(","value":)" + value + "}]}");
    EXPECT_EQ(bad.decoder().Attributes(bad.Get("a"), bad.path(), "a").count, 0U);
    EXPECT_EQ(bad.decoder().problem(),
              "attribute key has 1048577 bytes, at most 1048576 are allowed");
  }
}

TEST(Resource, ServiceIsTheLastOne) {
  Request request(
      R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}},)"
      R"({"key":"service.name","value":{"stringValue":"b"}},)"
      R"({"key":"service.name","value":{"intValue":1}}]}})");
  const std::uint32_t index =
      request.decoder().Resource(request.Get("resource"), request.path(), "resource");
  ASSERT_EQ(index, 0U);
  EXPECT_EQ(request.batch().resources[0].service, "b");
  EXPECT_EQ(request.batch().resources[0].attributes.count, 3U);
  EXPECT_EQ(request.decoder().Resource({}, request.path(), "resource"), kNoIndex);
}

TEST(Resource, TooManyAttributesRefuseTheRequest) {
  DecodeOptions options;
  options.attributes_per_record = 1;
  Request request(R"({"resource":{"attributes":[{"key":"a"},{"key":"b"}]}})", options);
  request.decoder().Resource(request.Get("resource"), request.path(), "resource");
  ASSERT_FALSE(request.decoder().ok());
  EXPECT_EQ(request.decoder().error().code, Errc::kTooLarge);
  EXPECT_EQ(request.error(), "resource: more than 1 attributes");
}

TEST(Scope, IsRead) {
  Request request(R"({"scope":{"name":"n","version":"1","attributes":[{"key":"k"}]}})");
  const std::uint32_t index =
      request.decoder().Scope(request.Get("scope"), request.path(), "scope");
  ASSERT_EQ(index, 0U);
  const InstrumentationScope& scope = request.batch().scopes[0];
  EXPECT_EQ(scope.name, "n");
  EXPECT_EQ(scope.version, "1");
  EXPECT_EQ(scope.attributes.count, 1U);
}

}  // namespace
}  // namespace throughline::otlp
