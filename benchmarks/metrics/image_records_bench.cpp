// Times of metrics/image_records.hpp, 10,000 names in no order with a record of three numbers each: adding
// them and reading them in the order of the names; and the union of two halves.
#include "cases.hpp"
#include "ostend/metrics/image_records.hpp"

#include "ostend/metrics/mask_pair.hpp"

#include <cstdlib>
#include <vector>

namespace {

using records = ostend::image_records<ostend::pair_counts>;

constexpr std::size_t count = 10000;

const std::vector<std::string>& names() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> made;
        for (std::size_t i = 0; i < count; ++i) {
            made.push_back("COCO_val2014_" + std::to_string(100000000 + i * 7919 % count));
        }
        return made;
    }();
    return all;
}

records gather(std::size_t first, std::size_t last) {
    records out;
    for (std::size_t i = first; i < last; ++i) {
        if (!out.add(names()[i], {i, i + 1, i + 2})) {
            std::abort();
        }
    }
    return out;
}

/// Depends on the order.
double reduce(const records& all) {
    double sum = 0;
    for (const auto& [name, counts] : all) {
        sum = sum / 2 + static_cast<double>(counts.common);
    }
    return sum;
}

} // namespace

int main(int argc, char** argv) {
    ostend_bench::add("records.add.10000", [] { return reduce(gather(0, count)); });
    ostend_bench::add("records.merge.2x5000", [] {
        static const records left = gather(0, count / 2);
        static const records right = gather(count / 2, count);
        records all = left;
        if (!all.merge(right)) {
            std::abort();
        }
        return reduce(all);
    });
    return run_benchmarks(argc, argv);
}
