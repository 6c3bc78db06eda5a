/* The largest value of a pool's window, and the first pixel, in reading order, that has it. */
#ifndef CLT_POOL_WINDOW_H
#define CLT_POOL_WINDOW_H

#include "real.h"

typedef struct {
    realv most;
    maskv at;
} winner;

/* NaN wins over any number, so that it is not lost. */
static inline winner better_of(const winner w, const realv value, const int at)
{
    const maskv better = (value > w.most) | ((value != value) & (w.most == w.most));
    const winner won = {better ? value : w.most, better ? (maskv)at : w.at};
    return won;
}

#endif
