/* Verifying a net: training steps, each op on the device and on the reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/fold_norms.h"
#include "ops/batchnorm.h"
#include "options/ticker.h"
#include "session/loss_scale.h"
#include "session/session.h"
#include "tools/random_data.h"
#include "tools/verifying.h"

enum { BATCHES = 2 }; /* of images: what a batch in two micro-batches takes */

/* Random values, so that no term of an op's formula is hidden by a zero or a one. */
static clt_status randomize(clt_session *session, int tensor, double least, double most, clt_error *error)
{
    const clt__tensor *t = &session->net.tape.tensor[tensor];
    clt__random stream = clt__random_seed(0, t->name, 0);
    double *values;
    TRY(clt__allocate((uint64_t)t->count, sizeof *values, t->name, &values, error));
    for (int i = 0; i < t->count; i++) values[i] = least + (most - least) * clt__random_uniform(&stream);
    const clt_status status = clt__engine_write(session->engine, tensor, 0, t->count, values, error);
    free(values);
    return status;
}

static clt_status is_constant(clt_session *session, int tensor, bool *constant, clt_error *error)
{
    double *values;
    TRY(clt__engine_read_reals(session->engine, tensor, &values, error));
    *constant = true;
    for (int i = 1; i < session->net.tape.tensor[tensor].count; i++) *constant = *constant && values[i] == values[0];
    free(values);
    return CLT_OK;
}

/* Running statistics, and what was not trained yet and is the same throughout (as the weights of batch normalisation
 * begin): a wrong index would not show. */
static clt_status randomize_parameter(clt_session *session, const clt__parameter *parameter, clt_error *error)
{
    bool constant = parameter->state;
    if (!constant) TRY(is_constant(session, parameter->tensor, &constant, error));
    return constant ? randomize(session, parameter->tensor, 0.5, 1.5, error) : CLT_OK;
}

static clt_status randomize_states(clt_session *session, clt_error *error)
{
    for (int i = 0; i < CLT__MAX_STATES && session->net.state[i] >= 0; i++) {
        bool square = false;
        for (int j = 0; j < session->net.updaters; j++)
            square = square || session->net.updater[j].optimizer->state[i].square;
        TRY(randomize(session, session->net.state[i], square ? 0 : -0.01, square ? 1e-4 : 0.01, error));
    }
    return CLT_OK;
}

/* Of the loss: nothing that comes of a net that was not trained should be too large for a half, for of what is infinite
 * little can be said. */
#define MODEST_SCALE 0x1p6

/* What training would have left: parameters, an optimiser's states, a sum of gradients, running statistics, a
 * normalisation. */
static clt_status randomize_state(clt_session *session, clt_error *error)
{
    const clt__net *net = &session->net;
    TRY(randomize(session, net->normalize, 0.25, 0.75, error));
    TRY(randomize_states(session, error));
    if (net->of_batch != net->gradients) TRY(randomize(session, net->of_batch, -1, 1, error));
    if (net->of_shard != net->gradients) TRY(randomize(session, net->of_shard, -1, 1, error));
    if (net->running_sum >= 0) TRY(randomize(session, net->running_sum, 0.5, 1.5, error));
    if (net->running_before >= 0) TRY(randomize(session, net->running_before, 0.5, 1.5, error));
    session->state.scaling.factor = MODEST_SCALE;
    TRY(clt__loss_scale_write(session, error));
    if (net->average >= 0) TRY(randomize(session, net->average, -1, 1, error));
    for (int i = 0; i < net->layers; i++)
        for (int j = 0; j < net->layer[i].parameters; j++)
            TRY(randomize_parameter(session, &net->layer[i].parameter[j], error));
    return CLT_OK;
}

/* Makes the session's images its batch, the last one first. `later` as open_session has it. */
static clt_status place_images(clt_session *session, int images, bool later, clt_error *error)
{
    int32_t *order;
    TRY(clt__allocate((uint64_t)images, sizeof *order, "an order", &order, error));
    for (int i = 0; i < images; i++) order[i] = images - 1 - i;
    const clt_status status = clt__feed_set_order(&session->feed, order, images, 0, error);
    free(order);
    if (status != CLT_OK) return status;
    session->epoch = 1; /* in which alternating flips are the other way round */
    /* One image is left out, so that a short batch is verified too. What comes later adds, and is mirrored and moved.
     */
    const int micro = session->micro_batch, valid = micro > 1 ? micro - 1 : 1;
    const bool is_part = micro < session->batch, adds = is_part && later;
    const int before = is_part ? micro : 0;
    const clt__placement placement = {.first = before,
                                      .valid = valid,
                                      .slot = 3,
                                      .whole = is_part ? session->batch : valid,
                                      .part = adds,
                                      .before = before,
                                      .mirrored = adds,
                                      .moved = adds};
    return clt__session_place(session, &placement, error);
}

/* Opens a session on the samples. `later`: its images are not the first of a larger batch, or shard, of which there is
 * more than fits into a micro-batch. */
static clt_status open_session(const clt_model *model, clt_device *device, const clt_dataset *data,
                               const clt_options *options, clt__session_mode mode, bool later, clt_session **session,
                               clt_error *error)
{
    TRY(clt__session_open(model, device, data, options, mode, session, error));
    clt_status status = randomize_state(*session, error);
    if (status == CLT_OK) status = place_images(*session, (int)data->count, later, error);
    if (status == CLT_OK) return CLT_OK;
    clt_session_close(*session);
    return status;
}

typedef struct report {
    clt_verify_function function;
    void *user;
    clt__ticker ticker; /* counts ops; how many there will be is not known before */
    int64_t ops;
} report;

/* An op as a pass verified it. */
typedef struct verified {
    const clt__op_row *row;
    clt__sizes sizes;
    uint32_t operands; /* a bit for each that there is */
    clt__manner manner;
} verified;

typedef struct verification {
    const clt_model *model;
    clt_device *device;
    const clt_dataset *data; /* BATCHES of them */
    unsigned storage;        /* as the option */
    const char *freeze;      /* so too */
    report *to;
    verified *verified;
    size_t count, capacity;
    size_t before;    /* of these, what earlier passes verified */
    char trained[64]; /* a parameter that is; "" for none */
} verification;

/* ---- which ops a pass verifies; the others only run, for those that follow */

static verified describe(const clt_session *session, size_t index)
{
    const clt__op *op = &session->net.tape.op[index];
    verified described = {.row = op->row, .sizes = op->sizes, .manner = clt__engine_manner(session->engine, index)};
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] >= 0) described.operands |= 1u << i;
    return described;
}

/* Whether to the device they are the same, whatever layers they are of. */
static bool is_same(const verified *a, const verified *b)
{
    return a->row == b->row && memcmp(&a->sizes, &b->sizes, sizeof a->sizes) == 0 && a->operands == b->operands &&
           clt__same_manner(&a->manner, &b->manner);
}

/* Whether no earlier pass has it. */
static bool is_new(const verification *v, const verified *described)
{
    for (size_t i = 0; i < v->before; i++)
        if (is_same(&v->verified[i], described)) return false;
    return true;
}

/* What a pass verifies: what is new; or also what goes by what the step says of its images, as ops of no layer do: the
 * data's, the loss, the update. */
typedef enum wanted { NEW_OPS, AND_OPS_OF_NO_LAYER } wanted;

static bool has_row(const verification *v, const clt__op_row *row)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->verified[i].row == row) return true;
    return false;
}

static clt_status verify_op(verification *v, clt_session *session, size_t index, wanted wants, clt_error *error)
{
    const verified described = describe(session, index);
    const bool of_no_layer = !*session->net.tape.op[index].layer;
    if (!(wants == AND_OPS_OF_NO_LAYER && of_no_layer) && !is_new(v, &described))
        return clt__engine_run(session->engine, index, index + 1, error);
    TRY(clt__grow(&v->verified, &v->capacity, v->count, sizeof *v->verified, error));
    v->verified[v->count++] = described;
    return clt__verify_ops(session, index, index + 1, v->to->function, v->to->user, error);
}

/* Ops first <= op < end. The first mismatch is told, unless the device fails after it. */
static clt_status verify_range(verification *v, clt_session *session, size_t first, size_t end, wanted wants,
                               clt_error *error)
{
    clt_status worst = CLT_OK;
    for (size_t i = first; i < end; i++) {
        clt_error found;
        const clt_status status = verify_op(v, session, i, wants, &found);
        if (status != CLT_OK && (worst == CLT_OK || status != CLT_MISMATCH)) (void)clt__pass_on(&found, error);
        if (status != CLT_OK && status != CLT_MISMATCH) return status;
        if (worst == CLT_OK) worst = status;
        TRY(clt__ticker_tick(&v->to->ticker, ++v->to->ops, error));
    }
    return worst;
}

/* Every tensor is kept, and every gradient computed. */
static const clt__session_mode all_of_it = {
    .training = true, .keep_tensors = true, .input_gradient = true, .measures = true};

static clt_options plain_options(unsigned storage, int batch_size)
{
    clt_options options = clt__options_default();
    options.storage = storage;
    options.batch_size = batch_size;
    options.weight_decay = 1e-3;
    return options;
}

static clt_options options_of(const verification *v)
{
    return plain_options(v->storage, (int)v->data->count / BATCHES);
}

/* Two shards, each as large as the plain batch, so that the ops are those of the plain pass, already built. */
static void cut_into_shards(clt_options *options)
{
    options->micro_batch_size = options->batch_size;
    options->batch_size *= 2;
    options->shards = 2;
}

/* All that can be switched on between the data and the loss. */
static void switch_on_data(const clt_model *model, clt_options *options)
{
    options->augment = (clt__augment){.flip = CLT__FLIP_RANDOM,
                                      .crop = 1,
                                      .shift = 0.2,
                                      .rotate = 30,
                                      .scale = 0.3,
                                      .brightness = 0.3,
                                      .contrast = 0.3,
                                      .saturation = model->input.channels == 3 ? 0.3 : 0,
                                      .cutout = 1,
                                      .erase = 0.5,
                                      .mixup = 1};
    if (!model->description.loss->of_classes) return;
    options->label_smoothing = 0.1;
    options->class_weights.how = CLT__BALANCED;
}

/* ---- passes */

/* Which part of the session's ops, and how. */
typedef clt_status (*run_pass)(verification *v, clt_session *session, clt_error *error);

/* `later` as open_session has it. */
static clt_status verify_pass(verification *v, const clt_options *options, clt__session_mode mode, bool later,
                              run_pass run, clt_error *error)
{
    clt_session *session;
    v->before = v->count;
    TRY(open_session(v->model, v->device, v->data, options, mode, later, &session, error));
    const clt_status status = run(v, session, error);
    clt_session_close(session);
    return status;
}

/* What comes after the last new op need not run. */
static clt_status run_new(verification *v, clt_session *session, clt_error *error)
{
    size_t end = session->net.end;
    for (; end > 0; end--) {
        const verified last = describe(session, end - 1);
        if (is_new(v, &last)) break;
    }
    return verify_range(v, session, 0, end, NEW_OPS, error);
}

static clt_status run_first(verification *v, clt_session *session, clt_error *error)
{
    const clt__net *net = &session->net;
    const int trained = clt__net_trained(net, -1);
    if (trained >= 0) (void)snprintf(v->trained, sizeof v->trained, "%s", net->tape.tensor[trained].name);
    return run_new(v, session, error);
}

/* A step with every tensor and gradient, every op. */
static clt_status verify_plain(verification *v, clt_error *error)
{
    const clt_options options = options_of(v);
    return verify_pass(v, &options, all_of_it, true, run_first, error);
}

static clt_status run_step(verification *v, clt_session *session, clt_error *error)
{
    return verify_range(v, session, 0, session->net.end, AND_OPS_OF_NO_LAYER, error);
}

/* Its loss and update with all that can be switched on. */
static clt_status verify_full(verification *v, clt_error *error)
{
    clt_options options = options_of(v);
    switch_on_data(v->model, &options);
    cut_into_shards(&options);
    options.clip_grad = 0.5;
    options.clip_value = 0.05;
    options.no_decay_bias_norm = true;
    options.ema = 0.9;
    options.nesterov = true;
    return verify_pass(v, &options, all_of_it, true, run_step, error);
}

static clt_status run_data(verification *v, clt_session *session, clt_error *error)
{
    return verify_range(v, session, 0, session->net.forward, AND_OPS_OF_NO_LAYER, error);
}

/* Images that are moved by whole pixels, emptied in part and cut into each other, which begin a shard. */
static clt_status verify_cut(verification *v, clt_error *error)
{
    clt_options options = options_of(v);
    options.augment = (clt__augment){
        .flip = CLT__FLIP_ALTERNATE, .crop = 1, .border = CLT__BORDER_REFLECT, .cutout = 1, .erase = 0.5, .cutmix = 1};
    cut_into_shards(&options);
    return verify_pass(v, &options, all_of_it, false, run_data, error);
}

/* A step as training does it, which computes no more than it needs: other ops are merged then. */
static clt_status verify_training(verification *v, clt_error *error)
{
    clt_options options = options_of(v);
    options.freeze = v->freeze;
    return verify_pass(v, &options, (clt__session_mode){.training = true}, true, run_new, error);
}

/* What only inference runs, first with its batch normalisations, then with them in the layers before. */
static clt_status verify_inference(verification *v, clt_error *error)
{
    const clt_options options = options_of(v);
    TRY(verify_pass(v, &options, (clt__session_mode){0}, true, run_new, error));
    if (!clt__has_norms_to_fold(v->model)) return CLT_OK;
    return verify_pass(v, &options, (clt__session_mode){.fold_norms = true}, true, run_new, error);
}

/* A clt__run_ops on a verification. */
static clt_status run_part(clt_session *session, size_t begin, size_t end, void *user, clt_error *error)
{
    return verify_range(user, session, begin, end, NEW_OPS, error);
}

/* The last shard has an image less. */
static clt_status run_shards(verification *v, clt_session *session, clt_error *error)
{
    const int images = session->batch, valid = images > 2 ? images - 1 : images;
    return clt__session_run_batch(session, 0, valid, 0, run_part, v, error);
}

/* Batch normalisation over shards. */
static clt_status verify_synced(verification *v, clt_error *error)
{
    clt_options options = options_of(v);
    if (!has_row(v, &clt__batchnorm_statistics_op)) return CLT_OK;
    cut_into_shards(&options);
    options.sync_batchnorm = true;
    return verify_pass(v, &options, all_of_it, true, run_shards, error);
}

/* On random gradients. */
static clt_status run_update(verification *v, clt_session *session, clt_error *error)
{
    if (session->net.hyper < 0) return CLT_OK; /* nothing is trained */
    TRY(randomize(session, session->net.gradients, -0.01, 0.01, error));
    return verify_range(v, session, session->net.update, session->net.end, NEW_OPS, error);
}

/* Each that was not yet, with all that can be switched on. */
static clt_status verify_optimizers(verification *v, clt_error *error)
{
    clt_options options = options_of(v);
    options.no_decay_bias_norm = true;
    options.clip_grad = 0.5;
    options.clip_value = 0.005;
    for (const clt__optimizer_row *const *row = clt__optimizer_rows; *row; row++) {
        options.optimizer = (*row)->name;
        options.normalize_filters = (*row)->orthogonalizes;
        options.ns_steps = 2; /* from one buffer to the other, and back */
        if (!has_row(v, (*row)->op))
            TRY(verify_pass(v, &options, (clt__session_mode){.training = true}, true, run_update, error));
    }
    return CLT_OK;
}

/* One parameter has a learning rate and an optimiser of its own. */
static clt_status verify_by_name(verification *v, clt_error *error)
{
    char rates[CLT__LIST_PART], optimizers[CLT__LIST_PART];
    if (!*v->trained) return CLT_OK;
    clt_options options = options_of(v);
    (void)snprintf(rates, sizeof rates, "%s=0.02", v->trained);
    (void)snprintf(optimizers, sizeof optimizers, "%s=adamw", v->trained);
    options.named[CLT__OPTION_lr] = rates;
    options.named[CLT__OPTION_optimizer] = optimizers;
    return verify_pass(v, &options, (clt__session_mode){.training = true}, true, run_update, error);
}

/* A pass follows only one without a mismatch, for it runs ops that it does not verify again. */
static clt_status verify_all(verification *v, clt_error *error)
{
    TRY(verify_plain(v, error));
    TRY(verify_full(v, error));
    TRY(verify_cut(v, error));
    TRY(verify_training(v, error));
    TRY(verify_inference(v, error));
    TRY(verify_synced(v, error));
    TRY(verify_optimizers(v, error));
    return verify_by_name(v, error);
}

clt_status clt_verify(const clt_model *model, clt_device *device, const clt_options *options,
                      clt_verify_function function, void *user, clt_error *error)
{
    clt_options none;
    clt_dataset *data;
    options = clt__options_or_default(options, &none);
    if (clt__device_is_reference(device))
        return FAIL(error, CLT_NO_DEVICE, "verify compares a device with the reference: choose an OpenCL device");
    TRY(clt__random_dataset(model, options->batch_size, BATCHES, options->seed, &data, error));
    report to = {function, user, clt__ticker_start(options, "verify", 0), 0};
    verification v = {.model = model,
                      .device = device,
                      .data = data,
                      .storage = options->storage,
                      .freeze = options->freeze,
                      .to = &to};
    const clt_status status = verify_all(&v, error);
    free(v.verified);
    clt_dataset_close(data);
    clt_error why; /* the mismatch is what the caller must hear of, whatever becomes of the report */
    if (status == CLT_MISMATCH && options->report && clt__report_difference(model, device, options, &why) != CLT_OK)
        clt__options_note(options, "%s is not written: %s", options->report, why.message);
    return status;
}

/* ---- the first difference alone */

static clt_status find_in(clt_session *session, clt__difference *difference, clt_error *error)
{
    for (size_t i = 0; i < session->net.end && !difference->found; i++) {
        clt_error found;
        const clt_status status = clt__verify_ops(session, i, i + 1, NULL, NULL, &found);
        if (status != CLT_OK && status != CLT_MISMATCH) return clt__pass_on(&found, error);
        if (status == CLT_OK) continue;
        const clt__op *op = &session->net.tape.op[i];
        difference->found = true;
        difference->op = op->row->name;
        memcpy(difference->layer, op->layer, sizeof difference->layer);
    }
    return CLT_OK;
}

static clt_status find_in_mode(const clt_model *model, clt_device *device, const clt_dataset *data,
                               const clt_options *options, clt__session_mode mode, clt__witness witness, void *user,
                               clt__difference *difference, clt_error *error)
{
    clt_session *session;
    TRY(open_session(model, device, data, options, mode, true, &session, error));
    clt__engine_set_witness(session->engine, witness, user);
    const clt_status status = find_in(session, difference, error);
    clt_session_close(session);
    return status;
}

/* With every tensor, as in training, then as in inference. */
clt_status clt__find_difference(const clt_model *model, clt_device *device, const clt_options *options,
                                clt__witness witness, void *user, clt__difference *difference, clt_error *error)
{
    const clt__session_mode modes[] = {all_of_it, {.training = true}, {0}, {.fold_norms = true}};
    clt_dataset *data;
    clt_options plain = plain_options(options->storage, options->batch_size);
    plain.freeze = options->freeze;
    *difference = (clt__difference){false};
    TRY(clt__random_dataset(model, options->batch_size, BATCHES, options->seed, &data, error));
    clt_status status = CLT_OK;
    for (size_t i = 0; i < sizeof modes / sizeof *modes && status == CLT_OK && !difference->found; i++)
        status = find_in_mode(model, device, data, &plain, modes[i], witness, user, difference, error);
    clt_dataset_close(data);
    return status;
}
