#include "api/root_trace.h"

#include "api/jaeger/handlers.h"
#include "api/tempo/handlers.h"

namespace throughline::api {

Response GetRootTrace(const Request& request, const links::Context& context) {
  return tempo::WantsProtobuf(request) ? tempo::GetTraceV1(request, context)
                                       : jaeger::GetTrace(request, context);
}

}  // namespace throughline::api
