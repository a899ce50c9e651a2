// Whole files: read with a bound, written beside and renamed, so that a reader never meets half of one.
#pragma once

#include "ostend/core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_tools {

/// The bytes of a file, or an error that names it. Refuses directories and files over max_bytes.
ostend::result<std::string> read_file(const std::filesystem::path& path,
                                      std::uintmax_t max_bytes = 1U << 30U);

/// Writes path in one step: a temporary file beside it, then a rename. Missing folders are made.
ostend::status write_file(const std::filesystem::path& path, std::string_view bytes);

/// Files to be written together: nothing is written before all of them are complete in memory.
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
