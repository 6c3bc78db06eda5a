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
 *  - No struct here changes its size under its callers: what the library hands out may get members at its end, what a
 *    caller allocates (clt_error, clt_shape) stays as it is; all else is opaque.
 *  - Threads. Nothing is locked, and nothing is shared between objects but what they were opened with. A note, progress
 *    or fill function is called by the thread that called the library. Each section says which threads may call its
 *    functions:
 *  - any: any thread, at any time.
 *  - readers: any number of threads at a time on one object, while none changes it: what is taken as const.
 *  - one: one thread at a time for each object that is passed, and for what that was opened with.
 */
#ifndef CLTRAIN_H
#define CLTRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cltrain_version.h" /* CLT_VERSION and its numbers, made by CMake */

#ifdef __cplusplus
extern "C" {
#endif

/* What is declared here is all that the shared library exports. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* ---- errors ------------------------------------------------------------------------------------------------- */
/* Threads: any. An error record is its caller's. */

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

/* "CLT_BAD_FILE"; for a number that is no status, "unknown". */
const char *clt_status_name(clt_status status);

/* The library's version, "major.minor.patch". */
const char *clt_version(void);
/* What it was built with of what may be missing, and what reads pictures: "libpng, libjpeg, libwebp, libtiff, giflib,
 * protobuf-c (ONNX, TensorBoard), MPI". */
const char *clt_built_with(void);

/* Frees what a function of this library allocated for its caller. Takes NULL. */
void clt_free(void *memory);

/* ---- options ------------------------------------------------------------------------------------------------- */
/* Threads: clt_options_create, clt_options_copy and the lists of names: any. clt_options_get, and every function that
 * is given const options: readers. Others: one. */

/* A value for each option that the README lists, by name: "lr", "batch_size" (or "batch-size"), "augment", ... Whatever
 * takes options takes NULL for those that hold where nothing is said, and reads only those that concern it. An object
 * of options may be used by several calls; they do not change it. */
typedef struct clt_options clt_options;

clt_status clt_options_create(clt_options **options, clt_error *error);
clt_status clt_options_copy(const clt_options *from, clt_options **options, clt_error *error);
void clt_options_close(clt_options *options);

/* Sets an option from the text that the command line takes: ("lr", "0.05"), ("augment", "flip,crop=2"),
 * ("nesterov", "yes"). The text is copied. CLT_BAD_ARGUMENT, and the option as it was, where it cannot be that. */
clt_status clt_options_set(clt_options *options, const char *name, const char *value, clt_error *error);
clt_status clt_options_set_integer(clt_options *options, const char *name, int64_t value, clt_error *error);
clt_status clt_options_set_real(clt_options *options, const char *name, double value, clt_error *error);
clt_status clt_options_set_flag(clt_options *options, const char *name, bool value, clt_error *error);

/* The text that clt_options_set would take, "" where there is none; *value is freed with clt_free. */
clt_status clt_options_get(const clt_options *options, const char *name, char **value, clt_error *error);

/* Built-in recipes, each a net and the options that go with it: their names, ended by NULL, and the text of one (NULL
 * if there is none of that name). The option "recipe" takes a name, or a file of such text, at once: what it says of
 * options that were not given holds from then on. */
const char *const *clt_recipe_names(void);
const char *clt_recipe_text(const char *name);

/* Is told, in one sentence each, what the caller may want to know though nothing failed: that files are left out, that
 * a kernel does not build on the device and a plainer one is used. NULL: nobody is told. */
typedef void (*clt_note_function)(void *user, const char *sentence);
void clt_options_set_notes(clt_options *options, clt_note_function note, void *user);

/* How far a call is that takes long. The library makes it, and later versions may add to its end. */
typedef struct clt_progress {
    const char *what;    /* "train", "evaluate" (validating in training too), "predict", "lr_find", "bench", "tune",
                          * "scale", "verify"; of image files "look at images", "decode images", "measure images"; of a
                          * device's    programs "build kernels" */
    int64_t done, total; /* steps of the epoch, images, steps, rounds or ops; total 0 where it is not known */
    double seconds;      /* since the call, in training the epoch, began */
    /* In training alone, else 0 or NaN: */
    int epoch, epochs;     /* from 1 */
    int step, steps;       /* of this epoch, from 1 */
    double loss, accuracy; /* means over the epoch so far, training mode; accuracy is NaN for real targets */
    double learning_rate;
    int micro_batch_size; /* images computed at a time: less than the batch size where the batch is split */
    bool epoch_ended;
    double validation_loss, validation_accuracy; /* once the epoch has ended; NaN without validation data */
    bool best;                                   /* the epoch is the best so far */
    bool *save; /* the function may set it: a checkpoint is written before the next step; NULL where none can be */
} clt_progress;

/* Called about every tenth of a second by each call that takes long and is given these options; in training also at
 * checkpoints and at each epoch's end. Returning false ends the call as CLT_STOPPED: training after the running step,
 * with its checkpoint written, others without results. */
typedef bool (*clt_progress_function)(void *user, const clt_progress *progress);
void clt_options_set_progress(clt_options *options, clt_progress_function progress, void *user);

/* The names of the optimisers, learning-rate schedulers, losses, and rules for initial parameters, each list ended by
 * NULL and constant. */
const char *const *clt_optimizer_names(void);
const char *const *clt_scheduler_names(void);
const char *const *clt_loss_names(void);
const char *const *clt_init_names(void);

/* ---- several devices, several machines ------------------------------------------------------------------------- */
/* Threads: a collective is its rank's; those of a team are one for each thread. */

/* What a rank has in memory for another, or gets from it. */
typedef struct clt_block {
    void *start;
    size_t bytes;
} clt_block;

/* How ranks that train one model together reach each other: each is a thread or a process with a device of its own. MPI
 * is one (clt_mpi_open), threads of one process are another (clt_team_open), a program may bring its own. Every rank
 * makes the same calls of this library in the same order: opens the same model with the same options, but for the
 * device, on the same data set, and trains, or evaluates.
 *
 * Batches are cut into shards (the option "shards", at least `size`), of which each rank computes some; their gradients
 * are summed in the order of the shards, so that the result has the same bits whatever the number of ranks. */
typedef struct clt_collective {
    int rank, size;
    void *user; /* handed to the functions */
    /* Begins to send the block send[r] to rank r, and to receive the block receive[r] from it, for every r from 0 to
     * size - 1, itself included. A block that is sent is as long as its receiver expects; it may have no bytes. The
     * memory stays as it is until `end` is called, the two arrays need not. All ranks begin their exchanges in the same
     * order; several may be under way. */
    clt_status (*begin)(void *user, const clt_block *send, const clt_block *receive, void **exchange, clt_error *error);
    /* Waits for it. A rank that does not answer should be an error that names it. Frees it, also where it fails:
     * nothing touches its memory any more. */
    clt_status (*end)(void *user, void *exchange, clt_error *error);
    /* In place of `end`, where this rank cannot go on: does not wait. */
    void (*withdraw)(void *user, void *exchange);
    /* Called again and again while a rank waits for its device: what cannot go on by itself may do so. May be NULL. */
    void (*progress)(void *user);
    /* This rank cannot go on, for this reason: those that wait for it fail. The caller of a function of this library
     * that failed should call it. */
    void (*abandon)(void *user, const char *why);
    /* Where a rank is, for sentences: "rank 1 (host b)". May be NULL. */
    const char *(*name)(void *user, int rank);
} clt_collective;

/* What trains or evaluates with these options does so as a rank of it; it must outlive that. NULL: alone. */
void clt_options_set_collective(clt_options *options, const clt_collective *collective);

/* Ranks that are threads of this process. The members live as long as the team. */
typedef struct clt_team clt_team;
clt_status clt_team_open(int size, clt_team **team, clt_error *error);
const clt_collective *clt_team_member(const clt_team *team, int rank); /* NULL where there is none */
void clt_team_close(clt_team *team);

/* Whether all is well on every rank, after something that may fail on one alone; waits for all. Where it is not, one
 * that failed has its say: rank 0 gets its sentence, with its name before it unless all say the same, and every other
 * rank CLT_STOPPED. `status` and *error are this rank's own. `collective` may be NULL: then it gives `status`. */
clt_status clt_collective_agree(const clt_collective *collective, clt_status status, clt_error *error);

/* Ranks that are processes, which a launcher of MPI (mpirun, srun) has started. *collective is NULL where none has, and
 * nothing is begun then. Also where it fails with a collective, clt_mpi_close ends it. Threads: the one that calls it.
 * MPI is begun, unless the program has, and ended. Without MPI in the build: an error where a launcher has started
 * several processes. */
clt_status clt_mpi_open(const clt_collective **collective, clt_error *error);
/* A rank that does not answer for so long ends the training; 600 where nothing is said. */
void clt_mpi_set_timeout(const clt_collective *collective, double seconds);
/* Waits for the other ranks; where the exit code is not 0, which says that this one failed, only for those that end
 * within seconds: the others are ended (MPI_Abort). A rank that only knows that another tells why (CLT_STOPPED) gives
 * 0, for that one may be writing a checkpoint. Where the program has begun MPI nobody is waited for, or ended. Takes
 * NULL.
 */
void clt_mpi_close(const clt_collective *collective, int exit_code);

/* ---- devices ------------------------------------------------------------------------------------------------ */
/* Threads: clt_devices_find, clt_device_open and clt_device_open_with: any. The functions of a list of devices:
 * readers. Others: one, and so is whatever computes on a device: two threads that compute open a device each. */

typedef enum clt_precision { CLT_F32, CLT_F64 } clt_precision;

/* How the heavy ops (convolution and dense layers) share out their work: a register tile of vectors to each work-item,
 * as CPUs want it, or a tile in local memory to each work-group, as GPUs do. */
typedef enum clt_schedule { CLT_SCHEDULE_AUTO, CLT_SCHEDULE_VECTOR, CLT_SCHEDULE_TILE } clt_schedule;

typedef struct clt_device_info {
    char id[32]; /* "platform:device", as clt_device_open takes it, or "reference" */
    char name[128];
    char platform[128];
    char driver[128]; /* the driver's version */
    char type[16];    /* "cpu", "gpu", "accelerator" or "reference" */
    int compute_units;
    int vector_width; /* floats in a native vector */
    uint64_t memory_bytes;
    uint64_t local_memory_bytes;
    clt_schedule schedule; /* what CLT_SCHEDULE_AUTO means here: tile for a GPU and for what has no vectors of floats,
                              else vector; AUTO for the reference */
    bool fp64;             /* computes in double (cl_khr_fp64) */
    bool is_default;       /* what clt_device_open(NULL) picks */
    bool usable;
    char reason[160]; /* why it is not usable */
    char
        faults[300]; /* of one that was opened: what its driver gets wrong, found by a short probe at the first opening;
                        "" for nothing. `schedule` and `fp64` then are what does without, where that is possible */
} clt_device_info;

typedef struct clt_device clt_device;

/* Every device of every platform, the reference last. A machine without an OpenCL platform is not an error: then there
 * is the reference alone. */
typedef struct clt_devices clt_devices;

clt_status clt_devices_find(clt_devices **devices, clt_error *error);
size_t clt_devices_count(const clt_devices *devices);
const clt_device_info *clt_devices_at(const clt_devices *devices, size_t index); /* NULL beyond the last */
void clt_devices_close(clt_devices *devices);

/* Opens "0:0", "cpu", "gpu", a part of a device's or its platform's name ("pocl"), a place in the list of devices, or
 * "reference": the first that fits. "NAME/N/K" is part K, from 0, of such a device cut into N equal ones: it has the
 * whole's bits. "local" is the one for this process among those that a launcher (MPI, SLURM, PBS) started on its host.
 * NULL means the environment's CLTRAIN_DEVICE, else the default device: the first
 * usable GPU, else the first usable device of any kind. */
clt_status clt_device_open(const char *name, clt_device **device, clt_error *error);
/* The device that the options name, with their schedule, limits (limit_workgroup, limit_local, limit_alloc: the most
 * that is taken of a device, to see that a net works on a smaller one, or to keep away from what a driver claims but
 * gets wrong) and note function. */
clt_status clt_device_open_with(const clt_options *options, clt_device **device, clt_error *error);
/* The names in a comma list, each of which opens one device: "all" stands for all (GPUs, if there are any), "NAME/N"
 * for the N parts of one. *list, a comma list again, is freed with clt_free. */
clt_status clt_devices_expand(const char *names, char **list, int *count, clt_error *error);
const clt_device_info *clt_device_describe(const clt_device *device);
void clt_device_close(clt_device *device);

/* Sets the schedule of what is opened on the device from now on. Both give right numbers, not the same bits. The
 * reference has none. */
void clt_device_set_schedule(clt_device *device, clt_schedule schedule);

void clt_device_set_notes(clt_device *device, clt_note_function note, void *user);

/* ---- data --------------------------------------------------------------------------------------------------- */
/* Threads: opening and making data sets: any. What takes a const data set: readers. Others: one. */

typedef struct clt_shape {
    int channels, height, width;
} clt_shape;

enum { CLT_MAX_CHANNELS = 256 }; /* of the images */

typedef enum clt_split { CLT_TRAIN, CLT_TEST } clt_split;

typedef struct clt_dataset clt_dataset;

/* Reads one split of a data set. What is there tells the format:
 *  - a folder of IDX files, named as MNIST, QMNIST and EMNIST name them, plain or .gz; or FOLDER/PREFIX of such names
 *  - a folder of CIFAR's binary files: data_batch_*.bin and test_batch.bin, or train.bin and test.bin; or one of them
 *  - a folder of STL-10's binary files: train_X.bin, train_y.bin, test_X.bin, test_y.bin
 *  - an .npz file, a folder, or a prefix of .npy and .npz files, with arrays x_train, y_train, x_test, y_test, or what
 *    Keras, MedMNIST and KMNIST call them; or x and y alone
 *  - a folder train/CLASS/... and test/CLASS/... of image files at any depth (training; testing, val, valid,
 *    validation; any case of letters), or CLASS/... alone; classes are the sorted folder names
 *  - a list file with `PATH LABEL` on each line, or a folder with train.txt and test.txt
 *  - a CSV file of labels and pixels, or of labels and image files, or a folder with train.csv and test.csv
 * Image files are PNG, JPEG, WebP, TIFF, GIF or BMP, told by what they hold; pixels are as a viewer shows them.
 * A single list or CSV file, one of CIFAR's, x and y alone and classes alone have no splits: both are all of it (see
 * clt_dataset_is_whole). Of a folder that is no data set the one folder in it that is one is read. The options layout,
 * label_column, size, transpose, exif, eval_crop, augment (of it rrc) and skip_bad say how files are read, workers and
 * data_cache how many threads decode image files and how many bytes of images stay in memory; their note function is
 * told what is left out, and what was taken for what. Image files that do not all stay in memory are read again when
 * they are needed: they must stay where they are as long as the data set is open. Whole numbers among float labels are
 * both labels and targets: the loss says which are used. */
clt_status clt_dataset_open(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                            clt_error *error);

/* Reads images without labels, for clt_predict, from one file: IDX, NPY, PNG, JPEG, WebP, TIFF, GIF or BMP; or from
 * all files that a list or a CSV file names, or all rows of a CSV file, whose labels are passed over. */
clt_status clt_dataset_open_images(const char *path, const clt_options *options, clt_dataset **dataset,
                                   clt_error *error);

/* What images of the caller's are: bytes, which become bytes / 255, or reals. */
typedef enum clt_pixels { CLT_BYTES, CLT_REALS } clt_pixels;

/* Copies `count` images of bytes, NCHW, each with a class label in 0..classes-1. `labels` may be NULL for predicting.
 */
clt_status clt_dataset_from_bytes(size_t count, clt_shape shape, const uint8_t *images, const int32_t *labels,
                                  int classes, clt_dataset **dataset, clt_error *error);

/* Copies `count` images of real values, NCHW, each with `outputs` real targets ([count, outputs], or NULL). */
clt_status clt_dataset_from_reals(size_t count, clt_shape shape, const double *images, const double *targets,
                                  int outputs, clt_dataset **dataset, clt_error *error);

/* Fills `pixels` with images number images[0] to images[count - 1], NCHW, as bytes (uint8_t) or reals (float). False
 * where that cannot be done, which ends the call in progress as CLT_BAD_FILE. Called by the thread that calls the
 * library, and never twice at a time; of a data set that several ranks of a team share, by the thread of each. */
typedef bool (*clt_fill_function)(void *user, const size_t *images, size_t count, void *pixels);

/* A data set of the caller's: `count` images, of which `fill` is asked for some at a time when they are needed. Labels
 * (each in 0..classes-1) or targets ([count, outputs]) are copied; both may be NULL for predicting. `user` must outlive
 * it. */
clt_status clt_dataset_from_source(size_t count, clt_shape shape, clt_pixels pixels, clt_fill_function fill, void *user,
                                   const int32_t *labels, int classes, const double *targets, int outputs,
                                   clt_dataset **dataset, clt_error *error);

/* Splits a shuffled `fraction` (between 0 and 1, both excluded) off into *held_out, the others into *kept; `dataset`
 * stays. */
clt_status clt_dataset_hold_out(const clt_dataset *dataset, double fraction, uint64_t seed, clt_dataset **kept,
                                clt_dataset **held_out, clt_error *error);

/* Joins the images of `count` data sets of one shape, in their order, without labels and targets: for clt_predict. */
clt_status clt_dataset_join(const clt_dataset *const *parts, size_t count, clt_dataset **dataset, clt_error *error);

size_t clt_dataset_count(const clt_dataset *dataset);
clt_shape clt_dataset_shape(const clt_dataset *dataset);
/* What it was read from: "IDX files", "CSV", ...; NULL for one that was made in memory. Constant. */
const char *clt_dataset_format(const clt_dataset *dataset);
/* The least and the largest height and width of the image files that it was made of; false where it was made of none.
 */
bool clt_dataset_stored_sizes(const clt_dataset *dataset, clt_shape *least, clt_shape *most);
int clt_dataset_classes(const clt_dataset *dataset); /* 0 where the targets are real values or absent */
/* The label of image `index`, -1 where there is none. */
int clt_dataset_label(const clt_dataset *dataset, size_t index);
/* The file that an image came from, of data sets that clt_dataset_open_images made of several; else NULL. */
const char *clt_dataset_image_name(const clt_dataset *dataset, size_t index);
/* Whether the image's file was found to be bad after the data set was opened, and is skipped (skip_bad): what is
 * computed of it means nothing. */
bool clt_dataset_lacks(const clt_dataset *dataset, size_t index);
/* How many images had another size, or other colours, and were resized, made grey or made RGB. */
size_t clt_dataset_converted(const clt_dataset *dataset);
/* The name of a class, NULL where the data set tells none. */
const char *clt_dataset_class_name(const clt_dataset *dataset, int class_index);
/* Whether it has no splits, and so is the same for both. */
bool clt_dataset_is_whole(const clt_dataset *dataset);
void clt_dataset_close(clt_dataset *dataset);

/* ---- models ------------------------------------------------------------------------------------------------- */
/* Threads: clt_model_create and clt_model_load, clt_net_names, clt_net_text, clt_net_language: any. What takes a const
 * model: readers. Others: one. */

/* A net with its parameters and, once trained, the state of its training. Lives in host memory, bound to no device. */
typedef struct clt_model clt_model;

/* By the options net, input (where they say none: what the net says, or the built-in net's own), loss, precision, seed
 * and init. The net may be the path of an ONNX model, whose weights it then has. */
clt_status clt_model_create(const clt_options *options, clt_model **model, clt_error *error);

/* Whether that is the path of an ONNX model. Threads: any. */
bool clt_net_is_onnx(const char *net);

/* Reads a checkpoint written by clt_model_save or by training: net, parameters, normalisation, state of training; or an
 * ONNX model, which has a net and parameters alone. */
clt_status clt_model_load(const char *path, clt_model **model, clt_error *error);

/* Replaces `path` whole, or leaves it as it was. */
clt_status clt_model_save(const clt_model *model, const char *path, clt_error *error);

/* Writes the model for other programs. Options:
 *   format              "onnx", which holds where another word is left too, or "torch"
 *   opset               of ONNX: 13 to 21
 *   with_preprocessing  of ONNX: the input is images of bytes, and a classifier gives probabilities
 *   fold_norm           batch normalisation becomes part of the layer before it
 *
 * onnx: the net as inference has it. Its input "input" is normalised images, [batch, channels, height, width], or with
 * preprocessing "images", of bytes; its output "output" is what the net gives (for cross_entropy logits, but for a
 * model that came with a softmax at its end, which is there again), or "probabilities". The batch has no fixed size.
 * The metadata "cltrain" and "net" tell how it was trained.
 *
 * torch: a Python module, `path` ending in .py, and its weights in NAME.weights.safetensors beside NAME.py.
 *
 * Replaces each file whole, or leaves it as it was. */
clt_status clt_model_export(const clt_model *model, const char *path, const clt_options *options, clt_error *error);

/* Takes the parameters from any safetensors file that has them all, by name and shape, in PyTorch's layout. */
clt_status clt_model_load_weights(clt_model *model, const char *path, clt_error *error);

/* The same, but takes those that are there with the right shape, as fine-tuning wants it where the last layer is
 * another; a moving average ("ema.conv1.weight") in place of its parameter. What programs put before all names
 * (module., _orig_mod., model., state_dict.) is seen through. Where some keep their values, the options' note function
 * is told which are taken and which are not. An error where none is there. With the option weights_by_order names do
 * not matter: all tensors are taken, in order, if each has its parameter's shape. */
clt_status clt_model_start_from(clt_model *model, const char *path, const clt_options *options, clt_error *error);

/* The options that the model was last trained with, as a checkpoint keeps them; the model's own, while it is not
 * trained and not closed. */
const clt_options *clt_model_options(const clt_model *model);

/* Epochs that the model has been trained for. */
int clt_model_epochs(const clt_model *model);

/* For a run that goes on with a model: what was not set becomes what the model was trained with; what was set stays. A
 * note tells what is another than before. CLT_BAD_ARGUMENT, with both values, where a run may not change it: net, loss,
 * precision, init, weights, normalize; the options are then as they were. */
clt_status clt_options_resume(clt_options *options, const clt_model *model, clt_error *error);

/* Another model of the same net, with the same parameters, optimiser states and state of training. */
clt_status clt_model_copy(const clt_model *model, clt_model **copy, clt_error *error);
void clt_model_close(clt_model *model);

clt_shape clt_model_input(const clt_model *model);
/* What is taken from each value of a channel of the images (bytes / 255, or reals as they are), and what the rest is
 * divided by. False before the model was given data to train on, and for a channel that there is not. */
bool clt_model_normalization(const clt_model *model, int channel, double *mean, double *deviation);
int clt_model_outputs(const clt_model *model);      /* values the net gives for one image */
const char *clt_model_loss(const clt_model *model); /* "cross_entropy", "mse", ... */
bool clt_model_classifies(const clt_model *model);  /* the outputs are classes: clt_predict gives their probabilities */
/* The name of a class, from the data that it was trained on; NULL where that told none. */
const char *clt_model_class_name(const clt_model *model, int class_index);
const char *clt_model_net(const clt_model *model); /* the net's text, with its input and loss */
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
/* Copies a parameter's `count` values out or in. "ema.conv1.weight" is the moving average of a trained parameter of a
 * model that keeps them. */
clt_status clt_model_get(const clt_model *model, const char *name, double *values, size_t count, clt_error *error);
clt_status clt_model_set(clt_model *model, const char *name, const double *values, size_t count, clt_error *error);

/* The SHA-256, in hexadecimal, of each parameter's name, a byte 0 and its values as a checkpoint has them, in the net's
 * order: equal for models of equal bits. */
void clt_model_sha256(const clt_model *model, char text[65]);

/* The built-in nets' names, ended by NULL, and the text of one (NULL if there is none of that name). */
const char *const *clt_net_names(void);
const char *clt_net_text(const char *name);

/* A page on the net language, made from the lists of layers and losses. *text is freed with clt_free. */
clt_status clt_net_language(char **text, clt_error *error);

/* ---- training ----------------------------------------------------------------------------------------------- */
/* Threads: one, for the model and the device; readers for the data sets and the options. */

/* Where a batch does not fit into the device's memory, or micro_batch_size says so, it is split into micro-batches:
 * each runs forward and backward, their gradients are added up, and the parameters are updated once. The step is the
 * same but for rounding, except that batch normalisation then takes its statistics from each micro-batch. */

/* Trains by the options. A model that was loaded from a checkpoint goes on where that was written. `validation` may be
 * NULL. */
clt_status clt_train(clt_model *model, clt_device *device, const clt_dataset *training, const clt_dataset *validation,
                     const clt_options *options, clt_error *error);

/* ---- a learning rate ---------------------------------------------------------------------------------------- */
/* Threads: clt_lr_find as clt_train. What takes a const result: readers. Others: one. */

typedef struct clt_lr_row {
    double rate;
    double loss;     /* of the step's batch */
    double smoothed; /* a moving average of it, of which a step keeps 0.9 */
} clt_lr_row;

typedef struct clt_lr_result clt_lr_result;

/* The learning-rate range test (Smith 2015): trains `steps` steps while the rate grows geometrically from lr_min to
 * lr_max, until the smoothed loss is 4 times its lowest or no longer finite. The model keeps its parameters and the
 * list of those that are frozen; one that was never trained takes the data's normalisation, and whitens by it, as
 * training does. */
clt_status clt_lr_find(clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                       clt_lr_result **result, clt_error *error);
size_t clt_lr_count(const clt_lr_result *result); /* steps that were made */
const clt_lr_row *clt_lr_at(const clt_lr_result *result, size_t index);
bool clt_lr_diverged(const clt_lr_result *result);
/* The rate at which the smoothed loss fell most steeply; NaN where it did not fall. */
double clt_lr_suggested(const clt_lr_result *result);
void clt_lr_close(clt_lr_result *result);

/* ---- using a model ------------------------------------------------------------------------------------------ */
/* Threads: clt_evaluate and clt_predict: readers for the model, the data set and the options; one for the device. What
 * takes a const evaluation: readers. Others: one. */

typedef struct clt_evaluation clt_evaluation;

/* On all of the data set, batch_size images at a time. */
clt_status clt_evaluate(const clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                        clt_evaluation **evaluation, clt_error *error);
size_t clt_evaluation_count(const clt_evaluation *evaluation); /* images */
double clt_evaluation_loss(const clt_evaluation *evaluation);
double clt_evaluation_accuracy(const clt_evaluation *evaluation); /* NaN for real targets */
int clt_evaluation_classes(const clt_evaluation *evaluation);     /* 0 for real targets */
/* Images of the class `truth` that were taken for the class `predicted`. */
uint64_t clt_evaluation_confused(const clt_evaluation *evaluation, int truth, int predicted);
/* Images whose true class got the largest output (place 0), the second largest (1), ... */
uint64_t clt_evaluation_ranked(const clt_evaluation *evaluation, int place);
void clt_evaluation_close(clt_evaluation *evaluation);

/* Fills outputs[count of images, outputs of the model]: class probabilities where clt_model_classifies, else the net's
 * own outputs. */
clt_status clt_predict(const clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                       double *outputs, clt_error *error);

/* ---- verification ------------------------------------------------------------------------------------------- */
/* Threads: readers for the model and the options, one for the device. */

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

/* Runs training steps of the net on random data (every gradient by default, then with all that can be switched on, then
 * no more than training needs with the option freeze, then inference, then the other optimisers' updates) on the device
 * and on the reference, with the derived bound for each element. Verifies each op of the first step, and of each that
 * follows those which no earlier one has: other kernels, sizes or operands. Calls `report` once for each op that is
 * verified. CLT_MISMATCH if any was beyond its bound. */
clt_status clt_verify(const clt_model *model, clt_device *device, const clt_options *options,
                      clt_verify_function report, void *user, clt_error *error);

/* ---- looking at a net --------------------------------------------------------------------------------------- */
/* Threads: clt_summarize: any. What takes a const summary: readers. Others: one. */

typedef struct clt_summary_row {
    char name[44];    /* "conv1" */
    const char *kind; /* "conv" */
    char from[256];   /* what it reads: "relu1,conv2" */
    char output[64];  /* the shape of its output, without the batch: "16x10x10" */
    bool fused;       /* it runs inside a layer that it reads: an activation, a sum of two */
    uint64_t trained; /* parameters that are trained */
    uint64_t kept;    /* those that are not: frozen ones, running statistics */
    double flops;     /* of its forward pass on one image, multiplications and additions apart */
    uint64_t bytes;   /* of its output for one image, in float */
} clt_summary_row;

typedef struct clt_summary clt_summary;

/* Of the net that the options name: one row a layer, in the net's order. */
clt_status clt_summarize(const clt_options *options, clt_summary **summary, clt_error *error);
size_t clt_summary_count(const clt_summary *summary);
const clt_summary_row *clt_summary_at(const clt_summary *summary, size_t index);
void clt_summary_close(clt_summary *summary);

/* ---- memory ------------------------------------------------------------------------------------------------- */
/* Threads: clt_plan_memory: one for the device. What takes a const plan: readers. Others: one. */

typedef struct clt_plan_row {
    char tensor[64];
    char shape[64];   /* as PyTorch would say it */
    const char *type; /* "real" (float or double), "half", "int", "byte" */
    uint64_t bytes;
    bool shared;     /* it lies in memory that tensors share: from `offset` on, while it is needed */
    int first, last; /* of a shared tensor: the ops between which it is needed, counted from 0 in a step's order */
    uint64_t offset; /* in bytes */
} clt_plan_row;

typedef struct clt_plan_sums {
    int batch_size, micro_batch_size; /* the latter is less where the batch is split */
    int ops;                          /* of a step */
    uint64_t parameter_bytes;         /* parameters, and the statistics that layers keep */
    uint64_t optimizer_bytes;         /* gradients and the optimiser's state */
    uint64_t data_bytes;              /* the images that lie on the device */
    uint64_t shared_bytes;            /* activations and their gradients, in the memory that they share */
    uint64_t unshared_bytes;          /* what they would take if each had memory of its own */
    uint64_t scratch_bytes;           /* for the inside of ops */
    uint64_t total_bytes;             /* all of it, with the guards between tensors */
    uint64_t free_bytes;              /* what the device has for it */
} clt_plan_sums;

typedef struct clt_plan clt_plan;

/* What training (with the option `inference`: eval and predict) of the net that the options name takes of a device's
 * memory, and how a batch would be split, for a data set of so many `images`; nothing is allocated on the device.
 * CLT_NO_MEMORY where not even one image at a time fits. */
clt_status clt_plan_memory(const clt_options *options, clt_device *device, clt_plan **plan, clt_error *error);
const clt_plan_sums *clt_plan_total(const clt_plan *plan);
size_t clt_plan_count(const clt_plan *plan); /* tensors */
const clt_plan_row *clt_plan_at(const clt_plan *plan, size_t index);
void clt_plan_close(clt_plan *plan);

/* ---- timing ------------------------------------------------------------------------------------------------- */
/* Threads: clt_bench: readers for the model and the options, one for the device. What takes a const result: readers.
 * Others: one. */

typedef struct clt_bench_rate {
    double median, min, max; /* images a second, over the rounds */
    int rounds;
} clt_bench_rate;

typedef struct clt_bench_row {
    const char *op; /* as in clt_verify_row, or what ops that are merged, run by the same launches, are called together:
                       "dense_gradients" */
    char layer[44]; /* as in clt_verify_row; of merged ops the first one's */
    int launches;
    double seconds; /* of one run, by the device's clock: without what it costs to launch its kernels */
    double flops;   /* of one run; 0 where the op is all about memory */
    double bytes;   /* that one run must read and write at least */
} clt_bench_row;

typedef struct clt_bench_sums {
    clt_bench_rate train, infer;
    int train_launches, infer_launches; /* kernels launched for one step */
    double open_seconds;                /* until a session was ready: memory, kernels, data */
    double first_step_seconds;          /* the first step after that; drivers may compile in it */
    double peak_flops, peak_bytes;      /* a second: what this device reached on a fma and on a copy kernel */
    double launch_seconds;              /* that launching a kernel cost the host, where nothing waited for it */
} clt_bench_sums;

typedef struct clt_bench_result clt_bench_result;

/* Times whole training steps (batch gathered, augmented and mixed as the options say but for rrc, forward, loss,
 * backward, update), inference (gather and forward) and each op alone, or those that are merged, on random images that
 * lie on the device. Each of the two rates takes about `seconds`. */
clt_status clt_bench(const clt_model *model, clt_device *device, const clt_options *options, clt_bench_result **result,
                     clt_error *error);
const clt_bench_sums *clt_bench_total(const clt_bench_result *result);
size_t clt_bench_count(const clt_bench_result *result); /* rows: ops of a training step, merged ones in one */
const clt_bench_row *clt_bench_at(const clt_bench_result *result, size_t index);
void clt_bench_close(clt_bench_result *result);

/* ---- launches ----------------------------------------------------------------------------------------------- */
/* Threads: clt_plan_launches: one for the device. What takes a const plan: readers. Others: one. */

typedef struct clt_launch_row {
    const char *op;
    char layer[44]; /* both as in clt_bench_row */
    const char *kernel;
    uint64_t groups;      /* work-groups */
    int group_items;      /* work-items of each; 0: the device chooses, and `groups` are single items */
    uint64_t waves;       /* groups for each compute unit, rounded up */
    uint64_t local_bytes; /* local memory of a group */
    double bytes;         /* that it must read and write at least */
    double flops;         /* 0 where the op is all about memory */
    double seconds;       /* by a model, never a clock; 0 for a device that is not pretended */
    size_t program;       /* index of its program */
    size_t number;        /* of its op, or the first that it runs, in the step's order, from 0 */
} clt_launch_row;

typedef struct clt_launch_program {
    const char *file, *options, *source; /* the kernel file's name, the build options, the whole text */
} clt_launch_program;

typedef struct clt_launch_sums {
    int micro_batch_size; /* images that the rows are for: the batch, unless memory splits it */
    int compute_units;    /* that the device is planned for: of Intel's GPUs, cores of 16 of their vector engines */
    double bytes, flops, seconds;
} clt_launch_sums;

typedef struct clt_launch_plan clt_launch_plan;

/* The kernels that one training step of the net that the options name launches on the device, a row each in their
 * order; nothing is built or allocated on the device. A device that the option `pretend` chose may be planned for
 * (clt_device_open_with opens it), and then a model tells the time: of each launch the longest of what a launch costs,
 * its bytes by the data sheet's bandwidth, and what host/device/tiling.h counts of arithmetic and of waiting. */
clt_status clt_plan_launches(const clt_options *options, clt_device *device, clt_launch_plan **plan, clt_error *error);
const clt_launch_sums *clt_launch_plan_total(const clt_launch_plan *plan);
size_t clt_launch_plan_count(const clt_launch_plan *plan); /* launches */
const clt_launch_row *clt_launch_plan_at(const clt_launch_plan *plan, size_t index);
size_t clt_launch_plan_programs(const clt_launch_plan *plan);
const clt_launch_program *clt_launch_plan_program_at(const clt_launch_plan *plan, size_t index);
void clt_launch_plan_close(clt_launch_plan *plan);

/* ---- scaling ------------------------------------------------------------------------------------------------ */
/* Threads: clt_scale: readers for the options, one for the device. What takes a const result: readers. Others: one. */

/* What is the same on however many devices: a batch, which they share; or each one's part of it, so that the batch
 * grows with them. */
typedef enum clt_scaling { CLT_STRONG_SCALING, CLT_WEAK_SCALING, CLT_SCALINGS } clt_scaling;

typedef struct clt_scale_row {
    int devices;
    int64_t batch_size; /* of a step, all devices together */
    int device_images;  /* that one computes, at most; 0 where there are more devices than images: no numbers then */
    double compute_seconds;
    double exchange_seconds; /* reading, sending, adding and writing gradients, if nothing went on at a time */
    double hidden; /* the share of it that the step is not longer for, from 0 to 1; NaN where nothing is exchanged */
    double sent_bytes; /* by a device, to all others */
    double step_seconds;
    double images_per_second;
    double efficiency; /* that, over so many times what one device alone reaches with the option batch_size */
} clt_scale_row;

typedef struct clt_scale_sums {
    uint64_t bytes;                         /* of a shard's gradients, and of what layers keep from step to step */
    int buckets;                            /* that they travel in */
    double read_rate, write_rate, add_rate; /* bytes a second: device memory read and written, gradients added */
    /* Numbers of devices up to CLT_SCALE_MOST, 0 for none: */
    int exposed_from[CLT_SCALINGS]; /* from how many on the exchange is not hidden: when the last bucket is read, others
                                     * are still under way. Of strong scaling: of those that are asked for */
    int tree_from;                  /* from how many on a binary tree would take less time for the exchange */
    int servers_from, servers;      /* from how many on parameter servers would, and how many these would be */
} clt_scale_sums;

enum { CLT_SCALE_MOST = 1 << 20 };

typedef struct clt_scale_result clt_scale_result;

/* What is to be expected of training the net that the options name on many such devices (options `devices`, batches
 * of `batch_size`), joined by a network that moves `bandwidth` GB/s each way, for each of them, with `latency` us for a
 * message: by a model of the exchange that training does (host/tools/exchange_model.h tells its formulas), from times
 * of the net's ops on this one device. They are measured, the exchange's part in device memory too; where the device is
 * one that the option `pretend` chose they are those of clt_plan_launches, and its memory is read and written at
 * 10 GB/s. How fast gradients are added is measured on this host. */
clt_status clt_scale(const clt_options *options, clt_device *device, clt_scale_result **result, clt_error *error);
const clt_scale_sums *clt_scale_total(const clt_scale_result *result);
size_t clt_scale_count(const clt_scale_result *result); /* rows of each kind of scaling: as many as `devices` */
const clt_scale_row *clt_scale_at(const clt_scale_result *result, clt_scaling scaling, size_t index);
void clt_scale_close(clt_scale_result *result);

/* ---- tuning ------------------------------------------------------------------------------------------------- */
/* Threads: readers for the model and the options, one for the device. */

typedef struct clt_tune_row {
    const char *op;
    char layer[44];       /* both as in clt_verify_row */
    int tried;            /* ways to run the op, the device's own way included */
    double before, after; /* seconds of one run: the device's own way, and the fastest that verifies */
    char chosen[128];     /* how the fastest differs: "registers=24 winograd=0"; "" for the device's own way */
    char complaint[512];  /* "", or why a faster way was not taken: it does not agree with the reference */
} clt_tune_row;

typedef void (*clt_tune_function)(void *user, const clt_tune_row *row);

/* Times other ways to run each op of the net, in training and in inference, and keeps those that are faster and agree
 * with the reference, in a file of the cache folder that belongs to this device and driver. From then on every session
 * with the same `storage` on this device runs such ops that way: the numbers of a training change in their last bits,
 * once, and stay the same from run to run. */
clt_status clt_tune(const clt_model *model, clt_device *device, const clt_options *options, clt_tune_function report,
                    void *user, clt_error *error);

/* Forgets all that was tuned for this device and driver. */
clt_status clt_tune_forget(clt_device *device, clt_error *error);

/* The file that holds what was tuned, or would; NULL where there is no cache folder. Freed with clt_free. */
char *clt_tune_file(const clt_device *device);

/* ---- reports --------------------------------------------------------------------------------------------------- */
/* Threads: one. */

typedef struct clt_report clt_report;

/* One page of HTML about runs: how each ended, curves, and of several how their options differ; what the best model
 * takes for what, its surest mistakes with what in them counted, its filters and the distributions of its numbers; the
 * net; times of ops and a verification, unless the option check is off; what it takes to do it again. The page is
 * whole: it needs no network and no script. */
clt_status clt_report_open(clt_report **report, clt_error *error);
/* Adds a run: the folder that training wrote to (output_dir). `data` are labelled images that the model is shown, or
 * NULL. The device computes; the options say how (batch_size, check). The folder's files are read at once. */
clt_status clt_report_add(clt_report *report, const char *folder, clt_device *device, const clt_dataset *data,
                          const clt_options *options, clt_error *error);
/* Replaces `path` whole, or leaves it as it was. */
clt_status clt_report_write(const clt_report *report, const char *path, clt_error *error);
void clt_report_close(clt_report *report);

/* ---- sessions: for programs with a loop of their own ----------------------------------------------------------- */
/* Threads: one, for the session, its model where the session trains, and its device. */

/* A model on a device, able to run single steps or to predict, and to show every tensor. It stays open as long as the
 * caller wants. clt_train and clt_evaluate are written with what follows. */
typedef struct clt_session clt_session;

/* What the caller's answers are: class labels, or targets for each output. */
typedef enum clt_answers { CLT_LABELS, CLT_TARGETS } clt_answers;

/* Opens a session that trains on a data set, by the options. Those that clt_train alone obeys are not read: epochs (but
 * for schedules that look ahead), patience, val_split, save_every, check_every, on_mismatch, output_dir, log_steps,
 * json_log and tensorboard.
 * keep_tensors: every tensor of a step can be read after it, the sums before fused activations included ("dense1"
 * beside "sigmoid1"); a layer that makes the sum behind it, too, has its tensor under the sum's name. Without it
 * tensors share memory, and only parameters, their gradients, the net's output and the loss can be reached.
 *
 * The model is made ready for training: one that has made no step yet is normalised as the options say, and what it was
 * created to whiten by (init) gets its values from the images; the parameters that the options freeze, and no others,
 * are frozen; and once nothing can fail any more, the state that another optimiser has left in it becomes zero, and a
 * moving average that the options do not keep is dropped. */
clt_status clt_session_open(clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                            bool keep_tensors, clt_session **session, clt_error *error);

/* The same for batches that the caller hands over: at most batch_size images of such pixels, with such answers. Nothing
 * can be measured then: a model that was never normalised needs the option normalize to be none or MEAN/STD, and one
 * that is to whiten was whitened before. */
clt_status clt_session_open_batches(clt_model *model, clt_device *device, clt_pixels pixels, clt_answers answers,
                                    const clt_options *options, bool keep_tensors, clt_session **session,
                                    clt_error *error);

/* Opens a session that evaluates a data set, batch_size images at a time; and one that predicts images in the caller's
 * memory. Neither changes the model. A session for CLT_REALS takes bytes too. Batch normalisation becomes part of the
 * weights of the layer before, where that is a convolution or a dense layer whose values nobody else reads: such layers
 * have no tensors. */
clt_status clt_session_open_inference(const clt_model *model, clt_device *device, const clt_dataset *data,
                                      const clt_options *options, clt_session **session, clt_error *error);
clt_status clt_session_open_images(const clt_model *model, clt_device *device, clt_pixels pixels,
                                   const clt_options *options, clt_session **session, clt_error *error);

void clt_session_close(clt_session *session);

/* Between the session and its model: stores what was trained in the model, or takes the model's parameters and
 * normalisation (in training the optimiser's state and the position too) as they are now. A model that several sessions
 * train is what the last of them stored. */
clt_status clt_session_store(clt_session *session, clt_error *error);
clt_status clt_session_load(clt_session *session, clt_error *error);

/* ---- epochs of a session on a data set. Begins the model's next epoch, or the rest of one that a checkpoint stands
 * in: the same steps, with the same bits, as clt_train's. From then on the model counts as trained by the session's
 * options. In an epoch from which on the option freeze has parameters frozen the session stores its model and takes the
 * device anew: if that fails, it can only be closed. */
clt_status clt_session_begin_epoch(clt_session *session, clt_error *error);
int64_t clt_session_epoch_steps(const clt_session *session); /* in an epoch; 0 where there are none */
bool clt_session_has_step(const clt_session *session);       /* the epoch has another step */
/* Enqueues it, with the learning rate that the options' schedule gives it. Waits only now and then. */
clt_status clt_session_next_step(clt_session *session, clt_error *error);
/* Waits for the steps under way. The means over the epoch so far; accuracy is NaN for real targets. CLT_DIVERGED where
 * a loss is not finite. */
clt_status clt_session_figures(clt_session *session, double *loss, double *accuracy, clt_error *error);
/* Stores into the model and ends the epoch. `validation_loss`, or where it is NaN the epoch's own loss, tells whether
 * it is the best so far (*best, which may be NULL) and moves the schedule plateau. */
clt_status clt_session_end_epoch(clt_session *session, double validation_loss, bool *best, clt_error *error);

/* ---- batches of the caller's choice: images of the data set, by number; or in memory, NCHW, of a session that was
 * opened for them, with labels or with targets [count, outputs], the other NULL. What is given is copied. */
clt_status clt_session_choose_batch(clt_session *session, const int32_t *images, int count, clt_error *error);
clt_status clt_session_set_batch(clt_session *session, const float *images, const int32_t *labels, const float *targets,
                                 int count, clt_error *error);
clt_status clt_session_set_batch_bytes(clt_session *session, const uint8_t *images, const int32_t *labels,
                                       const float *targets, int count, clt_error *error);

/* Trains one step on the batch; or its parts apart: the outputs; the loss and the gradients; the parameters. A batch
 * that is computed in micro-batches has no such parts. */
clt_status clt_session_train_batch(clt_session *session, clt_error *error);
clt_status clt_session_forward(clt_session *session, clt_error *error);
clt_status clt_session_backward(clt_session *session, clt_error *error);
clt_status clt_session_update(clt_session *session, clt_error *error);

/* The mean loss of the batch at the last step or backward pass, and the share of right classes, NaN for real targets.
 * Waits. */
clt_status clt_session_loss(clt_session *session, double *loss, double *accuracy, clt_error *error);

/* clt_session_choose_batch and clt_session_train_batch. */
clt_status clt_session_step(clt_session *session, const int32_t *images, int count, clt_error *error);

/* Sets the learning rate of such steps, which is lr to begin with; those of an epoch have the schedule's. */
clt_status clt_session_set_rate(clt_session *session, double rate, clt_error *error);

/* ---- inference. Fills outputs[count, outputs of the model] for any number of images, as clt_predict does; evaluates
 * the data set that the session was opened on. */
clt_status clt_session_predict(clt_session *session, const float *images, size_t count, float *outputs,
                               clt_error *error);
clt_status clt_session_predict_bytes(clt_session *session, const uint8_t *images, size_t count, float *outputs,
                                     clt_error *error);
clt_status clt_session_evaluate(clt_session *session, const clt_options *options, clt_evaluation **evaluation,
                                clt_error *error);

/* ---- tensors by name: "conv1" (a layer's output), "conv1.weight", "conv1.weight.gradient", "conv1.gradient", "input",
 * "loss". NULL where there is none; what is given is the session's until the next call. With storage f16 gradients of
 * activations are those of the scaled loss; those of parameters are the loss's own once clt_session_backward or a whole
 * step has run. */
const clt_tensor_info *clt_session_find(clt_session *session, const char *name);
clt_status clt_session_read(clt_session *session, const char *name, double *values, size_t count, clt_error *error);
clt_status clt_session_write(clt_session *session, const char *name, const double *values, size_t count,
                             clt_error *error);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
