/* A graph of ONNX on its way to a net's text: its values, and the lines that are written.
 *
 * Every value is a constant, which is computed as the file is read; or it flows: it is what a line of the net gives,
 * seen through a view; or it is unknown, as the node that makes it cannot be written in the net language. Nodes that
 * cannot are collected, so that one error names them all. */
#ifndef CLT_ONNX_GRAPH_H
#define CLT_ONNX_GRAPH_H

#include "base/text.h"
#include "formats/safetensors.h"
#include "onnx/model_file.h"
#include "onnx/view.h"

typedef enum clt__onnx_kind {
    CLT__ONNX_ABSENT, /* an optional input that is not there */
    CLT__ONNX_CONSTANT,
    CLT__ONNX_FLOWS,
    CLT__ONNX_UNKNOWN
} clt__onnx_kind;

enum { CLT__ONNX_INPUT = -1 }; /* a line: the net's input */

typedef struct clt__onnx_value {
    const char *name;
    clt__onnx_kind kind;
    clt__onnx_tensor constant;
    int line;        /* what flows: index of the line that gives it */
    clt_shape shape; /* of that line's images */
    clt__view view;
    int users;  /* nodes that read it */
    int unread; /* those of them that have not yet, of a constant */
} clt__onnx_value;

typedef struct clt__onnx_line {
    char kind[32];
    char wanted[128]; /* what it should be called, or "" */
    char name[44];    /* what it is called, once all lines are there */
    bool named;       /* so by `as=`, else it is what the net language calls it */
    char *options;    /* behind the kind: " out=3" */
    int input[8], inputs;
    clt_shape shape;      /* of what it gives */
    bool flat;            /* it gives a vector, though of what was an image maybe */
    bool takes_bias;      /* it adds none yet: a constant added to what it gives can be its bias */
    double factor, shift; /* of a line that multiplies by, or adds, one number and does no more; else 0 */
    bool read;            /* what the net gives depends on it */
} clt__onnx_line;

/* Nodes of one kind that cannot be, for one reason. */
typedef struct clt__onnx_refusal {
    const char *type;
    char reason[200];
    char names[3][64];
    int count;
} clt__onnx_refusal;

typedef struct clt__onnx_graph {
    const clt__onnx_file *file;
    int64_t opset, batch;
    uint64_t constants; /* elements of all initialisers */
    uint64_t computed;  /* and of what was computed of them */
    uint64_t filled;    /* and of tensors of one number that became weights, of which there may be */
    uint64_t most_filled;
    clt__onnx_value *value;
    size_t values;
    size_t *slot; /* a hash table of values by name: index + 1, or 0 */
    size_t slots;
    clt__onnx_line *line;
    size_t lines, line_capacity;
    clt__onnx_refusal *refusal;
    size_t refusals, refusal_capacity;
    clt__safetensors *weights;
} clt__onnx_graph;

/* Once all is written: names the lines that `output` needs, and their weights after them; the others go. */
clt_status clt__onnx_name_lines(clt__onnx_graph *graph, int output, clt_error *error);

/* A float in the fewest digits that mean it. */
const char *clt__onnx_number(double value, char text[32]);

/* import.c: NULL where there is none of that name. */
clt__onnx_value *clt__onnx_find(const clt__onnx_graph *graph, const char *name);

/* ---- a node's parts */

typedef Onnx__NodeProto clt__onnx_node;

/* A node in the making. A handler that cannot write it says why with clt__onnx_refuse and returns CLT_OK. */
typedef struct clt__onnx_work {
    clt__onnx_graph *graph;
    const clt__onnx_node *node;
    const char *kind; /* as the row of its type has it */
} clt__onnx_work;

/* Input and output of this number; an input that is not there is absent, an output that nobody names NULL. */
clt__onnx_value *clt__onnx_input(const clt__onnx_work *work, size_t number);
clt__onnx_value *clt__onnx_output(const clt__onnx_work *work, size_t number);
bool clt__onnx_flows(const clt__onnx_value *value);
bool clt__onnx_is_constant(const clt__onnx_value *value);

/* Whether a constant is trained rather than part of the formula, as exporters show by the names of initialisers:
 * PyTorch's parameters have a dot in theirs, Keras's a slash; "/conv1/ones" is a constant. */
bool clt__onnx_is_parameter(const clt__onnx_work *work, const clt__onnx_value *value);

int64_t clt__onnx_int(const clt__onnx_work *work, const char *name, int64_t otherwise);
double clt__onnx_float(const clt__onnx_work *work, const char *name, double otherwise);
bool clt__onnx_is_word(const clt__onnx_work *work, const char *name, const char *word);
bool clt__onnx_has(const clt__onnx_work *work, const char *name);
/* A list of at most `most`; the number of its elements, -1 where it has more, 0 where it is not there. */
int clt__onnx_ints(const clt__onnx_work *work, const char *name, int64_t *list, int most);
const Onnx__TensorProto *clt__onnx_tensor_attribute(const clt__onnx_work *work, const char *name);

/* What older opsets have as an attribute and newer ones as an input: see clt__onnx_ints. */
int clt__onnx_axes(const clt__onnx_work *work, const char *attribute, size_t input, int64_t *list, int most);

/* An axis counted from the end is one from the start; -1 where there is none such. */
int clt__onnx_axis(int64_t axis, int rank);

/* The node cannot be: what it gives is unknown, and it is counted. */
clt_status clt__onnx_refuse(const clt__onnx_work *work, clt_error *error, const char *format, ...) CLT__PRINTF(3, 4);

/* ---- what a node gives */

clt_status clt__onnx_give_constant(const clt__onnx_work *work, size_t output, clt__onnx_tensor *tensor);
/* What flows already, seen otherwise. */
clt_status clt__onnx_give_view(const clt__onnx_work *work, size_t output, const clt__onnx_value *from,
                               const clt__view *view);

/* What a line gives, so seen. */
clt_status clt__onnx_give_made(const clt__onnx_work *work, size_t output, int line, const clt__view *view);

/* A line of the net that reads `inputs` lines; `name` is what it should be called, or NULL. Gives its index. */
clt_status clt__onnx_write(clt__onnx_graph *graph, const char *kind, const char *name, const int *input, int inputs,
                           clt_shape shape, int *line, clt_error *error, const char *options, ...) CLT__PRINTF(9, 10);

/* The same, without a name, of a line that reads the line *line alone, and that *line then is. */
clt_status clt__onnx_follow(clt__onnx_graph *graph, const char *kind, int *line, clt_shape shape, clt_error *error,
                            const char *options, ...) CLT__PRINTF(6, 7);

/* The same of one value, given as output 0 with that view (NULL: images of the rank that the input has). */
clt_status clt__onnx_give_line(const clt__onnx_work *work, const clt__onnx_value *from, const char *kind,
                               clt_shape shape, const clt__view *view, clt_error *error, const char *options, ...)
    CLT__PRINTF(7, 8);

/* One more option, written with a blank before it. */
clt_status clt__onnx_add_option(clt__onnx_line *line, clt_error *error, const char *format, ...) CLT__PRINTF(3, 4);

/* Whether the layer has a number of its own for each element of an image. */
bool clt__onnx_is_by_element(const clt__onnx_line *line);

/* The shape that files have `count` numbers of a line in: [c, h, w] where they are an image's, else they are in a row.
 * Gives how many extents that has. */
int clt__onnx_numbers_shape(const clt__onnx_graph *graph, int line, int64_t count, int64_t extent[3]);

/* A parameter of a line, in the order of files; the extents' product is its values' number. Until all lines are there
 * it is called after the line's index: "12.weight". */
clt_status clt__onnx_add_weight(clt__onnx_graph *graph, int line, const char *name, int dimensions,
                                const int64_t *extent, const double *values, clt_error *error);

/* The same from a constant. */
clt_status clt__onnx_add_constant(clt__onnx_graph *graph, int line, const char *name, int dimensions,
                                  const int64_t *extent, const clt__onnx_tensor *from, clt_error *error);

/* A tensor of one number throughout becomes weights: an error where such come to more than any model needs. */
clt_status clt__onnx_count_filled(clt__onnx_graph *graph, const clt__onnx_tensor *tensor, clt_error *error);

/* Where the channels of a value that flows, or its channels and pixels, are shuffled, they are put in order, for all
 * who read that value. */
clt_status clt__onnx_in_order(const clt__onnx_work *work, clt__onnx_value *value, clt_error *error);

/* Dimension `axis` becomes all of the channels, and the others in their order rows and columns, by layers that move
 * elements. Not `laid` where that is no image's dimension, or the batch is not dimension 0 alone. */
clt_status clt__onnx_lay_out(const clt__onnx_work *work, clt__onnx_value *value, int axis, bool *laid,
                             clt_error *error);

/* A vector becomes the image that its shape says, by a layer; an image stays. */
clt_status clt__onnx_unflatten(const clt__onnx_work *work, clt__onnx_value *value, clt_error *error);

/* By a layer each: axes change places, axis order[0] of channels, rows and columns becoming the channels; rows and
 * columns are repeated so many times. Neither looks at the value's view. */
clt_status clt__onnx_permute(const clt__onnx_work *work, clt__onnx_value *value, const int order[3], clt_error *error);
clt_status clt__onnx_repeat(const clt__onnx_work *work, clt__onnx_value *value, int rows, int columns,
                            clt_error *error);

/* Values whose channels are dimension `axis`, joined along them. */
clt_status clt__onnx_join(const clt__onnx_work *work, const clt__onnx_value *parts, size_t count, int axis,
                          clt__onnx_value *joined, clt_error *error);

/* Elements in their order become images of another shape, of two to four dimensions, by a layer. Not `done` where the
 * batch is not dimension 0 alone, before and after. */
clt_status clt__onnx_reshape(const clt__onnx_work *work, clt__onnx_value *value, int rank, const int64_t *dim,
                             bool *done, clt_error *error);

/* A value as images whose channels are dimension 1, as convolutions take them: shuffled channels are put in order. An
 * image's elements in a row, [n, c h w], are as good: they are flattened, and each is a channel. False, and the node is
 * refused, where it is neither. */
clt_status clt__onnx_as_image(const clt__onnx_work *work, const clt__onnx_value *value, clt__onnx_value *image,
                              bool *is_image, clt_error *error);

/* The layer that a parameter belongs to, by its name: "conv1" of "conv1.weight" and "conv1.bias". False, and nothing is
 * written, where it is called otherwise. */
bool clt__onnx_parameter_of(const char *parameter, char *name, size_t room);

/* The part of an initialiser's name before its last dot: what PyTorch calls the layer; else the node's own. */
const char *clt__onnx_layer_name(const clt__onnx_work *work, size_t input, char *name, size_t room);

/* ---- the handlers, by type of node */

typedef clt_status (*clt__onnx_handler)(const clt__onnx_work *work, clt_error *error);

typedef struct clt__onnx_row {
    const char *type;
    clt__onnx_handler handle;
    const char *kind; /* of the layer that it becomes, or a sign, where the handler serves several types of node */
} clt__onnx_row;

/* Each list ends with NULL. */
extern const clt__onnx_row clt__onnx_weighted_rows[], clt__onnx_pool_rows[], clt__onnx_norm_rows[],
    clt__onnx_element_rows[], clt__onnx_shape_rows[], clt__onnx_part_rows[], clt__onnx_resize_rows[],
    clt__onnx_join_rows[];

#endif
