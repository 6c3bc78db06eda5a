/* The built-in recipes, in recipe.c's language. What each reaches, and in which time, is in the README. */
#include "base/text.h"
#include "cltrain.h"

/* The pool comes before what is done to each pixel: a quarter of the work. */
#define POOL "maxpool kernel=2\n"
#define NORM "batchnorm\nrelu\n"
#define GELU_NORM "batchnorm\ngelu_tanh\n"
#define CONV(out) "conv out=" out " kernel=3 padding=1 bias=no\n"
#define FASHION(epochs, augment, layers) \
    "epochs=" epochs "\n"                \
    "batch_size=256\n"                   \
    "optimizer=sgd,conv*.weight=muon\n"  \
    "lr=0.1,conv*.weight=0.04\n"         \
    "lr_scheduler=onecycle\n"            \
    "nesterov=yes\n"                     \
    "weight_decay=0.0005\n"              \
    "no_decay_bias_norm=yes\n"           \
    "label_smoothing=0.1\n"              \
    "augment=" augment "\n"              \
    "net\n"                              \
    "input 1x28x28\n" layers "globalavgpool\ndense out=10\n"

static const char fashion_2min[] = "# Fashion-MNIST to 93 % in two minutes on two cores\n" FASHION(
    "5", "flip=alternate", CONV("32") POOL NORM CONV("48") NORM CONV("48") POOL NORM CONV("96") NORM CONV("96") NORM);

static const char fashion_15min[] =
    "# Fashion-MNIST in less than 15 minutes on two cores: 95 % of its test images by eval --tta flip+shift, 94.6 % "
    "without\n" FASHION("22", "flip=alternate,crop=1",
                        CONV("32") GELU_NORM CONV("32") POOL GELU_NORM CONV("64") GELU_NORM CONV("64")
                            POOL GELU_NORM CONV("128") GELU_NORM CONV("128") GELU_NORM);

/* K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024, and airbench94_muon.py of
 * KellerJordan/cifar10-airbench. There the loss is a batch's sum, here its mean: rates are 2,000 times his, the head's
 * over 256^2 as its outputs are over 256. A weight decay is what a step takes, 0.004, over the rate. Momentum of 0.6
 * with Muon and 0.85 without is one here. */
#define AIRBENCH_NORM "batchnorm momentum=0.4 eps=0.000000000001\ngelu\n"
#define AIRBENCH_GROUP(out)                \
    CONV(out) POOL AIRBENCH_NORM CONV(out) \
    AIRBENCH_NORM

static const char cifar_airbench[] =
    "# CIFAR-10 by what airbench94 is made of; cltrain eval --tta flip+shift tells what it reaches\n"
    "epochs=8\n"
    "batch_size=2000\n"
    "drop_last=yes\n"
    "optimizer=sgd,conv*.weight=muon\n"
    "ns_steps=3\n"
    "normalize_filters=yes\n"
    "momentum=0.85\n"
    "nesterov=yes\n"
    "lr=106,dense1.weight=0.0204,conv*.weight=0.24\n"
    "weight_decay=0.0000377,dense1.weight=0.196,conv*.weight=0\n"
    "lr_scheduler=polynomial\n"
    "lr_per_step=yes\n"
    "label_smoothing=0.2\n"
    "augment=flip=alternate,crop=2,border=reflect\n"
    "init=conv*.weight=dirac,whiten.weight=whiten,dense1.weight=truncated_normal\n"
    "freeze=whiten.weight,whiten.bias@3,batchnorm*.weight\n"
    "net\n"
    "input 3x32x32\n"
    "conv out=24 kernel=2 as=whiten\ngelu\n" AIRBENCH_GROUP("64") AIRBENCH_GROUP("256")
        AIRBENCH_GROUP("256") "maxpool kernel=3\nflatten\ndense out=10 bias=no\n";

/* In the order in which `cltrain help recipes` shows them. */
#define RECIPES(ROW) \
    ROW("fashion-2min", fashion_2min) ROW("fashion-15min", fashion_15min) ROW("cifar-airbench", cifar_airbench)

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
    return clt__text_of(name, clt_recipe_names(), texts);
}
