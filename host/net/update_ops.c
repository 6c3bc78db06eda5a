/* The ops that come after a batch's gradients: what shards and micro-batches made is added up, measured, and each
 * optimiser's step is taken. */
#include <stdio.h>

#include "net/build.h"
#include "ops/muon.h"

static const int scalar[4] = {1, 1, 1, 1};

/* ---- shards and micro-batches */

/* Adds up what `from` has after each part of a whole: *sum, a new tensor of this name, or `from` where that is empty.
 */
static clt_status add_accumulate_op(clt__net *net, int from, const char *name, int *sum, clt_error *error)
{
    const int count = net->tape.tensor[from].count;
    const update_sizes sizes = {.count = count};
    *sum = from;
    if (!count) return CLT_OK;
    TRY(clt__net_add_flat(net, name, CLT__REALS, count, sum, error));
    const int tensor[] = {[ACCUMULATE_GRADIENT] = from, [ACCUMULATE_STEP] = net->step, [ACCUMULATE_SUM] = *sum};
    return CLT__ADD_OP(&net->tape, &clt__accumulate_op, "", sizes, tensor, error);
}

/* How many numbers layers keep from step to step by their own ops, where batches have shards. */
static int running_count(const clt__net *net)
{
    return net->running >= 0 ? net->tape.tensor[net->running].count : 0;
}

/* Each shard begins with what layers kept before the step, ... */
clt_status clt__net_add_restore_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = running_count(net)};
    if (!sizes.count) return CLT_OK;
    TRY(clt__net_add_flat(net, "update.running_before", CLT__REALS, sizes.count, &net->running_before, error));
    const int tensor[] = {
        [RESTORE_BEFORE] = net->running_before, [RESTORE_STEP] = net->step, [RESTORE_RUNNING] = net->running};
    return CLT__ADD_OP(&net->tape, &clt__restore_op, "", sizes, tensor, error);
}

/* ... and the step leaves the mean of what the shards have made of it. */
static clt_status add_settle_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = running_count(net)};
    if (!sizes.count) return CLT_OK;
    const int tensor[] = {[SETTLE_SUM] = net->running_sum,
                          [SETTLE_STEP] = net->step,
                          [SETTLE_RUNNING] = net->running,
                          [SETTLE_BEFORE] = net->running_before};
    return CLT__ADD_OP(&net->tape, &clt__settle_op, "", sizes, tensor, error);
}

static clt_status add_gather_ops(clt__net *net, clt_error *error)
{
    TRY(add_accumulate_op(net, net->of_shard, "update.of_batch", &net->of_batch, error));
    if (!running_count(net)) return CLT_OK;
    return add_accumulate_op(net, net->running, "update.running_sum", &net->running_sum, error);
}

/* ---- optimisers: what they step along */

int clt__net_trained(const clt__net *net, int after)
{
    for (int i = after + 1; i < (int)net->tape.tensor_count; i++)
        if (net->tape.tensor[i].root == net->parameters && i != net->parameters) return i;
    return -1;
}

/* Each tensor moves along its part of the direction by its trust ratio. */
static clt_status add_trust_ops(clt__net *net, update_sizes sizes, int direction, int hyper, clt_error *error)
{
    int trust;
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) sizes.tensors++;
    TRY(clt__net_add_flat(net, "update.segments", CLT__INTS, SEGMENT_LENGTH * sizes.tensors, &net->segments, error));
    TRY(clt__net_add_flat(net, "update.owners", CLT__INTS, (sizes.count + UPDATE_BLOCK - 1) / UPDATE_BLOCK,
                          &net->owners, error));
    TRY(clt__net_add_flat(net, "update.trust", CLT__REALS, sizes.tensors, &trust, error));
    const int ratio[] = {[TRUST_RATIO_WEIGHTS] = net->parameters,
                         [TRUST_RATIO_DIRECTION] = direction,
                         [TRUST_RATIO_SEGMENTS] = net->segments,
                         [TRUST_RATIO_TRUST] = trust};
    TRY(CLT__ADD_OP(&net->tape, &clt__trust_ratio_op, "", sizes, ratio, error));
    const int step[] = {[TRUST_STEP_WEIGHTS] = net->parameters,
                        [TRUST_STEP_DIRECTION] = direction,
                        [TRUST_STEP_OWNERS] = net->owners,
                        [TRUST_STEP_TRUST] = trust,
                        [TRUST_STEP_HYPER] = hyper,
                        [TRUST_STEP_RATES] = net->rates};
    return CLT__ADD_OP(&net->tape, &clt__trust_step_op, "", sizes, step, error);
}

static const clt__optimizer_row *chosen(const clt__net *net, const clt__net_options *options, int tensor)
{
    const clt__tensor *t = &net->tape.tensor[tensor];
    return clt__choose_optimizer(options->optimizer, options->optimizers, t->name, t->shown);
}

void clt__net_matrix(const clt__tensor *tensor, int *place, int *gram, int32_t row[MATRIX_LENGTH])
{
    const int filters = tensor->extent[0], values = tensor->count / filters;
    const bool flipped = filters > values;
    row[MATRIX_FIRST] = tensor->offset;
    row[MATRIX_PLACE] = *place;
    row[MATRIX_GRAM] = *gram;
    row[MATRIX_ROWS] = flipped ? filters : values;
    row[MATRIX_COLUMNS] = flipped ? values : filters;
    row[MATRIX_FLIPPED] = flipped;
    row[MATRIX_FILTER] = tensor->shown == CLT__SHOWN_FILTER;
    *place += tensor->count;
    *gram += row[MATRIX_COLUMNS] * row[MATRIX_COLUMNS];
}

/* What lies where while matrices become orthogonal: two that take turns, and the Gram matrix and its polynomial. */
typedef struct muon_tensors {
    int direction, norms, x[2], gram, square;
} muon_tensors;

static clt_status add_muon_tensors(clt__net *net, const clt__net_options *options, muon_sizes *sizes, muon_tensors *t,
                                   clt_error *error)
{
    int elements = 0, squares = 0;
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) {
        int32_t row[MATRIX_LENGTH];
        if (!chosen(net, options, i)->orthogonalizes) continue;
        clt__net_matrix(&net->tape.tensor[i], &elements, &squares, row);
        sizes->matrices++;
        if (row[MATRIX_ROWS] > sizes->rows) sizes->rows = row[MATRIX_ROWS];
        if (row[MATRIX_COLUMNS] > sizes->columns) sizes->columns = row[MATRIX_COLUMNS];
    }
    TRY(clt__net_add_flat(net, "update.matrices", CLT__INTS, MATRIX_LENGTH * sizes->matrices, &net->matrices, error));
    TRY(clt__net_add_flat(net, "update.norms", CLT__REALS, 2 * sizes->matrices, &t->norms, error));
    TRY(clt__net_add_flat(net, "update.x", CLT__REALS, elements, &t->x[0], error));
    TRY(clt__net_add_flat(net, "update.y", CLT__REALS, elements, &t->x[1], error));
    TRY(clt__net_add_flat(net, "update.gram", CLT__REALS, squares, &t->gram, error));
    return clt__net_add_flat(net, "update.square", CLT__REALS, squares, &t->square, error);
}

/* A Newton-Schulz iteration, from `x` to `y`. */
static clt_status add_iteration_ops(clt__net *net, const muon_sizes *sizes, const muon_tensors *t, int x, int y,
                                    clt_error *error)
{
    const int gram[] = {[MUON_GRAM_X] = x, [MUON_GRAM_MATRICES] = net->matrices, [MUON_GRAM_GRAM] = t->gram};
    const int square[] = {
        [MUON_SQUARE_GRAM] = t->gram, [MUON_SQUARE_MATRICES] = net->matrices, [MUON_SQUARE_SQUARE] = t->square};
    const int apply[] = {
        [MUON_APPLY_X] = x, [MUON_APPLY_SQUARE] = t->square, [MUON_APPLY_MATRICES] = net->matrices, [MUON_APPLY_Y] = y};
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_gram_op, "", *sizes, gram, error));
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_square_op, "", *sizes, square, error));
    return CLT__ADD_OP(&net->tape, &clt__muon_apply_op, "", *sizes, apply, error);
}

/* Each matrix moves along what is nearly the orthogonal one next to its part of the direction. */
static clt_status add_muon_ops(clt__net *net, const clt__net_options *options, int direction, int hyper,
                               clt_error *error)
{
    muon_sizes sizes = {.normalize = options->normalize_filters, .by_name = options->rates};
    muon_tensors t;
    TRY(add_muon_tensors(net, options, &sizes, &t, error));
    const int norms[] = {[MUON_NORMS_WEIGHTS] = net->parameters,
                         [MUON_NORMS_DIRECTION] = direction,
                         [MUON_NORMS_MATRICES] = net->matrices,
                         [MUON_NORMS_NORMS] = t.norms};
    const int begin[] = {[MUON_BEGIN_DIRECTION] = direction,
                         [MUON_BEGIN_NORMS] = t.norms,
                         [MUON_BEGIN_MATRICES] = net->matrices,
                         [MUON_BEGIN_X] = t.x[0]};
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_norms_op, "", sizes, norms, error));
    TRY(CLT__ADD_OP(&net->tape, &clt__muon_begin_op, "", sizes, begin, error));
    for (int i = 0; i < options->ns_steps; i++)
        TRY(add_iteration_ops(net, &sizes, &t, t.x[i % 2], t.x[(i + 1) % 2], error));
    const int step[] = {[MUON_STEP_WEIGHTS] = net->parameters,
                        [MUON_STEP_X] = t.x[options->ns_steps % 2],
                        [MUON_STEP_NORMS] = t.norms,
                        [MUON_STEP_MATRICES] = net->matrices,
                        [MUON_STEP_HYPER] = hyper,
                        [MUON_STEP_DECAYS] = net->decays,
                        [MUON_STEP_RATES] = net->rates};
    return CLT__ADD_OP(&net->tape, &clt__muon_step_op, "", sizes, step, error);
}

/* ---- the optimisers of a net */

static clt_status add_ema_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = net->tape.tensor[net->parameters].count};
    TRY(clt__net_add_flat(net, "update.average", CLT__REALS, sizes.count, &net->average, error));
    const int tensor[] = {[EMA_AVERAGES] = net->average, [EMA_WEIGHTS] = net->parameters, [EMA_HYPER] = net->hyper};
    return CLT__ADD_OP(&net->tape, &clt__ema_op, "", sizes, tensor, error);
}

/* In the order of their rows. */
static clt_status find_updaters(clt__net *net, const clt__net_options *options, clt_error *error)
{
    for (const clt__optimizer_row *const *row = clt__optimizer_rows; *row; row++) {
        bool any = false;
        for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) any = any || chosen(net, options, i) == *row;
        if (!any) continue;
        clt__updater *updater = &net->updater[net->updaters++];
        char name[64];
        updater->optimizer = *row;
        (void)snprintf(name, sizeof name, "update.hyper%s%s", net->updaters > 1 ? "." : "",
                       net->updaters > 1 ? (*row)->name : "");
        TRY(clt__net_add_flat(net, name, CLT__REALS, HYPER_LENGTH, &updater->hyper, error));
    }
    net->hyper = net->updater[0].hyper;
    return CLT_OK;
}

static clt_status add_norm_op(clt__net *net, const update_sizes *sizes, int gradients, clt_error *error)
{
    TRY(clt__tape_add(&net->tape, "update.scale", CLT__REALS, CLT__PLAIN, scalar, 1, -1, &net->scale, error));
    const int norm[] = {
        [GRADIENT_NORM_GRADIENT] = gradients, [GRADIENT_NORM_HYPER] = net->hyper, [GRADIENT_NORM_SCALE] = net->scale};
    return CLT__ADD_OP(&net->tape, &clt__gradient_norm_op, "", *sizes, norm, error);
}

/* Optimisers share the tensors of their states, each using its own parameters' part. */
static clt_status find_state(clt__net *net, const clt__optimizer_row *optimizer, int state, int count, clt_error *error)
{
    char name[64];
    if (net->state[state] >= 0) return CLT_OK;
    (void)snprintf(name, sizeof name, "update.%s", optimizer->state[state].name);
    return clt__net_add_flat(net, name, CLT__REALS, count, &net->state[state], error);
}

static clt_status add_optimizer_ops(clt__net *net, const clt__net_options *options, const clt__updater *updater,
                                    const update_sizes *sizes, int gradients, clt_error *error)
{
    const clt__optimizer_row *optimizer = updater->optimizer;
    int tensor[] = {[UPDATE_WEIGHTS] = net->parameters, [UPDATE_GRADIENT] = gradients, [UPDATE_HYPER] = updater->hyper,
                    [UPDATE_SCALE] = net->scale,        [UPDATE_DECAYS] = net->decays, [UPDATE_RATES] = net->rates,
                    [UPDATE_TAKERS] = net->takers,      [UPDATE_DIRECTION] = -1};
    int operands = UPDATE_STATE;
    for (int i = 0; optimizer->state[i].name; i++) {
        TRY(find_state(net, optimizer, i, sizes->count, error));
        tensor[operands++] = net->state[i];
    }
    int direction = -1;
    if (optimizer->trusts || optimizer->orthogonalizes) {
        TRY(clt__net_add_flat(net, optimizer->trusts ? "update.direction" : "update.direction.muon", CLT__REALS,
                              sizes->count, &direction, error));
        tensor[operands++] = direction;
    }
    TRY(clt__tape_add_op(&net->tape, optimizer->op, "", sizes, CLT__CHECKED_SIZE(*sizes), tensor, operands, error));
    if (optimizer->trusts) return add_trust_ops(net, *sizes, direction, updater->hyper, error);
    return optimizer->orthogonalizes ? add_muon_ops(net, options, direction, updater->hyper, error) : CLT_OK;
}

static clt_status add_unscaling_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = net->tape.tensor[net->parameters].count};
    if (!sizes.count) return CLT_OK; /* nothing to train */
    TRY(clt__net_add_flat(net, "loss.overflown", CLT__REALS, 1, &net->overflown, error));
    const int tensor[] = {
        [UNSCALE_GRADIENT] = net->of_batch, [UNSCALE_SCALE] = net->loss_scale, [UNSCALE_OVERFLOWN] = net->overflown};
    return CLT__ADD_OP(&net->tape, &clt__unscale_op, "", sizes, tensor, error);
}

static clt_status add_measuring_op(clt__net *net, clt_error *error)
{
    const update_sizes sizes = {.count = net->tape.tensor[net->parameters].count};
    if (!sizes.count) return CLT_OK; /* nothing to train */
    TRY(clt__net_add_flat(net, "update.norms", CLT__REALS, CLT__HISTORY_SLOTS / NORM_STEPS, &net->norms, error));
    const int tensor[] = {
        [MEASURED_NORM_GRADIENT] = net->of_batch, [MEASURED_NORM_STEP] = net->step, [MEASURED_NORM_NORMS] = net->norms};
    return CLT__ADD_OP(&net->tape, &clt__measured_norm_op, "", sizes, tensor, error);
}

static clt_status add_step_ops(clt__net *net, const clt__net_options *options, clt_error *error)
{
    const int count = net->tape.tensor[net->parameters].count, gradients = net->of_batch;
    if (!count) return CLT_OK; /* nothing to train */
    update_sizes sizes = {.count = count, .nesterov = options->nesterov, .clip_value = options->clip_value};
    TRY(find_updaters(net, options, error));
    sizes.by_name = options->rates || net->updaters > 1;
    if (options->decay_some) TRY(clt__net_add_flat(net, "update.decays", CLT__REALS, count, &net->decays, error));
    if (options->rates) TRY(clt__net_add_flat(net, "update.rates", CLT__REALS, count, &net->rates, error));
    if (net->updaters > 1)
        TRY(clt__net_add_flat(net, "update.takers", CLT__INTS, (count + UPDATE_BLOCK - 1) / UPDATE_BLOCK, &net->takers,
                              error));
    if (options->clip) TRY(add_norm_op(net, &sizes, gradients, error));
    for (sizes.taker = 0; sizes.taker < net->updaters; sizes.taker++)
        TRY(add_optimizer_ops(net, options, &net->updater[sizes.taker], &sizes, gradients, error));
    return options->average ? add_ema_op(net, error) : CLT_OK;
}

/* ---- all of it */

clt_status clt__net_add_update_ops(clt__net *net, const clt__net_options *options, clt_error *error)
{
    net->of_shard = net->gradients;
    if (options->accumulate) TRY(add_accumulate_op(net, net->gradients, "update.of_shard", &net->of_shard, error));
    net->of_batch = net->of_shard;
    net->gather = net->tape.op_count;
    if (options->shards > 1) TRY(add_gather_ops(net, error));
    net->unscale = net->tape.op_count;
    if (net->running_sum >= 0) TRY(add_settle_op(net, error));
    if (options->halves) TRY(add_unscaling_op(net, error));
    net->measure = net->tape.op_count;
    if (options->measures) TRY(add_measuring_op(net, error));
    net->update = net->tape.op_count;
    TRY(add_step_ops(net, options, error));
    net->end = net->tape.op_count;
    return CLT_OK;
}
