// Checks one tail: its log, and that each of its rows can be put back into a memtable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/care/finding.h"
#include "store/sqlite/memtable.h"

namespace throughline::store::care {

struct TailFacts {
  std::uint64_t number = 0;
  std::uint64_t good_rows = 0;  // From the first on.
  bool is_hurt = false;         // What is behind them has to be cut off.
  bool is_newer = false;
  std::uint32_t most_tenant = 0;
  std::uint64_t last_arrival_unix_ns = 0;
};

// Findings name the file as `name`. An error: stopped.
Result<TailFacts> CheckTail(const std::string& directory, const std::string& name,
                            std::uint64_t hash_seed, const Work& work,
                            std::vector<Finding>& findings);

// Puts the first rows of a tail into a memtable.
Result<void> ReplayRows(const std::string& path, std::uint64_t rows, sqlite::Memtable& to);
// Enough for the rows of a tail of so many bytes.
std::size_t MemtableBytesFor(std::uint64_t tail_bytes);
std::uint64_t TailBytes(const std::string& path);

}  // namespace throughline::store::care
