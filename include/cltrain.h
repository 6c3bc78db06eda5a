/* cltrain: train convolutional networks on any OpenCL device, and check every number on a plain C reference.
 *
 * Conventions, everywhere in this header:
 *  - A function that can fail returns a clt_status and fills *error where the failure is first seen. `error` may be
 *    NULL. After a failure every output pointer is NULL or untouched, and nothing is left half built.
 *  - Objects made by `..._open`, `..._create`, `..._load` are the caller's and end in the matching `..._close`, which
 *    takes NULL. An object must outlive what was opened with it (a session its model, device and datasets).
 *  - Tensors cross this interface as PyTorch lays them out: images NCHW, convolution weights OIHW, dense weights
 *    [out, in] with `in` counting C, H, W in that order after a flatten. Values cross it as double, whatever the
 *    device computes in.
 *  - Objects are not locked: use one from one thread at a time.
 */
#ifndef CLTRAIN_H
#define CLTRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is declared here is all that the shared library exports. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

#define CLT_VERSION "0.1.0"

/* ---- errors ------------------------------------------------------------------------------------------------- */

typedef enum clt_status {
    CLT_OK = 0,
    CLT_BAD_ARGUMENT, /* a value the caller passed cannot be obeyed */
    CLT_BAD_FILE,     /* a file cannot be read or written, or its content is not what it should be */
    CLT_NO_FILE,      /* a data set has no such split: none of the names that it could have is there */
    CLT_BAD_NET,      /* a net's description is wrong, or does not fit its input */
    CLT_NO_DEVICE,    /* no such device, or it cannot be used */
    CLT_DEVICE_ERROR, /* an OpenCL call failed */
    CLT_BAD_KERNEL,   /* a kernel does not build on the device */
    CLT_NO_MEMORY,    /* the host or the device has too little memory */
    CLT_MISMATCH,     /* the device and the reference disagree beyond the bound */
    CLT_DIVERGED,     /* the loss is no longer finite */
    CLT_STOPPED       /* the progress function asked to stop */
} clt_status;

typedef struct clt_error {
    clt_status status;
    int opencl_code;         /* the OpenCL error code, 0 where none was involved */
    const char *source_file; /* where in cltrain's own source the failure was seen */
    int source_line;
    char message[4096]; /* one sentence: what, where, and what would be right; a kernel build adds its log */
} clt_error;

/* The library's version, "major.minor.patch". */
const char *clt_version(void);

/* ---- devices ------------------------------------------------------------------------------------------------ */

typedef enum clt_precision { CLT_F32, CLT_F64 } clt_precision;

/* How the heavy ops (convolution and dense layers) share out their work: a register tile of vectors to each work-item, as
 * CPUs want it, or a tile in local memory to each work-group, as GPUs do. */
typedef enum clt_schedule { CLT_SCHEDULE_AUTO, CLT_SCHEDULE_VECTOR, CLT_SCHEDULE_TILE } clt_schedule;

typedef struct clt_device_info {
    char id[16]; /* "platform:device", as clt_device_open takes it, or "reference" */
    char name[128];
    char platform[128];
    char driver[128]; /* the driver's version */
    char type[16];    /* "cpu", "gpu", "accelerator" or "reference" */
    int compute_units;
    int vector_width; /* floats in a native vector */
    uint64_t memory_bytes;
    uint64_t local_memory_bytes;
    clt_schedule schedule; /* what CLT_SCHEDULE_AUTO means here: tile for a GPU, else vector; AUTO for the reference */
    bool fp64;       /* computes in double (cl_khr_fp64) */
    bool is_default; /* what clt_device_open(NULL) picks */
    bool usable;
    char reason[160]; /* why it is not usable */
} clt_device_info;

typedef struct clt_device clt_device;

/* Lists every device of every platform, the reference last. *list is freed with clt_free. A machine without an OpenCL
 * platform is not an error: then the list holds the reference alone. */
clt_status clt_device_list(clt_device_info **list, size_t *count, clt_error *error);

/* Opens "0:0", "cpu", "gpu", a part of a device's name, or "reference". NULL means the environment's CLTRAIN_DEVICE,
 * else the default device: the first usable GPU, else the first usable device of any kind. */
clt_status clt_device_open(const char *name, clt_device **device, clt_error *error);
const clt_device_info *clt_device_describe(const clt_device *device);
void clt_device_close(clt_device *device);

/* Sets the schedule of what is opened on the device from now on. Both give right numbers, not the same bits. The
 * reference has none. */
void clt_device_set_schedule(clt_device *device, clt_schedule schedule);

/* The most that is taken of a device, where that is less than it has: 0 leaves its own limit. To see that a net works on
 * a smaller device, or to keep away from what a driver claims but gets wrong. */
typedef struct clt_device_limits {
    int64_t work_group_items; /* work-items of a work-group */
    int64_t local_bytes;      /* local memory of a work-group */
    int64_t allocation_bytes; /* the largest single buffer */
} clt_device_limits;

/* For what is opened on the device from now on. The reference has no limits. */
void clt_device_set_limits(clt_device *device, const clt_device_limits *limits);

/* `note` is told, in one sentence each, what the caller may want to know though nothing failed: that a kernel does not build
 * on the device and a plainer one is used. NULL: nobody is told. */
typedef void (*clt_note_function)(void *user, const char *sentence);
void clt_device_set_notes(clt_device *device, clt_note_function note, void *user);

/* Frees what a function of this library allocated for its caller. Takes NULL. */
void clt_free(void *memory);

/* ---- data --------------------------------------------------------------------------------------------------- */

typedef struct clt_shape {
    int channels, height, width;
} clt_shape;

typedef enum clt_split { CLT_TRAIN, CLT_TEST } clt_split;

typedef struct clt_dataset clt_dataset;

/* The order of an array of colour images. */
typedef enum clt_layout { CLT_NCHW, CLT_NHWC } clt_layout;

/* How files are read. All zero, or NULL in its place, is the default. */
typedef struct clt_data_options {
    clt_layout layout; /* of the images in NPY and NPZ files */
    /* What images are made. Image files: resized to height x width where these are not 0, made grey (1) or RGB (3) where
     * `channels` is not 0. A row of a CSV file is read as an image of it. Other formats say themselves. */
    clt_shape size;
    bool skip_bad;          /* leave out image files that cannot be decoded: `note` is told how many */
    clt_note_function note; /* or NULL */
    void *user;             /* for `note` */
} clt_data_options;

/* Reads one split of a data set. What is there tells the format:
 *  - a folder of IDX files, named as MNIST names them, plain or .gz
 *  - a folder of CIFAR's binary files: data_batch_*.bin and test_batch.bin, or train.bin and test.bin
 *  - an .npz file, a folder, or a prefix of .npy files, with arrays x_train, y_train, x_test, y_test
 *  - a folder train/CLASS/FILE and test/CLASS/FILE (or val/) of PNG and JPEG files; classes are the sorted folder names
 *  - a list file with `PATH LABEL` on each line, or a folder with train.txt and test.txt
 *  - a CSV file of labels and pixels, or a folder with train.csv and test.csv
 * A single list or CSV file has no splits: both are all of it (see clt_dataset_is_whole). */
clt_status clt_dataset_open(const char *path, clt_split split, clt_dataset **dataset, clt_error *error);
clt_status clt_dataset_open_with(const char *path, clt_split split, const clt_data_options *options,
                                 clt_dataset **dataset, clt_error *error);

/* Reads images without labels, for clt_predict, from one file: IDX, NPY, PNG or JPEG. */
clt_status clt_dataset_open_images(const char *path, clt_dataset **dataset, clt_error *error);
clt_status clt_dataset_open_images_with(const char *path, const clt_data_options *options, clt_dataset **dataset,
                                        clt_error *error);

/* Copies `count` images of bytes, NCHW, each with a class label in 0..classes-1. `labels` may be NULL for predicting. */
clt_status clt_dataset_from_bytes(size_t count, clt_shape shape, const uint8_t *images, const int32_t *labels,
                                  int classes, clt_dataset **dataset, clt_error *error);

/* Copies `count` images of real values, NCHW, each with `outputs` real targets ([count, outputs], or NULL). */
clt_status clt_dataset_from_reals(size_t count, clt_shape shape, const double *images, const double *targets,
                                  int outputs, clt_dataset **dataset, clt_error *error);

/* Splits a shuffled `fraction` (between 0 and 1, both excluded) off into *held_out, the others into *kept; `dataset` stays. */
clt_status clt_dataset_hold_out(const clt_dataset *dataset, double fraction, uint64_t seed, clt_dataset **kept,
                                clt_dataset **held_out, clt_error *error);

/* Joins the images of `count` data sets of one shape, in their order, without labels and targets: for clt_predict. */
clt_status clt_dataset_join(const clt_dataset *const *parts, size_t count, clt_dataset **dataset, clt_error *error);

size_t clt_dataset_count(const clt_dataset *dataset);
clt_shape clt_dataset_shape(const clt_dataset *dataset);
int clt_dataset_classes(const clt_dataset *dataset); /* 0 where the targets are real values or absent */
/* The label of image `index`, -1 where there is none. */
int clt_dataset_label(const clt_dataset *dataset, size_t index);
/* The name of a class, NULL where the data set tells none. */
const char *clt_dataset_class_name(const clt_dataset *dataset, int class_index);
/* Whether it came from a file that has no splits, and so is the same for both. */
bool clt_dataset_is_whole(const clt_dataset *dataset);
void clt_dataset_close(clt_dataset *dataset);

/* ---- models ------------------------------------------------------------------------------------------------- */

/* A net with its parameters and, once trained, the state of its training. Lives in host memory, bound to no device. */
typedef struct clt_model clt_model;

typedef struct clt_model_options {
    const char *net;  /* a built-in name, the path of a file, or the text itself */
    clt_shape input;  /* all 0: what the net says, or the built-in net's own */
    const char *loss; /* NULL: what the net says, else "cross_entropy" */
    clt_precision precision;
    uint64_t seed; /* of the initial parameters */
    /* What they are: one of clt_init_names, for the weights of convolutions and dense layers, whose biases are then 0; or a
     * comma list of "PATTERN=RULE" and of rules, the last that fits a parameter being the one: "kaiming_normal,dense*=torch".
     * "constant" takes a value, "constant=0.1". NULL: "torch", PyTorch's defaults, uniform within 1 / sqrt(fan-in). */
    const char *init;
} clt_model_options;

clt_status clt_model_create(const clt_model_options *options, clt_model **model, clt_error *error);

/* Reads a checkpoint written by clt_model_save or by training: net, parameters, normalisation, state of training. */
clt_status clt_model_load(const char *path, clt_model **model, clt_error *error);

/* Replaces `path` whole, or leaves it as it was. */
clt_status clt_model_save(const clt_model *model, const char *path, clt_error *error);

/* Takes the parameters from any safetensors file that has them all, by name and shape, in PyTorch's layout. */
clt_status clt_model_load_weights(clt_model *model, const char *path, clt_error *error);

/* The same, but takes those that are there with the right shape, as fine-tuning wants it where the last layer is another;
 * a moving average ("ema.conv1.weight") in place of its parameter. Where some keep their values, `note` (or NULL) is told which
 * are taken and which are not. An error where none is there. */
clt_status clt_model_start_from(clt_model *model, const char *path, clt_note_function note, void *user, clt_error *error);

void clt_model_close(clt_model *model);

clt_shape clt_model_input(const clt_model *model);
int clt_model_outputs(const clt_model *model);      /* values the net gives for one image */
const char *clt_model_loss(const clt_model *model); /* "cross_entropy", "mse", ... */
/* The name of a class, from the data that it was trained on; NULL where that told none. */
const char *clt_model_class_name(const clt_model *model, int class_index);
const char *clt_model_net(const clt_model *model);  /* the net's text, with its input and loss */
clt_precision clt_model_precision(const clt_model *model);

typedef struct clt_tensor_info {
    char name[64]; /* "conv1.weight" */
    int dimensions;
    int extent[4]; /* [o, i, h, w] of a convolution, [o, i] of a dense layer, [o] of a bias, [n, c, h, w] of images */
    size_t count;  /* their product */
} clt_tensor_info;

/* The parameters, in the net's order. */
size_t clt_model_parameter_count(const clt_model *model);
const clt_tensor_info *clt_model_parameter(const clt_model *model, size_t index);
/* Copies a parameter's `count` values out or in. "ema.conv1.weight" is the moving average of a trained parameter of a model
 * that keeps them. */
clt_status clt_model_get(const clt_model *model, const char *name, double *values, size_t count, clt_error *error);
clt_status clt_model_set(clt_model *model, const char *name, const double *values, size_t count, clt_error *error);

/* The SHA-256, in hexadecimal, of each parameter's name, a byte 0 and its values as a checkpoint has them, in the net's order:
 * equal for models of equal bits. */
void clt_model_sha256(const clt_model *model, char text[65]);

/* The built-in nets' names, ended by NULL, and the text of one (NULL if there is none of that name). */
const char *const *clt_net_names(void);
const char *clt_net_text(const char *name);

/* A page on the net language, made from the lists of layers and losses. *text is freed with clt_free. */
clt_status clt_net_language(char **text, clt_error *error);

/* ---- training ----------------------------------------------------------------------------------------------- */

typedef enum clt_normalize {
    CLT_NORMALIZE_DATASET, /* minus the training set's mean, over its standard deviation, channel by channel */
    CLT_NORMALIZE_NONE,    /* bytes / 255 and no more */
    CLT_NORMALIZE_GIVEN    /* minus normalize_mean, over normalize_deviation */
} clt_normalize;

enum { CLT_MAX_CHANNEL_STATISTICS = 256 };

typedef struct clt_progress {
    int epoch, epochs; /* from 1 */
    int step, steps;   /* of this epoch, from 1 */
    double loss, accuracy; /* means over the epoch so far, training mode; accuracy is NaN for real targets */
    double learning_rate;
    int micro_batch_size; /* images computed at a time: less than the batch size where the batch is split */
    double seconds; /* since the epoch began */
    bool epoch_ended;
    double validation_loss, validation_accuracy; /* once the epoch has ended; NaN without validation data */
    bool best; /* the epoch is the best so far */
} clt_progress;

enum { CLT_MAX_MILESTONES = 64 };

typedef struct clt_milestones {
    int count, at[CLT_MAX_MILESTONES]; /* epochs, counted from 0, each more than the one before */
} clt_milestones;

/* How images are changed, anew in each step, before they are trained on; all zero: not at all. On the device, drawn from the
 * seed, the number of the step and the image's place in the batch. Images are first turned and scaled about their centre, moved
 * and mirrored (bilinear, black outside), then recoloured, then cut out, then mixed in pairs. Factors are uniform. */
typedef struct clt_augment {
    bool flip;         /* mirrored left to right, half of them */
    int crop;          /* moved by up to so many whole pixels each way: a random crop of the padded image */
    double shift;      /* moved by up to this share of the width and of the height, 0 to 1 */
    double rotate;     /* turned by up to so many degrees either way, 0 to 180 */
    double scale;      /* scaled by a factor of 1 - scale to 1 + scale, 0 to 0.9 */
    double brightness; /* times 1 - brightness to 1 + brightness, as the next two 0 to 1; values are not clamped */
    double contrast;   /* the distance from the mean that normalisation takes away, times such a factor */
    double saturation; /* the distance from the pixel's own grey, times such a factor; for 3 channels */
    int cutout;        /* a square of so many pixels on a side, anywhere, becomes that mean */
    double mixup;      /* pairs of images are blended by a share from Beta(mixup, mixup), 0 to 4 */
    double cutmix;     /* a box of one is put into the other, its area's share from Beta(cutmix, cutmix); with both, either in
                          half of the steps */
} clt_augment;

/* How much the loss of an image counts, by its class: as in PyTorch, a batch's mean is divided by its mean weight. */
typedef enum clt_class_weighting {
    CLT_CLASSES_EQUAL,
    CLT_CLASSES_BALANCED, /* images of the training set / (classes that it has * images of this class) */
    CLT_CLASSES_GIVEN     /* class_weight */
} clt_class_weighting;

enum { CLT_MAX_CLASS_WEIGHTS = 1024 };

/* What happens when a step that is checked, or one after which a number is not finite, shows that the device computed wrongly. */
typedef enum clt_on_mismatch {
    CLT_MISMATCH_ABORT,     /* training ends as CLT_MISMATCH; the last checkpoint stands */
    CLT_MISMATCH_REFERENCE, /* the reference goes on from the last checkpoint, or from the epoch's beginning */
    CLT_MISMATCH_WARN       /* a checked step tells the device's note function and goes on with the reference's values; what
                               is not finite ends the training all the same */
} clt_on_mismatch;

/* Called about every tenth of a second, at checkpoints and at each epoch's end. Returning false ends the training
 * after the running step, with its checkpoint written, as CLT_STOPPED. */
typedef bool (*clt_progress_function)(void *user, const clt_progress *progress);

typedef struct clt_train_options {
    int epochs; /* 0 writes the initial checkpoint and trains nothing */
    int batch_size;
    int accumulate;        /* batches whose gradients are added up before one update, as PyTorch does it by calling backward
                            * so often: the same as batches so many times as large, computed in micro-batches of batch_size */
    int micro_batch_size;  /* images computed at a time, 0 for as many as the device has memory for: see below */
    const char *optimizer; /* "sgd", "adam", "adamw", "lamb", "rmsprop", "adagrad": PyTorch's formulas; lamb: You et al. 2020 */
    double lr, weight_decay;
    bool no_decay_bias_norm; /* biases, and what batch normalisation scales and shifts by, do not decay */
    double momentum;         /* sgd */
    bool nesterov;
    double beta1, beta2;      /* adam, adamw, lamb */
    double alpha;             /* rmsprop */
    double eps;               /* all but sgd; 0: 1e-8, for adagrad 1e-10, for lamb 1e-6 */
    /* After each step the parameters' moving average becomes ema * average + (1 - ema) * parameter; it begins as the
     * parameters. Validation, and whatever else infers, then takes it in their place (batch normalisation's running
     * statistics are averages already: they stay as they are). A checkpoint has both. 0: no average */
    double ema;
    double label_smoothing;   /* 0 to 1 */
    clt_augment augment;
    clt_class_weighting class_weighting; /* of cross_entropy; validation weighs all the same */
    int class_weights;                   /* how many the next has: one for each of the net's outputs */
    double class_weight[CLT_MAX_CLASS_WEIGHTS];
    double clip_grad;         /* largest gradient norm, 0 for no limit */
    double clip_value;        /* largest absolute value in a gradient, 0 for no limit; after clip_grad */
    const char *lr_scheduler; /* one of clt_scheduler_names, each with PyTorch's formula */
    bool lr_per_step;         /* schedules count steps, not epochs; "onecycle" does so anyway, "plateau" never */
    clt_milestones milestones; /* "multistep" */
    double power;              /* "polynomial" */
    double factor;             /* "plateau" multiplies by it */
    int patience_lr;           /* ... after more than so many epochs without a better validation loss */
    double warmup_epochs;     /* the learning rate rises linearly from 0 during these */
    double gamma;             /* "step", "multistep" and "exponential" multiply by it */
    int step_size;            /* epochs between the drops of "step" */
    /* A comma list of patterns ("conv1.*,*.bias"): the parameters of such names are not trained. As with PyTorch's
     * requires_grad = False, batch normalisation's running statistics go on following the batches. NULL: all are trained
     * but those that the net's text freezes */
    const char *freeze;
    bool shuffle;
    bool overfit_batch; /* every step takes the first batch; nothing is shuffled, augmented or validated: can the net learn at all? */
    uint64_t seed; /* of the shuffling */
    int patience;  /* stop after so many epochs without a better validation loss, 0 for never */
    double val_split; /* without validation data: the share of the training images that is held out for it, 0 for none */
    int64_t save_every;  /* steps between checkpoints within an epoch, 0 for none */
    int64_t check_every; /* steps between verified steps, 0 for none */
    clt_on_mismatch on_mismatch;
    clt_normalize normalize;
    int normalize_channels; /* how many values the next two have: 1 or the number of channels */
    double normalize_mean[CLT_MAX_CHANNEL_STATISTICS], normalize_deviation[CLT_MAX_CHANNEL_STATISTICS];
    const char *output_dir; /* receives last.safetensors, best.safetensors, metrics.csv, model.net; NULL writes nothing */
    const char *log_steps;  /* a CSV file with each step's loss, NULL for none */
    clt_progress_function progress; /* may be NULL */
    void *user;
} clt_train_options;

/* Where a batch does not fit into the device's memory, or micro_batch_size says so, it is split into micro-batches: each
 * runs forward and backward, their gradients are added up, and the parameters are updated once. The step is the same
 * but for rounding, except that batch normalisation then takes its statistics from each micro-batch. */

clt_train_options clt_train_defaults(void);

/* The options a loaded checkpoint was trained with (its strings are the model's), the defaults for a new model. */
clt_train_options clt_model_train_options(const clt_model *model);

/* Epochs that the model has been trained for. */
int clt_model_epochs(const clt_model *model);

/* The names of the optimisers, learning-rate schedulers and losses, each list ended by NULL. */
const char *const *clt_optimizer_names(void);
const char *const *clt_scheduler_names(void);
const char *const *clt_loss_names(void);
/* The rules for initial parameters: "torch", "kaiming_uniform", ... */
const char *const *clt_init_names(void);

/* Trains. A model that was loaded from a checkpoint goes on where that was written. `validation` may be NULL. */
clt_status clt_train(clt_model *model, clt_device *device, const clt_dataset *training, const clt_dataset *validation,
                     const clt_train_options *options, clt_error *error);

/* ---- a learning rate ---------------------------------------------------------------------------------------- */

typedef struct clt_lr_row {
    double rate;
    double loss;     /* of the step's batch */
    double smoothed; /* a moving average of it, of which a step keeps 0.9 */
} clt_lr_row;

typedef struct clt_lr_result {
    size_t rows;
    clt_lr_row *row;  /* a step each */
    bool diverged;    /* the smoothed loss came to 4 times its lowest, or was no longer finite: no further step was made */
    double suggested; /* the rate at which the smoothed loss fell most steeply; NaN where it did not fall */
} clt_lr_result;

/* The learning-rate range test (Smith 2015): trains `steps` steps while the rate grows geometrically from `least` to
 * `most`. The model keeps its parameters; it takes the data's normalisation, as training does. */
clt_status clt_lr_find(clt_model *model, clt_device *device, const clt_dataset *data, const clt_train_options *options,
                       double least, double most, int steps, clt_lr_result *result, clt_error *error);
void clt_lr_result_free(clt_lr_result *result);

/* ---- using a model ------------------------------------------------------------------------------------------ */

typedef struct clt_evaluation {
    size_t count;
    double loss;
    double accuracy;     /* NaN for real targets */
    int classes;         /* 0 for real targets */
    uint64_t *confusion; /* [classes, classes]: row the true class, column the predicted one */
    uint64_t *rank;      /* [classes]: images whose true class got the largest output, the second largest, ... */
} clt_evaluation;

clt_status clt_evaluate(const clt_model *model, clt_device *device, const clt_dataset *data, int batch_size,
                        clt_evaluation *evaluation, clt_error *error);
void clt_evaluation_free(clt_evaluation *evaluation);

/* Fills outputs[count of images, outputs of the model]: class probabilities where the loss is cross_entropy, else the
 * net's own outputs. */
clt_status clt_predict(const clt_model *model, clt_device *device, const clt_dataset *data, int batch_size,
                       double *outputs, clt_error *error);

/* ---- verification ------------------------------------------------------------------------------------------- */

typedef struct clt_verify_row {
    const char *op;      /* "conv_weight_gradient" */
    const char *layer;   /* "conv1", "" for an op that no layer owns */
    const char *operand; /* the output where the worst error was: "dw" */
    char shape[64];      /* of that output, as PyTorch would say it */
    char index[64];      /* where in it */
    double device, reference, difference, bound;
    bool ok;               /* difference <= bound, everywhere */
    const char *complaint; /* NULL when ok */
} clt_verify_row;

typedef void (*clt_verify_function)(void *user, const clt_verify_row *row);

/* Runs training steps of the net on random data (as by default, then with all that can be switched on, then inference, then
 * the other optimisers' updates), each op on the device and on the reference, with the derived bound
 * for each element. Calls `report` once for each op of each of them. CLT_MISMATCH if any op was beyond its bound. */
clt_status clt_verify(const clt_model *model, clt_device *device, int batch_size, uint64_t seed,
                      clt_verify_function report, void *user, clt_error *error);

/* ---- looking at a net --------------------------------------------------------------------------------------- */

typedef struct clt_summary_row {
    char name[32];    /* "conv1" */
    const char *kind; /* "conv" */
    char from[256];   /* what it reads: "relu1,conv2" */
    char output[64];  /* the shape of its output, without the batch: "16x10x10" */
    bool fused;       /* an activation that runs inside the layer it reads */
    uint64_t trained; /* parameters that are trained */
    uint64_t kept;    /* those that are not: frozen ones, running statistics */
    double flops;     /* of its forward pass on one image, multiplications and additions apart */
    uint64_t bytes;   /* of its output for one image, in float */
} clt_summary_row;

typedef struct clt_summary {
    size_t rows;
    clt_summary_row *row; /* one a layer, in the net's order */
} clt_summary;

clt_status clt_summarize(const clt_model_options *model, clt_summary *summary, clt_error *error);
void clt_summary_free(clt_summary *summary);

/* ---- memory ------------------------------------------------------------------------------------------------- */

typedef struct clt_plan_row {
    char tensor[64];
    char shape[64];   /* as PyTorch would say it */
    const char *type; /* "real" (float or double), "int", "byte" */
    uint64_t bytes;
    bool shared;     /* it lies in memory that tensors share: from `offset` on, while it is needed */
    int first, last; /* of a shared tensor: the ops between which it is needed, counted from 0 in a step's order */
    uint64_t offset; /* in bytes */
} clt_plan_row;

typedef struct clt_plan {
    int batch_size, micro_batch_size; /* the latter is less where the batch is split: see clt_train_options */
    int ops;                          /* of a step */
    uint64_t parameter_bytes;         /* parameters, and the statistics that layers keep */
    uint64_t optimizer_bytes;         /* gradients and the optimiser's state */
    uint64_t data_bytes;              /* the images that lie on the device */
    uint64_t shared_bytes;            /* activations and their gradients, in the memory that they share */
    uint64_t unshared_bytes;          /* what they would take if each had memory of its own */
    uint64_t scratch_bytes;           /* for the inside of ops */
    uint64_t total_bytes;             /* all of it, with the guards between tensors */
    uint64_t free_bytes;              /* what the device has for it */
    size_t rows;
    clt_plan_row *row; /* one a tensor */
} clt_plan;

/* What training (or, without `training`, inference) takes of a device's memory, and how a batch would be split; nothing is
 * allocated on the device. `images` is how many the data set has. CLT_NO_MEMORY where not even one image at a time
 * fits. */
clt_status clt_plan_memory(const clt_model_options *model, clt_device *device, const clt_train_options *options,
                           size_t images, bool training, clt_plan *plan, clt_error *error);
void clt_plan_free(clt_plan *plan);

/* ---- timing ------------------------------------------------------------------------------------------------- */

typedef struct clt_bench_rate {
    double median, min, max; /* images a second, over the rounds */
    int rounds;
} clt_bench_rate;

typedef struct clt_bench_row {
    const char *op;
    char layer[32]; /* both as in clt_verify_row */
    int launches;
    double seconds; /* of one run */
    double flops;   /* of one run; 0 where the op is all about memory */
    double bytes;   /* that one run must read and write at least */
} clt_bench_row;

typedef struct clt_bench_result {
    clt_bench_rate train, infer;
    int train_launches, infer_launches; /* kernels launched for one step */
    double open_seconds;                /* until a session was ready: memory, kernels, data */
    double first_step_seconds;          /* the first step after that; drivers may compile in it */
    double peak_flops, peak_bytes;      /* a second: what this device reached on a fma and on a copy kernel */
    size_t rows;
    clt_bench_row *row; /* one an op of a training step, in its order */
} clt_bench_result;

/* Times whole training steps (batch gathered, forward, loss, backward, update), inference (gather and forward) and each op
 * alone, on random images that lie on the device. Each of the two rates takes about `seconds`. */
clt_status clt_bench(const clt_model *model, clt_device *device, int batch_size, double seconds,
                     clt_bench_result *result, clt_error *error);
void clt_bench_free(clt_bench_result *result);

/* ---- tuning ------------------------------------------------------------------------------------------------- */

typedef struct clt_tune_row {
    const char *op;
    char layer[32];        /* both as in clt_verify_row */
    int tried;             /* ways to run the op, the device's own way included */
    double before, after;  /* seconds of one run: the device's own way, and the fastest that verifies */
    char chosen[128];      /* how the fastest differs: "registers=24 winograd=0"; "" for the device's own way */
    char complaint[512];   /* "", or why a faster way was not taken: it does not agree with the reference */
} clt_tune_row;

typedef void (*clt_tune_function)(void *user, const clt_tune_row *row);

/* Times other ways to run each op of the net, in training and in inference, and keeps those that are faster and agree with the
 * reference, in a file of the cache folder that belongs to this device and driver. From then on every session on this
 * device runs such ops that way: the numbers of a training change in their last bits, once, and stay the same from run
 * to run. */
clt_status clt_tune(const clt_model *model, clt_device *device, int batch_size, clt_tune_function report, void *user,
                    clt_error *error);

/* Forgets all that was tuned for this device and driver. */
clt_status clt_tune_forget(clt_device *device, clt_error *error);

/* The file that holds what was tuned, or would; NULL where there is no cache folder. Freed with clt_free. */
char *clt_tune_file(const clt_device *device);

/* ---- step by step: for programs with a loop of their own ------------------------------------------------------ */

/* A model on a device with data, able to run single steps and to show every tensor. */
typedef struct clt_session clt_session;

/* `options` gives the batch size, the optimiser and its numbers, and the normalisation; what concerns epochs and files
 * is not read. keep_tensors: every tensor of a step can be read after it, the sums before fused activations included
 * ("dense1" beside "sigmoid1"). Without it tensors share memory, and only parameters, their gradients, the net's output
 * and the loss can be read. */
clt_status clt_session_open(clt_model *model, clt_device *device, const clt_dataset *data,
                            const clt_train_options *options, bool keep_tensors, clt_session **session, clt_error *error);

/* Trains one step on `count` images (at most the batch size) of the data set. */
clt_status clt_session_step(clt_session *session, const int32_t *images, int count, clt_error *error);

/* Sets the learning rate of the steps to come. */
clt_status clt_session_set_rate(clt_session *session, double rate, clt_error *error);

/* Any tensor by name: "conv1" (a layer's output), "conv1.weight", "conv1.weight.gradient", "conv1.gradient", "input",
 * "loss". NULL where there is none. */
const clt_tensor_info *clt_session_find(clt_session *session, const char *name);
clt_status clt_session_read(clt_session *session, const char *name, double *values, size_t count, clt_error *error);

/* Copies the parameters back into the model. */
clt_status clt_session_store(clt_session *session, clt_error *error);
void clt_session_close(clt_session *session);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
