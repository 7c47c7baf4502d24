// Where an export stands: what a stopped one leaves beside its output, and the next run goes on
// from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/query.h"
#include "correlate/result.h"
#include "store/walk.h"

namespace throughline::store::transfer {

struct ExportState {
  std::string question;  // What was asked for, as its user said it. Only the same one is resumed.
  TimeRange time;        // What "two hours ago" was when it began.
  std::string tenant;    // The one being walked; those that sort before it are done.
  WalkPlace place;       // All of it up to here is in the output.
  std::uint64_t records = 0;          // In the output.
  std::vector<std::uint64_t> output;  // The output's own: its size, the numbers of its next files.
};

std::string ExportStateText(const ExportState& state);
// kDataLoss: it is none.
Result<ExportState> ParseExportState(std::string_view text);

// kNotFound: there is none. kDataLoss: it cannot be understood.
Result<ExportState> ReadExportState(const std::string& path);

// "out.ndjson.state": the state of the output of that name.
std::string StatePathOf(const std::string& output_path);

}  // namespace throughline::store::transfer
