// What a scrape brought, to intake: its exemplars and named gauges are decoded, counted and
// stored.
#pragma once

#include <string_view>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "gateway/ingest.h"
#include "gateway/scrape/scraper.h"
#include "gateway/scrape/target.h"

namespace throughline::gateway::scrape {

// An OnScraped. The series get the target's labels; its tenant is charged. kOverloaded while the
// tenant is over its rate; kUnsupported for a media type that is no exposition; else what the
// decoder says. Storing goes on after the return: what is not stored is scraped again.
Result<Scraped> TakeExposition(const Target& target, std::string_view content_type, Body body,
                               Ingest& ingest);

}  // namespace throughline::gateway::scrape
