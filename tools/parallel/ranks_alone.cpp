// Of a build without MPI.
#include "parallel/ranks.hpp"

namespace ostend_tools {

ostend::result<std::unique_ptr<ranks>> join_ranks() {
    if (ranks_of_launcher() > 1) {
        return ostend::error{"started as one of " + std::to_string(ranks_of_launcher()) +
                             " ranks, but built without MPI (install libopenmpi-dev and build again)"};
    }
    return std::unique_ptr<ranks>(std::make_unique<alone>());
}

} // namespace ostend_tools
