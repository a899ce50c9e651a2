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

ostend::status write_file(const fs::path& path, std::string_view bytes) {
    std::error_code failure;
    if (path.has_parent_path()) {
        fs::create_directories(path.parent_path(), failure);
    }
    if (failure) {
        return ostend::error{"the folder cannot be made: " + failure.message(), path.string()};
    }
    const fs::path beside = path.string() + ".part" + std::to_string(::getpid());
    {
        std::ofstream out(beside, std::ios::binary | std::ios::trunc);
        out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        out.close();
        if (!out) {
            fs::remove(beside, failure);
            return ostend::error{"the file cannot be written", path.string()};
        }
    }
    fs::rename(beside, path, failure);
    if (failure) {
        const std::string why = failure.message();
        fs::remove(beside, failure);
        return ostend::error{"the file cannot be replaced: " + why, path.string()};
    }
    return ostend::success{};
}

ostend::status output_files::write() const {
    for (const auto& [name, bytes] : files_) {
        if (auto written = write_file(folder_ / name, bytes); !written) {
            return written;
        }
    }
    return ostend::success{};
}

} // namespace ostend_tools
