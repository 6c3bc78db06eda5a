/* Normalisation of each image by itself, channels last: its channels in `groups` equal parts, each by the mean and variance
 * of all its pixels (Wu and He 2018). m: elements of a group, g: the group of c. A layer that normalises an image as a whole
 * (Ba, Kiros and Hinton 2016) has one group, and one pixel, whose channels are all of the image's elements.
 *
 *   statistics      mean[n,g] = sum x / m,   inverse[n,g] = 1 / sqrt(sum (x - mean)^2 / m + epsilon)
 *   forward         y = f( (x - mean) inverse weight[c] + bias[c] + a )   (a: an addend, another value of that shape)
 *   gradients       db[c] = sum over n and pixels of dy,   dw[c] = sum of dy (x - mean) inverse
 *   input sums      shift[n,g] = sum dy weight[c] / m,   tilt[n,g] = sum dy weight[c] (x - mean) inverse / m
 *   input gradient  dx = f'(x) inverse (dy weight[c] - shift - (x - mean) inverse tilt)
 *
 * weight and bias may be NULL: 1 and 0. Sums over a group go over parts of it, a work-item each, then over the parts in order
 * (the tile schedule's are in group_norm_tile.cl); variances are merged exactly (Chan, Golub and LeVeque 1979). Reads past the last channel stay inside the tensor or its
 * guard, and their lanes are never stored. */
#include "sums.h"
#include "pixel.h"
#include "activations.h"

/* ---- sums over a group */

/* Neighbouring elements of a group: where they lie in the tensor, and their first channel. */
typedef struct {
    size_t at;
    int c, count;
} run;

/* The run that begins at element `from` of a group, and ends before `end`. */
static inline run run_at(const group_norm_sizes z, const int row, const int from, const int end)
{
    const int width = z.c / z.groups, pixel = from / width, c = row % z.groups * width + from % width;
    const run r = {((size_t)(row / z.groups) * z.pixels + pixel) * z.c + c, c, min(width - from % width, end - from)};
    return r;
}

static inline real add_up(const realv sums)
{
    real lane[VEC], sum = 0;
    STORE(sums, lane);
    for (int i = 0; i < VEC; i++) sum += lane[i];
    return sum;
}

/* The work-item's part of a group: elements begin .. end of row (image, group) `row`. */
typedef struct {
    int row, begin, end;
} part_of_group;

static inline part_of_group my_part(const group_norm_sizes z)
{
    const int id = (int)get_global_id(0), part = id % z.parts, all = z.pixels * (z.c / z.groups);
    return (part_of_group){id / z.parts, part_begin(all, part, z.parts), part_begin(all, part + 1, z.parts)};
}

#ifdef OP_group_norm_statistics
/* Work-item (part of a group). partial: [image][group][part][mean, squares] */
kernel void group_norm_statistics_parts(const group_norm_sizes given, global const stored *restrict x,
                                        global real *restrict mean, global real *restrict inverse,
                                        global real *restrict partial)
{
    const group_norm_sizes z = SIZES(given);
    const part_of_group p = my_part(z);
    if (p.row >= z.n * z.groups) return;
    realv sums = 0, squares = 0;
    real rest = 0, square_rest = 0;
    for (int e = p.begin; e < p.end;) {
        const run r = run_at(z, p.row, e, p.end);
        int i = 0;
        for (; i + VEC <= r.count; i += VEC) sums += LOAD(x + r.at + i);
        for (; i < r.count; i++) rest += GET(x + r.at + i);
        e += r.count;
    }
    const real middle = (add_up(sums) + rest) / (p.end - p.begin);
    for (int e = p.begin; e < p.end;) {
        const run r = run_at(z, p.row, e, p.end);
        int i = 0;
        for (; i + VEC <= r.count; i += VEC) {
            const realv deviation = LOAD(x + r.at + i) - middle;
            squares += deviation * deviation;
        }
        for (; i < r.count; i++) square_rest += (GET(x + r.at + i) - middle) * (GET(x + r.at + i) - middle);
        e += r.count;
    }
    partial[2 * get_global_id(0)] = middle;
    partial[2 * get_global_id(0) + 1] = add_up(squares) + square_rest;
}

/* Work-item (group) */
kernel void group_norm_statistics_merge(const group_norm_sizes given, global const stored *restrict x,
                                        global real *restrict mean, global real *restrict inverse,
                                        global real *restrict partial)
{
    const group_norm_sizes z = SIZES(given);
    const int row = (int)get_global_id(0), all = z.pixels * (z.c / z.groups);
    if (row >= z.n * z.groups) return;
    real middle = 0, squares = 0;
    for (int part = 0; part < z.parts; part++) {
        const int before = part_begin(all, part, z.parts), count = part_begin(all, part + 1, z.parts) - before;
        global const real *one = partial + 2 * ((size_t)row * z.parts + part);
        const real apart = one[0] - middle, share = (real)count / (before + count);
        middle += apart * share;
        squares += one[1] + apart * apart * (before * share);
    }
    mean[row] = middle;
    inverse[row] = 1 / sqrt(squares / all + real_of(z.epsilon));
}
#endif

#ifdef OP_group_norm_input_sums
/* Work-item (part of a group). partial: [image][group][part][shift, tilt] */
kernel void group_norm_input_sums_parts(const group_norm_sizes given, global const stored *restrict dy,
                                        global const stored *restrict x, global const real *restrict mean,
                                        global const real *restrict inverse, global const real *restrict weight,
                                        global real *restrict shift, global real *restrict tilt,
                                        global real *restrict partial)
{
    const group_norm_sizes z = SIZES(given);
    const part_of_group p = my_part(z);
    if (p.row >= z.n * z.groups) return;
    const real middle = mean[p.row], narrow = inverse[p.row];
    realv shifts = 0, tilts = 0;
    real shift_rest = 0, tilt_rest = 0;
    for (int e = p.begin; e < p.end;) {
        const run r = run_at(z, p.row, e, p.end);
        int i = 0;
        for (; i + VEC <= r.count; i += VEC) {
            const realv g = weight ? LOAD(dy + r.at + i) * LOAD(weight + r.c + i) : LOAD(dy + r.at + i);
            shifts += g;
            tilts += g * ((LOAD(x + r.at + i) - middle) * narrow);
        }
        for (; i < r.count; i++) {
            const real g = weight ? GET(dy + r.at + i) * weight[r.c + i] : GET(dy + r.at + i);
            shift_rest += g;
            tilt_rest += g * ((GET(x + r.at + i) - middle) * narrow);
        }
        e += r.count;
    }
    partial[2 * get_global_id(0)] = add_up(shifts) + shift_rest;
    partial[2 * get_global_id(0) + 1] = add_up(tilts) + tilt_rest;
}

/* Work-item (group) */
kernel void group_norm_input_sums_add(const group_norm_sizes given, global const stored *restrict dy,
                                      global const stored *restrict x, global const real *restrict mean,
                                      global const real *restrict inverse, global const real *restrict weight,
                                      global real *restrict shift, global real *restrict tilt,
                                      global real *restrict partial)
{
    const group_norm_sizes z = SIZES(given);
    const int row = (int)get_global_id(0), all = z.pixels * (z.c / z.groups);
    if (row >= z.n * z.groups) return;
    real shifts = 0, tilts = 0;
    for (int part = 0; part < z.parts; part++) {
        shifts += partial[2 * ((size_t)row * z.parts + part)];
        tilts += partial[2 * ((size_t)row * z.parts + part) + 1];
    }
    shift[row] = shifts / all;
    tilt[row] = tilts / all;
}
#endif

/* ---- element by element, and sums over images */

/* Each lane's value of its group, in image n, for the channels from c on. */
static inline realv by_group(const group_norm_sizes z, global const real *values, const int n, const int c,
                             const int lanes)
{
    if (z.groups == 1) return (realv)values[n];
    real lane[VEC];
    for (int i = 0; i < VEC; i++) lane[i] = values[n * z.groups + (c + min(i, lanes - 1)) / (z.c / z.groups)];
    return LOAD(lane);
}

#ifdef OP_group_norm_forward
/* Work-item (vector of channels of a pixel) */
kernel void group_norm_forward(const group_norm_sizes given, global const stored *restrict x,
                               global const real *restrict mean, global const real *restrict inverse,
                               global const real *restrict weight, global const real *restrict bias,
                               global const stored *restrict addend, global stored *restrict y,
                               global stored *restrict before)
{
    const group_norm_sizes z = SIZES(given);
    const place p = place_of(z.n, z.pixels, 1, z.c);
    if (p.lanes <= 0) return;
    realv sum = (load_lanes(x + p.at, p.lanes) - by_group(z, mean, p.n, p.c, p.lanes)) *
                by_group(z, inverse, p.n, p.c, p.lanes);
    if (weight) sum = sum * load_lanes(weight + p.c, p.lanes) + load_lanes(bias + p.c, p.lanes);
    if (addend) sum += load_lanes(addend + p.at, p.lanes);
    if (before) store_lanes(sum, p.lanes, before + p.at);
    store_lanes(activate(sum), p.lanes, y + p.at);
}
#endif

#ifdef OP_group_norm_input_gradient
/* Work-item (vector of channels of a pixel) */
kernel void group_norm_input_gradient(const group_norm_sizes given, global const stored *restrict dy,
                                      global const stored *restrict x, global const real *restrict mean,
                                      global const real *restrict inverse, global const real *restrict weight,
                                      global const real *restrict shift, global const real *restrict tilt,
                                      global stored *restrict dx)
{
    const group_norm_sizes z = SIZES(given);
    const place p = place_of(z.n, z.pixels, 1, z.c);
    if (p.lanes <= 0) return;
    const realv here = load_lanes(x + p.at, p.lanes), narrow = by_group(z, inverse, p.n, p.c, p.lanes);
    const realv normal = (here - by_group(z, mean, p.n, p.c, p.lanes)) * narrow;
    realv g = load_lanes(dy + p.at, p.lanes);
    if (weight) g *= load_lanes(weight + p.c, p.lanes);
    g -= by_group(z, shift, p.n, p.c, p.lanes) + normal * by_group(z, tilt, p.n, p.c, p.lanes);
    store_lanes(deactivate(g * narrow, here), p.lanes, dx + p.at);
}
#endif

#ifdef OP_group_norm_gradients
/* Work-group (vectors of channels, part of all images' pixels). partial: [part][dw, db][padded c] */
kernel SUM_GROUP void group_norm_gradients_parts(const group_norm_sizes given, global const stored *restrict dy,
                                                 global const stored *restrict x, global const real *restrict mean,
                                                 global const real *restrict inverse, global real *restrict dw,
                                                 global real *restrict db, global real *restrict partial TREE)
{
    const group_norm_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int c = FIRST_COLUMN(ACROSS);
    const turns t = my_turns(z.n * z.pixels, z.parts, z.c, ACROSS, DOWN);
    norm_gradients sums;
    UNROLL for (int v = 0; v < BESIDE; v++) sums.weight[v] = sums.bias[v] = (realv)0;
    for (int i = t.first; i < t.end;) {
        const int n = i / z.pixels, last = min(t.end, (n + 1) * z.pixels);
        EACH_BESIDE(v, c, z.c)
        {
            sums.mean[v] = by_group(z, mean, n, c + v * VEC, z.c - c - v * VEC);
            sums.inverse[v] = by_group(z, inverse, n, c + v * VEC, z.c - c - v * VEC);
        }
        add_norm_gradients(dy, x, c, z.c, (turns){i, last, t.step}, &sums);
        i += (last - i + t.step - 1) / t.step * t.step;
    }
    put_norm_gradients(&sums, c, z.c, tree, partial);
}

/* Work-group (vectors of channels) */
kernel LAST_GROUP void group_norm_gradients_add(const group_norm_sizes given, global const stored *restrict dy,
                                                global const stored *restrict x, global const real *restrict mean,
                                                global const real *restrict inverse, global real *restrict dw,
                                                global real *restrict db, global real *restrict partial TREE)
{
    const group_norm_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    add_two_sums(partial, z.parts, z.c, LAST_ACROSS, LAST_DOWN, tree, dw, db);
}
#endif
