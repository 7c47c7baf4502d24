// The attributes of found spans as Grafana's tables show them.
//
// A column has one type over a whole answer, so all values are gathered before any is written.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/query/traceql.h"
#include "api/query/traceql_trace.h"
#include "wire/json_writer.h"

namespace throughline::api::tempo {

using Cells = std::vector<std::pair<std::string, query::traceql::Constant>>;

class Columns {
 public:
  explicit Columns(const std::vector<query::traceql::Field>& fields);

  // The cells of one span; fields that it has not are left out.
  Cells CellsOf(const query::traceql::Trace& trace, std::uint32_t place);
  // Cells from elsewhere: groups and aggregates.
  void Note(const Cells& cells);
  // `attributes` of a span or a set.
  void Write(const Cells& cells, wire::JsonWriter& json) const;

 private:
  struct Column {
    std::string key;
    query::traceql::Field field;
  };
  void NoteType(const std::string& key, query::traceql::Type type);

  std::vector<Column> columns_;
  std::map<std::string, query::traceql::Type, std::less<>> types_;
};

// "1.5s", "250ms": in the largest unit that is not below one.
std::string DurationText(std::int64_t ns);

}  // namespace throughline::api::tempo
