#include "gateway/follow_intake.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "correlate/attribute.h"
#include "correlate/identity.h"
#include "correlate/scope.h"
#include "logs/lines.h"

namespace throughline::gateway {
namespace {

void NameFile(std::string_view path, std::uint64_t seed, Batch& batch) {
  Resource resource;
  resource.attributes = {.begin = static_cast<std::uint32_t>(batch.attributes.size()), .count = 2};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  batch.attributes.push_back(MakeStringAttribute("log.file.path", path, seed, batch.arena));
  batch.attributes.push_back(MakeStringAttribute("log.file.name", name, seed, batch.arena));
  resource.hash = HashOf(resource, batch, seed);
  const auto index = static_cast<std::uint32_t>(batch.resources.size());
  batch.resources.push_back(resource);
  for (LogLine& line : batch.logs) line.resource = index;
}

}  // namespace

void TakeFollowedLines(FollowedLines lines, Ingest& ingest, FileFollower::Done done) {
  const std::string tenant(kDefaultTenant);
  if (!ingest.Admit(tenant)) return done(false);
  const DecodeOptions& options = ingest.decode_options();
  auto batch = std::make_shared<Batch>();
  batch->body = std::move(lines.lines);
  const auto decoded = logs::DecodeLines(batch->body.view(), logs::LineFormat::kNdjson, options,
                                         *batch, {.id = lines.source, .offset = lines.offset});
  if (!decoded) {
    // Over limits.records_per_request: the same chunk would be so for ever.
    ingest.CountMalformed(Intake::kFiles);
    return done(true);
  }
  NameFile(lines.path, options.hash_seed, *batch);
  ingest.Take(
      Intake::kFiles, tenant, *decoded, std::move(batch),
      [done = std::move(done)](const Result<Outcome>& outcome) { done(outcome.has_value()); });
}

}  // namespace throughline::gateway
