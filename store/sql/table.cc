#include "store/sql/table.h"

#include "correlate/check.h"
#include "store/sql/link_table.h"
#include "store/sql/record_table.h"
#include "store/sql/trace_table.h"

namespace throughline::store::sql {

std::vector<std::string> Source::Tenants(const Wanted& wanted) const {
  std::vector<std::string> tenants;
  for (std::string& name : store->Tenants()) {
    if (!tenant.empty() && name != tenant) continue;
    if (wanted.tenant && name != *wanted.tenant) continue;
    tenants.push_back(std::move(name));
  }
  return tenants;
}

Scope Source::ScopeOf(const std::string& name) const {
  Scope scope;
  scope.tenant = name;
  scope.deadline = deadline;
  scope.cancel = cancel;
  return scope;
}

void Source::NoteDamage() {
  notes.insert(
      "some of it could not be read and was left out: it is damaged (see throughline fsck), or "
      "retention took it meanwhile");
}

std::string Table::Declaration() const {
  std::string text = "CREATE TABLE ";
  text.append(name()) += '(';
  const char* separator = "\n  ";
  for (const std::string_view column : columns()) {
    text.append(separator).append(column);
    separator = ",\n  ";
  }
  return text + ')';
}

std::vector<KeyColumn> KeysOf(const std::vector<std::string_view>& columns,
                              const std::vector<std::pair<Key, std::string_view>>& names) {
  std::vector<KeyColumn> keys;
  for (const auto& [key, name] : names) {
    const std::size_t before = keys.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].substr(0, columns[i].find(' ')) == name) {
        keys.push_back({key, static_cast<int>(i)});
      }
    }
    TL_CHECK(keys.size() == before + 1);
  }
  return keys;
}

std::vector<std::unique_ptr<Table>> AllTables(Source& source) {
  std::vector<std::unique_ptr<Table>> tables;
  tables.push_back(SpanTable(source));
  tables.push_back(LogTable(source));
  tables.push_back(ExemplarTable(source));
  tables.push_back(LinkTable(source));
  tables.push_back(TraceTable(source));
  return tables;
}

}  // namespace throughline::store::sql
