#include "gateway/scrape/discovery.h"

#include <glob.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "gateway/scrape/yaml.h"

namespace throughline::gateway::scrape {
namespace {

std::set<std::string> Matching(const std::vector<std::string>& patterns) {
  std::set<std::string> paths;
  for (const std::string& pattern : patterns) {
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      paths.insert(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
  }
  return paths;
}

}  // namespace

// True: the file's groups are new.
bool FileDiscovery::Read(const std::string& path, File& file) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    errors_.push_back(path + ": " + std::strerror(errno));
    return false;
  }
  const Stamp stamp{
      .modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
      .size = status.st_size,
      .inode = status.st_ino};
  if (file.good && stamp == file.stamp) return false;
  file.stamp = stamp;
  file.good = false;
  if (status.st_size > static_cast<off_t>(kFileBytes)) {
    errors_.push_back(path + ": has " + std::to_string(status.st_size) + " bytes, at most " +
                      std::to_string(kFileBytes) + " are read");
    return false;
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (!stream) {
    errors_.push_back(path + ": cannot be read");
    return false;
  }
  auto groups = ReadTargetFile(text, path);
  if (!groups) {
    errors_.push_back(groups.error().message);
    return false;
  }
  file.good = true;
  file.groups = *std::move(groups);
  return true;
}

bool FileDiscovery::Refresh() {
  errors_.clear();
  const std::set<std::string> paths = Matching(patterns_);
  bool changed =
      std::erase_if(files_, [&paths](const auto& file) { return !paths.contains(file.first); }) > 0;
  for (const std::string& path : paths) changed = Read(path, files_[path]) || changed;
  return changed;
}

std::vector<TargetGroup> FileDiscovery::groups() const {
  std::vector<TargetGroup> all;
  for (const auto& [path, file] : files_) {
    all.insert(all.end(), file.groups.begin(), file.groups.end());
  }
  return all;
}

}  // namespace throughline::gateway::scrape
