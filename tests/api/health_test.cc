// GET /links/health and GET /decisions/{id}: the injected cause of every dead link is the one
// found.
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/links/handlers.h"
#include "correlate/analysis/link_health.h"
#include "logs/lines.h"
#include "tests/api/golden.h"
#include "tests/api/shop.h"
#include "tests/store/sealed_world.h"

namespace throughline::api {
namespace {

using store::kHour;
using store::kNow;
using store::kSecond;
using store::Sample;
using store::SampleExemplar;
using store::SampleLine;
using store::SampleLink;
using store::SampleSpan;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kLinks = 10'000;

// What a link is made to suffer from; its lines are of a service of that name.
constexpr std::array kCauses = {
    LinkCause::kSpansHere, LinkCause::kUnsampledFlag, LinkCause::kDecision,
    LinkCause::kRetention, LinkCause::kNoId,          LinkCause::kNoSpan,
    LinkCause::kYoung,     LinkCause::kAllZero,       LinkCause::kSeveralTraces};

// A store in which every cause was injected a known number of times.
class InjectedWorld {
 public:
  InjectedWorld() : world_(kSeed, Options()) {
    EXPECT_FALSE(world_.Open());
    Sample old;
    for (std::size_t i = 0; i < kLinks; ++i) MakeLink(i, old);
    // What expires came first, is sealed, and goes when it is two hours old.
    Store(old.Finish());
    Seal();
    world_.now_unix_ns += 2 * kHour;
    now_unix_ns = world_.now_unix_ns;
    Seal();
    StoreNew(false);
    Seal();
    world_.now_unix_ns += 10 * 60 * kSecond;
    StoreNew(true);
    now_unix_ns = world_.now_unix_ns + 5 * kSecond;
  }

  Response Get(links::Settings settings, std::string_view query = "") {
    return links::Health(
        MakeRequest(query, {}),
        {.store = world_.store(), .settings = settings, .now_unix_ns = now_unix_ns});
  }

  std::map<LinkCause, std::size_t> injected;
  std::uint64_t now_unix_ns = 0;

 private:
  // A Bloom filter takes about one id in 1,500 that never was for one that expired; none here.
  static constexpr std::uint64_t kSeed = 5;

  static store::SqliteStore::Options Options() {
    store::SqliteStore::Options options;
    options.hot_bytes = 64U << 20U;
    options.retention_ns = kHour;
    return options;
  }

  TraceId NewId() { return {world_.random().engine()() | 1U, world_.random().engine()() | 1U}; }

  // Its records, by how they come: `old` spans, what names it, and what stands beside.
  void MakeLink(std::size_t i, Sample& old) {
    const LinkCause cause = kCauses[i % kCauses.size()];
    ++injected[cause];
    const TraceId id = NewId();
    const std::string hex = ToHex(id);
    const std::string service(LinkCauseName(cause));
    Named named{.id = id, .service = service, .field = "\"trace_id\":\"" + hex + "\""};
    switch (cause) {
      case LinkCause::kSpansHere: traces_.push_back(id); break;
      case LinkCause::kUnsampledFlag: named.field = Unsampled(hex, i); break;
      case LinkCause::kDecision: dropped_.push_back(id); break;
      case LinkCause::kRetention: old.Add(SampleSpan{.trace = id, .span = {1}}); break;
      case LinkCause::kNoId:
        named.field = "\"trace_id\":\"" + hex.substr(0, 15) + "zz" + hex.substr(17) + "\"";
        break;
      case LinkCause::kNoSpan:
        // The trace is here, and a digit of its id was mistyped.
        traces_.push_back(id);
        named.id.low ^= std::uint64_t{1} << (i % 60);
        named.field = "\"trace_id\":\"" + ToHex(named.id) + "\"";
        break;
      case LinkCause::kAllZero:
        named.field = "\"trace_id\":\"" + std::string(32, '0') + "\"";
        break;
      case LinkCause::kSeveralTraces:
        traces_.push_back(id);
        traces_.push_back({id.high ^ 2U, id.low});
        named.id.high = 0;
        named.field = "\"dd.trace_id\":\"" + std::to_string(id.low) + "\"";
        break;
      default: break;
    }
    const bool readable = cause != LinkCause::kNoId && cause != LinkCause::kAllZero &&
                          cause != LinkCause::kUnsampledFlag;
    named.kind = readable ? static_cast<LinkKind>(i / kCauses.size() % kLinkKinds) : LinkKind::kLog;
    (cause == LinkCause::kYoung ? young_ : named_).push_back(std::move(named));
  }

  static std::string Unsampled(const std::string& hex, std::size_t i) {
    switch (i % 4) {
      case 0: return "\"traceparent\":\"00-" + hex + "-b7ad6b7169203331-00\"";
      case 1: return "\"b3\":\"" + hex + "-b7ad6b7169203331-0\"";
      case 2:
        return R"("x-amzn-trace-id":"Root=1-)" + hex.substr(0, 8) + "-" + hex.substr(8) +
               R"(;Parent=b7ad6b7169203331;Sampled=0")";
      default: return "\"trace_id\":\"" + hex + "\",\"trace_sampled\":false";
    }
  }

  void StoreNew(bool young) {
    const auto time = [this] { return world_.now_unix_ns - kSecond + ++records_; };
    Sample sample(world_.store().hash_seed());
    std::string lines;
    for (const Named& named : young ? young_ : named_) {
      sample.From({{"service.name", named.service}});
      if (named.kind == LinkKind::kLog) {
        lines += "{\"time\":" + std::to_string(time()) + ",\"service\":\"" + named.service + "\"," +
                 named.field + "}\n";
      } else if (named.kind == LinkKind::kExemplar) {
        sample.Add(SampleExemplar{.trace = named.id, .time = time()});
      } else {
        // A span of a trace of its own, whose link names the id.
        sample.Add(SampleSpan{
            .trace = NewId(), .span = {1}, .start = time(), .links = {SampleLink{named.id, {2}}}});
      }
    }
    if (!young) {
      sample.From({{"service.name", "others"}});
      for (const TraceId id : traces_) sample.Add(SampleSpan{.trace = id, .span = {1}});
      for (const TraceId id : dropped_) {
        sample.Add(SampleLine{.trace = id,
                              .attributes = {{"sampling.kept", false}},
                              .event_name = "throughline.sampling.decision"});
      }
    }
    Store(sample.Finish());
    auto batch = std::make_shared<Batch>();
    batch->body = Body::Of(lines);
    const DecodeOptions options{.hash_seed = world_.store().hash_seed(), .keep_unlinked = true};
    const auto decoded =
        logs::DecodeLines(batch->body.view(), logs::LineFormat::kNdjson, options, *batch);
    ASSERT_TRUE(decoded.has_value() && decoded->rejected == 0);
    Store(std::move(batch));
  }

  void Store(std::shared_ptr<const Batch> batch) {
    const Appending appending{.tenant = std::string(kDefaultTenant),
                              .batch = std::move(batch),
                              .arrival_unix_ns = world_.now_unix_ns};
    EXPECT_TRUE(world_.store().Append({&appending, 1}).has_value());
  }
  void Seal() {
    EXPECT_TRUE(world_.store().Rotate().has_value());
    EXPECT_TRUE(world_.store().Maintain(world_.now_unix_ns).has_value());
  }

  struct Named {
    TraceId id;
    std::string service;
    std::string field;  // Of a line.
    LinkKind kind = LinkKind::kLog;
  };

  store::SealedWorld world_;
  std::vector<TraceId> traces_;   // With spans.
  std::vector<TraceId> dropped_;  // By decision.
  std::vector<Named> named_;
  std::vector<Named> young_;
  std::uint64_t records_ = 0;
};

TEST(LinkHealth, TenThousandLinksAllOnTheDiagonal) {
  InjectedWorld world;
  const Response answer = world.Get({});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("\"complete\":true"));
  EXPECT_THAT(answer.body, HasSubstr("\"links\":10000,\"unchecked\":0"));
  std::size_t sum = 0;
  for (const auto& [cause, count] : world.injected) {
    const std::string links = "\"links\":" + std::to_string(count);
    std::string row = "{\"service\":\"" + std::string(LinkCauseName(cause)) + "\"," + links;
    row += ",\"states\":[{\"state\":\"" + std::string(LinkStateName(StateOfCause(cause)));
    row += "\",\"reason\":\"" + std::string(LinkCauseName(cause)) + "\"," + links + "}]}";
    EXPECT_THAT(answer.body, HasSubstr(row));
    sum += count;
  }
  EXPECT_EQ(sum, kLinks);
}

TEST(LinkHealth, SaysWhatItDidNotLookUp) {
  InjectedWorld world;
  links::Settings settings;
  settings.health_lookups = 10;
  const Response few = world.Get(settings);
  EXPECT_THAT(few.body, HasSubstr("\"complete\":false,\"incomplete_reason\":\"limit\""));
  EXPECT_THAT(few.body, Not(HasSubstr("\"unchecked\":0,")));
  const Response one = world.Get({}, "service=young");
  EXPECT_THAT(one.body, HasSubstr("\"links\":1111,\"unchecked\":0"));
  EXPECT_THAT(one.body, Not(HasSubstr("\"service\":\"no_id\"")));
}

// What a tail sampler writes, and a line whose header said sampled = 0.
class DecisionsTest : public testing::Test {
 protected:
  static Batches Records() {
    Sample sample;
    sample.From({{"service.name", "sampler"}});
    sample.Add(SampleLine{.trace = kOnlyLines,
                          .body = "dropped",
                          .attributes = {{"sampling.kept", false},
                                         {"sampling.rule", "health checks"},
                                         {"sampling.probability", 0.01}},
                          .event_name = "throughline.sampling.decision"});
    sample.From({{"service.name", "front"}});
    sample.Add(SampleLine{.trace = kOnlyLines, .body = "GET /", .sampled = Sampled::kNo});
    // Decides nothing: it does not say what.
    sample.Add(SampleLine{.trace = kNowhere, .event_name = "throughline.sampling.decision"});
    sample.Add(SampleSpan{.trace = kBuy, .span = {1}});
    return {sample.Finish()};
  }

  const Shop shop_{Records()};
};

TEST_F(DecisionsTest, ShowsTheDecisionAndTheFlag) {
  const Response answer = shop_.Get(links::Decisions, "", ToHex(kOnlyLines));
  ExpectGolden("decisions.json", Indented(answer.body));
}

TEST_F(DecisionsTest, WithoutEvidenceIsAProblemWithTheState) {
  for (const auto& [id, state] :
       {std::pair{kBuy, "live"}, std::pair{kNowhere, "pending"}, std::pair{kTwinA, "never_seen"}}) {
    const Response answer = shop_.Get(links::Decisions, "", ToHex(id));
    EXPECT_EQ(answer.status, 404);
    EXPECT_THAT(answer.body, HasSubstr("\"state\":\"" + std::string(state) + "\""));
  }
  EXPECT_EQ(shop_.Get(links::Decisions, "", "no id").status, 400);
  EXPECT_EQ(Shop().Get(links::Decisions, "", "5555555555555555").status, 409);
}

TEST_F(DecisionsTest, OfManyNamesTwenty) {
  Sample sample;
  sample.From({{"service.name", "front"}});
  for (std::uint64_t i = 0; i < 21; ++i) {
    sample.Add(SampleLine{.trace = kBuy, .time = kNow + i, .sampled = Sampled::kNo});
  }
  const Response answer = Shop({sample.Finish()}).Get(links::Decisions, "", ToHex(kBuy));
  EXPECT_THAT(answer.body, HasSubstr("\"complete\":false,\"incomplete_reason\":\"limit\""));
}

}  // namespace
}  // namespace throughline::api
