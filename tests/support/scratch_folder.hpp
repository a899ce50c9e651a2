// A folder that is gone at the end of the test.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>

namespace ostend_test {

class scratch_folder {
public:
    scratch_folder() {
        static int number = 0;
        const auto unique = std::to_string(std::hash<std::string_view>{}(OSTEND_SOURCE_DIR)) + "_" +
                            std::to_string(std::random_device{}()) + "_" + std::to_string(number++);
        path_ = std::filesystem::temp_directory_path() / ("ostend_test_" + unique);
        std::filesystem::create_directories(path_);
    }
    ~scratch_folder() { std::filesystem::remove_all(path_); }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(const std::string& name, std::string_view bytes) const {
        std::ofstream(path_ / name, std::ios::binary) << bytes;
        return path_ / name;
    }
    /// Copies a file, as `name`, or what is in a folder; the copies can be written to.
    void copy(const std::filesystem::path& from, const std::string& name = {}) const {
        std::filesystem::copy(from, path_ / name, std::filesystem::copy_options::recursive);
        for (const auto& file : std::filesystem::directory_iterator(path_)) {
            std::filesystem::permissions(file, std::filesystem::perms::owner_write,
                                         std::filesystem::perm_options::add);
        }
    }

private:
    std::filesystem::path path_;
};

} // namespace ostend_test
