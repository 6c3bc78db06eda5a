#include "cli/ranks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/output.h"

/* ---- processes */

/* Of this process, or NULL. */
static const clt_collective *processes;

clt_status join_processes(clt_options *options, clt_error *error)
{
    TRY(clt_mpi_open(&processes, error));
    if (!processes) return CLT_OK;
    clt_options_set_collective(options, processes);
    if (processes->rank > 0 && (!freopen("/dev/null", "w", stdout)))
        return FAIL(error, CLT_NO_FILE, "/dev/null cannot be opened");
    if (processes->rank > 0) mute_notes();
    return CLT_OK;
}

bool others_tell(const clt_error *error)
{
    return processes && processes->rank > 0 && error->status == CLT_STOPPED;
}

void leave_processes(const clt_error *error, int exit_code)
{
    if (!processes) return;
    /* Ranks that failed alone end the others at once; whether rank 0 did, it sees by whether they come to their end. */
    if (exit_code && processes->rank > 0 && !others_tell(error)) processes->abandon(processes->user, error->message);
    /* The first rank may be writing a checkpoint still. */
    clt_mpi_close(processes, others_tell(error) ? 0 : exit_code);
    processes = NULL;
}

/* ---- devices */

typedef struct rank {
    clt_options options;
    clt_device *device;
    rank_body body;
    void *user;
    int number;
    pthread_t thread;
    clt_status status;
    clt_error error;
} rank;

static void *run_rank(void *user)
{
    rank *r = user;
    const clt_collective *team = r->options.collective;
    r->status = r->body(r->user, r->number, &r->options, r->device, &r->error);
    if (r->status != CLT_OK) team->abandon(team->user, r->error.message);
    return NULL;
}

static clt_status open_rank(rank *r, const clt_options *options, const char *device, const clt_team *team,
                            clt_error *error)
{
    r->options = *options;
    r->options.device = device;
    clt_options_set_collective(&r->options, clt_team_member(team, r->number));
    TRY(clt_device_open_with(&r->options, &r->device, error)); /* one after another: some drivers begin only once */
    if (r->number == 0) return CLT_OK;
    clt_options_set_progress(&r->options, NULL, NULL);
    clt_options_set_notes(&r->options, NULL, NULL);
    clt_device_set_notes(r->device, NULL, NULL);
    return CLT_OK;
}

/* What rank 0 has to say, unless another one that failed is why. */
static clt_status sum_up(const rank *ranks, int count, clt_error *error)
{
    if (ranks[0].status != CLT_STOPPED) return clt__pass_on(&ranks[0].error, error);
    for (int i = 1; i < count; i++)
        if (ranks[i].status != CLT_OK && ranks[i].status != CLT_STOPPED)
            return FAIL(error, ranks[i].status, "device %s: %.3900s", ranks[i].options.device, ranks[i].error.message);
    return clt__pass_on(&ranks[0].error, error);
}

static clt_status run_team(rank *ranks, int count, clt_error *error)
{
    int running = 1;
    while (running < count && pthread_create(&ranks[running].thread, NULL, run_rank, &ranks[running]) == 0) running++;
    if (running < count) {
        const clt_collective *team = ranks[0].options.collective;
        team->abandon(team->user, "a thread could not be started");
        ranks[0].status = FAIL(&ranks[0].error, CLT_NO_MEMORY, "the system starts no more threads");
    } else {
        (void)run_rank(&ranks[0]);
    }
    for (int i = 1; i < running; i++) (void)pthread_join(ranks[i].thread, NULL);
    return ranks[0].status == CLT_OK ? CLT_OK : sum_up(ranks, count, error);
}

static clt_status run_several(const clt_options *options, const char *names, int count, rank_body body, void *user,
                              clt_error *error)
{
    typedef char name[CLT__LIST_PART];
    rank *ranks;
    name *name_of;
    clt_team *team = NULL;
    TRY(clt__allocate((uint64_t)count, sizeof *ranks, "the ranks", &ranks, error));
    clt_status status = clt__allocate((uint64_t)count, sizeof *name_of, "devices' names", &name_of, error);
    if (status == CLT_OK) status = clt_team_open(count, &team, error);
    for (int i = 0; i < count && status == CLT_OK; i++) {
        (void)clt__next_part(&names, name_of[i]);
        ranks[i] = (rank){.body = body, .user = user, .number = i};
        status = open_rank(&ranks[i], options, name_of[i], team, error);
    }
    if (status == CLT_OK) status = run_team(ranks, count, error);
    for (int i = 0; i < count; i++) clt_device_close(ranks[i].device);
    clt_team_close(team);
    free(name_of);
    free(ranks);
    return status;
}

static clt_status run_one(const clt_options *options, const char *name, rank_body body, void *user, clt_error *error)
{
    clt_options own = *options;
    clt_device *device;
    if (name) own.device = name;
    const clt_status opened = clt_device_open_with(&own, &device, error);
    clt_status status = clt_collective_agree(options->collective, opened, error);
    if (status == CLT_OK) status = body(user, 0, &own, device, error);
    if (opened == CLT_OK) clt_device_close(device);
    return status;
}

clt_status run_on_devices(const clt_options *options, rank_body body, void *user, clt_error *error)
{
    char *names = NULL;
    int count = 0;
    const char *named = options->device ? options->device : getenv("CLTRAIN_DEVICE");
    clt_status status =
        named && *named && !options->pretend ? clt_devices_expand(named, &names, &count, error) : CLT_OK;
    if (status == CLT_OK && count > 1 && processes)
        status =
            FAIL(error, CLT_BAD_ARGUMENT,
                 "--device %s names %d devices, where each of several processes has one: --device local", named, count);
    status = clt_collective_agree(processes, status, error);
    if (status == CLT_OK)
        status = count > 1 ? run_several(options, names, count, body, user, error)
                           : run_one(options, names, body, user, error);
    clt_free(names);
    return status;
}
