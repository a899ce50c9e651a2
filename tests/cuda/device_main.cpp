// Runs the cases on a GPU; without one it says so, and 77 tells ctest that they were skipped.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

bool ostend_test_has_device(); // device_tests.cu

int main(int argc, char** argv) {
    if (!ostend_test_has_device()) {
        std::puts("skipped: no device");
        return 77;
    }
    return doctest::Context(argc, argv).run();
}
