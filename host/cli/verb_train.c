/* cltrain train: trains a net on a data set. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/augment.h"
#include "cli/class_weights.h"
#include "cli/normalize.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"

typedef struct train_settings {
    const char *data, *net, *loss, *precision, *weights, *init, *resume, *device, *schedule;
    clt_device_limits limits;
    bool quiet;
    data_settings reading;
    normalize_setting normalize;
    clt_train_options train;
} train_settings;

/* ---- --milestones ------------------------------------------------------------------------------------------- */

static bool read_milestones(const char *value, void *member)
{
    clt_milestones *milestones = member;
    for (int count = 0, before = 0; count < CLT_MAX_MILESTONES; count++, value++) {
        char *end;
        const long number = strtol(value, &end, 10);
        if (end == value || number <= before || number > INT_MAX) return false;
        milestones->at[count] = before = (int)number;
        milestones->count = count + 1;
        value = end;
        if (!*value) return true;
        if (*value != ',') return false;
    }
    return false;
}

/* ---- --on-mismatch ------------------------------------------------------------------------------------------ */

static bool read_on_mismatch(const char *value, void *member)
{
    static const char *const names[] = {
        [CLT_MISMATCH_ABORT] = "abort", [CLT_MISMATCH_REFERENCE] = "reference", [CLT_MISMATCH_WARN] = "warn"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        *(clt_on_mismatch *)member = (clt_on_mismatch)i;
        return true;
    }
    return false;
}

/* ---- options ------------------------------------------------------------------------------------------------ */

static const option_row option_rows[] = {
    {.name = "data",
     SETTING(train_settings, data),
     .value = "PATH",
     .required = true,
     .help = "the data set: a folder of IDX, CIFAR, NPY or image files, an NPZ, list or CSV file; see the README"},
    DATA_OPTIONS(train_settings),
    NET_OPTION(train_settings, " (default lenet5)"),
    {.name = "output-dir",
     SETTING(train_settings, train.output_dir),
     .value = "DIR",
     .help = "receives last.safetensors, best.safetensors, metrics.csv and model.net (default: nothing is written)"},
    {.name = "epochs",
     SETTING(train_settings, train.epochs),
     .value = "N",
     .help = "passes over the training set; 0 writes the initial checkpoint and stops"},
    {.name = "batch-size",
     SETTING(train_settings, train.batch_size),
     .value = "N",
     .least = 1,
     .help = "images of a step"},
    {.name = "accumulate",
     SETTING(train_settings, train.accumulate),
     .value = "N",
     .least = 1,
     .help = "batches whose gradients are added up before the parameters change: as a batch so many times as large"},
    {.name = "micro-batch-size",
     SETTING(train_settings, train.micro_batch_size),
     .value = "N",
     .help = "images computed at a time, their gradients being added up to a step's; 0: as many of the batch as the "
             "device has memory for"},
    {.name = "lr", SETTING(train_settings, train.lr), .value = "X", .help = "learning rate"},
    UPDATE_OPTIONS(train_settings),
    {.name = "ema",
     SETTING(train_settings, train.ema),
     .value = "X",
     .most = 0.999999999,
     .help = "keep a moving average of the parameters, of which a step keeps this share; validation, eval and predict "
             "then use it; 0 for none"},
    {.name = "lr-scheduler",
     SETTING(train_settings, train.lr_scheduler),
     .value = "NAME",
     .choices_at = clt_scheduler_names,
     .help = "how the learning rate changes from epoch to epoch (onecycle: from step to step)"},
    {.name = "lr-per-step",
     SETTING(train_settings, train.lr_per_step),
     .help = "the scheduler counts steps in place of epochs, but for plateau"},
    {.name = "milestones",
     SETTING(train_settings, train.milestones),
     .value = "N,N,...",
     .read = read_milestones,
     .wanted = "a rising comma list of whole numbers, as in 3,6,8,",
     .help = "when the scheduler multistep drops the learning rate, in epochs from 0"},
    {.name = "power", SETTING(train_settings, train.power), .value = "X", .help = "of the scheduler polynomial"},
    {.name = "factor",
     SETTING(train_settings, train.factor),
     .value = "X",
     .most = 1,
     .help = "what the scheduler plateau multiplies the learning rate by"},
    {.name = "patience-lr",
     SETTING(train_settings, train.patience_lr),
     .value = "N",
     .help = "after more epochs than this without a better validation loss the scheduler plateau does so"},
    {.name = "warmup-epochs",
     SETTING(train_settings, train.warmup_epochs),
     .value = "X",
     .help = "the learning rate rises from 0 during these"},
    {.name = "gamma",
     SETTING(train_settings, train.gamma),
     .value = "X",
     .help = "what the schedulers step, multistep and exponential multiply the learning rate by"},
    {.name = "step-size",
     SETTING(train_settings, train.step_size),
     .value = "N",
     .least = 1,
     .help = "epochs between the drops of the scheduler step"},
    CLASS_WEIGHTS_OPTION(train_settings),
    AUGMENT_OPTION(train_settings),
    {.name = "loss",
     SETTING(train_settings, loss),
     .value = "NAME",
     .help = "see cltrain help nets (default: the net's own, else cross_entropy)"},
    {.name = "seed",
     SETTING(train_settings, train.seed),
     .value = "N",
     .help = "of the initial parameters, the shuffling and --val-split"},
    {.name = "val-split",
     SETTING(train_settings, train.val_split),
     .value = "F",
     .most = 0.999999,
     .help =
         "validate on this share of the training files, held out, in place of the test files; 0: on the test files"},
    {.name = "patience",
     SETTING(train_settings, train.patience),
     .value = "N",
     .help = "stop after so many epochs without a better validation loss, 0 for never"},
    {.name = "freeze",
     SETTING(train_settings, train.freeze),
     .value = "PATTERN,...",
     .help = "do not train the parameters of such names, as in conv*,dense1.bias; batch normalisation's running "
             "statistics still follow the batches"},
    {.name = "resume",
     SETTING(train_settings, resume),
     .value = "FILE",
     .help = "go on with a checkpoint; its options hold unless given anew"},
    {.name = "init",
     SETTING(train_settings, init),
     .value = "RULE|PATTERN=RULE,...",
     .help = "initial weights of convolutions and dense layers, whose biases are then 0: torch, kaiming_uniform, "
             "kaiming_normal, kaiming_uniform_out, kaiming_normal_out, xavier_uniform, xavier_normal, truncated_normal "
             "(deviation 0.02, within two of them), constant=V; PATTERN=RULE for the parameters of such names, as in "
             "dense*.weight=xavier_normal, the last that fits holds (default torch: PyTorch's, biases too)"},
    {.name = "weights",
     SETTING(train_settings, weights),
     .value = "FILE",
     .help = "initial parameters from a safetensors file: those of the right name and shape, a moving average where it "
             "has one; the others keep theirs, and a note says which"},
    {.name = "save-every",
     SETTING(train_settings, train.save_every),
     .value = "STEPS",
     .help = "steps between checkpoints within an epoch, 0 for none"},
    NORMALIZE_OPTION(train_settings),
    {.name = "no-shuffle",
     SETTING(train_settings, train.shuffle),
     .turns_off = true,
     .help = "take the images in the order of the files"},
    {.name = "overfit-batch",
     SETTING(train_settings, train.overfit_batch),
     .help =
         "every step takes the first batch, without shuffling, augmentation and validation: a net that can learn will "
         "know it soon"},
    {.name = "check-every",
     SETTING(train_settings, train.check_every),
     .value = "N",
     .help = "steps between steps that are verified against the reference, 0 for none"},
    {.name = "on-mismatch",
     .kind = OPTION_OTHER, /* enumerations are ints to SETTING */
     .offset = offsetof(train_settings, train.on_mismatch),
     .value = "abort|reference|warn",
     .read = read_on_mismatch,
     .wanted = "abort, reference or warn",
     .help = "when the device is found to compute wrongly: abort, the last checkpoint stands; reference, which goes on "
             "from "
             "there; warn, going on with the step's right values (default abort)"},
    {.name = "log-steps",
     SETTING(train_settings, train.log_steps),
     .value = "FILE.csv",
     .help = "each step's loss, as CSV with the columns step,loss"},
    PRECISION_OPTION(train_settings),
    DEVICE_OPTIONS(train_settings),
    {.name = "quiet", SETTING(train_settings, quiet), .help = "no progress on standard error"},
    {0}};

static void set_defaults(void *settings)
{
    *(train_settings *)settings = (train_settings){.train = clt_train_defaults()};
}

/* ---- what a training needs ---------------------------------------------------------------------------------- */

typedef struct training_run {
    train_settings *settings;
    clt_dataset *images, *validation;
    clt_model *model;
    clt_device *device;
    progress_display display;
    bool notes_made;
    int epochs;        /* that have ended, counted from the first training of the model */
    int best_epoch;    /* 0: none was better than those before a resumed checkpoint */
    clt_progress last; /* as the last epoch ended */
    double best_accuracy;
} training_run;

static clt_status open_data(training_run *training, clt_error *error)
{
    const train_settings *settings = training->settings;
    clt_data_options options = data_options_of(&settings->reading, 0);
    TRY(clt_dataset_open_with(settings->data, CLT_TRAIN, &options, &training->images, error));
    if (settings->train.val_split > 0 || settings->train.overfit_batch) return CLT_OK; /* training does without */
    if (clt_dataset_is_whole(training->images)) {
        print_note("%s is one file of training images, without test images; so there is no validation (--val-split "
                   "holds some of them out for it)",
                   settings->data);
        return CLT_OK;
    }
    options = data_options_of(&settings->reading, clt_dataset_shape(training->images).channels);
    const clt_status status = clt_dataset_open_with(settings->data, CLT_TEST, &options, &training->validation, error);
    if (status != CLT_NO_FILE) return status;
    print_note("%s; so there is no validation", error->message);
    return CLT_OK;
}

static clt_status create_model(training_run *training, clt_error *error)
{
    const train_settings *settings = training->settings;
    const clt_model_options options = {.net = settings->net ? settings->net : "lenet5",
                                       .input = clt_dataset_shape(training->images),
                                       .loss = settings->loss,
                                       .precision = precision_named(settings->precision, CLT_F32),
                                       .seed = settings->train.seed,
                                       .init = settings->init};
    TRY(clt_model_create(&options, &training->model, error));
    if (!settings->weights) return CLT_OK;
    return clt_model_start_from(training->model, settings->weights, take_note, NULL, error);
}

/* Loads the checkpoint, and takes its options where the command line gives none. */
static clt_status resume_model(training_run *training, command_line *command, clt_error *error)
{
    train_settings *settings = training->settings;
    if (settings->net || settings->loss || settings->precision || settings->weights || settings->init ||
        settings->normalize.given)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "--resume: a checkpoint brings its own net, parameters and normalisation, so --net, --loss, "
                    "--precision, --weights, --init and --normalize cannot be given with it");
    TRY(clt_model_load(settings->resume, &training->model, error));
    settings->train = clt_model_train_options(training->model);
    return read_options(command, settings, error);
}

static clt_status open_training(training_run *training, command_line *command, clt_error *error)
{
    const train_settings *settings = training->settings;
    if (settings->resume) TRY(resume_model(training, command, error));
    TRY(open_data(training, error));
    if (!settings->resume) TRY(create_model(training, error));
    return open_device(settings->device, settings->schedule, &settings->limits, &training->device, error);
}

static void close_training(training_run *training)
{
    clt_device_close(training->device);
    clt_model_close(training->model);
    clt_dataset_close(training->validation);
    clt_dataset_close(training->images);
}

/* ---- stopping on Ctrl-C ------------------------------------------------------------------------------------- */

static volatile sig_atomic_t stop_is_asked;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_is_asked = 1;
}

/* The first signal asks to stop; each stands for its default again after that, so the second one ends the program. */
static clt_status catch_signals(clt_error *error)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], &action, NULL))
            return FAIL(error, CLT_BAD_ARGUMENT, "train: a signal cannot be caught: %s", strerror(errno));
    return CLT_OK;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

/* Once, before the first figures. */
static void note_micro_batches(training_run *training, int images)
{
    const int batch = training->settings->train.batch_size;
    if (training->notes_made || images >= batch) return;
    training->notes_made = true;
    print_note("each batch of %d images is computed in micro-batches of %d, whose gradients are added up%s; batch "
               "normalisation takes its statistics from each of them",
               batch, images,
               training->settings->train.micro_batch_size ? "" : ", for the device has no memory for more");
}

static bool take_progress(void *user, const clt_progress *progress)
{
    training_run *training = user;
    note_micro_batches(training, progress->micro_batch_size);
    progress_show(&training->display, progress);
    if (progress->epoch_ended) {
        training->last = *progress;
        training->epochs = progress->epoch;
        if (progress->best) {
            training->best_epoch = progress->epoch;
            training->best_accuracy = progress->validation_accuracy;
        }
    }
    return !stop_is_asked;
}

/* The one line on stdout. */
static void print_result(const training_run *training)
{
    const char *folder = training->settings->train.output_dir;
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
}

/* Adds to the library's sentence, which says where it stopped, how to go on. */
static clt_status fail_stopped(const training_run *training, clt_error *error)
{
    char where[256];
    const char *folder = training->settings->train.output_dir;
    (void)snprintf(where, sizeof where, "%.*s", (int)sizeof where - 1, error->message);
    if (!folder)
        return FAIL(error, CLT_STOPPED, "train: %s; nothing is kept, because --output-dir was not given", where);
    return FAIL(error, CLT_STOPPED, "train: %s; --resume %s/last.safetensors goes on from there", where, folder);
}

static clt_status train(training_run *training, clt_error *error)
{
    train_settings *settings = training->settings;
    apply_normalize(&settings->normalize, &settings->train);
    settings->train.progress = take_progress;
    settings->train.user = training;
    if (!settings->train.output_dir) print_note("nothing is written, because --output-dir is not given");
    TRY(catch_signals(error));
    training->display = progress_begin(settings->quiet);
    const clt_status status =
        clt_train(training->model, training->device, training->images, training->validation, &settings->train, error);
    progress_end(&training->display);
    if (status == CLT_STOPPED) return fail_stopped(training, error);
    if (status == CLT_OK) print_result(training);
    return status;
}

static clt_status run(command_line *command, void *settings, clt_error *error)
{
    training_run training = {.settings = settings};
    clt_status status = open_training(&training, command, error);
    if (status == CLT_OK) status = train(&training, error);
    close_training(&training);
    return status;
}

const verb_row train_verb = {
    .name = "train",
    .summary = "Trains a net on a data set.",
    .details =
        "Validates on the data set's test files, or on what --val-split holds out. Ctrl-C ends the training after "
        "the running step, with its checkpoint written; a second Ctrl-C ends it at once.",
    .options = option_rows,
    .settings_size = sizeof(train_settings),
    .set_defaults = set_defaults,
    .run = run,
};
