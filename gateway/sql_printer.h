// What `throughline sql` prints of a query's rows, in each of its formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/terminal.h"
#include "store/sql/connection.h"

namespace throughline::gateway {

enum class SqlFormat : std::uint8_t { kTable, kCsv, kJson, kNdjson, kLine };

inline constexpr const char* kSqlFormats = "table, csv, json, ndjson, line";
std::optional<SqlFormat> SqlFormatOf(std::string_view name);

struct SqlCell {
  store::sql::CellType type = store::sql::CellType::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes = {};  // Of a text or a blob.
};

// Rows that a table is laid out by: those behind keep its columns, or widen them.
inline constexpr std::size_t kTableRows = 500;

// Takes the rows of one query. Nothing but the rows that a table is laid out by is kept.
class SqlPrinter {
 public:
  virtual ~SqlPrinter() = default;

  virtual void Begin(const std::vector<std::string>& columns) = 0;
  virtual void Row(const std::vector<SqlCell>& cells) = 0;
  virtual void End() = 0;  // Also after an error: what was written is well-formed then.
};

using SqlSink = std::function<void(std::string_view text)>;

// `style` is that of the place where the text goes; with `clip` it is a terminal, to which no
// control characters get.
std::unique_ptr<SqlPrinter> MakeSqlPrinter(SqlFormat format, const TerminalStyle& style,
                                           SqlSink sink);

}  // namespace throughline::gateway
