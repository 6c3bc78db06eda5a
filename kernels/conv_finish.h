/* What conv.cl, conv_winograd.cl and conv_winograd_tile.cl do with a finished vector of sums: `at` is its first element's index in the output,
 * k0 its channel. They use their own x, bias, addend, before and y, of which all but y may be absent: those are not even
 * read, for compilers may keep a load whose value nobody wants. FETCH_FINISH brings what a later FINISH will use into the cache. */
#ifndef CLT_CONV_FINISH_H
#define CLT_CONV_FINISH_H

#ifdef OP_conv_input_gradient
#define FINISH(sum, at, k0, lanes)                                                                                     \
    do {                                                                                                               \
        const realv whole_ = addend ? sum + load_lanes(addend + (at), lanes) : sum;                                    \
        store_lanes(x ? deactivate(whole_, load_lanes(x + (at), lanes)) : whole_, lanes, y + (at));                    \
    } while (0)
#else
#define FINISH(sum, at, k0, lanes)                                                                                     \
    do {                                                                                                               \
        const realv biased_ = bias ? sum + load_lanes(bias + (k0), lanes) : sum;                                       \
        const realv whole_ = addend ? biased_ + load_lanes(addend + (at), lanes) : biased_;                            \
        if (before) store_lanes(whole_, lanes, before + (at));                                                         \
        store_lanes(activate(whole_), lanes, y + (at));                                                                \
    } while (0)
#endif

#define FETCH_FINISH(at)                                                                                               \
    do {                                                                                                               \
        if (addend) FETCH_TO_READ(addend, at);                                                                         \
        if (x) FETCH_TO_READ(x, at);                                                                                   \
        if (before) FETCH_TO_WRITE(before, at);                                                                        \
        FETCH_TO_WRITE(y, at);                                                                                         \
    } while (0)

#endif
