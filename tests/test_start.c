/* How a training starts: initial parameters, those that are frozen, those that come from a file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/eigen.h"
#include "formats/safetensors.h"
#include "session/session.h"
#include "training.h"

/* ---- initial parameters --------------------------------------------------------------------------------------- */

/* conv1.weight [120, 30, 5, 5], dense1.weight [150, 480] */
static const char big_net[] = "input 30x6x6; conv out=120 kernel=5; relu; batchnorm; flatten; dense out=150";

static clt_model *make_with(const char *text, const char *init)
{
    clt_error error;
    clt_model *model;
    const clt_options options = {.net = text, .precision = CLT_F64, .seed = 5, .init = init};
    assert_ok(clt_model_create(&options, &model, &error), &error);
    return model;
}

static const clt__parameter_values *parameter(const clt_model *model, const char *name)
{
    for (size_t i = 0; i < model->parameters; i++)
        if (strcmp(model->parameter[i].info.name, name) == 0) return &model->parameter[i];
    fail_msg("no parameter %s", name);
    return NULL;
}

typedef struct moments {
    double mean, deviation, most; /* most: the largest absolute value, in deviations */
    double fourth; /* the fourth moment, in deviations: 1.8 for a uniform distribution, 3 for a normal one */
} moments;

static moments moments_of(const clt__parameter_values *p)
{
    moments m = {0};
    const double count = (double)p->info.count;
    double square = 0;
    for (size_t i = 0; i < p->info.count; i++) m.mean += p->values[i] / count;
    for (size_t i = 0; i < p->info.count; i++) square += pow(p->values[i] - m.mean, 2) / count;
    m.deviation = sqrt(square);
    for (size_t i = 0; i < p->info.count; i++) m.most = fmax(m.most, fabs(p->values[i]) / m.deviation);
    for (size_t i = 0; i < p->info.count; i++) m.fourth += pow((p->values[i] - m.mean) / m.deviation, 4) / count;
    return m;
}

static void assert_near(const char *what, double value, double wanted, double bound)
{
    if (!(fabs(value - wanted) <= bound)) fail_msg("%s is %g, not %g", what, value, wanted);
}

/* A normal distribution within two deviations has 0.8796 of them, and a fourth moment of 2.3655 (integrated). */
static void assert_moments(const char *init, const char *name, double deviation, double fourth)
{
    clt_model *model = make_with(big_net, init);
    const clt__parameter_values *p = parameter(model, name);
    const moments m = moments_of(p);
    const double root = sqrt((double)p->info.count);
    assert_near(init, m.mean, 0, 5 * deviation / root);
    assert_near(init, m.deviation / deviation, 1, 5 / root);
    assert_near(init, m.fourth, fourth, 50 / root);
    if (fourth < 2) assert_near(init, m.most, sqrt(3), 0.02);
    if (fourth > 2.5) assert_true(m.most > 3.5);
    clt_model_close(model);
}

static void rules_give_their_moments(void **state)
{
    (void)state;
    const double conv_in = 30 * 25, conv_out = 120 * 25, dense_in = 480, dense_out = 150;
    assert_moments("torch", "conv1.weight", 1 / sqrt(3 * conv_in), 1.8);
    assert_moments("kaiming_uniform", "conv1.weight", sqrt(2 / conv_in), 1.8);
    assert_moments("kaiming_normal", "conv1.weight", sqrt(2 / conv_in), 3);
    assert_moments("kaiming_normal", "dense1.weight", sqrt(2 / dense_in), 3);
    assert_moments("kaiming_uniform_out", "dense1.weight", sqrt(2 / dense_out), 1.8);
    assert_moments("kaiming_normal_out", "conv1.weight", sqrt(2 / conv_out), 3);
    assert_moments("xavier_uniform", "conv1.weight", sqrt(2 / (conv_in + conv_out)), 1.8);
    assert_moments("xavier_normal", "dense1.weight", sqrt(2 / (dense_in + dense_out)), 3);
    assert_moments("truncated_normal", "dense1.weight", 0.02 * 0.87962566, 2.3655);
}

static void assert_constant(const clt_model *model, const char *name, double value)
{
    const clt__parameter_values *p = parameter(model, name);
    for (size_t i = 0; i < p->info.count; i++)
        if (p->values[i] != value) fail_msg("%s is %g, not %g", name, p->values[i], value);
}

static void rules_leave_biases_and_norms_what_they_should_be(void **state)
{
    (void)state;
    static const char *const inits[] = {"kaiming_normal", "xavier_uniform", "truncated_normal", "constant=0.5",
                                        "*=kaiming_uniform"};
    for (size_t i = 0; i < COUNT_OF(inits); i++) {
        clt_model *model = make_with(big_net, inits[i]);
        assert_constant(model, "conv1.bias", 0);
        assert_constant(model, "dense1.bias", 0);
        assert_constant(model, "batchnorm1.weight", 1);
        assert_constant(model, "batchnorm1.bias", 0);
        assert_constant(model, "batchnorm1.running_var", 1);
        clt_model_close(model);
    }
}

/* Weight [o, i, y, x] of a group's filter o that passes input o on. */
static double passing(const clt_tensor_info *info, size_t at)
{
    const size_t width = (size_t)info->extent[3], height = (size_t)info->extent[2], inputs = (size_t)info->extent[1];
    const size_t x = at % width, y = at / width % height, i = at / width / height % inputs,
                 o = at / width / height / inputs;
    return o == i && y == height / 2 && x == width / 2;
}

static void assert_passes_on(const char *text, const char *init, const char *name, int groups)
{
    clt_model *model = make_with(text, init), *torch = make_with(text, NULL);
    for (size_t n = 0; n < model->parameters; n++) {
        const clt__parameter_values *p = &model->parameter[n], *q = &torch->parameter[n];
        const bool is_it = strcmp(p->info.name, name) == 0;
        const size_t group = p->info.count / (size_t)(is_it ? groups : 1),
                     filter = is_it ? group / (size_t)(p->info.extent[0] / groups) : 1;
        for (size_t i = 0; i < p->info.count; i++) {
            const bool passes = is_it && i % group / filter < (size_t)p->info.extent[1];
            assert_true(p->values[i] == (passes ? passing(&p->info, i % group) : q->values[i]));
        }
    }
    clt_model_close(model);
    clt_model_close(torch);
}

static void dirac_passes_inputs_on_and_leaves_the_rest(void **state)
{
    (void)state;
    static const char more[] = "input 3x6x5; conv out=5 kernel=3x2; batchnorm; relu; flatten; dense out=4",
                      fewer[] = "input 5x6x5; conv out=3 kernel=4x5 padding=2; flatten; dense out=4",
                      groups[] = "input 4x6x5; conv out=6 kernel=3 groups=2; flatten; dense out=4",
                      depthwise[] = "input 3x6x5; conv out=6 kernel=1x3 groups=3; flatten; dense out=4";
    assert_passes_on(more, "dirac", "conv1.weight", 1);
    assert_passes_on(more, "conv*=dirac", "conv1.weight", 1);
    assert_passes_on(fewer, "dirac", "conv1.weight", 1);
    assert_passes_on(groups, "kaiming_normal,dirac", "conv1.weight", 2);
    assert_passes_on(depthwise, "dirac", "conv1.weight", 3);
}

/* ---- whitening ------------------------------------------------------------------------------------------------- */

enum { SEEN = 37, ROWS = 5, COLUMNS = 6 };

/* Grey levels that depend on their neighbours. */
static clt_dataset *make_correlated(int channels)
{
    clt_error error;
    clt_dataset *data;
    static double random[SEEN * 3 * ROWS * COLUMNS];
    static uint8_t bytes[SEEN * 3 * ROWS * COLUMNS];
    int32_t labels[SEEN];
    const size_t count = (size_t)(SEEN * channels * ROWS * COLUMNS);
    fill_random(random, count, 8);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(128 + 60 * random[i] + 40 * random[i ? i - 1 : 0] + 20 * random[i > 5 ? i - 6 : 0]);
    for (int i = 0; i < SEEN; i++) labels[i] = i % 2;
    assert_ok(clt_dataset_from_bytes(SEEN, (clt_shape){channels, ROWS, COLUMNS}, bytes, labels, 2, &data, &error),
              &error);
    return data;
}

static void open_and_close(clt_model *model, const clt_dataset *data, const clt_options *options)
{
    clt_error error;
    clt_session *session;
    assert_ok(clt_session_open(model, reference, data, options, false, &session, &error), &error);
    clt_session_close(session);
}

/* What filter `filter` gives at a place of an image, as the model normalises it, without a bias. */
static double answer(const clt_model *model, const clt_dataset *data, size_t filter, size_t image, size_t y, size_t x)
{
    const clt__parameter_values *w = parameter(model, "conv1.weight");
    const size_t channels = (size_t)w->info.extent[1], height = (size_t)w->info.extent[2],
                 width = (size_t)w->info.extent[3], dilation = (size_t)w->dilation[1];
    double sum = 0;
    for (size_t i = 0; i < channels * height * width; i++) {
        const size_t c = i / height / width, r = i / width % height, s = i % width * dilation;
        const double value =
            data->bytes[((image * ROWS + y + r) * COLUMNS + x + s) * channels + c] / 255.0 - model->mean[c];
        sum += w->values[filter * channels * height * width + i] * value / model->deviation[c];
    }
    return sum;
}

/* Over all places of all images: each answer's variance is l / (l + 0.0005), where l is that of the filter's own
 * direction, and no two go together. */
static void assert_whitens(const char *text, int channels, int outputs)
{
    enum { MOST = 24 };
    clt_dataset *data = make_correlated(channels);
    clt_model *model = make_with(text, "whiten");
    const clt_options options = clt__options_default();
    open_and_close(model, data, &options);
    const clt__parameter_values *w = parameter(model, "conv1.weight");
    const int reach = (w->info.extent[3] - 1) * w->dilation[1] + 1, rows = ROWS - w->info.extent[2] + 1,
              columns = COLUMNS - reach + 1, values = (int)w->info.count / outputs;
    double mean[MOST] = {0}, product[MOST][MOST] = {{0}}, before = INFINITY;
    const double count = (double)SEEN * rows * columns;
    for (int n = 0; n < SEEN * rows * columns; n++) {
        double is[MOST];
        for (int i = 0; i < outputs; i++) {
            is[i] = answer(model, data, (size_t)i, (size_t)(n / columns / rows), (size_t)(n / columns % rows),
                           (size_t)(n % columns));
            mean[i] += is[i] / count;
        }
        for (int i = 0; i < outputs; i++)
            for (int j = 0; j < outputs; j++) product[i][j] += is[i] * is[j] / count;
    }
    for (int i = 0; i < outputs; i++) {
        double square = 0;
        for (int j = 0; j < values; j++) square += pow(w->values[i * values + j], 2);
        const double own = 1 / square - 5e-4; /* the eigenvalue: the filter's length is 1 / sqrt(l + 0.0005) */
        for (int j = 0; j < outputs; j++) {
            const double together = product[i][j] - mean[i] * mean[j],
                         wanted = i % values != j % values ? 0 : (i == j ? 1 : -1) * own / (own + 5e-4);
            assert_near(text, together, wanted, 1e-9);
        }
        if (i < values) assert_true(own <= before + 1e-12);
        before = own;
    }
    clt_model_close(model);
    clt_dataset_close(data);
}

static void whitened_answers_do_not_correlate(void **state)
{
    (void)state;
    assert_whitens("input 3x5x6; conv out=24 kernel=2; flatten; dense out=2", 3, 24);
    assert_whitens("input 3x5x6; conv out=7 kernel=2 stride=2 padding=1; flatten; dense out=2", 3, 7);
    assert_whitens("input 1x5x6; conv out=11 kernel=3x2 dilation=1x3; flatten; dense out=2", 1, 11);
}

static void what_whitens_nothing_begins_as_ever(void **state)
{
    (void)state;
    static const char text[] = "input 3x5x6; conv out=4 kernel=2; relu; conv out=3 kernel=2; flatten; dense out=2";
    const clt_options options = clt__options_default();
    clt_dataset *data = make_correlated(3);
    clt_model *torch = make_with(text, NULL), *whole = make_with(text, "whiten"),
              *named = make_with(text, "conv1.*=whiten,conv2.weight=dirac");
    open_and_close(whole, data, &options);
    open_and_close(named, data, &options);
    for (size_t i = 0; i < torch->parameters; i++) {
        const clt__parameter_values *p = &torch->parameter[i], *q = &whole->parameter[i], *r = &named->parameter[i];
        const size_t bytes = p->info.count * sizeof(double);
        if (strcmp(p->info.name, "conv1.weight") == 0)
            assert_memory_not_equal(p->values, q->values, bytes);
        else
            assert_memory_equal(p->values, q->values, bytes);
        if (strcmp(p->info.name, "conv2.weight") != 0) assert_memory_equal(q->values, r->values, bytes);
    }
    clt_model_close(torch);
    clt_model_close(whole);
    clt_model_close(named);
    clt_dataset_close(data);
}

/* Other images would give other filters: none are asked for. */
static void whitening_is_done_once(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    double first[24], later[24];
    clt_options options = options_for(1, "whitened");
    options.init = "whiten";
    options.net = "input 1x8x8; conv out=6 kernel=2; relu; flatten; dense out=3";
    options.seed = 5;
    clt_model *whole, *part;
    assert_ok(clt_model_create(&options, &whole, &error), &error);
    options.epochs = 3;
    train(whole, device, &options);
    assert_ok(clt_model_create(&options, &part, &error), &error);
    options.epochs = 0;
    options.output_dir = path_in("whitened");
    train(part, device, &options);
    assert_ok(clt_model_get(part, "conv1.weight", first, 24, &error), &error);
    clt_model_close(part);
    part = load("whitened", "last.safetensors");
    options = *clt_model_options(part);
    assert_string_equal(options.init, "whiten");
    assert_ok(clt_session_open(part, reference, validation, &options, false, &session, &error), &error);
    clt_session_close(session);
    assert_ok(clt_model_get(part, "conv1.weight", later, 24, &error), &error);
    assert_memory_equal(first, later, sizeof first);
    clt_model_close(part);
    part = load("whitened", "last.safetensors");
    options = *clt_model_options(part);
    options.epochs = 3;
    train(part, device, &options);
    assert_true(distance(whole, part) == 0);
    clt_model_close(whole);
    clt_model_close(part);
}

static void given_weights_are_not_whitened(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *data = make_correlated(1);
    clt_model *model = make_with("input 1x5x6; conv out=2 kernel=1x2; flatten; dense out=2", "whiten");
    const double given[] = {1, 2, 3, 4};
    double kept[4];
    const clt_options options = clt__options_default();
    assert_ok(clt_model_set(model, "conv1.weight", given, 4, &error), &error);
    open_and_close(model, data, &options);
    assert_ok(clt_model_get(model, "conv1.weight", kept, 4, &error), &error);
    assert_memory_equal(kept, given, sizeof kept);
    clt_model_close(model);
    clt_dataset_close(data);
}

/* Batches of the caller's tell nothing before they come. */
static void batches_cannot_be_whitened_by(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_dataset *data = make_correlated(1);
    clt_options options = clt__options_default();
    clt_model *model = make_with("input 1x5x6; conv out=2 kernel=1x2; flatten; dense out=2", "whiten");
    options.normalize.how = CLT__BY_NOTHING;
    assert_failed(clt_session_open_batches(model, reference, CLT_BYTES, CLT_LABELS, &options, false, &session, &error),
                  CLT_BAD_ARGUMENT, &error, NULL, "conv1.weight whitens, and the batches to come cannot be measured");
    open_and_close(model, data, &options);
    assert_ok(clt_session_open_batches(model, reference, CLT_BYTES, CLT_LABELS, &options, false, &session, &error),
              &error);
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(data);
}

/* Eigenvectors of a matrix that is put together from some: of a product of Householder's reflections. */
static void eigenvectors_are_found_again(void **state)
{
    (void)state;
    enum { N = 9 };
    double axes[N][N] = {{0}}, matrix[N * N] = {0}, values[N], vectors[N * N], mirror[2][N];
    const double wanted[N] = {7, 5, 5, 1, 0.25, 1e-3, 0, 0, -2};
    fill_random(&mirror[0][0], 2 * N, 3);
    for (int i = 0; i < N; i++) axes[i][i] = 1;
    for (int m = 0; m < 2; m++) {
        double length = 0;
        for (int i = 0; i < N; i++) length += mirror[m][i] * mirror[m][i];
        for (int i = 0; i < N; i++) {
            double along = 0;
            for (int j = 0; j < N; j++) along += axes[i][j] * mirror[m][j];
            for (int j = 0; j < N; j++) axes[i][j] -= 2 * along / length * mirror[m][j];
        }
    }
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N * N; i++) matrix[i] += wanted[k] * axes[k][i / N] * axes[k][i % N];
    double lost[N * N];
    memcpy(lost, matrix, sizeof lost);
    clt__symmetric_eigen(N, lost, values, vectors);
    for (int k = 0; k < N; k++) {
        double most = 0;
        assert_near("an eigenvalue", values[k], wanted[k], 1e-13);
        for (int i = 0; i < N; i++) {
            double image = 0;
            for (int j = 0; j < N; j++) image += matrix[i * N + j] * vectors[k * N + j];
            assert_near("an eigenvector", image, values[k] * vectors[k * N + i], 1e-13);
            if (fabs(vectors[k * N + i]) > fabs(most)) most = vectors[k * N + i];
        }
        assert_true(most > 0);
        for (int l = 0; l < N; l++) {
            double along = 0;
            for (int i = 0; i < N; i++) along += vectors[k * N + i] * vectors[l * N + i];
            assert_near("two eigenvectors", along, k == l, 1e-14);
        }
    }
}

static void what_cannot_whiten_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *net, *init, *what;
    } refused[] = {
        {"conv out=3; conv out=3", "conv*=whiten",
         "init: whiten is for convolutions without groups that read the images themselves, and conv2.weight is of "
         "none"},
        {"conv out=4 groups=2", "whiten",
         "init: whiten is for convolutions without groups that read the images themselves, and conv1.weight is of "
         "none"},
        {"maxpool kernel=2; conv out=3", "whiten",
         "init: whiten is for the weights of convolutions that read the images themselves, and there is none"},
        {"flatten; dense out=3", "dense*=whiten", "init: dense1.weight is no convolution's weight, and whiten is for"},
        {"conv out=17 kernel=2", "whiten",
         "init: conv1.weight has 17 outputs: whiten gives 16 at most, patches of 2x2x2 having 8 eigenvectors and as "
         "many "
         "of the other sign"},
        {"conv out=3 kernel=7 padding=3", "whiten",
         "init: images of 6x6 have no patch as large as the kernel of conv1"},
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        clt_error error;
        clt_model *model;
        const clt_options options = {.net = refused[i].net, .init = refused[i].init, .input = {2, 6, 6}};
        assert_failed(clt_model_create(&options, &model, &error), CLT_BAD_ARGUMENT, &error, NULL, refused[i].what);
    }
}

static void a_later_rule_wins_where_its_pattern_fits(void **state)
{
    (void)state;
    clt_model *model = make_with(big_net, "constant=1,conv*=constant=-2,*1.bias=constant=3,dense1.*=torch");
    clt_model *torch = make_with(big_net, NULL);
    assert_constant(model, "conv1.weight", -2);
    assert_constant(model, "conv1.bias", 3);
    assert_constant(model, "batchnorm1.weight", 1);
    assert_constant(model, "batchnorm1.bias", 3);
    assert_constant(model, "batchnorm1.running_mean", 0);
    const clt__parameter_values *one = parameter(model, "dense1.bias"), *other = parameter(torch, "dense1.bias");
    assert_memory_equal(one->values, other->values, one->info.count * sizeof(double));
    clt_model_close(model);
    clt_model_close(torch);
}

static void another_layer_changes_no_other_parameter(void **state)
{
    (void)state;
    clt_model *one = make_with("input 2x4x4; conv out=3; flatten; dense out=5", "xavier_normal");
    clt_model *other = make_with("input 2x4x4; conv out=3; conv out=3 as=more; flatten; dense out=5", "xavier_normal");
    for (size_t i = 0; i < one->parameters; i++) {
        const clt__parameter_values *p = &one->parameter[i], *q = parameter(other, p->info.name);
        assert_memory_equal(p->values, q->values, p->info.count * sizeof(double));
    }
    assert_memory_not_equal(parameter(other, "conv1.weight")->values, parameter(other, "more.weight")->values,
                            2 * sizeof(double));
    clt_model_close(one);
    clt_model_close(other);
}

static void an_initialisation_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *init, *what;
    } refused[] = {
        {"he", "there is no initialisation \"he\": there is torch, kaiming_uniform, "},
        {"constant", "there is no initialisation \"constant\""},
        {"constant=x", "there is no initialisation \"constant=x\""},
        {"conv1.weight=", "there is no initialisation \"conv1.weight=\""},
        {"dense1.*=dirac", "init: dense1.weight is no convolution's weight, and dirac is for those alone"},
        {"*.bias=dirac", "init: dirac is for the weights of convolutions, and there is none of the name *.bias"},
        {"dirac=1", "there is no initialisation \"dirac=1\""},
        {"torch,,torch", "there is no initialisation \"\""},
        {"conv2.*=torch", "init: there is no parameter \"conv2.*\": there is conv1.weight, conv1.bias"},
        {"*.running_var=constant=2", "init: there is no parameter \"*.running_var\": there is conv1.weight"},
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        clt_error error;
        clt_model *model = (clt_model *)&error;
        const clt_options options = {.net = big_net, .init = refused[i].init};
        assert_failed(clt_model_create(&options, &model, &error), CLT_BAD_ARGUMENT, &error, NULL, refused[i].what);
        assert_null(model);
    }
}

/* ---- frozen parameters ---------------------------------------------------------------------------------------- */

static const char norm_net[] =
    "input 1x8x8; conv out=4 kernel=3; batchnorm; relu; conv out=3 kernel=2; flatten; dense out=3";

/* Trained on the reference for some epochs, with all that has a state. */
static clt_model *train_frozen(const char *text, const char *freeze, int epochs, const char *folder)
{
    clt_options options = options_for(epochs, folder);
    options.freeze = freeze;
    options.optimizer = "adam";
    options.ema = 0.8;
    options.lr = 0.01;
    clt_model *model = make_model(text, NULL, CLT_F64, 3);
    train(model, reference, &options);
    return model;
}

static bool same_values(const clt_model *one, const clt_model *other, const char *name)
{
    const clt__parameter_values *p = parameter(one, name), *q = parameter(other, name);
    return memcmp(p->values, q->values, p->info.count * sizeof(double)) == 0;
}

static void frozen_parameters_stay_and_others_learn(void **state)
{
    (void)state;
    clt_model *model = train_frozen(norm_net, "conv1.*,batchnorm*,dense1.bias", 1, NULL);
    clt_model *fresh = make_model(norm_net, NULL, CLT_F64, 3);
    static const char *const frozen[] = {"conv1.weight", "conv1.bias", "batchnorm1.weight", "batchnorm1.bias",
                                         "dense1.bias"};
    static const char *const trained[] = {"conv2.weight", "conv2.bias", "dense1.weight", "batchnorm1.running_mean",
                                          "batchnorm1.running_var"};
    for (size_t i = 0; i < COUNT_OF(frozen); i++) assert_true(same_values(model, fresh, frozen[i]));
    for (size_t i = 0; i < COUNT_OF(trained); i++) assert_false(same_values(model, fresh, trained[i]));
    clt_model_close(model);
    clt_model_close(fresh);
}

static void freezing_is_what_the_nets_text_does(void **state)
{
    (void)state;
    clt_model *one = train_frozen(net, "conv1.weight,conv1.bias", 2, NULL);
    clt_model *other = train_frozen("input 1x8x8; conv out=4 kernel=3 padding=1 frozen=yes; relu; maxpool kernel=2; "
                                    "flatten; dense out=3",
                                    NULL, 2, NULL);
    assert_true(distance(one, other) == 0);
    clt_model_close(one);
    clt_model_close(other);
}

static int count_ops(const clt_session *session, const char *layer)
{
    int count = 0;
    for (size_t i = session->net.backward; i < session->net.update; i++)
        count += strcmp(session->net.tape.op[i].layer, layer) == 0;
    return count;
}

static int count_gradient_ops(const char *freeze, const char *layer)
{
    clt_error error;
    clt_session *session;
    clt_options options = options_for(1, NULL);
    options.freeze = freeze;
    clt_model *model = make_model(norm_net, NULL, CLT_F32, 3);
    assert_ok(clt_session_open(model, reference, images, &options, false, &session, &error), &error);
    const int count = count_ops(session, layer);
    clt_session_close(session);
    clt_model_close(model);
    return count;
}

static void no_gradient_is_computed_that_nothing_needs(void **state)
{
    (void)state;
    assert_int_equal(count_gradient_ops(NULL, "conv1"), 1);
    assert_int_equal(count_gradient_ops(NULL, "conv2"), 2);
    assert_int_equal(count_gradient_ops("conv*", "conv1"), 0);
    assert_int_equal(count_gradient_ops("conv*", "conv2"), 1); /* for the batchnorm below it */
    assert_int_equal(count_gradient_ops("conv1*,batch*", "batchnorm1"), 0);
    assert_int_equal(count_gradient_ops("conv1*,batch*", "conv2"), 1);
    assert_int_equal(count_gradient_ops("conv1.weight", "conv1"), 1);
}

/* One step: the others' gradients are the same. */
static void half_a_frozen_layer_trains_its_other_half(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *batch = make_images(BATCH, shape, CLASSES, 1);
    const clt_options all = options_for(1, NULL);
    clt_options half = all;
    half.freeze = "conv1.weight,dense1.bias";
    for (int on_device = 0; on_device < 2; on_device++) {
        clt_device *on = on_device ? device : reference;
        clt_model *one = make_model(net, NULL, CLT_F32, 3), *other = make_model(net, NULL, CLT_F32, 3);
        assert_ok(clt_train(one, on, batch, NULL, &all, &error), &error);
        assert_ok(clt_train(other, on, batch, NULL, &half, &error), &error);
        assert_true(same_values(one, other, "conv1.bias") && same_values(one, other, "dense1.weight"));
        assert_false(same_values(one, other, "conv1.weight") || same_values(one, other, "dense1.bias"));
        clt_model_close(one);
        clt_model_close(other);
    }
    clt_dataset_close(batch);
}

static void a_frozen_run_resumes_to_the_same_bits(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file;
    clt_model *whole = train_frozen(norm_net, "conv1.weight,b*.bias", 3, NULL);
    clt_model_close(train_frozen(norm_net, "conv1.weight,b*.bias", 2, "frozen"));
    clt_model *parts = load("frozen", "last.safetensors");
    clt_options options = *clt_model_options(parts);
    assert_string_equal(options.freeze, "conv1.weight,b*.bias");
    options.epochs = 3;
    train(parts, reference, &options);
    assert_true(distance(whole, parts) == 0);
    for (size_t i = 0; i < whole->parameters; i++) {
        const clt__parameter_values *p = &whole->parameter[i], *q = &parts->parameter[i];
        assert_memory_equal(p->average, q->average, p->trained ? p->info.count * sizeof(double) : 0);
    }
    clt_model_close(whole);
    clt_model_close(parts);
    assert_ok(clt__safetensors_read(file_in("frozen", "last.safetensors"), &file, &error), &error);
    assert_null(clt__safetensors_find(&file, "optimizer.exp_avg.conv1.weight"));
    assert_null(clt__safetensors_find(&file, "ema.conv1.weight"));
    assert_non_null(clt__safetensors_find(&file, "optimizer.exp_avg.conv1.bias"));
    clt__safetensors_free(&file);
    parts =
        load("frozen", "last.safetensors"); /* thawed: what was frozen has no state yet, and its average is itself */
    options = *clt_model_options(parts);
    options.freeze = NULL;
    options.lr = 0;
    options.epochs = 3;
    train(parts, reference, &options);
    const clt__parameter_values *p = parameter(parts, "conv1.weight");
    for (size_t i = 0; i < p->info.count; i++) assert_near("average", p->average[i], p->values[i], 1e-15);
    clt_model_close(parts);
}

static void patterns_that_freeze_nothing_or_all_are_refused(void **state)
{
    (void)state;
    static const char *const refused[][2] = {
        {"conv1.weight,conv9*",
         "freeze: there is no parameter \"conv9*\": there is conv1.weight, conv1.bias, dense1.w"},
        {"*", "freeze: * leaves nothing to train"},
        {"conv*,dense1.*", "leaves nothing to train"},
        {"conv*@2,dense1.*@1", "leaves nothing to train"},
        {"conv9*@1", "freeze: there is no parameter \"conv9*\""},
        {"conv1.bias@", "freeze: conv1.bias@: behind @ stands for how many epochs"},
        {"conv1.bias@0", "freeze: conv1.bias@0: behind @ stands for how many epochs"},
        {"dense1.bias,conv1.bias@1.5", "freeze: conv1.bias@1.5: behind @ stands"},
        {"conv1.bias@-1", "behind @ stands"},
        {"conv1.bias@1@2", "behind @ stands"},
        {"conv1.bias@9999999999", "behind @ stands"},
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        clt_error error;
        clt_options options = options_for(1, NULL);
        options.freeze = refused[i][0];
        clt_model *model = make_model(net, NULL, CLT_F32, 3);
        assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                      refused[i][1]);
        clt_model_close(model);
    }
}

/* ---- frozen from an epoch on ---------------------------------------------------------------------------------- */

static const char freezes_later[] = "conv1.*@2,dense1.bias";

/* Where a run is to end: after step `step` of epoch `epoch`. */
typedef struct ending {
    int epoch, step;
} ending;

static bool ends_here(void *user, const clt_progress *progress)
{
    const ending *end = user;
    return strcmp(progress->what, "train") != 0 || progress->epoch != end->epoch || progress->step != end->step;
}

static clt_options later_options(const char *folder)
{
    clt_options options = options_for(4, folder);
    options.freeze = freezes_later;
    options.optimizer = "adam";
    options.ema = 0.8;
    options.clip_grad = 0.5;
    options.lr = 0.01;
    options.micro_batch_size = 5;
    options.save_every = 1;
    return options;
}

static void some_epochs_train_what_is_frozen_later(void **state)
{
    (void)state;
    clt_model *fresh = make_model(norm_net, NULL, CLT_F64, 3), *model[4];
    for (int i = 0; i < 4; i++) model[i] = train_frozen(norm_net, freezes_later, i, NULL);
    clt_model *never = train_frozen(norm_net, "dense1.bias", 2, NULL);
    assert_true(distance(model[2], never) == 0);
    for (int i = 1; i < 4; i++) {
        assert_true(same_values(model[i], fresh, "dense1.bias"));
        assert_int_equal(same_values(model[i], model[i - 1], "conv1.weight"), i == 3);
        assert_int_equal(same_values(model[i], model[i - 1], "conv1.bias"), i == 3);
        assert_false(same_values(model[i], model[i - 1], "conv2.weight"));
    }
    assert_true(parameter(model[2], "conv1.weight")->trained && !parameter(model[3], "conv1.weight")->trained);
    for (int i = 0; i < 4; i++) clt_model_close(model[i]);
    clt_model_close(never);
    clt_model_close(fresh);
}

/* What validated at the end of an epoch is what its checkpoint infers with, whatever the next epoch freezes. */
static void a_checkpoint_before_the_freezing_keeps_averages(void **state)
{
    (void)state;
    clt_model *model = train_frozen(norm_net, freezes_later, 2, "before");
    clt_model *loaded = load("before", "last.safetensors");
    const clt__parameter_values *p = parameter(model, "conv1.weight"), *q = parameter(loaded, "conv1.weight");
    assert_true(q->trained && clt__inferring_values(loaded, q) == q->average);
    assert_memory_equal(p->average, q->average, p->info.count * sizeof(double));
    assert_memory_equal(p->state[0], q->state[0], p->info.count * sizeof(double));
    clt_model_close(model);
    clt_model_close(loaded);
}

static void assert_same_checkpoint(const char *one_folder, const char *other_folder)
{
    size_t one_size, other_size;
    uint8_t *one = read_bytes(file_in(one_folder, "last.safetensors"), &one_size);
    uint8_t *other = read_bytes(file_in(other_folder, "last.safetensors"), &other_size);
    assert_int_equal(one_size, other_size);
    assert_memory_equal(one, other, one_size);
    free(one);
    free(other);
}

/* At its end in step 5 of an epoch, and in the middle: before, at and after the epoch that freezes. */
static void runs_that_freeze_later_resume_to_the_same_bits(void **state)
{
    (void)state;
    static const ending ends[] = {{1, 3}, {2, 2}, {2, STEPS}, {3, 1}, {3, STEPS}, {4, 2}};
    for (int on_device = 0; on_device < 2; on_device++) {
        clt_device *on = on_device ? device : reference;
        const char *whole = on_device ? "later device" : "later";
        clt_options options = later_options(whole);
        clt_model *model = make_model(norm_net, NULL, CLT_F32, 3);
        train(model, on, &options);
        clt_model_close(model);
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
            clt_error error;
            char folder[64];
            ending end = ends[i];
            (void)snprintf(folder, sizeof folder, "%s %zu", whole, i);
            options = later_options(folder);
            options.progress = ends_here;
            options.progress_user = &end;
            model = make_model(norm_net, NULL, CLT_F32, 3);
            assert_failed(clt_train(model, on, images, validation, &options, &error), CLT_STOPPED, &error, NULL,
                          "stopped");
            clt_model_close(model);
            model = load(folder, "last.safetensors");
            options = *clt_model_options(model);
            assert_string_equal(options.freeze, freezes_later);
            options.output_dir = path_in(folder);
            train(model, on, &options);
            clt_model_close(model);
            assert_same_checkpoint(whole, folder);
        }
    }
}

/* A program's own loop: no gradient is computed any more, and what is stored before a step can be loaded. */
static void a_session_freezes_as_its_epochs_begin(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_options options = later_options(NULL);
    clt_model *model = make_model(norm_net, NULL, CLT_F32, 3), *loaded;
    assert_ok(clt_session_open(model, device, images, &options, false, &session, &error), &error);
    assert_ok(clt_session_set_rate(session, 0.125, &error), &error);
    for (int epoch = 0; epoch < 4; epoch++) {
        assert_ok(clt_session_begin_epoch(session, &error), &error);
        assert_int_equal(count_ops(session, "conv1"), epoch < 2 ? 1 : 0);
        assert_ok(clt_session_store(session, &error), &error);
        assert_ok(clt_model_save(model, path_in("begun.safetensors"), &error), &error);
        assert_ok(clt_model_load(path_in("begun.safetensors"), &loaded, &error), &error);
        clt_model_close(loaded);
        while (clt_session_has_step(session)) assert_ok(clt_session_next_step(session, &error), &error);
        assert_ok(clt_session_end_epoch(session, NAN, NULL, &error), &error);
    }
    assert_true(session->batch_rate == 0.125);
    clt_session_close(session);
    clt_model *same = make_model(norm_net, NULL, CLT_F32, 3);
    assert_ok(clt_train(same, device, images, NULL, &options, &error), &error);
    assert_true(distance(model, same) == 0);
    clt_model_close(model);
    clt_model_close(same);
}

/* ---- parameters from a file ----------------------------------------------------------------------------------- */

static void keep_note(void *user, const char *sentence)
{
    char *kept = user;
    (void)snprintf(kept, 1024, "%s", sentence);
}

static const char *save_trained(const char *name, const char *text)
{
    clt_error error;
    clt_model *model = train_frozen(text, NULL, 1, NULL);
    assert_ok(clt_model_save(model, path_in(name), &error), &error);
    clt_model_close(model);
    return path_in(name);
}

static void what_fits_is_taken_from_a_file_and_the_rest_is_said(void **state)
{
    (void)state;
    clt_error error;
    char note[1024] = "";
    const clt_options noting = {.note = keep_note, .note_user = note};
    const char *path = save_trained("start", net);
    clt_model *from,
        *to = make_model("input 1x8x8; conv out=4 kernel=3 padding=1; relu; maxpool kernel=2; flatten; "
                         "dense out=5; dense out=3",
                         NULL, CLT_F64, 9),
        *fresh = make_model(clt_model_net(to), NULL, CLT_F64, 9);
    assert_ok(clt_model_load(path, &from, &error), &error);
    assert_ok(clt_model_start_from(to, path, &noting, &error), &error);
    assert_string_equal(
        note + strlen(path),
        ": these are taken: conv1.weight, conv1.bias; these keep their initial values: dense1.weight (it "
        "is [3, 64], the net's is [5, 64]), dense1.bias (it is [3], the net's is [5]), dense2.weight "
        "(not there), dense2.bias (not there)");
    const clt__parameter_values *p = parameter(from, "conv1.weight");
    assert_memory_equal(parameter(to, "conv1.weight")->values, p->average, p->info.count * sizeof(double));
    assert_memory_not_equal(p->values, p->average, p->info.count * sizeof(double));
    assert_true(same_values(to, fresh, "dense1.weight") && same_values(to, fresh, "dense2.bias"));
    clt_model_close(from);
    clt_model_close(to);
    clt_model_close(fresh);
}

static void all_that_fits_needs_no_note_and_nothing_is_an_error(void **state)
{
    (void)state;
    clt_error error;
    char note[1024] = "";
    const clt_options noting = {.note = keep_note, .note_user = note};
    const char *path = save_trained("all", net);
    clt_model *same = make_model(net, NULL, CLT_F64, 9);
    assert_ok(clt_model_start_from(same, path, &noting, &error), &error);
    assert_string_equal(note, "");
    clt_model_close(same);
    clt_model *other = make_model("input 1x8x8; conv out=2; flatten; dense out=7", NULL, CLT_F64, 9);
    assert_failed(clt_model_start_from(other, path, &noting, &error), CLT_BAD_FILE, &error, path,
                  "has no parameter of the net's: conv1.weight (it is [4, 1, 3, 3], the net's is [2, 1, 1, 1]), ");
    clt_model_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_give_their_moments),
        cmocka_unit_test(rules_leave_biases_and_norms_what_they_should_be),
        cmocka_unit_test(dirac_passes_inputs_on_and_leaves_the_rest),
        cmocka_unit_test(whitened_answers_do_not_correlate),
        cmocka_unit_test(what_whitens_nothing_begins_as_ever),
        cmocka_unit_test(whitening_is_done_once),
        cmocka_unit_test(given_weights_are_not_whitened),
        cmocka_unit_test(batches_cannot_be_whitened_by),
        cmocka_unit_test(eigenvectors_are_found_again),
        cmocka_unit_test(what_cannot_whiten_is_refused),
        cmocka_unit_test(a_later_rule_wins_where_its_pattern_fits),
        cmocka_unit_test(another_layer_changes_no_other_parameter),
        cmocka_unit_test(frozen_parameters_stay_and_others_learn),
        cmocka_unit_test(freezing_is_what_the_nets_text_does),
        cmocka_unit_test(no_gradient_is_computed_that_nothing_needs),
        cmocka_unit_test(half_a_frozen_layer_trains_its_other_half),
        cmocka_unit_test(a_frozen_run_resumes_to_the_same_bits),
        cmocka_unit_test(some_epochs_train_what_is_frozen_later),
        cmocka_unit_test(a_checkpoint_before_the_freezing_keeps_averages),
        cmocka_unit_test(runs_that_freeze_later_resume_to_the_same_bits),
        cmocka_unit_test(a_session_freezes_as_its_epochs_begin),
        cmocka_unit_test(patterns_that_freeze_nothing_or_all_are_refused),
        cmocka_unit_test(what_fits_is_taken_from_a_file_and_the_rest_is_said),
        cmocka_unit_test(all_that_fits_needs_no_note_and_nothing_is_an_error),
        cmocka_unit_test(an_initialisation_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
