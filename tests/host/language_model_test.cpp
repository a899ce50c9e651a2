// The concept language_model: what models it, what does not, and what a request says by default.
#include "ostend/host/language_model.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;

struct plain_host {
    result<generation> generate(const image_view&, const generate_request&) {
        return error{"says nothing", "plain_host"};
    }
};
struct const_host { // by value, and const: as good
    result<generation> generate(image_view, generate_request) const { return error{"says nothing"}; }
};
struct throwing_host {
    generation generate(const image_view&, const generate_request&);
};
struct nameless_host {
    result<generation> answer(const image_view&, const generate_request&);
};
struct text_host {
    result<generation> generate(const std::string&, const generate_request&);
};
struct greedy_host { // wants to change the request
    result<generation> generate(const image_view&, generate_request&);
};

static_assert(language_model<plain_host>);
static_assert(language_model<const_host>);
static_assert(language_model<const const_host>);
static_assert(!language_model<const plain_host>);
static_assert(!language_model<throwing_host>);
static_assert(!language_model<nameless_host>);
static_assert(!language_model<text_host>);
static_assert(!language_model<greedy_host>);
static_assert(!language_model<int>);

TEST_CASE("a request records, generates, and leaves the model's numbers to the host") {
    const generate_request request;
    CHECK(request.prompt.empty());
    CHECK(!request.text);
    CHECK(request.max_tokens == 64);
    CHECK(request.record);
    CHECK(request.recording.layers == 0);
    CHECK(request.recording.heads == 0);
    CHECK(request.recording.image.size() == 0);
    CHECK(request.recording.mode == recording::online);
}

TEST_CASE("a generation is made of tokens, a recorder and a layout") {
    generation said{.tokens = {{.id = 3, .bytes = "dog"}},
                    .attention = recorder({.layers = 1, .heads = 1, .image = key_selection(0, 2)}),
                    .grid = {}};
    const std::vector<float> row{0.25F, 0.5F};
    said.attention.add({}, tensor_view<const float, 2>(row.data(), {1, 2}));
    const auto maps = said.attention.maps();
    REQUIRE(maps);
    CHECK(maps->rows() == 1);
    CHECK(maps->row(0)[1] == 0.5F);
    CHECK(plain_host{}.generate({}, {}).error().message() == "plain_host: says nothing");
}

} // namespace
