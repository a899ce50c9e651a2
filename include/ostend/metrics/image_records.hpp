// image_records: what every metric accumulates: one record an image, found by its name.
//
// Sums of floating-point numbers depend on their order, so nothing is summed while images arrive. Records
// are kept and reduced in the order of their names: work split over threads, ranks or runs in any way gives
// the same bits. The price is memory in proportion to the images; a record holds a few numbers, no masks.
// The name is a string or, where the order of numbers matters (COCO's image ids), an integer.
// Const access is safe to share between threads; add and merge are not.
#pragma once

#include "ostend/core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace ostend::inline v0 {

/// An image as messages call it.
[[nodiscard]] inline std::string image_name(const std::string& image) { return image; }
[[nodiscard]] inline std::string image_name(std::int64_t image) { return "image " + std::to_string(image); }

template <class Record, class Name = std::string>
class image_records {
public:
    /// An image that is already there is an error: it would be counted twice. O(log images).
    [[nodiscard]] status add(Name image, Record record) {
        const auto [where, is_new] = records_.try_emplace(std::move(image), std::move(record));
        if (!is_new) {
            return error{"this image was added before", image_name(where->first)};
        }
        return success{};
    }

    /// Takes over the records of another part of the images. An image in both is an error, and then nothing
    /// has changed. O(images).
    [[nodiscard]] status merge(const image_records& other) {
        for (const auto& [image, record] : other.records_) {
            if (records_.count(image) != 0) {
                return error{"this image is in both parts", image_name(image)};
            }
        }
        records_.insert(other.records_.begin(), other.records_.end());
        return success{};
    }

    [[nodiscard]] bool contains(const Name& image) const { return records_.count(image) != 0; }
    /// The record of an image, or null. O(log images).
    [[nodiscard]] const Record* find(const Name& image) const {
        const auto found = records_.find(image);
        return found == records_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
    /// Pairs of name and record, in the order of the names (strings by bytes).
    [[nodiscard]] auto begin() const noexcept { return records_.begin(); }
    [[nodiscard]] auto end() const noexcept { return records_.end(); }

private:
    std::map<Name, Record> records_;
};

} // namespace ostend::inline v0
