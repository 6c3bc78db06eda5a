#include "data/array_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- making one --------------------------------------------------------------------------------------------- */

clt_status clt__array_list_begin(clt__array_list *list, const char *path, size_t start, clt_error *error)
{
    *list = (clt__array_list){.path = path};
    if (clt__is_folder(path, ".")) {
        TRY(clt__copy_text(path, &list->folder, error));
        return clt__copy_text("", &list->start, error);
    }
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    TRY(clt__copy_text(slash == path ? "/" : slash ? path : ".", &list->folder, error));
    if (slash > path) list->folder[slash - path] = '\0';
    TRY(clt__copy_text(name, &list->start, error));
    if (start < strlen(name)) list->start[start] = '\0';
    return CLT_OK;
}

void clt__array_list_free(clt__array_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->place[i].file);
        free(list->place[i].member);
        free(list->place[i].prefix);
    }
    free(list->place);
    free(list->folder);
    free(list->start);
    clt__names_free(&list->others);
    *list = (clt__array_list){0};
}

clt_status clt__array_list_fill(clt__array_list *list, clt__add_arrays add, clt_error *error)
{
    clt__names names = {0};
    const size_t start = strlen(list->start);
    clt_status status = clt__names_in_folder(list->folder, &names, error);
    for (size_t i = 0; i < names.count && status == CLT_OK; i++)
        if (strncmp(names.name[i], list->start, start) == 0) status = add(list, names.name[i], error);
    clt__names_free(&names);
    return status;
}

clt_status clt__array_list_add(clt__array_list *list, const char *file, const char *member, const char *name,
                               const clt__array_title *title, int worse, clt_error *error)
{
    enum { MOST_WORSE = 4 };
    TRY(clt__grow(&list->place, &list->capacity, list->count, sizeof *list->place, error));
    clt__array_place *place = &list->place[list->count++];
    *place = (clt__array_place){.title = *title, .rank = title->rank * MOST_WORSE + worse};
    TRY(clt__copy_text(file, &place->file, error));
    if (member) TRY(clt__copy_text(member, &place->member, error));
    TRY(clt__copy_text(name, &place->prefix, error));
    size_t length = title->prefix;
    while (length > 0 && strchr("-_. ", name[length - 1])) length--;
    place->prefix[length] = '\0';
    return CLT_OK;
}

bool clt__array_list_is_set(const clt__array_list *list)
{
    bool images = false, labels = false;
    for (size_t i = 0; i < list->count; i++) {
        const clt__array_title *title = &list->place[i].title;
        if (!title->labels && title->part != CLT__PART_WHOLE) return true;
        images |= !title->labels;
        labels |= title->labels && title->part == CLT__PART_WHOLE;
    }
    return images && labels;
}

/* ---- which data set ----------------------------------------------------------------------------------------- */

/* Images of splits, where there are splits. */
static bool is_candidate(const clt__array_list *list, const clt__array_place *place)
{
    return !place->title.labels && (place->title.part == CLT__PART_WHOLE) == list->whole;
}

static clt_status fail_several(const clt__array_list *list, clt_error *error)
{
    enum { MOST_NAMES = 10 };
    clt__text names = {0};
    clt_status status = CLT_OK;
    const char *last = NULL, *first = NULL;
    int told = 0;
    for (size_t i = 0; i < list->count && status == CLT_OK; i++) {
        const clt__array_place *place = &list->place[i];
        if (!is_candidate(list, place) || (last && strcmp(place->prefix, last) == 0)) continue;
        last = place->prefix;
        if (!first) first = last;
        if (told < MOST_NAMES)
            status = clt__text_print(&names, error, "%s%s%s", told ? ", " : "", list->start, place->prefix);
        else if (told == MOST_NAMES)
            status = clt__text_print(&names, error, ", ...");
        told++;
    }
    if (status == CLT_OK)
        status = FAIL(error, CLT_BAD_FILE, "%s: several data sets lie here (%.1000s): name one, as in %s/%s%s",
                      list->path, names.start, list->folder, list->start, first);
    free(names.start);
    return status;
}

clt_status clt__array_list_choose(clt__array_list *list, clt_error *error)
{
    const char *first = NULL;
    bool bare = false, several = false;
    list->whole = true;
    for (size_t i = 0; i < list->count; i++)
        if (!list->place[i].title.labels && list->place[i].title.part != CLT__PART_WHOLE) list->whole = false;
    for (size_t i = 0; i < list->count; i++) {
        const clt__array_place *place = &list->place[i];
        if (!is_candidate(list, place)) continue;
        if (!first) first = place->prefix;
        bare |= !*place->prefix;
        several |= strcmp(place->prefix, first) != 0;
    }
    if (several && !bare) return fail_several(list, error);
    list->prefix = bare || !first ? "" : first;
    return CLT_OK;
}

/* ---- its arrays --------------------------------------------------------------------------------------------- */

typedef struct wanted {
    bool labels;
    clt__array_part part;
    const char *prefix; /* NULL: any */
} wanted;

static bool fits(const clt__array_place *place, const wanted *w)
{
    return place->title.labels == w->labels && place->title.part == w->part &&
           (!w->prefix || strcmp(place->prefix, w->prefix) == 0);
}

static const clt__array_place *find_best(const clt__array_list *list, const wanted *w)
{
    const clt__array_place *best = NULL;
    for (size_t i = 0; i < list->count; i++)
        if (fits(&list->place[i], w) && (!best || list->place[i].rank < best->rank)) best = &list->place[i];
    return best;
}

/* A split without test images is validated on those that are called so. */
static clt__array_part part_of(const clt__array_list *list, clt_split split)
{
    if (list->whole) return CLT__PART_WHOLE;
    if (split == CLT_TRAIN) return CLT__PART_TRAIN;
    const wanted test = {.part = CLT__PART_TEST, .prefix = list->prefix};
    return find_best(list, &test) ? CLT__PART_TEST : CLT__PART_VALIDATION;
}

static const char *name_of(const clt__array_place *place)
{
    return place->member ? place->member : place->file;
}

/* Files of one name, packed and not, hold the same. */
static void note_others(const clt__array_list *list, const wanted *w, const clt__array_place *best,
                        const clt_options *options)
{
    for (size_t i = 0; i < list->count; i++) {
        const clt__array_place *place = &list->place[i];
        if (place != best && fits(place, w) && (place->title.rank != best->title.rank || place->member))
            clt__options_note(options, "%s: takes %s and leaves out %s", list->path, name_of(best), name_of(place));
    }
}

const clt__array_place *clt__array_list_find(const clt__array_list *list, bool labels, clt_split split,
                                             const clt_options *options)
{
    wanted w = {labels, part_of(list, split), list->prefix};
    const clt__array_place *best = find_best(list, &w);
    if (!best && labels) { /* labels.npz beside images.npz */
        w.prefix = NULL;
        best = find_best(list, &w);
        for (size_t i = 0; i < list->count && best; i++)
            if (fits(&list->place[i], &w) && strcmp(list->place[i].prefix, best->prefix) != 0) return NULL;
    }
    if (best) note_others(list, &w, best, options);
    return best;
}

clt_status clt__array_list_names(const clt__array_list *list, char **names, clt_error *error)
{
    enum { MOST_NAMES = 12 };
    clt__text text = {0};
    clt_status status = CLT_OK;
    const size_t all = list->count + list->others.count;
    for (size_t i = 0; i < all && i < MOST_NAMES && status == CLT_OK; i++) {
        const char *name = i < list->count ? name_of(&list->place[i]) : list->others.name[i - list->count];
        status = clt__text_print(&text, error, "%s%.80s", i ? ", " : "", clt__name_in(name));
    }
    if (status == CLT_OK) status = clt__text_print(&text, error, "%s", all > MOST_NAMES ? ", ..." : all ? "" : "none");
    if (status != CLT_OK) free(text.start);
    *names = status == CLT_OK ? text.start : NULL;
    return status;
}
