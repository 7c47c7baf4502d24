// LogQL that can be read is run over lines without coming to harm, twice with the same result; what
// cannot be read has a place or a name.
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/loki/pipeline.h"
#include "api/loki/plan.h"
#include "api/query/logql.h"
#include "correlate/check.h"

namespace {

using namespace throughline::api;

std::string RunOver(const query::LogSelection& selection, const char* line) {
  loki::Entry entry;
  entry.line = line;
  entry.labels.Set("service_name", "checkout", loki::LabelKind::kStream);
  entry.labels.Set("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736", loki::LabelKind::kMetadata);
  const loki::Pipeline pipeline(selection);
  if (!pipeline.StreamMatches(entry.labels) || !pipeline.TextMatches(entry.line)) return "-";
  if (!pipeline.Run(entry)) return "-";
  std::string out = entry.line;
  for (const auto& [name, value] : entry.labels.Of(true, true, true)) out += name + "=" + value;
  return out;
}

void Visit(const query::LogQl& part) {
  query::LogSelection selection = part.selection;
  loki::SpellTraceIds(selection);
  loki::PlanFor(selection);
  for (const char* line : {"level=info msg=\"a b\" status=502 took=1.5s size=2KB", "",
                           R"({"a":{"b":[1,{"c":"d"}]},"status":200,"took":"20ms"})",
                           "1.2.3.4 - [now] \x1b[31mred\x1b[0m 4bf92f3577b34da6a3ce929d0e0e4736"}) {
    TL_CHECK(RunOver(selection, line) == RunOver(selection, line));
  }
  for (const query::LogQl& argument : part.arguments) Visit(argument);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto read = query::ParseLogQl(text);
  if (read) {
    Visit(*read);
  } else {
    const std::string& message = read.error().message;
    TL_CHECK(message.find("at line ") != std::string::npos ||
             message.starts_with("unsupported by Throughline: "));
  }
  return 0;
}
