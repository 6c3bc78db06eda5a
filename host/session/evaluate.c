/* Evaluating and predicting: the forward ops on the device, batch by batch; the loss by its own twin, in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "options/ticker.h"
#include "session/answers.h"
#include "session/session.h"
#include "team/team.h"

typedef clt_status (*take_batch)(void *user, const double *outputs, size_t first, size_t count, clt_error *error);

/* How the net sees images, and the share of what it then gives. */
typedef struct view {
    bool mirrored;
    int moved;
    double share;
} view;

enum { MOST_VIEWS = 6 };

/* Half of the outputs are those of the image where it is; a quarter each those of it moved by a pixel, as in Jordan,
 * "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024, section 3.5. Of each view half are its mirror image's. */
static int list_views(unsigned tta, view views[MOST_VIEWS])
{
    static const view moves[] = {{.share = 0.5}, {.moved = 1, .share = 0.25}, {.moved = -1, .share = 0.25}};
    const int places = tta & CLT__TTA_SHIFT ? 3 : 1, sides = tta & CLT__TTA_FLIP ? 2 : 1;
    for (int i = 0; i < places * sides; i++) {
        views[i] = moves[i / sides];
        views[i].mirrored = i % sides;
        if (places == 1) views[i].share = 1;
        views[i].share /= sides;
    }
    return places * sides;
}

static clt_status read_outputs(clt_session *session, int first, int valid, const view *seen, double *outputs,
                               clt_error *error)
{
    const clt__tensor *tensor = &session->net.tape.tensor[session->net.output.tensor];
    const clt__placement placement = {
        .first = first, .valid = valid, .whole = valid, .mirrored = seen->mirrored, .moved = seen->moved};
    TRY(clt__session_place(session, &placement, error));
    TRY(clt__session_run_ops(session, 0, session->net.end, NULL, error));
    return clt_session_read(session, tensor->name, outputs, (size_t)tensor->count, error);
}

clt_status clt__session_infer(clt_session *session, int first, int valid, double *outputs, clt_error *error)
{
    const size_t count = (size_t)session->net.tape.tensor[session->net.output.tensor].count;
    view views[MOST_VIEWS];
    const int seen = list_views(session->options.tta, views);
    double *other;
    TRY(read_outputs(session, first, valid, &views[0], outputs, error));
    if (seen == 1) return CLT_OK;
    TRY(clt__allocate(count, sizeof *other, "outputs of changed images", &other, error));
    for (size_t i = 0; i < count; i++) outputs[i] *= views[0].share;
    clt_status status = CLT_OK;
    for (int v = 1; v < seen && status == CLT_OK; v++) {
        status = read_outputs(session, first, valid, &views[v], other, error);
        for (size_t i = 0; i < count && status == CLT_OK; i++) outputs[i] += views[v].share * other[i];
    }
    free(other);
    return status;
}

/* Images of the data set, from one to below another. */
typedef struct part {
    size_t begin, end;
} part;

static part all_of(const clt_session *session)
{
    return (part){0, session->data->count};
}

/* What a rank evaluates: whole batches, the same as one alone would take. */
static part part_of(const clt_session *session, int rank)
{
    const clt_collective *team = session->options.collective;
    const size_t count = session->data->count, batch = (size_t)session->micro_batch;
    const size_t batches = (count + batch - 1) / batch, end = clt__team_begin_of(team, batches, rank + 1) * batch;
    return (part){clt__team_begin_of(team, batches, rank) * batch, end < count ? end : count};
}

/* Runs a part of the data set through the net in its own order; `take` gets [count, outputs], outside order. */
static clt_status run_batches(clt_session *session, part images, double *outputs, clt__ticker *ticker, take_batch take,
                              void *user, clt_error *error)
{
    const size_t batch = (size_t)session->micro_batch;
    for (size_t first = images.begin; first < images.end; first += batch) {
        const size_t valid = images.end - first < batch ? images.end - first : batch;
        TRY(clt__session_infer(session, (int)first, (int)valid, outputs, error));
        TRY(take(user, outputs, first, valid, error));
        TRY(clt__ticker_tick(ticker, (int64_t)(first + valid - images.begin), error));
    }
    return clt__feed_check(&session->feed, error);
}

static clt_status run(clt_session *session, part images, const clt_options *options, const char *what, take_batch take,
                      void *user, clt_error *error)
{
    const clt__tensor *tensor = &session->net.tape.tensor[session->net.output.tensor];
    clt__ticker ticker = clt__ticker_start(options, what, (int64_t)(images.end - images.begin));
    double *outputs;
    TRY(clt__session_set_own_order(session, error));
    TRY(clt__allocate((uint64_t)tensor->count, sizeof *outputs, "a batch of outputs", &outputs, error));
    const clt_status status = run_batches(session, images, outputs, &ticker, take, user, error);
    free(outputs);
    return status;
}

/* ---- images */

/* The first `count` of the order, at most a micro-batch. */
static clt_status read_batch(clt_session *session, int first, int count, double *values, clt_error *error)
{
    const clt_model *model = session->model;
    const size_t channels = (size_t)model->input.channels, size = clt__image_size(model->input) * (size_t)count;
    const clt__placement placement = {.first = first, .valid = count, .whole = count};
    double *batch;
    TRY(clt__session_place(session, &placement, error));
    TRY(clt__session_run_ops(session, 0, session->net.forward, NULL, error));
    TRY(clt__engine_read_reals(session->engine, session->net.input.tensor, &batch, error));
    for (size_t i = 0; i < size; i++) {
        const size_t c = i % channels;
        values[i] = model->normalized ? batch[i] * model->deviation[c] + model->mean[c] : batch[i];
    }
    free(batch);
    return clt__feed_check(&session->feed, error);
}

clt_status clt__session_read_images(clt_session *session, const size_t *images, size_t count, double *values,
                                    clt_error *error)
{
    const size_t most = (size_t)session->micro_batch, image = clt__image_size(session->model->input);
    int32_t *order;
    TRY(clt__allocate(count, sizeof *order, "the order of images", &order, error));
    for (size_t i = 0; i < count; i++) order[i] = (int32_t)images[i];
    clt_status status = clt__feed_set_order(&session->feed, order, (int)count, 0, error);
    free(order);
    for (size_t first = 0; first < count && status == CLT_OK; first += most) {
        const size_t valid = count - first < most ? count - first : most;
        status = read_batch(session, (int)first, (int)valid, values + first * image, error);
    }
    return status;
}

/* ---- evaluating */

/* What came of an image. */
typedef struct finding {
    double loss;
    int32_t predicted, place; /* of its own class among all, by their outputs */
    int32_t is_there;         /* its file could be read */
} finding;

typedef struct findings {
    const clt_model *model;
    const clt_dataset *data;
    clt_evaluation *evaluation;
    finding *of;      /* [images] */
    double *gradient; /* [outputs]: the loss writes one, nobody reads it */
} findings;

static size_t largest(const double *values, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (values[i] > values[best]) best = i;
    return best;
}

/* How many classes come before this one: larger outputs, and equal ones of smaller classes. */
static size_t rank_of(const double *values, size_t count, size_t class)
{
    size_t before = 0;
    for (size_t i = 0; i < count; i++)
        before += i < class ? !(values[i] < values[class]) : i > class && !(values[i] <= values[class]);
    return before;
}

/* Keeps an image's outputs if it is one of those. */
static void keep_shown(clt_evaluation *evaluation, size_t image, const double *row, size_t width)
{
    for (size_t i = 0; i < evaluation->shown; i++)
        if (evaluation->shown_number[i] == image)
            memcpy(evaluation->shown_output + i * width, row, width * sizeof *row);
}

static clt_status find_out(void *user, const double *outputs, size_t first, size_t count, clt_error *error)
{
    (void)error;
    findings *f = user;
    const size_t width = (size_t)f->model->outputs;
    for (size_t i = 0; i < count; i++) {
        const size_t image = first + i;
        const double *row = outputs + i * width;
        const int32_t *label = f->data->labels ? &f->data->labels[image] : NULL;
        if (clt_dataset_lacks(f->data, image)) continue;
        keep_shown(f->evaluation, image, row, width);
        f->of[image] =
            (finding){.is_there = true,
                      .loss = clt__image_loss(f->model->description.loss, row, f->model->outputs, label,
                                              f->data->targets ? f->data->targets + image * width : NULL, f->gradient)};
        if (!label) continue;
        f->of[image].predicted = (int32_t)largest(row, width);
        f->of[image].place = (int32_t)rank_of(row, width, (size_t)*label);
    }
    return CLT_OK;
}

/* What other ranks found. */
static clt_status gather_findings(const clt_session *session, const findings *f, clt_error *error)
{
    const clt_collective *team = session->options.collective;
    size_t *bytes;
    TRY(clt__allocate((uint64_t)team->size, sizeof *bytes, "lengths of an exchange", &bytes, error));
    for (int r = 0; r < team->size; r++) {
        const part p = part_of(session, r);
        bytes[r] = (p.end - p.begin) * sizeof *f->of;
    }
    const clt_status status =
        clt__team_gather_parts(team, f->of + part_of(session, team->rank).begin, bytes, f->of, error);
    free(bytes);
    return status;
}

/* Of each image that is shown the outputs that its own rank has, of `all` [ranks][shown][outputs]. */
static void take_shown(const clt_session *session, const double *all, size_t width, clt_evaluation *e)
{
    for (int r = 0; r < session->options.collective->size; r++) {
        const part p = part_of(session, r);
        for (size_t i = 0; i < e->shown; i++)
            if (e->shown_number[i] >= p.begin && e->shown_number[i] < p.end)
                memcpy(e->shown_output + i * width, all + ((size_t)r * e->shown + i) * width, width * sizeof *all);
    }
}

static clt_status gather_shown(const clt_session *session, const findings *f, clt_error *error)
{
    const clt_collective *team = session->options.collective;
    const size_t width = (size_t)f->model->outputs, bytes = f->evaluation->shown * width * sizeof(double);
    double *all;
    TRY(clt__allocate((uint64_t)team->size, bytes, "outputs to be shown", &all, error));
    const clt_status status = clt__team_gather(team, f->evaluation->shown_output, bytes, all, error);
    if (status == CLT_OK) take_shown(session, all, width, f->evaluation);
    free(all);
    return status;
}

/* In the order of the images, so that the sum does not depend on who found it. */
static void add_up(const findings *f)
{
    clt_evaluation *e = f->evaluation;
    double loss = 0, hits = 0;
    for (size_t i = 0; i < f->data->count; i++) {
        const finding *found = &f->of[i];
        if (!found->is_there) continue;
        e->count++;
        loss += found->loss;
        if (!f->data->labels) continue;
        hits += found->predicted == f->data->labels[i];
        e->confusion[(size_t)f->data->labels[i] * (size_t)e->classes + (size_t)found->predicted]++;
        e->rank[found->place]++;
    }
    e->loss = e->count ? loss / (double)e->count : NAN;
    if (e->classes && e->count) e->accuracy = hits / (double)e->count;
}

static clt_status create(const clt_session *session, clt_evaluation **evaluation, clt_error *error)
{
    const size_t outputs = (size_t)session->model->outputs;
    clt_evaluation *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "an evaluation", evaluation, error));
    fresh = *evaluation;
    fresh->accuracy = NAN;
    fresh->shown = session->data->count < CLT__SHOWN ? session->data->count : CLT__SHOWN;
    for (size_t i = 0; i < fresh->shown; i++) fresh->shown_number[i] = i * session->data->count / fresh->shown;
    TRY(clt__allocate(fresh->shown * outputs, sizeof *fresh->shown_output, "outputs to be shown", &fresh->shown_output,
                      error));
    if (!session->data->labels) return CLT_OK;
    fresh->classes = session->model->outputs;
    TRY(clt__allocate(outputs * outputs, sizeof *fresh->confusion, "the confusion matrix", &fresh->confusion, error));
    return clt__allocate(outputs, sizeof *fresh->rank, "the ranks", &fresh->rank, error);
}

/* Ranks share the images out alike. */
static clt_status check_sharing(const clt_session *session, clt_error *error)
{
    const clt_collective *team = session->options.collective;
    const int64_t images = (int64_t)session->data->count, batch = session->micro_batch;
    TRY(clt__team_compare(team, &images, sizeof images, "number of images to evaluate", error));
    return clt__team_compare(team, &batch, sizeof batch, "batch size, or memory for another,", error);
}

static clt_status find_all(clt_session *session, const clt_options *options, findings *f, clt_error *error)
{
    const clt_collective *team = session->options.collective;
    if (!team) return run(session, all_of(session), options, "evaluate", find_out, f, error);
    TRY(check_sharing(session, error));
    const clt_status status = run(session, part_of(session, team->rank), options, "evaluate", find_out, f, error);
    TRY(clt_collective_agree(team, status, error));
    TRY(gather_findings(session, f, error));
    return gather_shown(session, f, error);
}

static clt_status fill(clt_session *session, const clt_options *options, clt_evaluation *evaluation, clt_error *error)
{
    findings f = {.model = session->model, .data = session->data, .evaluation = evaluation};
    TRY(clt__allocate((uint64_t)session->model->outputs, sizeof *f.gradient, "an output's gradient", &f.gradient,
                      error));
    clt_status status = clt__allocate(f.data->count, sizeof *f.of, "what came of each image", &f.of, error);
    if (status == CLT_OK) status = find_all(session, options, &f, error);
    if (status == CLT_OK) add_up(&f);
    free(f.of);
    free(f.gradient);
    return status;
}

/* Of answers that were checked. */
static clt_status evaluate(clt_session *session, const clt_options *options, clt_evaluation **evaluation,
                           clt_error *error)
{
    clt_status status = create(session, evaluation, error);
    if (status == CLT_OK) status = fill(session, options, *evaluation, error);
    if (status == CLT_OK) return CLT_OK;
    clt_evaluation_close(*evaluation);
    *evaluation = NULL;
    return status;
}

clt_status clt_session_evaluate(clt_session *session, const clt_options *options, clt_evaluation **evaluation,
                                clt_error *error)
{
    clt_options none;
    *evaluation = NULL;
    options = clt__options_or_default(options, &none);
    if (session->trained || session->batch_data)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the session cannot evaluate: clt_session_open_inference opens one that does, on a data set");
    TRY(clt__check_targets(session->model, session->data, error));
    return evaluate(session, options, evaluation, error);
}

static clt_status check_model(const clt_collective *team, const clt_model *model, clt_error *error)
{
    char digest[65];
    if (!team) return CLT_OK;
    clt_model_sha256(model, digest);
    return clt__team_compare(team, digest, sizeof digest, "model", error);
}

clt_status clt_evaluate(const clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                        clt_evaluation **evaluation, clt_error *error)
{
    clt_session *session;
    clt_options none;
    *evaluation = NULL;
    options = clt__options_or_default(options, &none);
    TRY(clt__check_targets(model, data, error));
    clt__note_answers(model, data, options);
    TRY(clt_session_open_inference(model, device, data, options, &session, error));
    clt_status status = check_model(options->collective, model, error);
    if (status == CLT_OK) status = evaluate(session, options, evaluation, error);
    clt_session_close(session);
    return status;
}

size_t clt_evaluation_count(const clt_evaluation *evaluation)
{
    return evaluation->count;
}

double clt_evaluation_loss(const clt_evaluation *evaluation)
{
    return evaluation->loss;
}

double clt_evaluation_accuracy(const clt_evaluation *evaluation)
{
    return evaluation->accuracy;
}

int clt_evaluation_classes(const clt_evaluation *evaluation)
{
    return evaluation->classes;
}

static bool is_class(const clt_evaluation *evaluation, int class)
{
    return class >= 0 && class < evaluation->classes;
}

uint64_t clt_evaluation_confused(const clt_evaluation *evaluation, int truth, int predicted)
{
    if (!is_class(evaluation, truth) || !is_class(evaluation, predicted)) return 0;
    return evaluation->confusion[(size_t)truth * (size_t)evaluation->classes + (size_t)predicted];
}

uint64_t clt_evaluation_ranked(const clt_evaluation *evaluation, int place)
{
    return is_class(evaluation, place) ? evaluation->rank[place] : 0;
}

void clt_evaluation_close(clt_evaluation *evaluation)
{
    if (!evaluation) return;
    free(evaluation->confusion);
    free(evaluation->rank);
    free(evaluation->shown_output);
    free(evaluation);
}

/* ---- predicting */

typedef struct prediction {
    double *outputs;
    size_t width;
    bool softmax;
} prediction;

static void softmax(double *values, size_t count)
{
    const double most = values[largest(values, count)];
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i] = exp(values[i] - most);
    for (size_t i = 0; i < count; i++) values[i] /= sum;
}

void clt__softmax_rows(double *rows, size_t count, size_t width)
{
    for (size_t i = 0; i < count; i++) softmax(rows + i * width, width);
}

static clt_status keep_outputs(void *user, const double *outputs, size_t first, size_t count, clt_error *error)
{
    (void)error;
    const prediction *p = user;
    double *to = p->outputs + first * p->width;
    memcpy(to, outputs, count * p->width * sizeof *to);
    if (p->softmax) clt__softmax_rows(to, count, p->width);
    return CLT_OK;
}

clt_status clt_predict(const clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                       double *outputs, clt_error *error)
{
    clt_session *session;
    clt_options none;
    prediction p = {outputs, (size_t)model->outputs, clt_model_classifies(model)};
    options = clt__options_or_default(options, &none);
    TRY(clt_session_open_inference(model, device, data, options, &session, error));
    const clt_status status = run(session, all_of(session), options, "predict", keep_outputs, &p, error);
    clt_session_close(session);
    return status;
}
