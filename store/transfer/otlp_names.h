// How the files of an OTLP export are called: DIR/TENANT/traces-000001.pb.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/transfer/otlp_extra.h"

namespace throughline::store::transfer {

inline constexpr std::array<Signal, 3> kSignals = {Signal::kTraces, Signal::kLogs,
                                                   Signal::kMetrics};

// "." and "..", which are names of tenants and of no folder to write to, are "%2E" and "%2E%2E".
std::string FolderOfTenant(std::string_view tenant);
std::string TenantOfFolder(std::string_view folder);

std::string FileNameOf(Signal signal, std::uint64_t number);

// Of any file that is called so: "traces", "logs" or "metrics", whatever follows, ".pb".
std::optional<Signal> SignalOfFile(std::string_view name);
// Of the files that FileNameOf names, and of no other.
std::optional<std::uint64_t> NumberOfFile(std::string_view name);

}  // namespace throughline::store::transfer
