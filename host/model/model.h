/* A model in host memory: the net's description, its parameters in the outside layout, and the state of its training.
 */
#ifndef CLT_MODEL_MODEL_H
#define CLT_MODEL_MODEL_H

#include "data/dataset.h"
#include "net/net.h"
#include "options/options.h"

typedef struct clt__parameter_values {
    clt_tensor_info info;
    int fan_in; /* as in clt__parameter, as the next three */
    double initial;
    int groups, dilation[2];
    bool reads_images; /* a layer's that reads the images themselves */
    bool whitens;      /* it begins as the training set says: clt__whiten */
    bool whitened;     /* and that has been done */
    bool kept;         /* the layer's own ops keep it: clt__parameter's `state` */
    bool trainable;    /* it is neither kept nor frozen in the net's text */
    bool trained;      /* trainable, and not frozen by the options */
    double *values;
    double *state[CLT__MAX_STATES]; /* the optimiser's where it is trained; zeros before its first step */
    double *average;                /* where it is trained and the model is averaged */
} clt__parameter_values;

/* How a loss has gone that something waits for to get better. */
typedef struct clt__watched_loss {
    double best; /* the lowest so far; infinity at first */
    int stale;   /* epochs since that */
} clt__watched_loss;

/* What the loss is scaled by while activations are halves, and for how many steps it has been enough; how many steps
 * were skipped, their gradients not being finite. All 0 before the first such step. */
typedef struct clt__loss_scaling {
    double factor;
    int64_t steps, skipped;
} clt__loss_scaling;

/* Where training stands. All of it is in a checkpoint, so that a resumed run goes on as if it had not stopped. */
typedef struct clt__training_state {
    int epoch;      /* epochs completed */
    int64_t step;   /* steps done of the epoch after those */
    int64_t images; /* of the data set of those steps; 0: not known */
    int64_t total_steps;
    int64_t optimizer_began; /* how many of those that were not skipped another optimiser took, before the options' */
    double loss_sum, hits;   /* over the images seen in the running epoch */
    int64_t seen;
    double norm_sum;              /* of the gradient, over those of the running epoch's steps that measured it */
    int64_t norms;                /* how many that were */
    clt__watched_loss validation; /* of the training set where nothing is validated: for the best model, and patience */
    clt__watched_loss plateau;    /* the same, by the learning rate's schedule: also since its last drop */
    double rate_factor;           /* what that schedule has come to multiply the learning rate by; 1 at first */
    clt__loss_scaling scaling;
} clt__training_state;

struct clt_model {
    clt__description description;
    clt_shape input;
    clt_precision precision;
    uint64_t seed;
    int outputs;
    char *text; /* the description again, with its input and loss */
    clt__parameter_values *parameter;
    size_t parameters;
    bool averaged;   /* its parameters have averages, and those are what it infers with */
    bool normalized; /* mean and deviation are known */
    double mean[CLT_MAX_CHANNELS], deviation[CLT_MAX_CHANNELS];
    clt__names class_names; /* of the data it was trained on; none where that told none */
    clt__training_state state;
    clt_options options; /* of the last training; its texts are the model's */
};

/* The net that the options name, its input set, its loss too if they give one. */
clt_status clt__describe_model(const clt_options *options, clt__description *description, clt_error *error);

/* Takes what an ONNX file of cltrain's own tells of the model that was exported: what images are normalised by and, if
 * `classes`, what those are called. Nothing where it tells nothing. */
clt_status clt__recall(clt_model *model, const clt__safetensors *file, bool classes, clt_error *error);

/* clt_model_create; `whole`: the net is an ONNX model that stays what it is, as precise, and its classes have names. */
clt_status clt__model_create(const clt_options *options, bool whole, clt_model **model, clt_error *error);

/* Takes the weights that the model's description came with, all of them: a parameter without any keeps its values. */
clt_status clt__start_imported(clt_model *model, clt_error *error);

/* A model with all parameters zero, from a description with an input that it takes over (also when it
 * fails). */
clt_status clt__model_from(clt__description *description, clt_precision precision, uint64_t seed, clt_model **model,
                           clt_error *error);

/* The optimiser that the options give a parameter that is shown with so many dimensions. */
const clt__optimizer_row *clt__optimizer_of(const clt_options *options, const char *parameter, int dimensions);

/* Whether each parameter's is the one that the model was trained with last. */
bool clt__model_has_optimizers(const clt_model *model, const clt_options *options);

/* The model's options name these optimisers from now on. Where one is not the last's all begin anew: states are zero.
 */
clt_status clt__model_set_optimizers(clt_model *model, const clt_options *options, clt_error *error);

/* Steps that were not skipped. */
static inline int64_t clt__updates_of(const clt__training_state *state)
{
    return state->total_steps - state->scaling.skipped;
}

/* The epoch that stands for what is frozen where training stands: before its first step a new one has not begun. */
int clt__running_epoch(const clt__training_state *state);

/* Parameters that the option `freeze` has frozen in this epoch are not trained from now on, all others that can be are:
 * `patterns` is copied to the options. */
clt_status clt__model_freeze(clt_model *model, const char *patterns, int epoch, clt_error *error);

/* The same in the running epoch, until clt__freeze_no_longer, which gives back what was trained before, and leaves
 * optimiser states and averages alone. *trained is what it needs. */
clt_status clt__freeze_for_now(clt_model *model, const char *patterns, bool **trained, clt_error *error);
void clt__freeze_no_longer(clt_model *model, bool *trained);

/* The average of a parameter, in files and for clt_model_get: "ema.conv1.weight". */
void clt__name_average(const clt_tensor_info *parameter, char name[128]);

/* The average of a parameter, where it has one, begins anew as the parameter, which was given other values. */
void clt__restart_average(const clt_model *model, clt__parameter_values *parameter);

/* What the model infers with: a parameter's average, or the parameter itself. */
double *clt__inferring_values(const clt_model *model, const clt__parameter_values *parameter);

/* A tensor as PyTorch would show it. */
void clt__describe_tensor(const clt__tensor *tensor, clt_tensor_info *info);

/* Gives every parameter its first value, by the rules of the option `init`; NULL for the default. */
clt_status clt__initialize(clt_model *model, const char *init, clt_error *error);

/* CLT_OK where the weight of a convolution can begin by the rule `whiten`. */
enum { CLT__MOST_WHITENED = 512 }; /* values of a patch */
clt_status clt__check_whitening(const clt_model *model, const clt__parameter_values *weight, clt_error *error);

/* Gives its first values to what whitens, from the images as the model normalises them; nothing once it has trained. */
clt_status clt__whiten(clt_model *model, const clt_dataset *data, const clt_options *options, clt_error *error);

/* CLT_OK where the pattern, which `option` gave, stands for a parameter. */
clt_status clt__check_pattern(const clt_model *model, const char *option, const char *pattern, clt_error *error);

/* CLT_OK where this is so of all that options say by name, and each parameter can have its optimiser. */
clt_status clt__check_names(const clt_model *model, const clt_options *options, clt_error *error);

/* As JSON, all of a checkpoint but the net and the tensors: normalisation, classes, the state of training, options.
 * Freed with free(). */
clt_status clt__model_to_text(const clt_model *model, char **text, clt_error *error);

/* Sets the model's mean and deviation as the options say. Once it has trained they stay: a resumed run must see the
 * same numbers. */
clt_status clt__normalize(clt_model *model, const clt_dataset *data, const clt_options *options, clt_error *error);

/* What is kept of the options that the model is trained with: those that end with the run are left out. */
clt_status clt__remember_options(clt_model *model, const clt_options *options, clt_error *error);

/* CLT_OK unless both the model and the data set name their classes, and name them differently. */
clt_status clt__check_class_names(const clt_model *model, const clt_dataset *data, clt_error *error);

#endif
