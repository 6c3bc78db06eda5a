/* How long a step of data-parallel training takes: a model of what session/shards.c and session/gathering.c do.
 *
 * All P ranks compute as many images, at the same speed. Of each bucket of n bytes
 *  - a rank reads its shard's numbers from its device, once the ops that make them are done, while others run: n / read
 *  - it sends a slice of n / P bytes to each other rank, and gets as many: P - 1 messages
 *  - it adds P slices, one of each rank: P (n / P) / add = n / add
 *  - it sends their sum to each other rank, and gets as many: P - 1 messages
 * and once all sums are there, they are written to the device, all buckets together, and the update runs.
 *
 * A message of m bytes takes latency + m / bandwidth, and a rank sends one after another while it receives as fast
 * (Hockney's model; Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations in MPICH",
 * 2005, section 3, and section 4 for such pairwise exchanges). So each of both exchanges takes
 *
 *   (P - 1) (latency + n / (P bandwidth))
 *
 * and a rank sends 2 (P - 1) / P n bytes in all. Times: seconds; rates: bytes a second. */
#ifndef CLT_TOOLS_EXCHANGE_MODEL_H
#define CLT_TOOLS_EXCHANGE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

/* A bucket, as a rank's device makes it. */
typedef struct clt__departure {
    double bytes;
    double ready; /* since the step began; no less than that of the bucket before */
} clt__departure;

/* A rank's own part of a step. */
typedef struct clt__rank_step {
    double compute; /* all but the update */
    double update;
    const clt__departure *bucket;
    size_t buckets; /* in the order in which they travel */
} clt__rank_step;

typedef struct clt__exchange_rates {
    double bandwidth, latency; /* each way, of a rank; of a message */
    double read, write, add;   /* of device memory; of the host, counting the bytes that are added */
} clt__exchange_rates;

typedef struct clt__expected_step {
    double seconds;
    double exchange; /* what it would take if nothing went on at a time */
    double hidden;   /* the share of it that the step is not longer for, from 0 to 1; NaN where there is none */
    bool hides;      /* when the last bucket has been read, those before are through, but for the last one's sums */
} clt__expected_step;

clt__expected_step clt__expect_step(const clt__rank_step *step, const clt__exchange_rates *rates, int ranks);

/* From how many ranks on, up to `most`, the exchange is not hidden any more (`hides`); 0: it always is. */
int clt__ranks_beyond_hiding(const clt__rank_step *step, const clt__exchange_rates *rates, int most);

/* ---- other ways to exchange, B buckets of N bytes together, nothing being hidden
 *
 *   each to each, as above   2 (P - 1) (B latency + N / (P bandwidth)) + N / add
 *   a binary tree            log P (2 (B latency + N / bandwidth) + N / add), log P being rounded up: at each level a
 *                            rank sends a whole bucket to the one above, which adds it to its own; the sum comes back
 *                            the same way
 *   K servers                2 (K B latency + (P - 1) N / (K bandwidth)) + P N / (K add): K of the ranks add up a K-th
 *                            of each bucket, which all others send them and get back. A rank's messages are K; a
 *                            server's own line, which P - 1 ranks share, is what takes the time. With K = P this is
 *                            each to each, but for the message that a rank would send to itself
 *
 * Servers cost the least where both terms in K are alike: K^2 = (2 (P - 1) N / bandwidth + P N / add) / (2 B latency).
 * Where that is below P, a slice travels faster than a message begins: about P > N / (B latency bandwidth). */
double clt__each_to_each_seconds(double bytes, double buckets, const clt__exchange_rates *rates, int ranks);
double clt__tree_seconds(double bytes, double buckets, const clt__exchange_rates *rates, int ranks);
double clt__servers_seconds(double bytes, double buckets, const clt__exchange_rates *rates, int ranks, int servers);

/* The number of servers, below that of the ranks, with which they cost the least. At least 2 ranks. */
int clt__best_servers(double bytes, double buckets, const clt__exchange_rates *rates, int ranks);

/* From how many ranks on, up to `most`, a tree, or the best number of servers, costs less than each to each; 0: from
 * none. */
int clt__ranks_for_tree(double bytes, double buckets, const clt__exchange_rates *rates, int most);
int clt__ranks_for_servers(double bytes, double buckets, const clt__exchange_rates *rates, int most);

#endif
