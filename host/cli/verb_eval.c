/* cltrain eval: how good a trained model is on the test files. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/verbs.h"
#include "report/predictions.h"

/* What is reported, and what it is of. */
typedef struct eval_report {
    const command_line *command;
    const clt_options *options;
    const clt_model *model;
    const clt_dataset *data;
    clt_evaluation *evaluation;
} eval_report;

static clt__class_figures figures_of(const clt_evaluation *evaluation, int class)
{
    uint64_t of_class = 0, as_class = 0;
    for (int other = 0; other < clt_evaluation_classes(evaluation); other++) {
        of_class += clt_evaluation_confused(evaluation, class, other);
        as_class += clt_evaluation_confused(evaluation, other, class);
    }
    return clt__class_figures_of(clt_evaluation_confused(evaluation, class, class), of_class, as_class);
}

/* The share of the images whose class is among the `topk` most probable ones. */
static double topk_accuracy(const eval_report *report)
{
    uint64_t hits = 0;
    for (int i = 0; i < report->options->topk; i++) hits += clt_evaluation_ranked(report->evaluation, i);
    return (double)hits / (double)clt_evaluation_count(report->evaluation);
}

/* ---- text --------------------------------------------------------------------------------------------------- */

static void add_figure(text_table *table, double figure)
{
    if (isnan(figure))
        table_add(table, "-");
    else
        table_add(table, "%.4f", figure);
}

/* The class's name, the model's own or the data set's; NULL where neither has one. */
static const char *name_of(const eval_report *report, int class)
{
    const char *own = clt_model_class_name(report->model, class);
    return own ? own : clt_dataset_class_name(report->data, class);
}

static clt_status print_classes(const eval_report *report, clt_error *error)
{
    const clt_evaluation *evaluation = report->evaluation;
    const bool named = name_of(report, 0);
    text_table table = {.alignment = named ? "rlrrrr" : "rrrrr"};
    static const char *const heads[] = {"class", "name", "precision", "recall", "f1", "images"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (i != 1 || named) table_add(&table, "%s", heads[i]);
    for (int class = 0; class < clt_evaluation_classes(evaluation); class ++) {
        const clt__class_figures figures = figures_of(evaluation, class);
        const char *name = name_of(report, class);
        table_add(&table, "%d", class);
        if (named) table_add(&table, "%s", name ? name : "-");
        add_figure(&table, figures.precision);
        add_figure(&table, figures.recall);
        add_figure(&table, figures.f1);
        table_add(&table, "%" PRIu64, figures.count);
    }
    (void)printf("\n");
    return table_print(&table, error);
}

static clt_status print_confusion(const clt_evaluation *evaluation, clt_error *error)
{
    char *alignment;
    const size_t columns = (size_t)clt_evaluation_classes(evaluation) + 1;
    TRY(clt__allocate(columns + 1, 1, "a table", &alignment, error));
    for (size_t i = 0; i < columns; i++) alignment[i] = 'r';
    text_table table = {.alignment = alignment};
    table_add(&table, "true");
    for (int predicted = 0; predicted < clt_evaluation_classes(evaluation); predicted++)
        table_add(&table, "%d", predicted);
    for (int truth = 0; truth < clt_evaluation_classes(evaluation); truth++) {
        table_add(&table, "%d", truth);
        for (int predicted = 0; predicted < clt_evaluation_classes(evaluation); predicted++)
            table_add(&table, "%" PRIu64, clt_evaluation_confused(evaluation, truth, predicted));
    }
    (void)printf("\nconfusion: a row for each true class, a column for each predicted one\n");
    const clt_status status = table_print(&table, error);
    free(alignment);
    return status;
}

static clt_status print_evaluation(const eval_report *report, clt_error *error)
{
    const clt_evaluation *evaluation = report->evaluation;
    (void)printf("images    %zu\nloss      %.6g\n", clt_evaluation_count(evaluation), clt_evaluation_loss(evaluation));
    if (!isnan(clt_evaluation_accuracy(evaluation)))
        (void)printf("accuracy  %.6g\n", clt_evaluation_accuracy(evaluation));
    if (report->options->topk) (void)printf("top %-5d %.6g\n", report->options->topk, topk_accuracy(report));
    if (clt_evaluation_classes(evaluation) == 0) return CLT_OK;
    TRY(print_classes(report, error));
    return print_confusion(evaluation, error);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static json_t *json_of_class(const eval_report *report, int class)
{
    const clt__class_figures figures = figures_of(report->evaluation, class);
    const char *name = name_of(report, class);
    json_t *json = json_pack("{s:i, s:o, s:o, s:o, s:I}", "class", class, "precision",
                             json_of_number(figures.precision), "recall", json_of_number(figures.recall), "f1",
                             json_of_number(figures.f1), "images", (json_int_t)figures.count);
    if (json && name && json_object_set_new(json, "name", json_of_text(name))) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *json_of_confused(const eval_report *report, int truth)
{
    const clt_evaluation *evaluation = report->evaluation;
    json_t *row = json_array();
    for (int predicted = 0; predicted < clt_evaluation_classes(evaluation); predicted++)
        if (json_array_append_new(row,
                                  json_integer((json_int_t)clt_evaluation_confused(evaluation, truth, predicted)))) {
            json_decref(row);
            return NULL;
        }
    return row;
}

/* An array of what `json_of` gives for each class. */
static json_t *json_of_each(const eval_report *report, json_t *(*json_of)(const eval_report *, int))
{
    json_t *all = json_array();
    for (int class = 0; class < clt_evaluation_classes(report->evaluation); class ++)
        if (json_array_append_new(all, json_of(report, class))) {
            json_decref(all);
            return NULL;
        }
    return all;
}

static json_t *json_of_evaluation(const eval_report *report)
{
    const clt_options *options = report->options;
    const clt_evaluation *evaluation = report->evaluation;
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "options", json_of_options(report->command, options),
                  "model", json_of_text(options->model), "data", json_of_text(options->data), "images",
                  (json_int_t)clt_evaluation_count(evaluation), "loss", json_of_number(clt_evaluation_loss(evaluation)),
                  "accuracy", json_of_number(clt_evaluation_accuracy(evaluation)), "classes",
                  json_of_each(report, json_of_class), "confusion", json_of_each(report, json_of_confused));
    if (!json || !report->options->topk) return json;
    json_t *topk = json_pack("{s:i, s:f}", "k", report->options->topk, "accuracy", topk_accuracy(report));
    if (json_object_set_new(json, "topk", topk) == 0) return json;
    json_decref(json);
    return NULL;
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status tell(const eval_report *report, clt_error *error)
{
    const char *json = report->options->json;
    if (!is_stdout(json)) TRY(print_evaluation(report, error));
    return json ? write_json(json_of_evaluation(report), json, error) : CLT_OK;
}

static clt_status check_topk(const clt_options *options, const clt_evaluation *evaluation, clt_error *error)
{
    if (options->topk <= clt_evaluation_classes(evaluation)) return CLT_OK;
    if (!clt_evaluation_classes(evaluation))
        return FAIL(error, CLT_BAD_ARGUMENT, "--topk: %s has real targets, and no classes", options->data);
    return FAIL(error, CLT_BAD_ARGUMENT, "--topk: %d is given, where %s has %d classes", options->topk, options->model,
                clt_evaluation_classes(evaluation));
}

static clt_status open_data(const clt_options *options, const clt_model *model, clt_dataset **data, clt_error *error)
{
    const clt_options reading = reading_as_trained(options, model);
    if (reading.transpose && !options->given[CLT__OPTION_transpose])
        print_note("rows and columns of the images change places, as in training (--no-transpose: they do not)");
    TRY(clt_dataset_open(options->data, CLT_TEST, &reading, data, error));
    note_converted(options, options->data, model, clt_dataset_converted(*data), clt_dataset_count(*data));
    return CLT_OK;
}

/* A rank's body: every rank has all that came of it, and the first one keeps it. */
static clt_status evaluate(void *user, int rank, const clt_options *options, clt_device *device, clt_error *error)
{
    eval_report *report = user;
    clt_evaluation *evaluation;
    TRY(clt_evaluate(report->model, device, report->data, options, &evaluation, error));
    if (rank == 0)
        report->evaluation = evaluation;
    else
        clt_evaluation_close(evaluation);
    return CLT_OK;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_model *model = NULL;
    clt_dataset *data = NULL;
    eval_report report = {.command = command, .options = options};
    clt_status status = clt_model_load(options->model, &model, error);
    if (status == CLT_OK) status = open_data(options, model, &data, error);
    status = clt_collective_agree(options->collective, status, error);
    report.model = model;
    report.data = data;
    if (status == CLT_OK) status = run_on_devices(options, evaluate, &report, error);
    if (status == CLT_OK) status = check_topk(options, report.evaluation, error);
    if (status == CLT_OK) status = tell(&report, error);
    clt_evaluation_close(report.evaluation);
    clt_dataset_close(data);
    clt_model_close(model);
    return status;
}

const verb_row eval_verb = {
    .name = "eval",
    .verb = CLT__EVAL,
    .summary = "Measures a trained model: loss, accuracy, figures for each class.",
    .details =
        "The data set's test files are evaluated; of a list or CSV file, all of it. The normalisation comes from "
        "the checkpoint.",
    .needed = {"data", "model"},
    .defaults = {{CLT__OPTION_batch_size, "256"}},
    .run = run,
};
