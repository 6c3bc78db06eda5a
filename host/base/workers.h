/* Worker threads, for pieces of work that do not depend on one another. */
#ifndef CLT_BASE_WORKERS_H
#define CLT_BASE_WORKERS_H

#include "base/error.h"

typedef struct clt__workers clt__workers;

/* What is done for one piece; called by several threads at a time. */
typedef void (*clt__job_function)(void *user, size_t piece);

/* Pieces 0 to count - 1. It lies where the caller puts it, and stays there until clt__workers_wait has come back. */
typedef struct clt__job {
    clt__job_function work;
    void *user;
    size_t count;
    size_t next, done; /* the workers' own */
    struct clt__job *after;
} clt__job;

/* How many cores this process may use. */
int clt__core_count(void);

/* Threads that wait for jobs. Where the system lets none be started, clt__workers_wait does all the work. Signals go to
 * the program's other threads. */
enum {
    CLT__SMALL_STACK =
        1 << 20, /* for code of ours: the usual 8 MB of each are much where the address space is limited */
    CLT__COMPILER_STACK = 8 << 20 /* what compilers reckon with */
};
clt_status clt__workers_open(int threads, size_t stack, clt__workers **workers, clt_error *error);

/* All jobs must have been waited for. NULL is none. */
void clt__workers_close(clt__workers *workers);

/* Jobs are done in the order in which they were begun. */
void clt__workers_begin(clt__workers *workers, clt__job *job);
bool clt__workers_are_done(clt__workers *workers, const clt__job *job);

/* Returns when all pieces are done; the caller's thread works too. */
void clt__workers_wait(clt__workers *workers, clt__job *job);

#endif
