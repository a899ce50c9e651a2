#include "ostend/core/config.hpp"

#include "one_definition/sum.hpp"
#include "ostend/core/expects.hpp"

#include <doctest/doctest.h>

#include <string>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

TEST_CASE("the namespace of kernels names instruction set and check level") {
    const std::string name = TEXT(OSTEND_KERNELS);
    CHECK(name.find(OSTEND_CHECKS != 0 ? "_checked" : "_unchecked") != std::string::npos);
    CHECK(name.find('(') == std::string::npos); // every macro in it was expanded
}

TEST_CASE("checked and unchecked units in one program keep their own code") {
    CHECK(one_definition::guarded_in_checked() == "refused");
    CHECK(one_definition::guarded_in_unchecked() == "assumed");
    CHECK(one_definition::name_in_checked() != one_definition::name_in_unchecked());
}
