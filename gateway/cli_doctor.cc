#include "gateway/cli_doctor.h"

#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/cli_state.h"

namespace throughline::gateway {
namespace {

// "98 %"; "-" where it is not known, or of nothing.
Table::Cell Share(const Json& share) {
  if (!share.present()) return {"-", Colour::kNone, true};
  const double percent = 100 * share.Number();
  // 99.9 % are not all.
  const double rounded = percent < 100 ? std::floor(percent) : 100;
  return {std::to_string(static_cast<int>(rounded)) + " %", Colour::kNone, true};
}

Table::Cell Count(const Json& count) { return {std::to_string(count.Uint()), Colour::kNone, true}; }

std::string ServiceOf(const Json& item) {
  const std::string_view name = item["service"].Text();
  return name.empty() ? "(none)" : Printable(name);
}

std::string Services(const Json& answer, const TerminalStyle& style) {
  Table table({"SERVICE", "SPANS", "WITH LINES", "LINES", "WITH IDS", "EXEMPLARS", "OPEN", "IDS"});
  for (const Json& of : answer["services"].Items()) {
    std::string spellings;
    for (const Json& spelling : of["lines"]["spellings"].Items()) {
      if (!spellings.empty()) spellings += ", ";
      spellings += spelling["spelling"].Text();
    }
    table.Add({{ServiceOf(of), of["named"].Bool() ? Colour::kNone : Colour::kRed},
               Count(of["spans"]["count"]),
               Share(of["spans"]["share_with_lines"]),
               Count(of["lines"]["count"]),
               Share(of["lines"]["share_with_ids"]),
               Count(of["exemplars"]["count"]),
               Share(of["exemplars"]["share_opening"]),
               spellings.empty() ? "-" : spellings});
  }
  return table.empty() ? "" : table.Render(style);
}

std::string Advice(const Json& advice, const TerminalStyle& style) {
  const bool wrong = advice["wrong"].Bool();
  std::string text = Paint(wrong ? "wrong" : "hint", wrong ? Colour::kRed : Colour::kYellow, style);
  text += ": " + Printable(advice["fault"].Text());
  if (!advice["service"].Text().empty()) text += ", " + Printable(advice["service"].Text());
  text += ": " + Printable(advice["evidence"].Text()) + "\n";
  for (const Json& change : advice["changes"].Items()) {
    text += "  " + Printable(change["where"].Text()) + ":\n      " +
            Paint(Printable(change["text"].Text()), Colour::kBold, style) + "\n";
  }
  return text;
}

}  // namespace

Rendered RenderDoctor(const Json& answer, const TerminalStyle& style) {
  Rendered rendered;
  rendered.text = Services(answer, style);
  const bool nothing = rendered.text.empty();
  if (nothing) rendered.text = "nothing came in this range\n";
  const auto advice = answer["advice"].Items();
  if (!advice.empty()) rendered.text += "\n";
  for (const Json& one : advice) rendered.text += Advice(one, style);
  if (advice.empty() && !nothing) rendered.text += "\nnothing is wrong\n";
  const auto unknown = answer["unknown"].Items();
  if (!unknown.empty()) rendered.text += "\n";
  for (const Json& what : unknown) {
    rendered.text += "not known: " + Printable(what.Text()) + "\n";
  }
  if (answer["complete"].present() && !answer["complete"].Bool()) {
    rendered.text += "not all was read: " + Printable(answer["incomplete_reason"].Text()) + "\n";
  }
  rendered.exit_code = nothing || answer["wrong"].Uint() > 0 ? kExitNotFound : kExitFound;
  return rendered;
}

}  // namespace throughline::gateway
