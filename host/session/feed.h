/* The data set on the device: all of it where it fits, else the part that steps are about to take.
 *
 * Then the images lie in the order in which steps take them, in two halves. While steps take images from one half, the
 * next ones are written to the other:
 *
 *   order      | chunk 0 | chunk 1 | chunk 2 | ...        each as long as half the room: whole batches
 *   device     | half 0: chunk 0, then 2, 4 ... | half 1: chunk 1, then 3, 5 ... |
 */
#ifndef CLT_SESSION_FEED_H
#define CLT_SESSION_FEED_H

#include "data/taking.h"
#include "engine/engine.h"
#include "net/net.h"

enum { CLT__FEED_TENSORS = 4 }; /* images, labels, targets, numbers */

/* It is read into host memory, then written to the device, then joined: steps that are enqueued from then on wait for
 * it. */
typedef struct clt__chunk {
    int number;   /* -1: nothing is there */
    char *images; /* being read, else NULL */
    clt__taking *taking;
    bool joined;
    clt__transfer transfer[CLT__FEED_TENSORS];
} clt__chunk;

typedef struct clt__feed {
    const clt_dataset *data;
    const clt__net *net;
    clt__engine *engine;
    int32_t *order; /* of images, as steps take them */
    int order_count;
    bool resident; /* all of the data set lies on the device */
    int half;      /* images of a chunk, where it does not */
    clt__chunk chunk[2];
    const clt_options *options; /* the session's */
    clt__workers *workers;      /* where images are decoded or cropped, else NULL */
    bool crops;                 /* at random, as `crop` says, anew in each epoch: then it is never resident */
    clt__crops crop;
} clt__feed;

/* The net has room for the whole data set or for two chunks. Only a session
 * that trains crops images. A feed that is all zeros can be closed. */
clt_status clt__feed_open(clt__feed *feed, const clt_dataset *data, const clt__net *net, clt__engine *engine,
                          const clt_options *options, bool trains, clt_error *error);
void clt__feed_close(clt__feed *feed);

/* The next steps take images in this order; `images` is copied. `epoch`: of random crops. */
clt_status clt__feed_set_order(clt__feed *feed, const int32_t *images, int count, int epoch, clt_error *error);

/* The first `count` images of the data set have changed: the next steps take those, in the data set's order. */
clt_status clt__feed_refresh(clt__feed *feed, int count, clt_error *error);

/* Where the images from position `first` of the order on lie on the device, for ops enqueued from now on. Batches do
 * not reach from one chunk into the next. */
clt_status clt__feed_find(clt__feed *feed, int first, int *position, clt_error *error);

/* After a step's results were read: whether the images that it took had all come to the device. */
clt_status clt__feed_check(clt__feed *feed, clt_error *error);

/* Waits for all writes that were begun: until the next clt__feed_find what lies on the device holds still. */
clt_status clt__feed_settle(clt__feed *feed, clt_error *error);

/* Where an output's element lies inside one image's output: labels, targets and class weights count it in the outside
 * order. */
int clt__feed_output_index(const clt__feed *feed, int outside);

#endif
