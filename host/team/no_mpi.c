/* Built without MPI. */
#include "team/launcher.h"

clt_status clt_mpi_open(const clt_collective **collective, clt_error *error)
{
    *collective = NULL;
    if (clt__launched() <= 1) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT,
                "a launcher has started %d processes, and this cltrain was built without MPI (CMake: CLTRAIN_MPI)",
                clt__launched());
}

void clt_mpi_set_timeout(const clt_collective *collective, double seconds)
{
    (void)collective;
    (void)seconds;
}

void clt_mpi_close(const clt_collective *collective, int exit_code)
{
    (void)collective;
    (void)exit_code;
}
