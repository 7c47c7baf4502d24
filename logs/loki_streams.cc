#include "logs/loki_streams.h"

#include <algorithm>
#include <iterator>

#include "correlate/attribute.h"
#include "correlate/find.h"
#include "correlate/identity.h"
#include "logs/json_line.h"
#include "logs/lines.h"
#include "logs/link_line.h"
#include "logs/loki_labels.h"
#include "otlp/utf8.h"

namespace throughline::logs {
namespace {

// The first one counts.
constexpr std::string_view kLevelNames[] = {"level", "detected_level", "severity"};

// Labels that are asked for ids with every line.
constexpr std::size_t kMaxLinking = 2 * kMaxFound;

// Of a label or a piece of metadata; several times that of real ones.
constexpr std::size_t kMaxNameBytes = 64U << 10U;
static_assert(3 * kMaxNameBytes <= kMaxKeyBytes);  // Replacing what is no UTF-8 makes it longer.

std::string_view MakeText(std::string_view text, Arena& arena) {
  return otlp::IsUtf8(text) ? MakeStringValue(text, arena)
                            : MakeStringValue(otlp::ReplaceInvalidUtf8(text), arena);
}

}  // namespace

LokiStreams::LokiStreams(std::string_view request, const DecodeOptions& options, Batch& batch,
                         Decoded& decoded)
    : options_(options),
      batch_(batch),
      finisher_(request, options, batch, decoded, LineStyle{.name = "entry", .plural = "entries"}) {
}

void LokiStreams::Begin() {
  begin_ = batch_.attributes.size();
  labels_ = 0;
  logs_ = batch_.logs.size();
  resource_ = kNoIndex;
  label_level_ = {.text = {}, .rank = std::size(kLevelNames)};
  linking_.clear();
  problem_.clear();
}

void LokiStreams::Refuse(std::string_view problem) {
  if (problem_.empty()) problem_ = problem;
}

Attribute LokiStreams::MakeAttribute(std::string_view name, std::string_view value) {
  if (otlp::IsUtf8(name) && otlp::IsUtf8(value)) {
    return MakeStringAttribute(name, value, options_.hash_seed, batch_.arena);
  }
  return MakeStringAttribute(otlp::ReplaceInvalidUtf8(name), otlp::ReplaceInvalidUtf8(value),
                             options_.hash_seed, batch_.arena);
}

void LokiStreams::Offer(const Attribute& attribute, Level& level) {
  const auto* const found =
      std::find(std::begin(kLevelNames), std::end(kLevelNames), attribute.key());
  const auto rank = static_cast<std::size_t>(found - std::begin(kLevelNames));
  if (rank < level.rank) level = {.text = StringOf(attribute.value()), .rank = rank};
}

void LokiStreams::Label(std::string_view name, std::string_view value) {
  if (name.size() > kMaxNameBytes) return Refuse("labels: a name of more than 64 KiB");
  if (labels_ == options_.attributes_per_record) {
    return Refuse("more than " + std::to_string(options_.attributes_per_record) + " labels");
  }
  const Attribute label = MakeAttribute(name, value);
  batch_.attributes.push_back(label);
  ++labels_;
  Offer(label, label_level_);
  if (linking_.size() < kMaxLinking && MayLink(label)) linking_.push_back(label);
}

void LokiStreams::Labels(std::string_view text) {
  LokiLabels labels(text);
  while (problem_.empty() && labels.Next()) Label(labels.name(), labels.value());
  if (!labels.problem().empty()) Refuse(std::string("labels: ").append(labels.problem()));
}

void LokiStreams::End() {
  if (batch_.logs.size() > logs_) return;
  if (resource_ != kNoIndex) batch_.resources.resize(resource_);
  batch_.attributes.resize(begin_);
}

bool LokiStreams::BeginEntry() {
  metadata_ = batch_.attributes.size();
  level_ = {.text = {}, .rank = std::size(kLevelNames)};
  entry_problem_.clear();
  return finisher_.Begin();
}

void LokiStreams::Metadata(std::string_view name, std::string_view value) {
  if (name.size() > kMaxNameBytes) {
    entry_problem_ = "structured metadata: a name of more than 64 KiB";
    return;
  }
  if (batch_.attributes.size() - metadata_ == options_.attributes_per_record) {
    entry_problem_ = "more than " + std::to_string(options_.attributes_per_record) +
                     " pieces of structured metadata";
    return;
  }
  const Attribute attribute = MakeAttribute(name, value);
  batch_.attributes.push_back(attribute);
  Offer(attribute, level_);
}

void LokiStreams::Accept(std::uint64_t time_unix_ns, std::string_view text) {
  if (!problem_.empty()) return Reject(problem_);
  if (!entry_problem_.empty()) return Reject(entry_problem_);
  LogLine line;
  line.time_unix_ns = time_unix_ns;
  line.body = MakeText(text, batch_.arena);
  line.attributes = {.begin = static_cast<std::uint32_t>(metadata_),
                     .count = static_cast<std::uint32_t>(batch_.attributes.size() - metadata_)};
  line.service = StatedService(batch_.Of(line.attributes));
  line.severity_text = level_.text.empty() ? label_level_.text : level_.text;
  line.severity_number = SeverityNumberOf(line.severity_text);
  line.resource = TheResource();
  finisher_.Accept(line, {}, linking_);
}

std::uint32_t LokiStreams::TheResource() {
  if (labels_ == 0 || resource_ != kNoIndex) return resource_;
  Resource resource;
  resource.attributes = {.begin = static_cast<std::uint32_t>(begin_),
                         .count = static_cast<std::uint32_t>(labels_)};
  resource.service = StatedService(batch_.Of(resource.attributes));
  resource.hash = HashOf(resource, batch_, options_.hash_seed);
  resource_ = static_cast<std::uint32_t>(batch_.resources.size());
  batch_.resources.push_back(resource);
  return resource_;
}

}  // namespace throughline::logs
