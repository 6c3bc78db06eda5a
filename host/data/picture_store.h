/* Image files that are decoded when they are needed, and stay in memory as far as there is room. Any number of threads
 * may bring images at a time. */
#ifndef CLT_DATA_PICTURE_STORE_H
#define CLT_DATA_PICTURE_STORE_H

#include "data/framing.h"
#include "data/picture_list.h"

typedef struct clt__picture_store clt__picture_store;

/* How its pictures become images. */
typedef struct clt__picture_use {
    clt__picture_info wanted;
    double eval_crop;  /* of those that are not cropped at random: see clt__frame_centre; 0: all of the picture */
    clt__range random; /* the share of random crops that are to come; all 0: none, and finished images are kept */
    bool exif, skip_bad;
    uint64_t room; /* bytes of images that stay in memory */
} clt__picture_use;

/* Takes the list over, also where it fails. */
clt_status clt__store_open(clt__picture_list *list, const clt__picture_use *use, clt__picture_store **store,
                           clt_error *error);

/* Each user closes it. */
void clt__store_share(clt__picture_store *store);
void clt__store_close(clt__picture_store *store);

/* Brings one image to `to`, [height, width, channels] as wanted; by a random crop where `crops` is not NULL. Where the
 * file turns out to be bad this is remembered, and `to` is black; an error, that it cannot be opened any more. */
clt_status clt__store_bring(clt__picture_store *store, size_t image, const clt__crops *crops, uint8_t *to,
                            clt_error *error);

/* From now on what is dark comes as light. */
void clt__store_invert(clt__picture_store *store);

bool clt__store_is_bad(clt__picture_store *store, size_t image);

/* What is to be said of the bad files that were found so far: see clt__picture_list_judge. `options` may be NULL: then
 * there is nobody to be told a note. */
clt_status clt__store_judge(clt__picture_store *store, const clt_options *options, clt_error *error);

/* Forgets the bad files that were found so far: the others move up. Nobody else may be using the store. */
void clt__store_drop_bad(clt__picture_store *store);

/* Its files. */
const clt__picture_list *clt__store_list(const clt__picture_store *store);

#endif
