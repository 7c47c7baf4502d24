// The tables of a segment file (format.md).
#pragma once

#include <cstdint>

#include "correlate/hash.h"
#include "correlate/trace_id.h"

namespace throughline::store::segment {

inline constexpr std::int64_t kSegmentId = 0x544c5347;  // "TLSG", the application_id.
inline constexpr std::int64_t kSegmentFormat = 2;
// Whether the pages of a segment of this format have checksums (sqlite/page_check.h).
inline constexpr bool HasPageChecks(std::int64_t format) { return format >= 2; }
// Whether it has filters of the text of its lines.
inline constexpr bool HasTextFilters(std::int64_t format) { return format >= 2; }
inline constexpr std::int64_t kSegmentPageBytes = 4096;

// A segment is written once and never altered: there is one schema a format.
inline constexpr const char* kSegmentSchema =
    "CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
    "CREATE TABLE string (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"
    "CREATE TABLE service (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT NOT NULL,"
    " spans INTEGER NOT NULL, errors INTEGER NOT NULL, logs INTEGER NOT NULL,"
    " exemplars INTEGER NOT NULL) STRICT;"
    "CREATE TABLE operation (service INTEGER NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL,"
    " spans INTEGER NOT NULL, errors INTEGER NOT NULL, PRIMARY KEY (service, name, kind))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE metric (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT NOT NULL,"
    " unit TEXT NOT NULL, type INTEGER NOT NULL) STRICT;"
    "CREATE TABLE search (kind INTEGER NOT NULL, of INTEGER NOT NULL, part INTEGER NOT NULL,"
    " tenant INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
    " least REAL NOT NULL, most REAL NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, of, part))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE tag (first_block INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
    "CREATE TABLE series (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, metric TEXT NOT NULL,"
    " service TEXT NOT NULL, data BLOB NOT NULL) STRICT;"
    "CREATE TABLE gauge (series INTEGER NOT NULL, part INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
    " last_ns INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (series, part))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE text (first_block INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;";

// Blocks whose filters stand in one row of `tag`, and of `text`.
inline constexpr std::uint32_t kBlocksPerTagRow = 64;
// Gauge points of a row, at most.
inline constexpr std::size_t kGaugePartPoints = 1024;

// What the filter of traces holds: the tenant and the half of the id by which traces link.
inline std::uint64_t TraceKey(std::uint32_t tenant, TraceId id, std::uint64_t seed) {
  const std::uint64_t half = id.low != 0 ? id.low : HashMix(id.high, ~seed);
  return HashCombine(HashMix(seed ^ 0x8ebc6af09c88c6e3ULL, tenant + 0x9e3779b97f4a7c15ULL), half);
}

}  // namespace throughline::store::segment
