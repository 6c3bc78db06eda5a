/* The gradients of all ranks' shards become the batch's: the sum over shards, in their order, on every rank.
 *
 * The numbers of a shard, its gradients and what layers keep from step to step, are cut into buckets, those that the
 * backward ops finish first coming first. A bucket is read from the device while the ops go on. Each rank sums a slice
 * of every bucket: it gets that slice of all shards, and gives its sum to all ranks. */
#ifndef CLT_SESSION_GATHERING_H
#define CLT_SESSION_GATHERING_H

#include "engine/engine.h"
#include "net/net.h"

typedef struct clt__gathering clt__gathering;

/* Numbers of a shard that travel together. */
typedef struct clt__bucket {
    int tensor, first, count; /* where they lie on the device */
    size_t at;                /* the same among a shard's numbers */
    size_t op;                /* the first that they do not wait for */
    /* A gathering's own: */
    char *parts; /* [shards] of this rank's slice */
    void *sums;  /* the exchange of the slices' sums, while it is under way */
} clt__bucket;

/* How a net, of batches in shards, whose reals have so many bytes is cut into buckets of about so many megabytes:
 * *buckets, in the order in which they travel, is freed with free(). */
clt_status clt__cut_buckets(const clt__net *net, double bucket_mb, size_t real_bytes, clt__bucket **buckets,
                            size_t *count, clt_error *error);

/* Of resolved options, which have a collective. */
clt_status clt__gathering_open(const clt__net *net, clt__engine *engine, clt_precision precision,
                               const clt_options *options, clt__gathering **gathering, clt_error *error);
void clt__gathering_close(clt__gathering *gathering); /* takes NULL */

size_t clt__gathering_buckets(const clt__gathering *gathering);
/* The first op that a bucket does not wait for; no less than that of the bucket before. */
size_t clt__gathering_op(const clt__gathering *gathering, size_t bucket);

/* Begins to read a bucket of this rank's shard number `own`, counted from its first, once the ops before
 * clt__gathering_op were enqueued. */
clt_status clt__gathering_read(clt__gathering *gathering, int own, size_t bucket, clt_error *error);
/* Ops that are enqueued from now on, of the next shard, come after what was begun. */
clt_status clt__gathering_join(clt__gathering *gathering, int own, clt_error *error);

/* Sums up the first `filled` shards of the batch, on every rank: on the device, where the gathering ops would. Waits.
 */
clt_status clt__gathering_end(clt__gathering *gathering, int filled, clt_error *error);

#endif
