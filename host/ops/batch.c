/* Gathering and normalising a batch. Formula: kernels/batch.cl. */
#include "ops/bounds.h"
#include "ops/input.h"
#include "ops/launch.h"

enum { IMAGES, LABELS, TARGETS, ORDER, STEP, NORMALIZE, X, LABEL, TARGET };

/* x[n,h,w,c] = (images[order[first + n], h,w,c] / 255 - mean[c]) / deviation[c] */
static void gather_image(const batch_sizes *z, const clt__array *operand, size_t to, size_t from)
{
    const double *mean = operand[NORMALIZE].real, *deviation = mean + z->c;
    const size_t values = (size_t)z->h * (size_t)z->w * (size_t)z->c;
    for (size_t i = 0; i < values; i++) {
        const size_t c = i % (size_t)z->c, at = to * values + i;
        const double value =
            z->bytes ? operand[IMAGES].byte[from * values + i] / 255.0 : operand[IMAGES].real[from * values + i];
        operand[X].real[at] = (value - mean[c]) / deviation[c];
        if (operand[X].slack)
            operand[X].slack[at] =
                ((z->bytes ? CLT__DIVIDE_SLACK : 0) * fabs(value) + fabs(value - mean[c])) / deviation[c] +
                CLT__DIVIDE_SLACK * fabs(operand[X].real[at]);
    }
}

/* Where in the order the image for place n of the batch stands. */
static size_t place_of(bool partner, size_t n, const int32_t *step)
{
    const size_t first = (size_t)step[STEP_FIRST], before = (size_t)step[STEP_BEFORE];
    if (!partner) return first + n;
    return first - before + (before + n + (size_t)step[STEP_SHIFT]) % (size_t)step[STEP_WHOLE];
}

static void twin(const void *sizes, const clt__array *operand)
{
    const batch_sizes *z = sizes;
    const int32_t *step = operand[STEP].integer;
    const size_t values = (size_t)z->h * (size_t)z->w * (size_t)z->c, outputs = (size_t)z->outputs;
    for (size_t n = 0; n < (size_t)z->n; n++) {
        const bool valid = n < (size_t)step[STEP_VALID];
        const size_t image = valid ? (size_t)operand[ORDER].integer[place_of(z->partner, n, step)] : 0;
        if (valid) gather_image(z, operand, n, image);
        for (size_t i = 0; i < values && !valid; i++) operand[X].real[n * values + i] = 0;
        if (operand[LABEL].integer) operand[LABEL].integer[n] = valid ? operand[LABELS].integer[image] : 0;
        for (size_t k = 0; k < outputs; k++)
            operand[TARGET].real[n * outputs + k] = valid ? operand[TARGETS].real[image * outputs + k] : 0;
    }
}

static clt_status plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const batch_sizes *z = sizes;
    plan->file = "batch.cl";
    clt__plan_pixel_runs("batch", z->bytes ? " -DBYTES" : "", limits, z->n, z->h, z->w, plan);
    return CLT_OK;
}

const clt__op_row clt__batch_op = {
    .name = "batch",
    .operand = {{"images", CLT__READ},
                {"labels", CLT__READ},
                {"targets", CLT__READ},
                {"order", CLT__READ},
                {"step", CLT__READ},
                {"normalize", CLT__READ},
                {"x", CLT__WRITE},
                {"label", CLT__WRITE},
                {"target", CLT__WRITE}},
    .twin = twin,
    .plan = plan,
};
