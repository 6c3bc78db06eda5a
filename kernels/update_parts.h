/* What update.cl and muon.cl share: rates by name, and sums of squares in parts. */
#ifndef CLT_UPDATE_PARTS_H
#define CLT_UPDATE_PARTS_H

#include "params.h"
#include "real.h"

/* What parameters have of a rate, or of what is in proportion to one. BY_NAME is defined where options name parameters. */
static inline realv rated(const realv x, global const real *rates, const int i)
{
#ifdef BY_NAME
    if (rates) return LOAD(rates + i) * x;
#endif
    return x;
}

/* `share` of each parameter that decays. */
static inline realv decay_of(const realv w, const real share, global const real *decays, const int i)
{
    return decays ? share * (LOAD(decays + i) * w) : share * w;
}

/* One of z.parts parts of `count` elements: a run of neighbours or, spread, every z.parts-th. */
typedef struct {
    int begin, end, step;
} run;

static inline run part_of(const int count, const int part, const int parts)
{
#ifdef SPREAD
    return (run){part, count, parts};
#else
    return (run){(int)((long)count * part / parts), (int)((long)count * (part + 1) / parts), 1};
#endif
}

/* Of one tensor, of what it is and of its direction: |w|^2 and |d|^2, or a part of each. */
typedef struct {
    real weights, direction;
} squares;

static inline real sum_of_squares(global const real *x, const run r)
{
    real sum = 0;
    for (int i = r.begin; i < r.end; i += r.step) sum += x[i] * x[i];
    return sum;
}

/* Tensor `number`'s part `part` of its `count` elements goes to partial[tensor, part, weights or direction]. */
static inline void sum_part(const int number, const int part, const int parts, const int count,
                            global const real *weights, global const real *direction, global real *partial)
{
    const run r = part_of(count, part, parts);
    global real *to = partial + (number * parts + part) * 2;
    to[0] = sum_of_squares(weights, r);
    to[1] = sum_of_squares(direction, r);
}

/* Its parts, added in order. */
static inline squares add_parts(const int number, const int parts, global const real *partial)
{
    squares sum = {0, 0};
    for (int part = 0; part < parts; part++) {
        sum.weights += partial[(number * parts + part) * 2];
        sum.direction += partial[(number * parts + part) * 2 + 1];
    }
    return sum;
}

#endif
