/* The phases of an input gradient's stride, which both schedules sum one by one. */
#ifndef CLT_PHASE_H
#define CLT_PHASE_H

/* Inputs whose coordinates leave the same rest when divided by the strides meet the same filter positions: those of a
 * phase, every stride-th one. A phase is a product of its own, in which no position is left out: its inputs are
 * h = begin + stride * i, its positions r = start + stride * j, and they meet output y = first + i - j. */
typedef struct {
    int begin, count;     /* of the inputs */
    int start, positions; /* of the filter */
    int first;            /* the output that the first of each meet at */
} phase;

static inline phase phase_of(const int begin, const int size, const int filter, const int stride, const int pad)
{
    phase p = {.begin = begin, .start = (begin + pad) % stride, .first = (begin + pad) / stride};
    p.count = begin < size ? (size - begin - 1) / stride + 1 : 0;
    p.positions = p.start < filter ? (filter - p.start - 1) / stride + 1 : 0;
    return p;
}

#endif
