#include "api/prometheus/answer.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "api/status.h"
#include "api/time_text.h"

namespace throughline::api::prometheus {
namespace {

std::string_view TypeOf(Errc code) {
  switch (code) {
    case Errc::kUnavailable:
    case Errc::kOverloaded: return "unavailable";
    case Errc::kNotFound: return "not_found";
    case Errc::kDataLoss: return "internal";
    case Errc::kInvalidArgument:
    case Errc::kUnauthenticated:
    case Errc::kPermissionDenied:
    case Errc::kConflict:
    case Errc::kTooLarge:
    case Errc::kUnsupported: return "bad_data";
  }
  return "internal";
}

// A number that is the whole text; NaN where it is none.
double NumberOf(std::string_view text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole ? number : std::nan("");
}

// Nearest, within what 64 bits of nanoseconds hold.
std::uint64_t Nanoseconds(double seconds) {
  const double ns = std::round(seconds * 1e3) * 1e6;
  if (!(ns > 0)) return 0;
  return ns >= 1.8e19 ? UINT64_MAX : static_cast<std::uint64_t>(ns);
}

}  // namespace

Response ErrorAnswer(const Error& error) {
  Response response;
  response.status = HttpStatusOf(error.code);
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("status").String("error");
  json.Key("errorType").String(TypeOf(error.code));
  json.Key("error").String(error.message);
  json.EndObject();
  return response;
}

Error WrongParameter(std::string_view name, std::string_view why) {
  return InvalidArgument("invalid parameter \"" + std::string(name) + "\": " + std::string(why));
}

Response Answer(const std::function<void(wire::JsonWriter&)>& write_data,
                const std::vector<std::string>& warnings) {
  Response response;
  wire::JsonWriter json(response.body);
  json.BeginObject();
  json.Key("status").String("success");
  json.Key("data");
  write_data(json);
  if (!warnings.empty()) {
    json.Key("warnings").BeginArray();
    for (const std::string& warning : warnings) json.String(warning);
    json.EndArray();
  }
  json.EndObject();
  return response;
}

Result<std::uint64_t> ReadTime(const Form& form, std::string_view name, std::uint64_t fallback) {
  const auto text = form.Text(name);
  if (!text) return fallback;
  const double seconds = NumberOf(*text);
  if (!std::isnan(seconds)) return Nanoseconds(seconds);
  const bool is_date = text->find('T') != std::string_view::npos;
  const auto time = is_date ? ParseTime(*text, 0) : Result<std::uint64_t>(InvalidArgument({}));
  if (!time) {
    return WrongParameter(
        name, "cannot parse \"" + std::string(text->substr(0, 100)) + "\" to a valid timestamp");
  }
  return *time;
}

Result<TimeRange> ReadRange(const Form& form) {
  TimeRange range;
  TL_TRY_ASSIGN(range.start_unix_ns, ReadTime(form, "start", 0));
  TL_TRY_ASSIGN(range.end_unix_ns, ReadTime(form, "end", UINT64_MAX));
  if (range.end_unix_ns < range.start_unix_ns) {
    return WrongParameter("end", "end timestamp must not be before start time");
  }
  return range;
}

Result<std::uint64_t> ReadStep(const Form& form, std::string_view name) {
  const auto text = form.Text(name);
  const double seconds = text ? NumberOf(*text) : 0;
  std::uint64_t step = 0;
  if (!std::isnan(seconds)) {
    step = Nanoseconds(seconds);
  } else if (const auto duration = ParseDuration(*text); duration) {
    step = *duration;
  } else {
    return WrongParameter(
        name, "cannot parse \"" + std::string(text->substr(0, 100)) + "\" to a valid duration");
  }
  if (step == 0) {
    return WrongParameter(name,
                          "zero or negative query resolution step widths are not accepted. Try a "
                          "positive integer");
  }
  return step;
}

Result<std::size_t> ReadLimit(const Form& form) {
  const auto text = form.Text("limit");
  if (!text) return std::size_t{0};
  std::size_t limit = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (read.ec != std::errc() || read.ptr != text->data() + text->size()) {
    return WrongParameter("limit", "cannot parse \"" + std::string(text->substr(0, 100)) +
                                       "\", want a number that is not negative");
  }
  return limit;
}

}  // namespace throughline::api::prometheus
