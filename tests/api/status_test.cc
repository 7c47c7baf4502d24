#include "api/status.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace throughline::api {
namespace {

TEST(Status, OfEachCode) {
  struct Case {
    Errc code;
    int http;
    int grpc;
    bool retry;
  };
  const Case kCases[] = {
      {Errc::kInvalidArgument, 400, 3, false},  {Errc::kUnauthenticated, 401, 16, false},
      {Errc::kPermissionDenied, 403, 7, false}, {Errc::kNotFound, 404, 5, false},
      {Errc::kConflict, 409, 9, false},         {Errc::kTooLarge, 413, 8, false},
      {Errc::kUnsupported, 415, 12, false},     {Errc::kOverloaded, 429, 14, true},
      {Errc::kUnavailable, 503, 14, true},      {Errc::kDataLoss, 500, 15, false},
  };
  for (const Case& test : kCases) {
    EXPECT_EQ(HttpStatusOf(test.code), test.http);
    EXPECT_EQ(GrpcStatusOf(test.code), test.grpc);
    const Response response = Problem({test.code, "x"}, {});
    EXPECT_EQ(response.status, test.http);
    const bool retry = std::any_of(response.headers.begin(), response.headers.end(),
                                   [](const auto& h) { return h.first == "Retry-After"; });
    EXPECT_EQ(retry, test.retry) << test.http;
  }
}

TEST(Problem, IsRfc9457) {
  const Response response =
      Problem({Errc::kNotFound, "trace \"x\": nothing"}, "\"state\":\"expired\"");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"/problems/not_found","title":"Not found","status":404,)"
                           R"("detail":"trace \"x\": nothing","state":"expired"})");
}

TEST(HttpProblem, NamesItsSlug) {
  const Response response = HttpProblem(405, "method_not_allowed", "want GET");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.body,
            R"({"type":"/problems/method_not_allowed","title":"Method not allowed","status":405,)"
            R"("detail":"want GET"})");
}

}  // namespace
}  // namespace throughline::api
