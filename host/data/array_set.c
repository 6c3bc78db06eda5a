#include "data/array_set.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/array_images.h"

/* A split that is being read. */
typedef struct reading {
    const clt__array_list *list;
    const clt__array_kind *kind;
    clt_split split;
    const clt_options *options;
} reading;

/* Images that are missing are a split that is not there; labels that are missing make a bad one. */
static clt_status fail_missing(const reading *r, bool labels, clt_error *error)
{
    char *names;
    if (r->list->broken.status != CLT_OK) return clt__pass_on(&r->list->broken, error);
    TRY(clt__array_list_names(r->list, &names, error));
    const clt_status status = FAIL(error, labels ? CLT_BAD_FILE : CLT_NO_FILE, "%s: %s; it has %s", r->list->path,
                                   r->kind->missing[labels][r->split], names);
    free(names);
    return status;
}

/* The other split's images or labels; none where the data set has no splits, or only this one. */
static clt_status load_other(const reading *r, bool labels, clt__array *other, clt_error *error)
{
    const clt_options quiet = {0};
    const clt__array_place *place =
        r->list->whole ? NULL
                       : clt__array_list_find(r->list, labels, r->split == CLT_TRAIN ? CLT_TEST : CLT_TRAIN, &quiet);
    if (!place) return CLT_OK;
    TRY(r->kind->load(place, other, error));
    if (labels && r->kind->arrange_labels) r->kind->arrange_labels(other, &quiet);
    return CLT_OK;
}

static clt_status take_images(const reading *r, clt__array *x, clt_dataset **dataset, clt_error *error)
{
    clt__array other = {0};
    clt_status status = CLT_OK;
    if (x->dimensions == 2)
        status = FAIL(error, CLT_BAD_FILE,
                      "%s: has 2 dimensions, where the images of a data set have 3 or 4: numpy's "
                      "reshape(-1, HEIGHT, WIDTH) makes images of rows",
                      x->name);
    if (status == CLT_OK && clt__array_images_need_other(x)) status = load_other(r, false, &other, error);
    if (status == CLT_OK) status = clt__array_to_images(x, &other, r->options, dataset, error);
    clt__array_free(&other);
    return status;
}

static clt_status open_images(const reading *r, clt_dataset **dataset, clt_error *error)
{
    clt__array x = {0};
    const clt__array_place *place = clt__array_list_find(r->list, false, r->split, r->options);
    if (!place) return fail_missing(r, false, error);
    clt_status status = r->kind->load(place, &x, error);
    if (status == CLT_OK) status = take_images(r, &x, dataset, error);
    clt__array_free(&x);
    return status;
}

static clt_status take_answers(const reading *r, const clt__array *y, clt_dataset *dataset, clt_error *error)
{
    clt__array other = {0};
    clt_status status = CLT_OK;
    if (clt__array_answers_need_other(y)) status = load_other(r, true, &other, error);
    if (status == CLT_OK) status = clt__array_to_answers(y, other.data ? &other : NULL, r->options, dataset, error);
    if (status == CLT_OK) status = clt__copy_text(y->name, &dataset->answers_name, error);
    clt__array_free(&other);
    return status;
}

static clt_status open_answers(const reading *r, clt_dataset *dataset, clt_error *error)
{
    clt__array y = {0};
    const clt__array_place *place = clt__array_list_find(r->list, true, r->split, r->options);
    if (!place) return fail_missing(r, true, error);
    clt_status status = r->kind->load(place, &y, error);
    if (status == CLT_OK && r->kind->arrange_labels) r->kind->arrange_labels(&y, r->options);
    if (status == CLT_OK) status = take_answers(r, &y, dataset, error);
    clt__array_free(&y);
    return status;
}

/* The images' file is let go of before the labels' is read. */
clt_status clt__array_set_open(clt__array_list *list, const clt__array_kind *kind, clt_split split,
                               const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt_dataset *fresh;
    const reading r = {list, kind, split, options};
    *dataset = NULL;
    TRY(clt__array_list_choose(list, error));
    TRY(open_images(&r, &fresh, error));
    fresh->whole = list->whole;
    return clt__dataset_finish(open_answers(&r, fresh, error), fresh, dataset);
}
