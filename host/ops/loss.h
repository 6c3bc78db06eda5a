/* Losses, each with the history that a step adds to. */
#ifndef CLT_OPS_LOSS_H
#define CLT_OPS_LOSS_H

#include "engine/op.h"

enum {
    LOSS_OUTPUTS,
    LOSS_LABEL,
    LOSS_TARGET,
    LOSS_STEP,
    LOSS_GRADIENT,
    LOSS_LOSS,
    LOSS_HIT,
    LOSS_HISTORY, /* this and the next may be absent */
    LOSS_SCALE,
    LOSS_CLASS_WEIGHT, /* this and the next: of losses of_classes only, and may be absent */
    LOSS_MEAN_WEIGHT,
    LOSS_OPERANDS = LOSS_CLASS_WEIGHT,
    LOSS_OPERANDS_OF_CLASSES = LOSS_MEAN_WEIGHT + 1
};
enum { MEAN_WEIGHT_LABELS, MEAN_WEIGHT_ORDER, MEAN_WEIGHT_STEP, MEAN_WEIGHT_CLASS_WEIGHT, MEAN_WEIGHT_MEAN };

typedef struct clt__loss_row {
    const char *name;
    const char *help;
    const clt__op_row *op;
    bool probabilities; /* real targets are from 0 to 1 */
    bool of_classes;    /* the outputs are classes: it obeys label smoothing and class weights */
} clt__loss_row;

extern const clt__loss_row *const clt__loss_rows[]; /* ends with NULL */

extern const clt__op_row clt__mean_weight_op;

/* The loss of one image's outputs, by the row's twin, against its class label or (NULL) its real targets. `gradient`
 * has room for that by the outputs. */
double clt__image_loss(const clt__loss_row *row, const double *outputs, int count, const int32_t *label,
                       const double *target, double *gradient);

#endif
