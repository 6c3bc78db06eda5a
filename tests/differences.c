#include "differences.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"
#include "support.h"

enum { MOST_SAMPLES = 20 };

typedef struct trial {
    clt_session *session;
    size_t loss_op;
    int valid; /* images of the batch that count */
} trial;

/* ---- the mean loss of the batch, as a function of any element ------------------------------------------------ */

static double mean_loss(const trial *t)
{
    clt_error error;
    const clt__net *net = &t->session->net;
    double losses[64], sum = 0;
    assert_true(net->tape.tensor[net->loss].count <= 64);
    assert_ok(clt__engine_run(t->session->engine, net->forward, net->backward, &error), &error);
    assert_ok(clt__engine_run(t->session->engine, t->loss_op, t->loss_op + 1, &error), &error);
    assert_ok(clt__engine_read(t->session->engine, net->loss, 0, net->tape.tensor[net->loss].count, losses, &error),
              &error);
    for (int n = 0; n < t->valid; n++) sum += losses[n];
    return sum / t->valid;
}

static double loss_at(const trial *t, int tensor, int at, double value)
{
    clt_error error;
    assert_ok(clt__engine_write(t->session->engine, tensor, at, 1, &value, &error), &error);
    return mean_loss(t);
}

/* ---- one tensor's gradient against differences --------------------------------------------------------------- */

static void compare_element(const trial *t, int tensor, int at, double gradient, tally *total)
{
    const double step = 1e-5;
    clt_error error;
    double value;
    assert_ok(clt__engine_read(t->session->engine, tensor, at, 1, &value, &error), &error);
    const double above = loss_at(t, tensor, at, value + step), below = loss_at(t, tensor, at, value - step);
    const double here = loss_at(t, tensor, at, value);
    const double right = (above - here) / step, left = (here - below) / step, central = (above - below) / (2 * step);
    /* Right and left differ by the step times the curvature, or by a kink of relu or maxpool between them. */
    if (!(fabs(right - left) <= 1e-3 * (fabs(right) + fabs(left)) + 1e-5)) {
        total->skipped++;
        return;
    }
    const double bound = 1e-6 * fabs(gradient) + 1e-10 * (1 + fabs(here)), difference = fabs(central - gradient);
    total->compared++;
    if (difference / bound > total->worst) total->worst = difference / bound;
    if (!(difference <= bound))
        print_error("%s, element %d: gradient %.12g, difference quotient %.12g\n",
                    t->session->net.tape.tensor[tensor].name, at, gradient, central);
    assert_true(difference <= bound);
}

static void compare_tensor(const trial *t, int tensor, int gradient, tally *total)
{
    clt_error error;
    const int count = t->session->net.tape.tensor[tensor].count;
    const int samples = count < MOST_SAMPLES ? count : MOST_SAMPLES;
    double *gradients = malloc((size_t)count * sizeof *gradients);
    assert_non_null(gradients);
    assert_int_equal(t->session->net.tape.tensor[gradient].count, count);
    assert_ok(clt__engine_read(t->session->engine, gradient, 0, count, gradients, &error), &error);
    for (int i = 0; i < samples; i++) {
        const int at = (int)((int64_t)i * count / samples);
        compare_element(t, tensor, at, gradients[at], total);
    }
    free(gradients);
}

static int tensor_of(const trial *t, const char *name)
{
    const int index = clt__tape_find(&t->session->net.tape, name);
    if (index < 0) print_error("no tensor %s\n", name);
    assert_true(index >= 0);
    return index;
}

/* One step's forward and backward ops, without the update, then every gradient that came of it. False where the loss is
 * no finite number: a logarithm of what is negative, say. */
static bool compare_gradients(trial *t, tally *total)
{
    clt_error error;
    const clt__net *net = &t->session->net;
    assert_ok(clt__engine_run(t->session->engine, 0, net->update, &error), &error);
    t->loss_op = net->backward;
    while (net->tape.op[t->loss_op].row != t->session->model->description.loss->op) t->loss_op++;
    if (!isfinite(mean_loss(t))) return false;
    compare_tensor(t, net->input.tensor, tensor_of(t, "input.gradient"), total);
    for (int i = 0; i < net->layers; i++)
        for (int j = 0; j < net->layer[i].parameters; j++) {
            const clt__parameter *parameter = &net->layer[i].parameter[j];
            if (parameter->gradient >= 0) compare_tensor(t, parameter->tensor, parameter->gradient, total);
        }
    return true;
}

/* ---- one net -------------------------------------------------------------------------------------------------- */

static clt_dataset *make_data(const clt_model *model, const setting *s)
{
    const clt_shape shape = clt_model_input(model);
    const size_t count = (size_t)s->batch, outputs = (size_t)clt_model_outputs(model);
    if (!s->real_targets) return make_images(count, shape, (int)outputs, 3);
    clt_error error;
    clt_dataset *data;
    const size_t values = (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
    double *images = malloc(count * values * sizeof *images), *targets = malloc(count * outputs * sizeof *targets);
    assert_true(images && targets);
    fill_random(images, count * values, 1);
    fill_random(targets, count * outputs, 2);
    for (size_t i = 0; i < count * outputs; i++) targets[i] = (targets[i] + 1) / 2;
    assert_ok(clt_dataset_from_reals(count, shape, images, targets, (int)outputs, &data, &error), &error);
    free(images);
    free(targets);
    return data;
}

/* Multiply-adds of one forward pass, about. */
static double cost_of(const clt__net *net)
{
    double cost = 0;
    for (int i = 0; i < net->layers; i++) {
        const clt__layer *layer = &net->layer[i];
        if (!layer->parameters) continue;
        const int pixels = layer->out.flat ? 1 : layer->out.shape.height * layer->out.shape.width;
        cost += (double)layer->batch * pixels * net->tape.tensor[layer->parameter[0].tensor].count;
    }
    return cost;
}

bool check_gradients(clt_device *device, clt_model *model, const setting *s, tally *total)
{
    clt_error error;
    clt_dataset *data = make_data(model, s);
    clt_options options = clt__options_default();
    options.batch_size = s->batch;
    options.label_smoothing = s->label_smoothing;
    options.normalize.how = CLT__BY_GIVEN;
    options.normalize.channels = 1;
    options.normalize.mean[0] = 0.4;
    options.normalize.deviation[0] = 0.3;
    assert_ok(clt__normalize(model, data, &options, &error), &error);
    trial t = {.valid = s->batch > 1 ? s->batch - 1 : 1};
    assert_ok(clt__session_open(model, device, data, &options,
                                (clt__session_mode){.training = true, .keep_tensors = true, .input_gradient = true},
                                &t.session, &error),
              &error);
    bool checked = cost_of(&t.session->net) < 4e5;
    if (checked) {
        int32_t order[64];
        for (int i = 0; i < s->batch; i++) order[i] = i;
        assert_ok(clt__feed_set_order(&t.session->feed, order, s->batch, 0, &error), &error);
        const clt__placement placement = {.valid = t.valid, .whole = t.valid};
        assert_ok(clt__session_place(t.session, &placement, &error), &error);
        checked = compare_gradients(&t, total);
    }
    clt_session_close(t.session);
    clt_dataset_close(data);
    return checked;
}

void assert_few_were_skipped(const tally *total)
{
    print_message("%d gradients compared, %d skipped at kinks; the worst used %.0f %% of its bound\n", total->compared,
                  total->skipped, 100 * total->worst);
    assert_true(total->skipped * 50 <= total->compared);
}
