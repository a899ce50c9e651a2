// coco_listener: the events of a JSON parser become COCO's records, one at a time; every error names its
// record.
//
// Fields that nothing needs are passed over, whatever they hold, and null counts as absent. Whole numbers may
// be written as floats (42.0), as Python's tools do. Memory is what the records take.
#pragma once

#include "coco/coco_data.hpp"
#include "io/json.hpp"
#include "ostend/core/result.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ostend_tools {

enum class masks_wanted {
    always,
    unless_boxes, ///< of results: not when the first one has a box
    never
};

struct coco_read_options {
    masks_wanted masks = masks_wanted::always;   ///< segmentations that are not wanted are passed over
    std::function<bool(std::int64_t)> keep = {}; ///< which images' objects are kept; all by default
};

class coco_listener final : public nlohmann::json_sax<json> {
public:
    coco_listener(coco_truth_file& truth, const coco_read_options& options)
        : truth_(&truth), options_(options) {}
    coco_listener(coco_result_file& results, const coco_read_options& options)
        : results_(&results), options_(options) {}

    /// Why parsing stopped, and where.
    [[nodiscard]] const ostend::error& failure() const { return failure_; }
    /// It stopped because the text is not JSON; `at` is the number of bytes that the parser had asked for.
    [[nodiscard]] bool is_mistake_of_json() const { return mistake_of_json_; }
    /// After the end: are the lists there that have to be?
    [[nodiscard]] ostend::status complete() const;

    bool null() override;
    bool boolean(bool yes) override;
    bool number_integer(number_integer_t number) override;
    bool number_unsigned(number_unsigned_t number) override;
    bool number_float(number_float_t number, const string_t&) override;
    bool string(string_t& text) override;
    bool binary(binary_t&) override { return fail("binary data"); }
    bool start_object(std::size_t) override { return start(true); }
    bool key(string_t& name) override;
    bool end_object() override { return end(); }
    bool start_array(std::size_t) override { return start(false); }
    bool end_array() override { return end(); }
    bool parse_error(std::size_t position, const std::string& token,
                     const nlohmann::detail::exception& why) override;

private:
    enum class section : unsigned char { none, images, categories, annotations, results };
    enum class member : unsigned char {
        none,
        id,
        image_id,
        category_id,
        height,
        width,
        file_name,
        name,
        supercategory,
        score,
        area,
        iscrowd,
        ignore,
        bbox,
        segmentation
    };
    /// Where the parser is; each but `nothing` and `file` is inside one before it.
    enum class place : unsigned char { nothing, file, list, record, box, rings, ring, runs, size, counts };
    struct known_member;

    bool number(double value, std::optional<std::int64_t> whole);
    bool member_number(double value, std::optional<std::int64_t> whole);
    bool start(bool object);
    bool enter(place where);
    bool end();
    bool fail(const std::string& what, std::optional<std::size_t> at = {});
    bool fail_expected();
    [[nodiscard]] std::string path() const;
    [[nodiscard]] place where() const { return places_.empty() ? place::nothing : places_.back(); }
    [[nodiscard]] bool wants_masks() const;
    [[nodiscard]] bool has(member m) const { return (present_ & (1U << static_cast<unsigned>(m))) != 0; }
    bool require(member m, const char* name);
    bool finish_record();
    bool finish_runs();

    coco_truth_file* truth_ = nullptr;
    coco_result_file* results_ = nullptr;
    coco_read_options options_;
    ostend::error failure_;
    bool mistake_of_json_ = false;

    std::vector<place> places_ = {};
    std::size_t skipped_ = 0; ///< levels of a value that is passed over
    section section_ = section::none;
    std::string section_name_ = {};
    unsigned seen_sections_ = 0;
    std::size_t record_ = 0;
    std::string key_ = {};
    member member_ = member::none;
    unsigned seen_ = 0;    ///< a bit a member of the open record
    unsigned present_ = 0; ///< those that are not null
    std::size_t at_ = 0;   ///< position in the innermost list

    coco_image image_ = {};
    coco_category category_ = {};
    coco_object object_ = {};
    coco_polygons rings_ = {};
    std::array<double, 4> box_ = {};
    std::string runs_key_ = {};
    std::vector<std::int64_t> size_ = {};
    std::optional<std::string> counts_text_ = {};
    std::optional<std::vector<std::uint32_t>> counts_list_ = {};
};

} // namespace ostend_tools
