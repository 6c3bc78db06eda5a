/* What each optimiser does, by its formula in plain C, and learning rates, weight decay and optimisers by name. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"
#include "training.h"

/* ---- the optimiser and the loss, by hand ---------------------------------------------------------------------- */

enum { INPUTS = 2, OUTPUTS = 3, EXAMPLES = 2, PARAMETERS = OUTPUTS * INPUTS + OUTPUTS };

static const uint8_t pixels[EXAMPLES][INPUTS] = {{255, 51}, {102, 204}};
static const int32_t pixel_labels[EXAMPLES] = {2, 0};

/* Cross-entropy's mean gradient by the weights [o, i] and then the biases [o] of one dense layer. */
static void gradient_by_hand(const double p[PARAMETERS], double smoothing, double g[PARAMETERS])
{
    for (int i = 0; i < PARAMETERS; i++) g[i] = 0;
    for (int n = 0; n < EXAMPLES; n++) {
        double y[OUTPUTS], sum = 0;
        for (int o = 0; o < OUTPUTS; o++) {
            y[o] = p[OUTPUTS * INPUTS + o];
            for (int i = 0; i < INPUTS; i++) y[o] += p[o * INPUTS + i] * pixels[n][i] / 255.0;
            sum += exp(y[o]);
        }
        for (int o = 0; o < OUTPUTS; o++) {
            const double wanted = (o == pixel_labels[n] ? 1 - smoothing : 0) + smoothing / OUTPUTS;
            const double dy = (exp(y[o]) / sum - wanted) / EXAMPLES;
            for (int i = 0; i < INPUTS; i++) g[o * INPUTS + i] += dy * pixels[n][i] / 255.0;
            g[OUTPUTS * INPUTS + o] += dy;
        }
    }
}

/* What torch.optim's optimisers do to one parameter in step t, from its gradient g on: its states are a and b. */
static double update_by_hand(const clt_options *o, int t, double p, double g, double decay, double *a, double *b)
{
    const bool is_lamb = strcmp(o->optimizer, "lamb") == 0;
    const bool is_adamw = strcmp(o->optimizer, "adamw") == 0 || is_lamb,
               is_adagrad = strcmp(o->optimizer, "adagrad") == 0;
    const double d = is_adamw ? g : g + decay * p, eps = o->eps > 0   ? o->eps
                                                         : is_adagrad ? 1e-10
                                                         : is_lamb    ? 1e-6
                                                                      : 1e-8;
    if (strcmp(o->optimizer, "sgd") == 0) {
        *a = o->momentum * *a + d;
        return p - o->lr * (o->nesterov ? d + o->momentum * *a : *a);
    }
    if (strcmp(o->optimizer, "rmsprop") == 0 || is_adagrad) {
        *a = is_adagrad ? *a + d * d : o->alpha * *a + (1 - o->alpha) * d * d;
        return p - o->lr * d / (sqrt(*a) + eps);
    }
    *a = o->beta1 * *a + (1 - o->beta1) * d;
    *b = o->beta2 * *b + (1 - o->beta2) * d * d;
    const double kept = is_adamw ? p * (1 - o->lr * decay) : p;
    const double bottom = sqrt(*b) / sqrt(1 - pow(o->beta2, t)) + eps;
    return kept - o->lr / (1 - pow(o->beta1, t)) * *a / bottom;
}

/* What lamb does in place of `w - step` to one tensor, whose step d is: w - rate * |w| / |d| * d. */
static void trust_by_hand(double rate, int count, const double *d, double *w)
{
    double squares[2] = {0, 0};
    for (int i = 0; i < count; i++) {
        squares[0] += w[i] * w[i];
        squares[1] += d[i] * d[i];
    }
    const double trust = squares[0] > 0 && squares[1] > 0 ? sqrt(squares[0] / squares[1]) : 1;
    for (int i = 0; i < count; i++) w[i] -= rate * trust * d[i];
}

/* torch.nn.utils.clip_grad_norm_, then clip_grad_value_, then the optimiser's step t: that of `bias` for biases. */
static void step_by_hand(const clt_options *o, const clt_options *bias, int t, double p[PARAMETERS],
                         double a[PARAMETERS], double b[PARAMETERS])
{
    double g[PARAMETERS], d[PARAMETERS], square = 0;
    gradient_by_hand(p, o->label_smoothing, g);
    for (int i = 0; i < PARAMETERS; i++) square += g[i] * g[i];
    const double scale = o->clip_grad > 0 ? fmin(1, o->clip_grad / (sqrt(square) + 1e-6)) : 1;
    for (int i = 0; i < PARAMETERS; i++) {
        const double most = o->clip_value > 0 ? o->clip_value : INFINITY;
        const clt_options *own = i < OUTPUTS * INPUTS ? o : bias;
        const double next =
            update_by_hand(own, t, p[i], fmax(-most, fmin(most, scale * g[i])), own->weight_decay, &a[i], &b[i]);
        d[i] = (p[i] - next) / own->lr; /* of lamb */
        if (strcmp(own->optimizer, "lamb") != 0) p[i] = next;
    }
    if (strcmp(o->optimizer, "lamb") == 0) trust_by_hand(o->lr, OUTPUTS * INPUTS, d, p);
    if (strcmp(bias->optimizer, "lamb") == 0)
        trust_by_hand(bias->lr, OUTPUTS, d + OUTPUTS * INPUTS, p + OUTPUTS * INPUTS);
}

/* By hand, `weight` holds for the weights and `bias` for the biases. */
static void assert_steps_by_name(clt_options options, const clt_options *weight, const clt_options *bias,
                                 clt_device *on, clt_precision precision, double bound)
{
    clt_error error;
    clt_dataset *data;
    double p[PARAMETERS] = {0.5, -0.25, 0.125, 0.75, -0.5, 0.375, 0.1, -0.2, 0.3}, a[PARAMETERS] = {0},
           b[PARAMETERS] = {0}, trained[PARAMETERS];
    options.epochs = 3; /* of one step each */
    options.batch_size = EXAMPLES;
    options.shuffle = false;
    options.normalize.how = CLT__BY_NOTHING;
    clt_model *model = make_model("input 1x1x2; flatten; dense out=3", NULL, precision, 1);
    assert_ok(clt_model_set(model, "dense1.weight", p, OUTPUTS * INPUTS, &error), &error);
    assert_ok(clt_model_set(model, "dense1.bias", p + OUTPUTS * INPUTS, OUTPUTS, &error), &error);
    assert_ok(clt_dataset_from_bytes(EXAMPLES, (clt_shape){1, 1, 2}, pixels[0], pixel_labels, OUTPUTS, &data, &error),
              &error);
    assert_ok(clt_train(model, on, data, NULL, &options, &error), &error);
    assert_ok(clt_model_get(model, "dense1.weight", trained, OUTPUTS * INPUTS, &error), &error);
    assert_ok(clt_model_get(model, "dense1.bias", trained + OUTPUTS * INPUTS, OUTPUTS, &error), &error);
    for (int step = 0; step < options.epochs; step++) step_by_hand(weight, bias, step + 1, p, a, b);
    for (int i = 0; i < PARAMETERS; i++) assert_true(fabs(trained[i] - p[i]) <= bound);
    clt_dataset_close(data);
    clt_model_close(model);
}

static void assert_steps_by_hand(clt_options options, clt_device *on, clt_precision precision, double bound)
{
    options.lr = strcmp(options.optimizer, "sgd") == 0 ? 0.5 : 0.05;
    clt_options bias = options;
    if (options.no_decay_bias_norm) bias.weight_decay = 0;
    assert_steps_by_name(options, &options, &bias, on, precision, bound);
}

static void steps_are_what_pytorchs_formulas_say(void **state)
{
    (void)state;
    const clt_options all[] = {
        {.momentum = 0},
        {.momentum = 0.9},
        {.momentum = 0.9, .nesterov = true},
        {.momentum = 0.5, .weight_decay = 0.1},
        {.clip_grad = 0.05},
        {.clip_grad = 1000},
        {.label_smoothing = 0.3},
        {.momentum = 0.9, .nesterov = true, .weight_decay = 0.01, .clip_grad = 0.2, .label_smoothing = 0.1},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        clt_options options = clt__options_default();
        options.momentum = all[i].momentum;
        options.nesterov = all[i].nesterov;
        options.weight_decay = all[i].weight_decay;
        options.clip_grad = all[i].clip_grad;
        options.label_smoothing = all[i].label_smoothing;
        assert_steps_by_hand(options, reference, CLT_F64, 1e-14);
        if (i + 1 == COUNT_OF(all)) assert_steps_by_hand(options, device, CLT_F32, 1e-6);
    }
}

static void every_optimizer_does_what_pytorchs_formulas_say(void **state)
{
    (void)state;
    for (const char *const *name = clt_optimizer_names(); *name; name++) {
        clt_options options = clt__options_default();
        if (strcmp(*name, "muon") == 0) continue; /* for which this net has nothing */
        options.optimizer = *name;
        assert_steps_by_hand(options, reference, CLT_F64, 1e-14);
        options.beta1 = 0.7;
        options.beta2 = 0.95;
        options.alpha = 0.8;
        options.eps = 0.01;
        options.weight_decay = 0.2;
        assert_steps_by_hand(options, reference, CLT_F64, 1e-14);
        options.no_decay_bias_norm = true;
        options.clip_grad = 0.3;
        options.clip_value = 0.08;
        assert_steps_by_hand(options, reference, CLT_F64, 1e-14);
        assert_steps_by_hand(options, device, CLT_F32, 1e-6);
    }
}

static void parameters_have_what_patterns_give_them(void **state)
{
    (void)state;
    for (const char *const *name = clt_optimizer_names(); *name; name++)
        for (const char *const *other = clt_optimizer_names(); *other; other++) {
            if (strcmp(*name, "muon") == 0 || strcmp(*other, "muon") == 0) continue; /* see below */
            clt_options options = clt__options_default();
            char optimizers[64];
            (void)snprintf(optimizers, sizeof optimizers, "*1.*=adagrad,dense?.weight=%s,*.bias=%s", *name, *other);
            options.named[CLT__OPTION_optimizer] = optimizers;
            options.named[CLT__OPTION_lr] = "*=7,dense1.weight=0.05,*.bias=0.02";
            options.named[CLT__OPTION_weight_decay] = "*.bias=0.3";
            options.no_decay_bias_norm = true;
            options.lr = 3;
            options.clip_grad = 0.3;
            options.nesterov = true;
            clt_options weight = options, bias = options;
            weight.optimizer = *name;
            weight.lr = 0.05;
            bias.optimizer = *other;
            bias.lr = 0.02;
            bias.weight_decay = 0.3;
            assert_steps_by_name(options, &weight, &bias, reference, CLT_F64, 1e-14);
            if (name[1] && other != name) continue;
            assert_steps_by_name(options, &weight, &bias, device, CLT_F32, 1e-6);
        }
}

/* From zero a tensor has no norm to trust: its first step is the rate times the direction, g / (|g| + eps). */
static void lamb_leaves_zero_as_adam_does(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *data;
    double zeros[OUTPUTS * INPUTS] = {0}, g[PARAMETERS], trained[OUTPUTS * INPUTS];
    clt_options options = options_for(1, NULL);
    options.optimizer = "lamb";
    options.normalize.how = CLT__BY_NOTHING;
    clt_model *model = make_model("input 1x1x2; flatten; dense out=3", NULL, CLT_F64, 1);
    const double nothing[PARAMETERS] = {0};
    assert_ok(clt_model_set(model, "dense1.weight", zeros, OUTPUTS * INPUTS, &error), &error);
    assert_ok(clt_model_set(model, "dense1.bias", zeros, OUTPUTS, &error), &error);
    assert_ok(clt_dataset_from_bytes(EXAMPLES, (clt_shape){1, 1, 2}, pixels[0], pixel_labels, OUTPUTS, &data, &error),
              &error);
    assert_ok(clt_train(model, reference, data, NULL, &options, &error), &error);
    assert_ok(clt_model_get(model, "dense1.weight", trained, OUTPUTS * INPUTS, &error), &error);
    gradient_by_hand(nothing, 0, g);
    for (int i = 0; i < OUTPUTS * INPUTS; i++)
        assert_true(fabs(trained[i] + options.lr * g[i] / (fabs(g[i]) + 1e-6)) <= 1e-14);
    clt_dataset_close(data);
    clt_model_close(model);
}

/* ---- muon, by hand, from the formulas of its post: matrices are [out, values of a filter], as PyTorch has them
 * -------- */

enum { MOST_VALUES = 6 * 171 };

/* g becomes what is nearly the orthogonal matrix next to it. */
static void orthogonalize_by_hand(double *g, int rows, int columns, int steps)
{
    double norm = 0, a[32][32], b[32][32], next[MOST_VALUES];
    for (int i = 0; i < rows * columns; i++) norm += g[i] * g[i];
    for (int i = 0; i < rows * columns; i++) g[i] /= sqrt(norm) + 1e-7;
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < rows; j++) {
                a[i][j] = 0;
                for (int k = 0; k < columns; k++) a[i][j] += g[i * columns + k] * g[j * columns + k];
            }
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < rows; j++) {
                b[i][j] = -4.7750 * a[i][j];
                for (int k = 0; k < rows; k++) b[i][j] += 2.0315 * a[i][k] * a[k][j];
            }
        for (int i = 0; i < rows; i++)
            for (int k = 0; k < columns; k++) {
                next[i * columns + k] = 3.4445 * g[i * columns + k];
                for (int j = 0; j < rows; j++) next[i * columns + k] += b[i][j] * g[j * columns + k];
            }
        memcpy(g, next, (size_t)(rows * columns) * sizeof *g);
    }
}

/* One tensor of the session's net, before and after each step. */
typedef struct followed {
    const char *name;
    int rows, columns; /* 0 rows: sgd has it */
    bool normalized;
    double rate, decay;
    double w[MOST_VALUES], v[MOST_VALUES];
} followed;

static void read_followed(clt_session *session, const char *name, const char *suffix, int count, double *values)
{
    clt_error error;
    char full[64];
    (void)snprintf(full, sizeof full, "%s%s", name, suffix);
    assert_ok(clt_session_read(session, full, values, (size_t)count, &error), &error);
}

static void step_followed(const clt_options *o, followed *f, const double *gradient, double scale)
{
    const int count = f->rows ? f->rows * f->columns : f->columns;
    double d[MOST_VALUES], norm = 0;
    for (int i = 0; i < count; i++) {
        const double g = scale * gradient[i] + (f->rows ? 0 : f->decay * f->w[i]);
        f->v[i] = o->momentum * f->v[i] + g;
        d[i] = o->nesterov ? g + o->momentum * f->v[i] : f->v[i];
        norm += f->w[i] * f->w[i];
    }
    if (f->rows) orthogonalize_by_hand(d, f->rows, f->columns, o->ns_steps);
    const double grown = f->rows > f->columns ? sqrt((double)f->rows / f->columns) : 1;
    for (int i = 0; i < count; i++) {
        if (f->normalized) f->w[i] *= sqrt(f->rows) / sqrt(norm);
        if (f->rows) f->w[i] *= 1 - f->rate * f->decay;
        f->w[i] -= f->rate * grown * d[i];
    }
}

/* conv1 has more filters than a filter has values, conv2 fewer; conv2's matrix is larger than a block either way. */
static const char muon_net[] =
    "input 2x5x4; conv out=19; tanh; conv out=6 kernel=3 padding=1x0; tanh; flatten; dense out=3";

static void assert_muon_by_hand(const clt_options *options, bool dense, clt_device *on, clt_precision precision,
                                double bound)
{
    clt_error error;
    clt_session *session;
    const double rate = options->lr, decay = options->weight_decay, bias = options->named[CLT__OPTION_lr] ? 0.5 : rate;
    const bool n = options->normalize_filters;
    followed all[] = {{"conv1.weight", 19, 2, n, rate, decay, {0}, {0}},
                      {"conv1.bias", 0, 19, false, bias, decay, {0}, {0}},
                      {"conv2.weight", 6, 171, n, rate, decay, {0}, {0}},
                      {"conv2.bias", 0, 6, false, bias, decay, {0}, {0}},
                      {"dense1.weight", dense ? 3 : 0, dense ? 60 : 180, false, rate, decay, {0}, {0}},
                      {"dense1.bias", 0, 3, false, bias, decay, {0}, {0}}};
    clt_dataset *data = make_images(8, (clt_shape){2, 5, 4}, 3, 1);
    clt_model *model = make_model(muon_net, NULL, precision, 5);
    static const int32_t order[] = {3, 1, 4, 0, 5, 2, 6, 7};
    assert_ok(clt_session_open(model, on, data, options, false, &session, &error), &error);
    for (int step = 0; step < 3; step++) {
        double gradient[COUNT_OF(all)][MOST_VALUES], square = 0;
        for (size_t i = 0; i < COUNT_OF(all) && step == 0; i++)
            read_followed(session, all[i].name, "", all[i].columns * (all[i].rows ? all[i].rows : 1), all[i].w);
        assert_ok(clt_session_step(session, order, 8, &error), &error);
        for (size_t i = 0; i < COUNT_OF(all); i++) {
            const int count = all[i].columns * (all[i].rows ? all[i].rows : 1);
            read_followed(session, all[i].name, ".gradient", count, gradient[i]);
            for (int j = 0; j < count; j++) square += gradient[i][j] * gradient[i][j];
        }
        const double scale = options->clip_grad > 0 ? fmin(1, options->clip_grad / (sqrt(square) + 1e-6)) : 1;
        for (size_t i = 0; i < COUNT_OF(all); i++) {
            double trained[MOST_VALUES];
            const int count = all[i].columns * (all[i].rows ? all[i].rows : 1);
            step_followed(options, &all[i], gradient[i], scale);
            read_followed(session, all[i].name, "", count, trained);
            for (int j = 0; j < count; j++) assert_true(fabs(trained[j] - all[i].w[j]) <= bound);
        }
    }
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(data);
}

static void muon_does_what_its_post_says(void **state)
{
    (void)state;
    clt_options options = options_for(1, NULL);
    options.batch_size = 8;
    options.optimizer = "muon";
    assert_muon_by_hand(&options, false, reference, CLT_F64, 1e-11);
    options.nesterov = true;
    options.momentum = 0.6;
    options.weight_decay = 0.3;
    options.ns_steps = 3;
    options.normalize_filters = true;
    assert_muon_by_hand(&options, false, reference, CLT_F64, 1e-11);
    assert_muon_by_hand(&options, false, device, CLT_F32, 1e-4);
    options.ns_steps = 2;
    options.micro_batch_size = 3;
    options.clip_grad = 0.05;
    options.optimizer = "sgd";
    options.named[CLT__OPTION_optimizer] = "*.weight=muon";
    options.named[CLT__OPTION_lr] = "*.bias=0.5";
    assert_muon_by_hand(&options, true, reference, CLT_F64, 1e-11);
    assert_muon_by_hand(&options, true, device, CLT_F32, 1e-4);
}

/* ---- learning rates, weight decay and optimisers by name ------------------------------------------------------ */

static void set(clt_options *options, const char *name, const char *value)
{
    clt_error error;
    assert_ok(clt_options_set(options, name, value, &error), &error);
}

static void assert_reads_back(const char *name, const char *value, const char *wanted)
{
    clt_error error;
    clt_options *options, *copy;
    char *text;
    assert_ok(clt_options_create(&options, &error), &error);
    set(options, name, value);
    assert_ok(clt_options_copy(options, &copy, &error), &error);
    clt_options_close(options);
    assert_ok(clt_options_get(copy, name, &text, &error), &error);
    assert_string_equal(text, wanted);
    clt_free(text);
    assert_ok(clt_options_set_real(copy, "lr", 0.5, &error), &error);
    assert_null(copy->named[CLT__OPTION_lr]);
    clt_options_close(copy);
}

static void what_says_nothing_by_name_is_as_before(void **state)
{
    (void)state;
    assert_reads_back("lr", "conv*.weight=0.24,0.1,*.bias=0.05", "0.1,conv*.weight=0.24,*.bias=0.05");
    assert_reads_back("lr", "*.bias=0.05", "0.01,*.bias=0.05");
    assert_reads_back("weight_decay", "0.5", "0.5");
    assert_reads_back("optimizer", "*.bias=adam", "sgd,*.bias=adam");
    clt_options options = options_for(1, "no names");
    clt_model *model = make_model(net, NULL, CLT_F32, 3), *same = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    options.output_dir = NULL;
    options.named[CLT__OPTION_lr] = "conv*=7,*=0.05";
    options.named[CLT__OPTION_optimizer] = "*=sgd";
    train(same, device, &options);
    assert_true(distance(model, same) < 1e-6);
    clt_model_close(model);
    clt_model_close(same);
}

/* All that has a state, with optimisers whose numbers change from step to step and others. */
static clt_options named_options(const char *folder, bool by_muon)
{
    clt_options options = stateful_options(folder);
    options.named[CLT__OPTION_optimizer] =
        by_muon ? "*.weight=muon,conv1.bias=adam" : "*.bias=adam,conv1.weight=lamb,dense1.bias=rmsprop";
    options.freeze = by_muon ? "dense1.weight@1" : NULL;
    options.normalize_filters = by_muon;
    options.ns_steps = by_muon ? 3 : 5;
    options.named[CLT__OPTION_lr] = "conv*=0.01,*.bias=0.003";
    options.named[CLT__OPTION_weight_decay] = "*.bias=0.01";
    options.micro_batch_size = 5;
    options.clip_grad = 1;
    return options;
}

static void assert_named_resumes(bool by_muon, const char *whole, const char *parts)
{
    clt_options options = named_options(whole, by_muon);
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    stop_run(named_options(parts, by_muon), 2, 1, "stopped in epoch 2 after step 1 of 5"); /* step 6, a multiple of 3 */
    resume(parts);
    assert_same_run(whole, parts);
}

static void optimizers_by_name_resume_to_the_same_bits(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file;
    assert_named_resumes(false, "named whole", "named parts");
    assert_named_resumes(true, "muon whole", "muon parts");
    assert_ok(clt__safetensors_read(file_in("muon whole", "last.safetensors"), &file, &error), &error);
    assert_non_null(clt__safetensors_find(&file, "optimizer.momentum_buffer.conv1.weight"));
    assert_non_null(clt__safetensors_find(&file, "optimizer.velocity.dense1.bias"));
    assert_non_null(strstr(clt__safetensors_text(&file, "cltrain"), "\"ns_steps\":3,\"normalize_filters\":true"));
    clt__safetensors_free(&file);
    assert_ok(clt__safetensors_read(file_in("named whole", "last.safetensors"), &file, &error), &error);
    static const char *const there[] = {"velocity.dense1.weight", "exp_avg.conv1.weight",  "exp_avg_sq.conv1.weight",
                                        "exp_avg.conv1.bias",     "exp_avg_sq.conv1.bias", "square_avg.dense1.bias"};
    static const char *const absent[] = {"velocity.conv1.weight", "velocity.dense1.bias", "exp_avg.dense1.weight",
                                         "exp_avg.dense1.bias"};
    char name[128];
    for (size_t i = 0; i < COUNT_OF(there); i++) {
        (void)snprintf(name, sizeof name, "optimizer.%s", there[i]);
        assert_non_null(clt__safetensors_find(&file, name));
    }
    for (size_t i = 0; i < COUNT_OF(absent); i++) {
        (void)snprintf(name, sizeof name, "optimizer.%s", absent[i]);
        assert_null(clt__safetensors_find(&file, name));
    }
    const char *text = clt__safetensors_text(&file, "cltrain");
    assert_non_null(strstr(text, "\"lr\":\"0.05,conv*=0.01,*.bias=0.003\""));
    assert_non_null(strstr(text, "\"momentum\":0.9"));
    assert_null(strstr(text, "ns_steps"));
    assert_null(strstr(text, "normalize_filters"));
    clt__safetensors_free(&file);
}

/* What each parameter has counts, not how it is said; where one has another, all begin anew. */
static void another_list_of_the_same_optimizers_goes_on(void **state)
{
    (void)state;
    static const char *const lists[] = {"*.bias=adam", "conv1.bias=adam,dense1.bias=adam",
                                        "*.weight=sgd,dense1.bias=adam"};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        clt_options options = options_for(1, "listed");
        options.named[CLT__OPTION_optimizer] = lists[0];
        clt_model *model = make_model(net, NULL, CLT_F32, 3);
        train(model, reference, &options);
        options.named[CLT__OPTION_optimizer] = lists[i];
        options.epochs = 2;
        train(model, reference, &options);
        assert_int_equal(model->state.optimizer_began, i < 2 ? 0 : STEPS);
        clt_model_close(model);
    }
}

static void steps_by_name_verify(void **state)
{
    (void)state;
    const clt_schedule before = clt__device_limits(device, CLT_F32).schedule;
    for (int i = 0; i < 4; i++) {
        const clt_schedule schedule = i < 2 ? CLT_SCHEDULE_VECTOR : CLT_SCHEDULE_TILE;
        clt_options options = named_options(NULL, i % 2);
        options.epochs = 1;
        options.check_every = 1;
        clt_device_set_schedule(device, schedule);
        clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
        train(model, device, &options);
        clt_model_close(model);
    }
    clt_device_set_schedule(device, before);
}

static void names_that_cannot_be_obeyed_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[][3] = {
        {"lr", "0.1,0.2",
         "lr: \"0.1,0.2\" is given, where a number from 0 to 1e+06 is needed, or a comma list of one and of PATTERN=N"},
        {"lr", "0.1,", "is needed"},
        {"lr", "=0.1", "is needed"},
        {"lr", "0.1,conv*=-1", "is needed"},
        {"lr", ",conv*=1", "is needed"},
        {"lr", "", "is needed"},
        {"optimizer", "sgd,conv*=adamm", "adagrad is needed, or a comma list of one and of PATTERN=NAME"},
    };
    static const char *const unfit[][3] = {
        {"lr", "conv9*=1", "lr: there is no parameter \"conv9*\": there is conv1.weight, conv1.bias, dense1.w"},
        {"lr", "0,conv*=1", "lr is 0 but for parameters of some names"},
        {"weight_decay", "0,x=1", "weight_decay: there is no parameter \"x\""},
        {"optimizer", "y=adam", "optimizer: there is no parameter \"y\""},
        {"optimizer", "conv*=muon", "optimizer: muon takes filters and matrices, and conv1.bias is neither"},
        {"normalize_filters", "yes", "normalize_filters says what the optimizer muon does, and nothing has it"},
    };
    clt_error error;
    clt_options *options;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_ok(clt_options_create(&options, &error), &error);
        assert_failed(clt_options_set(options, wrong[i][0], wrong[i][1], &error), CLT_BAD_ARGUMENT, &error, NULL,
                      wrong[i][2]);
        clt_options_close(options);
    }
    for (size_t i = 0; i < COUNT_OF(unfit); i++) {
        assert_ok(clt_options_create(&options, &error), &error);
        set(options, unfit[i][0], unfit[i][1]);
        clt_model *model = make_model(net, NULL, CLT_F32, 3);
        assert_failed(clt_train(model, reference, images, NULL, options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                      unfit[i][2]);
        clt_model_close(model);
        clt_options_close(options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_what_pytorchs_formulas_say),
        cmocka_unit_test(every_optimizer_does_what_pytorchs_formulas_say),
        cmocka_unit_test(parameters_have_what_patterns_give_them),
        cmocka_unit_test(muon_does_what_its_post_says),
        cmocka_unit_test(what_says_nothing_by_name_is_as_before),
        cmocka_unit_test(optimizers_by_name_resume_to_the_same_bits),
        cmocka_unit_test(another_list_of_the_same_optimizers_goes_on),
        cmocka_unit_test(steps_by_name_verify),
        cmocka_unit_test(names_that_cannot_be_obeyed_are_refused),
        cmocka_unit_test(lamb_leaves_zero_as_adam_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
