#include "gateway/scrape/fetch.h"

#include <algorithm>
#include <utility>

#include "gateway/http_call.h"
#include "gateway/inflate.h"
#include "gateway/version.h"
#include "wire/compress.h"

namespace throughline::gateway::scrape {
namespace {

std::string Seconds(std::chrono::nanoseconds duration) {
  std::string text = std::to_string(std::chrono::duration<double>(duration).count());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

FetchError TooLarge(std::size_t body_bytes) {
  return {Failure::kTooLarge, "the exposition has more than " + std::to_string(body_bytes) +
                                  " bytes (limits.scrape_bytes)"};
}

FetchError ErrorOf(const CallError& error, std::size_t body_bytes) {
  switch (error.why) {
    case CallError::Why::kResolve: return {Failure::kResolve, error.message};
    case CallError::Why::kConnect: return {Failure::kConnect, error.message};
    case CallError::Why::kTimeout: return {Failure::kTimeout, error.message};
    case CallError::Why::kBroken: return {Failure::kBroken, error.message};
    case CallError::Why::kTooLarge: return TooLarge(body_bytes);
  }
  return {Failure::kBroken, error.message};
}

// The first of that name, whose letters may be of either case.
std::string Header(const CallAnswer& answer, std::string_view lower_case_name) {
  for (const auto& [name, value] : answer.headers) {
    const bool same = std::equal(
        name.begin(), name.end(), lower_case_name.begin(), lower_case_name.end(),
        [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; });
    if (same) return value;
  }
  return {};
}

FetchResult ReadAnswer(const CallAnswer& answer, std::size_t body_bytes) {
  if (answer.status != 200) {
    return FetchError{Failure::kStatus, "status " + std::to_string(answer.status) + ", want 200"};
  }
  Fetched fetched;
  fetched.content_type = Header(answer, "content-type");
  fetched.body = Body::Of(answer.body);
  const std::string coding = Header(answer, "content-encoding");
  const auto encoding = wire::EncodingOf(coding);
  if (!encoding) return FetchError{Failure::kEncoding, "content-encoding \"" + coding + "\""};
  if (*encoding != wire::Encoding::kIdentity) {
    const auto inflated = InflateBody(*encoding, body_bytes, fetched.body);
    if (!inflated) {
      if (inflated.error().code == Errc::kTooLarge) return TooLarge(body_bytes);
      return FetchError{Failure::kEncoding, inflated.error().message};
    }
  }
  return fetched;
}

class CalledFetch final : public Fetch {
 public:
  explicit CalledFetch(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  void Cancel() override { call_->Cancel(); }

 private:
  const std::shared_ptr<Call> call_;
};

}  // namespace

std::string_view FailureName(Failure failure) {
  switch (failure) {
    case Failure::kResolve: return "resolve";
    case Failure::kConnect: return "connect";
    case Failure::kTimeout: return "timeout";
    case Failure::kBroken: return "broken";
    case Failure::kStatus: return "status";
    case Failure::kTooLarge: return "too_large";
    case Failure::kEncoding: return "encoding";
    case Failure::kUnreadable: return "unreadable";
    case Failure::kRefused: return "refused";
    case Failure::kBusy: return "busy";
  }
  return "";
}

std::shared_ptr<Fetch> StartFetch(boost::asio::io_context& context, const Target& target,
                                  std::size_t body_bytes, OnFetched on_fetched) {
  CallRequest request;
  request.host = target.host;
  request.port = target.port;
  request.address = target.address;
  request.target = target.path;
  request.headers = {{"User-Agent", "Throughline/" + std::string(kVersion)},
                     {"Accept", target.accept},
                     {"Accept-Encoding", "gzip"},
                     {"X-Prometheus-Scrape-Timeout-Seconds", Seconds(target.timeout)}};
  request.deadline = target.timeout;
  request.answer_bytes = body_bytes;
  request.reads_errors = false;  // The body of an error is not worth the wait.
  auto on_result = [body_bytes, fetched = std::move(on_fetched)](const CallResult& result) {
    if (const auto* const error = std::get_if<CallError>(&result)) {
      return fetched(ErrorOf(*error, body_bytes));
    }
    fetched(ReadAnswer(std::get<CallAnswer>(result), body_bytes));
  };
  return std::make_shared<CalledFetch>(
      StartCall(context, std::move(request), std::move(on_result)));
}

}  // namespace throughline::gateway::scrape
