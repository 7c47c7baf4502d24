// POST and PUT /_bulk, /{index}/_bulk: Elasticsearch's bulk API, and what clients ask before they
// use it.
//
// Official clients refuse a server whose answers lack X-Elastic-Product: every answer has it.
// Source: Elasticsearch 9 REST API, "Bulk"; elastic-transport's product check.
#pragma once

#include "api/http.h"
#include "gateway/doors/door.h"

namespace throughline::gateway::doors {

extern const HttpDoor kElasticBulk;

// GET /: name and version of the cluster.
api::Response ElasticInfo();
// GET /_cluster/health.
api::Response ElasticHealth();
// GET /_cat/health, as rsyslog asks.
api::Response ElasticCatHealth();
// GET /_license, as Beats ask.
api::Response ElasticLicense();
// Templates, policies and pipelines that shippers install: there is nothing to set up.
api::Response ElasticAcknowledged();

}  // namespace throughline::gateway::doors
