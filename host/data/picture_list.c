#include "data/picture_list.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/names.h"

clt_status clt__picture_list_add(clt__picture_list *list, const char *folder, const char *name, int32_t label,
                                 clt_error *error)
{
    char *path;
    TRY(clt__grow(&list->entry, &list->capacity, list->count, sizeof *list->entry, error));
    TRY(!folder || *name == '/' ? clt__copy_text(name, &path, error) : clt__join(folder, name, &path, error));
    list->entry[list->count++] = (clt__picture_entry){.path = path, .label = label};
    return CLT_OK;
}

static void free_entry(clt__picture_entry *entry)
{
    free(entry->path);
    free(entry->bad);
}

void clt__picture_list_free(clt__picture_list *list)
{
    for (size_t i = 0; i < list->count; i++) free_entry(&list->entry[i]);
    free(list->entry);
    *list = (clt__picture_list){0};
}

size_t clt__picture_list_bad(const clt__picture_list *list, size_t *first)
{
    size_t bad = 0;
    *first = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->entry[i].bad && bad++ == 0) *first = i;
    return bad;
}

/* " (also PATH, PATH)", or nothing where there are no more than the first. */
static clt_status name_others(const clt__picture_list *list, size_t first, clt__text *text, clt_error *error)
{
    enum { MOST_NAMED = 8 };
    int named = 0;
    for (size_t i = first + 1; i < list->count && named < MOST_NAMED; i++)
        if (list->entry[i].bad)
            TRY(clt__text_print(text, error, "%s%s", named++ ? ", " : " (also ", list->entry[i].path));
    return clt__text_print(text, error, "%s", named ? ")" : "");
}

clt_status clt__picture_list_judge(const clt__picture_list *list, bool skip, const clt_options *options,
                                   clt_error *error)
{
    clt__text others = {0};
    size_t first;
    const size_t bad = clt__picture_list_bad(list, &first);
    if (!bad) return CLT_OK;
    const char *why = list->entry[first].bad;
    clt_status status = name_others(list, first, &others, error);
    if (status == CLT_OK && (!skip || bad == list->count))
        status = FAIL(error, CLT_BAD_FILE, "%.1000s; %zu of %zu image files are bad%.2000s", why, bad, list->count,
                      others.start);
    else if (status == CLT_OK && options)
        clt__options_note(options, "%zu of %zu image files are left out, the first of them for this: %s%s", bad,
                          list->count, why, others.start);
    free(others.start);
    return status;
}

void clt__picture_list_tell_ends(const clt__picture_list *list, const clt_options *options)
{
    size_t count = 0, first = 0;
    for (size_t i = list->count; i-- > 0;) {
        count += list->entry[i].lacks_end;
        if (list->entry[i].lacks_end) first = i;
    }
    if (count)
        clt__options_note(options, "%zu of %zu image files end too early, but lack no pixel, and are read: %s%s", count,
                          list->count, list->entry[first].path, count > 1 ? " is the first" : "");
}

void clt__picture_list_drop_bad(clt__picture_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->entry[i].bad)
            free_entry(&list->entry[i]);
        else
            list->entry[kept++] = list->entry[i];
    list->count = kept;
}
