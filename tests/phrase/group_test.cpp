#include "ostend/phrase/group.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ostend;
using ostend::index; // <strings.h> has another

matrix<float> numbered(index rows, index columns) {
    matrix<float> m(rows, columns);
    for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) {
            m(r, c) = static_cast<float>(10 * r + (c % 2 == 0 ? c : -c));
        }
    }
    return m;
}
const float nan_value = std::numeric_limits<float>::quiet_NaN();

TEST_CASE("tokens_of: tokens that overlap the words, empty ones strictly inside") {
    const std::vector<text_span> spans = {{0, 2}, {2, 2}, {2, 5}, {5, 5}, {5, 7}, {7, 9}};
    CHECK(tokens_of(spans, {2, 7}) == std::vector<index>{2, 3, 4});
    CHECK(tokens_of(spans, {3, 4}) == std::vector<index>{2});
    CHECK(tokens_of(spans, {1, 3}) == std::vector<index>{0, 1, 2});
    CHECK(tokens_of(spans, {9, 12}).empty());
    CHECK(tokens_of(spans, {3, 3}).empty());
    CHECK(tokens_of({}, {0, 4}).empty());
}

TEST_CASE("tokens_of: agrees with comparing characters, on spans without empty tokens") {
    for (index begin = 0; begin < 8; ++begin) {
        for (index end = begin; end <= 9; ++end) {
            const std::vector<text_span> spans = {{0, 1}, {1, 4}, {3, 6}, {6, 8}};
            std::vector<index> expected;
            for (std::size_t t = 0; t < spans.size(); ++t) {
                if (spans[t].overlaps({begin, end})) {
                    expected.push_back(static_cast<index>(t));
                }
            }
            CHECK(tokens_of(spans, {begin, end}) == expected);
        }
    }
}

TEST_CASE("group_maps: mean, max and first token") {
    const auto maps = numbered(4, 3);
    const std::vector<std::vector<index>> groups = {{1, 2}, {3}, {2, 0}};
    const auto mean = group_maps(maps, groups, token_reduction::mean);
    REQUIRE(mean);
    CHECK(mean->rows() == 3);
    CHECK((*mean)(0, 0) == 15);
    CHECK((*mean)(0, 1) == 14);
    CHECK((*mean)(2, 2) == 12);
    const auto max = group_maps(maps, groups, token_reduction::max);
    CHECK((*max)(0, 1) == 19);
    CHECK((*max)(1, 2) == 32);
    CHECK((*max)(2, 0) == 20);
    const auto first = group_maps(maps, groups, token_reduction::first);
    CHECK((*first)(0, 0) == 10);
    CHECK((*first)(2, 0) == 20);
    // a group of one token is that token's map, whatever the reduction
    for (const auto reduce : {token_reduction::mean, token_reduction::max, token_reduction::first}) {
        const auto one = group_maps(maps, std::vector<std::vector<index>>{{2}}, reduce);
        CHECK(std::equal(one->values().begin(), one->values().end(), maps.row(2).begin()));
    }
    CHECK(group_maps(maps, {})->rows() == 0);
    CHECK(group_maps(matrix<float>(3, 0), std::vector<std::vector<index>>{{1}})->columns() == 0);
}

TEST_CASE("group_maps: the mean of many tokens is summed in f64") {
    matrix<float> maps(100001, 1, 1e-4F);
    maps(0, 0) = 1e4F;
    std::vector<index> all;
    for (index t = 0; t < maps.rows(); ++t) {
        all.push_back(t);
    }
    const double exact = (1e4 + 100000 * static_cast<double>(1e-4F)) / 100001;
    CHECK((*group_maps(maps, std::vector<std::vector<index>>{all}))(0, 0) == static_cast<float>(exact));
}

TEST_CASE("group_maps: a phrase without tokens, a token without a row, values that are not finite") {
    const auto maps = numbered(3, 2);
    const auto none = group_maps(maps, std::vector<std::vector<index>>{{0}, {}});
    REQUIRE(!none);
    CHECK(none.error().at == 1);
    CHECK(none.error().message().find("group 1: no token overlaps it") != std::string::npos);
    const auto rowless = group_maps(maps, std::vector<std::vector<index>>{{0, 3}});
    REQUIRE(!rowless);
    CHECK(rowless.error().at == 0);
    CHECK(rowless.error().what == "token 3 has no map; there are 3");
    CHECK(!group_maps(maps, std::vector<std::vector<index>>{{-1}}));
    for (const float bad :
         {nan_value, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
        auto damaged = maps;
        damaged(2, 1) = bad;
        CHECK(group_maps(damaged, std::vector<std::vector<index>>{{0, 1}})); // not in the group
        const auto refused = group_maps(damaged, std::vector<std::vector<index>>{{0}, {1, 2}});
        REQUIRE(!refused);
        CHECK(refused.error().at == 1);
        CHECK(refused.error().what.find("image token 1") != std::string::npos);
    }
}

TEST_CASE("group_maps: NaN as in the reference when it is asked for, and max never hides it") {
    auto maps = numbered(3, 2);
    for (const index where : {0, 1, 2}) {
        auto damaged = maps;
        damaged(where, 0) = nan_value;
        for (const auto reduce : {token_reduction::mean, token_reduction::max}) {
            const auto out = group_maps(damaged, std::vector<std::vector<index>>{{0, 1, 2}, {}}, reduce,
                                        nan_policy::propagate);
            REQUIRE(out);
            CHECK(std::isnan((*out)(0, 0)));
            CHECK(std::isfinite((*out)(0, 1)));
            CHECK(std::isnan((*out)(1, 0)));
            CHECK(std::isnan((*out)(1, 1)));
        }
    }
}

TEST_CASE("phrase_maps: whole phrase, without its article, root; errors name the phrase") {
    // "a hot dog" as a / hot / dog
    const std::vector<text_span> spans = {{0, 1}, {1, 5}, {5, 9}};
    const std::vector<noun_phrase> phrases = {{"a hot dog", {0, 9}, {2, 9}, {6, 9}}};
    const auto maps = numbered(3, 1);
    const auto value = [&](phrase_words words) {
        return (*phrase_maps(maps, spans, phrases, {.words = words}))(0, 0);
    };
    CHECK(value(phrase_words::whole) == 10);
    CHECK(value(phrase_words::without_article) == 15);
    CHECK(value(phrase_words::root) == 20);
    CHECK((*phrase_maps(maps, spans, phrases))(0, 0) == 15); // the default
    CHECK((*phrase_maps(maps, spans, phrases, {.reduce = token_reduction::first}))(0, 0) == 10);

    const std::vector<noun_phrase> beyond = {phrases[0], {"a cat", {20, 25}, {22, 25}, {22, 25}}};
    const auto none = phrase_maps(maps, spans, beyond);
    REQUIRE(!none);
    CHECK(none.error().message() == "phrase 1 \"a cat\": no token overlaps it (at 1)");
    const auto fewer_rows = phrase_maps(numbered(2, 1), spans, phrases);
    REQUIRE(!fewer_rows);
    CHECK(fewer_rows.error().field == "phrase 0 \"a hot dog\"");
}

} // namespace
