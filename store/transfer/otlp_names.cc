#include "store/transfer/otlp_names.h"

#include "correlate/digits.h"

namespace throughline::store::transfer {
namespace {

constexpr std::string_view kSuffix = ".pb";

std::string_view WordOf(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return "traces";
    case Signal::kLogs: return "logs";
    default: return "metrics";
  }
}

}  // namespace

std::string FolderOfTenant(std::string_view tenant) {
  if (tenant == ".") return "%2E";
  if (tenant == "..") return "%2E%2E";
  return std::string(tenant);
}

std::string TenantOfFolder(std::string_view folder) {
  if (folder == "%2E") return ".";
  if (folder == "%2E%2E") return "..";
  return std::string(folder);
}

std::string FileNameOf(Signal signal, std::uint64_t number) {
  constexpr std::size_t kDigits = 6;
  std::string digits = std::to_string(number);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return std::string(WordOf(signal)).append("-").append(digits).append(kSuffix);
}

std::optional<Signal> SignalOfFile(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  for (const Signal signal : kSignals) {
    if (name.starts_with(WordOf(signal))) return signal;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> NumberOfFile(std::string_view name) {
  const auto signal = SignalOfFile(name);
  if (!signal) return std::nullopt;
  std::string_view rest = name.substr(WordOf(*signal).size());
  rest.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  if (!rest.starts_with('-') || !digits::ParseDecimal(rest.substr(1), number)) return std::nullopt;
  if (FileNameOf(*signal, number) != name) return std::nullopt;
  return number;
}

}  // namespace throughline::store::transfer
