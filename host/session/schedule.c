/* The learning rate of each step. */
#include "session/schedule.h"

#include <math.h>
#include <string.h>

/* ---- schedules: the factor on the learning rate at `now` of `end`, counted from 0 in epochs or in steps */

typedef struct scheduler {
    const char *name;
    double (*factor)(const clt_options *options, double now, double end);
    bool counts_steps;  /* always */
    bool counts_epochs; /* always */
} scheduler;

static double constant(const clt_options *options, double now, double end)
{
    (void)options;
    (void)now;
    (void)end;
    return 1;
}

static double step(const clt_options *options, double now, double end)
{
    (void)end;
    return pow(options->gamma, floor(now / options->step_size));
}

static double multistep(const clt_options *options, double now, double end)
{
    int passed = 0;
    (void)end;
    while (passed < options->milestones.count && options->milestones.at[passed] <= now) passed++;
    return pow(options->gamma, passed);
}

static double exponential(const clt_options *options, double now, double end)
{
    (void)end;
    return pow(options->gamma, now);
}

static double polynomial(const clt_options *options, double now, double end)
{
    return pow(1 - now / end, options->power);
}

/* From `first` to `last` along half a cosine. */
static double anneal(double first, double last, double share)
{
    return last + (first - last) / 2 * (1 + cos(3.14159265358979323846 * share));
}

static double cosine(const clt_options *options, double now, double end)
{
    (void)options;
    return anneal(1, 0, now / end);
}

/* Up to the whole rate in the first 30 % of the steps, then down to next to nothing: torch's OneCycleLR, its defaults.
 */
static double onecycle(const clt_options *options, double now, double end)
{
    const double first = 1.0 / 25, last = first / 1e4, peak = 0.3 * end - 1;
    (void)options;
    if (now <= peak) return anneal(first, 1, peak > 0 ? now / peak : 1);
    return anneal(1, last, (now - peak) / (end - 1 - peak));
}

/* Name, factor, whether it always counts steps, whether it always counts epochs. */
#define SCHEDULERS(ROW)                           \
    ROW("const", constant, false, false)          \
    ROW("step", step, false, false)               \
    ROW("multistep", multistep, false, false)     \
    ROW("exponential", exponential, false, false) \
    ROW("polynomial", polynomial, false, false)   \
    ROW("cosine", cosine, false, false)           \
    ROW("onecycle", onecycle, true, false)        \
    ROW("plateau", constant, false, true)

#define SCHEDULER(...) {__VA_ARGS__},
static const scheduler schedulers[] = {SCHEDULERS(SCHEDULER)};

/* ---- names */

const char *const *clt_scheduler_names(void)
{
#define NAME(name, ...) name,
    static const char *const names[] = {SCHEDULERS(NAME) NULL};
    return names;
}

static const scheduler *find_scheduler(const char *name)
{
    size_t i = 0;
    while (strcmp(schedulers[i].name, name) != 0) i++; /* the options have no other name */
    return &schedulers[i];
}

static bool is_plateau(const clt_options *options)
{
    return find_scheduler(options->lr_scheduler)->counts_epochs;
}

/* torch's ReduceLROnPlateau, its defaults: better is by one part in 10000. */
void clt__schedule_follow(const clt_options *options, double loss, clt__training_state *state)
{
    clt__watched_loss *plateau = &state->plateau;
    const bool better = loss < plateau->best * (1 - 1e-4);
    if (!is_plateau(options)) return;
    if (better) plateau->best = loss;
    plateau->stale = better ? 0 : plateau->stale + 1;
    if (plateau->stale <= options->patience_lr) return;
    state->rate_factor *= options->factor;
    plateau->stale = 0;
}

double clt__learning_rate(const clt_options *options, const clt__training_state *state, int64_t step, int64_t steps)
{
    const scheduler *schedule = find_scheduler(options->lr_scheduler);
    const bool by_step = schedule->counts_steps || (options->lr_per_step && !schedule->counts_epochs);
    const double now = by_step ? (double)state->epoch * (double)steps + (double)step : state->epoch;
    const double end = by_step ? (double)options->epochs * (double)steps : options->epochs;
    const double rate =
        options->lr * schedule->factor(options, now, end) * (schedule->counts_epochs ? state->rate_factor : 1);
    const double done = state->epoch + (double)(step + 1) / (double)steps;
    return done < options->warmup_epochs ? rate * done / options->warmup_epochs : rate;
}
