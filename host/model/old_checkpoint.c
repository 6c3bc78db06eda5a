#include "model/old_checkpoint.h"

#include <stdlib.h>

#include "base/text.h"

/* Takes the member away; it becomes `text`, whose memory is taken over, under the name `to`, or nothing for an empty
 * one. */
static bool replace(json_t *options, const char *from, const char *to, clt__text *text)
{
    bool done = json_object_del(options, from) == 0;
    if (done && text->length) done = json_object_set_new(options, to, json_string(text->start)) == 0;
    free(text->start);
    return done;
}

static bool name_choice(json_t *options, const char *member, const char *const *names, int count)
{
    const json_t *number = json_object_get(options, member);
    clt__text text = {0};
    if (!number) return true;
    const json_int_t value = json_is_integer(number) ? json_integer_value(number) : -1;
    if (value < 0 || value >= count || clt__text_print(&text, NULL, "%s", names[value]) != CLT_OK) return false;
    return replace(options, member, member, &text);
}

/* "3,6,8" */
static bool list_numbers(const json_t *array, clt__text *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *number = json_array_get(array, i);
        if (!json_is_number(number)) return false;
        if (clt__text_print(text, NULL, "%s%.17g", i ? "," : "", json_number_value(number)) != CLT_OK) return false;
    }
    return json_is_array(array);
}

static bool list_milestones(json_t *options)
{
    const json_t *milestones = json_object_get(options, "milestones");
    clt__text text = {0};
    if (!milestones) return true;
    if (list_numbers(milestones, &text)) return replace(options, "milestones", "milestones", &text);
    free(text.start);
    return false;
}

/* {"flip": true, "crop": 2, ...}: what is false or 0 is not done. */
static bool list_augment(json_t *options)
{
    json_t *augment = json_object_get(options, "augment"), *value;
    const char *name;
    clt__text text = {0};
    bool right = !augment || json_is_object(augment);
    json_object_foreach (augment, name, value) {
        const char *before = text.length ? "," : "";
        const double amount = json_number_value(value); /* 0 for a switch */
        if (json_is_true(value)) right = right && clt__text_print(&text, NULL, "%s%s", before, name) == CLT_OK;
        if (amount != 0) right = right && clt__text_print(&text, NULL, "%s%s=%.17g", before, name, amount) == CLT_OK;
    }
    if (right && augment) return replace(options, "augment", "augment", &text);
    free(text.start);
    return right;
}

/* How classes are weighed was a number, and the weights a member of their own. */
static bool join_class_weights(json_t *options)
{
    static const char *const names[] = {"equal", "balanced"};
    const json_t *how = json_object_get(options, "class_weighting"),
                 *weights = json_object_get(options, "class_weight");
    const json_int_t number = json_integer_value(how);
    clt__text text = {0};
    bool right = !how || (json_is_integer(how) && number >= 0 && number <= 2);
    if (right && number == 2) right = list_numbers(weights, &text);
    if (right && number < 2) right = clt__text_print(&text, NULL, "%s", names[number]) == CLT_OK;
    (void)json_object_del(options, "class_weight");
    if (right && how) return replace(options, "class_weighting", "class_weights", &text);
    free(text.start);
    return right;
}

/* 0: by the data set, 1: not at all, 2: by given numbers, which are those that the model has. */
static bool join_normalization(json_t *options, const json_t *model)
{
    static const char *const names[] = {"dataset", "none"};
    clt__text text = {0};
    if (json_integer_value(json_object_get(options, "normalize")) != 2)
        return name_choice(options, "normalize", names, 2);
    if (list_numbers(json_object_get(model, "mean"), &text) && clt__text_print(&text, NULL, "/") == CLT_OK &&
        list_numbers(json_object_get(model, "deviation"), &text))
        return replace(options, "normalize", "normalize", &text);
    free(text.start);
    return false;
}

bool clt__modernize(json_t *metadata)
{
    static const char *const mismatches[] = {"abort", "reference", "warn"};
    json_t *options = json_object_get(metadata, "options");
    return json_is_object(options) && name_choice(options, "on_mismatch", mismatches, 3) && list_milestones(options) &&
           list_augment(options) && join_class_weights(options) &&
           join_normalization(options, json_object_get(metadata, "normalization"));
}
