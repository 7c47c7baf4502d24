// Checksums of the pages of a database file: any bit that a disk flips is found when its page is
// read (segment/format.md, "Pages").
//
// A checksum is the last 8 bytes of its page, which SQLite leaves alone. It counts the number of
// the page too, so that one that was written to another place is found as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlate/result.h"

namespace throughline::store::sqlite {

inline constexpr std::size_t kCheckedPageBytes = 4096;
inline constexpr std::size_t kPageCheckBytes = 8;

// `page` has kCheckedPageBytes, whose last are not looked at; `offset` is its place in the file.
std::uint64_t PageCheck(const char* page, std::uint64_t offset);
// Writes it where it belongs.
void StampPage(char* page, std::uint64_t offset);
bool IsPageWhole(const char* page, std::uint64_t offset);

// How many pages of a file are not as they were written; a part of a page at its end is one.
Result<std::uint64_t> CountDamagedPages(const std::string& path);

// The name of a VFS in front of `base` (null: SQLite's own choice) that stamps pages as they are
// written, and refuses to read those that are not whole, with SQLITE_IOERR_DATA. For databases with
// pages of kCheckedPageBytes that keep kPageCheckBytes free, and without a journal. Any thread; the
// name is good for the life of the process.
const char* CheckingVfs(const char* base);

}  // namespace throughline::store::sqlite
