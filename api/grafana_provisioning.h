// The file that provisions Grafana's own data sources on a gateway: examples/grafana/throughline.yaml,
// which is part of the program, with the URL of the gateway in it.
#pragma once

#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::api {

// `url` is that of the gateway as Grafana reaches it: "https://throughline.example:4380/path".
// kInvalidArgument: it is no http or https URL of plain characters.
Result<std::string> GrafanaProvisioning(std::string_view url);

}  // namespace throughline::api
