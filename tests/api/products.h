// Requests to the APIs of other products, and their answers as golden files.
//
// A file holds the request line as a client sends it, the Accept header where it matters, and the
// answer. Protobuf is shown as protobuf's own text format.
#pragma once

#include <string>

#include "api/http.h"
#include "tests/api/shop.h"

namespace throughline::api {

struct ProductCall {
  const char* name;  // Of the test.
  Shop::Handler handler;
  std::string target;  // "/api/search?q={}", percent-encoding not undone.
  std::string capture = {};
  const char* accept = "";
};

Response Ask(const Shop& shop, const ProductCall& call);

// tests/golden/api/PRODUCT/NAME.txt. `protobuf_text` of a protobuf body.
void ExpectGoldenCall(const std::string& product, const ProductCall& call, const Response& response,
                      const std::string& protobuf_text = {});

}  // namespace throughline::api
