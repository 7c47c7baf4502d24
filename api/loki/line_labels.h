// The labels of a line, as Loki would give them, in Loki's three kinds.
//
// Of the stream: the labels that a shipper of Loki's sent; of an OTLP resource the attributes that
// Loki indexes; service_name (stated, else that of the span or the trace, else unknown_service) and
// job. Structured metadata: trace_id and span_id, level and detected_level, the line's attributes
// and the rest of the resource's. Names are in Prometheus' spelling.
// Source: grafana.com/docs/loki/latest/send-data/otel, "Default mapping of OTLP to Loki".
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/links/handlers.h"
#include "correlate/batch.h"
#include "correlate/hash.h"
#include "correlate/scope.h"

namespace throughline::api::loki {

inline constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();
inline constexpr std::string_view kUnknownService = "unknown_service";

enum class LabelKind : std::uint8_t { kStream, kMetadata, kParsed };

struct Label {
  std::string name;
  std::string value;
  LabelKind kind = LabelKind::kStream;
  bool gives_way = false;  // Nobody sent it: what a stage parses under its name takes its place.
};

class LineLabels {
 public:
  const Label* Find(std::string_view name) const;
  // Its value; empty where there is none, which is the same to every condition.
  std::string_view ValueOf(std::string_view name) const;
  void Set(std::string_view name, std::string_view value, LabelKind kind);
  void AddAbsent(std::string_view name, std::string_view value, LabelKind kind);
  void Remove(std::string_view name);

  const std::vector<Label>& all() const { return labels_; }
  std::vector<Label>& all() { return labels_; }
  // Of some kinds, sorted by name.
  std::map<std::string, std::string> Of(bool stream, bool metadata, bool parsed) const;

 private:
  std::vector<Label> labels_;
};

// Gives lines their labels. One per query; looks at one page of lines at a time.
class LineLabeler {
 public:
  // Lines that state no service are of `assumed_service`, which the store found them by; where that
  // is empty, their traces are asked, at most `most_asked`, until the deadline of the scope.
  LineLabeler(const Scope& scope, const links::Context& context, std::string assumed_service,
              std::size_t most_asked = kNoBound)
      : scope_(scope),
        context_(context),
        assumed_service_(std::move(assumed_service)),
        most_asked_(most_asked) {}

  // The page must outlive what is asked of it.
  void Begin(const Batch& page);
  // The labels of its stream. Stays where it is until the next page.
  const LineLabels& StreamOf(const LogLine& line);
  void AddMetadata(const LogLine& line, LineLabels& labels) const;
  // The last line's trace was one too many, or the deadline came before it had answered.
  bool gave_up() const { return gave_up_; }

 private:
  struct Trace {
    std::vector<std::pair<SpanId, std::string>> services;
    std::string root_service;
  };
  struct Hash {
    std::size_t operator()(TraceId id) const { return HashCombine(id.high, id.low); }
  };

  std::string_view ServiceOf(const LogLine& line);
  const Trace& TraceOf(TraceId id);

  const Scope& scope_;
  const links::Context& context_;
  const std::string assumed_service_;
  const Batch* page_ = nullptr;
  std::map<std::pair<std::uint32_t, std::string>, LineLabels> streams_;  // By resource and service.
  std::unordered_map<TraceId, Trace, Hash> traces_;  // At most kMaxRememberedTraces.
  const std::size_t most_asked_;
  std::size_t asked_ = 0;
  bool gave_up_ = false;
};

}  // namespace throughline::api::loki
