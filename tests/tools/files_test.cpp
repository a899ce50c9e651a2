// Files are written all or none, and read with a bound.
#include "io/files.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace ostend_tools;

/// A folder of its own that goes with the test.
class temporary_folder {
public:
    temporary_folder() {
        std::string name = (fs::temp_directory_path() / "ostend-files-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~temporary_folder() { fs::remove_all(path_); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }
    /// What lies in it: the bytes of files, "folder" for folders.
    [[nodiscard]] std::map<std::string, std::string> content() const {
        std::map<std::string, std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(path_)) {
            const std::string name = fs::relative(entry.path(), path_).string();
            found[name] = entry.is_directory() ? "folder" : read_file(entry.path()).value();
        }
        return found;
    }

private:
    fs::path path_;
};

using content = std::map<std::string, std::string>;

TEST_CASE("a file is written with its folders, and replaced") {
    const temporary_folder folder;
    REQUIRE(write_file(folder.path() / "a" / "b" / "file", "one"));
    CHECK(folder.content() == content{{"a", "folder"}, {"a/b", "folder"}, {"a/b/file", "one"}});
    REQUIRE(write_file(folder.path() / "a" / "b" / "file", std::string("t\0wo", 4)));
    CHECK(folder.content().at("a/b/file") == std::string("t\0wo", 4));
    REQUIRE(write_file(folder.path() / "empty", ""));
    CHECK(folder.content().at("empty").empty());
}

TEST_CASE("a path without a folder means the working folder") {
    const temporary_folder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    const auto written = write_file("file", "here");
    fs::current_path(before);
    CHECK(written);
    CHECK(folder.content() == content{{"file", "here"}});
}

TEST_CASE("files of a folder are written together or not at all") {
    const temporary_folder folder;
    output_files files(folder.path() / "new" / "out");
    files.add("one", "1");
    files.add("deep/two", "2");
    REQUIRE(files.write());
    CHECK(folder.content() == content{{"new", "folder"},
                                      {"new/out", "folder"},
                                      {"new/out/one", "1"},
                                      {"new/out/deep", "folder"},
                                      {"new/out/deep/two", "2"}});

    // The second file's place is a folder, or lies below a file: the first is not replaced either.
    const content before = folder.content();
    for (const char* bad : {"deep", "one/below", "one/below/it"}) {
        output_files more(folder.path() / "new" / "out");
        more.add("one", "other");
        more.add("fresh/folder/file", "x");
        more.add(bad, "y");
        const auto written = more.write();
        REQUIRE_FALSE(written);
        CHECK_MESSAGE(written.error().field == (folder.path() / "new" / "out" / bad).string(),
                      written.error().message());
        CHECK(folder.content() == before);
    }
}

TEST_CASE("what is staged and not committed leaves nothing") {
    const temporary_folder folder;
    {
        staged_files files;
        REQUIRE(files.add(folder.path() / "a" / "b" / "file", "1"));
        CHECK(folder.content().size() == 3); // beside its place, under another name
        CHECK_FALSE(folder.content().contains("a/b/file"));
    }
    CHECK(folder.content().empty());

    REQUIRE(write_file(folder.path() / "a" / "kept", "mine"));
    {
        staged_files files;
        REQUIRE(files.add(folder.path() / "a" / "kept", "yours"));
        REQUIRE(files.add(folder.path() / "a" / "c" / "file", "1"));
    }
    CHECK(folder.content() == content{{"a", "folder"}, {"a/kept", "mine"}});
}

TEST_CASE("check_writable asks and leaves nothing") {
    const temporary_folder folder;
    CHECK(check_writable(folder.path() / "a" / "file"));
    CHECK(folder.content().empty());
    REQUIRE(write_file(folder.path() / "file", "mine"));
    CHECK(check_writable(folder.path() / "file"));
    CHECK_FALSE(check_writable(folder.path() / "file" / "below"));
    CHECK_FALSE(check_writable(folder.path()));
    CHECK(folder.content() == content{{"file", "mine"}});
}

TEST_CASE("reading: bytes as they are, a bound, and errors that name the file") {
    const temporary_folder folder;
    std::string bytes;
    for (int i = 0; i < 200000; ++i) {
        bytes += static_cast<char>(i * 7);
    }
    const fs::path file = folder.path() / "file";
    REQUIRE(write_file(file, bytes));
    CHECK(*read_file(file) == bytes);
    CHECK(*read_file(file, bytes.size()) == bytes);
    const auto long_one = read_file(file, bytes.size() - 1);
    REQUIRE_FALSE(long_one);
    CHECK(long_one.error().message() ==
          file.string() + ": the file is larger than " + std::to_string(bytes.size() - 1) + " bytes");
    CHECK(read_file(folder.path()).error().message() ==
          folder.path().string() + ": this is a folder, not a file");
    CHECK(read_file(folder.path() / "none").error().message() ==
          (folder.path() / "none").string() + ": there is no such file");
}

} // namespace
