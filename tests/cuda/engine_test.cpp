// The flow of docs/cuda.md, run on the host.
#include "cuda/engine_cases.hpp"

namespace {

TEST_CASE("from queries and keys to peaks on one stream, with one workspace") {
    ostend_test::host_machine machine;
    ostend_test::engine_cases(machine);
}

} // namespace
