// A store of random records in segments and hot parts, of two tenants, with SQL over it; and the
// same records in the ordinary tables that `export --sqlite` writes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/sql/connection.h"
#include "store/sqlite/sqlite_store.h"

struct sqlite3;

namespace throughline::store::sql {

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const std::string& data() const { return data_; }
  const std::shared_ptr<SqliteStore>& store() const { return store_; }
  Connection& sql() { return *sql_; }

  // The rows that a query gives: cells with their types, a line a row, in the order in which they
  // came; an error as a text.
  std::vector<std::string> Here(const std::string& query);
  std::vector<std::string> InTables(const std::string& query);
  // EXPLAIN QUERY PLAN, a line a step.
  std::string Plan(const std::string& query);

 private:
  std::string folder_;
  std::string data_;
  std::shared_ptr<SqliteStore> store_;
  std::unique_ptr<Connection> sql_;
  sqlite3* tables_ = nullptr;
};

}  // namespace throughline::store::sql
