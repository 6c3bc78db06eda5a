#include "data/picture_store.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

struct clt__picture_store {
    clt__picture_list list;
    clt__picture_use use;
    pthread_mutex_t lock; /* of all that follows, and of what is bad */
    size_t users;
    bool inverted;
    size_t told;            /* how many bad files there were when a note told of them */
    size_t ends, ends_told; /* how many lack their end, and how many there were when a note told of them */
    uint64_t held;          /* bytes of pixels that are kept */
    clt__picture *kept;     /* [count]; without pixels where it is not in memory */
};

clt_status clt__store_open(clt__picture_list *list, const clt__picture_use *use, clt__picture_store **store,
                           clt_error *error)
{
    clt__picture_store *fresh;
    *store = NULL;
    clt_status status = clt__allocate(1, sizeof *fresh, "a store of images", &fresh, error);
    if (status == CLT_OK)
        status = clt__allocate(list->count, sizeof *fresh->kept, "a store of images", &fresh->kept, error);
    if (status != CLT_OK) {
        free(fresh);
        clt__picture_list_free(list);
        return status;
    }
    fresh->list = *list;
    fresh->use = *use;
    fresh->users = 1;
    (void)pthread_mutex_init(&fresh->lock, NULL);
    *list = (clt__picture_list){0};
    *store = fresh;
    return CLT_OK;
}

void clt__store_share(clt__picture_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    store->users++;
    (void)pthread_mutex_unlock(&store->lock);
}

void clt__store_close(clt__picture_store *store)
{
    if (!store) return;
    (void)pthread_mutex_lock(&store->lock);
    const bool last = --store->users == 0;
    (void)pthread_mutex_unlock(&store->lock);
    if (!last) return;
    for (size_t i = 0; i < store->list.count; i++) free(store->kept[i].pixels);
    free(store->kept);
    clt__picture_list_free(&store->list);
    (void)pthread_mutex_destroy(&store->lock);
    free(store);
}

/* ---- what is kept */

static clt__picture find_kept(clt__picture_store *store, size_t image)
{
    (void)pthread_mutex_lock(&store->lock);
    const clt__picture kept = store->kept[image];
    (void)pthread_mutex_unlock(&store->lock);
    return kept;
}

static size_t size_of(const clt__picture_info *info)
{
    return (size_t)info->width * (size_t)info->height * (size_t)info->channels;
}

/* Takes the pixels over if there is room for them; what is kept stays until the store is closed. */
static bool keep(clt__picture_store *store, size_t image, const clt__picture *picture)
{
    const uint64_t size = size_of(&picture->info);
    (void)pthread_mutex_lock(&store->lock);
    const bool fits = !store->kept[image].pixels && store->use.room - store->held >= size;
    if (fits) {
        store->kept[image] = *picture;
        store->held += size;
    }
    (void)pthread_mutex_unlock(&store->lock);
    return fits;
}

static void keep_copy(clt__picture_store *store, size_t image, const uint8_t *pixels)
{
    const clt__picture_info *info = &store->use.wanted;
    (void)pthread_mutex_lock(&store->lock);
    const bool room = !store->kept[image].pixels && store->use.room - store->held >= size_of(info);
    (void)pthread_mutex_unlock(&store->lock);
    clt__picture copy = {.info = *info, .pixels = room ? malloc(size_of(info)) : NULL};
    if (!copy.pixels) return;
    memcpy(copy.pixels, pixels, size_of(info));
    if (!keep(store, image, &copy)) free(copy.pixels);
}

/* ---- decoding */

/* Which part of a picture as large as this is taken. */
static clt__frame frame_of(const clt__picture_store *store, const clt__picture_info *info, const clt__crops *crops,
                           size_t image)
{
    if (crops) return clt__frame_random(info->width, info->height, crops, image);
    if (store->use.eval_crop > 0)
        return clt__frame_centre(info->width, info->height, &store->use.wanted, store->use.eval_crop);
    return clt__frame_whole(info->width, info->height);
}

/* How small a picture may be made so that the part that is taken is no smaller than what is wanted. Of random crops it
 * is as small as suits any of them: what is kept serves all. */
static clt__picture_wish wish_for(const clt__picture_store *store, const clt__picture_info *info,
                                  const clt__crops *crops)
{
    const clt__picture_info *wanted = &store->use.wanted;
    clt__frame part = frame_of(store, info, NULL, 0);
    if (crops) part.width = part.height = clt__frame_random_least(info->width, info->height, crops);
    clt__picture_wish wish = {.no_exif = !store->use.exif, .least_width = info->width, .least_height = info->height};
    if (part.width > wanted->width) wish.least_width = (int)ceil(info->width * wanted->width / part.width);
    if (part.height > wanted->height) wish.least_height = (int)ceil(info->height * wanted->height / part.height);
    return wish;
}

/* The frame lies in the whole picture, of which this is a smaller version. */
static clt_status fit(const clt__picture_store *store, size_t image, const clt__crops *crops,
                      const clt__picture *picture, uint8_t *to, clt_error *error)
{
    const clt__picture_info *whole = &store->list.entry[image].info;
    const double across = (double)picture->info.width / whole->width,
                 down = (double)picture->info.height / whole->height;
    clt__frame frame = frame_of(store, whole, crops, image);
    frame.left *= across;
    frame.width *= across;
    frame.top *= down;
    frame.height *= down;
    return clt__picture_fit(picture, &frame, &store->use.wanted, to, error);
}

static clt_status decode(const clt__picture_store *store, size_t image, const clt__crops *crops, clt__picture *picture,
                         clt_error *error)
{
    const clt__picture_entry *entry = &store->list.entry[image];
    const clt__picture_wish wish = wish_for(store, &entry->info, crops);
    return clt__picture_read(entry->path, &wish, picture, error);
}

/* ---- bringing */

/* Whole pictures are kept where random crops are to come, and serve those alone; finished images where not. */
static bool keeps_whole(const clt__picture_store *store)
{
    return store->use.random.least > 0;
}

static void remember_end(clt__picture_store *store, size_t image)
{
    (void)pthread_mutex_lock(&store->lock);
    bool *lacks = &store->list.entry[image].lacks_end;
    store->ends += !*lacks;
    *lacks = true;
    (void)pthread_mutex_unlock(&store->lock);
}

static clt_status bring(clt__picture_store *store, size_t image, const clt__crops *crops, uint8_t *to, clt_error *error)
{
    const bool whole = keeps_whole(store), serves = whole == (crops != NULL); /* what is kept */
    clt__picture picture = serves ? find_kept(store, image) : (clt__picture){.pixels = NULL};
    if (picture.pixels && whole) return fit(store, image, crops, &picture, to, error);
    if (picture.pixels) {
        memcpy(to, picture.pixels, size_of(&picture.info));
        return CLT_OK;
    }
    TRY(decode(store, image, crops, &picture, error));
    if (picture.info.lacks_end) remember_end(store, image);
    const clt_status status = fit(store, image, crops, &picture, to, error);
    const bool keeps = serves && status == CLT_OK;
    if (keeps && !whole) keep_copy(store, image, to);
    if (!(keeps && whole && keep(store, image, &picture))) free(picture.pixels);
    return status;
}

static clt_status remember_bad(clt__picture_store *store, size_t image, const clt_error *why, clt_error *error)
{
    char *copy;
    TRY(clt__copy_text(why->message, &copy, error));
    (void)pthread_mutex_lock(&store->lock);
    char **bad = &store->list.entry[image].bad;
    if (*bad)
        free(copy);
    else
        *bad = copy;
    (void)pthread_mutex_unlock(&store->lock);
    return CLT_OK;
}

clt_status clt__store_bring(clt__picture_store *store, size_t image, const clt__crops *crops, uint8_t *to,
                            clt_error *error)
{
    clt_error why;
    if (!clt__store_is_bad(store, image)) {
        const clt_status status = bring(store, image, crops, to, &why);
        if (status == CLT_OK && store->inverted) clt__invert_bytes(to, size_of(&store->use.wanted));
        if (status == CLT_OK) return CLT_OK;
        const char *path = store->list.entry[image].path;
        if (status != CLT_BAD_FILE) return clt__pass_on(&why, error);
        if (access(path, R_OK))
            return FAIL(error, CLT_BAD_FILE, "%s: cannot be read any more: %s", path, strerror(errno));
        TRY(remember_bad(store, image, &why, error));
    }
    memset(to, 0, size_of(&store->use.wanted));
    return CLT_OK;
}

void clt__store_invert(clt__picture_store *store)
{
    store->inverted = true;
}

/* ---- bad files */

bool clt__store_is_bad(clt__picture_store *store, size_t image)
{
    (void)pthread_mutex_lock(&store->lock);
    const bool bad = store->list.entry[image].bad;
    (void)pthread_mutex_unlock(&store->lock);
    return bad;
}

clt_status clt__store_judge(clt__picture_store *store, const clt_options *options, clt_error *error)
{
    size_t first;
    (void)pthread_mutex_lock(&store->lock);
    const size_t bad = clt__picture_list_bad(&store->list, &first);
    const bool news = bad > store->told;
    const bool new_ends = options && store->ends > store->ends_told;
    if (options) store->told = bad;
    if (options) store->ends_told = store->ends;
    if (new_ends) clt__picture_list_tell_ends(&store->list, options);
    const clt_status status = clt__picture_list_judge(&store->list, store->use.skip_bad, news ? options : NULL, error);
    (void)pthread_mutex_unlock(&store->lock);
    return status;
}

void clt__store_drop_bad(clt__picture_store *store)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->list.count; i++)
        if (!store->list.entry[i].bad) store->kept[kept++] = store->kept[i];
    for (size_t i = kept; i < store->list.count; i++) store->kept[i] = (clt__picture){.pixels = NULL};
    clt__picture_list_drop_bad(&store->list);
    store->told = 0;
}

const clt__picture_list *clt__store_list(const clt__picture_store *store)
{
    return &store->list;
}
