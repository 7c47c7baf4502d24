#include "tests/store/care/data_directory.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "correlate/check.h"
#include "store/sqlite/page_check.h"
#include "tests/store/dump.h"
#include "tests/store/new_directory.h"
#include "tests/store/sample.h"

namespace throughline::store::care {
namespace {

namespace fs = std::filesystem;

}  // namespace

DataDirectory::DataDirectory() : path_(NewDirectory()), kept_(path_ + "-kept") {}

DataDirectory::~DataDirectory() {
  fs::remove_all(path_);
  fs::remove_all(kept_);
}

std::unique_ptr<SqliteStore> DataDirectory::Open(const std::string& directory) const {
  auto store = SqliteStore::Open({.directory = directory, .hot_bytes = 64U << 20U});
  if (!store) return nullptr;
  return std::move(*store);
}

void DataDirectory::Append(SqliteStore& store, std::uint64_t number) {
  Sample sample(store.hash_seed());
  const std::string text = std::to_string(number);
  sample.From({{"service.name", number % 3 == 0 ? "pay" : "shop"}, {"zone", text}}, "scope");
  const TraceId trace{.high = number, .low = number * 7919 + 1};
  for (std::uint64_t span = 1; span <= 3; ++span) {
    sample.Add(SampleSpan{.trace = trace,
                          .span = {number * 10 + span},
                          .parent = {span == 1 ? 0 : number * 10 + 1},
                          .start = kNow + number * kSecond,
                          .name = "operation " + std::to_string(number % 5),
                          .attributes = {{"number", text}, {"text", std::string(50, 'x') + text}},
                          .events = {{.name = "event", .time = kNow, .attributes = {}}}});
  }
  sample.Add(SampleLine{.trace = trace, .span = {number * 10 + 1}, .body = "line " + text});
  sample.Add(SampleLine{.body = "of no trace " + text});
  sample.Add(SampleExemplar{.trace = trace, .value = static_cast<double>(number)});
  sample.Add(SampleGauge{.time = kNow + number * 20 * kSecond, .labels = {{"cpu", text}}});
  const Appending appending{.tenant = number % 4 == 0 ? "other" : "default",
                            .batch = sample.Finish(),
                            .arrival_unix_ns = kNow + number * kSecond};
  TL_CHECK(store.Append({&appending, 1}).has_value());
}

void DataDirectory::Fill() {
  {
    const auto store = Open(path_);
    TL_CHECK(store != nullptr);
    for (std::uint64_t number = 1; number <= 150; ++number) {
      Append(*store, number);
      if (number % 60 != 0) continue;
      TL_CHECK(store->Rotate().value());
      TL_CHECK(store->Maintain(0).has_value());
    }
  }
  fs::remove_all(kept_);
  fs::copy(path_, kept_);
}

void DataDirectory::Flip(const std::string& file, std::uint64_t offset, unsigned mask) const {
  std::fstream stream(PathOf(file), std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(static_cast<char>(static_cast<unsigned>(byte) ^ mask));
}

std::uint64_t DataDirectory::SizeOf(const std::string& file) const {
  return fs::file_size(PathOf(file));
}

void DataDirectory::Edit(const std::string& file, const std::string& sql) const {
  sqlite3* db = nullptr;
  // Of a segment the pages get the checksums of what they hold then.
  const char* const vfs = file.starts_with("seg-") ? sqlite::CheckingVfs(nullptr) : nullptr;
  TL_CHECK(sqlite3_open_v2(PathOf(file).c_str(), &db, SQLITE_OPEN_READWRITE, vfs) == SQLITE_OK);
  if (vfs != nullptr) sqlite3_exec(db, "PRAGMA journal_mode = MEMORY", nullptr, nullptr, nullptr);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_close(db);
}

void DataDirectory::Restore() const {
  fs::remove_all(path_);
  fs::copy(kept_, path_);
}

std::string DataDirectory::Answers(const std::string& directory) const {
  const auto store = Open(directory);
  if (store == nullptr) return "cannot open";
  std::string text;
  const auto add = [&text](const auto& answer) {
    text += answer ? Dump(*answer) : "error: " + answer.error().message;
    text += '\n';
  };
  for (const char* const tenant : {"default", "other", "tenant-1", "tenant-2"}) {
    const Scope scope = AsTenant(tenant);
    text += std::string("tenant ") + tenant + "\n";
    for (std::uint64_t number = 1; number <= 200; ++number) {
      add(store->FindTrace(scope, {.high = number, .low = number * 7919 + 1}, {}));
    }
    add(store->FindTraces(scope, {}));
    add(store->FindLogs(scope, {}));
    add(store->FindExemplars(scope, {}));
    add(store->FindGauges(scope, {}));
    add(store->Services(scope));
    add(store->Operations(scope, "shop"));
  }
  return text;
}

}  // namespace throughline::store::care
