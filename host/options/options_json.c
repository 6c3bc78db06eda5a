#include "options/options_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "options/kinds.h"

json_t *clt__option_to_json(const clt_options *options, clt__option option)
{
    const clt__option_info *row = clt__option_info_of(option);
    const void *member = (const char *)options + row->offset;
    clt__text text = {0};
    json_t *json = NULL;
    if (row->kind->number && !row->fallback && !options->given[option]) return json_null();
    switch (options->named[option] ? CLT__JSON_TEXT : row->kind->json) {
    case CLT__JSON_BOOL:
        return json_boolean(*(const bool *)member);
    case CLT__JSON_REAL:
        return json_real(*(const double *)member);
    case CLT__JSON_INTEGER:
        return json_integer((json_int_t)row->kind->number(member));
    case CLT__JSON_SEED:
        return json_integer((json_int_t) * (const uint64_t *)member);
    case CLT__JSON_TEXT:
        break;
    }
    if (clt__option_print(options, option, &text, NULL) == CLT_OK) {
        if (text.length) clt__make_utf8(text.start);
        json = text.length ? json_string(text.start) : json_null();
    }
    free(text.start);
    return json;
}

static bool is_fallback(const clt_options *options, clt__option option)
{
    const clt_options fallbacks = clt__options_default();
    json_t *value = clt__option_to_json(options, option), *fallback = clt__option_to_json(&fallbacks, option);
    const bool same = json_equal(value, fallback);
    json_decref(value);
    json_decref(fallback);
    return same;
}

json_t *clt__options_to_json(const clt_options *options, clt__option_filter filter)
{
    json_t *object = json_object();
    for (clt__option i = 0; i < CLT__OPTIONS && object; i++) {
        if (!filter(i) || (clt__option_is_rare(i) && is_fallback(options, i))) continue;
        json_t *value = clt__option_to_json(options, i);
        if (json_is_null(value)) {
            json_decref(value);
        } else if (json_object_set_new(object, clt__option_info_of(i)->name, value) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

/* As clt__option_set takes it. False where it is of another type, or there is no memory. A whole number serves as a
 * real, and a text tells what numbers parameters of some names have. */
static bool print_json(const json_t *value, const clt__value_kind *kind, clt__text *text)
{
    const clt__json_type type = kind->json;
    const bool whole = json_is_integer(value);
    if ((type == CLT__JSON_TEXT || kind->by_name) && json_is_string(value))
        return clt__text_append(text, json_string_value(value), json_string_length(value), NULL) == CLT_OK;
    if (type == CLT__JSON_BOOL && json_is_boolean(value))
        return clt__text_print(text, NULL, "%s", json_is_true(value) ? "yes" : "no") == CLT_OK;
    if (type == CLT__JSON_REAL && json_is_number(value))
        return clt__text_print(text, NULL, "%.17g", json_number_value(value)) == CLT_OK;
    if (type == CLT__JSON_SEED && whole)
        return clt__text_print(text, NULL, "%" PRIu64, (uint64_t)json_integer_value(value)) == CLT_OK;
    return type == CLT__JSON_INTEGER && whole &&
           clt__text_print(text, NULL, "%" PRId64, (int64_t)json_integer_value(value)) == CLT_OK;
}

bool clt__options_from_json(clt_options *options, json_t *object, clt__option_filter filter, const char **wrong)
{
    json_t *value;
    json_object_foreach (object, *wrong, value) {
        clt__text text = {0};
        bool right = false;
        const clt__option option = clt__find_option(*wrong, strlen(*wrong));
        if (option < CLT__OPTIONS && filter(option) && print_json(value, clt__option_info_of(option)->kind, &text) &&
            clt__option_set(options, option, text.start, &right, NULL) != CLT_OK)
            *wrong = NULL;
        free(text.start);
        if (!right) return false;
        options->given[option] = false;
    }
    return true;
}
