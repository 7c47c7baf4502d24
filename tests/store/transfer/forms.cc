#include "tests/store/transfer/forms.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "exemplars/otlp.h"
#include "logs/otlp.h"
#include "spans/otlp.h"
#include "tests/store/dump.h"
#include "tests/store/transfer/odd_records.h"

namespace throughline::store::transfer {
namespace {

Result<Decoded> DecodeMetrics(std::string_view bytes, const DecodeOptions& options, Batch& batch) {
  const auto decoded = exemplars::DecodeOtlp(bytes, options, batch);
  if (!decoded) return decoded.error();
  return decoded->exemplars;
}

Result<std::unique_ptr<Output>> NdjsonOut(const std::string& path) {
  return OpenNdjsonOutput(path);
}
Result<std::unique_ptr<Input>> NdjsonIn(const std::string& path) {
  return OpenNdjsonInput(path, TestLimits());
}
Result<std::unique_ptr<Output>> OtlpOut(const std::string& path) {
  return OpenOtlpOutput(path, {.file_bytes = 16'384});
}
Result<std::unique_ptr<Input>> OtlpIn(const std::string& path) {
  return OpenOtlpInput(
      path, TestLimits(),
      {.traces = spans::DecodeOtlp, .logs = logs::DecodeOtlp, .metrics = DecodeMetrics});
}
Result<std::unique_ptr<Output>> SqliteOut(const std::string& path) {
  return OpenSqliteOutput(path);
}
Result<std::unique_ptr<Input>> SqliteIn(const std::string& path) {
  return OpenSqliteInput(path, TestLimits());
}

std::string Bits(double value) {
  return std::isnan(value) ? "nan" : std::to_string(std::bit_cast<std::uint64_t>(value));
}

// Dump shows doubles of attributes as text, where -0 and 0 differ, but the numbers of records in
// six digits.
std::string Exactly(const Exemplar& exemplar) {
  return " exactly " + Bits(exemplar.number) + " " + std::to_string(exemplar.integer) + " " +
         Bits(exemplar.le);
}
std::string Exactly(const GaugePoint& point) { return " exactly " + Bits(point.value); }
std::string Exactly(const LogLine& line) {
  return " body type " + std::to_string(static_cast<int>(ReadValue(line.body).type));
}
std::string Exactly(const Span&) { return {}; }

}  // namespace

const std::vector<Form>& Forms() {
  static const std::vector<Form> forms = {
      {"ndjson", NdjsonOut, NdjsonIn}, {"otlp", OtlpOut, OtlpIn}, {"sqlite", SqliteOut, SqliteIn}};
  return forms;
}

InputLimits TestLimits() {
  InputLimits limits;
  limits.batch_records = 20;
  limits.decode.hash_seed = kOddHashSeed;
  return limits;
}

TestFolder::TestFolder() {
  // In memory where that is to be had: exports wait for the disk often.
  const std::filesystem::path memory = "/dev/shm";
  const auto parent =
      ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  std::string name = (parent / "transfer-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}
TestFolder::~TestFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::vector<std::string> Texts(const std::string& tenant, const Batch& batch) {
  std::vector<std::string> texts;
  const auto add = [&](const auto& records) {
    for (const auto& record : records) {
      texts.push_back(tenant + ": " + Dump(record, batch) + Exactly(record));
    }
  };
  add(batch.spans);
  add(batch.logs);
  add(batch.exemplars);
  add(batch.gauges);
  return texts;
}

std::vector<std::string> Texts(const FakeWalkable& store) {
  std::vector<std::string> texts;
  for (const auto& [tenant, batches] : store.batches()) {
    for (const auto& batch : batches) {
      for (std::string& text : Texts(tenant, *batch)) texts.push_back(std::move(text));
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::vector<std::string> Texts(Input& input) {
  std::vector<std::string> texts;
  while (true) {
    const auto incoming = input.Next();
    if (!incoming) {
      texts.push_back("error: " + incoming.error().message);
      break;
    }
    if (incoming->batch == nullptr) break;
    for (std::string& text : Texts(incoming->tenant, *incoming->batch)) {
      texts.push_back(std::move(text));
    }
  }
  if (input.decoded().rejected > 0) texts.push_back("rejected: " + input.decoded().first_rejection);
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::string Difference(const std::vector<std::string>& wanted,
                       const std::vector<std::string>& got) {
  if (wanted == got) return {};
  std::string text = std::to_string(wanted.size()) + " and " + std::to_string(got.size());
  for (const std::string& one : got) {
    if (one.starts_with("rejected") || one.starts_with("error")) return text + "; " + one;
  }
  for (std::size_t i = 0; i < std::max(wanted.size(), got.size()); ++i) {
    const std::string a = i < wanted.size() ? wanted[i] : "nothing";
    const std::string b = i < got.size() ? got[i] : "nothing";
    if (a != b) return text + "\nwanted: " + a + "\ngot:    " + b;
  }
  return text;
}

}  // namespace throughline::store::transfer
