#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The number after `word` at the beginning of a line of a file; `otherwise` where there is none, as where that is no
 * number at all ("max"). */
static uint64_t number_in(const char *path, const char *word, uint64_t otherwise)
{
    char line[256];
    uint64_t number = otherwise;
    FILE *stream = fopen(path, "r");
    if (!stream) return otherwise;
    while (fgets(line, sizeof line, stream))
        if (strncmp(line, word, strlen(word)) == 0 && sscanf(line + strlen(word), "%" SCNu64, &number) == 1) break;
    (void)fclose(stream);
    return number;
}

/* What the control group that a container runs in leaves of its limit. */
static uint64_t left_in_container(void)
{
    const uint64_t limit = number_in("/sys/fs/cgroup/memory.max", "", UINT64_MAX);
    const uint64_t used = number_in("/sys/fs/cgroup/memory.current", "", 0);
    /* Files that are kept in memory are let go of when it is needed. */
    const uint64_t files = number_in("/sys/fs/cgroup/memory.stat", "inactive_file ", 0),
                   taken = used > files ? used - files : 0;
    return limit > taken ? limit - taken : 0;
}

/* A limit of the address space, of which code and libraries have taken a part. */
static uint64_t address_space(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur / 2;
}

uint64_t clt__free_memory(void)
{
    enum { KIB = 1024, GIB_OF_KIB = 1024 * 1024 };
    const uint64_t available = number_in("/proc/meminfo", "MemAvailable:", 2 * GIB_OF_KIB) * KIB;
    return smaller(available, smaller(left_in_container(), address_space()));
}
