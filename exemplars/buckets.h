// The upper bound of the bucket that holds a value, for the histograms of OTLP.
// Source: opentelemetry-proto v1.x metrics/v1/metrics.proto, HistogramDataPoint.explicit_bounds,
// ExponentialHistogramDataPoint.scale; OpenTelemetry metrics data model, "ExponentialHistogram".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace throughline::exemplars {

// Bucket i is (bounds[i - 1], bounds[i]], the last one ends at +Inf. nullopt: there are no buckets,
// there is not one more count than bounds, the bounds do not ascend, or the value is NaN.
std::optional<double> ExplicitBound(std::span<const double> bounds, std::size_t bucket_count,
                                    double value);

// Bucket i of the positive range is (base^i, base^(i + 1)] with base = 2^(2^-scale); the negative
// range mirrors it; what is at most `zero_threshold` away from zero is in the zero bucket. +Inf
// where base^(i + 1) is no double. nullopt: the value is NaN or infinite.
std::optional<double> ExponentialBound(std::int32_t scale, double zero_threshold, double value);

}  // namespace throughline::exemplars
