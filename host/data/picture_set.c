#include "data/picture_set.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/taking.h"
#include "options/ticker.h"

static clt_status check_options(const char *name, const clt_options *options, clt_error *error)
{
    const clt_shape size = options->size;
    if ((size.channels != 0 && size.channels != 1 && size.channels != 3) || size.height < 0 || size.width < 0 ||
        !size.height != !size.width)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "%s: image files cannot be made %dx%dx%d, where 1 or 3 channels and a height and a width are needed", name,
            size.channels, size.height, size.width);
    return CLT_OK;
}

/* ---- work for every file, by worker threads */

typedef struct file_work {
    clt__picture_list *list;
    const clt_options *options;
    clt__picture_store *store; /* of the list's files, once they are listed */
    uint8_t *pixels;           /* [count] images of `image` bytes */
    size_t image;
    pthread_mutex_t lock;
    clt_status status; /* the first failure that is not a bad file */
    clt_error why;
} file_work;

static void remember_failure(file_work *work, clt_status status, const clt_error *why)
{
    (void)pthread_mutex_lock(&work->lock);
    if (work->status == CLT_OK) {
        work->status = status;
        work->why = *why;
    }
    (void)pthread_mutex_unlock(&work->lock);
}

typedef struct some_files {
    file_work *work;
    clt__job_function each;
    size_t first;
} some_files;

static void work_on(void *user, size_t piece)
{
    const some_files *some = user;
    some->each(some->work, some->first + piece);
}

/* Some files at a time, with a word in between on how far it is. */
static clt_status work_through(file_work *work, const char *what, clt__job_function each, size_t count,
                               clt__workers *workers, clt_error *error)
{
    enum { AT_A_TIME = 256 };
    clt__ticker ticker = clt__ticker_start(work->options, what, (int64_t)count);
    for (size_t first = 0; first < count && work->status == CLT_OK; first += AT_A_TIME) {
        some_files some = {work, each, first};
        clt__job job = {.work = work_on, .user = &some, .count = count - first < AT_A_TIME ? count - first : AT_A_TIME};
        clt__workers_begin(workers, &job);
        clt__workers_wait(workers, &job);
        TRY(clt__ticker_tick(&ticker, (int64_t)(first + job.count), error));
    }
    if (work->status != CLT_OK) return clt__pass_on(&work->why, error);
    clt__ticker_end(&ticker);
    return CLT_OK;
}

static clt_status for_each_file(file_work *work, const char *what, clt__job_function each, size_t count,
                                clt_error *error)
{
    clt__workers *workers;
    const size_t most = (size_t)clt__worker_count(work->options), threads = count < 2 ? 0 : count < most ? count : most;
    TRY(clt__workers_open((int)threads, CLT__SMALL_STACK, &workers, error));
    (void)pthread_mutex_init(&work->lock, NULL);
    const clt_status status = work_through(work, what, each, count, workers, error);
    (void)pthread_mutex_destroy(&work->lock);
    clt__workers_close(workers);
    return status;
}

/* ---- the common size */

static void look_at(void *user, size_t file)
{
    file_work *work = user;
    clt__picture_entry *entry = &work->list->entry[file];
    const clt__picture_wish wish = {.no_exif = !work->options->exif};
    clt_error why;
    clt_status status = clt__picture_look(entry->path, &wish, &entry->info, &why);
    if (status == CLT_BAD_FILE) status = clt__copy_text(why.message, &entry->bad, &why);
    if (status != CLT_OK) remember_failure(work, status, &why);
}

/* The largest number of channels, and the size of the first good one, which all need to have if no other is wished. */
static clt_status find_common(const clt__picture_list *list, const clt_options *options, clt__picture_info *common,
                              clt_error *error)
{
    const clt__picture_entry *first = NULL;
    *common = (clt__picture_info){.channels = 1};
    for (size_t i = 0; i < list->count; i++) {
        const clt__picture_entry *entry = &list->entry[i];
        if (entry->bad) continue;
        if (!first) first = entry;
        if (entry->info.channels > common->channels) common->channels = entry->info.channels;
        if (!options->size.height &&
            (entry->info.width != first->info.width || entry->info.height != first->info.height))
            return FAIL(error, CLT_BAD_FILE,
                        "%s: is %d high and %d wide, where %s is %d high and %d wide: a size to which all are resized "
                        "is needed (--size HxW)",
                        entry->path, entry->info.height, entry->info.width, first->path, first->info.height,
                        first->info.width);
    }
    if (first) common->width = first->info.width, common->height = first->info.height;
    if (options->size.height) common->width = options->size.width, common->height = options->size.height;
    if (options->size.channels) common->channels = options->size.channels;
    return CLT_OK;
}

static clt_status survey(clt__picture_list *list, const clt_options *options, clt__picture_info *common,
                         clt_error *error)
{
    file_work work = {.list = list, .options = options};
    TRY(for_each_file(&work, "look at images", look_at, list->count, error));
    return find_common(list, options, common, error);
}

/* ---- decoding all of them */

static clt_status bring(file_work *work, size_t file, clt_error *error)
{
    uint8_t *image;
    if (work->pixels) return clt__store_bring(work->store, file, NULL, work->pixels + file * work->image, error);
    TRY(clt__allocate(work->image, 1, "an image", &image, error)); /* only to see whether it can be decoded */
    const clt_status status = clt__store_bring(work->store, file, NULL, image, error);
    free(image);
    return status;
}

static void decode(void *user, size_t file)
{
    file_work *work = user;
    clt_error why;
    const clt_status status = bring(work, file, &why);
    if (status != CLT_OK) remember_failure(work, status, &why);
}

static void move_image(clt_dataset *dataset, size_t from, size_t to)
{
    const size_t image = clt__image_size(dataset->shape);
    if (dataset->bytes) memmove(dataset->bytes + to * image, dataset->bytes + from * image, image);
    dataset->labels[to] = dataset->labels[from];
    if (!dataset->image_names.count) return;
    char *name = dataset->image_names.name[from];
    dataset->image_names.name[from] = dataset->image_names.name[to];
    dataset->image_names.name[to] = name;
}

/* Those of bad files are closed up. */
static void close_gaps(clt_dataset *dataset)
{
    size_t kept = 0;
    for (size_t i = 0; i < dataset->count; i++)
        if (!clt__store_is_bad(dataset->pictures, i)) move_image(dataset, i, kept++);
    while (dataset->image_names.count > kept) free(dataset->image_names.name[--dataset->image_names.count]);
    dataset->count = kept;
    clt__store_drop_bad(dataset->pictures);
}

/* So that bad files are known before anything is done with the others. */
static clt_status decode_all(clt_dataset *dataset, const clt_options *options, clt_error *error)
{
    file_work work = {.options = options,
                      .store = dataset->pictures,
                      .pixels = dataset->bytes,
                      .image = clt__image_size(dataset->shape)};
    TRY(for_each_file(&work, "decode images", decode, dataset->count, error));
    TRY(clt__store_judge(dataset->pictures, options, error));
    close_gaps(dataset);
    return CLT_OK;
}

/* ---- the data set */

static uint64_t room_for_images(const clt_options *options)
{
    return options->given[CLT__OPTION_data_cache] ? (uint64_t)options->data_cache : clt__free_memory() / 4;
}

static clt_status take_labels(const clt__picture_list *list, clt_dataset *dataset, clt_error *error)
{
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, "the labels", &dataset->labels, error));
    for (size_t i = 0; i < list->count; i++) dataset->labels[i] = list->entry[i].label;
    return CLT_OK;
}

static void note_sizes(const clt__picture_list *list, const clt__picture_info *wanted, clt_dataset *dataset)
{
    for (size_t i = 0; i < list->count; i++) {
        const clt__picture_info *info = &list->entry[i].info;
        clt_shape *least = &dataset->least, *most = &dataset->most;
        dataset->converted +=
            info->width != wanted->width || info->height != wanted->height || info->channels != wanted->channels;
        if (!least->height || info->height < least->height) least->height = info->height;
        if (!least->width || info->width < least->width) least->width = info->width;
        if (info->height > most->height) most->height = info->height;
        if (info->width > most->width) most->width = info->width;
    }
}

static bool fit_into(uint64_t room, size_t count, const clt__picture_info *each)
{
    uint64_t size;
    return clt__multiply(count, (uint64_t)each->width * (uint64_t)each->height, &size) &&
           clt__multiply(size, (uint64_t)each->channels, &size) && size <= room;
}

static clt_status create(const char *name, clt__picture_list *list, const clt__picture_use *use, bool named,
                         clt_dataset **dataset, clt_error *error)
{
    const clt__claim images = {
        name, CLT_BAD_FILE, list->count, use->wanted.channels, use->wanted.height, use->wanted.width};
    clt_dataset *fresh;
    TRY(clt__dataset_create(&images, &fresh, error));
    clt_status status = take_labels(list, fresh, error);
    for (size_t i = 0; i < list->count && status == CLT_OK && named; i++)
        status = clt__names_add(&fresh->image_names, list->entry[i].path, strlen(list->entry[i].path), error);
    if (status == CLT_OK) status = clt__store_open(list, use, &fresh->pictures, error);
    return clt__dataset_finish(status, fresh, dataset);
}

/* Images that all stay in memory are from then on like those of any other format. Where bad files are to be skipped
 * they are looked for at once in any case: what a data set holds must not depend on how much memory there is. */
static clt_status fill(clt_dataset *dataset, const clt__picture_use *use, bool at_once, const clt_options *options,
                       clt_error *error)
{
    if (at_once) TRY(clt__dataset_allocate_bytes(dataset, error));
    if (at_once || use->skip_bad) TRY(decode_all(dataset, options, error));
    note_sizes(clt__store_list(dataset->pictures), &use->wanted, dataset);
    if (!at_once) return CLT_OK;
    clt__store_close(dataset->pictures);
    dataset->pictures = NULL;
    return CLT_OK;
}

static clt_status open_list(const char *name, clt__picture_list *list, const clt_options *options, bool named,
                            clt_dataset **dataset, clt_error *error)
{
    clt__picture_use use = {.eval_crop = options->eval_crop,
                            .random = options->augment.rrc,
                            .exif = options->exif,
                            .skip_bad = options->skip_bad,
                            .room = room_for_images(options)};
    size_t first;
    clt_dataset *fresh;
    *dataset = NULL;
    TRY(check_options(name, options, error));
    TRY(survey(list, options, &use.wanted, error));
    const bool at_once = !(use.random.least > 0) && fit_into(use.room, list->count, &use.wanted);
    const bool decodes = at_once || use.skip_bad; /* and judges then */
    if (!decodes || clt__picture_list_bad(list, &first) == list->count)
        TRY(clt__picture_list_judge(list, false, options, error));
    TRY(create(name, list, &use, named, &fresh, error));
    return clt__dataset_finish(fill(fresh, &use, at_once, options, error), fresh, dataset);
}

clt_status clt__pictures_open(const char *name, clt__picture_list *list, const clt_options *options,
                              clt_dataset **dataset, clt_error *error)
{
    return open_list(name, list, options, false, dataset, error);
}

clt_status clt__pictures_open_unlabelled(const char *name, clt__picture_list *list, const clt_options *options,
                                         clt_dataset **dataset, clt_error *error)
{
    TRY(open_list(name, list, options, true, dataset, error));
    free((*dataset)->labels);
    (*dataset)->labels = NULL;
    return CLT_OK;
}
