/* cltrain against PyTorch, in double and in float: optimisers, losses and schedules on a small problem. The figures are
 * in pytorch/figures.csv; pytorch/figures.py says how they were made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/schedule.h"
#include "support.h"

enum { INPUTS = 2, OUTPUTS = 3, EXAMPLES = 2, WEIGHTS = OUTPUTS * INPUTS, RUN_STEPS = 3, EPOCHS = 10, STEPS = 4 };

typedef struct figure {
    char kind[32], name[32], figure[32];
    int index;
    double value;
} figure;

enum { MOST_FIGURES = 1000 };

static figure figures[MOST_FIGURES];
static int figure_count;
static clt_device *device, *reference;

static int set_up(void **state)
{
    (void)state;
    FILE *file = fopen(PYTORCH_FOLDER "/figures.csv", "r");
    if (!file || fscanf(file, "kind,name,figure,index,value\n") != 0) return -1;
    while (figure_count < MOST_FIGURES) {
        figure *f = &figures[figure_count];
        if (fscanf(file, "%31[^,],%31[^,],%31[^,],%d,%lf\n", f->kind, f->name, f->figure, &f->index, &f->value) != 5)
            break;
        figure_count++;
    }
    device = open_called(NULL);
    reference = open_called("reference");
    return fclose(file);
}

static int tear_down(void **state)
{
    (void)state;
    clt_device_close(device);
    clt_device_close(reference);
    return 0;
}

/* Compares one of the run's numbers with PyTorch's. */
static void compare(const char *kind, const char *name, const char *what, int index, double value, double bound)
{
    for (int i = 0; i < figure_count; i++) {
        const figure *f = &figures[i];
        if (strcmp(f->kind, kind) != 0 || strcmp(f->name, name) != 0 || strcmp(f->figure, what) != 0 ||
            f->index != index)
            continue;
        if (!(fabs(value - f->value) <= bound * (1 + fabs(f->value))))
            fail_msg("%s %s: %s %d is %.17g, PyTorch has %.17g", kind, name, what, index, value, f->value);
        return;
    }
    fail_msg("PyTorch has no %s %d of %s %s", what, index, kind, name);
}

/* ---- optimisers and losses */

typedef struct run {
    const char *kind, *name, *optimizer, *loss;
    bool targets, weighted;
} run;

/* Losses whose targets are from 0 to 1. */
static bool takes_shares(const char *loss)
{
    return strcmp(loss, "bce") == 0 || strcmp(loss, "cross_entropy") == 0;
}

static clt_dataset *make_data(const run *r)
{
    static const uint8_t pixels[EXAMPLES * INPUTS] = {255, 51, 102, 204};
    static const int32_t labels[EXAMPLES] = {2, 0};
    static const double targets[EXAMPLES * OUTPUTS] = {0.25, 1, -2, 0, 0.5, 1};
    static const double shares[EXAMPLES * OUTPUTS] = {0.25, 0.125, 0.625, 0, 0.5, 0.5};
    const clt_shape shape = {1, 1, INPUTS};
    clt_error error;
    clt_dataset *data;
    double reals[EXAMPLES * INPUTS];
    for (int i = 0; i < EXAMPLES * INPUTS; i++) reals[i] = pixels[i] / 255.0;
    if (r->targets)
        assert_ok(clt_dataset_from_reals(EXAMPLES, shape, reals, takes_shares(r->loss) ? shares : targets, OUTPUTS,
                                         &data, &error),
                  &error);
    else
        assert_ok(clt_dataset_from_bytes(EXAMPLES, shape, pixels, labels, OUTPUTS, &data, &error), &error);
    return data;
}

static void compare_run(const run *r, clt_device *on, clt_precision precision, double bound)
{
    static const double p[WEIGHTS + OUTPUTS] = {0.5, -0.25, 0.125, 0.75, -0.5, 0.375, 0.1, -0.2, 0.3};
    static const int32_t order[EXAMPLES] = {0, 1};
    clt_error error;
    clt_session *session;
    double losses[EXAMPLES], trained[WEIGHTS + OUTPUTS];
    clt_model *model = make_model("input 1x1x2; flatten; dense out=3", r->loss, precision, 1);
    clt_dataset *data = make_data(r);
    clt_options options = clt__options_default();
    options.batch_size = EXAMPLES;
    options.optimizer = r->optimizer;
    options.lr = 0.05;
    options.weight_decay = 0.1;
    options.normalize.how = CLT__BY_NOTHING;
    if (r->weighted) {
        options.label_smoothing = 0.2;
        options.class_weights.how = CLT__GIVEN;
        options.class_weights.count = OUTPUTS;
        memcpy(options.class_weights.weight, (double[]){0.5, 3, 1.5}, OUTPUTS * sizeof(double));
    }
    assert_ok(clt_model_set(model, "dense1.weight", p, WEIGHTS, &error), &error);
    assert_ok(clt_model_set(model, "dense1.bias", p + WEIGHTS, OUTPUTS, &error), &error);
    assert_ok(clt_session_open(model, on, data, &options, false, &session, &error), &error);
    for (int step = 0; step < RUN_STEPS; step++) {
        assert_ok(clt_session_step(session, order, EXAMPLES, &error), &error);
        assert_ok(clt_session_read(session, "loss", losses, EXAMPLES, &error), &error);
        compare(r->kind, r->name, "loss", step, (losses[0] + losses[1]) / EXAMPLES, bound);
    }
    assert_ok(clt_session_read(session, "dense1.weight", trained, WEIGHTS, &error), &error);
    assert_ok(clt_session_read(session, "dense1.bias", trained + WEIGHTS, OUTPUTS, &error), &error);
    for (int i = 0; i < WEIGHTS + OUTPUTS; i++) compare(r->kind, r->name, "parameter", i, trained[i], bound);
    clt_session_close(session);
    clt_dataset_close(data);
    clt_model_close(model);
}

static void compare_on_both(const run *r)
{
    compare_run(r, reference, CLT_F64, 1e-14);
    compare_run(r, device, CLT_F32, 1e-6);
}

static void every_optimizer_is_pytorchs(void **state)
{
    (void)state;
    for (const char *const *name = clt_optimizer_names(); *name; name++)
        /* To muon this net has no filters: sgd trains it. */
        compare_on_both(
            &(run){"optimizer", strcmp(*name, "muon") == 0 ? "sgd" : *name, *name, "cross_entropy", .targets = false});
}

static void every_loss_is_pytorchs(void **state)
{
    (void)state;
    for (const char *const *name = clt_loss_names(); *name; name++) {
        compare_on_both(&(run){"labels", *name, "sgd", *name, .targets = false});
        compare_on_both(&(run){"targets", *name, "sgd", *name, .targets = true});
    }
    compare_on_both(&(run){"weighted", "cross_entropy", "sgd", "cross_entropy", .weighted = true});
}

/* ---- schedules */

static clt_options schedule_options(const char *name)
{
    clt_options options = clt__options_default();
    options.epochs = EPOCHS;
    options.lr = 0.2;
    options.lr_scheduler = name;
    options.step_size = 3;
    options.gamma = 0.5;
    options.milestones = (clt__milestones){3, {2, 5, 8}};
    options.power = 2;
    options.factor = 0.5;
    options.patience_lr = 1;
    return options;
}

static void compare_schedule(const char *name, bool by_step)
{
    static const double losses[EPOCHS] = {5, 4, 4.5, 4, 3.9999, 3, 3, 3, 3, 2};
    clt_options options = schedule_options(name);
    clt__training_state state = {.plateau = {.best = INFINITY}, .rate_factor = 1};
    const bool counts_steps = by_step || strcmp(name, "onecycle") == 0;
    options.lr_per_step = by_step;
    for (int step = 0; step < EPOCHS * STEPS; step++) {
        state.epoch = step / STEPS;
        const double rate = clt__learning_rate(&options, &state, step % STEPS, STEPS);
        if (counts_steps)
            compare("steps", name, "rate", step, rate, 1e-14);
        else
            compare("schedule", name, "rate", step / STEPS, rate, 1e-14);
        if (step % STEPS == STEPS - 1) clt__schedule_follow(&options, losses[step / STEPS], &state);
    }
}

static void every_schedule_is_pytorchs(void **state)
{
    (void)state;
    for (const char *const *name = clt_scheduler_names(); *name; name++) {
        if (strcmp(*name, "const") == 0) continue;
        compare_schedule(*name, false);
        if (strcmp(*name, "plateau") != 0) compare_schedule(*name, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_is_pytorchs),
        cmocka_unit_test(every_loss_is_pytorchs),
        cmocka_unit_test(every_schedule_is_pytorchs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
