/* What the tests of training and of checkpoints share: a small net, its data, and both devices. */
#ifndef CLT_TESTS_TRAINING_H
#define CLT_TESTS_TRAINING_H

#include "support.h"

enum { IMAGES = 70, BATCH = 16, STEPS = 5, CLASSES = 3, MOST_STEPS = 64 }; /* the last batch has 6 images */

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

extern const char net[];
extern const clt_shape shape;
extern clt_device *device, *reference;
extern clt_dataset *images, *validation;

/* Group setup and teardown: the above, and a temporary folder. */
int set_up(void **state);
int tear_down(void **state);

/* Batches of BATCH; `folder` in the temporary folder, or NULL. */
clt_options options_for(int epochs, const char *folder);

void train(clt_model *model, clt_device *on, const clt_options *options);

/* The path of a file in a folder of the temporary folder, and whether a path exists. */
const char *file_in(const char *folder, const char *name);
bool exists(const char *path);

/* The checkpoint. */
clt_model *load(const char *folder, const char *name);

/* The largest difference between two models' parameters, over the largest value. */
double distance(const clt_model *one, const clt_model *other);

#endif
