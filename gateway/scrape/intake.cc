#include "gateway/scrape/intake.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "correlate/scope.h"
#include "exemplars/exposition.h"
#include "gateway/media.h"

namespace throughline::gateway::scrape {

Result<Scraped> TakeExposition(const Target& target, std::string_view content_type, Body body,
                               Ingest& ingest) {
  const std::string tenant = target.tenant.empty() ? std::string(kDefaultTenant) : target.tenant;
  TL_TRY(ingest.Admit(tenant));
  std::vector<exemplars::Label> labels;
  for (const auto& [name, value] : target.labels) labels.push_back({name, value});
  auto batch = std::make_shared<Batch>();
  batch->body = std::move(body);
  const auto decode = [&]() -> Result<exemplars::DecodedExposition> {
    TL_TRY_ASSIGN(const auto format, ExpositionFormatOf(content_type));
    return exemplars::DecodeExposition(batch->body.view(), format,
                                       {.labels = labels,
                                        .honor_labels = target.honor_labels,
                                        .time_unix_ns = ingest.clock().NowUnixNs()},
                                       ingest.decode_options(), *batch);
  };
  const auto decoded = decode();
  if (!decoded) {
    ingest.CountMalformed(Intake::kScrape);
    return decoded.error();
  }
  ingest.CountPassed(Intake::kScrape, decoded->samples - decoded->gauge_points);
  const Scraped scraped{.samples = decoded->samples, .exemplars = decoded->exemplars.received};
  ingest.Take(Intake::kScrape, tenant, decoded->exemplars, std::move(batch),
              [](const Result<Outcome>&) {});
  return scraped;
}

}  // namespace throughline::gateway::scrape
