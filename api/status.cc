#include "api/status.h"

#include <array>
#include <utility>

#include "correlate/check.h"
#include "wire/json_writer.h"

namespace throughline::api {
namespace {

struct Status {
  Errc code;
  int http;
  int grpc;
  std::string_view title;
};

// code.md's table of error codes. gRPC's numbers are google.rpc.Code's.
constexpr std::array<Status, 10> kStatuses = {{
    {Errc::kInvalidArgument, 400, 3, "Invalid argument"},
    {Errc::kUnauthenticated, 401, 16, "Not authenticated"},
    {Errc::kPermissionDenied, 403, 7, "Permission denied"},
    {Errc::kNotFound, 404, 5, "Not found"},
    {Errc::kConflict, 409, 9, "Several answers"},
    {Errc::kTooLarge, 413, 8, "Too large"},
    {Errc::kUnsupported, 415, 12, "Unsupported media type"},
    {Errc::kOverloaded, 429, 14, "Overloaded"},
    {Errc::kUnavailable, 503, 14, "Unavailable"},
    {Errc::kDataLoss, 500, 15, "Data loss"},
}};

const Status& StatusOf(Errc code) {
  for (const Status& status : kStatuses) {
    if (status.code == code) return status;
  }
  CheckFailed("known error code", __FILE__, __LINE__);
}

Response Document(int status, std::string_view slug, std::string_view title,
                  std::string_view detail, std::string_view extra_members) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  wire::JsonWriter json(response.body);
  json.BeginObject();
  std::string type = "/problems/";
  type += slug;
  json.Key("type").String(type);
  json.Key("title").String(title);
  json.Key("status").Int(status);
  json.Key("detail").String(detail);
  if (!extra_members.empty()) json.Raw(extra_members);
  json.EndObject();
  return response;
}

// "method_not_allowed" for people: "Method not allowed".
std::string TitleOf(std::string_view slug) {
  std::string title(slug);
  for (char& c : title) {
    if (c == '_' || c == '-') c = ' ';
  }
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') {
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
  }
  return title;
}

}  // namespace

int HttpStatusOf(Errc code) { return StatusOf(code).http; }
int GrpcStatusOf(Errc code) { return StatusOf(code).grpc; }

Response Problem(const Error& error, std::string_view extra_members) {
  const Status& status = StatusOf(error.code);
  Response response =
      Document(status.http, ErrcName(error.code), status.title, error.message, extra_members);
  if (error.code == Errc::kOverloaded || error.code == Errc::kUnavailable) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return response;
}

Response HttpProblem(int status, std::string_view slug, std::string detail) {
  return Document(status, slug, TitleOf(slug), detail, {});
}

}  // namespace throughline::api
