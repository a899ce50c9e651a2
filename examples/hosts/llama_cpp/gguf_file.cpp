#include "llama_cpp/gguf_file.hpp"

#include <cstring>
#include <filesystem>

namespace ostend_hosts {

ostend::result<gguf_file> gguf_file::read(const std::string& path) {
    const auto fail = [&](const std::string& what) { return ostend::error{what, path}; };
    std::error_code failed;
    const auto size = std::filesystem::file_size(path, failed);
    if (failed) {
        return fail("cannot be read: " + failed.message());
    }
    gguf_file out;
    out.path_ = path;
    ggml_context* tensors = nullptr;
    out.meta_.reset(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = &tensors}));
    out.tensors_.reset(tensors);
    if (!out.meta_ || !out.tensors_) {
        return fail("is no GGUF file, or is cut short in its header");
    }
    const std::size_t data = gguf_get_data_offset(out.meta_.get());
    for (std::int64_t i = 0; i < gguf_get_n_tensors(out.meta_.get()); ++i) {
        const std::size_t end =
            data + gguf_get_tensor_offset(out.meta_.get(), i) + gguf_get_tensor_size(out.meta_.get(), i);
        if (end > size) {
            return ostend::error{"is cut short: it has " + std::to_string(size) + " bytes, its tensor '" +
                                     gguf_get_tensor_name(out.meta_.get(), i) + "' ends at " +
                                     std::to_string(end),
                                 path, size};
        }
    }
    return out;
}

std::optional<std::string> gguf_file::text(const char* key) const {
    const std::int64_t id = gguf_find_key(meta_.get(), key);
    if (id < 0 || gguf_get_kv_type(meta_.get(), id) != GGUF_TYPE_STRING) {
        return std::nullopt;
    }
    return gguf_get_val_str(meta_.get(), id);
}

std::optional<std::uint32_t> gguf_file::number(const char* key) const {
    const std::int64_t id = gguf_find_key(meta_.get(), key);
    if (id < 0 || gguf_get_kv_type(meta_.get(), id) != GGUF_TYPE_UINT32) {
        return std::nullopt;
    }
    return gguf_get_val_u32(meta_.get(), id);
}

std::optional<std::array<float, 3>> gguf_file::three(const char* key) const {
    const std::int64_t id = gguf_find_key(meta_.get(), key);
    if (id < 0 || gguf_get_kv_type(meta_.get(), id) != GGUF_TYPE_ARRAY ||
        gguf_get_arr_type(meta_.get(), id) != GGUF_TYPE_FLOAT32 || gguf_get_arr_n(meta_.get(), id) != 3) {
        return std::nullopt;
    }
    std::array<float, 3> out{};
    std::memcpy(out.data(), gguf_get_arr_data(meta_.get(), id), sizeof(out));
    return out;
}

} // namespace ostend_hosts
