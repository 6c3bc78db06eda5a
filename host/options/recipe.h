/* Recipes: a net and the options that go with it. */
#ifndef CLT_OPTIONS_RECIPE_H
#define CLT_OPTIONS_RECIPE_H

#include "options/options.h"

/* Takes what a recipe, built-in or a file, says of options that were not given. */
clt_status clt__recipe_take(clt_options *options, const char *recipe, clt_error *error);

#endif
