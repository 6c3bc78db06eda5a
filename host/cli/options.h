/* Command-line options: a verb's table of rows is at once its parser, its --help and the list that suggestions come
 * from. */
#ifndef CLTRAIN_CLI_OPTIONS_H
#define CLTRAIN_CLI_OPTIONS_H

#include <stdio.h>

#include "cltrain.h"

/* What kind of setting an option sets. It follows from the type of the member, so that a row cannot name another. */
typedef enum option_kind {
    OPTION_FLAG,  /* bool: no value, true once given (false where the row says turns_off) */
    OPTION_COUNT, /* int */
    OPTION_LONG,  /* int64_t */
    OPTION_SEED,  /* uint64_t */
    OPTION_REAL,  /* double, finite */
    OPTION_TEXT,  /* const char *: points into argv. With `choices`: one of these */
    OPTION_SHAPE, /* clt_shape: CxHxW */
    OPTION_OTHER  /* anything else: the row's own reader */
} option_kind;

typedef struct option_row {
    const char *name; /* "batch-size" */
    option_kind kind;
    size_t offset;      /* of the member in the verb's settings */
    const char *value;  /* what stands for the value in --help: "N" */
    double least, most; /* of a number, both possible; most 0: no limit */
    bool exclusive;     /* least and most themselves are not possible */
    bool turns_off;
    bool required;
    const char *const *choices;             /* ends with NULL */
    const char *const *(*choices_at)(void); /* the same, where the library has the list; --help then lists them */
    bool (*read)(const char *value, void *setting);
    const char *wanted; /* for OPTION_OTHER: what would be right */
    const char *help;
} option_row;

#define OPTION_KIND(member) \
    _Generic((member),                                                                                                 \
        bool: OPTION_FLAG,                                                                                             \
        int: OPTION_COUNT,                                                                                             \
        int64_t: OPTION_LONG,                                                                                          \
        uint64_t: OPTION_SEED,                                                                                         \
        double: OPTION_REAL,                                                                                           \
        const char *: OPTION_TEXT,                                                                                     \
        clt_shape: OPTION_SHAPE,                                                                                       \
        default: OPTION_OTHER)

/* {.name = "lr", SETTING(train_settings, train.lr), .value = "X", .help = "..."} */
#define SETTING(settings, member) .kind = OPTION_KIND(((settings *)0)->member), .offset = offsetof(settings, member)

typedef struct command_line command_line;

/* A verb: its row in main's table. */
typedef struct verb_row {
    const char *name;
    const char *summary;       /* one line, for the list of verbs */
    const char *details;       /* what else --help says, or NULL */
    const char *operand;       /* what its arguments are called; NULL: it takes none, else it needs at least one */
    const option_row *options; /* ends with a row without a name */
    size_t settings_size;
    void (*set_defaults)(void *settings);
    clt_status (*run)(command_line *command, void *settings, clt_error *error);
} verb_row;

/* One call of a verb. */
struct command_line {
    const verb_row *verb;
    int argument_count; /* what follows the verb */
    char **arguments;
    const char **operands; /* the arguments that are no options: room for all */
    int operand_count;
};

/* Obeys the command's options: changes those settings that are given, finds the operands, and checks that what is
 * needed is there. May be called again with other settings, which then take the same options. */
clt_status read_options(command_line *command, void *settings, clt_error *error);

/* Whether --help (or -h) is among the options. */
bool asks_for_help(int argument_count, char **arguments);

/* Prints the verb's --help: usage, options and their defaults. */
void print_verb_help(const verb_row *verb, const void *defaults, FILE *stream);

/* The name among `count` most like `name`, or NULL where none is near. `name_at` gives the names. */
const char *nearest_name(const char *name, size_t count, const char *(*name_at)(const void *list, size_t index),
                         const void *list);

/* For readers: a comma list of at most `most` finite numbers up to the character `end`. Returns how many, 0 where it is
 * none. */
int read_numbers(const char *text, char end, double *numbers, int most);

/* ---- options that several verbs have */

extern const char *const precision_names[], *const schedule_names[];

#define DEVICE_OPTIONS(settings)                                                                                \
    {.name = "device",                                                                                          \
     SETTING(settings, device),                                                                                 \
     .value = "D",                                                                                              \
     .help = "the device: 0:0, cpu, gpu, a part of its name, or reference (default: the environment's "         \
             "CLTRAIN_DEVICE, else what `cltrain devices` marks)"},                                             \
        {.name = "schedule",                                                                                    \
         SETTING(settings, schedule),                                                                           \
         .value = "vector|tile",                                                                                \
         .choices = schedule_names,                                                                             \
         .help = "how its heavy kernels share out their work: vectors, or tiles in local memory (default: "     \
                 "tile for a GPU, else vector)"},                                                               \
        {.name = "limit-workgroup",                                                                             \
         SETTING(settings, limits.work_group_items),                                                            \
         .value = "N",                                                                                          \
         .least = 1,                                                                                            \
         .help = "work-groups of at most N work-items (default: the device's own limit, as for the next two)"}, \
        {.name = "limit-local",                                                                                 \
         SETTING(settings, limits.local_bytes),                                                                 \
         .value = "BYTES",                                                                                      \
         .least = 1,                                                                                            \
         .help = "at most so much local memory for a work-group"},                                              \
    {                                                                                                           \
        .name = "limit-alloc", SETTING(settings, limits.allocation_bytes), .value = "BYTES", .least = 1,        \
        .help = "buffers of at most so many bytes each"                                                         \
    }

/* How --data and image files are read. */
typedef struct data_settings {
    const char *layout;
    clt_shape size; /* 0 what is not given */
    bool skip_bad;
} data_settings;

extern const char *const layout_names[];

/* HxW or CxHxW, each at least 1, into a clt_shape. */
bool read_size(const char *value, void *setting);

/* The member is called `reading`. */
#define DATA_OPTIONS(settings)                                                                                      \
    {.name = "layout",                                                                                              \
     SETTING(settings, reading.layout),                                                                             \
     .value = "nchw|nhwc",                                                                                          \
     .choices = layout_names,                                                                                       \
     .help = "the order of the images in NPY and NPZ files (default nchw)"},                                        \
        {.name = "size",                                                                                            \
         .offset = offsetof(settings, reading.size),                                                                \
         .kind = OPTION_OTHER,                                                                                      \
         .value = "[Cx]HxW",                                                                                        \
         .read = read_size,                                                                                         \
         .wanted = "a size like 32x32 or 3x32x32",                                                                  \
         .help = "image files are resized to H rows and W columns, and made grey (C 1) or RGB (C 3); CSV rows are " \
                 "read as such images"},                                                                            \
    {                                                                                                               \
        .name = "skip-bad", SETTING(settings, reading.skip_bad),                                                    \
        .help = "leave out image files that cannot be decoded, and say how many"                                    \
    }

/* A model of RGB images takes grey ones as RGB: `channels` are its own, 0 where there is none yet. */
clt_data_options data_options_of(const data_settings *settings, int channels);

#define JSON_OPTION(settings)                                                                             \
    {                                                                                                     \
        .name = "json", SETTING(settings, json), .value = "FILE",                                         \
        .help = "write the results as JSON to FILE; - for standard output, which then holds nothing else" \
    }

/* `fallback` ends the help: " (default ...)" where the settings do not hold the default themselves, else "". */
#define NET_OPTION(settings, fallback)                                    \
    {                                                                     \
        .name = "net", SETTING(settings, net), .value = "NAME|FILE|TEXT", \
        .help = "the net: see cltrain help nets" fallback                 \
    }

#define INPUT_OPTION(settings)                                       \
    {                                                                \
        .name = "input", SETTING(settings, input), .value = "CxHxW", \
        .help = "the images' shape (default: the net's own)"         \
    }

#define PRECISION_OPTION(settings)                                                                         \
    {                                                                                                      \
        .name = "precision", SETTING(settings, precision), .value = "f32|f64", .choices = precision_names, \
        .help = "what the device computes in (default f32)"                                                \
    }

/* How parameters are updated: of the member `train`. */
#define UPDATE_OPTIONS(settings)                                                                                    \
    {.name = "optimizer",                                                                                           \
     SETTING(settings, train.optimizer),                                                                            \
     .value = "NAME",                                                                                               \
     .choices_at = clt_optimizer_names,                                                                             \
     .help = "how parameters are updated"},                                                                         \
        {.name = "momentum", SETTING(settings, train.momentum), .value = "X", .most = 1, .help = "of sgd"},         \
        {.name = "nesterov", SETTING(settings, train.nesterov), .help = "Nesterov's form of momentum"},             \
        {.name = "weight-decay",                                                                                    \
         SETTING(settings, train.weight_decay),                                                                     \
         .value = "X",                                                                                              \
         .help = "share of each parameter that is added to its gradient; adamw: that it loses, times the learning " \
                 "rate; lamb: that is added to its step"},                                                          \
        {.name = "no-decay-bias-norm",                                                                              \
         SETTING(settings, train.no_decay_bias_norm),                                                               \
         .help = "no weight decay for biases and batch normalisation"},                                             \
        {.name = "beta1",                                                                                           \
         SETTING(settings, train.beta1),                                                                            \
         .value = "X",                                                                                              \
         .most = 0.999999999,                                                                                       \
         .help = "of adam, adamw and lamb: how much of the mean gradient a step keeps"},                            \
        {.name = "beta2",                                                                                           \
         SETTING(settings, train.beta2),                                                                            \
         .value = "X",                                                                                              \
         .most = 0.999999999,                                                                                       \
         .help = "of adam, adamw and lamb: how much of the gradient's mean square a step keeps"},                   \
        {.name = "alpha",                                                                                           \
         SETTING(settings, train.alpha),                                                                            \
         .value = "X",                                                                                              \
         .most = 1,                                                                                                 \
         .help = "of rmsprop: how much of the gradient's mean square a step keeps"},                                \
        {.name = "eps",                                                                                             \
         SETTING(settings, train.eps),                                                                              \
         .value = "X",                                                                                              \
         .most = 1,                                                                                                 \
         .help = "what is added to the root of the gradient's square, in all but sgd; 0: 1e-8, for adagrad 1e-10, " \
                 "for lamb "                                                                                        \
                 "1e-6"},                                                                                           \
        {.name = "clip-grad",                                                                                       \
         SETTING(settings, train.clip_grad),                                                                        \
         .value = "X",                                                                                              \
         .help = "largest norm of the gradient, 0 for no limit"},                                                   \
        {.name = "clip-value",                                                                                      \
         SETTING(settings, train.clip_value),                                                                       \
         .value = "X",                                                                                              \
         .help = "largest absolute value in the gradient, 0 for no limit"},                                         \
    {                                                                                                               \
        .name = "label-smoothing", SETTING(settings, train.label_smoothing), .value = "X", .most = 1,               \
        .help = "share of the target that goes to all classes"                                                      \
    }

#define BATCH_SIZE_OPTION(settings)                                                                               \
    {                                                                                                             \
        .name = "batch-size", SETTING(settings, batch_size), .value = "N", .least = 1, .help = "images at a time" \
    }

/* A clt_note_function: to stderr. */
void take_note(void *user, const char *sentence);

/* What --precision says; `fallback` where it is not given. */
clt_precision precision_named(const char *name, clt_precision fallback);

/* Opens the device that --device names (NULL: the default), with the schedule that --schedule says (NULL: its own)
 * and the limits that --limit-workgroup and its like say. */
clt_status open_device(const char *name, const char *schedule, const clt_device_limits *limits, clt_device **device,
                       clt_error *error);

#endif
