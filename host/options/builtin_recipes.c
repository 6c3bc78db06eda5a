/* The built-in recipes, in recipe.c's language. What each reaches, and in which time, is in the README. */
#include <string.h>

#include "cltrain.h"

#define CONV(out) "conv out=" out " kernel=3 padding=1 bias=no\nbatchnorm\nrelu\n"

#define POOL "maxpool kernel=2\n"
#define CLASSES_10 "globalavgpool\ndense out=10\n"

/* What they share. */
#define SGD_ONECYCLE                                                              \
    "batch_size=128\nnesterov=yes\nweight_decay=0.0005\nno_decay_bias_norm=yes\n" \
    "lr=0.2\nlr_scheduler=onecycle\n"

static const char fashion_2min[] =
    "# Fashion-MNIST in two minutes on two cores\n"
    "epochs=6\n" SGD_ONECYCLE "augment=flip\n"
    "net\n"
    "input 1x28x28\n" CONV("16") CONV("32") POOL CONV("48") CONV("48") POOL CONV("96") CONV("96") CLASSES_10;

/* In the order in which `cltrain help recipes` shows them. */
#define RECIPES(ROW) ROW("fashion-2min", fashion_2min)

const char *const *clt_recipe_names(void)
{
#define NAME(name, text) name,
    static const char *const names[] = {RECIPES(NAME) NULL};
    return names;
}

const char *clt_recipe_text(const char *name)
{
#define TEXT(name, text) text,
    static const char *const texts[] = {RECIPES(TEXT)};
    const char *const *names = clt_recipe_names();
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return texts[i];
    return NULL;
}
