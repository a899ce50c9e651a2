// ranks: the processes that share one job under mpirun, or the one process that has it alone.
//
// A program is written for any number of ranks: each does its part, `agree` after each step that can fail,
// and gather. A rank that fails makes all of them fail; none goes on with less. Built without MPI, the same
// program runs alone.
#pragma once

#include "ostend/core/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ostend_tools {

class ranks {
public:
    ranks() = default;
    ranks(const ranks&) = delete;
    ranks& operator=(const ranks&) = delete;
    virtual ~ranks() = default;

    [[nodiscard]] virtual int rank() const = 0;
    [[nodiscard]] virtual int size() const = 0;
    [[nodiscard]] bool first() const { return rank() == 0; }

    /// All ranks must call this. All get success, or the failure of the lowest rank that has one.
    [[nodiscard]] virtual ostend::status agree(const ostend::status& mine) = 0;
    /// All ranks must call this. Rank 0 gets everyone's bytes in the order of ranks, the others nothing.
    [[nodiscard]] virtual ostend::result<std::vector<std::string>> gather(const std::string& mine) = 0;
};

/// Joins the ranks that mpirun started, or is alone. An error: started by mpirun, but built without MPI.
[[nodiscard]] ostend::result<std::unique_ptr<ranks>> join_ranks();

/// Was this process started by mpirun, and as one of how many? 0: it was not.
[[nodiscard]] int ranks_of_launcher();

/// The one process there is.
class alone final : public ranks {
public:
    [[nodiscard]] int rank() const override { return 0; }
    [[nodiscard]] int size() const override { return 1; }
    [[nodiscard]] ostend::status agree(const ostend::status& mine) override { return mine; }
    [[nodiscard]] ostend::result<std::vector<std::string>> gather(const std::string& mine) override {
        return std::vector<std::string>{mine};
    }
};

} // namespace ostend_tools
