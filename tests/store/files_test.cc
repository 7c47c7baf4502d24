// The operating system's files, behind the port that the store uses.
#include "store/sqlite/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>  // mkdtemp

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "correlate/check.h"
#include "store/sqlite/file_hash.h"

namespace throughline::store::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FilesTest : public testing::Test {
 protected:
  FilesTest() : directory_(testing::TempDir() + "throughline-files-XXXXXX") {
    TL_CHECK(::mkdtemp(directory_.data()) != nullptr);
  }
  ~FilesTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name)) << bytes;
  }
  std::vector<std::string> Names() const { return SystemFiles().List(directory_).value(); }

  std::string directory_;
};

TEST_F(FilesTest, ListIsSortedAndOfFilesOnly) {
  Write("b", "");
  Write("a", "");
  Write("c", "");
  std::filesystem::create_directory(Path("folder"));
  EXPECT_THAT(Names(), ElementsAre("a", "b", "c"));
}

TEST_F(FilesTest, RenameReplaces) {
  Write("new.tmp", "new");
  Write("old", "older");
  ASSERT_TRUE(SystemFiles().Rename(Path("new.tmp"), Path("old")));
  ASSERT_TRUE(SystemFiles().SyncDirectory(directory_));
  EXPECT_THAT(Names(), ElementsAre("old"));
  EXPECT_EQ(SystemFiles().SizeOf(Path("old")).value(), 3u);
  EXPECT_TRUE(SystemFiles().SyncFile(Path("old")));
}

TEST_F(FilesTest, RemoveIsContentWithAFileThatIsGone) {
  Write("a", "");
  EXPECT_TRUE(SystemFiles().Remove(Path("a")));
  EXPECT_TRUE(SystemFiles().Remove(Path("a")));
  EXPECT_THAT(Names(), ElementsAre());
}

TEST_F(FilesTest, CreatesWhatIsMissingAbove) {
  for (const char* path : {"one/two/three", "one/two/three/", "one/./two/four/", "one"}) {
    EXPECT_TRUE(SystemFiles().CreateDirectories(Path(path))) << path;
    EXPECT_TRUE(std::filesystem::is_directory(Path(path))) << path;
  }
  EXPECT_TRUE(SystemFiles().CreateDirectories("."));
  EXPECT_TRUE(SystemFiles().CreateDirectories("/"));
  Write("file", "");
  EXPECT_FALSE(SystemFiles().CreateDirectories(Path("file")));
  EXPECT_FALSE(SystemFiles().CreateDirectories(Path("file/below")));
}

TEST_F(FilesTest, ErrorsCarryThePath) {
  const std::string path = Path("nowhere/file");
  Files& files = SystemFiles();
  const auto expect = [&path](const Error& error) {
    EXPECT_EQ(error.code, Errc::kUnavailable);
    EXPECT_THAT(error.message, HasSubstr(path));
    EXPECT_THAT(error.message, HasSubstr("No such file"));
  };
  expect(files.Rename(path, Path("to")).error());
  expect(files.SyncDirectory(path).error());
  expect(files.SyncFile(path).error());
  expect(files.List(path).error());
  expect(files.SizeOf(path).error());
  const auto visit = [](std::string_view) { return Result<void>(); };
  expect(files.Read(path, visit).error());
  expect(files.Copy(path, Path("to"), visit).error());
  Write("here", "");
  expect(files.Copy(Path("here"), path, visit).error());
  expect(files.Link(Path("here"), path).error());
}

TEST_F(FilesTest, CopyReplacesAndShowsPieceByPiece) {
  const std::string bytes(2 * kHashPieceBytes + 5, 'x');
  Write("from", bytes);
  Write("to", std::string(3 * kHashPieceBytes, 'y'));
  std::vector<std::size_t> pieces;
  const auto visit = [&](std::string_view piece) -> Result<void> {
    pieces.push_back(piece.size());
    return {};
  };
  ASSERT_TRUE(SystemFiles().Copy(Path("from"), Path("to"), visit));
  EXPECT_THAT(pieces, ElementsAre(kHashPieceBytes, kHashPieceBytes, 5));
  pieces.clear();
  std::string read;
  ASSERT_TRUE(SystemFiles().Read(Path("to"), [&](std::string_view piece) -> Result<void> {
    read += piece;
    return {};
  }));
  EXPECT_TRUE(read == bytes);
  const auto stop = [](std::string_view) -> Result<void> {
    return Error{Errc::kUnavailable, "stopped"};
  };
  EXPECT_EQ(SystemFiles().Copy(Path("from"), Path("to"), stop).error().message, "stopped");
}

TEST_F(FilesTest, LinksAreTheSameFileUnderAFreeName) {
  Write("a", "text");
  EXPECT_TRUE(SystemFiles().Link(Path("a"), Path("b")).value());
  EXPECT_EQ(std::filesystem::hard_link_count(Path("a")), 2u);
  EXPECT_FALSE(SystemFiles().Link(Path("none"), Path("c")).value());
  EXPECT_FALSE(SystemFiles().Link(Path("a"), Path("b")));
}

TEST_F(FilesTest, RemoveDirectoryTakesItsFilesAndNoDirectories) {
  EXPECT_TRUE(SystemFiles().RemoveDirectory(Path("none")));
  std::filesystem::create_directory(Path("folder"));
  Write("folder/a", "");
  EXPECT_TRUE(SystemFiles().RemoveDirectory(Path("folder")));
  EXPECT_FALSE(std::filesystem::exists(Path("folder")));
  std::filesystem::create_directories(Path("folder/below"));
  EXPECT_FALSE(SystemFiles().RemoveDirectory(Path("folder")));
  EXPECT_TRUE(std::filesystem::exists(Path("folder/below")));
}

TEST(FileErrorTest, NamesWhatAnOperatorCanDoSomethingAbout) {
  EXPECT_EQ(FileError("sync", "/data/a", ENOSPC).message, "disk full: /data/a");
  EXPECT_EQ(FileError("sync", "/data/a", EDQUOT).message, "disk full: /data/a");
  EXPECT_EQ(FileError("sync", "/data/a", EROFS).message, "read-only: /data/a");
  EXPECT_EQ(FileError("sync", "/data/a", EIO).message, "cannot sync: /data/a: Input/output error");
}

}  // namespace
}  // namespace throughline::store::sqlite
