// JSON in pieces: a file or a text goes through nlohmann's parser without being held in memory as a whole.
#pragma once

#include "ostend/core/result.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_tools {

/// Bytes one after the other, with a digest of all that passed (FNV-1a, 64 bits; against mistakes, not
/// malice).
class json_source {
public:
    /// Opens a file; an error names it.
    static ostend::result<json_source> open(const std::filesystem::path& path);
    /// The text must outlive the source.
    explicit json_source(std::string_view text);

    [[nodiscard]] bool at_end() { return next_ == end_ && !refill(); }
    [[nodiscard]] char front() const { return *next_; }
    void pop() { ++next_; }
    /// Reads what is left, and gives the digest of the whole.
    [[nodiscard]] std::uint64_t digest();
    /// Bytes that were read so far, in whole pieces.
    [[nodiscard]] std::uint64_t passed() const { return passed_; }
    /// Did reading fail on the way? (A file that ends is no failure.)
    [[nodiscard]] bool failed() const { return file_ && std::ferror(file_.get()) != 0; }

private:
    struct closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    bool refill();
    void count(std::string_view bytes);

    std::unique_ptr<std::FILE, closer> file_;
    std::vector<char> buffer_;
    const char* next_ = nullptr;
    const char* end_ = nullptr;
    std::uint64_t passed_ = 0;
    std::uint64_t digest_ = 0xCBF29CE484222325U;
};

/// What nlohmann's parser reads from: an input iterator into a source.
class json_iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = char;

    json_iterator() = default;
    explicit json_iterator(json_source& source) : source_(&source) {}
    char operator*() const { return source_->front(); }
    json_iterator& operator++() { return source_->pop(), *this; }
    void operator++(int) { source_->pop(); }
    friend bool operator==(const json_iterator& a, const json_iterator& b) { return a.done() == b.done(); }
    friend bool operator!=(const json_iterator& a, const json_iterator& b) { return !(a == b); }

private:
    [[nodiscard]] bool done() const { return source_ == nullptr || source_->at_end(); }
    json_source* source_ = nullptr;
};

/// What is wrong with a text that the parser refused, in a sentence: `token` is what it read last.
std::string json_mistake(const std::string& token, const nlohmann::detail::exception& failure);

} // namespace ostend_tools
