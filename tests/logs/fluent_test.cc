#include "logs/fluent.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/attribute.h"
#include "logs/fluent_handshake.h"
#include "logs/lines.h"
#include "tests/proto/truncation.h"
#include "wire/compress.h"

namespace throughline::logs {
namespace {

using std::string_literals::operator""s;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kInflated = 1U << 20U;
constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";

// MessagePack by hand.
std::string Text(std::string_view text) {
  std::string out;
  wire::AppendMsgpackString(text, out);
  return out;
}
std::string Bytes(std::string_view bytes) {
  std::string out;
  wire::AppendMsgpackBytes(bytes, out);
  return out;
}
std::string Int(std::int64_t value) {
  std::string out;
  wire::AppendMsgpackInt(value, out);
  return out;
}
std::string Double(double value) {
  std::string out;
  wire::AppendMsgpackDouble(value, out);
  return out;
}
std::string Array(const std::vector<std::string>& items) {
  std::string out;
  wire::AppendMsgpackArray(static_cast<std::uint32_t>(items.size()), out);
  for (const std::string& item : items) out += item;
  return out;
}
std::string Map(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  wire::AppendMsgpackMap(static_cast<std::uint32_t>(pairs.size()), out);
  for (const auto& [key, value] : pairs) out += key + value;
  return out;
}
std::string EventTime(std::uint64_t seconds, std::uint64_t nanoseconds) {
  std::string bytes;
  for (unsigned i = 4; i-- > 0;) bytes += static_cast<char>(seconds >> (8 * i));
  for (unsigned i = 4; i-- > 0;) bytes += static_cast<char>(nanoseconds >> (8 * i));
  std::string out;
  wire::AppendMsgpackExt(0, bytes, out);
  return out;
}

const std::string kNil = "\xc0";
const std::string kTag = Text("shop.order");

std::string Record(std::string_view text) {
  return Map({{Text("log"), Text(text)}, {Text("trace_id"), Text(kTrace)}});
}

struct Read {
  std::unique_ptr<Batch> batch = std::make_unique<Batch>();
  Result<FluentMessage> message = FluentMessage();

  const LogLine& line(std::size_t i = 0) const { return batch->logs.at(i); }
  std::string body(std::size_t i = 0) const { return ValueText(line(i).body); }
  std::string attributes(std::size_t i = 0) const {
    std::string all;
    for (const Attribute& attribute : batch->Of(line(i).attributes)) {
      if (!all.empty()) all += ' ';
      all += std::string(attribute.key()) + '=' + ValueText(attribute.value());
    }
    return all;
  }
};

Read Decode(std::string_view bytes,
            const DecodeOptions& options = {.hash_seed = 7, .keep_unlinked = true}) {
  Read read;
  read.batch->body = Body::Of(bytes);
  read.message = DecodeFluent(read.batch->body.view(), kInflated, options, *read.batch);
  return read;
}

TEST(DecodeFluent, AllModesGiveTheSameLines) {
  const std::string entries[] = {Array({Int(10), Record("a")}), Array({Int(11), Record("b")})};
  const std::string stream = entries[0] + entries[1];
  const std::string gzip = wire::Gzip(entries[0]) + wire::Gzip(entries[1]);
  const auto compressed = [](std::string_view how) {
    return Map(
        {{Text("size"), Int(2)}, {Text("compressed"), Text(how)}, {Text("chunk"), Text("c1")}});
  };
  const std::string modes[] = {
      Array({kTag, Array({entries[0], entries[1]})}),
      Array({kTag, Array({entries[0], entries[1]}), kNil}),
      Array({kTag, Bytes(stream)}),
      Array({kTag, Text(stream), Map({{Text("size"), Int(2)}})}),
      Array({kTag, Bytes(stream), compressed("text")}),
      Array({kTag, Bytes(gzip), compressed("gzip")}),
  };
  for (const std::string& mode : modes) {
    const Read read = Decode(mode);
    ASSERT_TRUE(read.message) << read.message.error().message;
    EXPECT_EQ(read.message->decoded.accepted, 2U);
    ASSERT_EQ(read.batch->logs.size(), 2U);
    EXPECT_EQ(read.body(0), "a");
    EXPECT_EQ(read.body(1), "b");
    EXPECT_EQ(read.line(1).time_unix_ns, 11 * kSecond);
    EXPECT_EQ(ToHex(read.line(0).trace_id), kTrace);
    EXPECT_EQ(read.attributes(), "trace_id=" + std::string(kTrace) + " fluent.tag=shop.order");
  }
  EXPECT_EQ(Decode(modes[5]).message->chunk, "c1");
  EXPECT_EQ(Decode(modes[0]).message->chunk, "");

  const Read one = Decode(Array({kTag, EventTime(10, 250), Record("a")}));
  EXPECT_EQ(one.line().time_unix_ns, 10 * kSecond + 250);
  const Read option =
      Decode(Array({Bytes("t"), Int(10), Record("a"), Map({{Text("chunk"), Bytes("\x01\x02")}})}));
  EXPECT_EQ(option.message->chunk, "\x01\x02");
  EXPECT_EQ(option.line().identity,
            Decode(Array({Text("t"), Int(10), Record("a")})).line().identity);
}

TEST(DecodeFluent, ARecordIsTheLineThatItsJsonIs) {
  const std::string record = Map({
      {Text("log"), Text("order late")},
      {Text("level"), Text("warn")},
      {Text("n"), Int(-3)},
      {Text("big"), "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"},
      {Text("ratio"), Double(0.25)},
      {Text("whole"), Double(2)},
      {Text("ok"), "\xc3"},
      {Text("none"), kNil},
      {Text("quote\"d"), Text("a\"b\n")},
      {Int(5), Text("five")},
      {Text("in"), Map({{Text("a"), Array({Int(1), Text("x")})},
                        {Text("trace_id"), Text(kTrace)},
                        {Text("span_id"), Text("00f067aa0ba902b7")}})},
      {Text("kubernetes"), Map({{Text("labels"), Map({{Text("app"), Text("desk")}})}})},
  });
  const std::string json =
      R"({"log":"order late","level":"warn","n":-3,"big":18446744073709551615,"ratio":0.25,)"
      R"("whole":2.0,"ok":true,"none":null,"quote\"d":"a\"b\n","5":"five","in":{"a":[1,"x"],)"
      R"("trace_id":")" +
      std::string(kTrace) +
      R"(","span_id":"00f067aa0ba902b7"},"kubernetes":{"labels":{"app":"desk"}}})";
  Batch lines;
  lines.body = Body::Of(json);
  ASSERT_TRUE(DecodeLines(lines.body.view(), LineFormat::kNdjson, {.hash_seed = 7}, lines));
  ASSERT_EQ(lines.logs.size(), 1U);

  const Read read = Decode(Array({kTag, Int(10), record}));
  ASSERT_EQ(read.batch->logs.size(), 1U);
  const LogLine& line = read.line();
  const LogLine& want = lines.logs[0];
  EXPECT_EQ(line.body, want.body);
  EXPECT_EQ(line.severity_number, want.severity_number);
  EXPECT_EQ(line.severity_text, want.severity_text);
  EXPECT_EQ(line.service, "desk");
  EXPECT_EQ(line.service, want.service);
  EXPECT_EQ(line.trace_id, want.trace_id);
  EXPECT_EQ(line.span_id, want.span_id);
  EXPECT_EQ(line.found_by, FoundBy::kField);
  ASSERT_EQ(line.attributes.count, want.attributes.count + 1);  // The tag.
  for (std::size_t i = 0; i < want.attributes.count; ++i) {
    EXPECT_EQ(read.batch->Of(line.attributes)[i].bytes(), lines.Of(want.attributes)[i].bytes());
    EXPECT_EQ(read.batch->Of(line.attributes)[i].hash, lines.Of(want.attributes)[i].hash);
  }
}

struct TimeCase {
  const char* name;
  std::string time;
  std::uint64_t unix_ns;
};

TEST(DecodeFluent, ReadsEveryTime) {
  const std::vector<TimeCase> cases = {
      {"Integer", Int(1'795'382'417), 1'795'382'417 * kSecond},
      {"EventTime", EventTime(1'795'382'418, 629'072'274), 1'795'382'418'629'072'274},
      {"EventTimeAsExt8", "\xc7\x08\x00"s + EventTime(5, 6).substr(2), 5 * kSecond + 6},
      {"Double", Double(10.5), 10 * kSecond + kSecond / 2},
      {"Nil", kNil, 0},
      {"WithMetadata", Array({EventTime(5, 6), Map({})}), 5 * kSecond + 6},
  };
  for (const TimeCase& c : cases) {
    SCOPED_TRACE(c.name);
    const Read read = Decode(Array({kTag, Array({Array({c.time, Record("a")})})}));
    ASSERT_TRUE(read.message);
    ASSERT_EQ(read.batch->logs.size(), 1U) << read.message->decoded.first_rejection;
    EXPECT_EQ(read.line().time_unix_ns, c.unix_ns);
  }
  const std::string own =
      Map({{Text("time"), Text("1970-01-01T00:00:09Z")}, {Text("log"), Text("x")}});
  EXPECT_EQ(Decode(Array({kTag, Int(10), own})).line().time_unix_ns, 9 * kSecond);
}

TEST(DecodeFluent, MetadataMayHoldTheTrace) {
  const std::string metadata = Map({{Text("otlp"), Map({{Text("trace_id"), Text(kTrace)}})}});
  const std::string entry =
      Array({Array({EventTime(5, 6), metadata}), Map({{Text("log"), Text("x")}})});
  const Read read = Decode(Array({kTag, Bytes(entry)}));
  ASSERT_EQ(read.batch->logs.size(), 1U);
  EXPECT_EQ(ToHex(read.line().trace_id), kTrace);
  EXPECT_EQ(read.body(), "x");
}

struct RejectedCase {
  const char* name;
  std::string entry;
  std::string reason;
};

TEST(DecodeFluent, ABadRecordCostsOnlyItself) {
  std::string deep = Text("x");
  for (int i = 0; i < 66; ++i) deep = Map({{Text("k"), deep}});
  std::string two = Text("x");
  for (int i = 0; i < 65; ++i) two = Array({two});
  const std::vector<RejectedCase> cases = {
      {"NoArray", Int(1), "entry is no array of time and record"},
      {"OneItem", Array({Int(1)}), "entry is no array of time and record"},
      {"RecordIsText", Array({Int(1), Text("x")}), "record is no map"},
      {"TimeIsText", Array({Text("x"), Record("a")}), "time is neither seconds nor an EventTime"},
      {"NegativeTime", Array({Int(-1), Record("a")}), "time is neither seconds nor an EventTime"},
      {"HugeTime", Array({Int(INT64_MAX), Record("a")}),
       "time is neither seconds nor an EventTime"},
      {"BadNanoseconds", Array({EventTime(1, kSecond), Record("a")}),
       "time is neither seconds nor an EventTime"},
      {"Deep", Array({Int(1), deep}), "nested deeper than 64, or a key that is a container"},
      {"DeepArray", Array({Int(1), Map({{Text("k"), two}})}),
       "nested deeper than 64, or a key that is a container"},
      {"KeyIsArray", Array({Int(1), Map({{Array({}), Int(1)}})}),
       "nested deeper than 64, or a key that is a container"},
  };
  for (const RejectedCase& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string good = Array({Int(10), Record("a")});
    for (const std::string& message : {Array({kTag, Array({good, c.entry, good})}),
                                       Array({kTag, Bytes(good + c.entry + good)})}) {
      const Read read = Decode(message);
      ASSERT_TRUE(read.message) << read.message.error().message;
      EXPECT_EQ(read.message->decoded.received, 3U);
      EXPECT_EQ(read.message->decoded.accepted, 2U);
      EXPECT_EQ(read.message->decoded.first_rejection, "record 1: " + c.reason);
      EXPECT_EQ(read.batch->logs.size(), 2U);
    }
  }
  std::string fits = Text("x");
  for (int i = 0; i < 64; ++i) fits = Array({fits});
  EXPECT_EQ(Decode(Array({kTag, Int(1), Map({{Text("k"), fits}})})).batch->logs.size(), 1U);
}

struct RefusedCase {
  const char* name;
  std::string message;
  std::string error;
};

TEST(DecodeFluent, SaysWhyAMessageIsRefusedAndLeavesTheBatchAsItWas) {
  const std::string good = Array({Int(10), Record("a")});
  const auto option = [](std::string_view how) { return Map({{Text("compressed"), Text(how)}}); };
  const std::vector<RefusedCase> cases = {
      {"NoArray", kNil, "want an array of 2 to 4 items"},
      {"Empty", Array({}), "want an array of 2 to 4 items"},
      {"TagIsNumber", Array({Int(1), Array({})}), "tag is no string"},
      {"MessageWithoutRecord", Array({kTag, Int(1)}), "array of 2 items is of no mode"},
      {"ForwardOfFour", Array({kTag, Array({}), kNil, kNil}), "array of 4 items is of no mode"},
      {"OptionIsText", Array({kTag, Bytes(""), Text("x")}), "option is no map"},
      {"Trailing", Array({kTag, Bytes("")}) + "x", "bytes after the message"},
      {"BrokenStream", Array({kTag, Bytes(good + "\x92\x01")}),
       "msgpack: value runs past the end at byte " + std::to_string(good.size())},
      {"NotGzip", Array({kTag, Bytes(good), option("gzip")}), ""},
      {"UnknownCompression", Array({kTag, Bytes(good), option("lzo")}),
       "compressed is \"lzo\", want gzip, zstd or text"},
      {"Bomb", Array({kTag, Bytes(wire::Gzip(std::string(2U << 20U, '\xc0'))), option("gzip")}),
       "more than 1048576 bytes after inflating"},
  };
  for (const RefusedCase& c : cases) {
    SCOPED_TRACE(c.name);
    Batch batch;
    batch.body = Body::Of(good);
    ASSERT_TRUE(DecodeFluent(Array({kTag, Array({good})}), kInflated, {}, batch));
    const auto message = DecodeFluent(c.message, kInflated, {}, batch);
    ASSERT_FALSE(message);
    if (!c.error.empty()) {
      EXPECT_EQ(message.error().message, c.error);
    }
    EXPECT_EQ(batch.logs.size(), 1U);
    EXPECT_EQ(batch.attributes.size(), 2U);
  }
  EXPECT_FALSE(DecodeFluent(Array({kTag, Array({good, good})}), kInflated,
                            {.records_per_request = 1}, *std::make_unique<Batch>()));
}

TEST(DecodeFluent, MetricsOfFluentBitAreRejectedNotMisread) {
  const Read read = Decode(Array({kTag, Bytes("\x81"), Map({{Text("fluent_signal"), Int(1)}})}));
  ASSERT_TRUE(read.message);
  EXPECT_EQ(read.message->decoded.rejected, 1U);
  EXPECT_EQ(read.message->decoded.first_rejection, "record 0: fluent_signal is 1, want 0 (logs)");
}

TEST(DecodeFluent, ARepeatedChunkAddsNothing) {
  const std::string timed = Array({kTag, Array({Array({Int(10), Record("a")})})});
  EXPECT_EQ(Decode(timed).line().identity, Decode(timed).line().identity);
  const std::string untimed = Array({kNil, Record("a")});
  const Read read = Decode(Array({kTag, Array({untimed, untimed})}));
  EXPECT_NE(read.line(0).identity, read.line(1).identity);
  EXPECT_EQ(read.line(1).identity,
            Decode(Array({kTag, Array({untimed, untimed})})).line(1).identity);
}

TEST(DecodeFluent, EveryPrefixIsRefusedAndNothingIsReadPastIt) {
  const std::string message = Array(
      {kTag, Array({Array({EventTime(5, 6), Record("a")})}), Map({{Text("chunk"), Text("c")}})});
  samples::ForEachPrefix(message, [&message](std::string_view prefix) {
    Batch batch;
    EXPECT_EQ(DecodeFluent(prefix, kInflated, {}, batch).has_value(),
              prefix.size() == message.size());
    FluentFramer framer(1000);
    EXPECT_EQ(framer.Next(prefix).state, prefix.size() == message.size()
                                             ? FluentFramer::State::kMessage
                                             : FluentFramer::State::kNeedMore);
  });
}

TEST(FluentFramer, FindsEachMessage) {
  using State = FluentFramer::State;
  const std::string message = Array({kTag, Int(10), Record("a")});
  FluentFramer framer(message.size());
  EXPECT_EQ(framer.Next(message).size, message.size());
  EXPECT_EQ(framer.Next(message + message).size, message.size());
  EXPECT_EQ(framer.Next(kNil).state, State::kHeartbeat);
  EXPECT_EQ(framer.Next(R"(["tag",1,{}])").state, State::kMalformed);
  EXPECT_EQ(framer.Next("GET / HTTP/1.1").state, State::kMalformed);
  EXPECT_EQ(FluentFramer(10).Next(message).state, State::kTooLarge);
  EXPECT_EQ(FluentFramer(1U << 24U).Next("\xdd\xff\xff\xff\xff"s).state, State::kTooLarge);
}

TEST(FluentAck, EchoesTheChunk) {
  EXPECT_EQ(FluentAck("c1"),
            "\x81\xa3"
            "ack\xa2"
            "c1");
}

// Not a hash, so that a failure shows what was hashed.
std::string Marked(std::string_view bytes) { return "#" + std::string(bytes); }

const FluentSecrets kSecrets = {
    .shared_key = "key", .users = {{"ann", "pa"}, {"bob", "pb"}}, .hostname = "us"};
const FluentChallenge kChallenge = {.nonce = "N", .auth_salt = "A"};

std::string Ping(const std::string& digest, const std::string& user, const std::string& password) {
  return Array({Text("PING"), Text("them"), Bytes("S"), Text(digest), Text(user), Text(password)});
}

TEST(FluentHandshake, ShakesHands) {
  EXPECT_EQ(FluentHelo(kSecrets, kChallenge),
            Array({Text("HELO"), Map({{Text("nonce"), Bytes("N")},
                                      {Text("auth"), Bytes("A")},
                                      {Text("keepalive"), "\xc3"}})}));
  const auto pong =
      AnswerFluentPing(Ping("#SthemNkey", "bob", "#Abobpb"), kSecrets, kChallenge, Marked);
  EXPECT_TRUE(pong.accepted);
  EXPECT_EQ(pong.bytes, Array({Text("PONG"), "\xc3", Text(""), Text("us"), Text("#SusNkey")}));
  FluentSecrets no_users = kSecrets;
  no_users.users.clear();
  EXPECT_TRUE(AnswerFluentPing(Ping("#SthemNkey", "", ""), no_users, kChallenge, Marked).accepted);
}

struct PingCase {
  const char* name;
  std::string ping;
  std::string reason;
};

TEST(FluentHandshake, RefusesAndProvesNothing) {
  const std::string good = Ping("#SthemNkey", "bob", "#Abobpb");
  const std::vector<PingCase> cases = {
      {"WrongKey", Ping("#SthemNother", "bob", "#Abobpb"), "shared_key mismatch"},
      {"EmptyDigest", Ping("", "bob", "#Abobpb"), "shared_key mismatch"},
      {"WrongPassword", Ping("#SthemNkey", "bob", "#Abobpa"), "username/password mismatch"},
      {"OtherUsersPassword", Ping("#SthemNkey", "bob", "#Aannpa"), "username/password mismatch"},
      {"NoUser", Ping("#SthemNkey", "", ""), "username/password mismatch"},
      {"NoPing", Array({kTag, Int(10), Record("a")}), "invalid ping message"},
      {"ShortPing", Array({Text("PING"), Text("them")}), "invalid ping message"},
      {"Number", Array({Text("PING"), Int(1), Text(""), Text(""), Text(""), Text("")}),
       "invalid ping message"},
      {"Trailing", good + kNil, "invalid ping message"},
  };
  for (const PingCase& c : cases) {
    SCOPED_TRACE(c.name);
    const auto pong = AnswerFluentPing(c.ping, kSecrets, kChallenge, Marked);
    EXPECT_FALSE(pong.accepted);
    EXPECT_EQ(pong.bytes, Array({Text("PONG"), "\xc2", Text(c.reason), Text(""), Text("")}));
  }
  samples::ForEachPrefix(good, [&good](std::string_view prefix) {
    EXPECT_EQ(AnswerFluentPing(prefix, kSecrets, kChallenge, Marked).accepted,
              prefix.size() == good.size());
  });
}

}  // namespace
}  // namespace throughline::logs
