/* The lists: adding a layer, a loss or an optimiser is a line here beside its own file. */
#include "layers/layer.h"

extern const clt__layer_row clt__conv, clt__dense, clt__batchnorm, clt__maxpool, clt__flatten;
extern const clt__layer_row clt__relu, clt__sigmoid, clt__tanh, clt__sigmoid_notebook;
extern const clt__loss_row clt__cross_entropy, clt__mse, clt__half_mse;
extern const clt__optimizer_row clt__sgd;

const clt__layer_row *const clt__layer_rows[] = {
    &clt__conv, &clt__dense,   &clt__batchnorm, &clt__maxpool,          &clt__flatten,
    &clt__relu, &clt__sigmoid, &clt__tanh,      &clt__sigmoid_notebook, NULL,
};

const clt__loss_row *const clt__loss_rows[] = {&clt__cross_entropy, &clt__mse, &clt__half_mse, NULL};

const clt__optimizer_row *const clt__optimizer_rows[] = {&clt__sgd, NULL};
