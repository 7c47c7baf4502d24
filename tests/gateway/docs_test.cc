// What the documents say of the configuration is what the code does.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "gateway/config.h"

namespace throughline::gateway {
namespace {

std::string ReadSource(const std::string& path) {
  std::ifstream file(std::string(THROUGHLINE_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file) << path;
  return text.str();
}

TEST(Documents, EverySettingIsDescribedWithItsDefault) {
  const std::string text = ReadSource("docs/configuration.md");
  const Config defaults;
  for (const Setting& setting : Settings()) {
    const std::string value = setting.get(defaults);
    const std::string row = "| `" + std::string(setting.key) + "` | " +
                            (value.empty() ? "(empty)" : "`" + value + "`") + " | " +
                            std::string(setting.help) + " |";
    EXPECT_NE(text.find(row), std::string::npos) << "docs/configuration.md lacks:\n" << row;
  }
}

TEST(Documents, TheExampleConfigurationIsGood) {
  Config config;
  const auto nothing = [](const char*) -> const char* { return nullptr; };
  const auto applied = ApplyYaml(ReadSource("examples/config/throughline.yaml"), "throughline.yaml",
                                 nothing, config);
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_TRUE(CheckConfig(config));
  EXPECT_EQ(config.backends.size(), 2U);
}

}  // namespace
}  // namespace throughline::gateway
