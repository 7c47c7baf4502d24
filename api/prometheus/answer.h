// What all answers of Prometheus' API share: parameters, warnings, errors.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/form.h"
#include "api/http.h"
#include "correlate/query.h"
#include "correlate/result.h"
#include "wire/json_writer.h"

namespace throughline::api::prometheus {

// {"status":"error","errorType","error"}: bad_data for what is wrong with the request, else
// timeout, unavailable or internal.
Response ErrorAnswer(const Error& error);
// The same for one parameter: invalid parameter "query": ...
Error WrongParameter(std::string_view name, std::string_view why);

// {"status":"success","data":...} and the warnings behind it.
Response Answer(const std::function<void(wire::JsonWriter&)>& write_data,
                const std::vector<std::string>& warnings = {});

// Seconds with a fraction, or RFC 3339. What no clock says any more or yet (the probe of Grafana
// sends milliseconds) is the nearest time that one does. kInvalidArgument names the parameter.
Result<std::uint64_t> ReadTime(const Form& form, std::string_view name, std::uint64_t fallback);
// start and end; without them, all times.
Result<TimeRange> ReadRange(const Form& form);
// Seconds, or a duration. kInvalidArgument also where it is none or not positive.
Result<std::uint64_t> ReadStep(const Form& form, std::string_view name);
// 0: no limit.
Result<std::size_t> ReadLimit(const Form& form);

}  // namespace throughline::api::prometheus
