/* Training options: their defaults, their checks, and the learning rate they give each step. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/training.h"

clt_train_options clt_train_defaults(void)
{
    return (clt_train_options){.epochs = 5,
                               .batch_size = 64,
                               .accumulate = 1,
                               .optimizer = "sgd",
                               .lr = 0.01,
                               .momentum = 0.9,
                               .beta1 = 0.9,
                               .beta2 = 0.999,
                               .alpha = 0.99,
                               .lr_scheduler = "const",
                               .gamma = 0.1,
                               .step_size = 1,
                               .power = 1,
                               .factor = 0.1,
                               .patience_lr = 10,
                               .shuffle = true,
                               .normalize = CLT_NORMALIZE_DATASET};
}

const clt__optimizer_row *clt__find_optimizer(const char *name)
{
    for (const clt__optimizer_row *const *row = clt__optimizer_rows; *row; row++)
        if (strcmp((*row)->name, name) == 0) return *row;
    return NULL;
}

/* ---- schedules: the factor on the learning rate at `now` of `end`, counted from 0 in epochs or in steps */

typedef struct scheduler {
    const char *name;
    double (*factor)(const clt_train_options *options, double now, double end);
    bool counts_steps;  /* always */
    bool counts_epochs; /* always */
} scheduler;

static double constant(const clt_train_options *options, double now, double end)
{
    (void)options;
    (void)now;
    (void)end;
    return 1;
}

static double step(const clt_train_options *options, double now, double end)
{
    (void)end;
    return pow(options->gamma, floor(now / options->step_size));
}

static double multistep(const clt_train_options *options, double now, double end)
{
    int passed = 0;
    (void)end;
    while (passed < options->milestones.count && options->milestones.at[passed] <= now) passed++;
    return pow(options->gamma, passed);
}

static double exponential(const clt_train_options *options, double now, double end)
{
    (void)end;
    return pow(options->gamma, now);
}

static double polynomial(const clt_train_options *options, double now, double end)
{
    return pow(1 - now / end, options->power);
}

/* From `first` to `last` along half a cosine. */
static double anneal(double first, double last, double share)
{
    return last + (first - last) / 2 * (1 + cos(3.14159265358979323846 * share));
}

static double cosine(const clt_train_options *options, double now, double end)
{
    (void)options;
    return anneal(1, 0, now / end);
}

/* Up to the whole rate in the first 30 % of the steps, then down to next to nothing: torch's OneCycleLR, its defaults.
 */
static double onecycle(const clt_train_options *options, double now, double end)
{
    const double first = 1.0 / 25, last = first / 1e4, peak = 0.3 * end - 1;
    (void)options;
    if (now <= peak) return anneal(first, 1, peak > 0 ? now / peak : 1);
    return anneal(1, last, (now - peak) / (end - 1 - peak));
}

static const scheduler schedulers[] = {
    {"const", constant, false, false},        {"step", step, false, false},
    {"multistep", multistep, false, false},   {"exponential", exponential, false, false},
    {"polynomial", polynomial, false, false}, {"cosine", cosine, false, false},
    {"onecycle", onecycle, true, false},      {"plateau", constant, false, true}};

enum { SCHEDULERS = sizeof schedulers / sizeof *schedulers, MOST_NAMES = 32 };

/* ---- names */

const char *const *clt_scheduler_names(void)
{
    static const char *names[SCHEDULERS + 1];
    for (size_t i = 0; i < SCHEDULERS; i++) names[i] = schedulers[i].name;
    return names;
}

const char *const *clt_optimizer_names(void)
{
    static const char *names[MOST_NAMES + 1];
    for (size_t i = 0; i < MOST_NAMES && clt__optimizer_rows[i]; i++) names[i] = clt__optimizer_rows[i]->name;
    return names;
}

const char *const *clt_loss_names(void)
{
    static const char *names[MOST_NAMES + 1];
    for (size_t i = 0; i < MOST_NAMES && clt__loss_rows[i]; i++) names[i] = clt__loss_rows[i]->name;
    return names;
}

clt_status clt__no_such(const char *kind, const char *name, const char *const *names, clt_error *error)
{
    char list[512] = "";
    size_t length = 0;
    for (size_t i = 0; names[i] && length < sizeof list; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", names[i]);
    return FAIL(error, CLT_BAD_ARGUMENT, "there is no %s \"%s\": there is %s", kind, name, list);
}

static const scheduler *find_scheduler(const char *name)
{
    for (size_t i = 0; i < SCHEDULERS; i++)
        if (strcmp(schedulers[i].name, name) == 0) return &schedulers[i];
    return NULL;
}

const char *clt__find_scheduler(const char *name)
{
    const scheduler *found = find_scheduler(name);
    return found ? found->name : NULL;
}

static bool is_plateau(const clt_train_options *options)
{
    return find_scheduler(options->lr_scheduler)->counts_epochs;
}

/* torch's ReduceLROnPlateau, its defaults: better is by one part in 10000. */
void clt__plateau_follow(const clt_train_options *options, double loss, clt__plateau *plateau)
{
    const bool better = loss < plateau->best * (1 - 1e-4);
    if (!is_plateau(options)) return;
    if (better) plateau->best = loss;
    plateau->stale = better ? 0 : plateau->stale + 1;
    if (plateau->stale <= options->patience_lr) return;
    plateau->factor *= options->factor;
    plateau->stale = 0;
}

double clt__learning_rate(const clt_train_options *options, const clt__plateau *plateau, int epoch,
                          int64_t step_in_epoch, int64_t steps)
{
    const scheduler *schedule = find_scheduler(options->lr_scheduler);
    const bool by_step = schedule->counts_steps || (options->lr_per_step && !schedule->counts_epochs);
    const double now = by_step ? (double)epoch * (double)steps + (double)step_in_epoch : epoch;
    const double end = by_step ? (double)options->epochs * (double)steps : options->epochs;
    const double rate = options->lr * schedule->factor(options, now, end) * (is_plateau(options) ? plateau->factor : 1);
    const double done = epoch + (double)(step_in_epoch + 1) / (double)steps;
    return done < options->warmup_epochs ? rate * done / options->warmup_epochs : rate;
}

/* ---- options that stand for others */

clt_train_options clt__resolve_options(const clt_train_options *options)
{
    clt_train_options o = *options;
    if (o.accumulate > 1) {
        if (!o.micro_batch_size || o.micro_batch_size > o.batch_size) o.micro_batch_size = o.batch_size;
        o.batch_size *= o.accumulate;
        o.accumulate = 1;
    }
    if (o.overfit_batch) {
        o.shuffle = false;
        o.val_split = 0;
        o.augment = (clt_augment){0};
    }
    return o;
}

int64_t clt__epoch_steps(const clt_train_options *options, size_t images)
{
    return ((int64_t)images + options->batch_size - 1) / options->batch_size;
}

int clt__step_images(const clt_train_options *options, size_t images, int64_t step)
{
    const int64_t batch = options->batch_size, rest = (int64_t)images - clt__first_image(options, step);
    return (int)(rest < batch ? rest : batch);
}

int64_t clt__first_image(const clt_train_options *options, int64_t step)
{
    return options->overfit_batch ? 0 : step * options->batch_size;
}

/* ---- checks */

/* Refuses NaN too. */
static clt_status check_range(const char *name, double value, double least, double most, clt_error *error)
{
    if (value >= least && value <= most) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "%s is %g: it should be from %g to %g", name, value, least, most);
}

static clt_status check_normalization(const clt_train_options *options, int channels, clt_error *error)
{
    TRY(check_range("how images are normalised", options->normalize, CLT_NORMALIZE_DATASET, CLT_NORMALIZE_GIVEN,
                    error));
    if (options->normalize != CLT_NORMALIZE_GIVEN) return CLT_OK;
    if (options->normalize_channels != 1 && options->normalize_channels != channels)
        return FAIL(error, CLT_BAD_ARGUMENT, "normalisation is given for %d channels, the images have %d",
                    options->normalize_channels, channels);
    for (int i = 0; i < options->normalize_channels; i++) {
        TRY(check_range("a mean to normalise by", options->normalize_mean[i], -1e30, 1e30, error));
        TRY(check_range("a standard deviation to normalise by", options->normalize_deviation[i], 1e-30, 1e30, error));
    }
    return CLT_OK;
}

static clt_status check_milestones(const clt_train_options *options, clt_error *error)
{
    const clt_milestones *m = &options->milestones;
    TRY(check_range("the number of milestones", m->count, 0, CLT_MAX_MILESTONES, error));
    for (int i = 0; i < m->count; i++)
        if (m->at[i] < (i ? m->at[i - 1] + 1 : 1))
            return FAIL(error, CLT_BAD_ARGUMENT, "milestone %d: each is at least 1 and more than the one before",
                        m->at[i]);
    if (!m->count && find_scheduler(options->lr_scheduler)->factor == multistep)
        return FAIL(error, CLT_BAD_ARGUMENT, "the learning-rate scheduler multistep needs milestones");
    return CLT_OK;
}

static clt_status check_class_weights(const clt_train_options *options, clt_error *error)
{
    TRY(check_range("how classes are weighed", options->class_weighting, CLT_CLASSES_EQUAL, CLT_CLASSES_GIVEN, error));
    if (options->class_weighting != CLT_CLASSES_GIVEN) return CLT_OK;
    TRY(check_range("the number of class weights", options->class_weights, 1, CLT_MAX_CLASS_WEIGHTS, error));
    for (int i = 0; i < options->class_weights; i++)
        TRY(check_range("a class weight", options->class_weight[i], 1e-30, 1e30, error));
    return CLT_OK;
}

clt_status clt__check_options(const clt_train_options *options, int channels, clt_error *error)
{
    if (!clt__find_optimizer(options->optimizer))
        return clt__no_such("optimizer", options->optimizer, clt_optimizer_names(), error);
    if (!clt__find_scheduler(options->lr_scheduler))
        return clt__no_such("learning-rate scheduler", options->lr_scheduler, clt_scheduler_names(), error);
    TRY(check_range("epochs", options->epochs, 0, 1e9, error));
    TRY(check_range("batch size", options->batch_size, 1, 1e6, error));
    TRY(check_range("the number of accumulated batches", options->accumulate, 1, 1e6, error));
    TRY(check_range("batch size times accumulated batches", (double)options->batch_size * options->accumulate, 1, 1e6,
                    error));
    TRY(check_range("micro-batch size", options->micro_batch_size, 0, 1e6, error));
    TRY(check_range("learning rate", options->lr, 0, 1e6, error));
    TRY(check_range("momentum", options->momentum, 0, 1, error));
    TRY(check_range("weight decay", options->weight_decay, 0, 1e6, error));
    TRY(check_range("beta1", options->beta1, 0, 0.999999999, error));
    TRY(check_range("beta2", options->beta2, 0, 0.999999999, error));
    TRY(check_range("alpha", options->alpha, 0, 1, error));
    TRY(check_range("eps", options->eps, 0, 1, error));
    TRY(check_range("clipping by value", options->clip_value, 0, 1e30, error));
    TRY(check_range("the decay of the parameters' average", options->ema, 0, 0.999999999, error));
    TRY(check_range("label smoothing", options->label_smoothing, 0, 1, error));
    TRY(clt__check_augment(&options->augment, error));
    TRY(check_class_weights(options, error));
    TRY(check_range("gradient clipping", options->clip_grad, 0, 1e30, error));
    TRY(check_range("warm-up epochs", options->warmup_epochs, 0, 1e9, error));
    TRY(check_range("gamma", options->gamma, 0, 1e6, error));
    TRY(check_range("power", options->power, 0, 1e6, error));
    TRY(check_range("factor", options->factor, 0, 1, error));
    TRY(check_range("patience of the learning rate", options->patience_lr, 0, 1e9, error));
    TRY(check_milestones(options, error));
    TRY(check_range("step size", options->step_size, 1, 1e9, error));
    TRY(check_range("validation split", options->val_split, 0, 0.999999, error));
    TRY(check_range("patience", options->patience, 0, 1e9, error));
    TRY(check_range("steps between checkpoints", (double)options->save_every, 0, 1e15, error));
    TRY(check_range("steps between checks", (double)options->check_every, 0, 1e15, error));
    TRY(check_range("what is done on a mismatch", options->on_mismatch, CLT_MISMATCH_ABORT, CLT_MISMATCH_WARN, error));
    if (options->nesterov && !(options->momentum > 0))
        return FAIL(error, CLT_BAD_ARGUMENT, "Nesterov momentum needs a momentum above 0");
    return check_normalization(options, channels, error);
}
