#include "coco/json_stream.hpp"

#include <cerrno>
#include <cstring>

namespace ostend_tools {

ostend::result<json_source> json_source::open(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        return ostend::error{"this is a folder", path.string()};
    }
    json_source source{std::string_view{}};
    source.file_.reset(std::fopen(path.c_str(), "rb"));
    if (!source.file_) {
        return ostend::error{std::string("cannot be opened: ") + std::strerror(errno), path.string()};
    }
    source.buffer_.resize(std::size_t{1} << 16U);
    return source;
}

json_source::json_source(std::string_view text) : next_(text.data()), end_(text.data() + text.size()) {
    count(text);
}

bool json_source::refill() {
    if (!file_) {
        return false;
    }
    const std::size_t got = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    next_ = buffer_.data();
    end_ = next_ + got;
    count({next_, got});
    return got > 0;
}

void json_source::count(std::string_view bytes) {
    passed_ += bytes.size();
    for (const char c : bytes) {
        digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    }
}

std::uint64_t json_source::digest() {
    next_ = end_;
    while (refill()) {
        next_ = end_;
    }
    return digest_;
}

std::string json_mistake(const std::string& token, const nlohmann::detail::exception& failure) {
    if (failure.id == 406) {
        return "a number beyond the range of double precision";
    }
    if (!token.empty() && (token.back() == 'N' || token.back() == 'I')) {
        return "this is not JSON, which has no NaN and no Infinity";
    }
    return "this is not JSON";
}

} // namespace ostend_tools
