// Elasticsearch's bulk API to lines: POST /_bulk and /{index}/_bulk.
//
//   {"create": {"_index": "logs", "_id": "1"}}      create, index: a document follows
//   {"@timestamp": "...", "message": "...", "trace.id": "..."}
//   {"delete": {"_id": "7"}}                        nothing follows
//   {"update": {"_id": "8"}}                        {"doc": {...}} or {"upsert": {...}} follows
//
// A document is read as a JSON line is (logs/lines.h: ECS's names are among those), and its index
// becomes the attribute `_index`. Throughline keeps no documents to change: an update's document
// is one more line, and what is to be deleted is not found (404, no error, as for an id that
// Elasticsearch has never seen).
//
// A document that cannot be read is an item with an error and costs no other. An action line that
// cannot be read makes the whole request kInvalidArgument, as in Elasticsearch: whether the next
// line is an action or a document is not known any more. Over options.records_per_request or
// kMaxBulkItems: kTooLarge. More lenient than Elasticsearch: the last newline may be missing, lines
// may end in CRLF, and bytes that are no UTF-8 become U+FFFD.
//
// A document with an id of the sender's is identified by that and its content, so that a client may
// group its retries as it likes; others as lines are.
// Sources: Elasticsearch 8 and 9 reference, "Bulk API"; BulkRequestParser.java for the messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"

namespace throughline::logs {

// Bounds the answer, which is far larger than a request of small items.
inline constexpr std::size_t kMaxBulkItems = 100'000;
// Elasticsearch's own limits.
inline constexpr std::size_t kMaxIndexBytes = 255;
inline constexpr std::size_t kMaxDocumentIdBytes = 512;

enum class BulkAction : std::uint8_t { kCreate, kIndex, kUpdate, kDelete };

// What is answered for one action. The views are of the request or the batch.
struct BulkItem {
  BulkAction action = BulkAction::kIndex;
  std::string_view index;
  std::string_view id;  // The sender's; empty: generated_id is answered.
  std::uint64_t generated_id = 0;
  int status = 0;               // 200, 201, 400, 404.
  std::string_view error_type;  // Static; empty: no error.
  std::string error_reason;
};

struct DecodedBulk {
  Decoded lines;  // Of the documents; deletions are none.
  std::vector<BulkItem> items;
};

// `default_index` is the one of the path; empty: there is none, and each action must name one.
// `bytes` must be followed by Body::kPadding readable bytes.
Result<DecodedBulk> DecodeBulk(std::string_view bytes, std::string_view default_index,
                               const DecodeOptions& options, Batch& batch);

// The response's body, for requests that were stored.
std::string BulkAnswer(const DecodedBulk& bulk, std::uint64_t took_ms);

// The body of a request that failed as a whole, in Elasticsearch's form.
std::string BulkFailure(const Error& error, int http_status);

}  // namespace throughline::logs
