/* Gathering and normalising a batch. Formula: kernels/batch.cl. */
#include "ops/batch.h"
#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/pad.h"

_Static_assert((int)STEP_MOVE < (int)STEP_LENGTH, "a step's numbers fit");

/* x[n,h,w,c] = (images[order[first + n], h,w,c] / 255 - mean[c]) / deviation[c], mirrored and moved or not */
static void gather_image(const batch_sizes *z, const clt__array *operand, size_t to, size_t from, const int32_t *step)
{
    const double *mean = operand[BATCH_NORMALIZE].real, *deviation = mean + z->c;
    const size_t values = (size_t)z->h * (size_t)z->w * (size_t)z->c;
    for (size_t i = 0; i < values; i++) {
        const size_t c = i % (size_t)z->c, at = to * values + i;
        const int right = (int)(i / (size_t)z->c) % z->w, down = (int)(i / (size_t)z->c) / z->w;
        const int row = clt__border_source(PAD_REFLECT, down - step[STEP_MOVE], z->h),
                  column = clt__border_source(PAD_REFLECT,
                                              (step[STEP_MIRROR] ? z->w - 1 - right : right) - step[STEP_MOVE], z->w);
        const size_t pixel = from * values + ((size_t)row * (size_t)z->w + (size_t)column) * (size_t)z->c + c;
        const double value = z->bytes ? operand[BATCH_IMAGES].byte[pixel] / 255.0 : operand[BATCH_IMAGES].real[pixel];
        const double apart = value - mean[c], x = apart / deviation[c];
        const double slack = (z->bytes ? CLT__DIVIDE_SLACK : 0) * fabs(value) + fabs(apart);
        clt__put(&operand[BATCH_X], at, (clt__near){x, slack / deviation[c] + CLT__DIVIDE_SLACK * fabs(x)});
    }
}

size_t clt__batch_position(bool partner, size_t place, const int32_t *step)
{
    const size_t n = place < (size_t)step[STEP_VALID] ? place : 0;
    const size_t first = (size_t)step[STEP_FIRST], before = (size_t)step[STEP_BEFORE];
    if (!partner) return first + n;
    return first - before + (before + n + (size_t)step[STEP_SHIFT]) % (size_t)step[STEP_WHOLE];
}

static void twin(const void *sizes, const clt__array *operand)
{
    const batch_sizes *z = sizes;
    const int32_t *step = operand[BATCH_STEP].integer;
    const size_t values = (size_t)z->h * (size_t)z->w * (size_t)z->c, outputs = (size_t)z->outputs;
    for (size_t n = 0; n < (size_t)z->n; n++) {
        const bool some = step[STEP_VALID] > 0;
        const bool valid = n < (size_t)step[STEP_VALID];
        const size_t position = clt__batch_position(z->partner, n, step),
                     image = some ? (size_t)operand[BATCH_ORDER].integer[position] : 0;
        if (some) gather_image(z, operand, n, image, step);
        for (size_t i = 0; i < values && !some; i++) operand[BATCH_X].real[n * values + i] = 0;
        if (operand[BATCH_LABEL].integer)
            operand[BATCH_LABEL].integer[n] = valid ? operand[BATCH_LABELS].integer[image] : 0;
        for (size_t k = 0; k < outputs; k++)
            operand[BATCH_TARGET].real[n * outputs + k] = valid ? operand[BATCH_TARGETS].real[image * outputs + k] : 0;
    }
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const batch_sizes *z = sizes;
    if (z->bytes) clt__define(to, " -DBYTES");
    clt__launch_pixel_runs("batch.cl", limits, z->n, z->h, z->w, to);
}

const clt__op_row clt__batch_op = {
    .name = "batch",
    .operand = {[BATCH_IMAGES] = {"images", CLT__READ},
                [BATCH_LABELS] = {"labels", CLT__READ},
                [BATCH_TARGETS] = {"targets", CLT__READ},
                [BATCH_ORDER] = {"order", CLT__READ},
                [BATCH_STEP] = {"step", CLT__READ},
                [BATCH_NORMALIZE] = {"normalize", CLT__READ},
                [BATCH_X] = {"x", CLT__WRITE},
                [BATCH_LABEL] = {"label", CLT__WRITE},
                [BATCH_TARGET] = {"target", CLT__WRITE}},
    .stored = CLT__STORED(BATCH_X),
    .twin = twin,
    .launch = launch,
};
