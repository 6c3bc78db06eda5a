#include "tools/exchange_model.h"

#include <math.h>

/* ---- a step */

/* When what is used by one bucket at a time is free again. */
typedef struct progress {
    double reader, line, host;
} progress;

/* Exchanges take the line in the order in which they begin. */
static double send(progress *at, const clt__exchange_rates *rates, double bytes, int ranks)
{
    const double begin = fmax(at->host, at->line);
    at->line = begin + (ranks - 1) * (rates->latency + bytes / ranks / rates->bandwidth);
    return at->line;
}

/* As sum_bucket in session/gathering.c: the host waits for a bucket's slices, and adds them. */
static void add_and_send(progress *at, const clt__exchange_rates *rates, double bytes, double slices, int ranks)
{
    at->host = fmax(at->host, slices) + bytes / rates->add;
    (void)send(at, rates, bytes, ranks);
}

static double exchange_of(const clt__rank_step *step, const clt__exchange_rates *rates, int ranks)
{
    double bytes = 0;
    for (size_t i = 0; i < step->buckets; i++) bytes += step->bucket[i].bytes;
    return bytes / rates->read + clt__each_to_each_seconds(bytes, (double)step->buckets, rates, ranks) +
           bytes / rates->write;
}

/* As `exchange` in session/gathering.c: a bucket's slices begin before the sums of the one before. */
clt__expected_step clt__expect_step(const clt__rank_step *step, const clt__exchange_rates *rates, int ranks)
{
    const double alone = step->compute + step->update;
    clt__expected_step expected = {.seconds = alone, .hidden = NAN, .hides = true};
    if (ranks < 2 || !step->buckets) return expected;
    progress at = {0};
    double slices = 0, all = 0;
    for (size_t i = 0; i < step->buckets; i++) {
        const clt__departure *bucket = &step->bucket[i];
        at.reader = fmax(at.reader, bucket->ready) + bucket->bytes / rates->read;
        expected.hides = i > 0 && at.host <= at.reader && at.line <= at.reader;
        at.host = fmax(at.host, at.reader);
        const double before = slices;
        slices = send(&at, rates, bucket->bytes, ranks);
        if (i > 0) add_and_send(&at, rates, bucket[-1].bytes, before, ranks);
        all += bucket->bytes;
    }
    add_and_send(&at, rates, step->bucket[step->buckets - 1].bytes, slices, ranks);
    expected.seconds = fmax(at.line, step->compute) + all / rates->write + step->update;
    expected.exchange = exchange_of(step, rates, ranks);
    if (expected.exchange > 0) expected.hidden = fmax(0, 1 - (expected.seconds - alone) / expected.exchange);
    return expected;
}

/* More ranks let nothing end earlier but the reading, which knows nothing of them: what is not hidden once is not
 * hidden later. */
int clt__ranks_beyond_hiding(const clt__rank_step *step, const clt__exchange_rates *rates, int most)
{
    int hidden = 1, open = most;
    if (clt__expect_step(step, rates, most).hides) return 0;
    while (open - hidden > 1) {
        const int middle = hidden + (open - hidden) / 2;
        if (clt__expect_step(step, rates, middle).hides)
            hidden = middle;
        else
            open = middle;
    }
    return open;
}

/* ---- other ways to exchange */

double clt__each_to_each_seconds(double bytes, double buckets, const clt__exchange_rates *rates, int ranks)
{
    return 2 * (ranks - 1) * (buckets * rates->latency + bytes / ranks / rates->bandwidth) + bytes / rates->add;
}

double clt__tree_seconds(double bytes, double buckets, const clt__exchange_rates *rates, int ranks)
{
    int levels = 0;
    while (ranks > 1 && (ranks - 1) >> levels) levels++;
    return levels * (2 * (buckets * rates->latency + bytes / rates->bandwidth) + bytes / rates->add);
}

double clt__servers_seconds(double bytes, double buckets, const clt__exchange_rates *rates, int ranks, int servers)
{
    return 2 * (servers * buckets * rates->latency + (ranks - 1) * (bytes / servers) / rates->bandwidth) +
           ranks * (bytes / servers) / rates->add;
}

int clt__best_servers(double bytes, double buckets, const clt__exchange_rates *rates, int ranks)
{
    const double moved = 2 * (ranks - 1) * bytes / rates->bandwidth + ranks * bytes / rates->add;
    const double best = sqrt(moved / (2 * buckets * rates->latency)); /* infinite without latency */
    if (!(best > 1)) return 1;
    if (!(best < ranks - 1)) return ranks - 1;
    const int below = (int)best;
    return clt__servers_seconds(bytes, buckets, rates, ranks, below) <=
                   clt__servers_seconds(bytes, buckets, rates, ranks, below + 1)
               ? below
               : below + 1;
}

int clt__ranks_for_tree(double bytes, double buckets, const clt__exchange_rates *rates, int most)
{
    for (int ranks = 2; ranks <= most; ranks++)
        if (clt__tree_seconds(bytes, buckets, rates, ranks) < clt__each_to_each_seconds(bytes, buckets, rates, ranks))
            return ranks;
    return 0;
}

int clt__ranks_for_servers(double bytes, double buckets, const clt__exchange_rates *rates, int most)
{
    for (int ranks = 2; ranks <= most; ranks++) {
        const int servers = clt__best_servers(bytes, buckets, rates, ranks);
        if (clt__servers_seconds(bytes, buckets, rates, ranks, servers) <
            clt__each_to_each_seconds(bytes, buckets, rates, ranks))
            return ranks;
    }
    return 0;
}
