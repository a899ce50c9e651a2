// The concept segmenter: what models it and what does not.
#include "ostend/host/graph_cut.hpp"
#include "ostend/host/segmenter.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using lists = std::vector<std::vector<mask_candidate>>;

struct plain_segmenter {
    int images = 0; ///< an encoder runs once for all prompts of an image
    result<lists> segment(const image_view&, std::span<const prompt> prompts) {
        ++images;
        return lists(prompts.size(), {mask_candidate{{1, 1, {0, 1}}, 0.75F}});
    }
};
struct one_prompt_segmenter {
    result<std::vector<mask_candidate>> segment(const image_view&, const prompt&);
};
struct bare_segmenter {
    lists segment(const image_view&, std::span<const prompt>);
};
struct changing_segmenter {
    result<lists> segment(const image_view&, std::span<prompt>);
};

static_assert(segmenter<plain_segmenter>);
static_assert(!segmenter<const plain_segmenter>);
static_assert(segmenter<graph_cut_segmenter>);
static_assert(segmenter<const graph_cut_segmenter>);
static_assert(!segmenter<one_prompt_segmenter>);
static_assert(!segmenter<bare_segmenter>);
static_assert(!segmenter<changing_segmenter>);

TEST_CASE("all prompts of an image come at once, each with its candidates") {
    plain_segmenter s;
    const std::vector<prompt> asked(3);
    const auto found = s.segment({}, asked);
    REQUIRE(found);
    CHECK(found->size() == 3);
    CHECK(found->back()[0].score == 0.75F);
    CHECK(s.images == 1);
}

} // namespace
