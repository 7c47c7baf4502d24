#include "gateway/doors/remote_write.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exemplars/remote_write.h"
#include "gateway/doors/plain.h"
#include "gateway/inflate.h"
#include "gateway/media.h"

namespace throughline::gateway::doors {
namespace {

using exemplars::WriteVersion;

// nullopt: neither.
std::optional<WriteVersion> VersionOf(const api::Request& head) {
  const std::string_view type = head.Header("content-type");
  if (MediaTypeOf(type) != "application/x-protobuf") return std::nullopt;
  const std::string proto = MediaParameterOf(type, "proto");
  if (proto.empty() || proto == "prometheus.WriteRequest") return WriteVersion::k1;
  if (proto == "io.prometheus.write.v2.Request") return WriteVersion::k2;
  return std::nullopt;
}

Result<void> CheckHead(const api::Request& head) {
  if (VersionOf(head)) return {};
  return Error{Errc::kUnsupported,
               "content-type is \"" + std::string(head.Header("content-type")) +
                   "\", want application/x-protobuf, with proto=prometheus.WriteRequest or "
                   "proto=io.prometheus.write.v2.Request"};
}

// Both versions are a snappy block, also where the header is missing: "Receivers MAY assume".
Result<wire::Encoding> EncodingOf(const api::Request& head) {
  TL_TRY_ASSIGN(const wire::Encoding encoding, EncodingFromHeader(head));
  if (encoding == wire::Encoding::kSnappy || encoding == wire::Encoding::kIdentity) {
    return wire::Encoding::kSnappyBlock;
  }
  return Error{
      Errc::kUnsupported,
      "content-encoding is " + std::string(head.Header("content-encoding")) + ", want snappy"};
}

struct Written {
  std::uint64_t samples = 0;
  std::uint64_t histograms = 0;
  std::uint64_t exemplars = 0;
};

void AddHeaders(const Written& written, api::Response& response) {
  const auto add = [&](const char* name, std::uint64_t count) {
    response.headers.emplace_back(name, std::to_string(count));
  };
  add("X-Prometheus-Remote-Write-Samples-Written", written.samples);
  add("X-Prometheus-Remote-Write-Histograms-Written", written.histograms);
  add("X-Prometheus-Remote-Write-Exemplars-Written", written.exemplars);
}

api::Response Failure(const api::Request& head, const Error& error) {
  api::Response response = PlainFailure(head, error);
  if (VersionOf(head) == WriteVersion::k2) AddHeaders({}, response);
  return response;
}

Result<DoorRead> Decode(const api::Request& head, const DecodeOptions& options, Batch& batch) {
  const WriteVersion version = VersionOf(head).value_or(WriteVersion::k1);
  TL_TRY_ASSIGN(auto decoded,
                exemplars::DecodeRemoteWrite(batch.body.view(), version, options, batch));
  DoorRead read;
  read.passed_points = decoded.samples - decoded.gauge_points + decoded.histograms;
  if (version == WriteVersion::k1) {
    // No partial answer there: a 400 would make the sender give up what was good.
    read.answer = [](const Decoded& /*of*/, const Outcome& /*outcome*/) { return Empty(204); };
  } else {
    const Written written = {.samples = decoded.samples,
                             .histograms = decoded.histograms,
                             .exemplars = decoded.written_exemplars};
    std::string problem;
    if (decoded.rejected_series > 0) {
      problem = std::to_string(decoded.rejected_series) +
                " series refused, the others are written: " + decoded.first_bad_series;
    }
    read.answer = [written, problem](const Decoded& /*of*/, const Outcome& /*outcome*/) {
      api::Response response =
          problem.empty() ? Empty(204) : PlainFailure({}, InvalidArgument(problem));
      AddHeaders(written, response);
      return response;
    };
  }
  read.decoded = std::move(decoded.exemplars);
  return read;
}

}  // namespace

const HttpDoor kRemoteWrite = {.intake = Intake::kRemoteWrite,
                               .check_head = CheckHead,
                               .encoding = EncodingOf,
                               .decode = Decode,
                               .failure = Failure};

}  // namespace throughline::gateway::doors
