#include "team/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number from 0 on that the environment has under one of these names, the last of which is NULL; -1 without one. */
static int number_in(const char *const *names)
{
    for (; *names; names++) {
        const char *text = getenv(*names);
        char *end;
        if (!text || !*text) continue;
        const long number = strtol(text, &end, 10);
        if (!*end && number >= 0 && number <= 1 << 24) return (int)number;
    }
    return -1;
}

int clt__launched(void)
{
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", NULL};
    static const char *const ranks[] = {"PMIX_RANK", "PMI_RANK", "PALS_RANKID", NULL};
    const int size = number_in(sizes);
    if (size >= 0) return size;
    return number_in(ranks) >= 0;
}

/* PBS tells a process its line in the file of nodes: those of the same host before it. */
static int local_rank_of_pbs(void)
{
    static const char *const places[] = {"PBS_VNODENUM", NULL};
    const char *path = getenv("PBS_NODEFILE");
    const int place = number_in(places);
    char line[256], own[256] = "";
    int local = 0;
    FILE *file = place >= 0 && path ? fopen(path, "r") : NULL;
    if (!file) return 0;
    for (int i = 0; i <= place && fgets(line, sizeof line, file); i++)
        if (i == place) memcpy(own, line, sizeof own);
    rewind(file);
    for (int i = 0; i < place && fgets(line, sizeof line, file); i++) local += strcmp(line, own) == 0;
    (void)fclose(file);
    return local;
}

int clt__local_rank(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK",
                                        "PALS_LOCAL_RANKID",          "SLURM_LOCALID",   NULL};
    const int local = number_in(names);
    return local >= 0 ? local : local_rank_of_pbs();
}
