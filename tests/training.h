/* What the tests of training and of checkpoints share: a small net, its data, and both devices. */
#ifndef CLT_TESTS_TRAINING_H
#define CLT_TESTS_TRAINING_H

#include "support.h"

enum { IMAGES = 70, BATCH = 16, STEPS = 5, CLASSES = 3, MOST_STEPS = 128 }; /* the last batch has 6 images */

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

/* Both models' values of a parameter, and how many there are. */
enum { MOST_OF_ONE = 1024 };
size_t get_from_both(const clt_model *one, const clt_model *other, size_t parameter, double a[MOST_OF_ONE],
                     double b[MOST_OF_ONE]);

/* The largest difference between two models' parameters, over the largest value. */
double distance(const clt_model *one, const clt_model *other);

/* ---- a run that is interrupted, of `dropping_net`: what is drawn at random for each step a resumed run draws again */

extern const char dropping_net[];

/* A run with all that has a state: momentum, a schedule, warm-up, shuffling, validation, random changes to images. */
clt_options stateful_options(const char *folder);

/* Stops at a step of an epoch (0: at its end), or copies the checkpoint there. */
typedef struct interruption {
    int epoch, step;
    const char *copy_from, *copy_to; /* NULL: stop */
    int calls;
} interruption;

/* A progress function, whose user is an interruption. */
bool interrupt(void *user, const clt_progress *progress);

/* Trains by the options until that step of the epoch (0: its end), where the run says the sentence. */
void stop_run(clt_options options, int epoch, int step, const char *sentence);

/* The same with stateful_options. */
void stop_at(const char *folder, int epoch, int step, const char *sentence);

/* Goes on with the folder's last checkpoint, by its own options, to its end. */
void resume(const char *folder);

/* From folder to folder, where there is such a file. */
void copy_file(const char *from_folder, const char *to_folder, const char *name);

void assert_same_file(const char *one_folder, const char *other_folder, const char *name);

/* But for the time that epochs took, when they ended and how fast that was. */
void assert_same_metrics(const char *one_folder, const char *other_folder);

/* The same checkpoints, net and metrics. */
void assert_same_run(const char *one_folder, const char *other_folder);

/* ---- what a run tells */

/* The losses of a --log-steps file in the temporary folder, and how many there are. */
int read_log(const char *name, double losses[MOST_STEPS]);

/* Step losses of a net that does not learn: they tell which images each step took. */
void log_orders(bool shuffle, uint64_t seed, double losses[MOST_STEPS]);

typedef struct rate_notes {
    double rate[MOST_STEPS];
    int steps, epochs;
    double loss, accuracy; /* at the end of the last epoch */
    bool best[MOST_STEPS]; /* of each epoch */
    double validation_loss[MOST_STEPS];
    int steps_in_epoch;
} rate_notes;

/* A progress function, whose user are such notes; it counts on save_every = 1. */
bool note_rate(void *user, const clt_progress *progress);

/* Trains `net`. */
rate_notes train_noting(clt_options options, clt_precision precision, clt_device *on);

#endif
