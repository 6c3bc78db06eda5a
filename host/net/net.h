/* A description becomes a graph of layers with shapes, and a tape: the tensors and the ops of one step.
 *
 *   op   0          | batch: gather, normalise, augment (input.c); what layers kept before the step
 *        forward    | every layer, first to last
 *        backward   | loss and history, every layer last to first; the sum over a shard's micro-batches
 *        gather     | the sum over shards
 *        unscale    | what layers keep; gradients of a scaled loss are divided by the scale
 *        measure    | the gradient's norm, for steps that measure it
 *        update     | gradient norm, optimiser
 *        end        |
 */
#ifndef CLT_NET_NET_H
#define CLT_NET_NET_H

#include "net/description.h"
#include "options/options.h"

/* What is built beyond the layers themselves. */
typedef struct clt__net_options {
    clt_shape input;
    int batch;
    int images;       /* images of the data set (or of a window on it) that lie on the device */
    bool bytes;       /* the data set's images are bytes */
    int targets;      /* real targets of an image, 0 for class labels */
    bool training;    /* else the tape ends with the forward ops */
    bool as_inferred; /* training: layers that only training has (dropout) pass their input on, as in inference */
    const clt__loss_row *loss;
    const clt__optimizer_row *optimizer;
    const char *optimizers; /* "PATTERN=NAME,...": other ones, of parameters of such names; NULL for none */
    int ns_steps;           /* Newton-Schulz iterations of muon */
    bool normalize_filters; /* by muon */
    bool rates;             /* parameters have learning rates of their own */
    bool nesterov, clip, clip_value;
    bool measures;   /* the gradient's norm */
    bool average;    /* keep a moving average of the parameters */
    bool decay_some; /* parameters have shares of the weight decay of their own */
    double label_smoothing;
    bool weighs_classes; /* the loss */
    clt__augment augment;
    const char *freeze;     /* the option: parameters of such names are not trained */
    int epoch;              /* that it is obeyed for */
    bool accumulate;        /* a shard is computed in micro-batches, whose gradients are added up */
    int shards;             /* parts of a batch whose gradients are added up in their order before an update, or 1 */
    clt__whole_batch whole; /* its shards: 0 or 1 where they do not normalise together */
    int banks;              /* shards of this device, whose memory lies side by side where they do */
    bool halves;            /* activations, their gradients and images on their way to the net are kept as halves */
    bool keep_tensors;      /* every tensor stays until the step's end, the sums before fused activations included */
    bool merges;            /* the device runs neighbouring ops by the same launches: clt__merging */
    uint64_t most;          /* elements that may lie in one piece of memory */
    bool input_gradient;    /* compute the gradient by the input too: for tests */
} clt__net_options;

/* The most steps that the history has room for; and how many it has where batches have so many shards, each with a row
 * in every slot. */
enum { CLT__HISTORY_SLOTS = 1024 };
int clt__history_slots(int shards);

/* How gradients come back to a value: each use of it makes a part, and the parts are added up. */
typedef struct clt__flow {
    bool wanted; /* something trainable lies before the value */
    int uses;    /* inputs of layers that it is */
    int taker;   /* of several: the layer whose backward op adds what the others give, -1 where none can */
    int *part;   /* [parts] tensors, the last use's first */
    int parts;
    size_t capacity;
} clt__flow;

/* An optimiser that some of the trained parameters have, or all. */
typedef struct clt__updater {
    const clt__optimizer_row *optimizer;
    int hyper; /* the numbers that it reads */
} clt__updater;

typedef struct clt__net {
    clt__tape tape;
    clt__layer *layer;
    int layers;
    clt__flow *flow; /* [flows] of each tensor of the forward ops; NULL without training */
    size_t flows;
    clt__value input, output;
    /* op ranges; from `backward` on the same without training */
    size_t forward, backward, gather, unscale, measure, update, end;
    /* tensors, -1 where the net does not have them */
    int parameters, gradients, frozen; /* roots */
    int running;                     /* root of what layers' own ops keep, where batches have shards; else in frozen */
    int running_before, running_sum; /* before the step, and over its shards; laid out as it */
    int of_shard;                    /* the sum of a shard's gradients: `gradients` where it is no sum */
    int of_batch;                    /* the sum of a batch's */
    int state[CLT__MAX_STATES];      /* the optimiser's, laid out as `parameters` */
    int average;                     /* of the parameters, laid out as them */
    int images, labels, targets, order, step, normalize; /* data */
    int number;                                          /* in the data set, of the image at each place of the order */
    int label, target;                                   /* of the batch, as the loss takes them */
    int class_weight, mean_weight;
    clt__updater updater[CLT__MAX_OPTIMIZERS];
    int updaters;
    int loss, hit, history, hyper, scale; /* hyper: the first updater's */
    int loss_scale, overflown;            /* see kernels/update.cl, unscale: -1 where the loss is not scaled */
    int norms;                            /* of gradients, where steps measure them */
    int matrices;                         /* that muon takes: see kernels/muon.cl */
    int decays, rates, takers;            /* see kernels/update.cl */
    int segments, owners; /* see clt__net_trained: where each trained tensor lies, and whose each UPDATE_BLOCK is */
} clt__net;

clt_status clt__net_build(const clt__description *description, const clt__net_options *options, clt__net *net,
                          clt_error *error);
/* The net for one image at a time, without training: its layers, shapes and parameters. */
clt_status clt__net_outline(const clt__description *description, clt__net *net, clt_error *error);
/* The next trained tensor after tape tensor `after` (-1: the first), in the order in which they lie; -1 after the last.
 */
int clt__net_trained(const clt__net *net, int after);

/* A row of the matrices that muon takes, for a tensor that it takes; the next ones follow at *place and *gram. */
void clt__net_matrix(const clt__tensor *tensor, int *place, int *gram, int32_t row[MATRIX_LENGTH]);

/* False for one that only renames its input, or is fused into the layer it reads. */
bool clt__net_has_own_ops(const clt__layer *layer);

void clt__net_free(clt__net *net);

#endif
