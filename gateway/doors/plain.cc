#include "gateway/doors/plain.h"

#include "api/status.h"

namespace throughline::gateway::doors {

api::Response PlainFailure(const api::Request& /*head*/, const Error& error) {
  api::Response response = api::Problem(error);
  response.content_type = "text/plain; charset=utf-8";
  response.body = error.message + "\n";
  return response;
}

api::Response Empty(int status) {
  api::Response response;
  response.status = status;
  response.content_type.clear();
  return response;
}

}  // namespace throughline::gateway::doors
