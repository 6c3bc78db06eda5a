#include "session/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/fold_norms.h"
#include "session/answers.h"
#include "session/loss_scale.h"
#include "session/mixing.h"
#include "session/steps.h"

/* ---- parameters */

/* Another optimiser's states mean nothing to the session's, which has its zeros then. */
static bool has_states_of(const clt_session *session, const clt_model *model)
{
    return clt__model_has_optimizers(model, &session->options);
}

static bool is_training(const clt_session *session)
{
    return session->net.gradients >= 0;
}

static clt_status move_parameters(clt_session *session, const clt_model *model, bool up, clt_error *error)
{
    const clt__tape *tape = &session->net.tape;
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        const int index = clt__tape_find(tape, p->info.name);
        const clt__tensor *tensor = &tape->tensor[index];
        double *values = is_training(session) ? p->values : clt__inferring_values(model, p);
        TRY(clt__session_move(session, tensor, index, 0, values, up, error));
        const bool trained =
            tensor->root == session->net.parameters; /* by the session, whatever the model has become */
        for (int j = 0; j < CLT__MAX_STATES && trained; j++)
            if (has_states_of(session, model) && session->net.state[j] >= 0)
                TRY(clt__session_move(session, tensor, session->net.state[j], tensor->offset, p->state[j], up, error));
        if (up && session->net.running_before >= 0 && tensor->root == session->net.running)
            TRY(clt__session_move(session, tensor, session->net.running_before, tensor->offset, values, up, error));
        double *average = up ? clt__inferring_values(model, p) : p->average; /* it begins as the parameter */
        if (session->net.average >= 0 && trained)
            TRY(clt__session_move(session, tensor, session->net.average, tensor->offset, average, up, error));
    }
    return CLT_OK;
}

clt_status clt__session_upload(clt_session *session, clt_error *error)
{
    return move_parameters(session, session->model, true, error);
}

clt_status clt__session_download(clt_session *session, clt_model *model, clt_error *error)
{
    TRY(clt__feed_check(&session->feed, error));
    model->averaged = session->net.average >= 0;
    return move_parameters(session, model, false, error);
}

static clt_status is_root_finite(clt_session *session, int root, bool *finite, clt_error *error)
{
    double *values;
    if (root < 0 || !session->net.tape.tensor[root].count || !*finite) return CLT_OK;
    TRY(clt__engine_read_reals(session->engine, root, &values, error));
    for (int i = 0; i < session->net.tape.tensor[root].count; i++)
        if (!isfinite(values[i])) *finite = false;
    free(values);
    return CLT_OK;
}

clt_status clt__session_is_finite(clt_session *session, bool *finite, clt_error *error)
{
    *finite = true;
    TRY(is_root_finite(session, session->net.parameters, finite, error));
    TRY(is_root_finite(session, session->net.running, finite, error));
    return is_root_finite(session, session->net.frozen, finite, error);
}

/* How many updates the optimiser's states have seen. */
static int64_t updates_of(const clt_model *model)
{
    return clt__updates_of(&model->state) - model->state.optimizer_began;
}

clt_status clt__session_rewind(clt_session *session, clt_error *error)
{
    const int history = session->net.history, count = session->net.tape.tensor[history].count;
    double *zeros;
    session->updates = updates_of(session->model);
    TRY(clt__allocate((uint64_t)count, sizeof *zeros, "the losses of steps", &zeros, error));
    const clt_status status = clt__engine_write(session->engine, history, 0, count, zeros, error);
    free(zeros);
    TRY(status);
    TRY(clt__loss_scale_write(session, error));
    return clt__session_upload(session, error);
}

/* ---- data */

/* By Fisher and Yates. */
static void shuffle(int32_t *order, int count, clt__random stream)
{
    for (int i = count - 1; i > 0; i--) {
        const int other = (int)clt__random_below(&stream, (uint64_t)i + 1);
        const int32_t held = order[i];
        order[i] = order[other];
        order[other] = held;
    }
}

/* Keeps of the images that an epoch takes those that this rank reads. */
static void keep_own(const clt_session *session, int32_t *order, int *count)
{
    const int batch = session->options.batch_size;
    const clt__own_images own = clt__own_images_of(&session->options);
    int kept = 0;
    for (int i = 0; i < *count; i++)
        if (i % batch >= own.begin && i % batch < own.end) order[kept++] = order[i];
    *count = kept;
}

/* `stream`: of what shuffles it, NULL for the data set's own. `taken`: how many of its images steps take. */
static clt_status set_order(clt_session *session, const clt__random *stream, int taken, int epoch, clt_error *error)
{
    const int count = (int)session->data->count;
    int32_t *order;
    TRY(clt__allocate((uint64_t)count, sizeof *order, "the order of images", &order, error));
    for (int i = 0; i < count; i++) order[i] = i;
    if (stream) shuffle(order, count, *stream);
    if (session->is_parted) keep_own(session, order, &taken);
    const clt_status status = clt__feed_set_order(&session->feed, order, taken, epoch, error);
    free(order);
    return status;
}

clt_status clt__session_set_own_order(clt_session *session, clt_error *error)
{
    session->is_parted = false;
    return set_order(session, NULL, (int)session->data->count, 0, error);
}

clt_status clt__session_set_epoch_order(clt_session *session, const clt_options *options, int epoch, clt_error *error)
{
    const clt__random stream = clt__random_seed(options->seed, "shuffle", (uint64_t)epoch);
    const int64_t count = (int64_t)session->data->count,
                  full = clt__session_steps(session) * session->options.batch_size;
    session->epoch = epoch;
    session->is_parted = session->gathering;
    return set_order(session, options->shuffle ? &stream : NULL, (int)(full < count ? full : count), epoch, error);
}

clt_status clt__session_place(clt_session *session, const clt__placement *p, clt_error *error)
{
    int position = 0;
    if (!p->gathers) TRY(clt__feed_find(&session->feed, p->first, &position, error));
    int32_t step[STEP_LENGTH] = {[STEP_FIRST] = position,
                                 [STEP_VALID] = p->valid,
                                 [STEP_SLOT] = p->slot,
                                 [STEP_WHOLE] = p->whole,
                                 [STEP_PART] = p->part,
                                 [STEP_BEFORE] = p->before,
                                 [STEP_MIRROR] = p->mirrored,
                                 [STEP_MOVE] = p->moved,
                                 [STEP_NUMBER] = (int32_t)session->number,
                                 [STEP_EPOCH] = session->epoch,
                                 [STEP_SEED] = (int32_t)session->seed};
    clt__draw_mix(&session->augment, session->data->shape, session->seed, step);
    return clt__engine_set_step(session->engine, session->net.step, step, error);
}

clt_status clt__session_run_ops(clt_session *session, size_t begin, size_t end, void *unused, clt_error *error)
{
    (void)unused;
    return clt__engine_run(session->engine, begin, end, error);
}

/* Both in double from the number of the step, so that a resumed run has the same. */
static void find_hyper(const clt_session *session, const clt__optimizer_row *optimizer, double hyper[HYPER_STEP_LENGTH])
{
    const double step = (double)session->updates + 1;
    const bool corrects = optimizer->corrects_bias;
    hyper[HYPER_RATE] = session->rate;
    hyper[HYPER_STEP] = corrects ? session->rate / (1 - pow(session->beta1, step)) : session->rate;
    hyper[HYPER_MEAN] = corrects ? 1 / (1 - pow(session->beta1, step)) : 1;
    hyper[HYPER_ROOT] = corrects ? 1 / sqrt(1 - pow(session->beta2, step)) : 1;
    hyper[HYPER_SHRINK] = session->rate * session->decay;
}

/* What the next update by an optimiser takes. Nothing waits. */
static clt_status set_hyper(clt_session *session, int number, clt_error *error)
{
    const clt__updater *updater = &session->net.updater[number];
    double hyper[HYPER_STEP_LENGTH] = {0}, *old = session->hyper[number];
    find_hyper(session, updater->optimizer, hyper);
    bool same = true;
    for (int i = 0; i < HYPER_STEP_LENGTH; i++) same = same && hyper[i] == old[i];
    if (same) return CLT_OK;
    memcpy(old, hyper, sizeof hyper);
    return clt__engine_set_hyper(session->engine, updater->hyper, hyper, error);
}

clt_status clt__session_run_update(clt_session *session, clt__run_ops run, void *user, clt_error *error)
{
    if (session->overflown) { /* the step is skipped */
        session->overflown = false;
        session->state.scaling.skipped++;
        return clt__engine_flush(session->engine, error);
    }
    for (int i = 0; i < session->net.updaters; i++) TRY(set_hyper(session, i, error));
    session->updates++;
    TRY(run(session, session->net.update, session->net.end, user, error));
    return clt__engine_flush(session->engine, error);
}

/* A model that was never given data is not normalised: mean 0, deviation 1. */
static clt_status write_normalization(clt_session *session, clt_error *error)
{
    const clt_model *model = session->model;
    const int channels = model->input.channels;
    double values[2 * CLT_MAX_CHANNELS];
    for (int c = 0; c < channels; c++) {
        values[c] = model->normalized ? model->mean[c] : 0;
        values[channels + c] = model->normalized ? model->deviation[c] : 1;
    }
    return clt__engine_write(session->engine, session->net.normalize, 0, 2 * channels, values, error);
}

static clt_status write_hyper(clt_session *session, const clt_options *options, int number, clt_error *error)
{
    const clt__updater *updater = &session->net.updater[number];
    double hyper[HYPER_LENGTH] = {[HYPER_MOMENTUM] = options->momentum,
                                  [HYPER_DECAY] = session->decay,
                                  [HYPER_CLIP] = options->clip_grad,
                                  [HYPER_CLIP_VALUE] = options->clip_value,
                                  [HYPER_BETA1] = options->beta1,
                                  [HYPER_BETA1_REST] = 1 - options->beta1,
                                  [HYPER_BETA2] = options->beta2,
                                  [HYPER_BETA2_REST] = 1 - options->beta2,
                                  [HYPER_ALPHA] = options->alpha,
                                  [HYPER_ALPHA_REST] = 1 - options->alpha,
                                  [HYPER_AVERAGE] = options->ema,
                                  [HYPER_AVERAGE_REST] = 1 - options->ema,
                                  [HYPER_EPS] = options->eps > 0 ? options->eps : updater->optimizer->eps};
    find_hyper(session, updater->optimizer, hyper);
    memcpy(session->hyper[number], hyper, sizeof session->hyper[number]);
    return clt__engine_write(session->engine, updater->hyper, 0, HYPER_LENGTH, hyper, error);
}

/* Shares of a decay that some parameters have by name are these decays themselves: it may be 0 for all others. */
static clt_status write_hypers(clt_session *session, const clt_options *options, clt_error *error)
{
    session->rate = session->batch_rate = options->lr;
    session->beta1 = options->beta1;
    session->beta2 = options->beta2;
    session->decay = options->named[CLT__OPTION_weight_decay] ? 1 : options->weight_decay;
    for (int i = 0; i < session->net.updaters; i++) TRY(write_hyper(session, options, i, error));
    return CLT_OK;
}

/* A trained tensor's share of what the hyper tensors have for all. */
typedef double (*share_of)(const clt_options *options, const clt__tensor *tensor);

static double rate_share(const clt_options *options, const clt__tensor *tensor)
{
    double rate;
    return clt__option_by_name(options, CLT__OPTION_lr, tensor->name, &rate) ? rate / options->lr : 1;
}

/* Biases, and what normalises, have one dimension, or are an image. */
static double decay_share(const clt_options *options, const clt__tensor *tensor)
{
    const bool is_weight = tensor->shown >= 2 && tensor->shown != CLT__SHOWN_IMAGE;
    double decay;
    if (clt__option_by_name(options, CLT__OPTION_weight_decay, tensor->name, &decay)) return decay;
    if (options->no_decay_bias_norm && !is_weight) return 0;
    return options->named[CLT__OPTION_weight_decay] ? options->weight_decay : 1;
}

/* To `to`, laid out as the parameters; nothing where the net has no such tensor. */
static clt_status write_shares(clt_session *session, const clt_options *options, int to, share_of share,
                               clt_error *error)
{
    const clt__net *net = &session->net;
    if (to < 0) return CLT_OK;
    const int count = net->tape.tensor[to].count;
    double *shares;
    TRY(clt__allocate((uint64_t)count, sizeof *shares, net->tape.tensor[to].name, &shares, error));
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) {
        const clt__tensor *tensor = &net->tape.tensor[i];
        for (int j = 0; j < tensor->count; j++) shares[tensor->offset + j] = share(options, tensor);
    }
    const clt_status status = clt__engine_write(session->engine, to, 0, count, shares, error);
    free(shares);
    return status;
}

/* As many for each class as make its images count as much as those of any other. */
static void balance(const clt_dataset *data, double *weight, int outputs)
{
    int classes = 0;
    for (int i = 0; i < outputs; i++) weight[i] = 0;
    for (size_t i = 0; i < data->count; i++)
        if (weight[data->labels[i]]++ == 0) classes++;
    for (int i = 0; i < outputs; i++) weight[i] = weight[i] > 0 ? (double)data->count / (classes * weight[i]) : 1;
}

static clt_status find_class_weights(const clt_session *session, const clt_options *options, double *weight,
                                     clt_error *error)
{
    const int outputs = session->model->outputs;
    const clt_dataset *data = session->data;
    if (options->class_weights.how == CLT__BALANCED && !data->labels)
        return FAIL(error, CLT_BAD_ARGUMENT, "class weights cannot be balanced: %s has no class labels", data->name);
    if (options->class_weights.how == CLT__BALANCED) {
        balance(data, weight, outputs);
        return CLT_OK;
    }
    if (options->class_weights.count != outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "%d class weights are given, the net has %d outputs",
                    options->class_weights.count, outputs);
    memcpy(weight, options->class_weights.weight, (size_t)outputs * sizeof *weight);
    return CLT_OK;
}

static clt_status write_class_weights(clt_session *session, const clt_options *options, clt_error *error)
{
    const int tensor = session->net.class_weight, outputs = session->model->outputs;
    double *outside, *inside = NULL;
    if (tensor < 0) return CLT_OK;
    TRY(clt__allocate((uint64_t)outputs, sizeof *outside, "class weights", &outside, error));
    clt_status status = clt__allocate((uint64_t)outputs, sizeof *inside, "class weights", &inside, error);
    if (status == CLT_OK) status = find_class_weights(session, options, outside, error);
    for (int i = 0; i < outputs && status == CLT_OK; i++)
        inside[clt__feed_output_index(&session->feed, i)] = outside[i];
    if (status == CLT_OK) status = clt__engine_write(session->engine, tensor, 0, outputs, inside, error);
    free(inside);
    free(outside);
    return status;
}

static clt_status write_ints(clt_session *session, int tensor, const int32_t *values, clt_error *error)
{
    return clt__engine_write(session->engine, tensor, 0, session->net.tape.tensor[tensor].count, values, error);
}

/* Where each trained tensor lies, and which tensor each block of parameters is of; what lies between two is the
 * former's.
 */
static clt_status write_segments(clt_session *session, clt_error *error)
{
    const clt__net *net = &session->net;
    if (net->segments < 0) return CLT_OK;
    const int blocks = net->tape.tensor[net->owners].count;
    int32_t *segments, *owners, number = 0;
    TRY(clt__allocate((uint64_t)net->tape.tensor[net->segments].count + (uint64_t)blocks, sizeof *segments,
                      "where the parameters lie", &segments, error));
    owners = segments + net->tape.tensor[net->segments].count;
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0; number++) {
        const clt__tensor *tensor = &net->tape.tensor[i];
        segments[number * SEGMENT_LENGTH + SEGMENT_FIRST] = tensor->offset;
        segments[number * SEGMENT_LENGTH + SEGMENT_COUNT] = tensor->count;
        for (int block = tensor->offset / UPDATE_BLOCK; block < blocks; block++) owners[block] = number;
    }
    clt_status status = write_ints(session, net->segments, segments, error);
    if (status == CLT_OK) status = write_ints(session, net->owners, owners, error);
    free(segments);
    return status;
}

static int number_of_updater(const clt__net *net, const clt_options *options, const clt__tensor *tensor)
{
    int number = 0;
    while (net->updater[number].optimizer != clt__optimizer_of(options, tensor->name, tensor->shown)) number++;
    return number;
}

/* Which optimiser takes each block of parameters; what lies between two tensors is the former's. */
static clt_status write_takers(clt_session *session, const clt_options *options, clt_error *error)
{
    const clt__net *net = &session->net;
    if (net->takers < 0) return CLT_OK;
    const int blocks = net->tape.tensor[net->takers].count;
    int32_t *takers;
    TRY(clt__allocate((uint64_t)blocks, sizeof *takers, "the optimisers of parameters", &takers, error));
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) {
        const clt__tensor *tensor = &net->tape.tensor[i];
        const int number = number_of_updater(net, options, tensor);
        for (int block = tensor->offset / UPDATE_BLOCK; block < blocks; block++) takers[block] = number;
    }
    const clt_status status = write_ints(session, net->takers, takers, error);
    free(takers);
    return status;
}

/* What muon takes. */
static clt_status write_matrices(clt_session *session, const clt_options *options, clt_error *error)
{
    const clt__net *net = &session->net;
    if (net->matrices < 0) return CLT_OK;
    int32_t *matrices, *row;
    int place = 0, gram = 0;
    TRY(clt__allocate((uint64_t)net->tape.tensor[net->matrices].count, sizeof *matrices, "the matrices", &matrices,
                      error));
    row = matrices;
    for (int i = -1; (i = clt__net_trained(net, i)) >= 0;) {
        const clt__tensor *tensor = &net->tape.tensor[i];
        if (!clt__optimizer_of(options, tensor->name, tensor->shown)->orthogonalizes) continue;
        clt__net_matrix(tensor, &place, &gram, row);
        row += MATRIX_LENGTH;
    }
    const clt_status status = write_ints(session, net->matrices, matrices, error);
    free(matrices);
    return status;
}

/* ---- opening */

static clt_status check_full_batch(const clt_dataset *data, const clt_options *options, clt_error *error)
{
    const clt_options resolved = clt__resolve_options(options);
    if (!resolved.drop_last || clt__epoch_steps(&resolved, data->count)) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT,
                "%s has %zu images, fewer than a batch of %d, and drop_last would leave out all of them: take smaller "
                "batches or do without it",
                data->name, data->count, resolved.batch_size);
}

clt_status clt__session_check(const clt_model *model, const clt_dataset *data, const clt_options *options,
                              bool training, clt_error *error)
{
    const clt_shape want = model->input, have = data->shape;
    if (want.channels != have.channels || want.height != have.height || want.width != have.width)
        return FAIL(error, CLT_BAD_ARGUMENT, "the model takes images of %dx%dx%d, %s has %dx%dx%d", want.channels,
                    want.height, want.width, data->name, have.channels, have.height, have.width);
    TRY(clt__check_options(options, want.channels, error));
    if (data->count > INT32_MAX / 2)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %zu images, more than %d", data->name, data->count, INT32_MAX / 2);
    if (!training) return CLT_OK;
    TRY(check_full_batch(data, options, error));
    TRY(clt__check_names(model, options, error));
    const clt_dataset chosen = clt__choose_answers(model, data);
    TRY(clt__check_answers(model, data, "train on", error));
    return clt__check_target_values(model->description.loss, &chosen, error);
}

/* Where parameters are frozen later, the micro-batches are at all times those that all of the net has memory for: a run
 * that is resumed has the same ones. */
static clt_status choose_micro_batch(const clt_session *session, clt__fit fit, clt_options *options, clt_error *error)
{
    clt__net net;
    if (!clt__freezes_later(options->freeze)) return CLT_OK;
    options->micro_batch_size = session->micro_batch;
    if (session->micro_batch) return CLT_OK;
    fit.epoch = 0;
    TRY(clt__fit_net(&fit, &net, NULL, error));
    options->micro_batch_size = net.tape.tensor[net.label].count;
    clt__net_free(&net);
    return CLT_OK;
}

static clt_status fit(clt_session *session, clt_device *device, const clt_options *options, clt_error *error)
{
    const clt_dataset *data = session->data;
    const clt__session_mode mode = session->mode;
    clt_options fitting = *options;
    clt__fit fit = {.description = &session->model->description,
                    .device = device,
                    .precision = session->model->precision,
                    .input = data->shape,
                    .images = data->count,
                    .bytes = clt__dataset_is_bytes(data),
                    .streams = clt__dataset_streams(data),
                    .targets = mode.training && data->targets ? data->outputs : 0,
                    .options = options,
                    .epoch = session->frozen_epoch,
                    .mode = mode};
    TRY(choose_micro_batch(session, fit, &fitting, error));
    fit.options = &fitting;
    return clt__fit_net(&fit, &session->net, NULL, error);
}

/* Ranks that count their images alike, as run_by_itself says, draw other numbers for them. */
static uint64_t seed_of(const clt_options *options)
{
    if (!options->collective || !options->local_steps || !clt__images_take_others(options)) return options->seed;
    clt__random stream = clt__random_seed(options->seed, "rank", (uint64_t)options->collective->rank);
    return clt__random_next(&stream);
}

static clt_status open(clt_session *session, clt_device *device, const clt_options *options, clt_error *error)
{
    const clt_dataset *data = session->data;
    const clt__session_mode mode = session->mode;
    TRY(fit(session, device, options, error));
    session->seed = seed_of(options);
    session->augment = mode.training ? options->augment : (clt__augment){.crop = 0};
    session->micro_batch = session->net.tape.tensor[session->net.label].count;
    session->batch = mode.training ? options->batch_size : session->micro_batch;
    TRY(clt__engine_open(device, &session->net.tape, session->model->precision, options, &session->engine, error));
    TRY(clt__feed_open(&session->feed, data, &session->net, session->engine, &session->options, mode.training, error));
    if (mode.training && options->collective)
        TRY(clt__gathering_open(&session->net, session->engine, session->model->precision, options, &session->gathering,
                                error));
    TRY(clt__syncs_open(&session->net.tape, session->engine, options, &session->syncs, error));
    TRY(write_normalization(session, error));
    TRY(write_hypers(session, options, error));
    TRY(write_shares(session, options, session->net.decays, decay_share, error));
    TRY(write_shares(session, options, session->net.rates, rate_share, error));
    TRY(write_takers(session, options, error));
    TRY(write_matrices(session, options, error));
    TRY(write_class_weights(session, options, error));
    TRY(write_segments(session, error));
    TRY(clt__loss_scale_write(session, error));
    return clt__session_upload(session, error);
}

static clt_status open_checked(const clt_model *model, clt_device *device, const clt_dataset *data,
                               const clt_options *options, clt__session_mode mode, clt_session **session,
                               clt_error *error)
{
    clt_session *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a session", &fresh, error));
    fresh->model = fresh->unfolded = model;
    fresh->data = data;
    if (data->labels && data->targets) {
        fresh->chosen = clt__choose_answers(model, data);
        fresh->data = &fresh->chosen;
    }
    fresh->options = *options;
    if (!fresh->options.shards) fresh->options.shards = 1;
    fresh->mode = mode;
    fresh->frozen_epoch = clt__running_epoch(&model->state);
    fresh->updates = has_states_of(fresh, model) ? updates_of(model) : 0;
    fresh->state.scaling = model->state.scaling;
    fresh->told_skipped = fresh->state.scaling.skipped;
    clt_status status = CLT_OK;
    if (mode.fold_norms && clt__has_norms_to_fold(model)) {
        status = clt__fold_norms(model, &fresh->folded, error);
        fresh->model = fresh->folded;
    }
    if (status == CLT_OK) status = open(fresh, device, &fresh->options, error);
    if (status == CLT_OK)
        *session = fresh;
    else
        clt_session_close(fresh);
    return status;
}

clt_status clt__session_open(const clt_model *model, clt_device *device, const clt_dataset *data,
                             const clt_options *options, clt__session_mode mode, clt_session **session,
                             clt_error *error)
{
    *session = NULL;
    TRY(clt__session_check(model, data, options, mode.training, error));
    return open_checked(model, device, data, options, mode, session, error);
}

/* What training changes in a model before its first step; the header says it of clt_session_open. */
static clt_status prepare_model(clt_model *model, const clt_dataset *data, const clt_options *options, clt_error *error)
{
    TRY(clt__normalize(model, data, options, error));
    TRY(clt__whiten(model, data, options, error));
    return clt__model_freeze(model, options->freeze, clt__running_epoch(&model->state), error);
}

/* Once nothing else can fail: what another optimiser has left, and an average that is not wanted, go. */
static clt_status take_model(clt_session *session, clt_model *model, clt_error *error)
{
    TRY(clt__model_set_optimizers(model, &session->options, error));
    model->averaged = model->averaged && session->options.ema > 0;
    session->trained = model;
    session->state = model->state;
    return CLT_OK;
}

clt_status clt__session_open_training(clt_model *model, clt_device *device, const clt_dataset *data,
                                      const clt_options *options, clt__session_mode mode, clt_session **session,
                                      clt_error *error)
{
    clt_options none, *given;
    *session = NULL;
    options = clt__options_or_default(options, &none);
    TRY(clt__session_check(model, data, options, true, error));
    clt__note_answers(model, data, options);
    TRY(clt_options_copy(options, &given, error));
    const clt_options resolved = clt__resolve_options(given);
    if (given->collective)
        given->shards = resolved.shards; /* a checkpoint goes on with as many on any number of ranks */
    clt_status status = prepare_model(model, data, &resolved, error);
    if (status == CLT_OK) status = open_checked(model, device, data, &resolved, mode, session, error);
    if (status != CLT_OK) {
        clt_options_close(given);
        return status;
    }
    (*session)->given = given;
    status = take_model(*session, model, error);
    if (status == CLT_OK) return CLT_OK;
    clt_session_close(*session);
    *session = NULL;
    return status;
}

clt_status clt_session_open(clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                            bool keep_tensors, clt_session **session, clt_error *error)
{
    const clt__session_mode mode = {.training = true, .keep_tensors = keep_tensors};
    return clt__session_open_training(model, device, data, options, mode, session, error);
}

clt_status clt__session_stands(const clt_session *session, clt_error *error)
{
    if (session->engine) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT,
                "the session could not go on when parameters were to be frozen: all that is left is to close it");
}

/* What it has of the device. */
static void leave_device(clt_session *session)
{
    clt__gathering_close(session->gathering);
    session->gathering = NULL;
    clt__syncs_close(session->syncs);
    session->syncs = NULL;
    clt__feed_close(&session->feed);
    clt__engine_close(session->engine);
    clt__net_free(&session->net);
    session->feed = (clt__feed){0};
    session->engine = NULL;
    session->net = (clt__net){0};
}

/* How many tensors are trained that will not be any longer. */
static int count_freezing(const clt_session *session)
{
    int count = 0;
    for (int i = -1; (i = clt__net_trained(&session->net, i)) >= 0;)
        count += clt__freezes(session->options.freeze, session->net.tape.tensor[i].name, session->state.epoch);
    return count;
}

clt_status clt__session_refreeze(clt_session *session, clt_error *error)
{
    clt_device *device = clt__engine_device(session->engine);
    const double batch_rate = session->batch_rate;
    const int count = count_freezing(session);
    if (!count) return CLT_OK;
    TRY(clt_session_store(session, error));
    TRY(clt__model_freeze(session->trained, session->options.freeze, session->state.epoch, error));
    session->frozen_epoch = session->state.epoch;
    leave_device(session);
    const clt_status status = open(session, device, &session->options, error);
    session->batch_rate = batch_rate;
    if (status != CLT_OK) {
        leave_device(session);
        return status;
    }
    clt__options_note(&session->options, "%d of the parameters' tensors %s frozen from epoch %d on", count,
                      count == 1 ? "is" : "are", session->frozen_epoch + 1);
    return CLT_OK;
}

clt_status clt_session_open_inference(const clt_model *model, clt_device *device, const clt_dataset *data,
                                      const clt_options *options, clt_session **session, clt_error *error)
{
    clt_options none, inference;
    *session = NULL;
    options = clt__options_or_default(options, &none);
    TRY(clt__check_options(options, model->input.channels, error));
    inference = clt__options_default();
    inference.batch_size = data->count < (size_t)options->batch_size ? (int)data->count : options->batch_size;
    inference.workers = options->workers;
    inference.tta = options->tta;
    clt_options_set_collective(&inference, options->collective);
    inference.storage = options->storage;
    clt_options_set_progress(&inference, options->progress, options->progress_user);
    clt_options_set_notes(&inference, options->note, options->note_user);
    return clt__session_open(model, device, data, &inference, (clt__session_mode){.fold_norms = true}, session, error);
}

void clt_session_close(clt_session *session)
{
    if (!session) return;
    leave_device(session);
    clt_dataset_close(session->batch_data);
    clt_options_close(session->given);
    clt_model_close(session->folded);
    free(session);
}

clt_status clt_session_set_rate(clt_session *session, double rate, clt_error *error)
{
    if (!(rate >= 0 && rate <= 1e6))
        return FAIL(error, CLT_BAD_ARGUMENT, "learning rate is %g: it should be from 0 to 1e+06", rate);
    session->batch_rate = rate;
    return CLT_OK;
}

clt_status clt_session_store(clt_session *session, clt_error *error)
{
    if (!session->trained) return FAIL(error, CLT_BAD_ARGUMENT, "the session was opened for inference");
    TRY(clt__session_stands(session, error));
    TRY(clt__session_read_steps(session, NULL, NULL, error));
    TRY(clt__session_download(session, session->trained, error));
    session->trained->state = session->state;
    return CLT_OK;
}

clt_status clt_session_load(clt_session *session, clt_error *error)
{
    TRY(clt__session_stands(session, error));
    if (session->folded) clt__fold_norms_again(session->unfolded, session->folded);
    TRY(write_normalization(session, error));
    if (!session->trained) return clt__session_upload(session, error);
    session->state = session->model->state;
    session->pending = 0;
    session->in_epoch = false;
    session->stage = CLT__NO_BATCH;
    return clt__session_rewind(session, error);
}
