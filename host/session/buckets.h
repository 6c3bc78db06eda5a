/* What ranks exchange of a net, and in which pieces. */
#ifndef CLT_SESSION_BUCKETS_H
#define CLT_SESSION_BUCKETS_H

#include "net/net.h"
#include "options/options.h"

/* A root of the net, whose numbers are exchanged, and where the sum, or the mean, goes; -1 for nowhere more. */
typedef struct clt__segment {
    int from, to[2];
    int count;
    size_t at; /* among all numbers */
} clt__segment;

/* Numbers that travel together. */
typedef struct clt__bucket {
    int tensor, first, count; /* where they lie on the device */
    size_t at;                /* among all numbers */
    size_t op;                /* the first that they do not wait for; no less than that of the bucket before */
    bool packs;               /* they travel as halves: team/wire.h */
    size_t packed_at;         /* bytes of others that do, before them */
} clt__bucket;

enum { CLT__MOST_SEGMENTS = CLT__MAX_STATES + 3 };

typedef struct clt__buckets {
    clt__segment segment[CLT__MOST_SEGMENTS];
    int segments;
    size_t numbers;
    clt__bucket *bucket; /* in the order in which they travel; freed with free() */
    size_t count;
    size_t packed_bytes; /* of what travels as halves */
} clt__buckets;

/* Of resolved options: a shard's gradients, and what layers keep from step to step; those that the backward ops finish
 * first come first. `real_bytes`: of a number on the device. */
clt_status clt__cut_gradients(const clt__net *net, const clt_options *options, size_t real_bytes, clt__buckets *buckets,
                              clt_error *error);
/* All that a checkpoint has of the net. */
clt_status clt__cut_trained(const clt__net *net, const clt_options *options, size_t real_bytes, clt__buckets *buckets,
                            clt_error *error);

#endif
