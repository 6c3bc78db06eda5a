/* Batch normalisation, channels last: each channel by its own mean and variance (Ioffe and Szegedy 2015).
 *
 *   statistics      mean[c] = sum x / m,   inverse[c] = 1 / sqrt(variance[c] + epsilon),   variance[c] = sum (x - mean[c])^2 / m
 *                   running_mean = (1 - momentum) running_mean + momentum mean
 *                   running_var  = (1 - momentum) running_var  + momentum variance m / (m - 1)
 *   forward         y = f( (x - mean[c]) inverse[c] weight[c] + bias[c] + a )          a: an addend, another value of that shape
 *   inference       the same with mean = running_mean, inverse = 1 / sqrt(running_var + epsilon)
 *   gradients       db[c] = sum dy,   dw[c] = sum dy (x - mean[c]) inverse[c]
 *   input gradient  dx = g(x) weight[c] inverse[c] (dy - db[c] / m - (x - mean[c]) inverse[c] dw[c] / m)
 *
 * Sums run over the m pixels of the batch's valid images (the last batch of an epoch may be short; dx is 0 behind it).
 * They go over parts of the batch, then over the parts: sums.h, batch_moments.h. Reads past the last channel stay inside the tensor or its
 * guard, and their lanes are never stored. */
#include "activations.h"
#include "batch_moments.h"

#ifdef OP_batchnorm_statistics
/* Work-group (vectors of channels, part) */
kernel SUM_GROUP void batchnorm_statistics_parts(const norm_sizes given, global const stored *restrict x,
                                                 global const int *restrict step, global real *restrict mean,
                                                 global real *restrict inverse, global real *restrict running_mean,
                                                 global real *restrict running_var, global real *restrict partial TREE)
{
    const norm_sizes z = SIZES(given);
    TREE_OF(moments, tree);
    measure_part(z, x, step[STEP_VALID] * z.pixels, partial, tree);
}

/* Work-group (vectors of channels) */
kernel LAST_GROUP void batchnorm_statistics_merge(const norm_sizes given, global const stored *restrict x,
                                                  global const int *restrict step, global real *restrict mean,
                                                  global real *restrict inverse, global real *restrict running_mean,
                                                  global real *restrict running_var, global real *restrict partial TREE)
{
    const norm_sizes z = SIZES(given);
    TREE_OF(moments, tree);
    const int c = COLUMN(LAST_ACROSS);
    const moments sum = merge_parts(z, step[STEP_VALID] * z.pixels, partial, tree);
    if (c >= z.c || ROW(LAST_ACROSS) > 0) return;
    put_statistics(sum, EPSILON(z), MOMENTUM(z), c, z.c - c, mean, inverse, running_mean, running_var);
}
#endif

/* The pixels and channels that a work-item of an op without sums takes: a part of the batch's pixels or, spread, a vector of one
 * pixel's channels, of which there are whole vectors. */
typedef struct {
    int begin, end;
    int first_c, end_c;
} span;

static inline span span_of(const norm_sizes z)
{
#ifdef SPREAD
    const int vectors = z.c / VEC, pixel = (int)get_global_id(0) / vectors, c = (int)get_global_id(0) % vectors * VEC;
    return (span){pixel, min(pixel + 1, z.parts), c, c + 1}; /* the last group has items beyond the last pixel */
#else
    const long part = (long)get_global_id(0), all = (long)z.n * z.pixels;
    return (span){(int)(all * part / z.parts), (int)(all * (part + 1) / z.parts), 0, z.c};
#endif
}

/* Work-item (span): y = f((x - mean) scale + shift + addend), channel by channel, a few vectors of them side by side. */
static inline void apply(const norm_sizes z, global const stored *x, global const real *mean, global const real *variance,
                         global const real *inverse, global const real *weight, global const real *bias,
                         global const stored *addend, global stored *y, global stored *before)
{
    const span part = span_of(z);
    for (int first = part.first_c; first < part.end_c; first += BESIDE * VEC) {
        realv middle[BESIDE], scale[BESIDE], shift[BESIDE];
        EACH_BESIDE(v, first, part.end_c)
        {
            const int c = first + v * VEC, lanes = z.c - c;
            const realv narrow = inverse ? load_lanes(inverse + c, lanes)
                                         : (realv)1 / sqrt(load_lanes(variance + c, lanes) + (realv)EPSILON(z));
            middle[v] = load_lanes(mean + c, lanes);
            scale[v] = narrow * load_lanes(weight + c, lanes);
            shift[v] = load_lanes(bias + c, lanes);
        }
        for (int i = part.begin; i < part.end; i++) EACH_BESIDE(v, first, part.end_c)
        {
            const int c = first + v * VEC, lanes = z.c - c;
            const size_t at = (size_t)i * z.c + c;
            realv sum = (LOAD(x + at) - middle[v]) * scale[v] + shift[v];
            if (addend) sum += load_lanes(addend + at, lanes);
            if (before) store_lanes(sum, lanes, before + at);
            store_lanes(activate(sum), lanes, y + at);
        }
    }
}

#ifdef OP_batchnorm_forward
kernel void batchnorm_forward(const norm_sizes given, global const stored *restrict x, global const real *restrict mean,
                              global const real *restrict inverse, global const real *restrict weight,
                              global const real *restrict bias, global const stored *restrict addend,
                              global stored *restrict y, global stored *restrict before)
{
    const norm_sizes z = SIZES(given);
    apply(z, x, mean, 0, inverse, weight, bias, addend, y, before);
}
#endif

#ifdef OP_batchnorm_inference
kernel void batchnorm_inference(const norm_sizes given, global const stored *restrict x, global const real *restrict mean,
                                global const real *restrict variance, global const real *restrict weight,
                                global const real *restrict bias, global const stored *restrict addend,
                                global stored *restrict y, global stored *restrict before)
{
    const norm_sizes z = SIZES(given);
    apply(z, x, mean, variance, 0, weight, bias, addend, y, before);
}
#endif

#ifdef OP_batchnorm_gradients
/* Work-group (vectors of channels, part). partial: [part][dw, db][padded c] */
kernel SUM_GROUP void batchnorm_gradients_parts(const norm_sizes given, global const stored *restrict dy,
                                                global const stored *restrict x, global const real *restrict mean,
                                                global const real *restrict inverse, global real *restrict dw,
                                                global real *restrict db, global const int *restrict step,
                                                global real *restrict partial TREE)
{
    const norm_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int c = FIRST_COLUMN(ACROSS);
    norm_gradients sums;
    UNROLL for (int v = 0; v < BESIDE; v++)
    {
        const int lanes = z.c - c - v * VEC;
        sums.mean[v] = load_lanes(mean + c + v * VEC, lanes);
        sums.inverse[v] = load_lanes(inverse + c + v * VEC, lanes);
        sums.weight[v] = sums.bias[v] = (realv)0;
    }
    add_norm_gradients(dy, x, c, z.c, my_turns(step[STEP_VALID] * z.pixels, z.parts, z.c, ACROSS, DOWN), &sums);
    put_norm_gradients(&sums, c, z.c, tree, partial);
}

/* Work-group (vectors of channels) */
kernel LAST_GROUP void batchnorm_gradients_sum(const norm_sizes given, global const stored *restrict dy,
                                               global const stored *restrict x, global const real *restrict mean,
                                               global const real *restrict inverse, global real *restrict dw,
                                               global real *restrict db, global const int *restrict step,
                                               global real *restrict partial TREE)
{
    const norm_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    add_two_sums(partial, z.parts, z.c, LAST_ACROSS, LAST_DOWN, tree, dw, db);
}
#endif

#ifdef OP_batchnorm_input_gradient
/* Work-item (span) */
kernel void batchnorm_input_gradient(const norm_sizes given, global const stored *restrict dy,
                                     global const stored *restrict x, global const real *restrict mean,
                                     global const real *restrict inverse, global const real *restrict weight,
                                     global const real *restrict dw, global const real *restrict db,
                                     global const int *restrict step, global stored *restrict dx)
{
    const norm_sizes z = SIZES(given);
    const int valid = step[STEP_VALID] * z.pixels;
    const span part = span_of(z);
    for (int first = part.first_c; first < part.end_c; first += BESIDE * VEC) {
        realv middle[BESIDE], narrow[BESIDE], scale[BESIDE], shift[BESIDE], tilt[BESIDE];
        EACH_BESIDE(v, first, part.end_c)
        {
            const int c = first + v * VEC, lanes = z.c - c;
            middle[v] = load_lanes(mean + c, lanes);
            narrow[v] = load_lanes(inverse + c, lanes);
            scale[v] = narrow[v] * load_lanes(weight + c, lanes);
            shift[v] = load_lanes(db + c, lanes) / (realv)valid;
            tilt[v] = load_lanes(dw + c, lanes) / (realv)valid;
        }
        for (int i = part.begin; i < part.end; i++) EACH_BESIDE(v, first, part.end_c)
        {
            const int c = first + v * VEC, lanes = z.c - c;
            const size_t at = (size_t)i * z.c + c;
            const realv here = LOAD(x + at), normal = (here - middle[v]) * narrow[v];
            const realv g = scale[v] * (LOAD(dy + at) - shift[v] - normal * tilt[v]);
            store_lanes(i < valid ? deactivate(g, here) : (realv)0, lanes, dx + at);
        }
    }
}
#endif
