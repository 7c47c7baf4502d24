#include "gateway/doors/elastic.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "api/status.h"
#include "gateway/inflate.h"
#include "gateway/media.h"
#include "logs/elastic_bulk.h"
#include "wire/json_writer.h"

namespace throughline::gateway::doors {
namespace {

// What clients compare their own version with.
constexpr std::string_view kVersion = "9.0.0";
constexpr std::array<std::string_view, 4> kTypes = {"application/x-ndjson", "application/json",
                                                    "application/vnd.elasticsearch+x-ndjson",
                                                    "application/vnd.elasticsearch+json"};

api::Response Answer(int status, std::string body, std::string_view accept) {
  api::Response response;
  response.status = status;
  // "compatible-with" is asked for and expected back.
  response.content_type = "application/json";
  if (MediaTypeOf(accept) == "application/vnd.elasticsearch+json") {
    response.content_type = "application/vnd.elasticsearch+json;compatible-with=" +
                            MediaParameterOf(accept, "compatible-with");
  }
  response.headers.emplace_back("X-Elastic-Product", "Elasticsearch");
  response.body = std::move(body);
  return response;
}

Result<void> CheckHead(const api::Request& head) {
  const std::string type = MediaTypeOf(head.Header("content-type"));
  for (const std::string_view known : kTypes) {
    if (type == known) return {};
  }
  return Error{Errc::kUnsupported, "content-type is \"" + type + "\", want application/x-ndjson"};
}

api::Response Failure(const api::Request& head, const Error& error) {
  const api::Response problem = api::Problem(error);
  // Elasticsearch says 406 where others say 415.
  const int status = error.code == Errc::kUnsupported ? 406 : problem.status;
  api::Response response = Answer(status, logs::BulkFailure(error, status), head.Header("accept"));
  response.headers.insert(response.headers.end(), problem.headers.begin(), problem.headers.end());
  return response;
}

Result<DoorRead> Decode(const api::Request& head, const DecodeOptions& options, Batch& batch) {
  const std::string_view index = head.captures.empty() ? "" : std::string_view(head.captures[0]);
  TL_TRY_ASSIGN(auto bulk, logs::DecodeBulk(batch.body.view(), index, options, batch));
  DoorRead read;
  // Rendered now: the items view the body. Stored or known before, the answer is the same.
  read.answer = [body = logs::BulkAnswer(bulk, 0), accept = std::string(head.Header("accept"))](
                    const Decoded& /*decoded*/, const Outcome& /*outcome*/) {
    return Answer(200, body, accept);
  };
  read.decoded = std::move(bulk.lines);
  return read;
}

}  // namespace

const HttpDoor kElasticBulk = {.intake = Intake::kElasticsearch,
                               .reads_target = true,
                               .check_head = CheckHead,
                               .encoding = EncodingFromHeader,
                               .decode = Decode,
                               .failure = Failure};

api::Response ElasticInfo() {
  std::string body;
  wire::JsonWriter json(body);
  json.BeginObject();
  json.Key("name").String("throughline");
  json.Key("cluster_name").String("throughline");
  json.Key("cluster_uuid").String("throughline");
  json.Key("version").BeginObject();
  json.Key("number").String(kVersion);
  json.Key("build_flavor").String("default");
  json.Key("build_type").String("throughline");
  json.Key("build_snapshot").Bool(false);
  json.Key("lucene_version").String("10.1.0");
  json.Key("minimum_wire_compatibility_version").String("8.18.0");
  json.Key("minimum_index_compatibility_version").String("8.0.0");
  json.EndObject();
  json.Key("tagline").String("You Know, for Search");
  json.EndObject();
  return Answer(200, std::move(body), {});
}

api::Response ElasticHealth() {
  return Answer(200,
                R"({"cluster_name":"throughline","status":"green","timed_out":false,)"
                R"("number_of_nodes":1,"number_of_data_nodes":1})",
                {});
}

api::Response ElasticCatHealth() {
  api::Response response = Answer(200, "throughline green 1 1\n", {});
  response.content_type = "text/plain; charset=utf-8";
  return response;
}

api::Response ElasticLicense() {
  return Answer(200, R"({"license":{"status":"active","uid":"throughline","type":"basic"}})", {});
}

api::Response ElasticAcknowledged() { return Answer(200, R"({"acknowledged":true})", {}); }

}  // namespace throughline::gateway::doors
