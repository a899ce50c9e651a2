#include "ostend/core/expects.hpp"

#include "support/expects.hpp"

#include <cstring>

namespace {
int evaluated = 0;
std::string sentence() {
    ++evaluated;
    return "expensive sentence";
}
void check(bool condition) { OSTEND_EXPECTS(condition, sentence()); }
} // namespace

TEST_CASE("a sentence is made only when the condition fails") {
    evaluated = 0;
    check(true);
    CHECK(evaluated == 0);
    CHECK_EXPECTS(check(false), "expensive sentence");
    CHECK(evaluated == 1);
}

TEST_CASE("the handler learns file, line and function") {
    static ostend::source_place place;
    const auto before =
        ostend::set_expects_handler([](const std::string&, const ostend::source_place& where) {
            place = where;
            throw 1;
        });
    CHECK_THROWS_AS(check(false), int);
    ostend::set_expects_handler(before);
    CHECK(std::strstr(place.file, "expects_test.cpp") != nullptr);
    CHECK(place.line > 0);
    CHECK(std::string(place.function) == "check");
}

TEST_CASE("setting a handler returns the one before; null restores the default") {
    const auto one = [](const std::string&, const ostend::source_place&) { throw 1; };
    const auto before = ostend::set_expects_handler(one);
    const bool same = ostend::set_expects_handler(nullptr) == static_cast<ostend::expects_handler>(one);
    CHECK(same);
    const bool has_default = ostend::set_expects_handler(before) != nullptr;
    CHECK(has_default);
}
