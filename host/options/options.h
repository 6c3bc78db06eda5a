/* Options as data: clt_options is one value for each row of the table. */
#ifndef CLT_OPTIONS_OPTIONS_H
#define CLT_OPTIONS_OPTIONS_H

#include "base/error.h"
#include "base/text.h"
#include "options/table.h"

/* ---- values that are more than a number or a text */

enum { CLT__MAX_MILESTONES = 64, CLT__MAX_CLASS_WEIGHTS = 1024 };

typedef struct clt__milestones {
    int count, at[CLT__MAX_MILESTONES]; /* epochs, counted from 0, each more than the one before */
} clt__milestones;

typedef struct clt__range {
    double least, most;
} clt__range;

/* Which images are mirrored: about half of them, drawn anew in each step; or each in every other epoch, the first one
 * drawn for each from the seed and its number in the data set (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single
 * GPU", 2024, section 3.6), so that two epochs one after the other show both. */
enum { CLT__FLIP_RANDOM = 1, CLT__FLIP_ALTERNATE };

/* The image's own pixels, mirrored at its edge without the edge's being repeated (PyTorch's ReflectionPad2d), or those
 * of its edge. As PAD_REFLECT and PAD_REPLICATE. */
enum { CLT__BORDER_REFLECT = 1, CLT__BORDER_REPLICATE };

/* How images are changed, anew in each step, before they are trained on; all zero: not at all. Random resized crops are
 * taken by the host, drawn from the seed, the epoch and the image; all else is done on the device, drawn from the seed,
 * the number of the step and the image's place in the batch. There images are first turned and scaled about
 * their centre, moved and mirrored (bilinear, black outside unless `border` says more), then recoloured, then cut out,
 * then mixed in pairs. Factors are uniform. */
typedef struct clt__augment {
    clt__range rrc;    /* a part of the image, its area a share in this range, its aspect ratio from 3:4 to 4:3, is
                        * resized to the whole */
    unsigned flip;     /* mirrored left to right, one of CLT__FLIP_RANDOM.. */
    int crop;          /* moved by up to so many whole pixels each way: a random crop of the padded image */
    double shift;      /* moved by up to this share of the width and of the height, 0 to 1 */
    double rotate;     /* turned by up to so many degrees either way, 0 to 180 */
    double scale;      /* scaled by a factor of 1 - scale to 1 + scale, 0 to 0.9 */
    unsigned border;   /* what comes in from outside the image: 0 for black, or one of CLT__BORDER_REFLECT.. */
    double brightness; /* times 1 - brightness to 1 + brightness, as the next two 0 to 1; values are not clamped */
    double contrast;   /* the distance from the mean that normalisation takes away, times such a factor */
    double saturation; /* the distance from the pixel's own grey, times such a factor; for 3 channels */
    int cutout;        /* a square of so many pixels on a side, anywhere, becomes that mean */
    double erase;      /* a rectangle becomes that mean in this share of the images, as torchvision's RandomErasing */
    double mixup;      /* pairs of images are blended by a share from Beta(mixup, mixup), 0 to 4 */
    double cutmix;     /* a box of one is put into the other, its area's share from Beta(cutmix, cutmix); with both,
                        * either in half of the steps */
} clt__augment;

/* How much the loss of an image counts, by its class: as in PyTorch, a batch's mean is divided by its mean weight. */
typedef struct clt__class_weights {
    enum clt__weighing {
        CLT__EQUAL,
        CLT__BALANCED, /* images of the training set / (classes that it has * images of this class) */
        CLT__GIVEN
    } how;
    int count; /* of given ones: one for each of the net's outputs */
    double weight[CLT__MAX_CLASS_WEIGHTS];
} clt__class_weights;

typedef struct clt__normalize_choice {
    enum clt__normalizing {
        CLT__BY_DATASET, /* minus the training set's mean, over its standard deviation, channel by channel */
        CLT__BY_NOTHING, /* bytes / 255 and no more */
        CLT__BY_GIVEN    /* minus mean, over deviation */
    } how;
    int channels; /* how many values the next two have: 1 or the number of channels */
    double mean[CLT_MAX_CHANNELS], deviation[CLT_MAX_CHANNELS];
} clt__normalize_choice;

/* The choices of rows of the kind CHOICE, in the order of their list. */
enum { CLT__NCHW, CLT__NHWC };
enum { CLT__ABORT, CLT__REFERENCE, CLT__WARN };
enum { CLT__F32, CLT__F16 }; /* of storage and wire */
enum { CLT__FORMAT_TEXT, CLT__FORMAT_CSV, CLT__FORMAT_JSON, CLT__FORMAT_NPY, CLT__FORMAT_ONNX, CLT__FORMAT_TORCH };
enum { CLT__EXACT, CLT__NOTEBOOK };
enum { CLT__TTA_NONE, CLT__TTA_FLIP, CLT__TTA_SHIFT, CLT__TTA_FLIP_SHIFT }; /* the last is both bits */

/* ---- the options */

typedef bool clt__type_FLAG;
typedef int clt__type_COUNT;
typedef unsigned clt__type_CHOICE;
typedef int64_t clt__type_LONG, clt__type_BYTES;
typedef uint64_t clt__type_SEED;
typedef double clt__type_REAL, clt__type_POSITIVE, clt__type_NAMED_REAL;
typedef const char *clt__type_TEXT, *clt__type_OPTIMIZER, *clt__type_SCHEDULER, *clt__type_LOSS;
typedef clt_shape clt__type_SHAPE, clt__type_SIZE;
typedef clt__milestones clt__type_MILESTONES;
typedef clt__augment clt__type_AUGMENT;
typedef clt__class_weights clt__type_CLASS_WEIGHTS;
typedef clt__normalize_choice clt__type_NORMALIZE;

/* CLT__OPTION_batch_size is the index of its row. */
#define CLT__NUMBER_OPTION(kind, name, ...) CLT__OPTION_##name,
typedef enum clt__option { CLT__OPTION_TABLE(CLT__NUMBER_OPTION) CLT__OPTIONS } clt__option;

struct clt_options {
#define CLT__DECLARE_OPTION(kind, name, ...) clt__type_##kind name;
    CLT__OPTION_TABLE(CLT__DECLARE_OPTION)
    const char *named[CLT__OPTIONS]; /* "PATTERN=VALUE,..." of those that say it by name: for parameters that the last
                                      * pattern fits, in place of the member; NULL for none */
    bool given[CLT__OPTIONS];        /* set by the caller, in place of what holds where nothing is said */
    char *owned[CLT__OPTIONS];       /* texts that clt_options_close frees */
    clt_progress_function progress;
    void *progress_user;
    clt_note_function note;
    void *note_user;
    const clt_collective *collective; /* NULL: alone */
};

/* All as they are where nothing is given. Such a value owns nothing. */
clt_options clt__options_default(void);

/* The options, or where they are NULL those that hold then, in the caller's *room. */
const clt_options *clt__options_or_default(const clt_options *options, clt_options *room);

/* Tells the options' note function, if there is one, a sentence. */
void clt__options_note(const clt_options *options, const char *format, ...) CLT__PRINTF(2, 3);

/* ---- the rows */

typedef enum clt__verb {
    CLT__EXAMPLE = 1 << 0,
    CLT__DEVICES = 1 << 1,
    CLT__TRAIN = 1 << 2,
    CLT__EVAL = 1 << 3,
    CLT__PREDICT = 1 << 4,
    CLT__VERIFY = 1 << 5,
    CLT__SUMMARY = 1 << 6,
    CLT__PLAN = 1 << 7,
    CLT__BENCH = 1 << 8,
    CLT__TUNE = 1 << 9,
    CLT__LR_FIND = 1 << 10,
    CLT__DATA = 1 << 11,
    CLT__EXPORT = 1 << 12,
    CLT__CONVERT = 1 << 13,
    CLT__REPORT = 1 << 14,
    CLT__COMPARE = 1 << 15,
    CLT__SCALE = 1 << 16
} clt__verb;

typedef enum clt__resume { CLT__RUN, CLT__KEPT, CLT__RARE, CLT__FIXED, CLT__MODEL } clt__resume;

typedef struct clt__value_kind clt__value_kind;

typedef struct clt__option_info {
    const char *name; /* "batch_size" */
    const clt__value_kind *kind;
    size_t offset;     /* of the member */
    const char *value; /* what stands for it in --help; NULL for flags */
    const char *fallback;
    double least, most;
    clt__resume resume;
    unsigned verbs; /* of clt__verb */
    const char *help;
} clt__option_info;

const clt__option_info *clt__option_info_of(clt__option option);

/* The option of this name, with _ or - in it; CLT__OPTIONS where there is none. */
clt__option clt__find_option(const char *name, size_t length);

enum { CLT__FLAG_ROOM = 64 };

/* "--batch-size", "--no-shuffle" */
void clt__option_flag(clt__option option, char flag[CLT__FLAG_ROOM]);

/* Takes the option's value from a text; false, and *options as it was, where that is none. The option is then given. */
clt_status clt__option_set(clt_options *options, clt__option option, const char *text, bool *right, clt_error *error);

/* Reads the value that an option which goes by name has for a parameter: *value, of the member's type, is left alone
 * where no pattern fits; false then. */
bool clt__option_by_name(const clt_options *options, clt__option option, const char *parameter, void *value);

/* Appends the value as clt__option_set takes it; nothing where there is none. */
clt_status clt__option_print(const clt_options *options, clt__option option, clt__text *text, clt_error *error);

/* Appends it as the command line has it, " --lr 0.1"; nothing where it is what holds where nothing is said. */
clt_status clt__option_print_argument(const clt_options *options, clt__option option, clt__text *text,
                                      clt_error *error);

/* What would be right: "a number from 0 to 1". */
clt_status clt__option_wanted(clt__option option, clt__text *text, clt_error *error);

/* Fails in a sentence that says what would be right; `name` is what the option was called. */
clt_status clt__option_refuse(clt__option option, const char *name, const char *value, clt_error *error);

/* Whether --help lists what there is, which `value` does not. */
bool clt__option_lists_names(clt__option option);

/* Gives `to` the value that `from` has of one option. */
clt_status clt__option_copy(clt_options *to, const clt_options *from, clt__option option, clt_error *error);

/* What the option is about, in words for a heading: options of one group follow each other in the table. The same text
 * for all of a group. */
const char *clt__option_group(clt__option option);

/* Whether a checkpoint keeps it among the options, as an option whose value it tells only where that is not the one
 * that holds where nothing is said. */
bool clt__option_is_rare(clt__option option);

/* Whether a checkpoint keeps it among the options. */
bool clt__option_is_kept(clt__option option);

/* Frees what the options own, but not themselves. */
void clt__options_forget(clt_options *options);

/* Whether it is a yes or a no, for parsers of command lines. */
bool clt__option_is_flag(clt__option option);

/* Whether `freeze`, which may be NULL, has a parameter of this name frozen in epoch `epoch`, counted from 0. */
bool clt__freezes(const char *patterns, const char *parameter, int epoch);

/* Whether it freezes some from a later epoch than the first on. */
bool clt__freezes_later(const char *patterns);

/* What stands behind each @ in it. */
clt_status clt__check_freezing(const char *patterns, clt_error *error);

/* Every value within its row's limits, and those that only make sense together. `channels` are the images'. */
clt_status clt__check_options(const clt_options *options, int channels, clt_error *error);

/* "there is no optimizer "x": there is sgd, adam" */
clt_status clt__no_such(const char *kind, const char *name, const char *const *names, clt_error *error);

#endif
