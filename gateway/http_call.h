// One HTTP/1.1 request to another server, and its answer: with a deadline and a bound.
//
// A connection is made for each call and closed after it. Nothing is followed, inflated or judged:
// an answer of any status is one. Runs on the event loop that it is given. Beast stays in
// http_call.cc.
// Source: RFC 9110, RFC 9112.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace throughline::gateway {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct CallRequest {
  std::string host;  // Without brackets.
  std::string port;
  std::string address;  // As the Host header has it.
  std::string method = "GET";
  std::string target;                   // Path and query.
  HeaderList headers;                   // Besides Host, Content-Length and Connection.
  std::string body;                     // Of any method but GET.
  std::chrono::nanoseconds deadline{};  // From the start to the last byte.
  std::size_t answer_bytes = 0;         // Of the body as sent.
  bool reads_errors = true;  // False: of a status other than 200 the body is left unread.
};

struct CallAnswer {
  int status = 0;
  HeaderList headers;  // Names as sent.
  std::string body;
};

struct CallError {
  enum class Why : std::uint8_t {
    kResolve,   // The host has no address.
    kConnect,   // Nobody listens there.
    kTimeout,   // Not all came before the deadline.
    kBroken,    // The connection broke, or this was not HTTP.
    kTooLarge,  // Over answer_bytes.
  };
  Why why = Why::kBroken;
  std::string message;
};

using CallResult = std::variant<CallAnswer, CallError>;

// A call under way. On the loop's thread only.
class Call {
 public:
  virtual ~Call() = default;
  // The callback will not come.
  virtual void Cancel() = 0;
};

// `on_result` is called once, on the loop.
std::shared_ptr<Call> StartCall(boost::asio::io_context& loop, CallRequest request,
                                std::function<void(CallResult)> on_result);

}  // namespace throughline::gateway
