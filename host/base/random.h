/* Random numbers by counting: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", 2011). Number i of a stream is a function of the stream's key and i alone, so a device computes any of them in
 * any order with the same bits, and a stream is stored as its key and its position. */
#ifndef CLT_BASE_RANDOM_H
#define CLT_BASE_RANDOM_H

#include <stdint.h>

/* One block: the 128-bit counter, scrambled under the 64-bit key. The lowest word comes first. */
void clt__philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

/* A stream of 32-bit numbers. Number i is word i % 4 of the block whose counter is i / 4. */
typedef struct clt__random {
    uint32_t key[2];
    uint64_t position; /* i of the next number */
} clt__random;

/* The stream for one purpose (a tensor's name, "shuffle") and number (the epoch) under the user's seed. Streams that
 * differ in any of the three are unrelated. */
clt__random clt__random_seed(uint64_t seed, const char *purpose, uint64_t number);

uint32_t clt__random_next(clt__random *stream);
/* In [0, 1), a multiple of 2^-53. Takes two numbers of the stream. */
double clt__random_uniform(clt__random *stream);
/* Of the standard normal distribution. Takes four numbers of the stream. */
double clt__random_normal(clt__random *stream);
/* Each of 0..bound-1 equally often; `bound` is at least 1. */
uint64_t clt__random_below(clt__random *stream, uint64_t bound);
/* In (0, 1) with the density of Beta(alpha, alpha), alpha > 0: by rejection, which takes the longer the larger alpha
 * is. */
double clt__random_beta(clt__random *stream, double alpha);

#endif
