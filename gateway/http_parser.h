// The head of an HTTP request, and its body where that comes in chunks, into an api::Request.
//
// Private to http_session.
// Source: RFC 9112 (framing).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "api/http.h"
#include "gateway/http_asio.h"

namespace throughline::gateway {

namespace http = boost::beast::http;

// One request's header fields and body, from Beast's parser (RFC 9112 framing).
class HttpParser final : public http::basic_parser<true> {
 public:
  // Makes room for `size` body bytes in all; false: over a budget.
  using Room = bool (*)(void* self, std::size_t size);

  HttpParser(api::Request& request, Room room, void* room_self)
      : request_(request), room_(room), room_self_(room_self) {
    body_limit(boost::none);  // The server's own, before the body.
    eager(false);
  }

  int version() const { return version_; }
  int hosts() const { return hosts_; }
  bool has_transfer_encoding() const { return has_transfer_encoding_; }
  bool expects_continue() const { return expects_continue_; }
  bool expects_other() const { return expects_other_; }
  bool no_room() const { return no_room_; }

 private:
  using Text = boost::beast::string_view;

  void on_request_impl(http::verb /*verb*/, Text method, Text target, int version,
                       ErrorCode& /*ec*/) override {
    request_.method.assign(method.data(), method.size());
    request_.path.assign(target.data(), target.size());
    version_ = version;
  }
  void on_response_impl(int /*code*/, Text /*reason*/, int /*version*/,
                        ErrorCode& /*ec*/) override {}
  void on_field_impl(http::field field, Text name, Text value, ErrorCode& /*ec*/) override {
    if (header_done_) return;  // Trailers say nothing that anybody here reads.
    if (field == http::field::host) ++hosts_;
    if (field == http::field::transfer_encoding) has_transfer_encoding_ = true;
    if (field == http::field::expect) {
      const bool known = boost::beast::iequals(value, "100-continue");
      (known ? expects_continue_ : expects_other_) = true;
    }
    auto& header = request_.headers.emplace_back();
    header.first.resize(name.size());
    std::transform(name.begin(), name.end(), header.first.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    header.second.assign(value.data(), value.size());
  }
  void on_header_impl(ErrorCode& /*ec*/) override { header_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         ErrorCode& /*ec*/) override {}
  std::size_t on_body_impl(Text body, ErrorCode& /*ec*/) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/,
                            ErrorCode& /*ec*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, Text piece, ErrorCode& ec) override {
    const std::size_t size = request_.body.size();
    if (!room_(room_self_, size + piece.size())) {
      no_room_ = true;
      ec = http::error::body_limit;
      return 0;
    }
    std::memcpy(request_.body.data() + size, piece.data(), piece.size());
    request_.body.set_size(size + piece.size());
    return piece.size();
  }
  void on_finish_impl(ErrorCode& /*ec*/) override {}

  api::Request& request_;
  Room room_;
  void* room_self_;
  int version_ = 11;
  int hosts_ = 0;
  bool has_transfer_encoding_ = false;
  bool expects_continue_ = false;
  bool expects_other_ = false;
  bool header_done_ = false;
  bool no_room_ = false;
};

}  // namespace throughline::gateway
