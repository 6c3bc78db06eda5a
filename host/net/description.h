/* The net language: text becomes a list of items, one a layer, each with its options resolved.
 *
 *   # comment
 *   input 1x28x28
 *   conv out=6 kernel=5 padding=2
 *   relu
 *   flatten
 *   dense out=10 as=classifier
 *   loss cross_entropy
 *
 * A layer reads the line above, or what `from=` names: lines named by `as=`, or by their kind and number, or the input.
 *
 *   conv out=8 kernel=3 padding=1 as=left
 *   conv out=8 from=input
 *   add from=left,conv1
 *
 * A line is a layer's name and its options; on a command line, commas or semicolons may stand for line ends. */
#ifndef CLT_NET_DESCRIPTION_H
#define CLT_NET_DESCRIPTION_H

#include "formats/safetensors.h"
#include "layers/layer.h"
#include "ops/loss.h"
#include "ops/update.h"

typedef struct clt__item {
    const clt__layer_row *row;
    char name[44];                /* what `as=` says, or the kind and its number among that kind: "conv1" */
    bool named;                   /* by `as=` */
    bool frozen;                  /* its parameters are not trained */
    size_t from[CLT__MAX_INPUTS]; /* what it reads: 0 for the net's input, 1 + the item's index for an item */
    int inputs;
    bool wired; /* by `from=` */
    int line;
    int value[CLT__MAX_OPTIONS][2];
} clt__item;

typedef struct clt__description {
    clt__item *item;
    size_t count, capacity;
    clt_shape input;           /* all 0 where the text does not say */
    const clt__loss_row *loss; /* NULL where the text does not say */
    clt__safetensors weights;  /* that an ONNX model came with; none of a text's */
    bool doubles;              /* those weights are of them */
    const char *left_out;      /* "softmax" or "log_softmax": the model's end, which the loss does, or NULL */
    char note[512];            /* what a user should know of the model, or "" */
    char origin[256];          /* what errors call the text: a file's path, a built-in net's name, or "net" */
} clt__description;

/* `net` is a built-in name, the path of a file, or the text itself. A built-in net's input is what it was made for: a
 * default, where a text's or a file's `input` line is binding; *binding tells which it was. Of an ONNX model: `until`,
 * which may be NULL, is the node that gives the output; `loss`, which may be too, the one that is asked for. */
clt_status clt__describe_net(const char *net, const char *until, const char *loss, clt__description *description,
                             bool *binding, clt_error *error);

/* `origin` names the text in errors: "file.net" gives "file.net:3: ...". */
clt_status clt__describe_text(const char *text, const char *origin, clt__description *description, clt_error *error);

/* The text again, in one form: a line a layer, options that are not at their default. Freed with free(). */
clt_status clt__description_text(const clt__description *description, char **text, clt_error *error);

/* The value of an item's option of that name, two numbers where that is a pair; NULL where it has none. */
int *clt__find_option_value(clt__item *item, const char *key);

/* How many inputs of layers an item's output is, and one of those layers in *user (untouched where there is none). */
int clt__count_users(const clt__description *description, size_t item, size_t *user);

void clt__description_free(clt__description *description);

/* Of a CHOICE: its words, as in "nearest|bilinear", are this many characters of its help. */
int clt__choice_length(const clt__option_row *option);
/* ... its word of this number, and how long it is; NULL where it has fewer. */
const char *clt__choice_word(const clt__option_row *option, int number, int *length);

/* NULL where there is none of that name. */
const clt__loss_row *clt__find_loss(const char *name);

/* What the description says, else cross_entropy. */
const clt__loss_row *clt__loss_of(const clt__description *description);

/* "1x28x28" */
bool clt__parse_shape(const char *text, clt_shape *shape);

#endif
