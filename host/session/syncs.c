#include "session/syncs.h"

#include <stdlib.h>

#include "base/memory.h"
#include "session/steps.h"
#include "team/team.h"

struct clt__syncs {
    const clt__tape *tape;
    clt__engine *engine;
    const clt_collective *team; /* NULL for one rank */
    int shards, own;            /* of a batch, and of this rank */
    size_t size;                /* bytes of a number */
    char *found;                /* [own] rows of the sync that needs most */
    char *all;                  /* [shards] */
    size_t *bytes;              /* [ranks], of an exchange */
    clt__upload **download;     /* [own][CLT__MOST_FOUND], NULL where it has ended */
};

/* Numbers of a row. */
static int row_of(const clt__syncs *s, const clt__sync *sync)
{
    return s->tape->tensor[sync->all].count / s->shards;
}

static int most_numbers(const clt__syncs *s)
{
    int most = 0;
    for (size_t i = 0; i < s->tape->sync_count; i++) {
        const int row = row_of(s, &s->tape->sync[i]);
        if (row > most) most = row;
    }
    return most;
}

static clt_status allocate(clt__syncs *s, clt_error *error)
{
    const uint64_t numbers = (uint64_t)most_numbers(s);
    TRY(clt__allocate((uint64_t)s->own * numbers, s->size, "what shards find", &s->found, error));
    TRY(clt__allocate((uint64_t)s->shards * numbers, s->size, "what all shards find", &s->all, error));
    TRY(clt__allocate(s->team ? (uint64_t)s->team->size : 1, sizeof *s->bytes, "lengths of an exchange", &s->bytes,
                      error));
    return clt__allocate((uint64_t)s->own * CLT__MOST_FOUND, sizeof *s->download, "reads of what shards find",
                         &s->download, error);
}

clt_status clt__syncs_open(const clt__tape *tape, clt__engine *engine, const clt_options *options, clt__syncs **syncs,
                           clt_error *error)
{
    int begin, end;
    *syncs = NULL;
    if (!tape->sync_count) return CLT_OK;
    TRY(clt__allocate(1, sizeof **syncs, "what shards wait for", syncs, error));
    clt__own_shards(options, &begin, &end);
    **syncs = (clt__syncs){.tape = tape,
                           .engine = engine,
                           .team = options->collective,
                           .shards = options->shards,
                           .own = end - begin,
                           .size = clt__engine_real_bytes(engine)};
    return allocate(*syncs, error);
}

void clt__syncs_close(clt__syncs *s)
{
    if (!s) return;
    for (int i = 0; s->download && i < s->own * CLT__MOST_FOUND; i++)
        (void)clt__engine_end_read(&s->download[i], NULL); /* it writes to what is freed */
    free(s->found);
    free(s->all);
    free(s->bytes);
    free(s->download);
    free(s);
}

clt_status clt__syncs_read(clt__syncs *s, const clt__sync *sync, int own, clt_error *error)
{
    char *to = s->found + (size_t)own * (size_t)row_of(s, sync) * s->size;
    for (int i = 0; i < CLT__MOST_FOUND && sync->found[i] >= 0; i++) {
        const int count = s->tape->tensor[sync->found[i]].count;
        TRY(clt__engine_begin_read(s->engine, sync->found[i], 0, count, to, &s->download[own * CLT__MOST_FOUND + i],
                                   error));
        to += (size_t)count * s->size;
    }
    return CLT_OK;
}

/* `row`: bytes of one. */
static clt_status gather(const clt__syncs *s, size_t row, clt_error *error)
{
    for (int r = 0; r < s->team->size; r++)
        s->bytes[r] = (clt__team_begin_of(s->team, (size_t)s->shards, r + 1) -
                       clt__team_begin_of(s->team, (size_t)s->shards, r)) *
                      row;
    return clt__team_gather_parts(s->team, s->found, s->bytes, s->all, error);
}

clt_status clt__syncs_end(clt__syncs *s, const clt__sync *sync, clt_error *error)
{
    const int row = row_of(s, sync);
    TRY(clt__engine_flush(s->engine, error));
    for (int i = 0; i < s->own * CLT__MOST_FOUND; i++) TRY(clt__engine_end_read(&s->download[i], error));
    if (s->team) TRY(gather(s, (size_t)row * s->size, error));
    return clt__engine_write_kept(s->engine, sync->all, 0, row * s->shards, s->team ? s->all : s->found, error);
}
