#include "gateway/sql_printer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "wire/json_writer.h"

namespace throughline::gateway {
namespace {

using store::sql::CellType;

constexpr std::size_t kGap = 2;             // Between columns.
constexpr std::size_t kPieceBytes = 65536;  // Handed to the sink at a time, about.

constexpr std::array<std::pair<std::string_view, SqlFormat>, 5> kNames = {{
    {"table", SqlFormat::kTable},
    {"csv", SqlFormat::kCsv},
    {"json", SqlFormat::kJson},
    {"ndjson", SqlFormat::kNdjson},
    {"line", SqlFormat::kLine},
}};

// x'0aff', as SQL writes a blob.
std::string BlobText(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "x'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text + '\'';
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 3))) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8U) | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i > bytes.size() ? '=' : kDigits[(group >> (18U - 6U * i)) & 63U];
    }
  }
  return text;
}

// The shortest text that reads back as the same; always one that shows that it is no integer.
std::string RealText(double value) {
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char digits[32];
  const auto written = std::to_chars(digits, digits + sizeof digits, value);
  std::string text(digits, written.ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string CellText(const SqlCell& cell) {
  switch (cell.type) {
    case CellType::kNull: return "NULL";
    case CellType::kInteger: return std::to_string(cell.integer);
    case CellType::kReal: return RealText(cell.real);
    case CellType::kText: return std::string(cell.bytes);
    case CellType::kBlob: return BlobText(cell.bytes);
  }
  return {};
}

bool IsNumber(const SqlCell& cell) {
  return cell.type == CellType::kInteger || cell.type == CellType::kReal;
}

// Collects what goes to the sink.
class Piece {
 public:
  explicit Piece(SqlSink sink) : sink_(std::move(sink)) {}
  std::string& text() { return text_; }
  void Settle() {
    if (text_.size() >= kPieceBytes) Flush();
  }
  void Flush() {
    if (!text_.empty()) sink_(text_);
    text_.clear();
  }

 private:
  const SqlSink sink_;
  std::string text_;
};

// --- table --------------------------------------------------------------------------------------

class TablePrinter final : public SqlPrinter {
 public:
  TablePrinter(const TerminalStyle& style, SqlSink sink) : style_(style), out_(std::move(sink)) {}

  void Begin(const std::vector<std::string>& columns) override {
    columns_.clear();
    widths_.clear();
    for (const std::string& column : columns) {
      columns_.push_back(Printable(column));
      widths_.push_back(DisplayWidth(columns_.back()));
    }
    rows_.clear();
    laid_out_ = false;
  }

  void Row(const std::vector<SqlCell>& cells) override {
    std::vector<Cell> row;
    row.reserve(cells.size());
    for (const SqlCell& cell : cells) {
      row.push_back({Printable(CellText(cell)), IsNumber(cell), cell.type == CellType::kNull});
    }
    if (laid_out_) {
      Put(row);
      out_.Settle();
      return;
    }
    rows_.push_back(std::move(row));
    if (rows_.size() >= kTableRows) LayOut();
  }

  void End() override {
    if (!laid_out_) LayOut();
    out_.Flush();
  }

 private:
  struct Cell {
    std::string text;
    bool right = false;
    bool dim = false;
  };

  void LayOut() {
    laid_out_ = true;
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size() && i < widths_.size(); ++i) {
        widths_[i] = std::max(widths_[i], DisplayWidth(row[i].text));
      }
    }
    if (style_.clip) Fit();
    std::vector<Cell> headings;
    std::vector<Cell> rules;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      headings.push_back({columns_[i]});
      std::string rule;
      for (std::size_t k = 0; k < widths_[i]; ++k) rule += style_.unicode ? "─" : "-";
      rules.push_back({.text = rule, .dim = true});
    }
    if (!columns_.empty()) {
      Put(headings);
      Put(rules);
    }
    for (const auto& row : rows_) Put(row);
    rows_.clear();
  }

  // The widest columns give way until the table fits; but not below what a heading or an id needs.
  void Fit() {
    constexpr std::size_t kLeast = 8;
    const auto total = [this] {
      std::size_t sum = 0;
      for (const std::size_t width : widths_) sum += width + kGap;
      return sum;
    };
    while (total() > style_.width + kGap) {
      const auto widest = std::max_element(widths_.begin(), widths_.end());
      if (*widest <= kLeast) return;
      --*widest;
    }
  }

  void Put(const std::vector<Cell>& row) {
    std::string& text = out_.text();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size();
      std::string cell = style_.clip ? Clip(row[i].text, widths_[i], style_) : row[i].text;
      if (row[i].right) {
        cell = PadLeft(cell, widths_[i]);
      } else if (!is_last) {
        cell = PadRight(std::move(cell), widths_[i]);
      }
      text += row[i].dim ? Paint(std::move(cell), Colour::kDim, style_) : cell;
      if (!is_last) text.append(kGap, ' ');
    }
    text += '\n';
  }

  const TerminalStyle style_;
  Piece out_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<Cell>> rows_;  // Until the table is laid out.
  bool laid_out_ = false;
};

// --- csv ----------------------------------------------------------------------------------------

// RFC 4180, but for lines that end with a newline only. NULL is nothing, an empty text is "".
class CsvPrinter final : public SqlPrinter {
 public:
  CsvPrinter(bool is_terminal, SqlSink sink) : is_terminal_(is_terminal), out_(std::move(sink)) {}

  void Begin(const std::vector<std::string>& columns) override {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out_.text() += ',';
      Put(columns[i]);
    }
    out_.text() += '\n';
  }
  void Row(const std::vector<SqlCell>& cells) override {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out_.text() += ',';
      if (cells[i].type != CellType::kNull) Put(CellText(cells[i]));
    }
    out_.text() += '\n';
    out_.Settle();
  }
  void End() override { out_.Flush(); }

 private:
  void Put(std::string text) {
    if (is_terminal_) text = Printable(text);
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) {
      out_.text() += text;
      return;
    }
    out_.text() += '"';
    for (const char c : text) {
      if (c == '"') out_.text() += '"';
      out_.text() += c;
    }
    out_.text() += '"';
  }

  const bool is_terminal_;
  Piece out_;
};

// --- json, ndjson -------------------------------------------------------------------------------

// What JSON has no form for is written as in the columns of JSON (docs/export.md).
void PutJson(const SqlCell& cell, wire::JsonWriter& json) {
  switch (cell.type) {
    case CellType::kNull: json.Null(); return;
    case CellType::kInteger: json.Int(cell.integer); return;
    case CellType::kReal:
      if (std::isinf(cell.real)) {
        json.BeginObject().Key("$double").String(RealText(cell.real)).EndObject();
      } else {
        json.Raw(RealText(cell.real));
      }
      return;
    case CellType::kText: json.String(cell.bytes); return;
    case CellType::kBlob: {
      json.BeginObject().Key("$bytes").String(Base64(cell.bytes)).EndObject();
    }
  }
}

class JsonPrinter final : public SqlPrinter {
 public:
  JsonPrinter(bool is_array, SqlSink sink) : is_array_(is_array), out_(std::move(sink)) {}

  void Begin(const std::vector<std::string>& columns) override {
    columns_ = columns;
    is_first_ = true;
    if (is_array_) out_.text() += '[';
  }
  void Row(const std::vector<SqlCell>& cells) override {
    if (is_array_ && !is_first_) out_.text() += ",\n";
    is_first_ = false;
    wire::JsonWriter json(out_.text());
    json.BeginObject();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      json.Key(columns_[i]);
      PutJson(cells[i], json);
    }
    json.EndObject();
    if (!is_array_) out_.text() += '\n';
    out_.Settle();
  }
  void End() override {
    if (is_array_) out_.text() += "]\n";
    out_.Flush();
  }

 private:
  const bool is_array_;
  Piece out_;
  std::vector<std::string> columns_;
  bool is_first_ = true;
};

// --- line ---------------------------------------------------------------------------------------

class LinePrinter final : public SqlPrinter {
 public:
  LinePrinter(bool is_terminal, SqlSink sink) : is_terminal_(is_terminal), out_(std::move(sink)) {}

  void Begin(const std::vector<std::string>& columns) override {
    columns_.clear();
    std::size_t width = 0;
    for (const std::string& column : columns) {
      columns_.push_back(Printable(column));
      width = std::max(width, DisplayWidth(columns_.back()));
    }
    for (std::string& column : columns_) column = PadLeft(column, width);
    is_first_ = true;
  }
  void Row(const std::vector<SqlCell>& cells) override {
    if (!is_first_) out_.text() += '\n';
    is_first_ = false;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string text = CellText(cells[i]);
      out_.text().append(columns_[i]).append(" = ");
      out_.text().append(is_terminal_ ? Printable(text) : text) += '\n';
    }
    out_.Settle();
  }
  void End() override { out_.Flush(); }

 private:
  const bool is_terminal_;
  Piece out_;
  std::vector<std::string> columns_;
  bool is_first_ = true;
};

}  // namespace

std::optional<SqlFormat> SqlFormatOf(std::string_view name) {
  for (const auto& [known, format] : kNames) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::unique_ptr<SqlPrinter> MakeSqlPrinter(SqlFormat format, const TerminalStyle& style,
                                           SqlSink sink) {
  switch (format) {
    case SqlFormat::kTable: return std::make_unique<TablePrinter>(style, std::move(sink));
    case SqlFormat::kCsv: return std::make_unique<CsvPrinter>(style.clip, std::move(sink));
    case SqlFormat::kJson: return std::make_unique<JsonPrinter>(true, std::move(sink));
    case SqlFormat::kNdjson: return std::make_unique<JsonPrinter>(false, std::move(sink));
    case SqlFormat::kLine: return std::make_unique<LinePrinter>(style.clip, std::move(sink));
  }
  return nullptr;
}

}  // namespace throughline::gateway
