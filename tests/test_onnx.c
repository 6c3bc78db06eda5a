/* ONNX's own node tests, Debian's libonnx-testdata: each is passed, or refused for the reason that onnx/expected.csv
 * has. With CLTRAIN_WRITE_EXPECTED=FILE the table is written anew, to be read and committed. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "differences.h"
#include "onnx/import.h"
#include "support.h"

#define DATA "/usr/lib/python3/dist-packages/onnx/backend/test/data"

enum { MOST_INPUTS = 8, LONGEST = 1024 };

static clt_device *device, *reference;

static int open_device(void **state)
{
    clt_error error;
    const char *name = getenv("CLTRAIN_DEVICE");
    (void)state;
    assert_ok(clt_device_open(name ? name : "reference", &device, &error), &error);
    reference = open_called("reference");
    return 0;
}

static int close_device(void **state)
{
    (void)state;
    clt_device_close(reference);
    clt_device_close(device);
    return 0;
}

/* ---- one test: a model, its inputs, what it should give */

typedef struct example {
    char path[LONGEST]; /* its folder */
    clt__onnx_tensor input[MOST_INPUTS];
    char name[MOST_INPUTS][64]; /* of the graph's inputs */
    int inputs;
    clt__onnx_tensor wanted;
    char result[LONGEST]; /* "passes", or why not */
} example;

static bool read_tensor(const example *e, const char *kind, int number, clt__onnx_tensor *tensor)
{
    char path[LONGEST + 64];
    (void)snprintf(path, sizeof path, "%s/test_data_set_0/%s_%d.pb", e->path, kind, number);
    return clt__onnx_tensor_read_file(path, tensor, NULL) == CLT_OK;
}

static void free_example(example *e)
{
    for (int i = 0; i < e->inputs; i++) clt__onnx_tensor_free(&e->input[i]);
    clt__onnx_tensor_free(&e->wanted);
}

static bool read_example(example *e)
{
    char path[LONGEST + 16];
    (void)snprintf(path, sizeof path, "%s/model.onnx", e->path);
    const int names = clt__onnx_input_names(path, e->name, MOST_INPUTS);
    for (e->inputs = 0; e->inputs < names && read_tensor(e, "input", e->inputs, &e->input[e->inputs]);) e->inputs++;
    return names > 0 && e->inputs == names && read_tensor(e, "output", 0, &e->wanted);
}

/* Which inputs are images: the first, and those of its batch, height and width. The others are given as constants. */
static bool is_image(const example *e, int i)
{
    const clt__onnx_tensor *a = &e->input[0], *b = &e->input[i];
    if (i == 0) return true;
    if (strcmp(e->name[i], "W") == 0 || strcmp(e->name[i], "w") == 0) return false; /* what they call weights */
    if (a->rank != b->rank || a->dim[0] != b->dim[0]) return false;
    for (int d = 2; d < a->rank; d++)
        if (a->dim[d] != b->dim[d]) return false;
    return e->inputs == 2 || a->dim[1] == b->dim[1];
}

/* The images of all inputs that are, one's channels after the other's. */
static float *join_images(const example *e, const bool *image)
{
    size_t all = 0, at = 0;
    const size_t batch = (size_t)e->input[0].dim[0];
    for (int i = 0; i < e->inputs; i++) all += image[i] ? e->input[i].count : 0;
    float *images = malloc((all + 1) * sizeof *images);
    assert_non_null(images);
    for (size_t n = 0; n < batch; n++)
        for (int i = 0; i < e->inputs; i++) {
            const size_t own = image[i] ? e->input[i].count / batch : 0;
            for (size_t j = 0; j < own; j++) images[at++] = (float)e->input[i].value[n * own + j];
        }
    return images;
}

static clt_status make_net(const clt__onnx_import *import, clt_precision precision, clt_model **model, clt_error *error)
{
    clt_options options = clt__options_default();
    options.precision = precision;
    options.net = import->text;
    options.loss = "mse"; /* so that what it gives is not made probabilities */
    TRY(clt_model_create(&options, model, error));
    for (size_t i = 0; i < import->weights.tensor_count; i++) {
        const clt__stored_tensor *t = &import->weights.tensors[i];
        TRY(clt_model_set(*model, t->name, t->values, (size_t)t->count, error));
    }
    return CLT_OK;
}

static void compare(example *e, const float *got, size_t count)
{
    /* Casts to half precision are left out: cltrain computes on in its own. */
    const double bound = strstr(e->path, "FLOAT16") ? 0x1p-11 : 1e-5;
    double most = 1e-3;
    (void)snprintf(e->result, sizeof e->result, "passes");
    if (strstr(e->path, "training")) { /* what drops or normalises by the batch does so in training alone */
        (void)snprintf(e->result, sizeof e->result, "not compared: it is of training");
        return;
    }
    if (count != e->wanted.count) {
        (void)snprintf(e->result, sizeof e->result, "WRONG: %zu values, not %zu", count, e->wanted.count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        e->wanted.value[i] = (double)(float)e->wanted.value[i]; /* some are doubles that no float holds */
        most = fmax(most, isfinite(e->wanted.value[i]) ? fabs(e->wanted.value[i]) : 0);
    }
    for (size_t i = 0; i < count; i++) {
        const double a = (double)got[i], b = e->wanted.value[i];
        if (a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= bound * most) continue;
        (void)snprintf(e->result, sizeof e->result, "WRONG: value %zu is %g, not %g", i, a, b);
        return;
    }
}

/* ---- gradients of what was read */

static tally gradients;

static void check_gradients_of(const clt__onnx_import *import, int batch)
{
    clt_error error;
    clt_model *model;
    const setting s = {.net = import->text, .loss = "mse", .batch = batch, .real_targets = true};
    assert_ok(make_net(import, CLT_F64, &model, &error), &error);
    (void)check_gradients(reference, model, &s, &gradients);
    clt_model_close(model);
}

static clt_status run_net(example *e, const clt__onnx_import *import, const bool *image, clt_error *error)
{
    clt_model *model = NULL;
    clt_session *session = NULL;
    clt_options options = clt__options_default();
    const size_t batch = (size_t)e->input[0].dim[0];
    options.batch_size = (int)batch;
    float *images = join_images(e, image), *outputs = NULL;
    clt_status status = make_net(import, CLT_F32, &model, error);
    if (status == CLT_OK) status = clt_session_open_images(model, device, CLT_REALS, &options, &session, error);
    if (status == CLT_OK) {
        const size_t count = batch * (size_t)clt_model_outputs(model);
        outputs = malloc(count * sizeof *outputs);
        assert_non_null(outputs);
        status = clt_session_predict(session, images, batch, outputs, error);
        if (status == CLT_OK) compare(e, outputs, count);
    }
    clt_session_close(session);
    clt_model_close(model);
    free(images);
    free(outputs);
    return status;
}

static void run_example(example *e)
{
    clt_error error;
    char path[LONGEST + 16];
    clt__onnx_given given[MOST_INPUTS];
    clt__onnx_import import;
    size_t givens = 0;
    bool image[MOST_INPUTS] = {false};
    if (!read_example(e)) {
        (void)snprintf(e->result, sizeof e->result, "its tensors are not of numbers, or none");
        return;
    }
    if (strstr(e->path, "BFLOAT16") && (e->input[0].whole || e->wanted.whole)) {
        (void)snprintf(e->result, sizeof e->result, "not compared: its bfloat16 are stored as integers");
        return;
    }
    for (int i = 0; i < e->inputs; i++) {
        image[i] = is_image(e, i);
        if (!image[i]) given[givens++] = (clt__onnx_given){.name = e->name[i], .tensor = e->input[i]};
    }
    (void)snprintf(path, sizeof path, "%s/model.onnx", e->path);
    clt_status status =
        clt__onnx_import_file(path, &(clt__onnx_options){.given = given, .givens = givens}, &import, &error);
    if (status == CLT_OK) {
        status = run_net(e, &import, image, &error);
        if (status == CLT_OK && strcmp(e->result, "passes") == 0) check_gradients_of(&import, (int)e->input[0].dim[0]);
        clt__onnx_import_free(&import);
    }
    if (status == CLT_OK) return;
    const char *why = strstr(error.message, "model.onnx");
    (void)snprintf(e->result, sizeof e->result, "refused%.900s", why ? why + strlen("model.onnx") : error.message);
}

/* ---- all of them, against the table */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The line of the table for a name, without its end; "" where there is none. */
static void find_line(const char *table, const char *name, char line[2 * LONGEST])
{
    const size_t length = strlen(name);
    for (const char *at = table; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        if (strncmp(at, name, length) != 0 || at[length] != '\t') continue;
        (void)snprintf(line, 2 * LONGEST, "%.*s", (int)strcspn(at, "\n"), at);
        return;
    }
    line[0] = 0;
}

static int check_line(const char *table, const char *group, const char *name, example *e, FILE *out)
{
    char line[3 * LONGEST], expected[2 * LONGEST], full[300];
    (void)snprintf(full, sizeof full, "%s/%s", group, name);
    (void)snprintf(line, sizeof line, "%s\t%s", full, e->result);
    if (out) (void)fprintf(out, "%s\n", line);
    find_line(table, full, expected);
    if (out || strncmp(expected, line, strlen(expected) + 1) == 0) return strstr(line, "WRONG") != NULL;
    print_error("%s\n  the table has: %s\n", line, *expected ? expected : "nothing");
    return 1;
}

static int run_group(const char *table, const char *group, FILE *out)
{
    char folder[LONGEST];
    struct dirent **entry;
    int bad = 0;
    (void)snprintf(folder, sizeof folder, DATA "/%s", group);
    const int count = scandir(folder, &entry, is_visible, by_name);
    for (int i = 0; i < count; i++) {
        example *e = calloc(1, sizeof *e);
        assert_non_null(e);
        (void)snprintf(e->path, sizeof e->path, "%.300s/%.200s", folder, entry[i]->d_name);
        run_example(e);
        bad += check_line(table, group, entry[i]->d_name, e, out);
        free_example(e);
        free(e);
        free(entry[i]);
    }
    if (count >= 0) free(entry);
    return bad;
}

/* What passes has the right gradients too. */
static void node_tests_pass_or_are_refused_as_the_table_says(void **state)
{
    clt_error error;
    char *table = NULL;
    size_t size;
    const char *to = getenv("CLTRAIN_WRITE_EXPECTED");
    FILE *out = to ? fopen(to, "w") : NULL;
    (void)state;
    if (access(DATA "/node", R_OK) != 0) skip();
    if (!out) assert_ok(clt__file_read(ONNX_FOLDER "/expected.csv", &table, &size, &error), &error);
    const int bad = run_group(table, "node", out) + run_group(table, "pytorch-converted", out) +
                    run_group(table, "pytorch-operator", out);
    if (out) assert_int_equal(fclose(out), 0);
    free(table);
    assert_int_equal(bad, 0);
    assert_few_were_skipped(&gradients);
    assert_true(gradients.compared > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(node_tests_pass_or_are_refused_as_the_table_says)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
