#include "gateway/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace throughline::gateway {
namespace {

constexpr std::size_t kGap = 2;  // Between columns of a table.

// One code point at the start of `text`. size 0: not valid UTF-8 (RFC 3629) there.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;
};

CodePoint ReadCodePoint(std::string_view text) {
  const auto byte = [text](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(text[i]);
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t value = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    value = value << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, size};
}

bool IsControl(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) ||        // C0, DEL and C1.
         (c >= 0x200b && c <= 0x200f) ||               // Zero width and direction marks,
         (c >= 0x2028 && c <= 0x202e) ||               // line separators and direction overrides
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;  // would show text that is not there.
}

// Unicode's East Asian Width W and F, and combining marks, in ranges coarse enough for tables.
std::size_t ColumnsOf(std::uint32_t c) {
  if ((c >= 0x300 && c < 0x370) || (c >= 0xfe00 && c < 0xfe10)) return 0;
  const bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) ||
                    (c >= 0xac00 && c < 0xd7a4) || (c >= 0xf900 && c < 0xfb00) ||
                    (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61) ||
                    (c >= 0x1f300 && c < 0x1f650) || (c >= 0x1f900 && c < 0x1fa00) ||
                    (c >= 0x20000 && c < 0x3fffe);
  return wide ? 2 : 1;
}

std::size_t ClampWidth(long columns) {
  if (columns <= 0) return TerminalStyle().width;
  return std::clamp(static_cast<std::size_t>(columns), kMinWidth, kMaxWidth);
}

bool IsUtf8Locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    return strcasestr(value, "utf-8") != nullptr || strcasestr(value, "utf8") != nullptr;
  }
  return false;
}

const char* CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kNone: return "";
    case Colour::kRed: return "\x1b[31m";
    case Colour::kGreen: return "\x1b[32m";
    case Colour::kYellow: return "\x1b[33m";
    case Colour::kBlue: return "\x1b[36m";
    case Colour::kDim: return "\x1b[2m";
    case Colour::kBold: return "\x1b[1m";
  }
  return "";
}

}  // namespace

TerminalStyle StyleOf(int fd) {
  TerminalStyle style;
  const bool is_terminal = isatty(fd) == 1;
  const char* columns = std::getenv("COLUMNS");
  if (columns != nullptr) style.width = ClampWidth(std::strtol(columns, nullptr, 10));
  winsize size{};
  if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.width = ClampWidth(size.ws_col);
  }
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  style.clip = is_terminal;
  style.colour = is_terminal && !dumb && (no_colour == nullptr || *no_colour == '\0');
  style.unicode = IsUtf8Locale();
  return style;
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = ReadCodePoint(text);
    if (point.size == 0) {
      out += '?';
      text.remove_prefix(1);
      continue;
    }
    if (IsControl(point.value)) {
      out += ' ';
    } else {
      out.append(text.substr(0, point.size));
    }
    text.remove_prefix(point.size);
  }
  return out;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const CodePoint point = ReadCodePoint(text);
    columns += point.size == 0 ? 1 : ColumnsOf(point.value);
    text.remove_prefix(std::max<std::size_t>(point.size, 1));
  }
  return columns;
}

std::string Clip(std::string_view text, std::size_t width, const TerminalStyle& style) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t columns = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const CodePoint point = ReadCodePoint(text.substr(end));
    const std::size_t next = point.size == 0 ? 1 : ColumnsOf(point.value);
    if (columns + next > width - 1) break;
    columns += next;
    end += std::max<std::size_t>(point.size, 1);
  }
  return std::string(text.substr(0, end)) + (style.unicode ? "…" : "~");
}

std::string PadRight(std::string text, std::size_t width) {
  const std::size_t columns = DisplayWidth(text);
  if (columns < width) text.append(width - columns, ' ');
  return text;
}

std::string PadLeft(const std::string& text, std::size_t width) {
  const std::size_t columns = DisplayWidth(text);
  return columns < width ? std::string(width - columns, ' ') + text : text;
}

std::string Paint(std::string text, Colour colour, const TerminalStyle& style) {
  if (!style.colour || colour == Colour::kNone) return text;
  return CodeOf(colour) + std::move(text) + "\x1b[0m";
}

std::vector<std::size_t> Table::Widths(const TerminalStyle& style) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(DisplayWidth(column.heading));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
    }
  }
  if (!style.clip) return widths;
  std::size_t used = kGap * (widths.size() - 1);
  for (const std::size_t width : widths) used += width;
  while (used > style.width) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool can_shrink = !columns_[i].whole && widths[i] > kMinColumn;
      if (can_shrink && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size()) break;
    --widths[widest];
    --used;
  }
  return widths;
}

std::string Table::Render(const TerminalStyle& style) const {
  if (columns_.empty()) return {};
  const std::vector<std::size_t> widths = Widths(style);
  std::string out;
  const auto render_row = [&](const std::vector<Cell>& row) {
    const std::size_t count = std::min(row.size(), widths.size());
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_last = i + 1 == count;
      std::string text = style.clip ? Clip(row[i].text, widths[i], style) : row[i].text;
      if (row[i].right) {
        text = PadLeft(text, widths[i]);
      } else if (!is_last) {
        text = PadRight(std::move(text), widths[i]);
      }
      out += Paint(std::move(text), row[i].colour, style);
      if (!is_last) out.append(kGap, ' ');
    }
    out += '\n';
  };
  std::vector<Cell> heading_row;
  for (const Column& column : columns_) heading_row.emplace_back(column.heading, Colour::kDim);
  render_row(heading_row);
  for (const auto& row : rows_) render_row(row);
  return out;
}

}  // namespace throughline::gateway
