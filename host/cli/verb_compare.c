/* cltrain compare: two runs, or two checkpoints, beside each other. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/output.h"
#include "cli/report_runs.h"
#include "cli/verbs.h"
#include "report/comparison.h"
#include "report/run.h"

typedef struct comparison {
    const clt_options *options;
    clt__run run[2];
    clt_device *device;
    clt_dataset *data;       /* NULL where there are no images that both can be shown */
    clt__answers answers[2]; /* where there is data */
    clt__mcnemar mcnemar;
} comparison;

static bool has_answers(const comparison *c)
{
    return c->answers[0].count > 0;
}

/* ---- what is printed */

static void add_number(text_table *table, double value)
{
    if (isnan(value))
        table_add(table, "-");
    else
        table_add(table, "%.6g", value);
}

static clt_status print_options(const comparison *c, clt_error *error)
{
    text_table table = {.alignment = "lll"};
    table_add(&table, "option");
    for (int i = 0; i < 2; i++) table_add(&table, "%s", c->run[i].folder);
    size_t differing = 0;
    clt_status status = CLT_OK;
    for (clt__option option = 0; option < CLT__OPTIONS && status == CLT_OK; option++) {
        char *value[2] = {NULL, NULL};
        if (!clt__option_is_kept(option)) continue;
        for (int i = 0; i < 2 && status == CLT_OK; i++) status = clt__run_option(&c->run[i], option, &value[i], error);
        if (status == CLT_OK && strcmp(value[0], value[1]) != 0) {
            differing++;
            table_add(&table, "%s", clt__option_info_of(option)->name);
            for (int i = 0; i < 2; i++) table_add(&table, "%s", *value[i] ? value[i] : "none");
        }
        free(value[0]);
        free(value[1]);
    }
    if (!differing) table_add(&table, "(all alike)"), table_add(&table, " "), table_add(&table, " ");
    const clt_status printed = table_print(&table, error);
    return status == CLT_OK ? printed : status;
}

typedef struct spread {
    double least, most; /* least > most where there are no numbers */
} spread;

static spread spread_of(const double *values, size_t count)
{
    spread s = {INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        s.least = fmin(s.least, values[i]);
        s.most = fmax(s.most, values[i]);
    }
    return s;
}

/* A line of blocks, from the least to the most of both curves; a gap where there is no number. */
static void print_line(const char *name, const double *values, size_t count, const spread *s)
{
    enum { MOST_WIDE = 60 };
    const size_t wide = count < MOST_WIDE ? count : MOST_WIDE;
    (void)printf("  ");
    for (size_t i = 0; i < wide; i++) {
        const double value = values[i * count / wide];
        if (!isfinite(value))
            (void)printf(" ");
        else
            (void)printf(
                "%s",
                block_of(s->most > s->least ? (int)(BLOCK_HEIGHTS * (value - s->least) / (s->most - s->least)) : 0));
    }
    (void)printf("  %.5g to %.5g  %s\n", values[0], values[count - 1], name);
}

static void print_curves(const comparison *c, const char *title, clt__metric which)
{
    const spread one[2] = {spread_of(c->run[0].metric[which], c->run[0].epochs),
                           spread_of(c->run[1].metric[which], c->run[1].epochs)};
    const spread both = {fmin(one[0].least, one[1].least), fmax(one[0].most, one[1].most)};
    if (!(both.least <= both.most)) return;
    (void)printf("\n%s, epoch by epoch\n", title);
    for (int i = 0; i < 2; i++)
        if (one[i].least <= one[i].most) print_line(c->run[i].folder, c->run[i].metric[which], c->run[i].epochs, &both);
}

/* NULL where the model has none of this name. */
static const clt_tensor_info *parameter_called(const clt_model *model, const char *name)
{
    for (size_t i = 0; i < clt_model_parameter_count(model); i++)
        if (strcmp(clt_model_parameter(model, i)->name, name) == 0) return clt_model_parameter(model, i);
    return NULL;
}

static bool have_one_shape(const clt_tensor_info *a, const clt_tensor_info *b)
{
    return a->dimensions == b->dimensions &&
           memcmp(a->extent, b->extent, (size_t)a->dimensions * sizeof *a->extent) == 0;
}

static clt_status take_values(const clt_model *model, const clt_tensor_info *info, double **values, clt_error *error)
{
    TRY(clt__allocate(info->count, sizeof **values, info->name, values, error));
    return clt_model_get(model, info->name, *values, info->count, error);
}

/* Of a parameter of the first. *found is false where the second has none of its name and shape. */
static clt_status find_distance(const comparison *c, size_t index, clt__distance *distance, bool *found,
                                clt_error *error)
{
    const clt_tensor_info *info = clt_model_parameter(c->run[0].model, index),
                          *other = parameter_called(c->run[1].model, info->name);
    double *first = NULL, *second = NULL;
    *found = other && have_one_shape(info, other);
    if (!*found) return CLT_OK;
    clt_status status = take_values(c->run[0].model, info, &first, error);
    if (status == CLT_OK) status = take_values(c->run[1].model, other, &second, error);
    if (status == CLT_OK) *distance = clt__distance_of(first, second, info->count);
    free(first);
    free(second);
    return status;
}

static void add_parameter(text_table *table, const char *name, const char *whose, const clt__distance *d)
{
    table_add(table, "%s%s", name, whose);
    add_number(table, d->first);
    add_number(table, d->second);
    add_number(table, d->apart);
    add_number(table, d->cosine);
}

static const clt__distance no_distance = {NAN, NAN, NAN, NAN};

static clt_status add_parameters_of_first(const comparison *c, text_table *table, clt_error *error)
{
    for (size_t i = 0; i < clt_model_parameter_count(c->run[0].model); i++) {
        const char *name = clt_model_parameter(c->run[0].model, i)->name;
        clt__distance d = no_distance;
        bool found;
        TRY(find_distance(c, i, &d, &found, error));
        const bool named = parameter_called(c->run[1].model, name);
        add_parameter(table, name, found ? "" : named ? " (of unequal shapes)" : " (of the first alone)", &d);
    }
    return CLT_OK;
}

static void add_parameters_of_second_alone(const comparison *c, text_table *table)
{
    for (size_t i = 0; i < clt_model_parameter_count(c->run[1].model); i++) {
        const char *name = clt_model_parameter(c->run[1].model, i)->name;
        if (!parameter_called(c->run[0].model, name))
            add_parameter(table, name, " (of the second alone)", &no_distance);
    }
}

static clt_status print_parameters(const comparison *c, clt_error *error)
{
    text_table table = {.alignment = "lrrrr"};
    static const char *const heads[] = {"parameter", "norm of the first", "of the second", "apart", "cosine"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) table_add(&table, "%s", heads[i]);
    const clt_status status = add_parameters_of_first(c, &table, error);
    add_parameters_of_second_alone(c, &table);
    (void)printf("\n");
    const clt_status printed = table_print(&table, status == CLT_OK ? error : NULL);
    return status == CLT_OK ? printed : status;
}

/* By custom what comes by chance once in twenty times is taken for none. */
static bool is_chance(const clt__mcnemar *m)
{
    return !(m->p < 0.05);
}

static void print_answers(const comparison *c)
{
    const clt__mcnemar *m = &c->mcnemar;
    if (!has_answers(c)) {
        (void)printf("\nThere are no labelled images that both can be shown: --data names some.\n");
        return;
    }
    (void)printf("\nOf %zu test images\n  %.4f are right by %s\n  %.4f are right by %s\n", c->answers[0].count,
                 c->answers[0].accuracy, c->run[0].folder, c->answers[1].accuracy, c->run[1].folder);
    (void)printf("  %" PRIu64 " by both, %" PRIu64 " by the first alone, %" PRIu64 " by the second alone, %" PRIu64
                 " by neither\n",
                 m->both, m->first, m->second, m->neither);
    (void)printf("%s (McNemar's exact test: p = %.2g).\n",
                 m->first == m->second ? "Neither is right more often than the other"
                 : is_chance(m)        ? "The difference may be chance"
                                       : "The difference is more than chance",
                 m->p);
}

static clt_status print_comparison(const comparison *c, clt_error *error)
{
    TRY(print_options(c, error));
    print_curves(c, "validation loss", CLT__VAL_LOSS);
    print_curves(c, "validation accuracy", CLT__VAL_ACCURACY);
    print_curves(c, "training loss", CLT__LOSS);
    TRY(print_parameters(c, error));
    print_answers(c);
    return CLT_OK;
}

/* ---- JSON */

static json_t *json_of_options_of(const comparison *c, int which)
{
    json_t *object = json_object();
    for (clt__option option = 0; option < CLT__OPTIONS && object; option++) {
        char *value;
        if (!clt__option_is_kept(option)) continue;
        if (clt__run_option(&c->run[which], option, &value, NULL) == CLT_OK &&
            json_object_set_new(object, clt__option_info_of(option)->name, json_of_text(value)) == 0) {
            free(value);
            continue;
        }
        json_decref(object);
        object = NULL;
    }
    return object;
}

static json_t *json_of_parameters(const comparison *c)
{
    json_t *all = json_array();
    for (size_t i = 0; i < clt_model_parameter_count(c->run[0].model); i++) {
        clt__distance d = no_distance;
        bool found = false;
        json_t *row = NULL;
        if (find_distance(c, i, &d, &found, NULL) == CLT_OK)
            row = json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "name", clt_model_parameter(c->run[0].model, i)->name,
                            "in_both", found, "norm_a", json_of_number(d.first), "norm_b", json_of_number(d.second),
                            "apart", json_of_number(d.apart), "cosine", json_of_number(d.cosine));
        if (json_array_append_new(all, row) == 0) continue;
        json_decref(all);
        return NULL;
    }
    return all;
}

static json_t *json_of_answers(const comparison *c)
{
    const clt__mcnemar *m = &c->mcnemar;
    if (!has_answers(c)) return json_null();
    return json_pack("{s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:f}", "images", (json_int_t)c->answers[0].count,
                     "accuracy_a", c->answers[0].accuracy, "accuracy_b", c->answers[1].accuracy, "both",
                     (json_int_t)m->both, "a_alone", (json_int_t)m->first, "b_alone", (json_int_t)m->second, "neither",
                     (json_int_t)m->neither, "p", m->p);
}

static json_t *json_of_comparison(const comparison *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "a", json_of_text(c->run[0].folder), "b",
                     json_of_text(c->run[1].folder), "options_a", json_of_options_of(c, 0), "options_b",
                     json_of_options_of(c, 1), "parameters", json_of_parameters(c), "answers", json_of_answers(c));
}

/* ---- the verb */

/* Both are shown the images of the first. */
static clt_status ask_both(comparison *c, clt_error *error)
{
    TRY(find_images(c->run[0].folder, c->options, &c->data, error));
    if (!c->data) return CLT_OK;
    for (int i = 0; i < 2; i++) {
        clt_error why;
        if (clt__answers_check(c->run[i].model, c->data, &why) == CLT_OK) continue;
        print_note("%s: %s", c->run[i].folder, why.message);
        return CLT_OK;
    }
    for (int i = 0; i < 2; i++)
        TRY(clt__answers_find(c->run[i].model, c->device, c->data, c->options, &c->answers[i], error));
    c->mcnemar = clt__compare_answers(&c->answers[0], &c->answers[1]);
    return CLT_OK;
}

static clt_status tell(const comparison *c, clt_error *error)
{
    const char *json = c->options->json;
    if (!is_stdout(json)) TRY(print_comparison(c, error));
    return json ? write_json(json_of_comparison(c), json, error) : CLT_OK;
}

static clt_status open_run(comparison *c, int which, const char *path, clt_error *error)
{
    TRY(clt__run_open(path, &c->run[which], error));
    if (c->run[which].untrained)
        print_note(
            "%s ended before it had written a checkpoint: its options are not known, and its parameters are those "
            "that its net begins with",
            path);
    return CLT_OK;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    comparison c = {.options = options};
    clt_status status = CLT_OK;
    for (int i = 0; i < 2 && status == CLT_OK; i++) status = open_run(&c, i, command->operands[i], error);
    if (status == CLT_OK) status = clt_device_open_with(options, &c.device, error);
    if (status == CLT_OK) status = ask_both(&c, error);
    if (status == CLT_OK) status = tell(&c, error);
    for (int i = 0; i < 2; i++) {
        clt__answers_free(&c.answers[i]);
        clt__run_close(&c.run[i]);
    }
    clt_dataset_close(c.data);
    clt_device_close(c.device);
    return status;
}

const verb_row compare_verb = {
    .name = "compare",
    .verb = CLT__COMPARE,
    .summary = "Compares two runs or checkpoints: options, curves, parameters, answers.",
    .details = "A and B are folders that train --output-dir has written, or checkpoints. Both models are shown the "
               "test images of A's data set, or of the "
               "one that --data names; McNemar's test tells whether the difference in accuracy is more than chance.",
    .operand = "A B",
    .operands = 2,
    .defaults = {{CLT__OPTION_batch_size, "256"}},
    .run = run,
};
