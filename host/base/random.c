#include "base/random.h"

#include <assert.h>
#include <math.h>

/* One round: two 32 x 32 -> 64 bit products; their high halves, the other words and the key cross over. */
static void philox_round(const uint32_t key[2], uint32_t word[4])
{
    const uint64_t first = (uint64_t)0xd2511f53u * word[0];
    const uint64_t second = (uint64_t)0xcd9e8d57u * word[2];
    word[0] = (uint32_t)(second >> 32) ^ word[1] ^ key[0];
    word[2] = (uint32_t)(first >> 32) ^ word[3] ^ key[1];
    word[1] = (uint32_t)second;
    word[3] = (uint32_t)first;
}

void clt__philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
    enum { ROUNDS = 10 };
    uint32_t round_key[2] = {key[0], key[1]};
    for (int i = 0; i < 4; i++) out[i] = counter[i];
    for (int round = 0; round < ROUNDS; round++) {
        philox_round(round_key, out);
        round_key[0] += 0x9e3779b9u; /* the golden ratio */
        round_key[1] += 0xbb67ae85u; /* the square root of 3, less 1 */
    }
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

clt__random clt__random_seed(uint64_t seed, const char *purpose, uint64_t number)
{
    const uint64_t hash = hash_text(purpose);
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)hash, (uint32_t)(hash >> 32), (uint32_t)number, (uint32_t)(number >> 32)};
    uint32_t mixed[4];
    clt__philox(key, counter, mixed);
    return (clt__random){.key = {mixed[0], mixed[1]}, .position = 0};
}

uint32_t clt__random_next(clt__random *stream)
{
    const uint64_t block = stream->position / 4;
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
    uint32_t words[4];
    clt__philox(stream->key, counter, words);
    return words[stream->position++ % 4];
}

static uint64_t next_pair(clt__random *stream)
{
    const uint64_t low = clt__random_next(stream);
    return (uint64_t)clt__random_next(stream) << 32 | low;
}

double clt__random_uniform(clt__random *stream)
{
    return (double)(next_pair(stream) >> 11) * 0x1p-53;
}

/* Box and Muller's; the logarithm's argument is above 0. */
double clt__random_normal(clt__random *stream)
{
    const double radius = sqrt(-2 * log(1 - clt__random_uniform(stream)));
    return radius * cos(2 * 3.14159265358979323846 * clt__random_uniform(stream));
}

uint64_t clt__random_below(clt__random *stream, uint64_t bound)
{
    assert(bound > 0);
    /* 2^64 is rarely a multiple of `bound`: without the first 2^64 % bound values every remainder is equally likely. */
    const uint64_t rejected = (UINT64_MAX - bound + 1) % bound;
    uint64_t value;
    do value = next_pair(stream);
    while (value < rejected);
    return value % bound;
}

/* Johnk's method, on logarithms, for the powers of a small alpha underflow. */
double clt__random_beta(clt__random *stream, double alpha)
{
    for (;;) {
        const double x = log(1 - clt__random_uniform(stream)) / alpha, y = log(1 - clt__random_uniform(stream)) / alpha;
        const double most = fmax(x, y), sum = most + log(exp(x - most) + exp(y - most)); /* log(e^x + e^y) */
        if (sum <= 0) return exp(x - sum);
    }
}
