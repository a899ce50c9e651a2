// safetensors: named tensors in one file. Eight bytes give the length of a JSON header, which gives each
// tensor's type, shape and place in the bytes that follow, and pairs of strings about the whole.
//
// The whole file is read at once and each tensor is widened to f32 when asked for: plain, and fast enough for
// models of some megabytes (a big model would be mapped). The file is untrusted: every number in the header
// is checked before it is used, so a truncated or lying file is an error that names the file and the tensor.
#pragma once

#include "ostend/core/element.hpp"
#include "ostend/core/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_hosts {

/// The bytes of a file, or an error that names it.
[[nodiscard]] ostend::result<std::string> read_file(const std::filesystem::path& path);

class safetensors {
public:
    struct entry {
        ostend::element_type type = ostend::element_type::f32;
        std::vector<ostend::index> shape = {};
        std::size_t begin = 0; ///< in bytes, from the end of the header
        std::size_t end = 0;
    };

    /// Reads and checks a file. O(bytes).
    [[nodiscard]] static ostend::result<safetensors> read(const std::filesystem::path& path);
    /// Checks the bytes of a file; errors call it by this name.
    [[nodiscard]] static ostend::result<safetensors> parse(std::string bytes, std::string name);

    /// The values of a tensor of F16, BF16, F32 or F64, row-major, widened to f32.
    /// Errors: no such tensor, another shape than wanted, whole numbers.
    [[nodiscard]] ostend::result<std::vector<float>> values(const std::string& name,
                                                            const std::vector<ostend::index>& shape) const;
    /// The bytes of a tensor as they lie in the file, little-endian and row-major.
    [[nodiscard]] std::string_view bytes(const entry& of) const {
        return std::string_view(bytes_).substr(data_ + of.begin, of.end - of.begin);
    }

    [[nodiscard]] const std::map<std::string, entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }
    [[nodiscard]] const std::string& file() const noexcept { return file_; }

private:
    std::string file_;
    std::string bytes_;
    std::size_t data_ = 0; ///< where the tensors' bytes begin
    std::map<std::string, entry> entries_;
    std::map<std::string, std::string> metadata_;
};

} // namespace ostend_hosts
