#include "store/sqlite/counts.h"

#include <map>
#include <string>
#include <utility>

namespace throughline::store::sqlite {
namespace {

bool IsOfSpans(const Counter& counter) {
  return counter.kind != Counter::kLines && counter.kind != Counter::kExemplars;
}

std::string TextOf(std::uint32_t id, const Dictionary& dictionary) {
  return id == kNotInterned ? std::string() : std::string(dictionary.At(id));
}

}  // namespace

std::vector<ServiceInfo> Counts::Services() const {
  std::map<std::string, ServiceInfo> by_name;
  for (const Memtable* const table : hot) {
    const Dictionary& dictionary = table->Read().dictionary();
    table->EachCounter([&](const Counter& counter) {
      if (counter.tenant != tenant) return;
      ServiceInfo& info = by_name[TextOf(counter.service, dictionary)];
      const std::uint64_t count = counter.count.load(std::memory_order_relaxed);
      if (counter.kind == Counter::kLines) info.log_count += count;
      if (counter.kind == Counter::kExemplars) info.exemplar_count += count;
      if (!IsOfSpans(counter)) return;
      info.span_count += count;
      info.error_count += counter.errors.load(std::memory_order_relaxed);
    });
  }
  for (const auto& segment : sealed) {
    const auto rows = segment->Services(tenant);
    if (!rows) continue;
    for (const auto& row : *rows) {
      ServiceInfo& info = by_name[row.name];
      info.span_count += row.spans;
      info.error_count += row.errors;
      info.log_count += row.logs;
      info.exemplar_count += row.exemplars;
    }
  }
  by_name.erase(std::string());  // Not stated.
  std::vector<ServiceInfo> services;
  services.reserve(by_name.size());
  for (auto& [name, info] : by_name) {
    info.service = name;
    services.push_back(std::move(info));
  }
  return services;
}

std::vector<OperationInfo> Counts::Operations(std::string_view service) const {
  std::vector<OperationInfo> operations;
  if (service.empty()) return operations;
  std::map<std::pair<std::string, std::uint32_t>, OperationInfo> by_name;
  for (const Memtable* const table : hot) {
    const Dictionary& dictionary = table->Read().dictionary();
    table->EachCounter([&](const Counter& counter) {
      if (counter.tenant != tenant || !IsOfSpans(counter) || counter.service == kNotInterned ||
          dictionary.At(counter.service) != service) {
        return;
      }
      OperationInfo& info = by_name[{TextOf(counter.name, dictionary), counter.kind}];
      info.span_count += counter.count.load(std::memory_order_relaxed);
      info.error_count += counter.errors.load(std::memory_order_relaxed);
    });
  }
  for (const auto& segment : sealed) {
    const auto rows = segment->Operations(tenant, service);
    if (!rows) continue;
    for (const auto& row : *rows) {
      OperationInfo& info = by_name[{row.name, row.kind}];
      info.span_count += row.spans;
      info.error_count += row.errors;
    }
  }
  operations.reserve(by_name.size());
  for (auto& [key, info] : by_name) {
    info.operation = key.first;
    info.kind = key.second;
    operations.push_back(std::move(info));
  }
  return operations;
}

}  // namespace throughline::store::sqlite
