#include "parallel/ranks.hpp"

#include <cstdlib>

namespace ostend_tools {

int ranks_of_launcher() {
    // Open MPI; MPICH and its relatives; Slurm's srun sets its own for every job step, so it is not asked.
    for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
        if (const char* text = std::getenv(variable)) {
            return std::atoi(text);
        }
    }
    return 0;
}

} // namespace ostend_tools
