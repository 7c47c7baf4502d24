// Takes streams and their entries into a batch: what the encodings of Loki's push share.
//
//   streams.Begin(); streams.Label("app", "a"); ...        // or streams.Labels("{app=\"a\"}")
//   if (!streams.BeginEntry()) ... streams.TooMany()
//   streams.Metadata("trace_id", "..."); ...
//   streams.Accept(time, "the line");                      // or streams.Reject("why not")
//   streams.End();
//
// Labels are read and hashed once and become a resource with the first entry that is kept. Texts
// may be any bytes. Not thread-safe; batch, options and `decoded` must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "correlate/result.h"
#include "logs/finish_line.h"

namespace throughline::logs {

class LokiStreams {
 public:
  LokiStreams(std::string_view request, const DecodeOptions& options, Batch& batch,
              Decoded& decoded);

  void Begin();
  void Label(std::string_view name, std::string_view value);
  void Labels(std::string_view text);
  // All entries of the stream are rejected with this reason; the first one stays.
  void Refuse(std::string_view problem);
  // Forgets the labels of a stream without lines.
  void End();

  // False: over options.records_per_request.
  bool BeginEntry();
  Error TooMany() const { return finisher_.TooMany(); }
  void Metadata(std::string_view name, std::string_view value);
  void Accept(std::uint64_t time_unix_ns, std::string_view line);
  void Reject(std::string_view problem) { finisher_.Reject(problem); }

 private:
  // The text of a level by the best of its names.
  struct Level {
    std::string_view text;  // In the batch.
    std::size_t rank = 0;   // Of its name; no level: the number of names.
  };

  Attribute MakeAttribute(std::string_view name, std::string_view value);
  static void Offer(const Attribute& attribute, Level& level);
  std::uint32_t TheResource();

  const DecodeOptions& options_;
  Batch& batch_;
  LineFinisher finisher_;

  // Of the stream.
  std::size_t begin_ = 0;  // Of its labels in the batch.
  std::size_t labels_ = 0;
  std::size_t logs_ = 0;  // In the batch before it.
  std::uint32_t resource_ = kNoIndex;
  Level label_level_;
  std::vector<Attribute> linking_;  // Labels that name a trace.
  std::string problem_;             // Why its entries are rejected; empty: they are not.

  // Of the entry.
  std::size_t metadata_ = 0;  // In the batch before it.
  Level level_;
  std::string entry_problem_;  // Why it is rejected; empty: it is not.
};

}  // namespace throughline::logs
