// Lines as every answer of Loki's API has them: streams of equal labels, each with its lines.
//
// A client that sends X-Loki-Response-Encoding-Flags: categorize-labels gets the three kinds of
// labels apart: a stream has its own, and each line a third part with the others.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "api/loki/pipeline.h"
#include "wire/json_writer.h"

namespace throughline::api::loki {

inline constexpr std::string_view kCategorize = "categorize-labels";

bool AsksCategorized(const Request& request);

class Streams {
 public:
  explicit Streams(bool categorize) : categorize_(categorize) {}

  // Lines of a stream stay in the order in which they are added.
  void Add(Entry entry);
  // An array, as the next value.
  void Write(wire::JsonWriter& json) const;
  // Where labels are apart, the member that says so. Grafana reads an answer of /query_range as it
  // comes: there it must stand before the result.
  void WriteFlags(wire::JsonWriter& json) const;

  std::size_t size() const { return size_; }

 private:
  const bool categorize_;
  std::size_t size_ = 0;
  std::map<std::map<std::string, std::string>, std::vector<Entry>> streams_;
};

void WriteLabels(wire::JsonWriter& json, const std::map<std::string, std::string>& labels);

}  // namespace throughline::api::loki
