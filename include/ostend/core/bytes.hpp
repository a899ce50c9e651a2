// bytes: numbers as little-endian bytes and back, for the saved state of accumulators.
//
// Reading trusts nothing: every read is checked against what is left, and lists ask for the room of their
// elements before memory is taken. A checksum at the end finds damage (FNV-1a, 64 bits; against mistakes, not
// malice).
#pragma once

#include "ostend/core/result.hpp"

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ostend::inline v0 {

[[nodiscard]] inline std::uint64_t fnv1a(std::string_view bytes) {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char c : bytes) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    }
    return hash;
}

class byte_writer {
public:
    template <std::integral T>
    void put(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            bytes_.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xFFU));
        }
    }
    void put(double value) { put(std::bit_cast<std::uint64_t>(value)); }
    void put(std::string_view text) {
        put(static_cast<std::uint64_t>(text.size()));
        bytes_.append(text);
    }
    /// The bytes with the checksum of all before it.
    [[nodiscard]] std::string finish() && {
        put(fnv1a(bytes_));
        return std::move(bytes_);
    }

private:
    std::string bytes_;
};

/// Reads what a byte_writer wrote. A read that fails gives zero and leaves failed() true for good.
class byte_reader {
public:
    explicit byte_reader(std::string_view bytes) : bytes_(bytes) {
        if (bytes_.size() < sizeof(std::uint64_t)) {
            fail("the bytes end too early");
            return;
        }
        const std::string_view sum = bytes_.substr(bytes_.size() - sizeof(std::uint64_t));
        bytes_.remove_suffix(sizeof(std::uint64_t));
        std::uint64_t stored = 0;
        for (std::size_t i = 0; i < sum.size(); ++i) {
            stored |= std::uint64_t{static_cast<unsigned char>(sum[i])} << (8 * i);
        }
        if (stored != fnv1a(bytes_)) {
            fail("the bytes are damaged: their checksum is another");
        }
    }

    template <std::integral T>
    [[nodiscard]] T get() {
        if (!room(sizeof(T))) {
            return T{};
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            value |= std::uint64_t{static_cast<unsigned char>(bytes_[at_ + i])} << (8 * i);
        }
        at_ += sizeof(T);
        return static_cast<T>(value);
    }
    [[nodiscard]] double get_double() { return std::bit_cast<double>(get<std::uint64_t>()); }
    [[nodiscard]] std::string get_text() {
        const std::uint64_t size = get_count(1);
        at_ += size;
        return std::string(bytes_.substr(at_ - size, size));
    }
    /// A number of elements of at least `each` bytes, for which there is room.
    [[nodiscard]] std::uint64_t get_count(std::size_t each) {
        const auto count = get<std::uint64_t>();
        if (!failed() && count > (bytes_.size() - at_) / each) {
            fail("a list of " + std::to_string(count) + " elements goes beyond the bytes");
        }
        return failed() ? 0 : count;
    }
    /// Nothing may be left over.
    void expect_end() {
        if (!failed() && at_ != bytes_.size()) {
            fail(std::to_string(bytes_.size() - at_) + " bytes are left over");
        }
    }
    /// The first failure stays.
    void fail(const std::string& what) {
        if (what_.empty()) {
            what_ = what;
        }
    }
    [[nodiscard]] bool failed() const { return !what_.empty(); }
    [[nodiscard]] error failure() const { return {what_, "", at_}; }

private:
    [[nodiscard]] bool room(std::size_t bytes) {
        if (!failed() && bytes > bytes_.size() - at_) {
            fail("the bytes end too early");
        }
        return !failed();
    }
    std::string_view bytes_;
    std::size_t at_ = 0;
    std::string what_;
};

} // namespace ostend::inline v0
