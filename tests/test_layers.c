/* cltrain's layers against PyTorch's, in double and in float: outputs, gradients by the input and by every parameter,
 * running statistics. The figures are in pytorch/layers.csv; pytorch/layers.py says how they were made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"
#include "support.h"

enum { BATCH = 2, MOST_FIGURES = 600 };

/* One tensor of one net. */
typedef struct figure {
    char *net, *tensor, *values; /* parts of one line: `net` is its beginning */
} figure;

static figure figures[MOST_FIGURES];
static int figure_count;

static int set_up(void **state)
{
    (void)state;
    FILE *file = fopen(PYTORCH_FOLDER "/layers.csv", "r");
    if (!file || fscanf(file, "net,tensor,values\n") != 0) return -1;
    for (; figure_count < MOST_FIGURES; figure_count++) {
        figure *f = &figures[figure_count];
        size_t size = 0;
        if (getline(&f->net, &size, file) < 0) break;
        f->values = strrchr(f->net, ',') + 1; /* a net may have commas too */
        f->values[-1] = 0;
        f->tensor = strrchr(f->net, ',') + 1;
        f->tensor[-1] = 0;
    }
    const bool all = fgetc(file) == EOF;
    return fclose(file) == 0 && all ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i <= figure_count && i < MOST_FIGURES; i++) free(figures[i].net); /* the last: of no line */
    return 0;
}

/* As in layers.py. */
static double number(int seed, size_t i)
{
    return ((double)((97 * i + 31 * (size_t)seed) % 251) - 125) / 128;
}

static double *numbers(int seed, size_t count, double scale)
{
    double *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) values[i] = scale * number(seed, i);
    return values;
}

static void set_parameters(clt_model *model, const clt__net *net)
{
    clt_error error;
    int seed = 2;
    for (int i = 0; i < net->layers; i++)
        for (int j = 0; j < net->layer[i].parameters; j++) {
            const clt__parameter *p = &net->layer[i].parameter[j];
            const clt__tensor *tensor = &net->tape.tensor[p->tensor];
            if (p->state) continue;
            double *values = numbers(seed++, (size_t)tensor->count, 1);
            assert_ok(clt_model_set(model, tensor->name, values, (size_t)tensor->count, &error), &error);
            free(values);
        }
}

static clt_dataset *make_data(const clt_model *model)
{
    clt_error error;
    clt_dataset *data;
    const clt_shape shape = clt_model_input(model);
    const size_t outputs = (size_t)clt_model_outputs(model);
    double *images = numbers(0, BATCH * (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width, 8);
    double *targets = numbers(1, BATCH * outputs, 1);
    assert_ok(clt_dataset_from_reals(BATCH, shape, images, targets, (int)outputs, &data, &error), &error);
    free(images);
    free(targets);
    return data;
}

/* Every op of a step but the update. */
static void run_step(clt_session *session)
{
    clt_error error;
    const int32_t order[BATCH] = {0, 1};
    const clt__placement placement = {.valid = BATCH, .whole = BATCH};
    assert_ok(clt__feed_set_order(&session->feed, order, BATCH, 0, &error), &error);
    assert_ok(clt__session_place(session, &placement, &error), &error);
    assert_ok(clt__session_run_ops(session, 0, session->net.update, NULL, &error), &error);
}

static clt_session *open_session(clt_model *model, clt_device *device, const clt_dataset *data)
{
    clt_error error;
    clt_session *session;
    clt_options options = clt__options_default();
    const clt__session_mode mode = {.training = true, .keep_tensors = true, .input_gradient = true};
    options.batch_size = BATCH;
    options.normalize.how = CLT__BY_NOTHING;
    assert_ok(clt__session_open(model, device, data, &options, mode, &session, &error), &error);
    return session;
}

/* One tensor, to a share of its largest value or of 1. */
static void compare(clt_session *session, const figure *f, double bound)
{
    clt_error error;
    const clt__net *net = &session->net;
    const bool is_output = strcmp(f->tensor, "output") == 0;
    const char *name = is_output ? net->tape.tensor[net->output.tensor].name : f->tensor, *at = f->values;
    const clt_tensor_info *info = clt_session_find(session, name);
    if (!info) fail_msg("%s: there is no %s", f->net, name);
    const size_t count = info->count;
    double *values = malloc(count * sizeof *values), *wanted = malloc(count * sizeof *wanted), most = 1;
    assert_true(values && wanted);
    assert_ok(clt_session_read(session, name, values, count, &error), &error);
    for (size_t i = 0; i < count; i++) {
        char *end;
        wanted[i] = strtod(at, &end);
        if (end == at) fail_msg("%s: PyTorch has %zu values of %s, not %zu", f->net, i, name, count);
        at = end;
        if (fabs(wanted[i]) > most) most = fabs(wanted[i]);
    }
    assert_string_equal(at, "\n");
    for (size_t i = 0; i < count; i++)
        if (!(fabs(values[i] - wanted[i]) <= bound * most))
            fail_msg("%s: %s %zu is %.17g, PyTorch has %.17g", f->net, name, i, values[i], wanted[i]);
    free(values);
    free(wanted);
}

/* All figures of the net of figure `first`; gives the first of the next net. */
static int compare_net(int first, clt_device *device, clt_precision precision, double bound)
{
    const char *net = figures[first].net;
    clt_model *model = make_model(net, "half_mse", precision, 1);
    clt_dataset *data = make_data(model);
    clt_session *session = open_session(model, device, data);
    set_parameters(model, &session->net);
    clt_session_close(session);
    session = open_session(model, device, data);
    run_step(session);
    int i = first;
    for (; i < figure_count && strcmp(figures[i].net, net) == 0; i++) compare(session, &figures[i], bound);
    clt_session_close(session);
    clt_dataset_close(data);
    clt_model_close(model);
    return i;
}

static void compare_all(const char *name, clt_precision precision, double bound)
{
    clt_device *device = open_called(name);
    for (int i = 0; i < figure_count;) i = compare_net(i, device, precision, bound);
    clt_device_close(device);
}

static void the_reference_is_pytorch(void **state)
{
    (void)state;
    compare_all("reference", CLT_F64, 1e-13);
}

static void the_device_is_pytorch(void **state)
{
    (void)state;
    compare_all(NULL, CLT_F32, 1e-6);
}

/* dropout and droppath draw other numbers than PyTorch does, and the notebook's sigmoid is wrong on purpose. */
static void every_layer_has_figures(void **state)
{
    (void)state;
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++) {
        char called[64];
        bool found = strncmp((*row)->name, "drop", 4) == 0 || strcmp((*row)->name, "sigmoid_notebook") == 0;
        (void)snprintf(called, sizeof called, "; %s", (*row)->name);
        for (int i = 0; i < figure_count; i++) {
            const char *at = strstr(figures[i].net, called);
            found = found || (at && strchr(" ;", at[strlen(called)]));
        }
        if (!found) fail_msg("PyTorch has no figures of %s", (*row)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_has_figures),
        cmocka_unit_test(the_reference_is_pytorch),
        cmocka_unit_test(the_device_is_pytorch),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
