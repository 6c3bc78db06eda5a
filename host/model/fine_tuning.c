#include "model/fine_tuning.h"

#include <string.h>

static clt_status replace_last(const clt_options *options, clt__description *description, clt_error *error)
{
    for (size_t i = description->count; i-- > 0;) {
        clt__item *item = &description->item[i];
        int *out = clt__find_option_value(item, "out");
        if (!out) continue;
        if (*out == options->classes) return CLT_OK;
        clt__options_note(options,
                          "%s: its last layer with weights, %s, gives %d outputs in place of %d and begins anew",
                          description->origin, item->name, options->classes, *out);
        *out = options->classes;
        for (; i < description->count; i++) clt__safetensors_remove(&description->weights, description->item[i].name);
        return CLT_OK;
    }
    return FAIL(error, CLT_BAD_ARGUMENT, "classes: %s has no layer that gives a number of outputs",
                description->origin);
}

static clt_status freeze(const clt_options *options, clt__description *description, clt_error *error)
{
    size_t last = 0;
    while (last < description->count && strcmp(description->item[last].name, options->freeze_until) != 0) last++;
    if (last == description->count)
        return FAIL(error, CLT_BAD_ARGUMENT, "freeze_until: %s has no layer \"%s\": `cltrain summary` lists them",
                    description->origin, options->freeze_until);
    for (size_t i = 0; i <= last; i++) description->item[i].frozen = true;
    return CLT_OK;
}

clt_status clt__fine_tune(const clt_options *options, clt__description *description, clt_error *error)
{
    if (options->classes) TRY(replace_last(options, description, error));
    return options->freeze_until ? freeze(options, description, error) : CLT_OK;
}
