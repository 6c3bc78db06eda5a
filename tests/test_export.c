/* What is exported as an ONNX model and imported again gives the same outputs, bit for bit: every layer's cases, every
 * built-in net, in every opset. With CLTRAIN_EXPORT_TO=FOLDER the models stay there, N.onnx, with the images and the
 * outputs, floats in N.input and N.output, and modules for PyTorch, N.py, for
 * onnx/peers.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "layers/layer.h"
#include "support.h"

static clt_device *device;
static char path[512];
static int exported;

/* A device would take minutes to build the programs of all those nets. */
static int set_up(void **state)
{
    (void)state;
    device = open_called("reference");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clt_device_close(device);
    if (!getenv("CLTRAIN_EXPORT_TO")) (void)unlink(path);
    return 0;
}

static void name_file(void)
{
    const char *folder = getenv("CLTRAIN_EXPORT_TO");
    if (folder)
        (void)snprintf(path, sizeof path, "%.400s/%d.onnx", folder, exported++);
    else
        (void)snprintf(path, sizeof path, "/tmp/cltrain-test-export-%d.onnx", (int)getpid());
}

/* "N.input" beside N.onnx. */
static void name_beside(const char *suffix, char beside[sizeof path + 16])
{
    (void)snprintf(beside, sizeof path + 16, "%.*s%s", (int)(strlen(path) - strlen(".onnx")), path, suffix);
}

static void keep_module(const clt_model *model)
{
    clt_error error;
    char beside[sizeof path + 16];
    clt_options options = clt__options_default();
    if (!getenv("CLTRAIN_EXPORT_TO")) return;
    options.format = CLT__FORMAT_TORCH;
    name_beside(".py", beside);
    assert_ok(clt_model_export(model, beside, &options, &error), &error);
}

static void keep(const char *suffix, const float *values, size_t count)
{
    clt_error error;
    char beside[sizeof path + 16];
    if (!getenv("CLTRAIN_EXPORT_TO")) return;
    name_beside(suffix, beside);
    assert_ok(clt__file_write(beside, values, count * sizeof *values, &error), &error);
}

/* ---- two models on the same images */

/* No parameter stays what it is at first, so that none can be left out unseen. */
static void fill(clt_model *model)
{
    clt_error error;
    for (size_t i = 0; i < clt_model_parameter_count(model); i++) {
        const clt_tensor_info *info = clt_model_parameter(model, i);
        double *values = malloc(info->count * sizeof *values);
        assert_non_null(values);
        const bool positive = strstr(info->name, "running_var") != NULL;
        for (size_t j = 0; j < info->count; j++) {
            values[j] = (double)((97 * j + 31 * i) % 251) / 256 - (positive ? -0.25 : 0.5);
            if (info->dimensions > 1) values[j] *= 2 / sqrt((double)(info->count / (size_t)info->extent[0]));
            values[j] = (double)(float)values[j]; /* as a device has them */
        }
        assert_ok(clt_model_set(model, info->name, values, info->count, &error), &error);
        free(values);
    }
}

static float *predict(clt_model *model, size_t batch, size_t *count)
{
    clt_error error;
    clt_session *session;
    clt_options options = clt__options_default();
    const clt_shape in = clt_model_input(model);
    const size_t values = batch * (size_t)in.channels * (size_t)in.height * (size_t)in.width;
    float *images = malloc(values * sizeof *images), *outputs;
    *count = batch * (size_t)clt_model_outputs(model);
    outputs = malloc(*count * sizeof *outputs);
    assert_true(images && outputs);
    for (size_t i = 0; i < values; i++) images[i] = (float)((97 * i) % 251) / 128 - 1;
    options.batch_size = (int)batch;
    assert_ok(clt_session_open_images(model, device, CLT_REALS, &options, &session, &error), &error);
    assert_ok(clt_session_predict(session, images, batch, outputs, &error), &error);
    keep(".input", images, values);
    keep(".output", outputs, *count);
    clt_session_close(session);
    free(images);
    return outputs;
}

static clt_model *make(const char *net, clt_precision precision)
{
    clt_error error;
    clt_model *model;
    clt_options options = clt__options_default();
    options.net = net;
    options.precision = precision;
    options.loss = "mse"; /* so that outputs are not made probabilities */
    assert_ok(clt_model_create(&options, &model, &error), &error);
    return model;
}

static bool comes_back(const char *net, size_t batch, int opset, clt_precision precision)
{
    clt_error error;
    size_t count, count_again;
    clt_options options = clt__options_default();
    options.opset = opset;
    clt_model *model = make(net, precision);
    fill(model);
    name_file();
    assert_ok(clt_model_export(model, path, &options, &error), &error);
    if (opset == 17) keep_module(model);
    clt_model *again = NULL;
    if (clt_model_load(path, &again, &error) != CLT_OK) {
        print_error("opset %d, %s: %s\n", opset, net, error.message);
        clt_model_close(model);
        return false;
    }
    float *outputs = predict(model, batch, &count), *outputs_again = predict(again, batch, &count_again);
    assert_int_equal(count, count_again);
    size_t i = 0;
    while (i < count && memcmp(&outputs[i], &outputs_again[i], sizeof *outputs) == 0) i++;
    if (i < count)
        print_error("opset %d, %s: output %zu is %.9g, then %.9g; imported it is\n%s", opset, net, i,
                    (double)outputs[i], (double)outputs_again[i], clt_model_net(again));
    free(outputs);
    free(outputs_again);
    clt_model_close(model);
    clt_model_close(again);
    return i == count;
}

static void every_layer_comes_back(void **state)
{
    (void)state;
    static const int opsets[] = {13, 17, 21};
    bool all = true;
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++)
        for (const clt__case *c = (*row)->cases; c->net; c++)
            for (size_t i = 0; i < sizeof opsets / sizeof *opsets; i++)
                all = comes_back(c->net, (size_t)c->batch, opsets[i], CLT_F32) && all;
    assert_true(all);
}

static void every_built_in_net_comes_back(void **state)
{
    (void)state;
    bool all = true;
    for (const char *const *name = clt_net_names(); *name; name++)
        for (int opset = 13; opset <= 21; opset += 4) all = comes_back(clt_net_text(*name), 2, opset, CLT_F32) && all;
    assert_true(all);
}

/* On a device, nets whose layers come back as others that compute the same. */
static void a_device_computes_the_same(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "input 6x9x8; zeropad padding=1x2; conv out=16 kernel=3; groupnorm groups=4; relu; maxpool kernel=3 stride=2 "
        "padding=1 ceil=yes; layernorm; upsample scale=2 mode=bilinear; adaptiveavgpool out=3x5; flatten; scale; "
        "dense out=5",
        "input 6x9x8; layernorm over=channels; conv out=8; gelu; instancenorm affine=yes; upsample scale=2; scale; "
        "silu; adaptiveavgpool out=9x4; channelshuffle groups=2; gelu_tanh; resize size=5x7; prelu; globalavgpool; "
        "flatten; layernorm",
    };
    clt_device_close(device);
    device = open_called(NULL);
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        assert_true(comes_back(nets[i], 3, 13, CLT_F32));
        assert_true(comes_back(nets[i], 3, 17, CLT_F32));
    }
}

/* ---- what options change */

static void folded_norms_compute_nearly_the_same(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "input 3x9x8; conv out=6 kernel=3 bias=no; batchnorm; relu; conv out=8 kernel=3 groups=2; batchnorm eps=0.01; "
        "conv_transpose out=6 kernel=3x2 groups=2 stride=2; batchnorm; tanh; flatten; dense out=7; batchnorm",
        "input 3x9x8; conv out=4; batchnorm; add from=batchnorm1,conv1; batchnorm; globalavgpool; conv out=5 "
        "from=input; batchnorm; globalavgpool; concat from=globalavgpool1,globalavgpool2; flatten",
    };
    static const size_t kept[] = {0, 2};
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++) {
        clt_error error;
        size_t count, count_again;
        clt_model *model = make(nets[n], CLT_F32), *again;
        clt_options options = clt__options_default();
        options.fold_norm = true;
        fill(model);
        name_file();
        assert_ok(clt_model_export(model, path, &options, &error), &error);
        assert_ok(clt_model_load(path, &again, &error), &error);
        size_t norms = 0;
        for (size_t i = 0; i < clt_model_parameter_count(again); i++)
            norms += strstr(clt_model_parameter(again, i)->name, ".running_var") != NULL;
        assert_int_equal(norms, kept[n]);
        float *folded = predict(again, 3, &count_again), *outputs = predict(model, 3, &count);
        double most = 0;
        assert_int_equal(count, count_again);
        for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)outputs[i]));
        for (size_t i = 0; i < count; i++)
            if (!(fabs((double)outputs[i] - (double)folded[i]) <= 1e-6 * most))
                fail_msg("%s: output %zu is %.9g, folded %.9g", nets[n], i, (double)outputs[i], (double)folded[i]);
        free(folded);
        free(outputs);
        clt_model_close(model);
        clt_model_close(again);
    }
}

/* In the graph, in Python, in PyTorch's modules. */
static void layers_are_called_like_other_things(void **state)
{
    (void)state;
    assert_true(comes_back("input 3x6x5; conv out=2 as=images; relu as=probabilities; conv out=2 as=train; scale "
                           "as=bfloat16; avgpool kernel=2 padding=1 padding_end=0 as=average; add from=average,average "
                           "as=x; resize size=3x4 rounding=ceil as=resized; flatten as=class; dense out=3 as=a.b",
                           3, 17, CLT_F32));
}

static void doubles_stay_doubles(void **state)
{
    (void)state;
    assert_true(comes_back("input 2x6x5; conv out=3 kernel=3; batchnorm; relu; flatten; dense out=4", 3, 17, CLT_F64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_comes_back),
        cmocka_unit_test(every_built_in_net_comes_back),
        cmocka_unit_test(folded_norms_compute_nearly_the_same),
        cmocka_unit_test(layers_are_called_like_other_things),
        cmocka_unit_test(doubles_stay_doubles),
        cmocka_unit_test(a_device_computes_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
