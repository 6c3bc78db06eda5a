/* cltrain data: what is in a data set, and how a net sees it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "model/model.h"
#include "pictures/contact_sheet.h"

enum { MOST_ROWS = 40, MOST_COLUMNS = 10 };

typedef struct description {
    const command_line *command;
    const clt_options *options;
    const char *path;
    clt_dataset *split[2]; /* by clt_split, NULL where there is none */
    const clt_dataset *main;
    size_t *images[2]; /* [classes] of each split, NULL for real targets */
    clt_model *model;  /* whose normalisation is that of the data set */
    clt_device *device;
    clt_session *session;
} description;

/* ---- opening ------------------------------------------------------------------------------------------------ */

/* Image files of several sizes need one for training, but can be described without. */
static clt_status open_split(description *d, clt_split split, const clt_options *reading, clt_error *error)
{
    const clt_shape thumbnail = {reading->size.channels, 128, 128};
    clt_error first;
    clt_options any = *reading;
    if (clt_dataset_open(d->path, split, reading, &d->split[split], &first) == CLT_OK) return CLT_OK;
    any.size = thumbnail;
    if (first.status != CLT_BAD_FILE || reading->size.height ||
        clt_dataset_open(d->path, split, &any, &d->split[split], error) != CLT_OK)
        return clt__pass_on(&first, error);
    print_note("%s; they are shown %d high and %d wide", first.message, thumbnail.height, thumbnail.width);
    return CLT_OK;
}

static clt_status open_data(description *d, clt_error *error)
{
    clt_error missing;
    clt_status status = open_split(d, CLT_TRAIN, d->options, &missing);
    if (status != CLT_OK && status != CLT_NO_FILE) return clt__pass_on(&missing, error);
    if (status == CLT_OK && clt_dataset_is_whole(d->split[CLT_TRAIN])) {
        d->main = d->split[CLT_TRAIN];
        return CLT_OK;
    }
    clt_options reading = *d->options;
    if (status == CLT_OK) {
        const clt_shape shape = clt_dataset_shape(d->split[CLT_TRAIN]);
        reading = reading_for(d->options, shape.channels);
    }
    clt_error none;
    const clt_status other = open_split(d, CLT_TEST, &reading, &none);
    if (other != CLT_OK && other != CLT_NO_FILE) return clt__pass_on(&none, error);
    if (status != CLT_OK && other != CLT_OK) return clt__pass_on(&missing, error);
    d->main = status == CLT_OK ? d->split[CLT_TRAIN] : d->split[CLT_TEST];
    return CLT_OK;
}

static clt_status count_classes(description *d, clt_error *error)
{
    const int classes = clt_dataset_classes(d->main);
    for (int split = 0; split < 2 && classes; split++) {
        if (!d->split[split]) continue;
        TRY(clt__allocate((uint64_t)classes, sizeof *d->images[split], "the classes", &d->images[split], error));
        for (size_t i = 0; i < clt_dataset_count(d->split[split]); i++) {
            const int label = clt_dataset_label(d->split[split], i);
            if (label >= 0 && label < classes) d->images[split][label]++;
        }
    }
    return CLT_OK;
}

/* The least of nets, whose model is normalised by the data set as any is. */
static clt_status measure(description *d, clt_error *error)
{
    const int classes = clt_dataset_classes(d->main);
    char net[64];
    clt_options options = *d->options;
    (void)snprintf(net, sizeof net, "globalavgpool, flatten, dense out=%d", classes ? classes : 1);
    options.net = net;
    options.input = clt_dataset_shape(d->main);
    TRY(clt_model_create(&options, &d->model, error));
    return clt__normalize(d->model, d->main, &options, error);
}

/* Images of a class that are shown: a session's batch, which the data set has to fill. */
static int columns_of(const description *d)
{
    return clt_dataset_count(d->main) < MOST_COLUMNS ? (int)clt_dataset_count(d->main) : MOST_COLUMNS;
}

/* Training it shows what any net would see. */
static clt_status open_session(description *d, clt_error *error)
{
    clt_options options = *d->options;
    options.batch_size = columns_of(d);
    if (!clt_dataset_classes(d->main))
        return FAIL(error, CLT_BAD_ARGUMENT, "--sheet: %s has no class labels, by which images are shown", d->path);
    TRY(clt_device_open("reference", &d->device, error));
    return clt_session_open(d->model, d->device, d->main, &options, true, &d->session, error);
}

/* ---- the sheet ---------------------------------------------------------------------------------------------- */

/* The numbers of the first images of a class. */
static int find_images(const description *d, int class, int32_t images[MOST_COLUMNS])
{
    int found = 0;
    for (size_t i = 0; i < clt_dataset_count(d->main) && found < columns_of(d); i++)
        if (clt_dataset_label(d->main, i) == class && !clt_dataset_lacks(d->main, i)) images[found++] = (int32_t)i;
    return found;
}

/* What the net gets, before it is normalised, as bytes [height, width, channels]. */
static void to_bytes(const description *d, const double *planes, uint8_t *pixels)
{
    const clt_shape shape = clt_dataset_shape(d->main);
    const size_t plane = (size_t)shape.height * (size_t)shape.width;
    for (int c = 0; c < shape.channels; c++) {
        double mean = 0, deviation = 1;
        (void)clt_model_normalization(d->model, c, &mean, &deviation);
        for (size_t i = 0; i < plane; i++) {
            const double value = 255 * (planes[(size_t)c * plane + i] * deviation + mean);
            pixels[i * (size_t)shape.channels + (size_t)c] = (uint8_t)(!(value > 0)  ? 0
                                                                       : value > 255 ? 255
                                                                                     : value + 0.5);
        }
    }
}

static clt_status show_class(const description *d, clt__contact_sheet *sheet, int class, double *planes,
                             uint8_t *pixels, clt_error *error)
{
    const clt_shape shape = clt_dataset_shape(d->main);
    const size_t image = (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
    int32_t images[MOST_COLUMNS];
    char text[160];
    const char *name = clt_dataset_class_name(d->main, class);
    const int found = find_images(d, class, images);
    (void)snprintf(text, sizeof text, "%d%s%s (%zu)", class, name ? " " : "", name ? name : "",
                   d->images[d->main == d->split[CLT_TRAIN] ? CLT_TRAIN : CLT_TEST][class]);
    clt__sheet_write_text(sheet, class, text);
    if (!found) return CLT_OK;
    TRY(clt_session_choose_batch(d->session, images, found, error));
    TRY(clt_session_train_batch(d->session,
                                error)); /* a step of its own, so that each class is augmented differently */
    TRY(clt_session_read(d->session, "input", planes, (size_t)sheet->columns * image, error));
    for (int i = 0; i < found; i++) {
        to_bytes(d, planes + (size_t)i * image, pixels);
        TRY(clt__sheet_show(sheet, class, i, pixels, error));
    }
    return CLT_OK;
}

static clt_status draw_sheet(const description *d, clt__contact_sheet *sheet, double *planes, uint8_t *pixels,
                             clt_error *error)
{
    for (int class = 0; class < sheet->rows; class ++) TRY(show_class(d, sheet, class, planes, pixels, error));
    TRY(clt__sheet_save(sheet, d->options->sheet, error));
    if (sheet->rows < clt_dataset_classes(d->main))
        print_note("%s shows the first %d of %d classes", d->options->sheet, sheet->rows, clt_dataset_classes(d->main));
    return CLT_OK;
}

static clt_status write_sheet(description *d, clt_error *error)
{
    const clt_shape shape = clt_dataset_shape(d->main);
    const uint64_t image = (uint64_t)shape.channels * (uint64_t)shape.height * (uint64_t)shape.width;
    clt__contact_sheet sheet = {.pixels = NULL};
    double *planes = NULL;
    uint8_t *pixels = NULL;
    TRY(open_session(d, error));
    const int classes = clt_dataset_classes(d->main);
    clt_status status = clt__sheet_open(&sheet, shape, classes < MOST_ROWS ? classes : MOST_ROWS, columns_of(d), error);
    if (status == CLT_OK)
        status = clt__allocate(image * (uint64_t)columns_of(d), sizeof *planes, "images", &planes, error);
    if (status == CLT_OK) status = clt__allocate(image, 1, "an image", &pixels, error);
    if (status == CLT_OK) status = draw_sheet(d, &sheet, planes, pixels, error);
    free(pixels);
    free(planes);
    clt__sheet_close(&sheet);
    return status;
}

/* ---- the description ---------------------------------------------------------------------------------------- */

static const char *const split_names[] = {[CLT_TRAIN] = "train", [CLT_TEST] = "test"};

static void print_splits(const description *d)
{
    (void)printf("%-10s %s\n", "format", clt_dataset_format(d->main));
    for (int split = 0; split < 2; split++) {
        if (!d->split[split]) continue;
        const clt_shape shape = clt_dataset_shape(d->split[split]);
        (void)printf("%-10s %zu images of %dx%dx%d\n", split_names[split], clt_dataset_count(d->split[split]),
                     shape.channels, shape.height, shape.width);
    }
    if (clt_dataset_is_whole(d->main)) (void)printf("%-10s none: --val-split holds some images out\n", "test");
}

/* Of each channel, as normalisation has them: bytes from 0 to 1. */
static void print_statistics(const description *d)
{
    double value[2];
    static const char *const names[] = {"mean", "deviation"};
    for (int what = 0; what < 2; what++) {
        (void)printf("%-10s", names[what]);
        for (int c = 0; clt_model_normalization(d->model, c, &value[0], &value[1]); c++)
            (void)printf(" %.6g", value[what]);
        (void)printf("\n");
    }
}

static void print_sizes(const description *d)
{
    clt_shape least, most;
    if (!clt_dataset_stored_sizes(d->main, &least, &most)) return;
    (void)printf("%-10s %dx%d", "stored", least.height, least.width);
    if (least.height != most.height || least.width != most.width) (void)printf(" to %dx%d", most.height, most.width);
    (void)printf("\n");
}

static clt_status print_classes(const description *d, clt_error *error)
{
    const int classes = clt_dataset_classes(d->main);
    text_table table = {.alignment = "rlrr"};
    if (!classes) {
        (void)printf("targets    real values\n");
        return CLT_OK;
    }
    (void)printf("classes    %d\n\n", classes);
    table_add(&table, "class");
    table_add(&table, "name");
    for (int split = 0; split < 2; split++) table_add(&table, "%s", split_names[split]);
    for (int class = 0; class < classes; class ++) {
        const char *name = clt_dataset_class_name(d->main, class);
        table_add(&table, "%d", class);
        table_add(&table, "%s", name ? name : "");
        for (int split = 0; split < 2; split++)
            if (d->images[split])
                table_add(&table, "%zu", d->images[split][class]);
            else
                table_add(&table, "-");
    }
    return table_print(&table, error);
}

static json_t *json_of_split(const description *d, int split)
{
    const clt_shape shape = clt_dataset_shape(d->split[split]);
    json_t *classes = json_array();
    for (int class = 0; d->images[split] && class < clt_dataset_classes(d->main); class ++)
        (void)json_array_append_new(classes, json_integer((json_int_t)d->images[split][class]));
    return json_pack("{s:I, s:[iii], s:o}", "images", (json_int_t)clt_dataset_count(d->split[split]), "shape",
                     shape.channels, shape.height, shape.width, "classes", classes);
}

static json_t *json_of_statistic(const description *d, int what)
{
    json_t *values = json_array();
    double value[2];
    for (int c = 0; clt_model_normalization(d->model, c, &value[0], &value[1]); c++)
        (void)json_array_append_new(values, json_of_number(value[what]));
    return values;
}

static json_t *json_of_names(const description *d)
{
    json_t *names = json_array();
    for (int class = 0; class < clt_dataset_classes(d->main); class ++) {
        const char *name = clt_dataset_class_name(d->main, class);
        (void)json_array_append_new(names, name ? json_of_text(name) : json_null());
    }
    return names;
}

static json_t *json_of_description(const description *d)
{
    json_t *root =
        json_pack("{s:o, s:o, s:s, s:i, s:o, s:o, s:o}", "options", json_of_options(d->command, d->options), "data",
                  json_of_text(d->path), "format", clt_dataset_format(d->main), "classes", clt_dataset_classes(d->main),
                  "names", json_of_names(d), "mean", json_of_statistic(d, 0), "deviation", json_of_statistic(d, 1));
    for (int split = 0; split < 2 && root; split++)
        if (d->split[split]) (void)json_object_set_new(root, split_names[split], json_of_split(d, split));
    return root;
}

static clt_status describe(description *d, clt_error *error)
{
    TRY(open_data(d, error));
    TRY(count_classes(d, error));
    TRY(measure(d, error));
    if (d->options->sheet) TRY(write_sheet(d, error));
    if (!is_stdout(d->options->json)) {
        print_splits(d);
        print_sizes(d);
        print_statistics(d);
        TRY(print_classes(d, error));
    }
    return d->options->json ? write_json(json_of_description(d), d->options->json, error) : CLT_OK;
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    description d = {.command = command, .options = options, .path = command->operands[0]};
    if (command->operand_count > 1)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: data describes one data set at a time", command->operands[1]);
    const clt_status status = describe(&d, error);
    clt_session_close(d.session);
    clt_device_close(d.device);
    clt_model_close(d.model);
    for (int split = 0; split < 2; split++) {
        clt_dataset_close(d.split[split]);
        free(d.images[split]);
    }
    return status;
}

const verb_row data_verb = {
    .name = "data",
    .verb = CLT__DATA,
    .summary = "Describes a data set, and shows its images as a net sees them.",
    .details =
        "Says what images and classes are there, what is left out and why. With --sheet the first images of each "
        "class are drawn, normalised and back, and changed as --augment says.",
    .operand = "PATH",
    .run = run,
};
