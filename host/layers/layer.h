/* A layer: a row that says what all layers of its kind share, and the layer itself in one net.
 *
 * To add one: a file here with its row, and its name in layer_list.c; its ops, where it has some of its own, are a file
 * in ops/ and one in kernels/. The net language, --help, checkpoints, `verify` and the tests read the row. */
#ifndef CLT_LAYERS_LAYER_H
#define CLT_LAYERS_LAYER_H

#include "base/text.h"
#include "engine/tape.h"
#include "onnx/writer.h"
#include "ops/activation.h"
#include "ops/join.h"
#include "ops/weighted.h"

enum { CLT__MAX_OPTIONS = 10, CLT__MAX_PARAMETERS = 4, CLT__MAX_SAVED = 9 };

typedef struct clt__layer clt__layer;

/* COUNT: one number, `out=32`. PAIR: height and width, `kernel=3` or `kernel=3x5`. FLAG: `bias=no`. REAL: a number from
 * 0 on, `momentum=0.1`, and NUMBER: one of either sign, `exponent=-0.5`, both kept as base/number.h says. CHOICE: one
 * of the words that its help begins with, as in "nearest|bilinear: how ...", kept as its number from 0. */
typedef enum clt__option_kind {
    CLT__COUNT,
    CLT__PAIR,
    CLT__FLAG,
    CLT__REAL,
    CLT__NUMBER,
    CLT__CHOICE
} clt__option_kind;

typedef struct clt__option_row {
    const char *key;
    clt__option_kind kind;
    int least;    /* the smallest value that makes sense; REAL: 1 where 0 does not; NUMBER: none */
    int fallback; /* the value where it is not given, CLT__REQUIRED or CLT__AS(...), which no number is kept as */
    const char *help;
} clt__option_row;

enum { CLT__REQUIRED = -1 }; /* it must be given */

/* The same as an option before it, that of this number; and the number again. */
#define CLT__AS(number) (-2 - (number))
#define CLT__IS_AS(fallback) ((fallback) <= CLT__AS(0) && (fallback) > CLT__AS(CLT__MAX_OPTIONS))

/* What the op tests run: one verified training step of a small net. */
typedef struct clt__case {
    int batch;
    const char *net;
} clt__case;

typedef struct clt__exported clt__exported;
typedef struct clt__scripted clt__scripted;

typedef struct clt__layer_row {
    const char *name;
    const char *help;
    clt__option_row option[CLT__MAX_OPTIONS]; /* ends with a NULL key */
    /* Checks the options against layer->in[] and sets layer->out and the parameters' extents. */
    clt_status (*shape)(clt__layer *layer, clt_error *error);
    /* Adds tensors of the layer's own (layer->saved) to the tape. NULL where it needs none. */
    clt_status (*extra)(clt__tape *tape, clt__layer *layer, clt_error *error);
    /* Append the ops of one direction to the tape. NULL: the layer only renames its input (flatten). A layer that has
     * parameters may go backward without a gradient by its input. */
    clt_status (*forward)(clt__tape *tape, const clt__layer *layer, clt_error *error);
    clt_status (*backward)(clt__tape *tape, const clt__layer *layer, clt_error *error);
    /* Puts the nodes that make e->out of e->in, as inference has it. NULL: as `training_only` says. */
    void (*onnx)(const clt__exported *e);
    /* Says what it is in PyTorch: clt__script_module, clt__script_value. */
    void (*torch)(clt__scripted *s);
    bool training_only;    /* inference passes its input on */
    bool joins;            /* takes two or more inputs, else it takes one */
    bool passes_gradient;  /* the gradient by each input is that by the output: there is no backward */
    int activation;        /* the number of an activation layer: ops/activation.h */
    bool fuses;            /* forward can apply the activation that follows */
    bool adds;             /* forward can add another value to its own: one input more */
    bool takes_activation; /* backward applies the derivative of the activation fused into its (first) input */
    bool takes_rest; /* backward can add layer->rest to its input's gradient: what the input's other readers give */
    const clt__case *cases; /* ends with a NULL net */
} clt__layer_row;

/* A value that flows from layer to layer. */
typedef struct clt__value {
    clt_shape shape;
    bool flat;      /* one vector an image; `shape` still tells how its elements lie in memory */
    int tensor;     /* index into the tape */
    int gradient;   /* the loss's gradient by it, or by the sum before `activation`; -1 where not wanted */
    int activation; /* the activation fused into whatever made it */
} clt__value;

typedef struct clt__parameter {
    const char *name; /* "weight" */
    int extent[4];    /* [o, i, h, w] */
    int shown;        /* see clt__tensor */
    int fan_in;       /* inputs of one output: what initialisation depends on; 0: it begins as `initial` throughout */
    double initial;
    int groups;           /* of a convolution's weight, else 0 */
    int dilation[2];      /* ... */
    bool state;           /* not trained, but kept by the layer's own ops (running statistics) */
    int tensor, gradient; /* gradient: -1 where all parameters of the layer are frozen */
} clt__parameter;

/* A batch whose shards normalise together. */
typedef struct clt__whole_batch {
    int images, shards; /* 1 shard: each normalises by itself */
} clt__whole_batch;

struct clt__layer {
    const clt__layer_row *row;
    char name[44];
    int line;                       /* of the net's text */
    int value[CLT__MAX_OPTIONS][2]; /* as row->option; a PAIR has both */
    int batch;
    int step; /* tensor: see STEP_VALID in kernels/params.h */
    clt__value in[CLT__MAX_INPUTS], out;
    int inputs;                /* what a layer adds to its own value (row->adds) is the last of them */
    int before;                /* tensor that keeps the sums before the fused activation, -1 where not wanted */
    int rest;                  /* tensor: see takes_rest; -1 where there is none */
    int saved[CLT__MAX_SAVED]; /* tensors of the layer's own, such as what forward leaves for backward */
    bool training;             /* else only forward ops run, on running statistics */
    clt__whole_batch whole;    /* where its shards normalise together */
    clt__parameter parameter[CLT__MAX_PARAMETERS];
    int parameters;
};

/* A layer on its way to an ONNX model. */
struct clt__exported {
    clt__onnx_writer *to;
    const clt__layer *layer;
    const char *in[CLT__MAX_INPUTS], *out;     /* what the values are called there */
    const double *values[CLT__MAX_PARAMETERS]; /* of its parameters, in the order of files */
};

/* A layer on its way to a module of PyTorch's, as lines of Python: the module that it has there, if any, and an
 * expression for what it gives. */
struct clt__scripted {
    const clt__layer *layer;
    const char *in[CLT__MAX_INPUTS]; /* what the values are called there */
    char self[64];                   /* and what its module is: "self.conv1" */
    clt__text module, value;         /* empty: there is no module; it is called with the first input */
    clt_status status;               /* the first failure's: what is said after it is lost */
    clt_error *error;
};

/* The list: one line for each layer (layer_list.c). */

extern const clt__layer_row *const clt__layer_rows[]; /* ends with NULL */
extern const clt__layer_row clt__flatten;             /* one of them: images become vectors */
extern const clt__layer_row clt__add;                 /* ... the sum of layers */

extern const clt__layer_row clt__zeropad, clt__upsample;       /* which share their ops */
extern const clt__layer_row clt__channelmean;                  /* which shares its ops with avgpool */
extern const clt__layer_row clt__log_softmax;                  /* which shares its ops with softmax */
extern const clt__layer_row clt__layernorm, clt__instancenorm; /* ... with groupnorm */
extern const clt__layer_row clt__mul, clt__sub;                /* ... with div */
extern const clt__layer_row clt__pixelunshuffle;               /* ... with pixelshuffle */
extern const clt__layer_row clt__droppath;                     /* ... with dropout */
extern const clt__layer_row clt__minimum;                      /* ... with maximum */

/* ---- helpers for layers */

/* An option that is a real number: REAL or NUMBER. */
double clt__option_number(const clt__layer *layer, int option);

/* The tensor of what a layer adds to its own value, for one that takes one input; -1 where it adds nothing. */
int clt__addend_of(const clt__layer *layer);

/* The rule of layers whose output is shaped like their input. */
clt_status clt__same_shape(clt__layer *layer, clt_error *error);
/* ... whose output is one pixel of all the channels of an image. */
clt_status clt__one_pixel(clt__layer *layer, clt_error *error);

/* Errors where the (first) input was flattened; channels are there too where that was one pixel. */
clt_status clt__check_image(const clt__layer *layer, clt_error *error);
clt_status clt__check_channels(const clt__layer *layer, clt_error *error);

/* add_concat.c: the rule of layers that join inputs of one shape, which the output has too. */
clt_status clt__joined_shape(clt__layer *layer, clt_error *error);

/* ... The tensors of all inputs, as operands: -1 beyond the last. */
void clt__list_inputs(const clt__layer *layer, int tensor[CLT__MAX_INPUTS]);

/* The fields of a sizes struct that layers with a window share: it slides over the image `from`, and `to` is what comes
 * of it. The last three are indices of options. */
#define CLT__WINDOW_SIZES(layer, from, to, kernel, stride, padding)                                                    \
    .n = (layer)->batch, .c = (from).channels, .h = (from).height, .w = (from).width, .y = (to).height,                \
    .x = (to).width, .r = (layer)->value[kernel][0], .s = (layer)->value[kernel][1],                                   \
    .stride_y = (layer)->value[stride][0], .stride_x = (layer)->value[stride][1], .pad_y = (layer)->value[padding][0], \
    .pad_x = (layer)->value[padding][1]

/* window.c */

/* A window that slides over an image. Each pointer is height and width. */
typedef struct clt__window {
    const int *reach;                 /* from the window's first to its last pixel */
    const int *stride;                /* from a window to the next */
    const int *padding, *padding_end; /* above and to the left of the image, below and to the right */
    bool ceil;                        /* the number of outputs is rounded up */
} clt__window;

/* Of a kernel whose pixels lie `dilation` apart. */
clt_status clt__window_reach(const clt__layer *layer, const int *kernel, const int *dilation, int reach[2],
                             clt_error *error);

/* Sets layer->out.shape to `channels` of (size + padding + padding_end - reach) / stride + 1 outputs each way; an error
 * where the input is no image or the window does not fit. `ceil`: the quotient is rounded up, unless the last window
 * would begin beyond the image, as PyTorch's ceil_mode has it. */
clt_status clt__slide_window(clt__layer *layer, int channels, const clt__window *window, clt_error *error);

/* What a pool asks for, once it was slid: that each window has a pixel of the image, for a maximum or a mean of none
 * there is not. PyTorch asks for a padding of at most half the kernel, which sees to the same. */
clt_status clt__check_pooled(const clt__layer *layer, const int *kernel, const int *dilation, const clt__window *window,
                             clt_error *error);

/* How many pixels beyond the image, below it (side 0) or to the right (1), the last window of a pool reaches: less than
 * 0 where there are pixels that none has. */
int clt__window_reached(const clt__layer *layer, int side, int reach, int stride, int padding);

/* weighted_layer.c: for layers whose first parameter is a weight and whose second, if any, is a bias. */
void clt__set_weight_and_bias(clt__layer *layer, const int weight[4], int shown, int fan_in, bool bias);
clt_status clt__weighted_forward(clt__tape *tape, const clt__layer *layer, const clt__weighted_ops *ops,
                                 const void *sizes, size_t sizes_bytes, clt_error *error);
clt_status clt__weighted_backward(clt__tape *tape, const clt__layer *layer, const clt__weighted_ops *ops,
                                  const void *sizes, size_t sizes_bytes, clt_error *error);

/* activations_onnx.c: the row's function of all activations. */
void clt__export_activation(const clt__exported *e);

/* exported.c: what layers share on their way to an ONNX model. Each gives the name of what it puts. */

/* A parameter, shaped as PyTorch shows it; one number a channel, shaped so that it meets the channels of a value. */
const char *clt__export_parameter(const clt__exported *e, int parameter);
const char *clt__export_by_channel(const clt__exported *e, int parameter);

/* Input `input` as an image: a vector becomes one pixel. */
const char *clt__export_image(const clt__exported *e, int input);

/* A name for what the layer makes on the way. */
const char *clt__export_name(const clt__exported *e, const char *what);

/* A Pad node from the layer's input to `to`; value: the name of a constant, or NULL. */
void clt__export_pads(const clt__exported *e, const char *to, const int *before, const int *after, const char *value);

/* The attributes of a Resize node; the rounding is of what is nearest. */
void clt__export_grid(const clt__exported *e, const char *mode, const char *grid);

/* A tensor of the same number throughout. */
const char *clt__export_repeated(const clt__exported *e, const char *what, int dims, const int *dim, double value);

/* A Reshape node; dimension 0 is 0, which leaves the batch as it is. Gives the name of what it gives. */
const char *clt__export_reshape(const clt__exported *e, const char *from, const char *to, int dims, const int *dim);

/* The attributes of a window. */
void clt__export_window(const clt__exported *e, const int *kernel, const int *stride, const int *padding,
                        const int *padding_end);

/* scripted.c: what layers share on their way to PyTorch. */

void clt__script_module(clt__scripted *s, const char *format, ...) CLT__PRINTF(2, 3);
void clt__script_value(clt__scripted *s, const char *format, ...) CLT__PRINTF(2, 3);

/* Whether a padding is the same on both sides, as PyTorch's modules take it. */
bool clt__script_pads_alike(const int *before, const int *after);

/* "True" or "False". */
const char *clt__script_flag(bool flag);

/* Input `input` as an image, which a vector is one pixel of. */
const char *clt__script_image(clt__scripted *s, int input, char text[96]);

/* activations_torch.c: the row's function of all activations. */
void clt__script_activation(clt__scripted *s);

#endif
