#include "io/files.hpp"

#include <fstream>
#include <system_error>

#include <unistd.h>

namespace ostend_tools {

namespace fs = std::filesystem;

ostend::result<std::string> read_file(const fs::path& path, std::uintmax_t max_bytes) {
    std::error_code failure;
    const auto kind = fs::status(path, failure).type();
    if (kind == fs::file_type::not_found) {
        return ostend::error{"there is no such file", path.string()};
    }
    if (kind == fs::file_type::directory) {
        return ostend::error{"this is a folder, not a file", path.string()};
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return ostend::error{"the file cannot be opened", path.string()};
    }
    std::string bytes;
    char block[1U << 16U];
    while (in.read(block, sizeof block) || in.gcount() > 0) {
        bytes.append(block, static_cast<std::size_t>(in.gcount()));
        if (bytes.size() > max_bytes) {
            return ostend::error{"the file is larger than " + std::to_string(max_bytes) + " bytes",
                                 path.string()};
        }
    }
    if (in.bad()) {
        return ostend::error{"reading failed", path.string(), bytes.size()};
    }
    return bytes;
}

staged_files::~staged_files() {
    std::error_code ignored;
    for (const staged& file : files_) {
        fs::remove(file.beside, ignored);
    }
    for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) {
        fs::remove(*folder, ignored); // only if it is empty
    }
}

ostend::status staged_files::add(const fs::path& path, std::string_view bytes) {
    std::error_code failure;
    if (fs::is_directory(path, failure)) {
        return ostend::error{"a folder is in the place of the file", path.string()};
    }
    std::vector<fs::path> missing; // innermost first
    for (fs::path folder = path.parent_path(); !folder.empty() && !fs::exists(folder, failure);
         folder = folder.parent_path()) {
        missing.push_back(folder);
    }
    for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
        if (!fs::create_directory(*folder, failure) && failure) {
            return ostend::error{"the folder cannot be made: " + failure.message(), path.string()};
        }
        made_.push_back(*folder);
    }
    const fs::path beside = path.string() + ".part" + std::to_string(::getpid());
    files_.push_back({beside, path});
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) {
        return ostend::error{"the file cannot be written", path.string()};
    }
    return ostend::success{};
}

ostend::status staged_files::commit() {
    for (const staged& file : files_) {
        std::error_code failure;
        fs::rename(file.beside, file.path, failure);
        if (failure) {
            return ostend::error{"the file cannot be replaced: " + failure.message(), file.path.string()};
        }
    }
    files_.clear();
    made_.clear();
    return ostend::success{};
}

ostend::status write_file(const fs::path& path, std::string_view bytes) {
    staged_files files;
    if (auto added = files.add(path, bytes); !added) {
        return added;
    }
    return files.commit();
}

ostend::status check_writable(const fs::path& path) { return staged_files().add(path, ""); }

ostend::status output_files::write() const {
    staged_files files;
    for (const auto& [name, bytes] : files_) {
        if (auto added = files.add(folder_ / name, bytes); !added) {
            return added;
        }
    }
    return files.commit();
}

} // namespace ostend_tools
