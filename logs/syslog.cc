#include "logs/syslog.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "correlate/attribute.h"
#include "correlate/digits.h"
#include "correlate/hash.h"
#include "logs/finish_line.h"
#include "logs/json_line.h"
#include "logs/lines.h"
#include "logs/time.h"
#include "otlp/utf8.h"

namespace throughline::logs {
namespace {

constexpr unsigned kUserNotice = 13;  // The priority of a message that has none.
constexpr unsigned kHighestPriority = 191;
constexpr std::size_t kMaxTagBytes = 48;    // RFC 5424's APP-NAME; RFC 3164 says 32.
constexpr std::size_t kMaxNameBytes = 255;  // Of an SD-ID or a parameter; RFC 5424 says 32.

struct Severity {
  std::string_view text;
  std::uint32_t number;
};
constexpr std::array<Severity, 8> kSeverities = {{{"emerg", 21},
                                                  {"alert", 19},
                                                  {"crit", 18},
                                                  {"err", 17},
                                                  {"warning", 13},
                                                  {"notice", 10},
                                                  {"info", 9},
                                                  {"debug", 5}}};
constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",     "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "console", "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6",  "local7"};

// A message taken apart; views into it. Empty: not there.
struct Message {
  unsigned priority = kUserNotice;
  std::uint64_t time_unix_ns = 0;
  std::string_view host;
  std::string_view app;
  std::string_view procid;
  std::string_view msgid;
  bool has_structured_data = false;
  std::string_view text;
};

bool TakeChar(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

// Up to a space, which must be there and goes with it; empty: it is not, or nothing stands before.
std::string_view TakeField(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view field = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return field;
}

std::optional<unsigned> TakePriority(std::string_view& rest) {
  std::string_view after = rest;
  if (!TakeChar(after, '<')) return std::nullopt;
  const std::string_view number = after.substr(0, after.find('>'));
  std::uint64_t priority = 0;
  if (number.size() > 3 || number.size() == after.size() ||
      !digits::ParseDecimal(number, priority) || priority > kHighestPriority) {
    return std::nullopt;
  }
  rest = after.substr(number.size() + 1);
  return static_cast<unsigned>(priority);
}

std::string_view Nil(std::string_view field) { return field == "-" ? std::string_view() : field; }

// The structured data of a message to the content of a map value.
class StructuredData {
 public:
  // Takes it from the front of `rest`, with the space behind it. False: it is none; `rest` stays.
  bool Take(std::string_view& rest) {
    items_.clear();
    std::string_view after = rest;
    if (!TakeChar(after, '-')) {
      while (after.starts_with('[')) {
        if (!TakeElement(after)) return false;
      }
      if (after.size() == rest.size()) return false;
    }
    if (!after.empty() && !TakeChar(after, ' ')) return false;
    rest = after;
    return true;
  }
  // Of the last Take; empty: there was none but "-".
  std::string_view items() const { return items_; }

 private:
  bool TakeElement(std::string_view& rest) {
    std::string_view after = rest.substr(1);
    const std::string_view id = TakeName(after, " ]");
    if (id.empty()) return false;
    parameters_.clear();
    while (!TakeChar(after, ']')) {
      if (!TakeChar(after, ' ')) return false;
      while (TakeChar(after, ' ')) {
      }
      if (TakeChar(after, ']')) break;
      if (!TakeParameter(after)) return false;
    }
    value_.clear();
    AppendMapValue(parameters_, value_);
    AppendMapItem(id, value_, items_);
    rest = after;
    return true;
  }

  bool TakeParameter(std::string_view& rest) {
    const std::string_view name = TakeName(rest, "= ]\"");
    if (name.empty() || !rest.starts_with("=\"")) return false;
    rest.remove_prefix(2);
    text_.clear();
    while (true) {
      const std::size_t stop = rest.find_first_of("\"\\");
      if (stop == std::string_view::npos) return false;
      text_ += rest.substr(0, stop);
      const bool is_end = rest[stop] == '"';
      rest.remove_prefix(stop + 1);
      if (is_end) break;
      // Only these three are escaped; any other backslash is itself.
      if (!rest.starts_with('"') && !rest.starts_with('\\') && !rest.starts_with(']'))
        text_ += '\\';
      if (rest.empty()) return false;
      text_ += rest.front();
      rest.remove_prefix(1);
    }
    value_.clear();
    AppendStringValue(text_, value_);
    AppendMapItem(name, value_, parameters_);
    return true;
  }

  // Up to one of `ends`, which stays.
  static std::string_view TakeName(std::string_view& rest, std::string_view ends) {
    const std::size_t end = rest.find_first_of(ends);
    if (end == std::string_view::npos || end > kMaxNameBytes) return {};
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(end);
    return name;
  }

  std::string items_;
  std::string parameters_;
  std::string value_;
  std::string text_;
};

// What stands behind the PRI, where it is an RFC 5424 header. False: it is not.
bool Read5424(std::string_view rest, Message& message, StructuredData& data) {
  if (!rest.starts_with("1 ")) return false;
  rest.remove_prefix(2);
  const std::string_view time = TakeField(rest);
  if (time != "-" && time.find('T') == std::string_view::npos) return false;
  std::string_view fields[4];
  for (std::string_view& field : fields) {
    field = TakeField(rest);
    if (field.empty()) return false;
  }
  message.time_unix_ns = ParseTime(time);
  message.host = Nil(fields[0]);
  message.app = Nil(fields[1]);
  message.procid = Nil(fields[2]);
  message.msgid = Nil(fields[3]);
  message.has_structured_data = data.Take(rest) && !data.items().empty();
  TakeChar(rest, ' ');  // rsyslog keeps the space that stood behind an RFC 3164 tag.
  message.text = rest;
  return true;
}

// One or two digits, the first of them perhaps a space.
bool TakeNumber(std::string_view& rest, std::int64_t& number) {
  TakeChar(rest, ' ');
  std::size_t size = 0;
  while (size < 2 && size < rest.size() && digits::IsDecimal(rest[size])) ++size;
  std::uint64_t value = 0;
  if (!digits::ParseDecimal(rest.substr(0, size), value)) return false;
  number = static_cast<std::int64_t>(value);
  rest.remove_prefix(size);
  return true;
}

// The year of a date without one that brings it nearest to `arrival_unix_ns`.
std::uint64_t NearestTo(std::uint64_t arrival_unix_ns, CivilTime time) {
  constexpr std::uint64_t kYearNs = 31'556'952'000'000'000;
  const auto year = static_cast<std::int64_t>(1970 + arrival_unix_ns / kYearNs);
  std::uint64_t nearest = 0;
  std::uint64_t least = UINT64_MAX;
  for (time.year = year - 1; time.year <= year + 1; ++time.year) {
    const std::uint64_t ns = UnixNsOf(time);
    if (ns == 0) continue;
    const std::uint64_t distance =
        ns > arrival_unix_ns ? ns - arrival_unix_ns : arrival_unix_ns - ns;
    if (distance >= least) continue;
    least = distance;
    nearest = ns;
  }
  return nearest;
}

// "Nov 22 21:16:04", also with a year before the time or a fraction behind it, as routers write it.
// Takes the space behind it too. False: it is not there.
bool TakeBsdTime(std::string_view& rest, std::uint64_t arrival_unix_ns, std::uint64_t& unix_ns) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::string_view after = rest;
  const std::size_t month =
      after.size() < 4 ? std::string_view::npos : kMonths.find(after.substr(0, 3));
  if (month == std::string_view::npos || month % 3 != 0 || after[3] != ' ') return false;
  after.remove_prefix(4);
  CivilTime time;
  time.month = static_cast<std::int64_t>(month / 3 + 1);
  if (!TakeNumber(after, time.day) || !TakeChar(after, ' ')) return false;
  std::uint64_t year = 0;
  const bool has_year =
      after.size() > 5 && after[4] == ' ' && digits::ParseDecimal(after.substr(0, 4), year);
  if (has_year) after.remove_prefix(5);
  if (!TakeNumber(after, time.hour) || !TakeChar(after, ':') || !TakeNumber(after, time.minute) ||
      !TakeChar(after, ':') || !TakeNumber(after, time.second)) {
    return false;
  }
  if (TakeChar(after, '.')) {
    std::int64_t unit = 1'000'000'000;
    for (; !after.empty() && digits::IsDecimal(after.front()); after.remove_prefix(1)) {
      unit /= 10;
      time.nanosecond += unit * (after.front() - '0');
    }
  }
  TakeChar(after, ':');
  if (!after.empty() && !TakeChar(after, ' ')) return false;
  time.year = static_cast<std::int64_t>(year);
  unix_ns = has_year ? UnixNsOf(time) : NearestTo(arrival_unix_ns, time);
  rest = after;
  return true;
}

bool TakeIsoTime(std::string_view& rest, std::uint64_t& unix_ns) {
  std::string_view after = rest;
  const std::string_view field = TakeField(after);
  if (field.size() < 19 || field[10] != 'T') return false;
  const std::uint64_t ns = ParseTime(field);
  if (ns == 0) return false;
  unix_ns = ns;
  rest = after;
  return true;
}

bool IsTagByte(char c) {
  return digits::IsAlnum(c) || c == '-' || c == '_' || c == '.' || c == '/' || c == '@' || c == '%';
}

// "app[42]: " or "app: ". False: the text begins with neither; `rest` stays.
bool TakeTag(std::string_view& rest, bool needs_pid, Message& message) {
  std::size_t size = 0;
  while (size < rest.size() && size <= kMaxTagBytes && IsTagByte(rest[size])) ++size;
  if (size == 0 || size > kMaxTagBytes || size == rest.size()) return false;
  std::string_view after = rest.substr(size);
  std::string_view procid;
  if (TakeChar(after, '[')) {
    const std::size_t end = after.find_first_of("] ");
    if (end == std::string_view::npos || end == 0 || end > kMaxTagBytes || after[end] != ']')
      return false;
    procid = after.substr(0, end);
    after.remove_prefix(end + 1);
    if (needs_pid && !digits::AllDecimal(procid)) return false;
  } else if (needs_pid) {
    return false;
  }
  if (!TakeChar(after, ':') && procid.empty()) return false;
  if (!after.empty() && !TakeChar(after, ' ')) return false;
  message.app = rest.substr(0, size);
  message.procid = procid;
  rest = after;
  return true;
}

// What stands behind the PRI, by RFC 3164 as far as it goes. A word counts as TAG only where ":" or
// a process id says so, and in a message without a date only the latter does: "error: x" is text.
void Read3164(std::string_view rest, std::uint64_t arrival_unix_ns, Message& message) {
  const bool dated = TakeBsdTime(rest, arrival_unix_ns, message.time_unix_ns) ||
                     TakeIsoTime(rest, message.time_unix_ns);
  if (!TakeTag(rest, !dated, message) && dated) {
    std::string_view after = rest;
    message.host = TakeField(after);
    if (!message.host.empty()) {
      rest = after;
      TakeTag(rest, false, message);
    }
  }
  message.text = rest;
}

constexpr LineStyle kMessage{.name = "message", .plural = "messages"};

class SyslogDecoder {
 public:
  SyslogDecoder(std::uint64_t arrival_unix_ns, const DecodeOptions& options, Batch& batch)
      : arrival_unix_ns_(arrival_unix_ns),
        options_(options),
        batch_(batch),
        finisher_({}, options, batch, decoded_, kMessage) {}

  Result<void> Take(std::string_view bytes) {
    while (!bytes.empty() &&
           (bytes.back() == '\n' || bytes.back() == '\r' || bytes.back() == '\0')) {
      bytes.remove_suffix(1);
    }
    if (bytes.empty()) return {};
    if (!finisher_.Begin()) return finisher_.TooMany();
    if (!otlp::IsUtf8(bytes)) {
      mended_ = otlp::ReplaceInvalidUtf8(bytes);
      bytes = mended_;
    }
    LogLine line;
    Fill(Read(bytes), line);
    if (line.time_unix_ns != 0) {
      finisher_.Accept(line, {});
    } else {
      finisher_.AcceptNamed(line, HashCombine(arrival_unix_ns_, decoded_.received));
    }
    return {};
  }

  Decoded TakeDecoded() { return std::move(decoded_); }

 private:
  Message Read(std::string_view bytes) {
    Message message;
    message.text = bytes;
    std::string_view rest = bytes;
    const auto priority = TakePriority(rest);
    if (!priority) return message;
    message.priority = *priority;
    if (!Read5424(rest, message, data_)) Read3164(rest, arrival_unix_ns_, message);
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (message.text.starts_with(kByteOrderMark)) message.text.remove_prefix(kByteOrderMark.size());
    return message;
  }

  void Fill(const Message& message, LogLine& line) {
    const Severity& severity = kSeverities[message.priority % 8];
    line.time_unix_ns = message.time_unix_ns;
    line.severity_number = severity.number;
    line.severity_text = severity.text;
    line.body = MakeStringValue(message.text, batch_.arena);
    line.attributes.begin = static_cast<std::uint32_t>(batch_.attributes.size());
    AddText("host.name", message.host);
    AddText("service.name", message.app);
    AddText("syslog.facility", kFacilities[message.priority / 8]);
    AddText("syslog.procid", message.procid);
    AddText("syslog.msgid", message.msgid);
    if (message.has_structured_data) {
      value_.clear();
      AppendMapValue(data_.items(), value_);
      batch_.attributes.push_back(
          MakeAttribute("syslog.structured_data", value_, options_.hash_seed, batch_.arena));
    }
    line.attributes.count =
        static_cast<std::uint32_t>(batch_.attributes.size()) - line.attributes.begin;
    line.service = StatedService(batch_.Of(line.attributes));
  }

  void AddText(std::string_view key, std::string_view text) {
    if (text.empty()) return;
    batch_.attributes.push_back(MakeStringAttribute(key, text, options_.hash_seed, batch_.arena));
  }

  const std::uint64_t arrival_unix_ns_;
  const DecodeOptions& options_;
  Batch& batch_;
  Decoded decoded_;
  LineFinisher finisher_;
  StructuredData data_;
  std::string mended_;
  std::string value_;
};

}  // namespace

Result<Decoded> DecodeSyslog(std::span<const std::string_view> messages,
                             std::uint64_t arrival_unix_ns, const DecodeOptions& options,
                             Batch& batch) {
  SyslogDecoder decoder(arrival_unix_ns, options, batch);
  for (const std::string_view message : messages) TL_TRY(decoder.Take(message));
  return decoder.TakeDecoded();
}

}  // namespace throughline::logs
