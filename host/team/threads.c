/* Ranks that are threads of one process: an exchange is a copy from one's memory to the other's. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "team/team.h"

/* What a rank has begun: its blocks, until all ranks have taken theirs. */
typedef struct posting {
    uint64_t number; /* of the exchange */
    int readers;     /* that copy from it now */
    clt_block *send, *receive;
    bool *taken; /* by each rank */
    struct posting *next;
} posting;

typedef struct member {
    clt_team *team;
    clt_collective collective;
    char name[32];
    uint64_t begun;    /* exchanges */
    posting *postings; /* that are under way */
    bool abandoned;
    char why[4096];
} member;

struct clt_team {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int size;
    member *member;
};

/* ---- exchanging */

static posting *find(member *m, uint64_t number)
{
    posting *p = m->postings;
    while (p && p->number != number) p = p->next;
    return p;
}

static void free_posting(posting *p)
{
    free(p->send);
    free(p->taken);
    free(p);
}

static clt_status begin(void *user, const clt_block *send, const clt_block *receive, void **exchange, clt_error *error)
{
    member *m = user;
    const size_t size = (size_t)m->team->size;
    posting *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "an exchange", &fresh, error));
    clt_status status = clt__allocate(2 * size, sizeof *fresh->send, "blocks of an exchange", &fresh->send, error);
    if (status == CLT_OK) status = clt__allocate(size, sizeof *fresh->taken, "an exchange", &fresh->taken, error);
    if (status != CLT_OK) {
        free_posting(fresh);
        return status;
    }
    fresh->receive = fresh->send + size;
    memcpy(fresh->send, send, size * sizeof *send);
    memcpy(fresh->receive, receive, size * sizeof *receive);
    (void)pthread_mutex_lock(&m->team->lock);
    fresh->number = m->begun++;
    fresh->next = m->postings;
    m->postings = fresh;
    (void)pthread_cond_broadcast(&m->team->changed);
    (void)pthread_mutex_unlock(&m->team->lock);
    *exchange = fresh;
    return CLT_OK;
}

/* With the lock held. */
static clt_status take_from(member *m, posting *own, int rank, clt_error *error)
{
    member *other = &m->team->member[rank];
    const clt_block to = own->receive[rank];
    posting *p;
    while (!(p = find(other, own->number)) && !other->abandoned)
        (void)pthread_cond_wait(&m->team->changed, &m->team->lock);
    if (!p) return FAIL(error, CLT_STOPPED, "%s could not go on: %.3900s", other->name, other->why);
    const clt_block from = p->send[m->collective.rank];
    if (from.bytes != to.bytes)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s sends %zu bytes, where %s expects %zu", other->name, from.bytes,
                    m->name, to.bytes);
    p->readers++;
    (void)pthread_mutex_unlock(&m->team->lock);
    if (to.bytes && to.start != from.start) memcpy(to.start, from.start, to.bytes);
    (void)pthread_mutex_lock(&m->team->lock);
    p->readers--;
    p->taken[m->collective.rank] = true;
    (void)pthread_cond_broadcast(&m->team->changed);
    return CLT_OK;
}

/* By all that still take anything. */
static bool is_taken(const clt_team *team, const posting *p)
{
    for (int i = 0; i < team->size; i++)
        if (!p->taken[i] && !team->member[i].abandoned) return false;
    return true;
}

static clt_status take_all(member *m, posting *own, clt_error *error)
{
    for (int i = 0; i < m->team->size; i++) TRY(take_from(m, own, (m->collective.rank + i) % m->team->size, error));
    while (!is_taken(m->team, own)) (void)pthread_cond_wait(&m->team->changed, &m->team->lock);
    return CLT_OK;
}

/* With the lock held: nobody finds it from now on. */
static void remove_posting(member *m, posting *gone)
{
    posting **at = &m->postings;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
    while (gone->readers) (void)pthread_cond_wait(&m->team->changed, &m->team->lock);
    free_posting(gone);
}

static clt_status end(void *user, void *exchange, clt_error *error)
{
    member *m = user;
    (void)pthread_mutex_lock(&m->team->lock);
    const clt_status status = take_all(m, exchange, error);
    remove_posting(m, exchange);
    (void)pthread_mutex_unlock(&m->team->lock);
    return status;
}

static void withdraw(void *user, void *exchange)
{
    member *m = user;
    (void)pthread_mutex_lock(&m->team->lock);
    remove_posting(m, exchange);
    (void)pthread_mutex_unlock(&m->team->lock);
}

static void abandon(void *user, const char *why)
{
    member *m = user;
    (void)pthread_mutex_lock(&m->team->lock);
    (void)snprintf(m->why, sizeof m->why, "%s", why);
    m->abandoned = true;
    (void)pthread_cond_broadcast(&m->team->changed);
    (void)pthread_mutex_unlock(&m->team->lock);
}

static const char *name(void *user, int rank)
{
    return ((member *)user)->team->member[rank].name;
}

/* ---- opening and closing */

clt_status clt_team_open(int size, clt_team **team, clt_error *error)
{
    clt_team *fresh;
    *team = NULL;
    if (size < 1 || size > 1024) return FAIL(error, CLT_BAD_ARGUMENT, "a team has 1 to 1024 members, not %d", size);
    TRY(clt__allocate(1, sizeof *fresh, "a team", &fresh, error));
    const clt_status status =
        clt__allocate((uint64_t)size, sizeof *fresh->member, "the members of a team", &fresh->member, error);
    if (status != CLT_OK) {
        free(fresh);
        return status;
    }
    (void)pthread_mutex_init(&fresh->lock, NULL);
    (void)pthread_cond_init(&fresh->changed, NULL);
    fresh->size = size;
    for (int i = 0; i < size; i++) {
        member *m = &fresh->member[i];
        m->team = fresh;
        m->collective = (clt_collective){.rank = i,
                                         .size = size,
                                         .user = m,
                                         .begin = begin,
                                         .end = end,
                                         .withdraw = withdraw,
                                         .abandon = abandon,
                                         .name = name};
        (void)snprintf(m->name, sizeof m->name, "rank %d", i);
    }
    *team = fresh;
    return CLT_OK;
}

const clt_collective *clt_team_member(const clt_team *team, int rank)
{
    return rank >= 0 && rank < team->size ? &team->member[rank].collective : NULL;
}

void clt_team_close(clt_team *team)
{
    if (!team) return;
    (void)pthread_cond_destroy(&team->changed);
    (void)pthread_mutex_destroy(&team->lock);
    free(team->member);
    free(team);
}
