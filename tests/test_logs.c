/* What training tells of steps and epochs: tables, lines of JSON, the norm of the gradient. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "training.h"

/* The JSON lines of a file: an array, released by the caller. */
static json_t *read_lines(const char *name)
{
    size_t size;
    char *text = (char *)read_bytes(path_in(name), &size), *line = text, *end;
    json_t *lines = json_array();
    for (; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_true(json_is_object(json));
        assert_int_equal(json_array_append_new(lines, json), 0);
    }
    assert_int_equal(line - text, size);
    free(text);
    return lines;
}

static double number_in(const json_t *line, const char *name)
{
    const json_t *value = json_object_get(line, name);
    assert_true(json_is_number(value) || json_is_null(value));
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool is_of_epoch(const json_t *line)
{
    return strcmp(json_string_value(json_object_get(line, "event")), "epoch") == 0;
}

/* By plain sgd the parameters move by the rate times the gradient. */
static double distance_moved(const clt_model *before, const clt_model *after)
{
    double sum = 0;
    for (size_t i = 0; i < clt_model_parameter_count(before); i++) {
        double a[MOST_OF_ONE], b[MOST_OF_ONE];
        const size_t count = get_from_both(before, after, i, a, b);
        for (size_t j = 0; j < count; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
    }
    return sqrt(sum);
}

static double norm_of_one_step(clt_device *on, double clip, double *moved)
{
    clt_options options = options_for(1, NULL);
    options.momentum = 0;
    options.batch_size = IMAGES;
    options.micro_batch_size = 30;
    options.clip_grad = clip;
    options.json_log = path_in("one.jsonl");
    clt_model *before = make_model(net, NULL, CLT_F64, 3), *after = make_model(net, NULL, CLT_F64, 3);
    train(after, on, &options);
    *moved = distance_moved(before, after) / options.lr;
    clt_model_close(before);
    clt_model_close(after);
    json_t *lines = read_lines("one.jsonl");
    assert_int_equal(json_array_size(lines), 1);
    const double norm = number_in(json_array_get(lines, 0), "gradient_norm");
    json_decref(lines);
    return norm;
}

static void the_norm_told_is_that_of_the_gradient_before_it_is_clipped(void **state)
{
    (void)state;
    clt_device *const on[] = {reference, device};
    for (size_t i = 0; i < COUNT_OF(on); i++) {
        double moved, clipped;
        const double norm = norm_of_one_step(on[i], 0, &moved);
        assert_true(norm > 0.01 && fabs(norm / moved - 1) < 1e-9);
        assert_true(norm_of_one_step(on[i], 1e-3, &clipped) == norm);
        assert_true(fabs(clipped - 1e-3) < 1e-6);
    }
}

static void to_measure_the_norm_changes_no_bit(void **state)
{
    (void)state;
    char plain[65], measured[65];
    clt_options options = stateful_options(NULL);
    options.micro_batch_size = 7;
    options.clip_grad = 0.1;
    for (int i = 0; i < 2; i++) {
        options.json_log = i ? path_in("measured.jsonl") : NULL;
        clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
        train(model, device, &options);
        clt_model_sha256(model, i ? measured : plain);
        clt_model_close(model);
    }
    assert_string_equal(plain, measured);
}

enum { MANY = IMAGES / 2 }; /* steps of an epoch of batches of 2 */

static clt_options logged_options(const char *name)
{
    char folder[64], csv[64], json[64];
    (void)snprintf(folder, sizeof folder, "%s", name);
    (void)snprintf(csv, sizeof csv, "%s.csv", name);
    (void)snprintf(json, sizeof json, "%s.jsonl", name);
    clt_options options = options_for(2, folder);
    options.batch_size = 2;
    options.lr_scheduler = "cosine";
    options.save_every = 4;
    options.log_steps = path_in(csv);
    options.json_log = path_in(json);
    return options;
}

/* The steps that measure the norm are 1, 17 and 33 of an epoch; what is told of it is their mean. */
static void the_json_log_has_a_line_a_step_and_an_epoch(void **state)
{
    (void)state;
    double losses[MOST_STEPS], sum = 0;
    const clt_options options = logged_options("lines");
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    assert_int_equal(read_log("lines.csv", losses), 2 * MANY);
    json_t *lines = read_lines("lines.jsonl"), *line;
    size_t i;
    assert_int_equal(json_array_size(lines), 2 * MANY + 2);
    json_array_foreach(lines, i, line)
    {
        const int epoch = (int)i / (MANY + 1), step = (int)i % (MANY + 1);
        assert_int_equal(number_in(line, "epoch"), epoch + 1);
        assert_int_equal(is_of_epoch(line), step == MANY);
        const double norm = number_in(line, "gradient_norm");
        if (step == MANY) {
            assert_int_equal(number_in(line, "step"), MANY * (epoch + 1));
            assert_true(fabs(norm - sum / 3) < 1e-12 * norm);
            assert_true(number_in(line, "time") > 1.5e9 && number_in(line, "images_per_s") > 0);
            assert_true(number_in(line, "seconds") > 0 && number_in(line, "val_accuracy") >= 0);
            sum = 0;
            continue;
        }
        assert_int_equal(number_in(line, "step"), MANY * epoch + step + 1);
        assert_true(fabs(number_in(line, "loss") - losses[MANY * epoch + step]) <= 1e-8);
        assert_true(fabs(number_in(line, "lr") - (epoch ? 0.025 : 0.05)) < 1e-12);
        assert_int_equal(!isnan(norm), step % 16 == 0);
        if (!isnan(norm)) sum += norm;
    }
    json_decref(lines);
}

/* The lines without what tells of time. */
static json_t *read_timeless(const char *name)
{
    json_t *lines = read_lines(name), *line;
    size_t i;
    json_array_foreach(lines, i, line)
    {
        (void)json_object_del(line, "seconds");
        (void)json_object_del(line, "time");
        (void)json_object_del(line, "images_per_s");
    }
    return lines;
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_json_log_goes_on_when_a_run_is_resumed(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = logged_options("all at once");
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);

    interruption stop = {.epoch = 2, .step = 21};
    options = logged_options("in parts");
    options.progress = interrupt;
    options.progress_user = &stop;
    model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, device, images, validation, &options, &error), CLT_STOPPED, &error, NULL,
                  "stopped in epoch 2 after step 21");
    clt_model_close(model);
    /* Of a run that went on and was killed: a step that is run again, and part of a line. */
    append(options.json_log, "{\"event\":\"step\",\"step\":57,\"epoch\":2}\n{\"event\":\"st");
    append(options.log_steps, "57,1.5,0.1\n58,1.");
    model = load("in parts", "last.safetensors");
    options.progress = NULL;
    train(model, device, &options);
    clt_model_close(model);
    assert_same_run("all at once", "in parts");
    double whole[MOST_STEPS], parts[MOST_STEPS];
    assert_int_equal(read_log("all at once.csv", whole), 2 * MANY);
    assert_int_equal(read_log("in parts.csv", parts), 2 * MANY);
    assert_memory_equal(whole, parts, 2 * MANY * sizeof *whole);
    json_t *one = read_timeless("all at once.jsonl"), *other = read_timeless("in parts.jsonl");
    assert_true(json_equal(one, other));
    json_decref(one);
    json_decref(other);
}

static char *first_lines(const char *path, int count)
{
    size_t size;
    char *text = (char *)read_bytes(path, &size), *end = text;
    for (text[size] = 0; count--; end = strchr(end, '\n') + 1) assert_non_null(strchr(end, '\n'));
    *end = 0;
    return text;
}

/* Those of earlier versions have fewer columns: what they tell is kept, and the rest is empty. */
static void older_tables_get_the_new_columns(void **state)
{
    (void)state;
    clt_options options = logged_options("older");
    options.epochs = 1;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    char *path = strdup(file_in("older", "metrics.csv"));
    assert_non_null(path);
    (void)write_text("older/metrics.csv", "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds\n"
                                          "1,0.5,0.75,,,0.05,2\n2,0.4,0.8,,,0.05,2\n");
    (void)write_text("older.csv", "step,loss\n1,0.5\n2,0.25\n99,1\n");
    model = load("older", "last.safetensors");
    options.epochs = 2;
    train(model, device, &options);
    clt_model_close(model);
    char *metrics = first_lines(path, 2), *steps = first_lines(path_in("older.csv"), 4);
    assert_string_equal(metrics,
                        "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds,time,images_per_s,gradient_norm\n"
                        "1,0.5,0.75,,,0.05,2,,,\n");
    steps[strlen("step,loss,lr\n1,0.5,\n2,0.25,\n36,")] = 0;
    assert_string_equal(steps, "step,loss,lr\n1,0.5,\n2,0.25,\n36,");
    free(metrics);
    free(steps);
    free(path);
}

static void a_log_goes_on_when_a_run_is_resumed(void **state)
{
    (void)state;
    double whole[MOST_STEPS], resumed[MOST_STEPS];
    clt_options options = options_for(2, "logged");
    options.log_steps = path_in("whole.csv");
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    clt_model_close(model);
    options.log_steps = path_in("resumed.csv");
    options.epochs = 1;
    model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    clt_model_close(model);
    model = load("logged", "last.safetensors");
    options.epochs = 2;
    train(model, reference, &options);
    clt_model_close(model);
    assert_int_equal(read_log("whole.csv", whole), 2 * STEPS);
    assert_int_equal(read_log("resumed.csv", resumed), 2 * STEPS);
    assert_memory_equal(whole, resumed, 2 * STEPS * sizeof *whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_goes_on_when_a_run_is_resumed),
        cmocka_unit_test(the_norm_told_is_that_of_the_gradient_before_it_is_clipped),
        cmocka_unit_test(to_measure_the_norm_changes_no_bit),
        cmocka_unit_test(the_json_log_has_a_line_a_step_and_an_epoch),
        cmocka_unit_test(a_json_log_goes_on_when_a_run_is_resumed),
        cmocka_unit_test(older_tables_get_the_new_columns),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
