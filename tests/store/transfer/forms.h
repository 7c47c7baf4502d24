// The three forms of export, so that a test can say what holds of each.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/transfer/input.h"
#include "store/transfer/output.h"
#include "tests/store/transfer/fake_walkable.h"

namespace throughline::store::transfer {

struct Form {
  const char* name;
  Result<std::unique_ptr<Output>> (*open_output)(const std::string& path);
  Result<std::unique_ptr<Input>> (*open_input)(const std::string& path);
};
const std::vector<Form>& Forms();

// The options of every input here.
InputLimits TestLimits();

// A folder that goes with it.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// "tenant: record" of every record, sorted; each also with what Dump rounds.
std::vector<std::string> Texts(const FakeWalkable& store);
std::vector<std::string> Texts(const std::string& tenant, const Batch& batch);
// Of all that an input gives; rejected records are texts too.
std::vector<std::string> Texts(Input& input);

// Empty where both are the same; else the first text that only one of them has.
std::string Difference(const std::vector<std::string>& wanted, const std::vector<std::string>& got);

}  // namespace throughline::store::transfer
