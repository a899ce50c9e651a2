// Whole files: read with a bound, written beside and renamed, so that a reader never meets half of one.
//
// Files that belong together are staged first and renamed at the end: either all of them are there or none,
// and folders that were made for them go again.
#pragma once

#include "ostend/core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ostend_tools {

/// The bytes of a file, or an error that names it. Refuses directories and files over max_bytes.
ostend::result<std::string> read_file(const std::filesystem::path& path,
                                      std::uintmax_t max_bytes = 1U << 30U);

/// Files on their way: written beside their places, moved there by commit(). Without commit nothing stays.
class staged_files {
public:
    staged_files() = default;
    staged_files(const staged_files&) = delete;
    staged_files& operator=(const staged_files&) = delete;
    ~staged_files();

    /// Writes the bytes beside path; missing folders are made.
    ostend::status add(const std::filesystem::path& path, std::string_view bytes);
    /// Renames all to their places.
    ostend::status commit();

private:
    struct staged {
        std::filesystem::path beside;
        std::filesystem::path path;
    };
    std::vector<staged> files_;
    std::vector<std::filesystem::path> made_; ///< folders, outermost first
};

/// Writes one file in one step. Missing folders are made.
ostend::status write_file(const std::filesystem::path& path, std::string_view bytes);

/// Could path be written? For programs that compute for long before they write; leaves nothing behind.
ostend::status check_writable(const std::filesystem::path& path);

/// Files of one folder to be written together: all of them, or none.
class output_files {
public:
    explicit output_files(std::filesystem::path folder) : folder_(std::move(folder)) {}
    void add(std::string name, std::string bytes) { files_.emplace_back(std::move(name), std::move(bytes)); }
    ostend::status write() const;

private:
    std::filesystem::path folder_;
    std::vector<std::pair<std::string, std::string>> files_;
};

} // namespace ostend_tools
