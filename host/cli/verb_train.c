/* cltrain train: trains a net on a data set. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "cli/advice.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/report_runs.h"
#include "cli/verbs.h"

/* ---- what a training needs ---------------------------------------------------------------------------------- */

typedef struct training_run {
    clt_options *options;
    clt_dataset *images, *validation;
    clt_model *model;
    progress_display display;
    advice advice;
    double began; /* clt__seconds then */
    bool notes_made;
    int shards;        /* of a batch */
    int epochs;        /* that have ended, counted from the first training of the model */
    int best_epoch;    /* 0: none was better than those before a resumed checkpoint */
    clt_progress last; /* as the last epoch ended */
    double best_accuracy;
} training_run;

static clt_status open_data(training_run *training, clt_error *error)
{
    const clt_options *options = training->options;
    TRY(clt_dataset_open(options->data, CLT_TRAIN, options, &training->images, error));
    if (options->val_split > 0 || options->overfit_batch) return CLT_OK; /* training does without */
    if (clt_dataset_is_whole(training->images)) {
        print_note("%s has no test images of its own; so there is no validation (--val-split holds some of its images "
                   "out for it)",
                   options->data);
        return CLT_OK;
    }
    const clt_options reading = reading_for(options, clt_dataset_shape(training->images).channels);
    const clt_status status = clt_dataset_open(options->data, CLT_TEST, &reading, &training->validation, error);
    if (status != CLT_NO_FILE) return status;
    print_note("%s; so there is no validation", error->message);
    return CLT_OK;
}

/* An ONNX model of cltrain's own tells what its images were normalised by. */
static clt_status normalize_as_told(clt_options *options, const clt_model *model, clt_error *error)
{
    clt__normalize_choice told = {.how = CLT__BY_GIVEN};
    char *text;
    if (options->given[CLT__OPTION_normalize]) return CLT_OK;
    while (clt_model_normalization(model, told.channels, &told.mean[told.channels], &told.deviation[told.channels]))
        told.channels++;
    if (!told.channels) return CLT_OK;
    options->normalize = told;
    options->given[CLT__OPTION_normalize] = true;
    TRY(clt_options_get(options, "normalize", &text, error));
    print_note("%s: images are normalised as it tells, by %s", options->net, text);
    clt_free(text);
    return CLT_OK;
}

/* They cost time, and the net may take images for what there is not. */
static void note_idle_outputs(const training_run *training)
{
    const int classes = clt_dataset_classes(training->images), outputs = clt_model_outputs(training->model);
    if (classes > 0 && classes < outputs && clt_model_classifies(training->model))
        print_note("the net tells %d classes, and %s has %d: --classes %d gives it as many", outputs,
                   training->options->data, classes, classes);
}

static clt_status create_model(training_run *training, clt_error *error)
{
    clt_options *options = training->options;
    options->input = clt_dataset_shape(training->images);
    if (!options->classes && clt_net_is_onnx(options->net)) options->classes = clt_dataset_classes(training->images);
    TRY(clt_model_create(options, &training->model, error));
    note_idle_outputs(training);
    TRY(normalize_as_told(options, training->model, error));
    return options->weights ? clt_model_start_from(training->model, options->weights, options, error) : CLT_OK;
}

/* Loads the checkpoint, and takes its options where the command line gives none. */
static clt_status resume_model(training_run *training, clt_error *error)
{
    TRY(clt_model_load(training->options->resume, &training->model, error));
    return clt_options_resume(training->options, training->model, error);
}

static clt_status open_training(training_run *training, clt_error *error)
{
    const bool resumes = training->options->resume;
    if (resumes) TRY(resume_model(training, error));
    TRY(open_data(training, error));
    return resumes ? CLT_OK : create_model(training, error);
}

static void close_training(training_run *training)
{
    clt_model_close(training->model);
    clt_dataset_close(training->validation);
    clt_dataset_close(training->images);
}

/* ---- signals ------------------------------------------------------------------------------------------------ */

static volatile sig_atomic_t stop_is_asked;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_is_asked = 1;
}

/* main holds SIGUSR1 back. */
static bool is_saving_asked(void)
{
    const struct timespec at_once = {0};
    sigset_t saving;
    (void)sigemptyset(&saving);
    (void)sigaddset(&saving, SIGUSR1);
    return sigtimedwait(&saving, NULL, &at_once) == SIGUSR1;
}

/* One that is ignored from the start stays so: nohup and background jobs of some shells want that. */
static clt_status catch_signal(int signal_number, void (*handler)(int), unsigned flags, clt_error *error)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)flags}, before;
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(signal_number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return CLT_OK;
    if (sigaction(signal_number, &action, NULL) == 0) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "train: a signal cannot be caught: %s", strerror(errno));
}

/* Each asks to stop. A second Ctrl-C ends the program at once; of the others there may be two where one was meant, as
 * timeout sends them to the program and then to its group. */
static clt_status catch_stops(clt_error *error)
{
    TRY(catch_signal(SIGINT, ask_to_stop, SA_RESETHAND | SA_RESTART, error));
    TRY(catch_signal(SIGTERM, ask_to_stop, SA_RESTART, error));
    return catch_signal(SIGHUP, ask_to_stop, SA_RESTART, error);
}

/* ---- running ------------------------------------------------------------------------------------------------ */

/* Once, before the first figures. */
static void note_micro_batches(training_run *training, int images)
{
    const int batch = training->options->batch_size, shards = training->shards;
    if (training->notes_made || images >= (batch + shards - 1) / shards) return;
    training->notes_made = true;
    print_note("each batch of %d images is computed in micro-batches of %d, whose gradients are added up%s; batch "
               "normalisation takes its statistics from each of them%s",
               batch, images, training->options->micro_batch_size ? "" : ", for the device has no memory for more",
               training->options->sync_batchnorm ? ", with those of the same number in the other shards" : "");
}

static bool take_progress(void *user, const clt_progress *progress)
{
    training_run *training = user;
    if (strcmp(progress->what, "train") != 0) /* it measures images, validates, or makes the report */
        return progress_of_work(&training->display, progress) && !stop_is_asked;
    note_micro_batches(training, progress->micro_batch_size);
    if (progress->save && is_saving_asked()) *progress->save = true;
    progress_show(&training->display, progress);
    if (progress->epoch_ended) {
        training->last = *progress;
        training->epochs = progress->epoch;
        if (progress->best) {
            training->best_epoch = progress->epoch;
            training->best_accuracy = progress->validation_accuracy;
        }
        if (!training->options->quiet) advise(&training->advice, progress);
    }
    return !stop_is_asked;
}

/* The one line on stdout. */
static void print_result(const training_run *training)
{
    const char *folder = training->options->output_dir;
    const clt_progress *last = &training->last;
    const int epochs = clt_model_epochs(training->model);
    if (training->epochs == 0 && epochs > 0)
        print_note("nothing is left to train: the checkpoint has %d epochs, and a larger --epochs goes on", epochs);
    (void)printf("epochs %d", epochs);
    if (training->epochs > 0) {
        (void)printf("  loss %.6g", last->loss);
        if (!isnan(last->accuracy)) (void)printf("  accuracy %.6g", last->accuracy);
        if (!isnan(last->validation_loss)) (void)printf("  val_loss %.6g", last->validation_loss);
        if (!isnan(last->validation_accuracy)) (void)printf("  val_accuracy %.6g", last->validation_accuracy);
    }
    if (training->best_epoch > 0 && !isnan(training->best_accuracy))
        (void)printf("  best_val_accuracy %.6g  best_epoch %d", training->best_accuracy, training->best_epoch);
    if (folder) (void)printf("  checkpoint %s/last.safetensors", folder);
    char digest[65];
    clt_model_sha256(training->model, digest);
    (void)printf("  sha256 %s", digest);
    (void)printf("\n");
    (void)fflush(stdout); /* a report takes its time */
}

/* For who sits before a terminal: how long it took, and what to type next. */
static void tell_next(const training_run *training)
{
    const char *folder = training->options->output_dir;
    if (!training->display.terminal || training->options->quiet || !folder || training->epochs == 0) return;
    const char *model = training->best_epoch > 0 ? "best" : "last";
    print_note(
        "it took %.0f s. To look at it: cltrain report %s. To use it: cltrain predict --model %s/%s.safetensors IMAGE",
        clt__seconds() - training->began, folder, folder, model);
}

/* Adds to the library's sentence, which says where it stopped, how to go on. */
static clt_status fail_stopped(const training_run *training, clt_error *error)
{
    char where[256];
    const char *folder = training->options->output_dir;
    (void)snprintf(where, sizeof where, "%.*s", (int)sizeof where - 1, error->message);
    if (!folder)
        return FAIL(error, CLT_STOPPED, "train: %s; nothing is kept, because --output-dir was not given", where);
    return FAIL(error, CLT_STOPPED, "train: %s; --resume %s/last.safetensors goes on from there", where, folder);
}

/* Also of a run that failed, whose failure is what the caller hears of. */
static clt_status report(training_run *training, clt_device *device, clt_status trained, clt_error *error)
{
    clt_error why;
    const char *folder = training->options->output_dir;
    const clt_status status = report_runs(&folder, 1, training->options->report, training->options, device, &why);
    progress_end(&training->display);
    if (status == CLT_OK) print_note("%s shows how it went", training->options->report);
    if (status == CLT_OK) return trained;
    if (trained == CLT_OK) return clt__pass_on(&why, error);
    print_note("%s is not written: %s", training->options->report, why.message);
    return trained;
}

/* Other ranks of this process train models of their own, each of which begins as the first's. */
static clt_status train_other(const training_run *training, const clt_options *options, clt_device *device,
                              clt_error *error)
{
    clt_model *model;
    clt_status status = clt_model_copy(training->model, &model, error);
    TRY(clt_collective_agree(options->collective, status, error));
    status = clt_train(model, device, training->images, training->validation, options, error);
    clt_model_close(model);
    return status;
}

static void note_ranks(training_run *training, const clt_options *options)
{
    const int ranks = options->collective ? options->collective->size : 1;
    training->shards = options->shards ? options->shards : ranks;
    if (ranks > 1)
        print_note(
            "%d %s train together: each batch of %d images is cut into %d shards, and --shards %d gives the same bits "
            "on any number of them up to that",
            ranks, options->collective == training->options->collective ? "processes" : "devices",
            options->batch_size * options->accumulate, training->shards, training->shards);
}

static clt_status train_first(training_run *training, const clt_options *options, clt_device *device, clt_error *error)
{
    TRY(clt_collective_agree(options->collective, CLT_OK, error)); /* others have copied the model */
    note_ranks(training, options);
    const clt_status status =
        clt_train(training->model, device, training->images, training->validation, options, error);
    progress_end(&training->display);
    if (status == CLT_STOPPED) return fail_stopped(training, error);
    if (status == CLT_OK) {
        print_result(training);
        tell_next(training);
    }
    return options->report ? report(training, device, status, error) : status;
}

/* A rank's body. */
static clt_status train_rank(void *user, int rank, const clt_options *options, clt_device *device, clt_error *error)
{
    training_run *training = user;
    return rank ? train_other(training, options, device, error) : train_first(training, options, device, error);
}

static clt_status train(training_run *training, clt_error *error)
{
    clt_options *options = training->options;
    if (options->report && !options->output_dir)
        return FAIL(error, CLT_BAD_ARGUMENT, "--report %s: is made of what --output-dir receives, which is not given",
                    options->report);
    if (options->report) TRY(check_page(options->report, options->output_dir, error));
    clt_options_set_progress(options, take_progress, training);
    if (!options->output_dir) print_note("nothing is written, because --output-dir is not given");
    TRY(catch_stops(error));
    training->began = clt__seconds();
    training->display = progress_begin(options->quiet);
    training->display.batch_size = options->batch_size;
    training->advice = advice_for(training->images);
    clt_options_set_notes(options, take_note, &training->display);
    return run_on_devices(options, train_rank, training, error);
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    training_run training = {.options = options};
    (void)command;
    clt_status status = open_training(&training, error);
    status = clt_collective_agree(options->collective, status, error);
    if (status == CLT_OK) status = train(&training, error);
    close_training(&training);
    return status;
}

const verb_row train_verb = {
    .name = "train",
    .verb = CLT__TRAIN,
    .summary = "Trains a net on a data set.",
    .details =
        "Validates on the data set's test files, or on what --val-split holds out. Ctrl-C (SIGINT, SIGTERM, SIGHUP) "
        "ends the training after the running step, with its checkpoint written; a second Ctrl-C ends it at once. "
        "SIGUSR1 writes a checkpoint, and the training goes on.",
    .needed = {"data"},
    .common = {"data", "net", "output_dir", "epochs", "batch_size", "lr", "optimizer", "augment", "resume", "device"},
    .run = run,
};
