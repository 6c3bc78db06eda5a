/* Ranks that are processes, over MPI: every exchange is a message from each rank to each other, so that one that does
 * not answer is known by name. All that waits gives up after a time. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "team/launcher.h"
#include "team/team.h"

enum { NAME = 160, PIECE = 1 << 30 /* bytes of a message; lengths are ints */, TAGS = 30000 };

typedef struct ranks {
    clt_collective collective;
    MPI_Comm comm;
    bool began_mpi; /* and has to end it */
    double timeout; /* seconds */
    int tag;        /* of the next exchange */
    bool broken;    /* one was not ended: MPI may still write to what was its memory whenever it is called */
    char (*name)[NAME];
} ranks;

/* A message on its way. */
typedef struct leg {
    int rank;
    bool arrives;
} leg;

typedef struct exchange {
    MPI_Request *request; /* [count] */
    leg *leg;             /* [count] */
    int count;
} exchange;

static clt_status check(const ranks *r, int code, const char *doing, clt_error *error)
{
    char text[MPI_MAX_ERROR_STRING + 1] = "";
    int length = 0;
    if (code == MPI_SUCCESS) return CLT_OK;
    (void)MPI_Error_string(code, text, &length);
    return FAIL(error, CLT_STOPPED, "%s: %s failed, as when another rank has died: %.400s",
                r->name ? r->name[r->collective.rank] : "this rank", doing, text);
}

/* ---- exchanging */

static int pieces_of(const clt_block *block)
{
    return (int)((block->bytes + PIECE - 1) / PIECE);
}

static clt_status begin_messages(ranks *r, exchange *e, const clt_block *block, int rank, bool arrives,
                                 clt_error *error)
{
    char *at = block->start;
    for (size_t left = block->bytes; left; e->count++) {
        const int bytes = left < PIECE ? (int)left : PIECE;
        MPI_Request *request = &e->request[e->count];
        e->leg[e->count] = (leg){rank, arrives};
        TRY(check(r,
                  arrives ? MPI_Irecv(at, bytes, MPI_BYTE, rank, r->tag, r->comm, request)
                          : MPI_Isend(at, bytes, MPI_BYTE, rank, r->tag, r->comm, request),
                  arrives ? "receiving" : "sending", error));
        at += bytes;
        left -= (size_t)bytes;
    }
    return CLT_OK;
}

static void free_exchange(exchange *e)
{
    free(e->request);
    free(e->leg);
    free(e);
}

static void withdraw(void *user, void *begun)
{
    ((ranks *)user)->broken = true;
    free_exchange(begun);
}

static clt_status begin(void *user, const clt_block *send, const clt_block *receive, void **begun, clt_error *error)
{
    ranks *r = user;
    const int own = r->collective.rank, size = r->collective.size;
    exchange *e;
    uint64_t count = 0;
    for (int i = 0; i < size; i++) count += (uint64_t)(pieces_of(&send[i]) + pieces_of(&receive[i]));
    TRY(clt__allocate(1, sizeof *e, "an exchange", &e, error));
    clt_status status = clt__allocate(count, sizeof *e->request, "messages", &e->request, error);
    if (status == CLT_OK) status = clt__allocate(count, sizeof *e->leg, "messages", &e->leg, error);
    for (int i = 1; i < size && status == CLT_OK; i++) {
        const int from = (own + size - i) % size, to = (own + i) % size;
        status = begin_messages(r, e, &receive[from], from, true, error);
        if (status == CLT_OK) status = begin_messages(r, e, &send[to], to, false, error);
    }
    if (status != CLT_OK) {
        withdraw(r, e);
        return status;
    }
    if (receive[own].bytes && receive[own].start != send[own].start)
        memcpy(receive[own].start, send[own].start, receive[own].bytes);
    r->tag = (r->tag + 1) % TAGS;
    *begun = e;
    return CLT_OK;
}

/* Who has not sent, or taken, what was agreed; one that has not sent is named first. */
static clt_status fail_late(const ranks *r, const exchange *e, clt_error *error)
{
    int late = -1;
    for (int i = 0; i < e->count; i++)
        if (e->request[i] != MPI_REQUEST_NULL && (late < 0 || (e->leg[i].arrives && !e->leg[late].arrives))) late = i;
    const int rank = late < 0 ? r->collective.rank : e->leg[late].rank;
    return FAIL(error, CLT_NO_DEVICE,
                "%s has not answered for %g seconds (--timeout): it hangs, or cannot be reached from %s", r->name[rank],
                r->timeout, r->name[r->collective.rank]);
}

/* Whether all messages have arrived. */
static clt_status look(const ranks *r, exchange *e, bool *done, clt_error *error)
{
    *done = true;
    for (int i = 0; i < e->count; i++) {
        int there = 1;
        if (e->request[i] == MPI_REQUEST_NULL) continue;
        TRY(check(r, MPI_Test(&e->request[i], &there, MPI_STATUS_IGNORE), "an exchange", error));
        *done = *done && there;
    }
    return CLT_OK;
}

static clt_status wait(const ranks *r, exchange *e, clt_error *error)
{
    enum { BUSY = 200 }; /* looks before the first pause */
    const struct timespec pause = {.tv_nsec = 50000};
    double waited = 0, before = clt__seconds();
    for (int looks = 0;; looks++) {
        bool done;
        TRY(look(r, e, &done, error));
        if (done) return CLT_OK;
        const double now = clt__seconds();
        if (now - before < 1) waited += now - before; /* else it is this process that has slept */
        before = now;
        if (waited > r->timeout) return fail_late(r, e, error);
        if (looks > BUSY) (void)nanosleep(&pause, NULL);
    }
}

static clt_status end(void *user, void *begun, clt_error *error)
{
    const clt_status status = wait(user, begun, error);
    if (status == CLT_OK)
        free_exchange(begun);
    else
        withdraw(user, begun);
    return status;
}

/* MPI moves what is under way when it is called. */
static void progress(void *user)
{
    int there;
    (void)MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, ((ranks *)user)->comm, &there, MPI_STATUS_IGNORE);
}

/* MPICH's launcher (4.0) drops what it has not passed on yet of what a process said last: it gets a moment. */
static void end_all(MPI_Comm comm, int exit_code)
{
    const struct timespec pause = {.tv_nsec = 300000000};
    (void)nanosleep(&pause, NULL);
    (void)MPI_Abort(comm, exit_code);
}

static void abandon(void *user, const char *why)
{
    (void)why;
    end_all(((ranks *)user)->comm, 1);
}

static const char *name(void *user, int rank)
{
    return ((ranks *)user)->name[rank];
}

/* ---- opening and closing */

static clt_status gather_names(ranks *r, clt_error *error)
{
    char host[MPI_MAX_PROCESSOR_NAME + 1] = "", own[NAME];
    int length;
    TRY(check(r, MPI_Get_processor_name(host, &length), "asking for the host's name", error));
    (void)snprintf(own, sizeof own, "rank %d (%.120s)", r->collective.rank, host);
    TRY(clt__allocate((uint64_t)r->collective.size, sizeof *r->name, "names of ranks", &r->name, error));
    return check(r, MPI_Allgather(own, NAME, MPI_CHAR, r->name, NAME, MPI_CHAR, r->comm), "gathering names", error);
}

static clt_status fill(ranks *r, clt_error *error)
{
    TRY(check(r, MPI_Comm_dup(MPI_COMM_WORLD, &r->comm), "MPI_Comm_dup", error));
    (void)MPI_Comm_set_errhandler(r->comm, MPI_ERRORS_RETURN);
    (void)MPI_Comm_rank(r->comm, &r->collective.rank);
    (void)MPI_Comm_size(r->comm, &r->collective.size);
    if (clt__launched() > 1 && r->collective.size == 1)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "a launcher has started %d processes, and each is alone: it belongs to another MPI than this cltrain "
            "was built with",
            clt__launched());
    return gather_names(r, error);
}

clt_status clt_mpi_open(const clt_collective **collective, clt_error *error)
{
    ranks *r;
    int initialized = 0, provided;
    *collective = NULL;
    (void)MPI_Initialized(&initialized);
    if (!initialized && !clt__launched()) return CLT_OK;
    TRY(clt__allocate(1, sizeof *r, "the ranks", &r, error));
    r->timeout = CLT__TEAM_TIMEOUT;
    r->collective = (clt_collective){.user = r,
                                     .begin = begin,
                                     .end = end,
                                     .withdraw = withdraw,
                                     .progress = progress,
                                     .abandon = abandon,
                                     .name = name};
    clt_status status =
        initialized ? CLT_OK : check(r, MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided), "MPI_Init", error);
    r->began_mpi = !initialized;
    if (status == CLT_OK) status = fill(r, error);
    *collective = &r->collective; /* also where it failed: it has to be closed */
    return status;
}

void clt_mpi_set_timeout(const clt_collective *collective, double seconds)
{
    ((ranks *)collective->user)->timeout = seconds;
}

/* Whether all ranks come to their end, within that time. */
static bool all_end(const ranks *r, double seconds)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    const double began = clt__seconds();
    MPI_Request request;
    int done = 0;
    if (MPI_Ibarrier(r->comm, &request) != MPI_SUCCESS) return false;
    while (MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done && clt__seconds() - began < seconds)
        (void)nanosleep(&pause, NULL);
    return done;
}

void clt_mpi_close(const clt_collective *collective, int exit_code)
{
    enum { PATIENCE = 10 }; /* seconds, for ranks that know that the end has come */
    if (!collective) return;
    ranks *r = collective->user;
    /* After a success another may have work of its own left, such as a report, which is let finish however long it
     * takes. */
    if (r->began_mpi && (!r->name || r->broken || !all_end(r, exit_code ? PATIENCE : INFINITY)))
        end_all(MPI_COMM_WORLD, exit_code ? exit_code : 1);
    if (r->name && !r->broken) (void)MPI_Comm_free(&r->comm);
    if (r->began_mpi) (void)MPI_Finalize();
    free(r->name);
    free(r);
}
