#include "logs/syslog.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "correlate/attribute.h"
#include "logs/syslog_frame.h"
#include "tests/proto/truncation.h"

namespace throughline::logs {
namespace {

using std::string_literals::operator""s;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kArrival = 1'795'382'164 * kSecond;  // 2026-11-22T21:16:04Z
constexpr std::string_view kId = "4bf92f3577b34da6a3ce929d0e0e4736";

struct Read {
  std::unique_ptr<Batch> batch = std::make_unique<Batch>();
  Decoded decoded;

  const LogLine& line(std::size_t i = 0) const { return batch->logs.at(i); }
  std::string body(std::size_t i = 0) const { return std::string(StringOf(line(i).body)); }
  // The text of an attribute; "" where there is none.
  std::string attribute(std::string_view key, std::size_t i = 0) const {
    for (const Attribute& attribute : batch->Of(line(i).attributes)) {
      if (attribute.key() == key) return ValueText(attribute.value());
    }
    return {};
  }
};

Read Decode(const std::vector<std::string>& messages, std::uint64_t arrival = kArrival,
            bool keep_unlinked = true) {
  Read read;
  std::string all;
  for (const std::string& message : messages) all += message;
  read.batch->body = Body::Of(all);
  std::vector<std::string_view> views;
  std::size_t at = 0;
  for (const std::string& message : messages) {
    views.push_back(read.batch->body.view().substr(at, message.size()));
    at += message.size();
  }
  auto decoded =
      DecodeSyslog(views, arrival, {.hash_seed = 7, .keep_unlinked = keep_unlinked}, *read.batch);
  EXPECT_TRUE(decoded);
  if (decoded) read.decoded = *std::move(decoded);
  EXPECT_EQ(read.decoded.received,
            read.decoded.accepted + read.decoded.rejected + read.decoded.unlinked);
  return read;
}

struct Case {
  const char* name;
  std::string message;
  std::string body;
  std::string severity = "notice";
  std::string facility = "user";
  std::string host = "";
  std::string app = "";
  std::string procid = "";
  std::string msgid = "";
  std::uint64_t time_ns = 0;
};

TEST(DecodeSyslog, ReadsHeadersAndWhatIsNone) {
  constexpr std::uint64_t k3164 = 1'795'382'164 * kSecond;
  const std::vector<Case> cases = {
      {"Rfc5424",
       "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su 77 ID47 - 'su root' failed",
       "'su root' failed", "crit", "auth", "mymachine.example.com", "su", "77", "ID47",
       1'065'910'455'003'000'000},
      {"Rfc5424Nothing", "<165>1 - - - - - -", "", "notice", "local4"},
      {"Rfc5424Zone", "<132>1 2026-11-22T22:16:04.5+01:00 vm shop - - - text", "text", "warning",
       "local0", "vm", "shop", "", "", k3164 + kSecond / 2},
      {"Rfc5424BadTime", "<13>1 2026-99-22T22:16:04Z vm shop - - - text", "text", "notice", "user",
       "vm", "shop"},
      {"Rfc5424Bom", "<34>1 2026-11-22T21:16:04Z h a p m - \xef\xbb\xbfmsg", "msg", "crit", "auth",
       "h", "a", "p", "m", k3164},
      {"Rfc5424SpaceOfRsyslog", "<13>1 - h a - - -  two  spaces", "two  spaces", "notice", "user",
       "h", "a"},
      {"Rfc5424Truncated", "<34>1 2026-11-22T21:00:00", "1 2026-11-22T21:00:00", "crit", "auth"},
      {"Rfc5424NoStructuredData", "<34>1 - h a - - text", "text", "crit", "auth", "h", "a"},
      {"UnclosedStructuredData", "<34>1 - h a p m [ex@1 k=\"v", "[ex@1 k=\"v", "crit", "auth", "h",
       "a", "p", "m"},
      {"TrailingEnds", "<13>1 - - - - - - text\r\n\0"s, "text"},
      {"NulInside", "<34>1 - - - - - - a\0b"s, "a\0b"s, "crit", "auth"},
      {"Rfc3164", "<132>Nov 22 21:16:04 vm shop: order 0", "order 0", "warning", "local0", "vm",
       "shop", "", "", k3164},
      {"Rfc3164Pid", "<34>Oct  1 22:14:15 vm sshd[123]: no", "no", "crit", "auth", "vm", "sshd",
       "123", "", 1'790'892'855 * kSecond},
      {"Rfc3164PidNoColon", "<34>Nov 22 21:16:04 vm sshd[123] no", "no", "crit", "auth", "vm",
       "sshd", "123", "", k3164},
      {"Rfc3164Local", "<13>Nov 22 21:16:04 shop[9]: text", "text", "notice", "user", "", "shop",
       "9", "", k3164},
      {"Rfc3164NoTag", "<13>Nov 22 21:16:04 vm order 0 placed", "order 0 placed", "notice", "user",
       "vm", "", "", "", k3164},
      {"Rfc3164Ipv6Host", "<13>Nov 22 21:16:04 fe80::1 shop: x", "x", "notice", "user", "fe80::1",
       "shop", "", "", k3164},
      {"Cisco", "<189>Nov 22 2026 21:16:04.250: %SYS-5-CONFIG_I: Configured", "Configured",
       "notice", "local7", "", "%SYS-5-CONFIG_I", "", "", k3164 + kSecond / 4},
      {"IsoIn3164", "<11>2026-11-22T21:16:04.000001+00:00 vm shop order 0", "shop order 0", "err",
       "user", "vm", "", "", "", k3164 + 1000},
      {"IsoIn3164Tag", "<11>2026-11-22T21:16:04+00:00 vm shop: order 0", "order 0", "err", "user",
       "vm", "shop", "", "", k3164},
      {"NoDate", "<13>su: bad", "su: bad"},
      {"NoDatePid", "<13>su[5]: bad", "bad", "notice", "user", "", "su", "5"},
      {"NoPri", "hello there", "hello there"},
      {"PriOver191", "<999>1 - - - - - - x", "<999>1 - - - - - - x"},
      {"PriIs192", "<192>x", "<192>x"},
      {"PriIs191", "<191>x", "x", "debug", "local7"},
      {"PriNegative", "<-1>x", "<-1>x"},
      {"PriEmpty", "<>x", "<>x"},
      {"PriOpen", "<13", "<13"},
      {"OnlyPri", "<0>", "", "emerg", "kern"},
      {"NotUtf8", "<13>1 - h\xff - - - - caf\xe9", "caf\xef\xbf\xbd", "notice", "user",
       "h\xef\xbf\xbd"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Read read = Decode({c.message});
    ASSERT_EQ(read.batch->logs.size(), 1U);
    EXPECT_EQ(read.body(), c.body);
    EXPECT_EQ(read.line().severity_text, c.severity);
    EXPECT_EQ(read.attribute("syslog.facility"), c.facility);
    EXPECT_EQ(read.attribute("host.name"), c.host);
    EXPECT_EQ(read.attribute("service.name"), c.app);
    EXPECT_EQ(read.line().service, c.app);
    EXPECT_EQ(read.attribute("syslog.procid"), c.procid);
    EXPECT_EQ(read.attribute("syslog.msgid"), c.msgid);
    EXPECT_EQ(read.line().time_unix_ns, c.time_ns);
  }
}

TEST(DecodeSyslog, SeveritiesAreThoseOfOpenTelemetry) {
  const std::uint32_t numbers[] = {21, 19, 18, 17, 13, 10, 9, 5};
  for (std::size_t severity = 0; severity < 8; ++severity) {
    const Read read = Decode({"<" + std::to_string(8 + severity) + ">x"});
    EXPECT_EQ(read.line().severity_number, numbers[severity]);
  }
}

struct StructuredCase {
  const char* name;
  std::string data;
  std::string value;  // As JSON; empty: it is text.
};

TEST(DecodeSyslog, StructuredDataIsOneAttribute) {
  const std::vector<StructuredCase> cases = {
      {"One", R"([a@1 k="v"])", R"({"a@1":{"k":"v"}})"},
      {"Two", R"([a k="v" l="w"][b])", R"({"a":{"k":"v","l":"w"},"b":{}})"},
      {"Escapes", R"([a q="a\]b\"c\\d\e"])", R"({"a":{"q":"a]b\"c\\d\\e"}})"},
      {"Spaces", R"([a  k="v" ])", R"({"a":{"k":"v"}})"},
      {"Empty", R"([a k=""])", R"({"a":{"k":""}})"},
      {"NoId", R"([ k="v"])", ""},
      {"NoQuote", R"([a k=v])", ""},
      {"Open", R"([a k="v")", ""},
      {"OpenValue", R"([a k="v\)", ""},
      {"TextBehind", R"([a k="v"]x)", ""},
      {"LongName", "[" + std::string(256, 'a') + "]", ""},
  };
  for (const StructuredCase& c : cases) {
    SCOPED_TRACE(c.name);
    const Read read = Decode({"<13>1 - - - - - " + c.data + " text"});
    EXPECT_EQ(read.attribute("syslog.structured_data"), c.value);
    EXPECT_EQ(read.body(), c.value.empty() ? c.data + " text" : "text");
  }
}

TEST(DecodeSyslog, TraceIdsComeFromStructuredDataThenFromTheText) {
  const std::string id(kId);
  const std::string other = "0af7651916cd43dd8448eb211c80319c";
  const Read read = Decode({
      "<13>1 - - a - - [any@1 trace_id=\"" + id +
          "\" span_id=\"00f067aa0ba902b7\"] trace_id=" + other,
      "<13>Nov 22 21:16:04 vm shop: order trace_id=" + id,
      "hello trace_id=" + id,
      "<34>1 - h a p m [ex@1 trace_id=\"4bf9",
  });
  EXPECT_EQ(read.decoded.accepted, 3U);
  EXPECT_EQ(read.decoded.unlinked, 1U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ToHex(read.line(i).trace_id), id);
  EXPECT_EQ(read.line(0).found_by, FoundBy::kField);
  EXPECT_EQ(ToHex(read.line(0).span_id), "00f067aa0ba902b7");
  ASSERT_EQ(read.line(0).related.count, 1U);
  EXPECT_EQ(ToHex(read.batch->RelatedOf(read.line(0))[0].trace_id), other);
  EXPECT_EQ(read.line(1).found_by, FoundBy::kKey);
}

TEST(DecodeSyslog, TheYearIsTheNearestToTheArrival) {
  constexpr std::uint64_t kNewYear = 1'798'761'600 * kSecond;  // 2027-01-01T00:00:00Z
  EXPECT_EQ(Decode({"<13>Dec 31 23:59:59 h a: x"}, kNewYear + kSecond).line().time_unix_ns,
            kNewYear - kSecond);
  EXPECT_EQ(Decode({"<13>Jan  1 00:00:01 h a: x"}, kNewYear - kSecond).line().time_unix_ns,
            kNewYear + kSecond);
  // 2028 is a leap year, 2026 and 2027 are none.
  EXPECT_EQ(Decode({"<13>Feb 29 00:00:00 h a: x"}, kNewYear).line().time_unix_ns,
            1'835'395'200 * kSecond);
  EXPECT_EQ(Decode({"<13>Feb 30 00:00:00 h a: x"}, kNewYear).line().time_unix_ns, 0U);
  EXPECT_EQ(Decode({"<13>Nov 22 21:16:04 h a: x"}, 0).line().time_unix_ns, 28'156'564 * kSecond);
}

TEST(DecodeSyslog, OnlyATimeMakesTwoMessagesOne) {
  const std::string timed = "<13>1 2026-11-22T21:16:04Z h a - - - x trace_id=" + std::string(kId);
  const std::string untimed = "<13>1 - h a - - - x trace_id=" + std::string(kId);
  const Read first = Decode({timed, untimed, untimed});
  const Read later = Decode({timed, untimed, untimed}, kArrival + 1);
  EXPECT_EQ(first.line(0).identity, later.line(0).identity);
  EXPECT_NE(first.line(1).identity, later.line(1).identity);
  EXPECT_NE(first.line(1).identity, first.line(2).identity);
  EXPECT_EQ(first.line(1).identity, Decode({timed, untimed, untimed}).line(1).identity);
}

TEST(DecodeSyslog, BlankMessagesAreNone) {
  const Read read = Decode({"", "\n", "\0\r\n"s, "x"});
  EXPECT_EQ(read.decoded.received, 1U);
}

TEST(DecodeSyslog, UnlinkedLinesLeaveNothingBehind) {
  const Read read = Decode({"<13>1 - h a - - - x"}, kArrival, false);
  EXPECT_EQ(read.decoded.unlinked, 1U);
  EXPECT_TRUE(read.batch->logs.empty());
  EXPECT_TRUE(read.batch->attributes.empty());
}

TEST(DecodeSyslog, TooManyAreRefused) {
  Batch batch;
  const std::string_view messages[] = {"a", "b", "c"};
  const auto decoded = DecodeSyslog(messages, 1, {.records_per_request = 2}, batch);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, "more than 2 messages in one request");
}

TEST(DecodeSyslog, NothingIsReadPastAMessage) {
  const std::string messages[] = {
      "<132>1 2026-11-22T21:16:04.016364+00:00 vm shop 42 ORD [t@1 trace_id=\"" + std::string(kId) +
          "\" q=\"a\\]\\\"\"][u] \xef\xbb\xbftext",
      "<132>Nov 22 2026 21:16:04.123 vm shop[42]: order \xc2\xab trace_id=" + std::string(kId),
  };
  for (const std::string& message : messages) {
    samples::ForEachPrefix(message, [](std::string_view prefix) {
      Batch batch;
      const auto decoded = DecodeSyslog({&prefix, 1}, kArrival, {}, batch);
      ASSERT_TRUE(decoded);
      EXPECT_EQ(decoded->received, prefix.empty() ? 0U : 1U);
    });
  }
}

// All messages of `bytes`, given in pieces of `piece` bytes; what is not taken is kept, as a
// connection does.
std::vector<std::string> Cut(std::string_view bytes, std::size_t piece, std::size_t limit = 1000,
                             std::size_t* cut = nullptr, std::size_t* most_kept = nullptr) {
  SyslogFramer framer(limit);
  std::vector<std::string> messages;
  std::string kept;
  const auto take = [&](bool at_end) {
    std::size_t taken = 0;
    while (true) {
      const auto frame = framer.Next(std::string_view(kept).substr(taken), at_end);
      taken += frame.taken;
      if (frame.whole) messages.emplace_back(frame.message);
      if (frame.cut && cut != nullptr) ++*cut;
      if (!frame.whole && (frame.taken == 0 || taken == kept.size())) break;
    }
    kept.erase(0, taken);
    if (most_kept != nullptr && kept.size() > *most_kept) *most_kept = kept.size();
  };
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    kept += bytes.substr(at, piece);
    take(false);
  }
  take(true);
  EXPECT_TRUE(kept.empty());
  return messages;
}

struct FrameCase {
  const char* name;
  std::string bytes;
  std::vector<std::string> messages;
  std::size_t cut = 0;
};

TEST(SyslogFramer, FindsEachMessageHoweverTheBytesCome) {
  const std::string x20(20, 'x');
  const std::vector<FrameCase> cases = {
      {"Newlines", "<13>a\n<13>b\r\n<13>c\n", {"<13>a", "<13>b\r", "<13>c"}},
      {"Nuls", "<13>a\0<13>b\0"s, {"<13>a", "<13>b"}},
      {"NoEnd", "<13>a\n<13>b", {"<13>a", "<13>b"}},
      {"Blank", "\n\n\0\r\n"s, {}},
      {"Counted", "5 <13>a6 <13>bc", {"<13>a", "<13>bc"}},
      {"CountedWithNewlines", "6 <13>a\n5 <13>b\n5 <13>c", {"<13>a\n", "<13>b", "<13>c"}},
      {"CountedNewlineInside", "8 <13>a\nbc<13>d\n", {"<13>a\nbc", "<13>d"}},
      {"Mixed", "<13>a\n5 <13>b<13>c\n", {"<13>a", "<13>b", "<13>c"}},
      {"NumbersAreText", "42 apples\n7\n1 <3\n", {"42 apples", "7", "<", "3"}},
      {"ZeroIsNoCount", "0 <13>a\n", {"0 <13>a"}},
      {"LyingCount", "9999 <34>1 short", {"<34>1 short"}, 1},
      {"HugeCount", "99999999999999999999 <34>x\n", {"9999999999999999"}, 1},
      {"LongLine", "<13>" + x20 + "\n<13>b\n", {"<13>xxxxxxxxxxxx", "<13>b"}, 1},
      {"LongAtTheEnd", "<13>" + x20, {"<13>xxxxxxxxxxxx"}, 1},
      {"LongCounted", "24 <13>" + x20 + "5 <13>b", {"<13>xxxxxxxxxxxx", "<13>b"}, 1},
      {"JustFits",
       "<13>xxxxxxxxxxxx\n16 <13>xxxxxxxxxxxx<1>c",
       {"<13>xxxxxxxxxxxx", "<13>xxxxxxxxxxxx", "<1>c"}},
      {"OnlyDigits", "12345", {"12345"}},
  };
  for (const FrameCase& c : cases) {
    for (std::size_t piece = 1; piece <= c.bytes.size(); ++piece) {
      SCOPED_TRACE(c.name + std::to_string(piece));
      std::size_t cut = 0;
      std::size_t kept = 0;
      EXPECT_EQ(Cut(c.bytes, piece, 16, &cut, &kept), c.messages);
      EXPECT_EQ(cut, c.cut);
      EXPECT_LE(kept, 16U + 10U);
    }
  }
}

TEST(SyslogFramer, ABigMessageInSmallPiecesIsLinearWork) {
  const std::string big = "<13>" + std::string(4'000'000, 'x');
  SyslogFramer framer(big.size());
  for (std::size_t size = 0; size < big.size(); size += 64) {
    ASSERT_FALSE(framer.Next(std::string_view(big).substr(0, size)).whole);
  }
  EXPECT_EQ(framer.Next(big + "\n").message.size(), big.size());
}

}  // namespace
}  // namespace throughline::logs
