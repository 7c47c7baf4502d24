#include "correlate/analysis/explain_cpu.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "correlate/attribute.h"

namespace throughline {
namespace {

constexpr std::uint64_t kUsualStepNs = 60'000'000'000;

// "k8s.pod.cpu.usage", "container_cpu_usage_seconds_total"; not what a pod may use at most.
bool IsCpu(std::string_view metric) {
  return metric.find("cpu") != metric.npos && metric.find("limit") == metric.npos &&
         metric.find("request") == metric.npos;
}

std::string PodOf(const Batch& batch, const GaugePoint& point) {
  constexpr std::string_view kKeys[] = {"k8s.pod.name",        "pod",       "k8s_pod_name",
                                        "service.instance.id", "host.name", "instance"};
  const Resource* const resource = batch.ResourceOf(point.resource);
  for (const std::string_view key : kKeys) {
    for (const Range range : {point.labels, resource == nullptr ? Range() : resource->attributes}) {
      for (const Attribute& attribute : batch.Of(range)) {
        if (attribute.key() == key) return ValueText(attribute.value());
      }
    }
  }
  return {};
}

// What a point describes.
struct Piece {
  std::uint64_t middle_unix_ns = 0;
  double value = 0;
};

std::vector<Piece> PiecesOf(const std::map<std::uint64_t, double>& points, bool cumulative,
                            double scale) {
  std::vector<Piece> pieces;
  std::uint64_t step = kUsualStepNs;
  for (auto at = points.begin(), next = at; at != points.end() && ++next != points.end();
       at = next) {
    step = std::min(step, next->first - at->first);
  }
  std::optional<std::pair<std::uint64_t, double>> before;
  for (const auto& [time, value] : points) {
    const bool follows = before && time - before->first <= CpuPoints::kLongestStepNs;
    const std::uint64_t covered = follows ? time - before->first : step;
    const std::uint64_t middle = time - std::min(time, covered / 2);
    if (!cumulative) {
      pieces.push_back({middle, value * scale});
    } else if (follows && value >= before->second) {  // Else it began anew.
      const double seconds = static_cast<double>(covered) / 1e9;
      pieces.push_back({middle, (value - before->second) / seconds * scale});
    }
    before = {time, value};
  }
  return pieces;
}

std::optional<double> MeanIn(const std::vector<Piece>& pieces, std::span<const TimeSpan> windows) {
  double sum = 0;
  double count = 0;
  for (const Piece& piece : pieces) {
    const bool inside = std::any_of(windows.begin(), windows.end(), [&](const TimeSpan& window) {
      return piece.middle_unix_ns >= window.start_unix_ns &&
             piece.middle_unix_ns < window.end_unix_ns;
    });
    if (!inside) continue;
    sum += piece.value;
    count += 1;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

}  // namespace

void CpuPoints::Add(const Batch& batch) {
  for (const GaugePoint& point : batch.gauges) {
    if (!IsCpu(point.metric)) continue;
    if (full()) return;
    std::string pod = PodOf(batch, point);
    std::string service(point.service);
    if (const Resource* resource = batch.ResourceOf(point.resource); service.empty() && resource) {
      service = resource->service;
    }
    std::string key = std::string(point.metric) + '\0' + service + '\0' + pod;
    std::vector<std::string> labels;
    for (const Attribute& label : batch.Of(point.labels)) labels.emplace_back(label.bytes());
    std::sort(labels.begin(), labels.end());
    for (const std::string& label : labels) key.append(1, '\0').append(label);
    Series& series = series_[key];
    series.service = std::move(service);
    series.pod = std::move(pod);
    series.scale = point.unit == "%" ? 1 : 100;
    series.cumulative = point.metric_type == MetricType::kSum;
    series.points[point.time_unix_ns] = point.value;
    ++count_;
  }
}

std::vector<CpuChange> CpuPoints::Changes(const RecordedTraces& traces, TimeSpan window,
                                          std::span<const TimeSpan> baseline) const {
  std::map<std::string_view, std::string_view> service_of_pod;
  for (const RecordedResource& resource : traces.resources) {
    service_of_pod.emplace(traces.names.At(resource.pod), traces.names.At(resource.service));
  }
  std::map<std::pair<std::string, std::string>, CpuChange> changes;
  for (const auto& [key, series] : series_) {
    const auto pieces = PiecesOf(series.points, series.cumulative, series.scale);
    const auto now = MeanIn(pieces, {&window, 1});
    const auto normal = MeanIn(pieces, baseline);
    if (!now || !normal) continue;
    std::string service = series.service;
    if (const auto found = service_of_pod.find(series.pod);
        service.empty() && found != service_of_pod.end()) {
      service = found->second;
    }
    if (service.empty()) continue;
    CpuChange& change = changes[{service, series.pod}];
    if (!change.service.empty() && *now - *normal <= change.window - change.baseline) continue;
    change = {service, series.pod, *normal, *now};
  }
  std::vector<CpuChange> out;
  for (auto& [key, change] : changes) out.push_back(std::move(change));
  return out;
}

}  // namespace throughline
