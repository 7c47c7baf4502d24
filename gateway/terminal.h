// What the client commands know of the terminal: its width, its colours, and how to lay out text.
//
// Nothing that came over the network reaches a terminal unfiltered: Printable takes the control
// characters out, so a span's name cannot move the cursor or change the title.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace throughline::gateway {

enum class Colour : std::uint8_t { kNone, kRed, kGreen, kYellow, kBlue, kDim, kBold };

struct TerminalStyle {
  std::size_t width = 100;  // Columns.
  bool clip = false;        // Cut what does not fit; off for pipes, so that grep finds everything.
  bool colour = false;      // ANSI colours.
  bool unicode = true;      // Block characters and dashes; otherwise ASCII.
};

inline constexpr std::size_t kMinWidth = 40;
inline constexpr std::size_t kMaxWidth = 400;

// The style for a file descriptor: clip and colour only for a terminal, no colour under NO_COLOR
// (no-color.org) or TERM=dumb, the width from the terminal, else from COLUMNS.
TerminalStyle StyleOf(int fd);

// `text` without control characters (each becomes a space) and with what is no UTF-8 as '?'.
std::string Printable(std::string_view text);

// Columns that valid UTF-8 takes: East Asian wide characters two, combining ones none.
std::size_t DisplayWidth(std::string_view text);

// At most `width` columns of valid UTF-8; where something is cut the last column says so.
std::string Clip(std::string_view text, std::size_t width, const TerminalStyle& style);

// `text` followed by spaces up to `width` columns.
std::string PadRight(std::string text, std::size_t width);
std::string PadLeft(const std::string& text, std::size_t width);

// `text` between the escape codes of a colour; unchanged where the style has none.
std::string Paint(std::string text, Colour colour, const TerminalStyle& style);

// Rows of cells in aligned columns. A cell's text is made printable when it is added.
class Table {
 public:
  struct Cell {
    // NOLINTNEXTLINE(google-explicit-constructor): so that rows can be written as lists of texts.
    Cell(std::string_view cell_text, Colour cell_colour = Colour::kNone, bool align_right = false)
        : text(Printable(cell_text)), colour(cell_colour), right(align_right) {}
    Cell(const std::string& cell_text) : Cell(std::string_view(cell_text)) {}
    Cell(const char* cell_text) : Cell(std::string_view(cell_text)) {}
    std::string text;
    Colour colour;
    bool right;
  };

  struct Column {
    // NOLINTNEXTLINE(google-explicit-constructor): as above.
    Column(const char* column_heading, bool never_cut = false)
        : heading(column_heading), whole(never_cut) {}
    std::string heading;
    bool whole;  // Never cut: an id that lacks its end is worth nothing.
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }

  // Columns are as wide as their widest cell. Where the style clips, the widest give way until the
  // table fits, down to `kMinColumn`; the last takes what is left. Ends with a newline.
  std::string Render(const TerminalStyle& style) const;
  static constexpr std::size_t kMinColumn = 8;

 private:
  std::vector<std::size_t> Widths(const TerminalStyle& style) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace throughline::gateway
