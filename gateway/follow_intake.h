// Lines of followed files (gateway/follow.h) on their way to the store.
//
// A chunk is read as JSON lines and text lines are (logs/lines.h), for the default tenant. Where a
// line comes from stands in its resource: log.file.path, log.file.name.
// Source: OpenTelemetry semantic conventions, "log.file".
#pragma once

#include "gateway/follow.h"
#include "gateway/ingest.h"

namespace throughline::gateway {

void TakeFollowedLines(FollowedLines lines, Ingest& ingest, FileFollower::Done done);

}  // namespace throughline::gateway
