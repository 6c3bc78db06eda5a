/* What checkpoints and files of weights hold and what is refused in them; evaluation and prediction. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors.h"
#include "session/session.h"
#include "training.h"

/* ---- checkpoints that are not right --------------------------------------------------------------------------- */

static void assert_not_loaded(const char *path, const char *what)
{
    clt_error error;
    clt_model *model = (clt_model *)&error; /* must become NULL */
    const clt_status status = clt_model_load(path, &model, &error);
    if (status == CLT_OK) print_error("loaded, though it should say: %s\n", what);
    assert_failed(status, strstr(what, "net:") ? CLT_BAD_NET : CLT_BAD_FILE, &error, path, what);
    assert_null(model);
}

static clt__safetensors read_checkpoint(void)
{
    clt_error error;
    clt__safetensors file;
    if (!exists(file_in("good", "last.safetensors"))) {
        const clt_options options = options_for(1, "good");
        clt_model *model = make_model(net, NULL, CLT_F32, 3);
        train(model, reference, &options);
        clt_model_close(model);
    }
    assert_ok(clt__safetensors_read(file_in("good", "last.safetensors"), &file, &error), &error);
    return file;
}

/* Writes the file and wants it refused. */
static void assert_file_refused(clt__safetensors *file, const char *what)
{
    clt_error error;
    const char *path = path_in("bad.safetensors");
    assert_ok(clt__safetensors_write(path, file, &error), &error);
    clt__safetensors_free(file);
    assert_not_loaded(path, what);
}

static clt__stored_text *text_called(const clt__safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->text_count; i++)
        if (strcmp(file->texts[i].key, key) == 0) return &file->texts[i];
    fail_msg("no text %s", key);
    return NULL;
}

static clt__stored_tensor *tensor_called(const clt__safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

/* The good checkpoint with `old` in one of its texts replaced. */
static void assert_text_refused(const char *key, const char *old, const char *fresh, const char *what)
{
    clt__safetensors file = read_checkpoint();
    clt__stored_text *text = text_called(&file, key);
    const char *at = strstr(text->value, old);
    if (!at) print_error("no %s in %s\n", old, text->value);
    assert_non_null(at);
    const size_t size = strlen(text->value) + strlen(fresh) + 1;
    char *changed = malloc(size);
    assert_non_null(changed);
    (void)snprintf(changed, size, "%.*s%s%s", (int)(at - text->value), text->value, fresh, at + strlen(old));
    free(text->value);
    text->value = changed;
    assert_file_refused(&file, what);
}

static void a_file_that_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file = {0};
    const uint64_t extent[] = {2};
    const double values[] = {1, 2};
    assert_not_loaded(path_in("nowhere.safetensors"), "");
    assert_not_loaded(write_bytes("noise", "this is no safetensors file at all", 34), "");
    assert_not_loaded(write_bytes("empty", "", 0), "");
    assert_ok(clt__safetensors_add(&file, "w", CLT_F32, 1, extent, values, &error), &error);
    assert_file_refused(&file,
                        "is not a checkpoint of cltrain's (its weights alone can be taken by `train --weights`)");
}

static void a_checkpoint_whose_tensors_are_wrong_is_refused(void **state)
{
    (void)state;
    clt__safetensors file = read_checkpoint();
    tensor_called(&file, "conv1.bias")->name[0] = 'X';
    assert_file_refused(&file, "has no tensor conv1.bias");
    file = read_checkpoint();
    tensor_called(&file, "optimizer.velocity.dense1.weight")->name[0] = 'X';
    assert_file_refused(&file, "has no tensor optimizer.velocity.dense1.weight");
    assert_text_refused("cltrain", "\"averaged\":false", "\"averaged\":true", "has no tensor ema.conv1.weight");
    file = read_checkpoint();
    clt__stored_tensor *weights = tensor_called(&file, "dense1.weight");
    weights->extent[0] = 64;
    weights->extent[1] = 3;
    assert_file_refused(&file, "tensor dense1.weight ");
    file = read_checkpoint();
    weights = tensor_called(&file, "conv1.weight");
    weights->dimensions = 2;
    weights->extent[1] = 9;
    assert_file_refused(&file, "tensor conv1.weight ");
}

static void a_checkpoint_whose_description_is_wrong_is_refused(void **state)
{
    (void)state;
    assert_text_refused("cltrain", "{", "[", "is not a checkpoint of cltrain's");
    assert_text_refused("cltrain", "\"averaged\":", "\"averagedd\":", "\"averagedd\" in its metadata is nothing that");
    assert_text_refused("cltrain", "\"precision\":\"f32\",", "",
                        "the description of the net in its metadata is incomplete");
    assert_text_refused("cltrain", "\"format\":2", "\"format\":3",
                        "the format of its metadata is not 2: another version");
    assert_text_refused("cltrain", "\"format\":2", "\"format\":\"2\"", "the format of its metadata is not 2");
    assert_text_refused("cltrain", "\"format\":2,", "", "the options in its metadata are not right");
    assert_text_refused("cltrain", "\"epoch\":1", "\"epoch\":-1", "the state of training in its metadata is not right");
    assert_text_refused("cltrain", "\"step\":0", "\"step\":-3", "the state of training in its metadata is not right");
    assert_text_refused("cltrain", "\"epoch\":1", "\"epoch\":\"1\"",
                        "the state of training in its metadata is not right");
    assert_text_refused("cltrain",
                        "\"hits\":", "\"hats\":1,\"hits\":", "the state of training in its metadata is not right");
    assert_text_refused("cltrain", "\"plateau\":", "\"gradient_norm\":{\"sum\":1.5,\"steps\":-1},\"plateau\":",
                        "the state of training in its metadata is not right");
    assert_text_refused("cltrain",
                        "\"plateau\":", "\"loss_scale\":{\"factor\":3.0,\"steps\":0,\"skipped\":0},\"plateau\":",
                        "the state of training in its metadata is not right");
    assert_text_refused("cltrain",
                        "\"plateau\":", "\"loss_scale\":{\"factor\":4.0,\"steps\":0,\"skipped\":-1},\"plateau\":",
                        "the state of training in its metadata is not right");
    assert_text_refused("cltrain", "\"options\":", "\"opsions\":", "\"opsions\" in its metadata is nothing that");
    assert_text_refused("cltrain",
                        "\"momentum\":", "\"momentun\":", "the option \"momentun\" in its metadata is none that");
    assert_text_refused("cltrain",
                        "\"momentum\":", "\"device\":", "the option \"device\" in its metadata is none that");
    assert_text_refused("cltrain", "\"abort\"", "\"abhor\"", "the option \"on_mismatch\" in its metadata");
    assert_text_refused("cltrain", "\"on_mismatch\":\"abort\"", "\"on_mismatch\":0",
                        "the option \"on_mismatch\" in its");
    assert_text_refused("cltrain", "\"nesterov\":false", "\"nesterov\":0", "the option \"nesterov\" in its metadata");
    assert_text_refused("cltrain", "\"step_size\":1", "\"step_size\":0", "the option \"step_size\" in its metadata");
    assert_text_refused("cltrain", "\"deviation\":[", "\"deviation\":[-",
                        "the state of training in its metadata is not right");
    assert_text_refused("cltrain", "\"deviation\":[", "\"deviation\":[],\"more\":[",
                        "the state of training in its metadata is not right");
    assert_text_refused("cltrain", "\"mean\":[", "\"mean\":[],\"more\":[",
                        "the state of training in its metadata is not right");
    assert_text_refused("cltrain", "\"f32\"", "\"f16\"", "precision");
    assert_text_refused("net", "input 1x8x8\n", "", "the net in its metadata has no input line");
    assert_text_refused("net", "relu", "relo", "net:3: there is no layer \"relo\"");
    /* gigabytes, were it made before the file is looked at */
    assert_text_refused("net", "flatten\n", "flatten\ndense out=1000000 as=large\n", "has no tensor large.weight");
}

static void a_checkpoint_gives_back_what_was_saved(void **state)
{
    (void)state;
    clt_error error;
    clt_model *model = make_model("input 1x4x4; conv out=2 kernel=3 as=first frozen=yes; tanh; flatten; dense out=2",
                                  "half_mse", CLT_F64, UINT64_MAX);
    model->options.seed = UINT64_MAX - 5;
    assert_ok(clt_model_save(model, path_in("model.safetensors"), &error), &error);
    clt_model *loaded;
    assert_ok(clt_model_load(path_in("model.safetensors"), &loaded, &error), &error);
    assert_true(distance(model, loaded) == 0);
    assert_string_equal(clt_model_net(model), clt_model_net(loaded));
    assert_string_equal(clt_model_loss(loaded), "half_mse");
    assert_int_equal(clt_model_precision(loaded), CLT_F64);
    assert_int_equal(clt_model_outputs(loaded), 2);
    assert_true(loaded->seed == UINT64_MAX && loaded->options.seed == UINT64_MAX - 5);
    assert_true(isinf(loaded->state.validation.best));
    assert_string_equal(clt_model_parameter(loaded, 0)->name, "first.weight");
    assert_ok(clt_model_save(loaded, path_in("model again.safetensors"), &error), &error);
    size_t one_size, other_size;
    uint8_t *one = read_bytes(path_in("model.safetensors"), &one_size);
    uint8_t *other = read_bytes(path_in("model again.safetensors"), &other_size);
    assert_int_equal(one_size, other_size);
    assert_memory_equal(one, other, one_size);
    free(one);
    free(other);
    clt_model_close(loaded);
    clt_model_close(model);
}

/* cltrain 0.1 wrote it: enumerations are numbers there, augmentation an object, milestones and weights arrays. */
static void a_checkpoint_of_the_first_format_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } options[] = {{"epochs", "2"},
                   {"batch_size", "16"},
                   {"optimizer", "adamw"},
                   {"lr", "0.003"},
                   {"lr_scheduler", "multistep"},
                   {"milestones", "1,3"},
                   {"seed", "18446744073709551615"},
                   {"class_weights", "1,2,0.5,1"},
                   {"normalize", "0.3/0.25"},
                   {"freeze", "conv1.bias"},
                   {"on_mismatch", "warn"},
                   {"ema", "0.9"},
                   {"augment", "flip,crop=1,brightness=0.2,mixup=0.3"},
                   {"val_split", "0.25"},
                   {"shuffle", "yes"},
                   {"init", ""}};
    clt_error error;
    clt_model *model;
    assert_ok(clt_model_load(OLD_FOLDER "/checkpoint-0.1.safetensors", &model, &error), &error);
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        char *value;
        assert_ok(clt_options_get(clt_model_options(model), options[i].name, &value, &error), &error);
        assert_string_equal(value, options[i].wanted);
        clt_free(value);
    }
    assert_int_equal(model->state.total_steps, 6);
    assert_true(model->averaged && model->mean[0] == 0.3 && model->state.validation.best < 1.5);
    clt_model_close(model);
}

/* ---- layouts, by hand ----------------------------------------------------------------------------------------- */

/* 2 channels of 3 x 4, a kernel of 2 x 3, 3 filters: every extent differs, so that no two can be mistaken. */
enum { C = 2, H = 3, W = 4, K = 3, R = 2, S = 3, Y = H - R + 1, X = W - S + 1, D = 2, PICTURES = 3 };

typedef struct layout {
    double weight[K * C * R * S], bias[K], dense[D * K * Y * X], dense_bias[D];
    double image[PICTURES * C * H * W];
} layout;

static layout make_layout(void)
{
    layout l;
    fill_random(l.weight, COUNT_OF(l.weight), 1);
    fill_random(l.bias, COUNT_OF(l.bias), 2);
    fill_random(l.dense, COUNT_OF(l.dense), 3);
    fill_random(l.dense_bias, COUNT_OF(l.dense_bias), 4);
    fill_random(l.image, COUNT_OF(l.image), 5);
    return l;
}

static double pixel_by_hand(const layout *l, int n, int k, int y, int x)
{
    double sum = l->bias[k];
    for (int c = 0; c < C; c++)
        for (int r = 0; r < R; r++)
            for (int s = 0; s < S; s++)
                sum += l->weight[((k * C + c) * R + r) * S + s] * l->image[((n * C + c) * H + y + r) * W + x + s];
    return sum;
}

static double output_by_hand(const layout *l, int n, int d)
{
    double sum = l->dense_bias[d];
    for (int k = 0; k < K; k++)
        for (int y = 0; y < Y; y++)
            for (int x = 0; x < X; x++)
                sum += l->dense[((d * K + k) * Y + y) * X + x] * tanh(pixel_by_hand(l, n, k, y, x));
    return sum;
}

static const char layout_net[] = "input 2x3x4; conv out=3 kernel=2x3; tanh; flatten; dense out=2; loss mse";

static void assert_predicts_by_hand(const clt_model *model, const layout *l, clt_device *on, double bound)
{
    clt_error error;
    clt_dataset *data;
    double outputs[PICTURES * D];
    assert_ok(clt_dataset_from_reals(PICTURES, (clt_shape){C, H, W}, l->image, NULL, 0, &data, &error), &error);
    assert_ok(clt_predict(model, on, data, batches_of(2), outputs, &error), &error);
    for (int n = 0; n < PICTURES; n++)
        for (int d = 0; d < D; d++) assert_true(fabs(outputs[n * D + d] - output_by_hand(l, n, d)) <= bound);
    clt_dataset_close(data);
}

static void set_parameters(clt_model *model, const layout *l)
{
    clt_error error;
    assert_ok(clt_model_set(model, "conv1.weight", l->weight, COUNT_OF(l->weight), &error), &error);
    assert_ok(clt_model_set(model, "conv1.bias", l->bias, COUNT_OF(l->bias), &error), &error);
    assert_ok(clt_model_set(model, "dense1.weight", l->dense, COUNT_OF(l->dense), &error), &error);
    assert_ok(clt_model_set(model, "dense1.bias", l->dense_bias, COUNT_OF(l->dense_bias), &error), &error);
}

static void weights_count_their_inputs_as_pytorch_does(void **state)
{
    (void)state;
    const layout l = make_layout();
    clt_model *model = make_model(layout_net, NULL, CLT_F64, 1);
    set_parameters(model, &l);
    assert_predicts_by_hand(model, &l, reference, 1e-14);
    if (clt_device_describe(device)->fp64) assert_predicts_by_hand(model, &l, device, 1e-13);
    clt_model_close(model);
}

static void add_weights(clt__safetensors *file, const layout *l)
{
    clt_error error;
    const uint64_t filters[] = {K, C, R, S}, biases[] = {K}, dense[] = {D, K * Y * X}, dense_biases[] = {D};
    assert_ok(clt__safetensors_add(file, "conv1.weight", CLT_F64, 4, filters, l->weight, &error), &error);
    assert_ok(clt__safetensors_add(file, "conv1.bias", CLT_F64, 1, biases, l->bias, &error), &error);
    assert_ok(clt__safetensors_add(file, "dense1.weight", CLT_F64, 2, dense, l->dense, &error), &error);
    assert_ok(clt__safetensors_add(file, "dense1.bias", CLT_F64, 1, dense_biases, l->dense_bias, &error), &error);
}

static void weights_from_a_file_land_in_their_places(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file = {0};
    const uint64_t extent[] = {1};
    const layout l = make_layout();
    add_weights(&file, &l);
    assert_ok(clt__safetensors_add(&file, "something.else", CLT_F32, 1, extent, NULL, &error), &error);
    assert_ok(clt__safetensors_write(path_in("weights.safetensors"), &file, &error), &error);
    clt_model *model = make_model(layout_net, NULL, CLT_F64, 1);
    assert_ok(clt_model_load_weights(model, path_in("weights.safetensors"), &error), &error);
    assert_predicts_by_hand(model, &l, reference, 1e-14);
    clt_model_close(model);
    clt__safetensors_free(&file);
}

static void weights_that_do_not_fit_leave_the_model_as_it_was(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file = {0};
    const layout l = make_layout();
    add_weights(&file, &l);
    tensor_called(&file, "dense1.bias")->extent[0] = 1;
    tensor_called(&file, "dense1.bias")->count = 1;
    assert_ok(clt__safetensors_write(path_in("short.safetensors"), &file, &error), &error);
    tensor_called(&file, "dense1.bias")->name[0] = 'X';
    assert_ok(clt__safetensors_write(path_in("less.safetensors"), &file, &error), &error);
    clt_model *model = make_model(layout_net, NULL, CLT_F64, 1), *fresh = make_model(layout_net, NULL, CLT_F64, 1);
    assert_failed(clt_model_load_weights(model, path_in("short.safetensors"), &error), CLT_BAD_FILE, &error,
                  path_in("short.safetensors"), "tensor dense1.bias ");
    assert_failed(clt_model_load_weights(model, path_in("less.safetensors"), &error), CLT_BAD_FILE, &error,
                  path_in("less.safetensors"), "has no tensor dense1.bias");
    assert_true(distance(model, fresh) == 0);
    clt_model_close(model);
    clt_model_close(fresh);
    clt__safetensors_free(&file);
}

/* ---- evaluating and predicting -------------------------------------------------------------------------------- */

/* A model whose outputs are its three inputs. */
static clt_model *make_identity(const char *loss)
{
    clt_error error;
    const double identity[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    clt_model *model = make_model("input 1x1x3; flatten; dense out=3 bias=no", loss, CLT_F64, 1);
    assert_ok(clt_model_set(model, "dense1.weight", identity, 9, &error), &error);
    return model;
}

static const uint8_t triples[] = {255, 0, 0, 0, 255, 51, 0, 51, 102, 204, 0, 51, 51, 102, 0};
static const int32_t triple_labels[] = {0, 1, 2, 1, 2}; /* predicted: 0 1 2 0 1 */

static clt_dataset *make_triples(bool labelled)
{
    clt_error error;
    clt_dataset *data;
    assert_ok(
        clt_dataset_from_bytes(5, (clt_shape){1, 1, 3}, triples, labelled ? triple_labels : NULL, 3, &data, &error),
        &error);
    return data;
}

static void an_evaluation_is_what_it_is_by_hand(void **state)
{
    (void)state;
    clt_error error;
    clt_evaluation *evaluation;
    const uint64_t confusion[] = {1, 0, 0, 1, 1, 0, 0, 1, 1};
    double entropy = 0, square = 0;
    for (int n = 0; n < 5; n++) {
        double sum = 0;
        for (int k = 0; k < 3; k++) sum += exp(triples[n * 3 + k] / 255.0);
        entropy += (log(sum) - triples[n * 3 + triple_labels[n]] / 255.0) / 5;
        for (int k = 0; k < 3; k++) square += pow(triples[n * 3 + k] / 255.0 - (k == triple_labels[n]), 2) / 5;
    }
    const struct {
        const char *loss;
        double wanted;
    } losses[] = {{"cross_entropy", entropy}, {"mse", square / 3}, {"half_mse", square / 2}};
    clt_dataset *data = make_triples(true);
    for (size_t i = 0; i < COUNT_OF(losses); i++) {
        clt_model *model = make_identity(losses[i].loss);
        assert_ok(clt_evaluate(model, reference, data, batches_of(2), &evaluation, &error), &error);
        assert_int_equal(evaluation->count, 5);
        assert_int_equal(evaluation->classes, 3);
        assert_true(fabs(evaluation->loss - losses[i].wanted) <= 1e-15);
        assert_true(fabs(evaluation->accuracy - 0.6) <= 1e-15);
        assert_memory_equal(evaluation->confusion, confusion, sizeof confusion);
        clt_evaluation_close(evaluation);
        clt_model_close(model);
    }
    clt_dataset_close(data);
}

static void real_targets_are_evaluated_without_classes(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *data;
    clt_evaluation *evaluation;
    const double values[] = {1, 2, 3, 4, 5, 6}, targets[] = {1, 1, 1, 4, 5, 7};
    assert_ok(clt_dataset_from_reals(2, (clt_shape){1, 1, 3}, values, targets, 3, &data, &error), &error);
    clt_model *model = make_identity("mse");
    assert_ok(clt_evaluate(model, reference, data, batches_of(2), &evaluation, &error), &error);
    assert_true(fabs(evaluation->loss - (0 + 1 + 4 + 0 + 0 + 1) / 6.0) <= 1e-15);
    assert_true(isnan(evaluation->accuracy));
    assert_int_equal(evaluation->classes, 0);
    assert_null(evaluation->confusion);
    clt_evaluation_close(evaluation);
    clt_model_close(model);
    clt_dataset_close(data);
}

static void probabilities_sum_to_one_also_in_the_last_batch(void **state)
{
    (void)state;
    clt_error error;
    double whole[15], parts[15];
    clt_dataset *data = make_triples(false);
    clt_model *model = make_identity("cross_entropy");
    assert_ok(clt_predict(model, reference, data, batches_of(64), whole, &error), &error);
    assert_ok(clt_predict(model, reference, data, batches_of(2), parts, &error), &error);
    assert_memory_equal(whole, parts, sizeof whole);
    for (int n = 0; n < 5; n++) {
        double sum = 0, exponentials = 0;
        for (int k = 0; k < 3; k++) sum += whole[n * 3 + k];
        for (int k = 0; k < 3; k++) exponentials += exp(triples[n * 3 + k] / 255.0);
        assert_true(fabs(sum - 1) <= 1e-15);
        for (int k = 0; k < 3; k++)
            assert_true(fabs(whole[n * 3 + k] - exp(triples[n * 3 + k] / 255.0) / exponentials) <= 1e-15);
    }
    clt_model_close(model);
    model = make_identity("mse");
    assert_ok(clt_predict(model, reference, data, batches_of(3), parts, &error), &error);
    for (int i = 0; i < 15; i++) assert_true(fabs(parts[i] - triples[i] / 255.0) <= 1e-15);
    clt_model_close(model);
    clt_dataset_close(data);
}

static void evaluation_refuses_data_that_does_not_fit(void **state)
{
    (void)state;
    clt_error error;
    clt_evaluation *evaluation;
    clt_dataset *bare = make_triples(false), *real;
    const double values[3] = {0}, targets[2] = {0};
    double outputs[IMAGES * 3];
    assert_ok(clt_dataset_from_reals(1, (clt_shape){1, 1, 3}, values, targets, 2, &real, &error), &error);
    clt_model *entropy = make_identity("cross_entropy"), *square = make_identity("mse");
    assert_failed(clt_evaluate(entropy, reference, bare, batches_of(2), &evaluation, &error), CLT_BAD_ARGUMENT, &error,
                  NULL, "has neither labels nor targets to evaluate against");
    assert_failed(clt_evaluate(entropy, reference, real, batches_of(2), &evaluation, &error), CLT_BAD_ARGUMENT, &error,
                  NULL, "has 2 targets an image, the net has 3 outputs");
    assert_failed(clt_evaluate(square, reference, real, batches_of(2), &evaluation, &error), CLT_BAD_ARGUMENT, &error,
                  NULL, "has 2 targets an image, the net has 3 outputs");
    assert_failed(clt_evaluate(square, reference, images, batches_of(2), &evaluation, &error), CLT_BAD_ARGUMENT, &error,
                  NULL, "the model takes images of 1x1x3, ");
    assert_failed(clt_predict(square, reference, images, batches_of(2), outputs, &error), CLT_BAD_ARGUMENT, &error,
                  NULL, "the model takes images of 1x1x3, ");
    assert_failed(clt_predict(square, reference, bare, batches_of(0), outputs, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "batch_size is 0");
    clt_model_close(entropy);
    clt_model_close(square);
    clt_dataset_close(bare);
    clt_dataset_close(real);
}

/* A net that ends in an image: its outputs count C, H, W, for labels and targets as for predictions. */
static void labels_count_an_output_image_as_evaluation_does(void **state)
{
    (void)state;
    clt_error error;
    clt_evaluation *evaluation;
    clt_session *session;
    double losses[8], sum = 0;
    int32_t order[8];
    clt_dataset *data = make_images(8, (clt_shape){1, 3, 3}, 8, 4);
    clt_options options = options_for(1, NULL);
    options.batch_size = 8;
    clt_model *model = make_model("input 1x3x3; conv out=2 kernel=2", NULL, CLT_F64, 3);
    for (int i = 0; i < 8; i++) order[i] = i;
    assert_ok(clt_session_open(model, reference, data, &options, false, &session, &error), &error);
    assert_ok(clt_session_step(session, order, 8, &error), &error);
    assert_ok(clt_session_read(session, "loss", losses, 8, &error), &error);
    for (int i = 0; i < 8; i++) sum += losses[i];
    assert_ok(clt_evaluate(model, reference, data, batches_of(8), &evaluation, &error), &error);
    assert_true(fabs(sum / 8 - evaluation->loss) <= 1e-14);
    clt_evaluation_close(evaluation);
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(data);
}

static void targets_count_an_output_image_as_predictions_do(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *bare, *data;
    clt_session *session;
    double image[9], outputs[8], loss;
    const int32_t first = 0;
    fill_random(image, 9, 3);
    clt_model *model = make_model("input 1x3x3; conv out=2 kernel=2; loss mse", NULL, CLT_F64, 3);
    assert_ok(clt_dataset_from_reals(1, (clt_shape){1, 3, 3}, image, NULL, 0, &bare, &error), &error);
    assert_ok(clt_predict(model, reference, bare, batches_of(1), outputs, &error), &error);
    assert_ok(clt_dataset_from_reals(1, (clt_shape){1, 3, 3}, image, outputs, 8, &data, &error), &error);
    clt_options options = options_for(1, NULL);
    options.batch_size = 1;
    options.normalize.how = CLT__BY_NOTHING;
    assert_ok(clt_session_open(model, reference, data, &options, false, &session, &error), &error);
    assert_ok(clt_session_step(session, &first, 1, &error), &error);
    assert_ok(clt_session_read(session, "loss", &loss, 1, &error), &error);
    assert_true(fabs(loss) <= 1e-28);
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(bare);
    clt_dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_no_checkpoint_is_refused),
        cmocka_unit_test(a_checkpoint_whose_tensors_are_wrong_is_refused),
        cmocka_unit_test(a_checkpoint_whose_description_is_wrong_is_refused),
        cmocka_unit_test(a_checkpoint_gives_back_what_was_saved),
        cmocka_unit_test(a_checkpoint_of_the_first_format_is_read),
        cmocka_unit_test(weights_count_their_inputs_as_pytorch_does),
        cmocka_unit_test(weights_from_a_file_land_in_their_places),
        cmocka_unit_test(weights_that_do_not_fit_leave_the_model_as_it_was),
        cmocka_unit_test(an_evaluation_is_what_it_is_by_hand),
        cmocka_unit_test(real_targets_are_evaluated_without_classes),
        cmocka_unit_test(probabilities_sum_to_one_also_in_the_last_batch),
        cmocka_unit_test(evaluation_refuses_data_that_does_not_fit),
        cmocka_unit_test(labels_count_an_output_image_as_evaluation_does),
        cmocka_unit_test(targets_count_an_output_image_as_predictions_do),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
