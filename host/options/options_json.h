/* Options in JSON: in checkpoints, and in what --json writes. */
#ifndef CLT_OPTIONS_OPTIONS_JSON_H
#define CLT_OPTIONS_OPTIONS_JSON_H

#include <jansson.h>

#include "options/options.h"

/* An option's value, null where it has none; NULL where there is no memory. */
json_t *clt__option_to_json(const clt_options *options, clt__option option);

/* Which options an object has. */
typedef bool (*clt__option_filter)(clt__option option);

/* An object with a member for each option that `filter` takes and that has a value; NULL where there is no memory. */
json_t *clt__options_to_json(const clt_options *options, clt__option_filter filter);

/* Gives the options the values of the object. False where a member's name is not one that `filter` takes, or its value
 * is none for that option; *wrong is then the member's name, as long as the object lives, or NULL where there is no
 * memory. No option counts as given for it. */
bool clt__options_from_json(clt_options *options, json_t *object, clt__option_filter filter, const char **wrong);

#endif
