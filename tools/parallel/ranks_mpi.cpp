// Of a build with MPI.
#include "ostend/adapt/mpi.hpp"
#include "parallel/ranks.hpp"

namespace ostend_tools {

namespace {

/// The ranks of MPI_COMM_WORLD. MPI's default stays: an error of MPI itself ends the job.
class mpi_ranks final : public ranks {
public:
    mpi_ranks() { MPI_Init(nullptr, nullptr); }
    ~mpi_ranks() override { MPI_Finalize(); }
    [[nodiscard]] int rank() const override { return ostend::mpi_rank(); }
    [[nodiscard]] int size() const override { return ostend::mpi_size(); }
    [[nodiscard]] ostend::status agree(const ostend::status& mine) override {
        return size() == 1 ? mine : ostend::mpi_agree(mine);
    }
    [[nodiscard]] ostend::result<std::vector<std::string>> gather(const std::string& mine) override {
        return ostend::mpi_gather_bytes(mine);
    }
};

} // namespace

ostend::result<std::unique_ptr<ranks>> join_ranks() {
    if (ranks_of_launcher() > 0) {
        return std::unique_ptr<ranks>(std::make_unique<mpi_ranks>());
    }
    return std::unique_ptr<ranks>(std::make_unique<alone>()); // MPI is not started: it takes a while
}

} // namespace ostend_tools
