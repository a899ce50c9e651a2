#include "ostend/tensor/matrix.hpp"

#include "support/expects.hpp"

using ostend::as_view;
using ostend::matrix;

TEST_CASE("rows, elements and views see the same values") {
    matrix<float> m(2, 3, 1.0F);
    m(1, 2) = 5;
    m.row(0)[1] = 4;
    CHECK(m.view()(1, 2) == 5);
    CHECK(as_view(std::as_const(m))(0, 1) == 4);
    CHECK(m.values().size() == 6);
    as_view(m)(0, 0) = 9;
    CHECK(m(0, 0) == 9);
    CHECK(m.rows() == 2);
    CHECK(m.columns() == 3);
}

TEST_CASE("empty matrices keep their shape") {
    const matrix<float> none;
    CHECK(none.empty());
    const matrix<float> rows(3, 0);
    CHECK(rows.empty());
    CHECK(rows.rows() == 3);
    CHECK(rows.row(2).empty());
    CHECK(rows.view().extent(0) == 3);
    CHECK(matrix<int>(0, 5).view().extent(1) == 5);
}

TEST_CASE("equality compares shape and values") {
    CHECK(matrix<int>(2, 3, 1) == matrix<int>(2, 3, 1));
    CHECK(matrix<int>(2, 3, 1) != matrix<int>(3, 2, 1));
    CHECK(matrix<int>(2, 3, 1) != matrix<int>(2, 3, 2));
}

TEST_CASE("misuse is a sentence") {
    matrix<float> m(2, 3);
    CHECK_EXPECTS(m.row(2), "row 2 of 2");
    CHECK_EXPECTS(m.row(-1), "row -1 of 2");
    CHECK_EXPECTS(matrix<float>(-1, 3), "negative");
}
