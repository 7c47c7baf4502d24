#include "logs/elastic_bulk.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "correlate/attribute.h"
#include "tests/proto/truncation.h"

namespace throughline::logs {
namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kSpan = "b7ad6b7169203331";
constexpr DecodeOptions kKeep{.hash_seed = 7, .keep_unlinked = true};

// The batch and what was said of it; the bytes stay with it.
struct Bulk {
  Batch batch;
  Result<DecodedBulk> decoded = DecodedBulk();

  const LogLine& operator[](std::size_t i) const { return batch.logs.at(i); }
  const BulkItem& Item(std::size_t i) const { return decoded->items.at(i); }
  // "201 404 400:type", in order.
  std::string Statuses() const {
    std::string all;
    for (const BulkItem& item : decoded->items) {
      if (!all.empty()) all += ' ';
      all += std::to_string(item.status);
      if (!item.error_type.empty()) all.append(":").append(item.error_type);
    }
    return all;
  }
  std::string Attributes(std::size_t i) const {
    std::string all;
    for (const Attribute& attribute : batch.Of((*this)[i].attributes)) {
      if (!all.empty()) all += ' ';
      all += std::string(attribute.key()) + '=' + ValueText(attribute.value());
    }
    return all;
  }
};

Bulk Decode(std::string_view text, std::string_view index = "path",
            const DecodeOptions& options = kKeep) {
  Bulk bulk;
  bulk.batch.body = Body::Of(text);
  bulk.decoded = DecodeBulk(bulk.batch.body.view(), index, options, bulk.batch);
  return bulk;
}

std::string Document(std::string_view members = "\"message\":\"m\"") {
  return R"({"trace.id":")" + std::string(kTrace) + "\"," + std::string(members) + "}\n";
}

TEST(ElasticBulk, DocumentsOfEcs) {
  const Bulk bulk = Decode(
      R"({"create":{"_index":"logs-shop-default"}})"
      "\n"
      R"({"@timestamp":"2026-01-24T12:00:00.5+00:00","message":"order 0 «ü»","trace":{"id":")" +
      std::string(kTrace) + R"("},"span":{"id":")" + std::string(kSpan) +
      R"("},"log.level":"warn","service":{"name":"shop"},"n":0,"none":null})"
      "\n");
  ASSERT_TRUE(bulk.decoded) << bulk.decoded.error().message;
  EXPECT_EQ(bulk.decoded->lines.received, 1U);
  EXPECT_EQ(bulk.decoded->lines.accepted, 1U);
  ASSERT_EQ(bulk.batch.logs.size(), 1U);
  const LogLine& line = bulk[0];
  EXPECT_EQ(ToHex(line.trace_id), kTrace);
  EXPECT_EQ(ToHex(line.span_id), kSpan);
  EXPECT_EQ(line.found_by, FoundBy::kField);
  EXPECT_EQ(line.service, "shop");
  EXPECT_EQ(line.severity_number, 13U);
  EXPECT_EQ(line.time_unix_ns, 1'769'256'000'500'000'000U);
  EXPECT_EQ(ValueText(line.body), "order 0 «ü»");
  EXPECT_EQ(bulk.Attributes(0), R"(trace={"id":")" + std::string(kTrace) + R"("} span={"id":")" +
                                    std::string(kSpan) +
                                    R"("} service={"name":"shop"} n=0 none= )"
                                    "_index=logs-shop-default");
  EXPECT_EQ(bulk.Item(0).action, BulkAction::kCreate);
  EXPECT_EQ(bulk.Item(0).index, "logs-shop-default");
  EXPECT_EQ(bulk.Statuses(), "201");
}

TEST(ElasticBulk, EveryActionAndItsStatus) {
  struct Case {
    std::string text;
    std::string_view statuses;
    std::size_t received;
    std::size_t rejected;
  };
  const std::string good = "{\"index\":{}}\n" + Document();
  const Case cases[] = {
      {good, "201", 1, 0},
      {"{\"delete\":{\"_id\":\"7\"}}\n" + good, "404 201", 1, 0},
      {"{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{\"a\":1}}\n" + good, "200 201", 2, 0},
      {"{\"update\":{\"_id\":8}}\n{\"script\":{},\"upsert\":{\"a\":1}}\n" + good, "200 201", 2, 0},
      {"{\"update\":{\"_id\":\"8\"}}\n{\"script\":{}}\n" + good,
       "400:action_request_validation_exception 201", 2, 1},
      {"{\"update\":{}}\n{\"doc\":{}}\n" + good, "400:action_request_validation_exception 201", 2,
       1},
      {"{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{}\n" + good, "400:mapper_parsing_exception 201", 2,
       1},
      {"{\"delete\":{}}\n" + good, "400:action_request_validation_exception 201", 1, 0},
      {"{\"index\":{}}\nnot json\n" + good, "400:mapper_parsing_exception 201", 2, 1},
      {"{\"index\":{}}\n[1,2]\n" + good, "400:mapper_parsing_exception 201", 2, 1},
      {"{\"index\":{}}\n\n" + good, "400:mapper_parsing_exception 201", 2, 1},
      {good + "{\"index\":{}}\n", "201 400:action_request_validation_exception", 2, 1},
      {good + "{\"index\":{}}", "201 400:action_request_validation_exception", 2, 1},
      {"\r\n\n" + good + " \n" + good, "201 201", 2, 0},
      {"{\"create\":{\"_id\":null,\"routing\":{\"a\":[1]},\"pipeline\":\"p\"}}\r\n{\"a\":1}\r\n",
       "201", 1, 0},
      {"{\"index\":{}}\n{\"a\":1}", "201", 1, 0},
      {"{\"index\":{\"_index\":\"" + std::string(256, 'i') + "\"}}\n{}\n" + good,
       "400:invalid_index_name_exception 201", 2, 1},
      {"{\"index\":{\"_id\":\"" + std::string(513, 'i') + "\"}}\n{}\n" + good,
       "400:illegal_argument_exception 201", 2, 1},
  };
  for (const Case& c : cases) {
    const Bulk bulk = Decode(c.text);
    ASSERT_TRUE(bulk.decoded) << c.text << bulk.decoded.error().message;
    EXPECT_EQ(bulk.Statuses(), c.statuses) << c.text;
    EXPECT_EQ(bulk.decoded->lines.received, c.received) << c.text;
    EXPECT_EQ(bulk.decoded->lines.rejected, c.rejected) << c.text;
    EXPECT_EQ(bulk.batch.logs.size(), c.received - c.rejected) << c.text;
  }
}

TEST(ElasticBulk, WithoutAnIndex) {
  const Bulk bulk = Decode("{\"index\":{}}\n{\"a\":1}\n{\"index\":{\"_index\":\"i\"}}\n{}\n", "");
  ASSERT_TRUE(bulk.decoded);
  EXPECT_EQ(bulk.Statuses(), "400:action_request_validation_exception 201");
  EXPECT_EQ(bulk.Item(0).error_reason, "index is missing");
  EXPECT_EQ(bulk.decoded->lines.first_rejection, "document 0: index is missing");
}

TEST(ElasticBulk, RequestsThatAreNone) {
  struct Case {
    std::string_view text;
    std::string_view message;
  };
  const Case cases[] = {
      {"", "request body is required"},
      {"\n", "validation failed: 1: no requests added;"},
      {"{\"upsert\":{}}\n{\"a\":1}\n",
       "malformed action/metadata line [1], expected field [create], [delete], [index] or "
       "[update]"},
      {"{\"index\":{}}\n{}\nnot json\n",
       "malformed action/metadata line [3], expected an object with one action"},
      {"[]\n", "malformed action/metadata line [1], expected an object with one action"},
      {"{}\n", "malformed action/metadata line [1], expected an object with one action"},
      {"{\"index\":5}\n", "malformed action/metadata line [1], expected an object of metadata"},
      {"{\"index\":{\"_index\":[]}}\n",
       "malformed action/metadata line [1], expected text in [_index]"},
      {"{\"index\":{\"_id\":{}}}\n", "malformed action/metadata line [1], expected text in [_id]"},
      {"{\"index\":{},\"create\":{}}\n", "malformed action/metadata line [1], expected one action"},
      {"{\"index\":{}}x\n", "malformed action/metadata line [1], bytes after the document"},
      {"{\"index\":{\"a\":tru}}\n", "malformed action/metadata line [1], want true, false or null"},
      {"{\"index\":{\"_id\":\"\xff\"}}\n",
       "malformed action/metadata line [1], which is not UTF-8"},
  };
  for (const Case& c : cases) {
    const Bulk bulk = Decode(c.text);
    ASSERT_FALSE(bulk.decoded) << c.text;
    EXPECT_EQ(bulk.decoded.error().code, Errc::kInvalidArgument);
    EXPECT_EQ(bulk.decoded.error().message, c.message) << c.text;
  }
}

TEST(ElasticBulk, UnlinkedDocumentsAreDone) {
  const Bulk bulk =
      Decode("{\"index\":{}}\n{\"a\":1}\n{\"index\":{}}\n" + Document(), "i", {.hash_seed = 7});
  ASSERT_TRUE(bulk.decoded);
  EXPECT_EQ(bulk.Statuses(), "201 201");
  EXPECT_EQ(bulk.decoded->lines.unlinked, 1U);
  EXPECT_EQ(bulk.decoded->lines.accepted, 1U);
  ASSERT_EQ(bulk.batch.logs.size(), 1U);
  EXPECT_EQ(bulk.Attributes(0), "trace.id=" + std::string(kTrace) + " _index=i");
  EXPECT_EQ(bulk.batch.attributes.size(), 2U);
}

TEST(ElasticBulk, IdentityIsTheSendersIdAndTheContent) {
  const auto one = [](std::string_view id) {
    return "{\"index\":{\"_id\":\"" + std::string(id) + "\"}}\n" + Document();
  };
  const Bulk both = Decode(one("a") + one("b"));
  const Bulk retried = Decode(one("b"));  // Grouped in another way.
  ASSERT_EQ(both.batch.logs.size(), 2U);
  EXPECT_NE(both[0].identity, both[1].identity);
  EXPECT_EQ(retried[0].identity, both[1].identity);
  EXPECT_NE(Decode(one("b"), "other")[0].identity, retried[0].identity);
  // Without an id equal documents are several, and repeat with the request.
  const std::string plain = "{\"index\":{}}\n" + Document() + "{\"index\":{}}\n" + Document();
  const Bulk first = Decode(plain);
  const Bulk again = Decode(plain);
  EXPECT_NE(first[0].identity, first[1].identity);
  EXPECT_EQ(first[0].identity, again[0].identity);
  EXPECT_EQ(first.Item(1).generated_id, again.Item(1).generated_id);
  EXPECT_NE(first.Item(0).generated_id, first.Item(1).generated_id);
}

TEST(ElasticBulk, InvalidUtf8IsReplacedInDocuments) {
  const Bulk bulk = Decode("{\"index\":{}}\n{\"message\":\"a\xc3(\"}\n");
  ASSERT_TRUE(bulk.decoded);
  ASSERT_EQ(bulk.batch.logs.size(), 1U);
  EXPECT_EQ(ValueText(bulk[0].body), "a\ufffd(");
}

TEST(ElasticBulk, BoundsAreKept) {
  const DecodeOptions options{
      .hash_seed = 7, .keep_unlinked = true, .records_per_request = 2, .attributes_per_record = 2};
  const std::string one = "{\"index\":{}}\n{\"a\":1}\n";
  const Bulk many = Decode(one + one + one, "i", options);
  ASSERT_FALSE(many.decoded);
  EXPECT_EQ(many.decoded.error().code, Errc::kTooLarge);
  EXPECT_EQ(many.decoded.error().message, "more than 2 documents in one request");
  const Bulk wide = Decode("{\"index\":{}}\n{\"a\":1,\"b\":2,\"c\":3}\n" + one, "i", options);
  ASSERT_TRUE(wide.decoded);
  EXPECT_EQ(wide.Statuses(), "400:illegal_argument_exception 201");
  std::string deletions;
  for (std::size_t i = 0; i <= kMaxBulkItems; ++i) deletions += "{\"delete\":{\"_id\":\"1\"}}\n";
  const Bulk items = Decode(deletions);
  ASSERT_FALSE(items.decoded);
  EXPECT_EQ(items.decoded.error().code, Errc::kTooLarge);
  std::string deep = "{\"index\":{}}\n{\"a\":";
  deep.append(100, '[').append(100, ']').append("}\n");
  EXPECT_EQ(Decode(deep).Statuses(), "400:mapper_parsing_exception");
}

TEST(ElasticBulk, TruncatedAnywhereNeverReadsOutside) {
  const std::string text =
      "{\"index\":{\"_index\":\"a\\n\",\"_id\":\"x\"}}\r\n" + Document() +
      "{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{\"a\":[1]}}\n{\"delete\":{\"_id\":\"1\"}}\n";
  samples::ForEachPrefix(text, [](std::string_view prefix) {
    Batch batch;
    const auto decoded = DecodeBulk(prefix, "i", kKeep, batch);
    EXPECT_TRUE(!decoded || !BulkAnswer(*decoded, 1).empty());
  });
}

TEST(ElasticAnswer, ItemsInElasticsearchsForm) {
  const Bulk bulk = Decode("{\"create\":{\"_index\":\"logs\"}}\n" + Document() +
                           "{\"index\":{\"_id\":\"d\\\"0\"}}\n" + Document() +
                           "{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{\"a\":1}}\n"
                           "{\"delete\":{\"_id\":\"7\"}}\n");
  ASSERT_TRUE(bulk.decoded);
  const std::string done = R"(,"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,)"
                           R"("_primary_term":1,"status":)";
  const std::string id = ToHex(SpanId{bulk.Item(0).generated_id});
  EXPECT_EQ(
      BulkAnswer(*bulk.decoded, 12),
      R"({"errors":false,"took":12,"items":[{"create":{"_index":"logs","_id":")" + id +
          R"(","_version":1,"result":"created")" + done +
          R"(201}},{"index":{"_index":"path","_id":"d\"0","_version":1,"result":"created")" + done +
          R"(201}},{"update":{"_index":"path","_id":"8","_version":1,"result":"updated")" + done +
          R"(200}},{"delete":{"_index":"path","_id":"7","_version":1,"result":"not_found")" + done +
          "404}}]}");
}

TEST(ElasticAnswer, ErrorsOfItemsAndOfRequests) {
  const Bulk bulk = Decode("{\"index\":{\"_id\":\"1\"}}\nnot json\n");
  ASSERT_TRUE(bulk.decoded);
  EXPECT_EQ(BulkAnswer(*bulk.decoded, 0),
            R"({"errors":true,"took":0,"items":[{"index":{"_index":"path","_id":"1","status":400,)"
            R"("error":{"type":"mapper_parsing_exception","reason":)"
            R"("failed to parse: want an object"}}}]})");
  EXPECT_EQ(BulkFailure(Error{Errc::kInvalidArgument, "why \"not\""}, 400),
            R"({"error":{"root_cause":[{"type":"illegal_argument_exception","reason":)"
            R"("why \"not\""}],"type":"illegal_argument_exception","reason":"why \"not\""},)"
            R"("status":400})");
}

}  // namespace
}  // namespace throughline::logs
