// GET /openapi.yaml: the reference of this API, as it was when this was built.
#include "api/links/handlers.h"
#include "api/links/openapi_text.h"

namespace throughline::api::links {

Response OpenApi(const Request&, const Context&) {
  Response response;
  response.content_type = "application/yaml";
  for (const std::string_view part : OpenApiParts()) response.body += part;
  return response;
}

}  // namespace throughline::api::links
