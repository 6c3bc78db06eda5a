/* Weights of others: names with something before them, tensors in order, files that are no safetensors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors.h"
#include "model/model.h"
#include "support.h"

/* ---- what the tests make */

static const clt_options *telling_by(bool by_order)
{
    static clt_options options;
    options = telling();
    options.weights_by_order = by_order;
    return &options;
}

static const char net[] = "input 1x4x4; conv out=2 kernel=3; batchnorm; flatten; dense out=3";

/* The net's parameters, as a file of others may have them: the value i + j / 64 at place j of parameter i. */
enum { PARAMETERS = 8 };

typedef struct other {
    const char *name;
    int dimensions;
    uint64_t extent[4];
} other;

static const other own[PARAMETERS] = {{"conv1.weight", 4, {2, 1, 3, 3}},   {"conv1.bias", 1, {2}},
                                      {"batchnorm1.weight", 1, {2}},       {"batchnorm1.bias", 1, {2}},
                                      {"batchnorm1.running_mean", 1, {2}}, {"batchnorm1.running_var", 1, {2}},
                                      {"dense1.weight", 2, {3, 8}},        {"dense1.bias", 1, {3}}};

static double value_of(int parameter, size_t at)
{
    return parameter + (double)at / 64;
}

static void add(clt__safetensors *file, const char *name, int parameter)
{
    clt_error error;
    double values[24];
    for (size_t j = 0; j < 24; j++) values[j] = value_of(parameter, j);
    assert_ok(
        clt__safetensors_add(file, name, CLT_F32, own[parameter].dimensions, own[parameter].extent, values, &error),
        &error);
}

static const char *write_file(clt__safetensors *file)
{
    clt_error error;
    const char *path = path_in("other.safetensors");
    assert_ok(clt__safetensors_write(path, file, &error), &error);
    clt__safetensors_free(file);
    return path;
}

/* Parameters order[0], order[1] ... as names[order[0]], names[order[1]] ... */
static const char *write_names(const char *const *names, const int *order, int count)
{
    clt__safetensors file = {0};
    for (int i = 0; i < count; i++) add(&file, names[order[i]], order[i]);
    return write_file(&file);
}

static const char *write_behind(const char *prefix)
{
    clt__safetensors file = {0};
    for (int i = 0; i < PARAMETERS; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", prefix, own[i].name);
        add(&file, name, i);
    }
    return write_file(&file);
}

static clt_model *make(void)
{
    return make_model(net, NULL, CLT_F32, 3);
}

static void assert_taken(const clt_model *model, bool taken)
{
    assert_int_equal(model->parameters, PARAMETERS);
    for (int i = 0; i < PARAMETERS; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        assert_string_equal(p->info.name, own[i].name);
        for (size_t j = 1; j < p->info.count; j++) assert_true((p->values[j] == value_of(i, j)) == taken);
    }
}

static void take(const char *path, bool by_order)
{
    clt_error error;
    clt_model *model = make();
    assert_ok(clt_model_start_from(model, path, telling_by(by_order), &error), &error);
    assert_taken(model, true);
    clt_model_close(model);
}

/* ... and the model stays as it was. */
static void refuse(const char *path, bool by_order, const char *part)
{
    clt_error error;
    clt_model *model = make();
    assert_failed(clt_model_start_from(model, path, telling_by(by_order), &error), CLT_BAD_FILE, &error, path, part);
    assert_taken(model, false);
    clt_model_close(model);
}

/* ---- names */

static void prefixes_are_seen_through(void **state)
{
    (void)state;
    static const char *const prefixes[] = {
        "module.", "_orig_mod.", "model.", "state_dict.", "state_dict.model._orig_mod.module.", "module.module."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char told[128];
        take(write_behind(prefixes[i]), false);
        (void)snprintf(told, sizeof told, "read without \"%s\", which all of them begin with", prefixes[i]);
        assert_told(told);
    }
    take(write_behind(""), false);
    assert_string_equal(notes_told, "");
    refuse(write_behind("encoder."), false, "has no parameter of the net's: conv1.weight (not there)");
}

static void a_prefix_of_some_is_none(void **state)
{
    (void)state;
    clt__safetensors file = {0};
    for (int i = 0; i < PARAMETERS; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "module.%s", own[i].name);
        add(&file, i == 5 ? own[i].name + 1 : name, i);
    }
    refuse(write_file(&file), false, "; it has module.conv1.weight, ");
}

/* ---- order */

static const char *const sequential[PARAMETERS] = {"2.weight",       "2.bias",        "9.weight",  "9.bias",
                                                   "9.running_mean", "9.running_var", "10.weight", "10.bias"};

static void tensors_are_taken_in_order(void **state)
{
    (void)state;
    static const int as_written[] = {0, 1, 2, 3, 4, 5, 6, 7}, by_name[] = {7, 6, 1, 0, 3, 4, 5, 2};
    static const char *const words[PARAMETERS] = {"stem.weight",       "stem.bias",        "norm.weight", "norm.bias",
                                                  "norm.running_mean", "norm.running_var", "fc.weight",   "fc.bias"};
    take(write_names(sequential, as_written, PARAMETERS), true);
    assert_told("taken in order: 2.weight as conv1.weight, 2.bias as conv1.bias, 9.weight as batchnorm1.weight");
    take(write_names(sequential, by_name, PARAMETERS), true);
    take(write_names(words, as_written, PARAMETERS), true);
    refuse(write_names(sequential, as_written, PARAMETERS), false,
           "has 2.weight, 2.bias, 9.weight, 9.bias and 4 more, whose shapes are the net's in order: "
           "--weights-by-order takes them so");
}

static void counts_and_states_are_passed_over(void **state)
{
    (void)state;
    clt__safetensors file = {0};
    for (int i = 0; i < PARAMETERS; i++) {
        add(&file, sequential[i], i);
        if (i == 5) add(&file, "9.num_batches_tracked", 1);
    }
    add(&file, "optimizer.velocity.2.weight", 0);
    take(write_file(&file), true);
}

static void what_does_not_fit_in_order_is_refused(void **state)
{
    (void)state;
    static const int swapped[] = {0, 1, 6, 7, 2, 3, 4, 5}, fewer[] = {0, 1, 2, 3, 4, 5, 6};
    refuse(write_names(sequential, swapped, PARAMETERS), true,
           "in order 10.weight would be batchnorm1.weight, but it is [3, 8], the net's is [2]: nothing is taken");
    refuse(write_names(sequential, fewer, PARAMETERS - 1), true,
           "has 7 tensors, where the net has 8 parameters: in order dense1.bias has no partner, and nothing is taken");
    clt__safetensors file = {0};
    for (int i = 0; i < PARAMETERS; i++) add(&file, sequential[i], i);
    add(&file, "z.weight", 0);
    refuse(write_file(&file), true, "has 9 tensors, where the net has 8 parameters: in order z.weight has no partner");
}

static void order_without_weights_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = clt__options_default();
    options.weights_by_order = true;
    assert_failed(clt__check_options(&options, 1, &error), CLT_BAD_ARGUMENT, &error, NULL, "no weights are given");
}

/* ---- files of others */

static void refuse_bytes(const void *bytes, size_t size, const char *part)
{
    refuse(write_bytes("foreign", bytes, size), false, part);
}

/* An archive's first bytes, with a first file of this name. */
static void refuse_archive(const char *name, const char *part)
{
    unsigned char bytes[128] = {'P', 'K', 3, 4};
    bytes[26] = (unsigned char)strlen(name);
    memcpy(bytes + 30, name, strlen(name));
    refuse_bytes(bytes, 30 + strlen(name), part);
}

static void files_of_others_are_named(void **state)
{
    (void)state;
    static const char advice[] = "where a safetensors file is needed: two lines of Python make one: `import torch";
    refuse_archive("archive/data.pkl", "is a PyTorch file (a zip archive with data.pkl), where a safetensors file");
    refuse_archive("archive/code/a.py...archive/data.pkl", advice);
    refuse_bytes("\x80\x02\x8a\x0al\xfc\x9c", 7, "is a Python pickle, as older PyTorch files are, where");
    refuse_bytes("\x80\x04\x95 ", 4, advice);
    refuse_archive("conv1.npy", "is an NPZ archive of NumPy arrays, where");
    refuse_archive("model.weights.h5", "is a Keras model (a zip archive), where");
    refuse_archive("README", "is a zip archive, where a safetensors file is needed");
    refuse_bytes("\x89HDF\r\n\x1a\n    ", 12, "is an HDF5 file, as Keras writes, where");
    refuse_bytes("\x08\x08\x12\x07pytorch", 11, "an ONNX model");
    refuse_bytes("\x08\x07:\x90\x01 ", 6, "is no ONNX model, or damaged");
    refuse_bytes("\x1c\0\0\0TFL3", 8, "is a TensorFlow Lite model, where");
    refuse_bytes("\x93NUMPY\x01\0v\0", 10, "is a NumPy array, where");
    refuse_bytes("12345678", 8, "byte 0: gives a header length of");
}

/* Its length, 640, looks like a pickle's mark. */
static void a_length_is_no_mark(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file;
    unsigned char bytes[8 + 640] = {0x80, 0x02};
    (void)memset(bytes + 8, ' ', 640);
    (void)memcpy(bytes + 8, "{}", 2);
    assert_ok(clt__safetensors_read(write_bytes("length", bytes, sizeof bytes), &file, &error), &error);
    clt__safetensors_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_are_seen_through),
        cmocka_unit_test(a_prefix_of_some_is_none),
        cmocka_unit_test(tensors_are_taken_in_order),
        cmocka_unit_test(counts_and_states_are_passed_over),
        cmocka_unit_test(what_does_not_fit_in_order_is_refused),
        cmocka_unit_test(order_without_weights_is_refused),
        cmocka_unit_test(files_of_others_are_named),
        cmocka_unit_test(a_length_is_no_mark),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
