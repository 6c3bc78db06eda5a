/* Training options: their defaults, their checks, and the learning rate they give each step. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/training.h"

clt_train_options clt_train_defaults(void)
{
    return (clt_train_options){.epochs = 5,
                               .batch_size = 64,
                               .optimizer = "sgd",
                               .lr = 0.01,
                               .momentum = 0.9,
                               .beta1 = 0.9,
                               .beta2 = 0.999,
                               .alpha = 0.99,
                               .lr_scheduler = "const",
                               .gamma = 0.1,
                               .step_size = 1,
                               .shuffle = true,
                               .normalize = CLT_NORMALIZE_DATASET};
}

const clt__optimizer_row *clt__find_optimizer(const char *name)
{
    for (const clt__optimizer_row *const *row = clt__optimizer_rows; *row; row++)
        if (strcmp((*row)->name, name) == 0) return *row;
    return NULL;
}

/* ---- schedules: the factor on the learning rate in an epoch, counted from 0 */

typedef struct scheduler {
    const char *name;
    double (*factor)(const clt_train_options *options, int epoch);
} scheduler;

static double constant(const clt_train_options *options, int epoch)
{
    (void)options;
    (void)epoch;
    return 1;
}

static double step(const clt_train_options *options, int epoch)
{
    return pow(options->gamma, epoch / options->step_size);
}

static double exponential(const clt_train_options *options, int epoch)
{
    return pow(options->gamma, epoch);
}

static double cosine(const clt_train_options *options, int epoch)
{
    return (1 + cos(3.14159265358979323846 * epoch / options->epochs)) / 2;
}

static const scheduler schedulers[] = {
    {"const", constant}, {"step", step}, {"exponential", exponential}, {"cosine", cosine}};

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

/* "there is no optimizer "x": there are sgd, adam" */
static clt_status no_such(const char *kind, const char *name, const char *const *names, clt_error *error)
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

double clt__learning_rate(const clt_train_options *options, int epoch, int64_t step_in_epoch, int64_t steps)
{
    const double rate = options->lr * find_scheduler(options->lr_scheduler)->factor(options, epoch);
    const double done = epoch + (double)(step_in_epoch + 1) / (double)steps;
    return done < options->warmup_epochs ? rate * done / options->warmup_epochs : rate;
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

clt_status clt__check_options(const clt_train_options *options, int channels, clt_error *error)
{
    if (!clt__find_optimizer(options->optimizer))
        return no_such("optimizer", options->optimizer, clt_optimizer_names(), error);
    if (!clt__find_scheduler(options->lr_scheduler))
        return no_such("learning-rate scheduler", options->lr_scheduler, clt_scheduler_names(), error);
    TRY(check_range("epochs", options->epochs, 0, 1e9, error));
    TRY(check_range("batch size", options->batch_size, 1, 1e6, error));
    TRY(check_range("micro-batch size", options->micro_batch_size, 0, 1e6, error));
    TRY(check_range("learning rate", options->lr, 0, 1e6, error));
    TRY(check_range("momentum", options->momentum, 0, 1, error));
    TRY(check_range("weight decay", options->weight_decay, 0, 1e6, error));
    TRY(check_range("beta1", options->beta1, 0, 0.999999999, error));
    TRY(check_range("beta2", options->beta2, 0, 0.999999999, error));
    TRY(check_range("alpha", options->alpha, 0, 1, error));
    TRY(check_range("eps", options->eps, 0, 1, error));
    TRY(check_range("clipping by value", options->clip_value, 0, 1e30, error));
    TRY(check_range("label smoothing", options->label_smoothing, 0, 1, error));
    TRY(check_range("gradient clipping", options->clip_grad, 0, 1e30, error));
    TRY(check_range("warm-up epochs", options->warmup_epochs, 0, 1e9, error));
    TRY(check_range("gamma", options->gamma, 0, 1e6, error));
    TRY(check_range("step size", options->step_size, 1, 1e9, error));
    TRY(check_range("validation split", options->val_split, 0, 0.999999, error));
    TRY(check_range("patience", options->patience, 0, 1e9, error));
    TRY(check_range("steps between checkpoints", (double)options->save_every, 0, 1e15, error));
    TRY(check_range("steps between checks", (double)options->check_every, 0, 1e15, error));
    if (options->nesterov && !(options->momentum > 0))
        return FAIL(error, CLT_BAD_ARGUMENT, "Nesterov momentum needs a momentum above 0");
    return check_normalization(options, channels, error);
}
