#include "gateway/scrape/fetch.h"

#include <utility>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "gateway/inflate.h"
#include "gateway/version.h"
#include "wire/compress.h"

namespace throughline::gateway::scrape {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::uint32_t kHeaderBytes = 64U << 10U;

std::string Seconds(std::chrono::nanoseconds duration) {
  std::string text = std::to_string(std::chrono::duration<double>(duration).count());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

class HttpFetch final : public Fetch, public std::enable_shared_from_this<HttpFetch> {
 public:
  HttpFetch(asio::io_context& context, const Target& target, std::size_t body_bytes,
            OnFetched on_fetched)
      : body_bytes_(body_bytes),
        on_fetched_(std::move(on_fetched)),
        resolver_(context),
        socket_(context),
        timer_(context) {
    parser_.body_limit(body_bytes);
    parser_.header_limit(kHeaderBytes);
    request_.method(http::verb::get);
    request_.target(target.path);
    request_.version(11);
    request_.set(http::field::host, target.address);
    request_.set(http::field::user_agent, "Throughline/" + std::string(kVersion));
    request_.set(http::field::accept, target.accept);
    request_.set(http::field::accept_encoding, "gzip");
    request_.set("X-Prometheus-Scrape-Timeout-Seconds", Seconds(target.timeout));
    request_.set(http::field::connection, "close");
  }

  void Start(const Target& target) {
    timer_.expires_after(target.timeout);
    timer_.async_wait([self = shared_from_this(), timeout = target.timeout](ErrorCode ec) {
      if (!ec) self->Fail(Failure::kTimeout, "no answer within " + Seconds(timeout) + " s");
    });
    resolver_.async_resolve(
        target.host, target.port, tcp::resolver::numeric_service,
        [self = shared_from_this()](ErrorCode ec, const tcp::resolver::results_type& endpoints) {
          if (self->IsOver(Failure::kResolve, ec)) return;
          self->Connect(endpoints);
        });
  }

  void Cancel() override {
    on_fetched_ = nullptr;
    Close();
  }

 private:
  void Connect(const tcp::resolver::results_type& endpoints) {
    asio::async_connect(socket_, endpoints,
                        [self = shared_from_this()](ErrorCode ec, const tcp::endpoint&) {
                          if (self->IsOver(Failure::kConnect, ec)) return;
                          self->Ask();
                        });
  }

  void Ask() {
    http::async_write(socket_, request_, [self = shared_from_this()](ErrorCode ec, std::size_t) {
      if (self->IsOver(Failure::kBroken, ec)) return;
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

  // The body of an error is not worth the wait.
  void ReadBody() {
    const auto status = parser_.get().result_int();
    if (status != static_cast<unsigned>(http::status::ok)) {
      return Fail(Failure::kStatus, "status " + std::to_string(status) + ", want 200");
    }
    http::async_read(socket_, buffer_, parser_,
                     [self = shared_from_this()](ErrorCode ec, std::size_t) {
                       if (self->IsOverRead(ec)) return;
                       self->TakeBody();
                     });
  }

  void TakeBody() {
    const auto& response = parser_.get();
    const auto text = [&response](http::field field) {
      const auto value = response[field];
      return std::string(value.data(), value.size());
    };
    Fetched fetched;
    fetched.content_type = text(http::field::content_type);
    fetched.body = Body::Of(response.body());
    const std::string coding = text(http::field::content_encoding);
    const auto encoding = wire::EncodingOf(coding);
    if (!encoding) return Fail(Failure::kEncoding, "content-encoding \"" + coding + "\"");
    if (*encoding != wire::Encoding::kIdentity) {
      const auto inflated = InflateBody(*encoding, body_bytes_, fetched.body);
      if (!inflated) {
        if (inflated.error().code == Errc::kTooLarge) return FailTooLarge();
        return Fail(Failure::kEncoding, inflated.error().message);
      }
    }
    Finish(std::move(fetched));
  }

  // Whether this step was the last.
  bool IsOver(Failure failure, const ErrorCode& ec) {
    if (on_fetched_ == nullptr) return true;
    if (ec) Fail(failure, ec.message());
    return static_cast<bool>(ec);
  }
  bool IsOverRead(const ErrorCode& ec) {
    if (on_fetched_ != nullptr && ec == http::error::body_limit) {
      FailTooLarge();
      return true;
    }
    return IsOver(Failure::kBroken, ec);
  }
  void FailTooLarge() {
    Fail(Failure::kTooLarge, "the exposition has more than " + std::to_string(body_bytes_) +
                                 " bytes (limits.scrape_bytes)");
  }
  void Fail(Failure failure, std::string message) {
    Finish(FetchError{failure, std::move(message)});
  }
  void Finish(FetchResult result) {
    if (on_fetched_ == nullptr) return;
    const auto on_fetched = std::exchange(on_fetched_, nullptr);
    Close();
    on_fetched(std::move(result));
  }
  void Close() {
    ErrorCode ignored;
    timer_.cancel();
    resolver_.cancel();
    socket_.close(ignored);
  }

  const std::size_t body_bytes_;
  OnFetched on_fetched_;  // Empty: it was called, or will not be.
  tcp::resolver resolver_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  http::request<http::empty_body> request_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
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

std::shared_ptr<Fetch> StartFetch(asio::io_context& context, const Target& target,
                                  std::size_t body_bytes, OnFetched on_fetched) {
  auto fetch = std::make_shared<HttpFetch>(context, target, body_bytes, std::move(on_fetched));
  fetch->Start(target);
  return fetch;
}

}  // namespace throughline::gateway::scrape
