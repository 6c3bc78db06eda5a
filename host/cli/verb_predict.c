/* cltrain predict: what a trained model says of images. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/npy_writer.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "data/dataset.h"

enum { MOST_FILES = 1024 };

typedef struct ranked_class {
    int class;
    double probability;
} ranked_class;

/* Files whose images are predicted together: opening the net for each would take longer than its images. */
typedef struct file_group {
    char *file[MOST_FILES];
    clt_dataset *images[MOST_FILES];
    int count;
    size_t total; /* images */
} file_group;

typedef struct prediction_run {
    const clt_options *options;
    clt_model *model;
    clt_device *device;
    bool classifies; /* the outputs are the classes' probabilities */
    int outputs;
    int shown; /* how many classes are told of each image */
    int digits;
    ranked_class *rank;                /* [outputs] of one image, the most probable first */
    json_t *json;                      /* of --format json, else NULL */
    npy_rows rows;                     /* of --format npy */
    file_group group;                  /* read, and not predicted yet */
    size_t images, converted, skipped; /* told; made as the model wants them; files that are bad */
} prediction_run;

/* ---- ranking ------------------------------------------------------------------------------------------------ */

/* The larger probability first, NaN last; among equals the smaller class. */
static int compare_ranked(const void *left, const void *right)
{
    const ranked_class *a = left, *b = right;
    if (isnan(a->probability) != isnan(b->probability)) return isnan(a->probability) ? 1 : -1;
    if (a->probability > b->probability) return -1;
    if (a->probability < b->probability) return 1;
    return (a->class > b->class) - (a->class < b->class);
}

static void rank_classes(prediction_run *prediction, const double *outputs)
{
    for (int class = 0; class < prediction->outputs; class ++)
        prediction->rank[class] = (ranked_class){class, outputs[class]};
    qsort(prediction->rank, (size_t)prediction->outputs, sizeof *prediction->rank, compare_ranked);
}

/* ---- text and CSV ------------------------------------------------------------------------------------------- */

/* A CSV field as RFC 4180 has it: quoted where it must be, with quotes inside doubled. */
static void print_csv_text(const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        (void)printf("%s", text);
        return;
    }
    (void)putchar('"');
    for (; *text; text++) {
        if (*text == '"') (void)putchar('"');
        (void)putchar(*text);
    }
    (void)putchar('"');
}

static void print_csv_header(const prediction_run *prediction)
{
    (void)printf("file");
    for (int i = 1; i <= (prediction->classifies ? prediction->shown : prediction->outputs); i++)
        if (prediction->classifies)
            (void)printf(",class%d,probability%d", i, i);
        else
            (void)printf(",output%d", i);
    (void)printf("\n");
}

/* By its name, where the model knows it. */
static void print_class(const prediction_run *prediction, int class, bool csv)
{
    const char *name = clt_model_class_name(prediction->model, class);
    if (!name)
        (void)printf("%d", class);
    else if (csv)
        print_csv_text(name);
    else
        (void)printf("%s", name);
}

static void print_image(const prediction_run *prediction, const char *name, const double *outputs)
{
    const bool csv = prediction->options->format == CLT__FORMAT_CSV;
    const char separator = csv ? ',' : '\t';
    if (csv)
        print_csv_text(name);
    else
        (void)printf("%s", name);
    for (int i = 0; i < prediction->shown && prediction->classifies; i++) {
        (void)putchar(separator);
        print_class(prediction, prediction->rank[i].class, csv);
        (void)printf("%c%.*g", separator, prediction->digits, prediction->rank[i].probability);
    }
    for (int i = 0; i < prediction->outputs && !prediction->classifies; i++)
        (void)printf("%c%.*g", separator, prediction->digits, outputs[i]);
    (void)printf("\n");
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

/* "name", where the model knows it. */
static bool add_class_name(const prediction_run *prediction, int class, json_t *json)
{
    const char *name = clt_model_class_name(prediction->model, class);
    return !name || json_object_set_new(json, "name", json_of_text(name)) == 0;
}

static json_t *json_of_ranked(const prediction_run *prediction, const ranked_class *ranked)
{
    json_t *json = json_pack("{s:i, s:o}", "class", ranked->class, "probability", json_of_number(ranked->probability));
    if (json && add_class_name(prediction, ranked->class, json)) return json;
    json_decref(json);
    return NULL;
}

/* {"file", "index", "class", "probability"}, and with --topk "topk": [{"class", "probability"}, ...]; or "outputs". */
static json_t *json_of_image(const prediction_run *prediction, const char *file, size_t index, const double *outputs)
{
    json_t *list = json_array();
    bool complete = list != NULL;
    for (int i = 0; i < prediction->shown && prediction->classifies; i++)
        complete &= json_array_append_new(list, json_of_ranked(prediction, &prediction->rank[i])) == 0;
    for (int i = 0; i < prediction->outputs && !prediction->classifies; i++)
        complete &= json_array_append_new(list, json_of_number(outputs[i])) == 0;
    json_t *image = NULL;
    if (complete) image = json_pack("{s:o, s:I}", "file", json_of_text(file), "index", (json_int_t)index);
    if (prediction->classifies && image) {
        complete &= json_object_set_new(image, "class", json_integer(prediction->rank[0].class)) == 0;
        complete &= add_class_name(prediction, prediction->rank[0].class, image);
        complete &= json_object_set_new(image, "probability", json_of_number(prediction->rank[0].probability)) == 0;
    }
    if (image && (prediction->options->topk || !prediction->classifies))
        complete &= json_object_set(image, prediction->classifies ? "topk" : "outputs", list) == 0;
    json_decref(list);
    if (complete) return image;
    json_decref(image);
    return NULL;
}

/* ---- the files ---------------------------------------------------------------------------------------------- */

/* `name`: of an image that is a file of its own, else NULL. */
static clt_status tell_image(prediction_run *prediction, const char *file, const char *name, size_t index, size_t count,
                             const double *outputs, clt_error *error)
{
    if (name) file = name, index = 0, count = 1;
    if (prediction->rows.columns) return npy_add_row(&prediction->rows, outputs, error);
    if (prediction->classifies) rank_classes(prediction, outputs);
    if (prediction->json) {
        json_t *image = json_of_image(prediction, file, index, outputs);
        if (json_array_append_new(prediction->json, image) == 0) return CLT_OK;
        return FAIL(error, CLT_NO_MEMORY, "%s: no host memory for its JSON", file);
    }
    char *shown;
    const size_t room = strlen(file) + 32;
    TRY(clt__allocate(room, 1, "a file name", &shown, error));
    if (count == 1)
        (void)snprintf(shown, room, "%s", file);
    else
        (void)snprintf(shown, room, "%s[%zu]", file, index);
    print_image(prediction, shown, outputs);
    free(shown);
    return CLT_OK;
}

static clt_status predict_images(prediction_run *prediction, const clt_dataset *images, double *outputs,
                                 clt_error *error)
{
    const file_group *group = &prediction->group;
    TRY(clt_predict(prediction->model, prediction->device, images, prediction->options, outputs, error));
    for (int i = 0; i < group->count; i++) {
        const clt_dataset *of_file = group->images[i];
        const size_t count = clt_dataset_count(of_file);
        for (size_t j = 0; j < count; j++, outputs += prediction->outputs)
            if (!clt_dataset_lacks(of_file, j))
                TRY(tell_image(prediction, group->file[i], clt_dataset_image_name(of_file, j), j, count, outputs,
                               error));
    }
    return CLT_OK;
}

static void empty_group(file_group *group)
{
    for (int i = 0; i < group->count; i++) {
        free(group->file[i]);
        clt_dataset_close(group->images[i]);
    }
    group->count = 0;
    group->total = 0;
}

/* Predicts and tells the images of the group, if there are any. */
static clt_status predict_group(prediction_run *prediction, clt_error *error)
{
    file_group *group = &prediction->group;
    clt_dataset *joined = NULL;
    double *outputs = NULL;
    if (!group->count) return CLT_OK;
    clt_status status =
        clt__allocate(group->total, (size_t)prediction->outputs * sizeof *outputs, "the predictions", &outputs, error);
    if (status == CLT_OK && group->count > 1)
        status = clt_dataset_join((const clt_dataset *const *)group->images, (size_t)group->count, &joined, error);
    if (status == CLT_OK) status = predict_images(prediction, joined ? joined : group->images[0], outputs, error);
    free(outputs);
    clt_dataset_close(joined);
    empty_group(group);
    return status;
}

/* A file joins the group where its images are of the same size and there is room. */
static bool joins_group(const file_group *group, const clt_dataset *images, size_t most)
{
    if (!group->count) return true;
    const clt_shape a = clt_dataset_shape(group->images[0]), b = clt_dataset_shape(images);
    if (clt__dataset_streams(images) || clt__dataset_streams(group->images[0])) return false; /* it may lack some */
    return a.channels == b.channels && a.height == b.height && a.width == b.width && group->count < MOST_FILES &&
           group->total + clt_dataset_count(images) <= most;
}

static clt_status add_file(prediction_run *prediction, const char *file, clt_dataset *images, clt_error *error)
{
    enum { BATCHES = 4 };
    file_group *group = &prediction->group;
    if (!joins_group(group, images, (size_t)prediction->options->batch_size * BATCHES))
        TRY(predict_group(prediction, error));
    TRY(clt__allocate(strlen(file) + 1, 1, "a file name", &group->file[group->count], error));
    memcpy(group->file[group->count], file, strlen(file) + 1);
    group->images[group->count++] = images;
    group->total += clt_dataset_count(images);
    prediction->images += clt_dataset_count(images);
    prediction->converted += clt_dataset_converted(images);
    return CLT_OK;
}

/* Where a file cannot be read, those before it are told first. */
static clt_status predict_file(prediction_run *prediction, const char *file, clt_error *error)
{
    clt_dataset *images;
    const clt_options reading = reading_as_trained(prediction->options, prediction->model);
    clt_status status = clt_dataset_open_images(file, &reading, &images, error);
    if (status == CLT_BAD_FILE && prediction->options->skip_bad) {
        if (!prediction->skipped++) print_note("left out: %s", error->message);
        return CLT_OK;
    }
    if (status != CLT_OK) {
        clt_error earlier;
        if (predict_group(prediction, &earlier) == CLT_OK) return status;
        *error = earlier;
        return earlier.status;
    }
    status = add_file(prediction, file, images, error);
    if (status != CLT_OK) clt_dataset_close(images);
    return status;
}

/* The files that standard input lists, one a line. */
static clt_status predict_listed(prediction_run *prediction, clt_error *error)
{
    char *line = NULL;
    size_t room = 0;
    clt_status status = CLT_OK;
    while (status == CLT_OK && getline(&line, &room, stdin) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line) status = predict_file(prediction, line, error);
    }
    free(line);
    if (status == CLT_OK && ferror(stdin))
        return FAIL(error, CLT_BAD_FILE, "standard input: cannot be read: %s", strerror(errno));
    return status;
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status open_rows(prediction_run *prediction, clt_error *error)
{
    prediction->rows = (npy_rows){.columns = (size_t)prediction->outputs,
                                  .is_double = clt_model_precision(prediction->model) == CLT_F64};
    if (!prediction->options->topk) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "--topk: --format npy holds the probabilities of all classes");
}

static clt_status open_prediction(prediction_run *prediction, clt_error *error)
{
    const clt_options *options = prediction->options;
    TRY(clt_model_load(options->model, &prediction->model, error));
    TRY(clt_device_open_with(options, &prediction->device, error));
    prediction->outputs = clt_model_outputs(prediction->model);
    prediction->digits = digits_of(clt_model_precision(prediction->model));
    prediction->classifies = clt_model_classifies(prediction->model);
    prediction->shown = options->topk ? options->topk : 1;
    if (options->topk && !prediction->classifies)
        return FAIL(error, CLT_BAD_ARGUMENT, "--topk: %s was trained with the loss %s, whose outputs are no classes",
                    options->model, clt_model_loss(prediction->model));
    if (prediction->shown > prediction->outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "--topk: %d is given, where %s has %d classes", options->topk,
                    options->model, prediction->outputs);
    TRY(clt__allocate((size_t)prediction->outputs, sizeof *prediction->rank, "the classes", &prediction->rank, error));
    if (options->format >= CLT__FORMAT_ONNX)
        return FAIL(error, CLT_BAD_ARGUMENT, "--format is text, csv, json or npy here: onnx and torch are for export");
    if (options->format == CLT__FORMAT_NPY) return open_rows(prediction, error);
    if (options->format != CLT__FORMAT_JSON) return CLT_OK;
    prediction->json = json_array();
    return prediction->json ? CLT_OK : FAIL(error, CLT_NO_MEMORY, "no host memory for JSON");
}

static clt_status predict_files(prediction_run *prediction, const command_line *command, clt_error *error)
{
    if (prediction->options->format == CLT__FORMAT_CSV) print_csv_header(prediction);
    for (int i = 0; i < command->operand_count; i++) {
        const char *file = command->operands[i];
        TRY(strcmp(file, "-") == 0 ? predict_listed(prediction, error) : predict_file(prediction, file, error));
    }
    TRY(predict_group(prediction, error));
    note_converted(prediction->options, "those given", prediction->model, prediction->converted, prediction->images);
    if (prediction->skipped > 1) print_note("%zu files were left out", prediction->skipped);
    if (prediction->skipped && !prediction->images) return FAIL(error, CLT_BAD_FILE, "none of the files can be read");
    if (prediction->rows.columns) npy_write(&prediction->rows, stdout);
    return prediction->json ? write_json(json_incref(prediction->json), "-", error) : CLT_OK;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    prediction_run prediction = {.options = options};
    clt_status status = open_prediction(&prediction, error);
    if (status == CLT_OK) status = predict_files(&prediction, command, error);
    empty_group(&prediction.group);
    npy_free(&prediction.rows);
    json_decref(prediction.json);
    free(prediction.rank);
    clt_device_close(prediction.device);
    clt_model_close(prediction.model);
    return status;
}

const verb_row predict_verb = {
    .name = "predict",
    .verb = CLT__PREDICT,
    .summary = "Tells what a trained model sees in images.",
    .details =
        "Each INPUT is an image file, a folder of them, or an IDX, NPY, NPZ or CSV file of images, or a list of image "
        "files; - stands for the files that standard input lists, one a line. Images of another size or of other "
        "colours than the model's are made so, with a note (--strict refuses them). Arrays are turned where training "
        "turned its images (--transpose). Classes are told by name where the "
        "training data had names. An image of a file that holds several is called "
        "FILE[INDEX]. Where the model's loss is not cross_entropy, the net's own outputs are printed in place "
        "of classes.",
    .operand = "INPUT",
    .needed = {"model"},
    .defaults = {{CLT__OPTION_batch_size, "256"}},
    .run = run,
};
