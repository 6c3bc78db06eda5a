/* Batch normalisation as inference has it: a factor and a shift a channel, which become part of the layer before. */
#ifndef CLT_MODEL_FOLD_NORMS_H
#define CLT_MODEL_FOLD_NORMS_H

#include "model/model.h"

/* The model without those that stand alone behind a convolution, a transposed one or a dense layer, whose weights and
 * biases it gives other values: those that the model infers with. */
clt_status clt__fold_norms(const clt_model *model, clt_model **folded, clt_error *error);

/* The same for a model that was made so before: its values follow the model's. */
void clt__fold_norms_again(const clt_model *model, clt_model *folded);

/* The folded model's net, freed with clt__description_free. */
clt_status clt__describe_folded(const clt__description *d, clt__description *folded, clt_error *error);

bool clt__has_norms_to_fold(const clt_model *model);

#endif
