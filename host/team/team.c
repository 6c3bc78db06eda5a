#include "team/team.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static clt_status begin_alone(void *user, const clt_block *send, const clt_block *receive, void **exchange,
                              CLT__UNUSED clt_error *error)
{
    if (send->bytes && send->start != receive->start) memcpy(receive->start, send->start, send->bytes);
    *exchange = user;
    return CLT_OK;
}

static clt_status end_alone(CLT__UNUSED void *user, CLT__UNUSED void *exchange, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

const clt_collective clt__alone = {.size = 1, .begin = begin_alone, .end = end_alone};

clt_status clt__team_gather_parts(const clt_collective *team, const void *own, const size_t *bytes, void *all,
                                  clt_error *error)
{
    const size_t size = (size_t)team->size;
    clt_block *send, *receive;
    void *exchange;
    TRY(clt__allocate(2 * size, sizeof *send, "blocks of an exchange", &send, error));
    receive = send + size;
    char *to = all;
    for (size_t r = 0; r < size; to += bytes[r++]) {
        union {
            const void *read;
            void *written;
        } mine = {.read = own}; /* begin() does not write to what it sends */
        send[r] = (clt_block){mine.written, bytes[team->rank]};
        receive[r] = (clt_block){to, bytes[r]};
    }
    clt_status status = team->begin(team->user, send, receive, &exchange, error);
    if (status == CLT_OK) status = team->end(team->user, exchange, error);
    free(send);
    return status;
}

clt_status clt__team_gather(const clt_collective *team, const void *own, size_t bytes, void *all, clt_error *error)
{
    const size_t size = (size_t)team->size;
    size_t *each;
    TRY(clt__allocate(size, sizeof *each, "blocks of an exchange", &each, error));
    for (size_t r = 0; r < size; r++) each[r] = bytes;
    const clt_status status = clt__team_gather_parts(team, own, each, all, error);
    free(each);
    return status;
}

clt_status clt__team_all(const clt_collective *team, bool *well, clt_error *error)
{
    const bool own = *well;
    bool *all;
    if (!team) return CLT_OK;
    TRY(clt__allocate((uint64_t)team->size, sizeof *all, "what ranks have to say", &all, error));
    const clt_status status = clt__team_gather(team, &own, sizeof own, all, error);
    for (int r = 0; r < team->size && status == CLT_OK; r++) *well = *well && all[r];
    free(all);
    return status;
}

const char *clt__team_name(const clt_collective *team, int rank)
{
    return team->name ? team->name(team->user, rank) : "a rank";
}

clt_status clt__team_first_tells(const clt_collective *team, clt_status found, clt_error *error)
{
    if (found == CLT_OK || team->rank == 0) return found;
    return FAIL(error, CLT_STOPPED, "rank 0 tells why");
}

clt_status clt__team_compare(const clt_collective *team, const void *own, size_t bytes, const char *what,
                             clt_error *error)
{
    const size_t size = (size_t)team->size;
    clt_status found = CLT_OK;
    char *all;
    TRY(clt__allocate(size, bytes, what, &all, error));
    const clt_status status = clt__team_gather(team, own, bytes, all, error);
    for (size_t r = 1; r < size && status == CLT_OK && found == CLT_OK; r++)
        if (memcmp(all + r * bytes, all, bytes) != 0)
            found = FAIL(error, CLT_BAD_ARGUMENT, "%s has another %s than rank 0", clt__team_name(team, (int)r), what);
    free(all);
    return status == CLT_OK ? clt__team_first_tells(team, found, error) : status;
}

/* A device that computed wrongly explains what others saw; else the first that failed has its say. */
static int who_decides(const clt_collective *team, const clt_error *said)
{
    int first = -1;
    for (int r = team->size - 1; r >= 0; r--)
        if (said[r].status != CLT_OK && said[r].status != CLT_MISMATCH) first = r;
    for (int r = team->size - 1; r >= 0; r--)
        if (said[r].status == CLT_MISMATCH) first = r;
    return first;
}

static clt_status judge(const clt_collective *team, const clt_error *said, clt_error *error)
{
    const int who = who_decides(team, said);
    bool alone = false;
    if (who < 0) return CLT_OK;
    if (team->rank != 0) return clt__team_first_tells(team, said[who].status, error);
    for (int r = 0; r < team->size; r++) alone = alone || strcmp(said[r].message, said[who].message) != 0;
    if (!alone) return clt__pass_on(&said[who], error);
    const clt_status status =
        FAIL(error, said[who].status, "%s: %.3800s", clt__team_name(team, who), said[who].message);
    if (error) error->opencl_code = said[who].opencl_code;
    return status;
}

clt_status clt_collective_agree(const clt_collective *team, clt_status status, clt_error *error)
{
    clt_error own = {.status = CLT_OK}, *said;
    if (!team || team->size == 1) return status;
    if (status != CLT_OK && error) own = *error;
    own.status = status;
    TRY(clt__allocate((uint64_t)team->size, sizeof *said, "what ranks have to say", &said, error));
    clt_status verdict = clt__team_gather(team, &own, sizeof own, said, error);
    if (verdict == CLT_OK) verdict = judge(team, said, error);
    free(said);
    return verdict;
}

size_t clt__team_begin_of(const clt_collective *team, size_t count, int rank)
{
    return count / (size_t)team->size * (size_t)rank + count % (size_t)team->size * (size_t)rank / (size_t)team->size;
}
