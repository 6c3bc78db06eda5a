/* Event files for TensorBoard: their bytes, and what training tells in them, also where it is resumed. */
#include <dirent.h>
#include <event.pb-c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/text.h"
#include "formats/events.h"
#include "training.h"

/* ---- the format ---------------------------------------------------------------------------------------------- */

/* RFC 3720, appendix B.4, and the check value of the catalogues of CRCs. */
static void checksums_are_those_of_the_standard(void **state)
{
    (void)state;
    uint8_t bytes[32];
    assert_int_equal(clt__crc32c("", 0), 0);
    assert_int_equal(clt__crc32c("123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(clt__crc32c(bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(clt__crc32c(bytes, sizeof bytes), 0x62a8ab43);
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    assert_int_equal(clt__crc32c(bytes, sizeof bytes), 0x46dd794e);
}

enum { MOST_FILES = 8 };

/* The event files of a folder, in the order of their names; freed with free(). */
static int list_files(const char *folder, char *paths[MOST_FILES])
{
    struct dirent **entries;
    char path[4096];
    int count = 0;
    const int found = scandir(path_in(folder), &entries, NULL, alphasort);
    assert_true(found >= 0);
    for (int i = 0; i < found; i++) {
        if (strncmp(entries[i]->d_name, "events.out.tfevents.", 20) == 0) {
            assert_true(count < MOST_FILES);
            (void)snprintf(path, sizeof path, "%s/%s", path_in(folder), entries[i]->d_name);
            paths[count++] = strdup(path);
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}

static void free_paths(char *paths[MOST_FILES], int count)
{
    for (int i = 0; i < count; i++) free(paths[i]);
}

static clt__events *open_events(const char *folder, double seconds, int64_t step)
{
    clt_error error;
    clt__events *events;
    assert_ok(clt__events_open(path_in(folder), (clt__event_time){seconds, step}, &events, &error), &error);
    return events;
}

/* tests/tensorboard/kept.py writes the same with TensorBoard's own code. */
static void the_bytes_are_those_that_tensorboard_writes(void **state)
{
    (void)state;
    clt_error error;
    const double spread[] = {-1, 0.5, 0.5, 3}, constant[] = {2, 2, 2};
    const uint8_t picture[] = {0x89, 'P', 'N', 'G', 0, 0xff};
    const clt__event_time at = {1700000000.5, 14};
    const clt__event_scalar scalars[] = {{"step/loss", 0.25}, {"nothing", NAN}, {"step/lr", 0.01}},
                            nothing[] = {{"nothing", INFINITY}}, first[] = {{"first", 1}};
    const clt__event_hparam hparams[] = {{.name = "lr", .number = 0.05},
                                         {.name = "nesterov", .is_flag = true},
                                         {.name = "optimizer", .text = "sgd"},
                                         {.name = "shuffle", .number = 1, .is_flag = true}};
    clt__events *events = open_events("kept", at.seconds, 13);
    assert_ok(clt__events_scalars(events, at, scalars, 3, &error), &error);
    assert_ok(clt__events_scalars(events, at, nothing, 1, &error), &error);
    assert_ok(clt__events_histogram(events, at, "spread", spread, 4, &error), &error);
    assert_ok(clt__events_histogram(events, at, "constant", constant, 3, &error), &error);
    assert_ok(clt__events_picture(events, at, "picture", 4, 3, picture, sizeof picture, &error), &error);
    assert_ok(clt__events_text(events, at, "text", "| a | b |\n", &error), &error);
    assert_ok(clt__events_begin_session(events, at, hparams, 4, &error), &error);
    assert_ok(clt__events_end_session(events, at, &error), &error);
    assert_ok(clt__events_scalars(events, (clt__event_time){at.seconds, 0}, first, 1, &error), &error);
    assert_ok(clt__events_close(events, &error), &error);

    char *paths[MOST_FILES];
    size_t size, kept_size;
    const int count = list_files("kept", paths);
    assert_int_equal(count, 1);
    assert_non_null(strstr(paths[0], "/events.out.tfevents.1700000000."));
    uint8_t *bytes = read_bytes(paths[0], &size), *kept = read_bytes(TENSORBOARD_FOLDER "/kept.events", &kept_size);
    assert_int_equal(size, kept_size);
    assert_memory_equal(bytes, kept, size);
    free(bytes);
    free(kept);
    free_paths(paths, count);
}

/* TensorBoard reads files by name. The clock may go back, and a training be resumed within a second. */
static void a_new_file_comes_after_those_before(void **state)
{
    (void)state;
    clt_error error;
    const double seconds[] = {1700000000, 1700000000, 1600000000, 1800000000};
    static const char *const begins[] = {"1700000000.", "1700000001.", "1700000002.", "1800000000."};
    for (size_t i = 0; i < COUNT_OF(seconds); i++) {
        assert_ok(clt__events_close(open_events("order", seconds[i], 0), &error), &error);
        char *paths[MOST_FILES];
        const int count = list_files("order", paths);
        assert_int_equal(count, i + 1);
        for (int j = 0; j < count; j++) assert_non_null(strstr(paths[j], begins[j]));
        free_paths(paths, count);
    }
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    clt_error error;
    clt__events *events;
    const char *file = write_text("a file", "x");
    const clt__event_time at = {1700000000, 0};
    assert_failed(clt__events_open(file, at, &events, &error), CLT_BAD_FILE, &error, file, "");
    assert_null(events);
    assert_ok(clt__events_close(NULL, &error), &error);
}

/* ---- reading them as TensorBoard does ------------------------------------------------------------------------- */

typedef struct scalar {
    char tag[64];
    int64_t step;
    float value;
} scalar;

/* What is shown of a folder. */
typedef struct shown {
    scalar scalar[1024];
    int scalars, pictures, histograms, texts, starts, ends, files;
    double values; /* in all histograms */
    char text[4096];
} shown;

static uint64_t little(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

static uint32_t masked(const uint8_t *bytes, size_t size)
{
    const uint32_t check = clt__crc32c(bytes, size);
    return (check >> 15 | check << 17) + 0xa282ead8u;
}

/* The next whole record's message at *at, which moves behind it; NULL where there is none. */
static const uint8_t *next_record(const uint8_t *bytes, size_t size, size_t *at, size_t *length)
{
    if (size - *at < 16) return NULL;
    const uint8_t *record = bytes + *at;
    *length = (size_t)little(record, 8);
    assert_int_equal(little(record + 8, 4), masked(record, 8));
    if (*length > size - *at - 16) return NULL;
    assert_int_equal(little(record + 12 + *length, 4), masked(record + 12, *length));
    *at += 16 + *length;
    return record + 12;
}

static void show_value(shown *to, int64_t step, const CltEvent__Value *value)
{
    if (value->has_simple_value) {
        assert_true(to->scalars < (int)COUNT_OF(to->scalar));
        scalar *next = &to->scalar[to->scalars++];
        (void)snprintf(next->tag, sizeof next->tag, "%s", value->tag);
        next->step = step;
        next->value = value->simple_value;
    }
    if (value->histo) {
        double count = 0;
        for (size_t i = 0; i < value->histo->n_bucket; i++) count += value->histo->bucket[i];
        assert_true(count == value->histo->num);
        to->values += count;
        to->histograms++;
    }
    if (value->image) {
        const ProtobufCBinaryData png = value->image->encoded_image_string;
        assert_true(png.len > 24 && memcmp(png.data, "\x89PNG", 4) == 0);
        assert_int_equal(png.data[18] << 8 | png.data[19], value->image->width);
        assert_int_equal(png.data[22] << 8 | png.data[23], value->image->height);
        to->pictures++;
    }
    if (!value->metadata) return;
    if (strcmp(value->metadata->plugin_data->plugin_name, "text") == 0) {
        to->texts++;
        (void)snprintf(to->text, sizeof to->text, "%.*s", (int)value->tensor->string_val[0].len,
                       (const char *)value->tensor->string_val[0].data);
    } else {
        to->starts += strstr(value->tag, "start") != NULL;
        to->ends += strstr(value->tag, "end") != NULL;
    }
}

/* A file begins with its version and the start of a session, which makes TensorBoard forget later steps. */
static void show_file(shown *to, const char *path)
{
    size_t size, at = 0, length;
    int events = 0, kept = 0;
    uint8_t *bytes = read_bytes(path, &size);
    for (const uint8_t *message; (message = next_record(bytes, size, &at, &length)); events++) {
        CltEvent__Event *event = clt_event__event__unpack(NULL, length, message);
        assert_non_null(event);
        assert_true(event->wall_time > 1.5e9);
        if (events == 0) assert_string_equal(event->file_version, "brain.Event:2");
        assert_int_equal(event->session_log != NULL, events == 1);
        if (event->session_log) {
            for (int i = 0; i < to->scalars; i++)
                if (to->scalar[i].step < event->step) to->scalar[kept++] = to->scalar[i];
            to->scalars = kept;
        }
        for (size_t i = 0; event->summary && i < event->summary->n_value; i++)
            show_value(to, event->step, event->summary->value[i]);
        clt_event__event__free_unpacked(event, NULL);
    }
    free(bytes);
    to->files++;
}

static shown *show(const char *folder)
{
    char *paths[MOST_FILES];
    shown *to = calloc(1, sizeof *to);
    assert_non_null(to);
    const int count = list_files(folder, paths);
    for (int i = 0; i < count; i++) show_file(to, paths[i]);
    free_paths(paths, count);
    return to;
}

static int count_tag(const shown *from, const char *tag)
{
    int count = 0;
    for (int i = 0; i < from->scalars; i++) count += strcmp(from->scalar[i].tag, tag) == 0;
    return count;
}

/* ---- trainings ------------------------------------------------------------------------------------------------ */

static clt_options board_options(const char *folder)
{
    clt_options options = stateful_options(folder);
    char board[64];
    (void)snprintf(board, sizeof board, "%s/board", folder);
    options.tensorboard = path_in(board);
    return options;
}

static const char *board_in(const char *folder)
{
    static char board[64];
    (void)snprintf(board, sizeof board, "%s/board", folder);
    return board;
}

static void train_told(const char *folder, char digest[65])
{
    const clt_options options = board_options(folder);
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_sha256(model, digest);
    clt_model_close(model);
}

static void a_training_tells_steps_epochs_and_pictures(void **state)
{
    (void)state;
    enum { EPOCHS = 4, PARAMETERS = 4 * 9 + 4 + 3 * 64 + 3 };
    char told[65], plain[65];
    train_told("told", told);
    shown *all = show(board_in("told"));
    assert_int_equal(all->files, 1);
    static const char *const of_steps[] = {"step/loss", "step/lr"};
    static const char *const of_epochs[] = {
        "epoch/loss",    "epoch/accuracy",     "epoch/val_loss",      "epoch/val_accuracy", "epoch/lr",
        "epoch/seconds", "epoch/images_per_s", "epoch/gradient_norm", "epoch/number",       "step/gradient_norm"};
    for (size_t i = 0; i < COUNT_OF(of_steps); i++) assert_int_equal(count_tag(all, of_steps[i]), EPOCHS * STEPS);
    for (size_t i = 0; i < COUNT_OF(of_epochs); i++) assert_int_equal(count_tag(all, of_epochs[i]), EPOCHS);
    assert_int_equal(all->scalars, EPOCHS * (STEPS * 2 + 10));
    assert_int_equal(all->pictures, EPOCHS * 2);
    assert_int_equal(all->histograms, EPOCHS * 4 * 2); /* of parameters and of their gradients */
    assert_true(all->values == EPOCHS * PARAMETERS * 2);
    assert_int_equal(all->texts, EPOCHS);
    assert_int_equal(all->starts, 1);
    assert_int_equal(all->ends, 1);
    for (int i = 0, step = 0; i < all->scalars; i++)
        if (strcmp(all->scalar[i].tag, "step/loss") == 0) assert_int_equal(all->scalar[i].step, ++step);
    free(all);

    const clt_options options = stateful_options(NULL);
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_sha256(model, plain);
    clt_model_close(model);
    assert_string_equal(told, plain);
}

/* What the table says of images is what the model takes them for. */
static void samples_are_told_with_what_the_model_says(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, "sampled");
    options.tensorboard = path_in("sampled/board");
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    shown *all = show(board_in("sampled"));
    double outputs[20 * CLASSES];
    assert_ok(clt_predict(model, device, validation, NULL, outputs, &error), &error);
    char wanted[4096] = "| image | is | is taken for | with probability |\n|---|---|---|---|\n";
    for (int i = 0; i < 8; i++) {
        const int image = i * 20 / 8;
        int best = 0;
        for (int k = 1; k < CLASSES; k++)
            if (outputs[image * CLASSES + k] > outputs[image * CLASSES + best]) best = k;
        const size_t length = strlen(wanted);
        (void)snprintf(wanted + length, sizeof wanted - length, "| %d | %d | %d | %.3f |\n", image, image % CLASSES,
                       best, outputs[image * CLASSES + best]);
    }
    assert_string_equal(all->text, wanted);
    free(all);
    clt_model_close(model);
}

/* Whether the same figures are told of the same steps, but for those of time. */
static void assert_same_plots(const char *one_folder, const char *other_folder)
{
    shown *one = show(board_in(one_folder)), *other = show(board_in(other_folder));
    assert_int_equal(one->scalars, other->scalars);
    for (int i = 0; i < one->scalars; i++) {
        const scalar *a = &one->scalar[i], *b = &other->scalar[i];
        assert_string_equal(a->tag, b->tag);
        assert_int_equal(a->step, b->step);
        if (strcmp(a->tag, "epoch/seconds") != 0 && strcmp(a->tag, "epoch/images_per_s") != 0)
            assert_true(a->value == b->value);
    }
    free(one);
    free(other);
}

static void resume_told(const char *folder)
{
    clt_model *model = load(folder, "last.safetensors");
    clt_options options = *clt_model_options(model), told = board_options(folder);
    options.output_dir = told.output_dir;
    options.tensorboard = told.tensorboard;
    train(model, device, &options);
    clt_model_close(model);
}

/* Cuts the folder's newest event file, in the middle of its last record where `bytes` is 0. */
static void tear(const char *folder, size_t bytes)
{
    char *paths[MOST_FILES];
    size_t size, at = 0, before = 0, length;
    const int count = list_files(board_in(folder), paths);
    uint8_t *all = read_bytes(paths[count - 1], &size);
    for (size_t next = 0; next_record(all, size, &next, &length); at = next) before = at;
    FILE *file = fopen(paths[count - 1], "w");
    assert_non_null(file);
    const size_t left = bytes ? bytes : before + (at - before) / 2;
    assert_int_equal(fwrite(all, 1, left, file), left);
    assert_int_equal(fclose(file), 0);
    free(all);
    free_paths(paths, count);
}

static void a_resumed_run_goes_on_in_the_same_plot(void **state)
{
    (void)state;
    char digest[65];
    train_told("at once", digest);
    stop_run(board_options("stopped"), 2, 0, "stopped after epoch 2");
    resume_told("stopped");
    assert_same_plots("at once", "stopped");
    stop_run(board_options("within"), 2, 1, "stopped in epoch 2 after step 1 of 5");
    resume_told("within");
    assert_same_plots("at once", "within");
    assert_same_run("at once", "within");
}

/* The run is killed a while after its last checkpoint: it had told of steps that are run again. */
static void steps_that_are_run_again_are_shown_once(void **state)
{
    (void)state;
    char digest[65];
    train_told("whole", digest);
    train_told("again", digest);
    interruption copy = {.epoch = 3, .step = 2, .copy_from = "again", .copy_to = "copied"}; /* step 12 of all */
    clt_options options = board_options("again");
    options.progress = interrupt;
    options.progress_user = &copy;
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    assert_true(exists(file_in("copied", "last.safetensors")));
    copy_file("copied", "again", "last.safetensors");
    copy_file("copied", "again", "best.safetensors");
    copy_file("copied", "again", "metrics.csv");
    tear("again", 0);
    resume_told("again");
    assert_same_plots("whole", "again");
    assert_same_run("whole", "again");
}

/* A file may end anywhere. */
static void a_torn_file_is_read_up_to_its_last_whole_record(void **state)
{
    (void)state;
    char *paths[MOST_FILES];
    char digest[65];
    size_t size;
    int scalars = -1;
    train_told("torn", digest);
    const int count = list_files(board_in("torn"), paths);
    free(read_bytes(paths[0], &size));
    free_paths(paths, count);
    for (size_t left = size; left > 1; left = left * 7 / 8) {
        tear("torn", left);
        shown *part = show(board_in("torn"));
        assert_true(scalars < 0 || part->scalars <= scalars);
        scalars = part->scalars;
        free(part);
    }
    assert_int_equal(scalars, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_the_standard),
        cmocka_unit_test(the_bytes_are_those_that_tensorboard_writes),
        cmocka_unit_test(a_new_file_comes_after_those_before),
        cmocka_unit_test(a_place_that_cannot_be_written_is_named),
        cmocka_unit_test(a_training_tells_steps_epochs_and_pictures),
        cmocka_unit_test(samples_are_told_with_what_the_model_says),
        cmocka_unit_test(a_resumed_run_goes_on_in_the_same_plot),
        cmocka_unit_test(steps_that_are_run_again_are_shown_once),
        cmocka_unit_test(a_torn_file_is_read_up_to_its_last_whole_record),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
