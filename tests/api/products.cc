#include "tests/api/products.h"

#include <algorithm>

#include "tests/api/golden.h"

namespace throughline::api {

Response Ask(const Shop& shop, const ProductCall& call) {
  const std::size_t mark = std::min(call.target.find('?'), call.target.size());
  const std::size_t query = std::min(mark + 1, call.target.size());
  Request request = MakeRequest(std::string_view(call.target).substr(query), call.capture);
  request.path = call.target.substr(0, mark);
  if (*call.accept != '\0') request.headers.emplace_back("accept", call.accept);
  return shop.Call(call.handler, request);
}

void ExpectGoldenCall(const std::string& product, const ProductCall& call, const Response& response,
                      const std::string& protobuf_text) {
  std::string text = "GET " + call.target + "\n";
  if (*call.accept != '\0') text += std::string("Accept: ") + call.accept + "\n";
  text += "\n" + std::to_string(response.status) + " " + response.content_type + "\n";
  for (const auto& [name, value] : response.headers) text += name + ": " + value + "\n";
  if (!protobuf_text.empty()) {
    text += protobuf_text;
  } else if (response.content_type == "application/json") {
    text += Indented(response.body);
  } else {
    text += response.body;
  }
  ExpectGolden(product + "/" + call.name + ".txt", text);
}

}  // namespace throughline::api
