#include "model/weight_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- names */

/* How much of a name is its layer's: features.0 of features.0.weight. */
static size_t layer_length(const char *name)
{
    const char *point = strrchr(name, '.');
    return point ? (size_t)(point - name) : 0;
}

static bool same_layer(const char *a, const char *b)
{
    const size_t length = layer_length(a);
    return length == layer_length(b) && strncmp(a, b, length) == 0;
}

/* The place within a layer. */
static int part_of(const char *name)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    enum { PARTS = sizeof parts / sizeof *parts };
    const char *point = strrchr(name, '.'), *part = point ? point + 1 : name;
    int i = 0;
    while (i < PARTS && strcmp(part, parts[i]) != 0) i++;
    return i;
}

/* Batches that were counted, an optimiser's state, averages. */
static bool is_parameter(const char *name)
{
    const size_t layer = layer_length(name);
    return strcmp(name + layer + (name[layer] == '.'), "num_batches_tracked") != 0 &&
           strncmp(name, "optimizer.", strlen("optimizer.")) != 0 && strncmp(name, "ema.", strlen("ema.")) != 0;
}

static size_t count_digits(const char *text, size_t length)
{
    size_t digits = 0;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9') digits++;
    return digits;
}

/* As texts, but where both have digits, by their number: of two without zeros before them the longer is more. */
static int compare_naturally(const char *a, size_t a_length, const char *b, size_t b_length)
{
    while (a_length && b_length) {
        const size_t a_digits = count_digits(a, a_length), b_digits = count_digits(b, b_length);
        if (a_digits && b_digits && a_digits != b_digits) return a_digits < b_digits ? -1 : 1;
        if (*a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        a++, b++, a_length--, b_length--;
    }
    return (a_length > 0) - (b_length > 0);
}

/* ---- the order */

typedef struct place {
    const clt__stored_tensor *tensor;
    size_t layer; /* which layer it is of */
    size_t at;    /* among all tensors */
} place;

static int compare_layers(const void *left, const void *right)
{
    const place *a = left, *b = right;
    const char *one = a->tensor->name, *other = b->tensor->name;
    const int names = compare_naturally(one, layer_length(one), other, layer_length(other));
    return names ? names : (a->at > b->at) - (a->at < b->at);
}

static int compare_places(const void *left, const void *right)
{
    const place *a = left, *b = right;
    const int one = part_of(a->tensor->name), other = part_of(b->tensor->name);
    if (a->layer != b->layer) return a->layer < b->layer ? -1 : 1;
    if (one != other) return one < other ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static bool is_sorted(const place *places, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(places[i - 1].tensor->name, places[i].tensor->name) > 0) return false;
    return true;
}

/* A layer counts from where its first tensor is. */
static void find_layers(place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t first = 0;
        while (!same_layer(places[first].tensor->name, places[i].tensor->name)) first++;
        places[i].layer = first;
        places[i].at = i;
    }
}

static void sort_places(place *places, size_t count)
{
    if (!count) return;
    if (is_sorted(places, count)) qsort(places, count, sizeof *places, compare_layers);
    find_layers(places, count);
    qsort(places, count, sizeof *places, compare_places);
}

clt_status clt__weights_in_order(const clt__safetensors *file, const clt__stored_tensor ***order, size_t *count,
                                 clt_error *error)
{
    place *places;
    *count = 0;
    TRY(clt__allocate(file->tensor_count, sizeof *places, "the order of tensors", &places, error));
    for (size_t i = 0; i < file->tensor_count; i++)
        if (is_parameter(file->tensors[i].name))
            places[*count] = (place){.tensor = &file->tensors[i], .at = *count}, ++*count;
    sort_places(places, *count);
    const clt_status status = clt__allocate(*count, sizeof **order, "the order of tensors", order, error);
    for (size_t i = 0; i < *count && status == CLT_OK; i++) (*order)[i] = places[i].tensor;
    free(places);
    return status;
}
