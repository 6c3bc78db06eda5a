#include "train/run_record.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

typedef struct member {
    const char *key;
    char *text;
    size_t room;
} member;

enum { TEXTS = 8 };

static void list_texts(clt__run_record *r, member list[TEXTS])
{
    const member all[TEXTS] = {
        {"cltrain", r->version, sizeof r->version},    {"data", r->data, sizeof r->data},
        {"device", r->device, sizeof r->device},       {"name", r->name, sizeof r->name},
        {"platform", r->platform, sizeof r->platform}, {"driver", r->driver, sizeof r->driver},
        {"ended", r->ended, sizeof r->ended},          {"reading", r->reading, sizeof r->reading}};
    memcpy(list, all, sizeof all);
}

/* Text that is no UTF-8, as paths may be, is left out. */
static bool set_text(json_t *root, const char *key, const char *text)
{
    json_t *value = json_string(text);
    return !value || json_object_set_new(root, key, value) == 0;
}

clt_status clt__run_record_write(const char *path, const clt__run_record *record, clt_error *error)
{
    clt__run_record copy = *record;
    member text[TEXTS];
    list_texts(&copy, text);
    json_t *root = json_pack("{s:I,s:I,s:i,s:b,s:b,s:b,s:b}", "images", (json_int_t)record->images, "validation_images",
                             (json_int_t)record->validation_images, "epochs", record->epochs, "best", record->best,
                             "last", record->last, "layers", record->layers, "diverged", record->diverged);
    bool good = root != NULL;
    for (int i = 0; i < TEXTS && good; i++) good = set_text(root, text[i].key, text[i].text);
    char *members = good ? json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
    clt__text page = {0};
    json_decref(root);
    if (!members) return FAIL(error, CLT_NO_MEMORY, "%s: there is no memory to write it", path);
    clt_status status = clt__text_print(&page, error, "%s\n", members);
    if (status == CLT_OK) status = clt__file_write(path, page.start, page.length, error);
    free(page.start);
    free(members);
    return status;
}

/* Earlier versions did not tell. */
static bool is_own(const json_t *root, const char *key)
{
    return !json_is_false(json_object_get(root, key));
}

static int count_epochs(const json_t *root)
{
    const json_t *epochs = json_object_get(root, "epochs");
    const json_int_t count = json_integer_value(epochs);
    return !json_is_integer(epochs) || count > INT_MAX ? INT_MAX : count < 0 ? 0 : (int)count;
}

clt_status clt__run_record_read(const char *path, clt__run_record *record, clt_error *error)
{
    char *page;
    size_t size;
    json_error_t wrong;
    member text[TEXTS];
    *record = (clt__run_record){.epochs = INT_MAX, .best = true, .last = true, .layers = true};
    if (access(path, F_OK) != 0) return CLT_OK;
    TRY(clt__file_read(path, &page, &size, error));
    json_t *root = json_loadb(page, size, 0, &wrong);
    free(page);
    if (!json_is_object(root)) {
        const clt_status status = FAIL(error, CLT_BAD_FILE, "%s:%d: is not what cltrain train writes: %s", path,
                                       root ? 1 : wrong.line, root ? "it is no object" : wrong.text);
        json_decref(root);
        return status;
    }
    list_texts(record, text);
    for (int i = 0; i < TEXTS; i++) {
        const char *value = json_string_value(json_object_get(root, text[i].key));
        if (value && strlen(value) < text[i].room) memcpy(text[i].text, value, strlen(value) + 1);
    }
    record->images = json_integer_value(json_object_get(root, "images"));
    record->validation_images = json_integer_value(json_object_get(root, "validation_images"));
    record->epochs = count_epochs(root);
    record->best = is_own(root, "best");
    record->last = is_own(root, "last");
    record->layers = is_own(root, "layers");
    record->diverged = json_is_true(json_object_get(root, "diverged"));
    json_decref(root);
    return CLT_OK;
}
