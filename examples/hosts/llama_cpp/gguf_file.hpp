// gguf_file: what a GGUF file says of itself, read before llama.cpp is asked to load it, so that a wrong or
// cut file is an error that names the file and the field, and not a line in a log.
#pragma once

#include "ostend/core/result.hpp"

#include <ggml.h>
#include <gguf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace ostend_hosts {

class gguf_file {
public:
    /// Errors: no GGUF file, or one that ends before its tensors do. Tensors are not read.
    [[nodiscard]] static ostend::result<gguf_file> read(const std::string& path);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// "llama", "clip", ...; empty where the file does not say.
    [[nodiscard]] std::string architecture() const { return text("general.architecture").value_or(""); }
    [[nodiscard]] std::optional<std::string> text(const char* key) const;
    [[nodiscard]] std::optional<std::uint32_t> number(const char* key) const;
    [[nodiscard]] std::optional<std::array<float, 3>> three(const char* key) const;
    [[nodiscard]] bool has(const char* key) const { return gguf_find_key(meta_.get(), key) >= 0; }
    /// Null where there is none of that name; its data are not there.
    [[nodiscard]] const ggml_tensor* tensor(const char* name) const {
        return ggml_get_tensor(tensors_.get(), name);
    }

private:
    struct free_meta {
        void operator()(gguf_context* c) const { gguf_free(c); }
    };
    struct free_tensors {
        void operator()(ggml_context* c) const { ggml_free(c); }
    };
    std::string path_;
    std::unique_ptr<gguf_context, free_meta> meta_;
    std::unique_ptr<ggml_context, free_tensors> tensors_;
};

} // namespace ostend_hosts
