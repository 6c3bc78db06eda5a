#ifdef __linux__
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

struct clt__workers {
    pthread_mutex_t lock;
    pthread_cond_t more, less; /* a job has come, or the end; a job is done */
    clt__job *first, *last;    /* those that have pieces which nobody has taken */
    bool closing;
    int threads;
    pthread_t *thread; /* [threads] */
};

int clt__core_count(void)
{
#ifdef __linux__
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0) return CPU_COUNT(&allowed);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > 1024 ? 1024 : (int)online;
}

/* ---- taking pieces: with the lock held */

static void leave_queue(clt__workers *workers, const clt__job *job)
{
    clt__job *before = NULL, *at = workers->first;
    while (at && at != job) {
        before = at;
        at = at->after;
    }
    if (!at) return;
    if (before)
        before->after = at->after;
    else
        workers->first = at->after;
    if (workers->last == at) workers->last = before;
}

/* The lock is let go while the piece is done. */
static void do_piece(clt__workers *workers, clt__job *job)
{
    const size_t piece = job->next++;
    if (job->next == job->count) leave_queue(workers, job);
    (void)pthread_mutex_unlock(&workers->lock);
    job->work(job->user, piece);
    (void)pthread_mutex_lock(&workers->lock);
    if (++job->done == job->count) (void)pthread_cond_broadcast(&workers->less);
}

static void *work(void *given)
{
    clt__workers *workers = given;
    (void)pthread_mutex_lock(&workers->lock);
    while (!workers->closing)
        if (workers->first)
            do_piece(workers, workers->first);
        else
            (void)pthread_cond_wait(&workers->more, &workers->lock);
    (void)pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* ---- opening and closing */

/* A thread has the signal mask of the one that starts it. */
static void start_threads(clt__workers *workers, int threads, size_t stack)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    (void)sigfillset(&all);
    if (pthread_attr_init(&attributes)) return;
    (void)pthread_attr_setstacksize(&attributes, stack);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) == 0) {
        while (workers->threads < threads &&
               pthread_create(&workers->thread[workers->threads], &attributes, work, workers) == 0)
            workers->threads++;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
}

clt_status clt__workers_open(int threads, size_t stack, clt__workers **workers, clt_error *error)
{
    clt__workers *fresh;
    *workers = NULL;
    TRY(clt__allocate(1, sizeof *fresh, "worker threads", &fresh, error));
    const clt_status status =
        clt__allocate((uint64_t)threads, sizeof *fresh->thread, "worker threads", &fresh->thread, error);
    if (status != CLT_OK) {
        free(fresh);
        return status;
    }
    (void)pthread_mutex_init(&fresh->lock, NULL);
    (void)pthread_cond_init(&fresh->more, NULL);
    (void)pthread_cond_init(&fresh->less, NULL);
    start_threads(fresh, threads, stack);
    *workers = fresh;
    return CLT_OK;
}

void clt__workers_close(clt__workers *workers)
{
    if (!workers) return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->closing = true;
    (void)pthread_cond_broadcast(&workers->more);
    (void)pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->threads; i++) (void)pthread_join(workers->thread[i], NULL);
    (void)pthread_cond_destroy(&workers->less);
    (void)pthread_cond_destroy(&workers->more);
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers->thread);
    free(workers);
}

/* ---- jobs */

void clt__workers_begin(clt__workers *workers, clt__job *job)
{
    job->next = job->done = 0;
    job->after = NULL;
    if (!job->count) return;
    (void)pthread_mutex_lock(&workers->lock);
    if (workers->last)
        workers->last->after = job;
    else
        workers->first = job;
    workers->last = job;
    (void)pthread_cond_broadcast(&workers->more);
    (void)pthread_mutex_unlock(&workers->lock);
}

bool clt__workers_are_done(clt__workers *workers, const clt__job *job)
{
    (void)pthread_mutex_lock(&workers->lock);
    const bool done = job->done == job->count;
    (void)pthread_mutex_unlock(&workers->lock);
    return done;
}

void clt__workers_wait(clt__workers *workers, clt__job *job)
{
    (void)pthread_mutex_lock(&workers->lock);
    while (job->next < job->count) do_piece(workers, job);
    while (job->done < job->count) (void)pthread_cond_wait(&workers->less, &workers->lock);
    (void)pthread_mutex_unlock(&workers->lock);
}
