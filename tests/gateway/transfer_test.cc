// The command `throughline import`, as a user types it, on a data directory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "gateway/cli_transfer.h"
#include "gateway/import_state.h"
#include "gateway/open_store.h"
#include "gateway/progress.h"

namespace throughline::gateway {
namespace {

class TransferCommand : public testing::Test {
 protected:
  TransferCommand() {
    std::string name = (std::filesystem::temp_directory_path() / "transfer-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(data());
  }
  ~TransferCommand() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }

  std::string data() const { return (folder_ / "data").string(); }
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }

  // The exit code; -1: the arguments were refused.
  static int Run(std::vector<std::string> arguments) {
    CLI::App app;
    int exit_code = -1;
    AddTransferCommands(app, &exit_code);
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(std::move(arguments));
    } catch (const CLI::ParseError&) {
      return -1;
    }
    return exit_code;
  }

  StoreUsage Usage() const {
    const auto store = OpenForAppending(data());
    EXPECT_TRUE(store);
    return (*store)->Usage();
  }

  std::filesystem::path folder_;
};

constexpr const char* kLine = R"({"kind":"log","traceId":"0123456789abcdef0123456789abcdef",)"
                              R"("timeUnixNano":"1750000000000000000"})"
                              "\n";

TEST_F(TransferCommand, ImportsAndLeavesNoState) {
  const std::string input = Write("in.ndjson", kLine);
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", input}), 0);
  EXPECT_EQ(Usage().logs, 1U);
  EXPECT_FALSE(std::filesystem::exists(ImportStatePath(data())));
  // And again: it is there already.
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", input}), 0);
  EXPECT_EQ(Usage().logs, 1U);
}

TEST_F(TransferCommand, SaysThatRecordsWereRejected) {
  const std::string input = Write("in.ndjson", std::string("nonsense\n") + kLine);
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", input}), 1);
  EXPECT_EQ(Usage().logs, 1U);
}

TEST_F(TransferCommand, AnotherImportThatWasStoppedIsNotForgotten) {
  ImportState state;
  state.input = "ndjson /elsewhere";
  state.print = "5 bytes";
  std::ofstream(ImportStatePath(data())) << ImportStateText(state);
  const std::string input = Write("in.ndjson", kLine);
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", input}), 2);
  EXPECT_EQ(Usage().logs, 0U);
}

TEST_F(TransferCommand, RefusesWhatMakesNoSense) {
  const std::string input = Write("in.ndjson", kLine);
  EXPECT_EQ(Run({"import", "--data", data()}), -1);
  EXPECT_EQ(Run({"import", "--ndjson", input}), -1);
  EXPECT_EQ(Run({"export", "--data", data(), "--ndjson", "-", "--otlp", "x"}), -1);
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", input, "--tenant", "a b"}), 2);
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", input, "--since", "soon"}), 2);
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", input, "--since", "1h", "--until", "2h"}),
            2);
  EXPECT_EQ(Run({"import", "--data", data(), "--ndjson", Path("missing")}), 1);
}

TEST(ImportState, ReadsWhatItWrote) {
  const ImportState state{.input = "a \"b\"\n",
                          .print = "5 bytes",
                          .place = "3 17",
                          .start_unix_ns = 1,
                          .end_unix_ns = UINT64_MAX,
                          .arrival_unix_ns = 3};
  const auto read = ParseImportState(ImportStateText(state));
  ASSERT_TRUE(read);
  EXPECT_EQ(ImportStateText(*read), ImportStateText(state));
  EXPECT_FALSE(ParseImportState(""));
  EXPECT_FALSE(ParseImportState("{}"));
}

TEST(Progress, SaysHowFarItIs) {
  EXPECT_EQ(ProgressText(1'234'567, 0.456, 98'000.4), "1,234,567 records  45 %  98,000/s");
  EXPECT_EQ(ProgressText(999, -1, 0), "999 records  0/s");
  EXPECT_EQ(ProgressText(1'000, 1.7, 1), "1,000 records  100 %  1/s");
}

}  // namespace
}  // namespace throughline::gateway
