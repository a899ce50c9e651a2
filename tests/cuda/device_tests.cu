// The cases of this folder on a GPU: the same ones that run on the host, and shapes of real models.
#include "cuda/device_machine.cuh"

#include "cuda/aggregate_cases.hpp"
#include "cuda/argmax_cases.hpp"
#include "cuda/engine_cases.hpp"
#include "cuda/from_logits_cases.hpp"
#include "cuda/from_qk_cases.hpp"
#include "cuda/maps_cases.hpp"

bool ostend_test_has_device() { return ostend_test::has_device(); }

namespace ostend_test {

/// More shared memory than any device has.
struct too_large {
    static constexpr int threads = 32;
    struct shared {
        char bytes[1 << 20];
    };
    struct own {};
    OSTEND_DEVICE int phases() const { return 0; }
    OSTEND_DEVICE void run(int, const ostend::thread_place&, shared&, own&) const {}
};

} // namespace ostend_test

namespace {

using namespace ostend_test;

TEST_CASE("device: aggregate") {
    device_machine machine;
    aggregate_cases(machine);
}

TEST_CASE("device: subtract_mean and group_maps") {
    device_machine machine;
    subtract_mean_cases(machine);
    group_maps_cases(machine);
}

TEST_CASE("device: find_peak_of_each") {
    device_machine machine;
    peak_cases(machine);
}

TEST_CASE("device: log_sum_exp and reduce_qk") {
    device_machine machine;
    from_qk_cases<ostend::f16>(machine);
    from_qk_cases<ostend::bf16>(machine);
    std::mt19937 random(27);
    check_qk<ostend::bf16>(machine, random, {64, 32, 32, 2880, 128}, seen::live, true, false);
    check_qk<ostend::f16>(machine, random, {1, 28, 4, 1500, 128}, seen::one_live, true, true);
}

TEST_CASE("device: from_logits") {
    device_machine machine;
    from_logits_cases(machine);
}

TEST_CASE("device: from queries and keys to peaks") {
    device_machine machine;
    engine_cases(machine);
}

TEST_CASE("device: the error of a launch is a value, and does not stay behind") {
    device_machine machine;
    const ostend::status outcome = machine.stream(0).launch(too_large{}, {1});
    REQUIRE(!outcome);
    CHECK(outcome.error().field == "cuda");
    CHECK(cudaGetLastError() == cudaSuccess);
}

} // namespace
