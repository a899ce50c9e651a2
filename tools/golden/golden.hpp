// Golden cases: outputs of reference programs in a folder with a manifest.json, and our answer to each.
#pragma once

#include "io/json.hpp"
#include "io/npy.hpp"
#include "ostend/core/result.hpp"
#include "ostend/tensor/matrix.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ostend_tools {

/// One case of the manifest. The readers remember the first thing that is missing or wrong; checks are then
/// skipped and the case fails with that sentence.
class golden_case {
public:
    golden_case(std::filesystem::path folder, const json& spec, std::string name);

    [[nodiscard]] const std::string& name() const { return name_; }
    /// Empty while nothing failed.
    [[nodiscard]] const std::string& why() const { return why_; }

    npy_array input(const char* key) { return array("inputs", key); }
    npy_array expected(const char* key) { return array("expected", key); }
    /// The JSON file that a field of params names.
    json file_json(const char* key);
    [[nodiscard]] bool has_expected(const char* key) const;
    /// A field of params or expected_values; null when it is missing (which fails the case).
    const json& param(const char* key) { return value("params", key); }
    const json& expected_value(const char* key) { return value("expected_values", key); }
    [[nodiscard]] bool has(const char* part, const char* key) const;

    template <class T>
    T param(const char* key, T otherwise) {
        return has("params", key) ? param(key).get<T>() : otherwise;
    }

    void fail(const std::string& why) {
        if (why_.empty()) {
            why_ = why;
        }
    }
    /// Fails with `what` unless the condition holds.
    void require(bool condition, const std::string& what) {
        if (!condition) {
            fail(what);
        }
    }
    /// Unwraps a result, or fails with its error and gives `otherwise`.
    template <class T>
    T take(ostend::result<T> r, const std::string& what, T otherwise = {}) {
        if (r) {
            return *std::move(r);
        }
        fail(what + ": " + r.error().message());
        return otherwise;
    }

    /// |ours - theirs| <= atol + rtol |theirs| for each value, NaN only where they have NaN.
    void compare(std::span<const float> ours, std::span<const float> theirs, const std::string& what);
    void compare(double ours, double theirs, const std::string& what);
    /// A nested array of numbers (null is NaN) against ours in C order.
    void compare(std::span<const double> ours, const json& theirs, const std::string& what);
    void compare_bytes(std::span<const std::uint8_t> ours, std::span<const std::uint8_t> theirs,
                       const std::string& what);

private:
    npy_array array(const char* part, const char* key);
    const json& value(const char* part, const char* key);
    [[nodiscard]] bool close(double ours, double theirs) const;

    std::filesystem::path folder_;
    const json& spec_;
    std::string name_;
    std::string why_;
    double atol_ = 0;
    double rtol_ = 0;
};

using golden_check = void (*)(golden_case&);

/// The categories that are known, each with its check.
const std::map<std::string, golden_check, std::less<>>& golden_checks();

struct golden_outcome {
    std::string name;
    std::string why; ///< empty: passed
};

/// Runs the cases of folder/manifest.json whose category is in `only` (empty: all). A category that is not
/// known fails; so does an `only` entry without cases.
ostend::result<std::vector<golden_outcome>> run_golden(const std::filesystem::path& folder,
                                                       const std::vector<std::string>& only);

void check_aggregate(golden_case&);
void check_qk(golden_case&);
void check_groups(golden_case&);
void check_upsample(golden_case&);
void check_samcoords(golden_case&);
void check_maskprompt(golden_case&);
void check_rle(golden_case&);
void check_rleiou(golden_case&);
void check_regions(golden_case&);
void check_masknms(golden_case&);
void check_poly(golden_case&);
void check_stability(golden_case&);
void check_sampost(golden_case&);
void check_boundary(golden_case&);
void check_gcg(golden_case&);
void check_pacc(golden_case&);
void check_cocoeval(golden_case&);

} // namespace ostend_tools
