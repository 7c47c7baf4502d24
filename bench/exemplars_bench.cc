// CPU time of decoding exemplars and as many samples: remote write 1.0 and 2.0, OpenMetrics.
//
//   exemplars_bench [ROUNDS]
//
// Each request has 500 series of buckets with a sample each, and the exemplar of each in a series
// of its own, as Prometheus sends them: eight labels a series, two a exemplar. The text has both on
// one line.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/protobuf_message.h"
#include "correlate/check.h"
#include "exemplars/exposition.h"
#include "exemplars/remote_write.h"

namespace throughline {
namespace {

using bench::Message;
using exemplars::WriteVersion;
using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kSeriesPerRequest = 500;
constexpr std::size_t kRequests = 100;
constexpr std::uint64_t kMillis = 1'700'000'000'000;

struct Point {
  Labels series;
  Labels exemplar;
  double value = 0;
};

class Generator {
 public:
  std::vector<Point> Points() {
    constexpr const char* kBounds[] = {"0.005", "0.05", "0.1", "0.5", "1.0", "+Inf"};
    constexpr const char* kRoutes[] = {"/berths", "/berths/{id}", "/cranes/{id}/moves", "/health"};
    std::vector<Point> points;
    for (std::size_t i = 0; i < kSeriesPerRequest; ++i) {
      const std::string instance = "10.12.3." + std::to_string(20 + i / 24 % 30) + ":8080";
      points.push_back({.series = {{"__name__", "http_request_duration_seconds_bucket"},
                                   {"cluster", "harbour-eu-1"},
                                   {"instance", instance},
                                   {"job", "harbour/berths"},
                                   {"le", kBounds[i % 6]},
                                   {"pod", "berths-7d9c5b6f4-x2x9z"},
                                   {"route", kRoutes[i / 6 % 4]},
                                   {"status", "200"}},
                        .exemplar = {{"span_id", Hex(16)}, {"trace_id", Hex(32)}},
                        .value = static_cast<double>(random_() % 1000) / 997});
    }
    return points;
  }

 private:
  std::string Hex(std::size_t digits) {
    std::string text;
    for (std::size_t i = 0; i < digits; ++i) text += "0123456789abcdef"[random_() % 16];
    return text;
  }

  std::mt19937_64 random_{42};
};

std::string SampleMessage(double value) {
  Message sample;
  sample.Double(1, value);
  sample.Varint(2, kMillis);
  return sample.text();
}

void AddLabels(const Labels& labels, Message& to) {
  for (const auto& [name, value] : labels) {
    Message label;
    label.Bytes(1, name);
    label.Bytes(2, value);
    to.Bytes(1, label.text());
  }
}

std::string Request1(const std::vector<Point>& points) {
  Message request;
  for (const Point& point : points) {
    Message samples;
    AddLabels(point.series, samples);
    samples.Bytes(2, SampleMessage(point.value));
    request.Bytes(1, samples.text());
    Message exemplars;
    AddLabels(point.series, exemplars);
    Message exemplar;
    AddLabels(point.exemplar, exemplar);
    exemplar.Double(2, point.value);
    exemplar.Varint(3, kMillis);
    exemplars.Bytes(3, exemplar.text());
    request.Bytes(1, exemplars.text());
  }
  return request.text();
}

std::string Request2(const std::vector<Point>& points) {
  std::map<std::string, std::uint64_t> known = {{"", 0}};
  Message symbols;
  symbols.Bytes(4, "");
  const auto refs_of = [&](const Labels& labels) {
    std::string refs;
    const auto add = [&](const std::string& text) {
      const auto [at, is_new] = known.try_emplace(text, known.size());
      if (is_new) symbols.Bytes(4, text);
      AppendVarint(at->second, refs);
    };
    for (const auto& [name, value] : labels) {
      add(name);
      add(value);
    }
    return refs;
  };
  Message series;
  for (const Point& point : points) {
    Message samples;
    samples.Bytes(1, refs_of(point.series));
    samples.Bytes(2, SampleMessage(point.value));
    series.Bytes(5, samples.text());
    Message exemplars;
    exemplars.Bytes(1, refs_of(point.series));
    Message exemplar;
    exemplar.Bytes(1, refs_of(point.exemplar));
    exemplar.Double(2, point.value);
    exemplar.Varint(3, kMillis);
    exemplars.Bytes(4, exemplar.text());
    series.Bytes(5, exemplars.text());
  }
  return symbols.text() + series.text();
}

std::string LabelText(const Labels& labels, std::size_t begin) {
  std::string text = "{";
  for (std::size_t i = begin; i < labels.size(); ++i) {
    if (i > begin) text += ',';
    text += labels[i].first + "=\"" + labels[i].second + '"';
  }
  return text + '}';
}

std::string OpenMetrics(const std::vector<Point>& points) {
  std::string text = "# TYPE http_request_duration_seconds histogram\n";
  for (const Point& point : points) {
    text += point.series[0].second + LabelText(point.series, 1) + " 17 # " +
            LabelText(point.exemplar, 0) + ' ' + std::to_string(point.value) + " 1700000000.123\n";
  }
  return text + "# EOF\n";
}

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <typename Decode>
void Measure(const char* name, const std::vector<std::string>& requests, int rounds,
             Decode decode) {
  std::size_t bytes = 0;
  for (const std::string& request : requests) bytes += request.size();
  constexpr double kExemplars = kRequests * kSeriesPerRequest;
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const double begin = CpuSeconds();
    for (const std::string& request : requests) {
      Batch batch;
      decode(request, batch);
      TL_CHECK(batch.exemplars.size() == kSeriesPerRequest);
    }
    const double ns = (CpuSeconds() - begin) * 1e9 / kExemplars;
    if (ns < best) best = ns;
  }
  std::printf("%-20s %6.0f bytes and %6.1f CPU ns an exemplar, %.2f CPU s per million\n", name,
              static_cast<double>(bytes) / kExemplars, best, best / 1000);
}

int Run(int rounds) {
  Generator generator;
  std::vector<std::string> requests1;
  std::vector<std::string> requests2;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kRequests; ++i) {
    const std::vector<Point> points = generator.Points();
    requests1.push_back(Request1(points));
    requests2.push_back(Request2(points));
    texts.push_back(OpenMetrics(points));
  }
  std::printf("%zu requests of %zu exemplars and as many samples, best of %d rounds\n", kRequests,
              kSeriesPerRequest, rounds);
  const DecodeOptions options{.hash_seed = 1};
  const auto write = [&options](WriteVersion version) {
    return [version, &options](std::string_view request, Batch& batch) {
      const auto decoded = DecodeRemoteWrite(request, version, options, batch);
      TL_CHECK(decoded && decoded->samples == kSeriesPerRequest && decoded->rejected_series == 0);
    };
  };
  Measure("remote write 1.0", requests1, rounds, write(WriteVersion::k1));
  Measure("remote write 2.0", requests2, rounds, write(WriteVersion::k2));
  Measure("OpenMetrics", texts, rounds, [&options](std::string_view text, Batch& batch) {
    TL_CHECK(DecodeExposition(text, exemplars::ExpositionFormat::kOpenMetrics, {}, options, batch));
  });
  return 0;
}

}  // namespace
}  // namespace throughline

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  return throughline::Run(rounds > 0 ? rounds : 1);
}
