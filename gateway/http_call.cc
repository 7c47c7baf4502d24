#include "gateway/http_call.h"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "gateway/quantity.h"

namespace throughline::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Why = CallError::Why;

constexpr std::uint32_t kHeaderBytes = 64U << 10U;

class HttpCall final : public Call, public std::enable_shared_from_this<HttpCall> {
 public:
  HttpCall(asio::io_context& loop, CallRequest request, std::function<void(CallResult)> on_result)
      : call_(std::move(request)),
        on_result_(std::move(on_result)),
        resolver_(loop),
        socket_(loop),
        timer_(loop) {
    parser_.body_limit(call_.answer_bytes);
    parser_.header_limit(kHeaderBytes);
    request_.method_string(call_.method);
    request_.target(call_.target);
    request_.version(11);
    request_.set(http::field::host, call_.address);
    for (const auto& [name, value] : call_.headers) request_.insert(name, value);
    request_.set(http::field::connection, "close");
    if (call_.method != "GET") {
      request_.body() = std::move(call_.body);
      request_.prepare_payload();
    }
  }

  void Start() {
    timer_.expires_after(call_.deadline);
    timer_.async_wait([self = shared_from_this()](ErrorCode ec) {
      if (ec) return;
      self->Fail(Why::kTimeout, "no answer within " + PrintDuration(self->call_.deadline));
    });
    resolver_.async_resolve(
        call_.host, call_.port, tcp::resolver::numeric_service,
        [self = shared_from_this()](ErrorCode ec, const tcp::resolver::results_type& endpoints) {
          if (self->IsOver(Why::kResolve, ec)) return;
          self->Connect(endpoints);
        });
  }

  void Cancel() override {
    on_result_ = nullptr;
    Close();
  }

 private:
  void Connect(const tcp::resolver::results_type& endpoints) {
    asio::async_connect(socket_, endpoints,
                        [self = shared_from_this()](ErrorCode ec, const tcp::endpoint&) {
                          if (self->IsOver(Why::kConnect, ec)) return;
                          self->Ask();
                        });
  }

  void Ask() {
    http::async_write(socket_, request_, [self = shared_from_this()](ErrorCode ec, std::size_t) {
      if (self->IsOver(Why::kBroken, ec)) return;
      self->ReadHead();
    });
  }

  void ReadHead() {
    http::async_read_header(socket_, buffer_, parser_,
                            [self = shared_from_this()](ErrorCode ec, std::size_t) {
                              if (self->IsOverRead(ec)) return;
                              self->ReadBody();
                            });
  }

  void ReadBody() {
    if (!call_.reads_errors && parser_.get().result() != http::status::ok) return TakeAnswer();
    http::async_read(socket_, buffer_, parser_,
                     [self = shared_from_this()](ErrorCode ec, std::size_t) {
                       if (self->IsOverRead(ec)) return;
                       self->TakeAnswer();
                     });
  }

  void TakeAnswer() {
    auto& response = parser_.get();
    CallAnswer answer;
    answer.status = static_cast<int>(response.result_int());
    for (const auto& field : response) {
      answer.headers.emplace_back(field.name_string(), field.value());
    }
    answer.body = std::move(response.body());
    Finish(std::move(answer));
  }

  // Whether this step was the last.
  bool IsOver(Why why, const ErrorCode& ec) {
    if (on_result_ == nullptr) return true;
    if (ec) Fail(why, ec.message());
    return static_cast<bool>(ec);
  }
  bool IsOverRead(const ErrorCode& ec) {
    if (on_result_ == nullptr || ec != http::error::body_limit) return IsOver(Why::kBroken, ec);
    Fail(Why::kTooLarge,
         "the answer has more than " + std::to_string(call_.answer_bytes) + " bytes");
    return true;
  }
  void Fail(Why why, std::string message) { Finish(CallError{why, std::move(message)}); }
  void Finish(CallResult result) {
    if (on_result_ == nullptr) return;
    const auto on_result = std::exchange(on_result_, nullptr);
    Close();
    on_result(std::move(result));
  }
  void Close() {
    ErrorCode ignored;
    timer_.cancel();
    resolver_.cancel();
    socket_.close(ignored);
  }

  CallRequest call_;
  std::function<void(CallResult)> on_result_;  // Empty: it was called, or will not be.
  tcp::resolver resolver_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
};

}  // namespace

std::shared_ptr<Call> StartCall(asio::io_context& loop, CallRequest request,
                                std::function<void(CallResult)> on_result) {
  auto call = std::make_shared<HttpCall>(loop, std::move(request), std::move(on_result));
  call->Start();
  return call;
}

}  // namespace throughline::gateway
