#include "golden/golden.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>
#include <stdexcept>

namespace ostend_tools {

using ostend::index;

namespace {

const json nothing;

std::string text_of(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

/// A broken precondition of the library as an exception: a damaged case then fails and the others go on.
class precondition_failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};
class throwing_expects {
public:
    throwing_expects()
        : before_(ostend::set_expects_handler([](const std::string& sentence, const ostend::source_place&) {
              throw precondition_failure(sentence);
          })) {}
    ~throwing_expects() { ostend::set_expects_handler(before_); }
    throwing_expects(const throwing_expects&) = delete;
    throwing_expects& operator=(const throwing_expects&) = delete;

private:
    ostend::expects_handler before_;
};

/// A field of a case that should be a string, or something else to call it.
std::string text_field(const json& spec, const char* key, const std::string& otherwise) {
    const auto found = spec.find(key);
    return found != spec.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

/// Why the case fails; empty when it passes.
std::string run_case(const std::filesystem::path& folder, const json& spec, const std::string& name,
                     golden_check check) {
    try {
        golden_case c(folder, spec, name);
        if (c.why().empty()) {
            check(c);
        }
        return c.why();
    } catch (const json::exception& failure) {
        return std::string("a field has another type than expected: ") + failure.what();
    } catch (const std::exception& failure) {
        return failure.what();
    }
}

void flatten(const json& value, std::vector<double>& out) {
    if (value.is_array()) {
        for (const json& item : value) {
            flatten(item, out);
        }
    } else {
        out.push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
    }
}

} // namespace

golden_case::golden_case(std::filesystem::path folder, const json& spec, std::string name)
    : folder_(std::move(folder)), spec_(spec), name_(std::move(name)) {
    const auto tolerance = spec.find("tolerance");
    if (tolerance == spec.end() || !tolerance->is_object()) {
        fail("the case has no tolerance");
    } else if (!tolerance->value("exact", false)) {
        atol_ = tolerance->value("atol", 0.0);
        rtol_ = tolerance->value("rtol", 0.0);
    }
}

bool golden_case::has(const char* part, const char* key) const {
    return spec_.contains(part) && spec_[part].is_object() && spec_[part].contains(key);
}
bool golden_case::has_expected(const char* key) const { return has("expected", key); }

const json& golden_case::value(const char* part, const char* key) {
    if (has(part, key)) {
        return spec_[part][key];
    }
    fail(std::string(part) + "." + key + " is missing");
    return nothing;
}

npy_array golden_case::array(const char* part, const char* key) {
    const json& file = value(part, key);
    if (!file.is_string()) {
        return {};
    }
    return take(read_npy(folder_ / file.get<std::string>()), std::string(part) + "." + key);
}

json golden_case::file_json(const char* key) {
    const json& file = value("params", key);
    if (!file.is_string()) {
        fail(std::string("params.") + key + " is not the name of a file");
        return {};
    }
    return take(read_json(folder_ / file.get<std::string>()), std::string("params.") + key);
}

bool golden_case::close(double ours, double theirs) const {
    if (std::isnan(theirs)) {
        return std::isnan(ours);
    }
    return ours == theirs || std::abs(ours - theirs) <= atol_ + rtol_ * std::abs(theirs);
}

void golden_case::compare(std::span<const float> ours, std::span<const float> theirs,
                          const std::string& what) {
    require(ours.size() == theirs.size(), what + ": " + std::to_string(ours.size()) +
                                              " values, the reference has " + std::to_string(theirs.size()));
    for (std::size_t i = 0; why_.empty() && i < ours.size(); ++i) {
        require(close(double{ours[i]}, double{theirs[i]}),
                what + "[" + std::to_string(i) + "]: " + text_of(double{ours[i]}) + ", the reference has " +
                    text_of(double{theirs[i]}));
    }
}

void golden_case::compare(double ours, double theirs, const std::string& what) {
    require(close(ours, theirs), what + ": " + text_of(ours) + ", the reference has " + text_of(theirs));
}

void golden_case::compare(std::span<const double> ours, const json& theirs, const std::string& what) {
    std::vector<double> values;
    flatten(theirs, values);
    require(ours.size() == values.size(), what + ": " + std::to_string(ours.size()) +
                                              " values, the reference has " + std::to_string(values.size()));
    for (std::size_t i = 0; why_.empty() && i < ours.size(); ++i) {
        compare(ours[i], values[i], what + "[" + std::to_string(i) + "]");
    }
}

void golden_case::compare_bytes(std::span<const std::uint8_t> ours, std::span<const std::uint8_t> theirs,
                                const std::string& what) {
    require(ours.size() == theirs.size(), what + ": another number of pixels");
    for (std::size_t i = 0; why_.empty() && i < ours.size(); ++i) {
        require((ours[i] != 0) == (theirs[i] != 0), what + ": pixel " + std::to_string(i) + " differs");
    }
}

const std::map<std::string, golden_check, std::less<>>& golden_checks() {
    static const std::map<std::string, golden_check, std::less<>> checks{
        {"aggregate", check_aggregate},
        {"qk", check_qk},
        {"groups", check_groups},
        {"upsample", check_upsample},
        {"samcoords", check_samcoords},
        {"maskprompt", check_maskprompt},
        {"rle", check_rle},
        {"rleiou", check_rleiou},
        {"regions", check_regions},
        {"masknms", check_masknms},
        {"poly", check_poly},
        {"stability", check_stability},
        {"sampost", check_sampost},
        {"boundary", check_boundary},
        {"gcg", check_gcg},
        {"pacc", check_pacc},
        {"cocoeval", check_cocoeval},
    };
    return checks;
}

ostend::result<std::vector<golden_outcome>> run_golden(const std::filesystem::path& folder,
                                                       const std::vector<std::string>& only) {
    const auto manifest = read_json(folder / "manifest.json");
    if (!manifest) {
        return manifest.error();
    }
    const auto cases = field(*manifest, "cases");
    if (!cases || !(*cases)->is_array()) {
        return ostend::error{"the manifest has no list of cases", (folder / "manifest.json").string()};
    }
    const throwing_expects guard;
    std::vector<golden_outcome> outcomes;
    std::set<std::string> seen;
    for (const json& spec : **cases) {
        const std::string name =
            text_field(spec, "name", "(case " + std::to_string(&spec - &(**cases)[0]) + ")");
        const std::string category = text_field(spec, "category", name.substr(0, name.find('/')));
        seen.insert(category);
        if (!only.empty() && std::find(only.begin(), only.end(), category) == only.end()) {
            continue;
        }
        const auto check = golden_checks().find(category);
        outcomes.push_back({name, check == golden_checks().end()
                                      ? "the category '" + category + "' is not known"
                                      : run_case(folder, spec, name, check->second)});
    }
    for (const std::string& category : only) {
        if (!seen.contains(category)) {
            outcomes.push_back({category, "the manifest has no such category"});
        }
    }
    return outcomes;
}

} // namespace ostend_tools
