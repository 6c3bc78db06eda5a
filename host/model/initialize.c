/* What parameters begin as. A stream of random numbers for each tensor's name, drawn in the outside order: adding a
 * layer, or another memory layout, changes no other tensor. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "model/model.h"

/* ---- rules: the standard deviation of a weight's values, from its fans, and what they are drawn from */

/* TORCH: PyTorch's defaults for Conv2d and Linear, uniform within 1 / sqrt(fan-in), weights and biases alike; for
 * BatchNorm ones and zeros. TRUNCATED: normal, within two standard deviations. DIRAC: as PyTorch's defaults, but for
 * the first filters of a convolution, each of which passes one input on; what is no convolution's weight has the
 * defaults. WHITEN: PyTorch's defaults until the training set is known, see clt__whiten. */
typedef enum distribution { TORCH, UNIFORM, NORMAL, TRUNCATED, CONSTANT, DIRAC, WHITEN } distribution;

typedef struct rule {
    const char *name;
    distribution distribution;
    double (*deviation)(double fan_in, double fan_out);
} rule;

static double kaiming_in(double fan_in, double fan_out)
{
    (void)fan_out;
    return sqrt(2 / fan_in);
}

static double kaiming_out(double fan_in, double fan_out)
{
    (void)fan_in;
    return sqrt(2 / fan_out);
}

static double xavier(double fan_in, double fan_out)
{
    return sqrt(2 / (fan_in + fan_out));
}

static double fixed(double fan_in, double fan_out)
{
    (void)fan_in;
    (void)fan_out;
    return 0.02;
}

/* The first is the default. */
#define RULE_LIST(ROW)                               \
    ROW("torch", TORCH, NULL)                        \
    ROW("kaiming_uniform", UNIFORM, kaiming_in)      \
    ROW("kaiming_normal", NORMAL, kaiming_in)        \
    ROW("kaiming_uniform_out", UNIFORM, kaiming_out) \
    ROW("kaiming_normal_out", NORMAL, kaiming_out)   \
    ROW("xavier_uniform", UNIFORM, xavier)           \
    ROW("xavier_normal", NORMAL, xavier)             \
    ROW("truncated_normal", TRUNCATED, fixed)        \
    ROW("constant", CONSTANT, NULL)                  \
    ROW("dirac", DIRAC, NULL)                        \
    ROW("whiten", WHITEN, NULL)

#define RULE(...) {__VA_ARGS__},
static const rule rules[] = {RULE_LIST(RULE)};

enum { RULES = sizeof rules / sizeof *rules };

const char *const *clt_init_names(void)
{
#define NAME(name, ...) name,
    static const char *const names[] = {RULE_LIST(NAME) NULL};
    return names;
}

/* ---- what --init says */

/* What one tensor is to begin as. */
typedef struct choice {
    const rule *rule;
    double value; /* of `constant` */
    bool named;   /* a pattern says so: not every weight alike */
} choice;

/* "kaiming_normal", or "constant=0.5" */
static bool read_rule(const char *text, choice *to)
{
    for (size_t i = 0; i < RULES; i++) {
        const size_t length = strlen(rules[i].name);
        char *end;
        if (strncmp(text, rules[i].name, length) != 0) continue;
        to->rule = &rules[i];
        if (rules[i].distribution != CONSTANT && !text[length]) return true;
        if (rules[i].distribution != CONSTANT || text[length] != '=') continue;
        to->value = clt__strtod(text + length + 1, &end);
        return end != text + length + 1 && !*end && isfinite(to->value);
    }
    return false;
}

/* One part of the list: "RULE", or "PATTERN=RULE". */
static clt_status read_part(char *part, const char **pattern, choice *to, clt_error *error)
{
    char *equals = strchr(part, '=');
    *pattern = NULL;
    *to = (choice){0};
    if (read_rule(part, to)) return CLT_OK;
    if (equals && read_rule(equals + 1, to)) {
        *equals = 0;
        *pattern = part;
        to->named = true;
        return CLT_OK;
    }
    return clt__no_such("initialisation", part, clt_init_names(), error);
}

/* For the weights of convolutions alone. */
static bool is_for_some(const choice *c)
{
    return c->rule->distribution == DIRAC || c->rule->distribution == WHITEN;
}

/* Whether a parameter can begin by the rule. Where no pattern says which are to whiten, those are that read the images.
 */
static bool suits(const choice *c, const clt__parameter_values *p)
{
    if (c->rule->distribution == WHITEN && !c->named) return p->groups && p->reads_images;
    return !is_for_some(c) || p->groups;
}

/* To all parameters, or those that a pattern names. What the rule is not for begins as PyTorch has it: biases, and
 * weights that no pattern names. */
static clt_status apply(const clt_model *model, const char *pattern, const choice *to, choice *choices,
                        clt_error *error)
{
    bool any = !is_for_some(to);
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        if (p->kept || (pattern && !clt__glob(pattern, p->info.name))) continue;
        const bool suited = suits(to, p);
        if (!suited && pattern && p->info.dimensions > 1)
            return FAIL(error, CLT_BAD_ARGUMENT, "init: %s is no convolution's weight, and %s is for those alone",
                        p->info.name, to->rule->name);
        if (suited && to->rule->distribution == WHITEN) TRY(clt__check_whitening(model, p, error));
        choices[i] = suited ? *to : (choice){.rule = &rules[0]};
        any = any || suited;
    }
    if (any) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "init: %s is for the weights of convolutions%s, and there is none%s%s",
                to->rule->name, to->rule->distribution == WHITEN ? " that read the images themselves" : "",
                pattern ? " of the name " : "", pattern ? pattern : "");
}

/* Every part in turn: a later one wins. choices[i] is what parameter i begins as. */
static clt_status choose(const clt_model *model, const char *init, choice *choices, clt_error *error)
{
    char part[CLT__LIST_PART];
    for (size_t i = 0; i < model->parameters; i++) choices[i] = (choice){.rule = &rules[0]};
    while (clt__next_part(&init, part)) {
        const char *pattern;
        choice to;
        TRY(read_part(part, &pattern, &to, error));
        if (pattern) TRY(clt__check_pattern(model, "init", pattern, error));
        TRY(apply(model, pattern, &to, choices, error));
    }
    return CLT_OK;
}

/* ---- obeying it */

static double draw(clt__random *stream, distribution from, double deviation)
{
    double value;
    if (from == UNIFORM) return deviation * sqrt(3) * (2 * clt__random_uniform(stream) - 1);
    do value = clt__random_normal(stream);
    while (from == TRUNCATED && fabs(value) > 2);
    return deviation * value;
}

/* As torch.nn.init counts them: the extents are [out, in, height, width]. */
static void find_fans(const clt_tensor_info *weight, double *fan_in, double *fan_out)
{
    double field = 1;
    for (int i = 2; i < weight->dimensions; i++) field *= weight->extent[i];
    *fan_in = weight->extent[1] * field;
    *fan_out = weight->extent[0] * field;
}

/* A vector has no fans: by a rule that is made of them a bias is zero, and what normalises keeps its ones and zeros. A
 * constant for every weight is not for vectors either; one that a pattern gives them is. */
static double next_value(const clt__parameter_values *p, const choice *c, clt__random *stream)
{
    const distribution from = c->rule->distribution;
    const bool is_vector = p->info.dimensions < 2;
    double fan_in, fan_out;
    const bool as_torch = from == TORCH || is_for_some(c);
    if (as_torch && p->fan_in) return 1 / sqrt(p->fan_in) * (2 * clt__random_uniform(stream) - 1);
    if (from == CONSTANT && (c->named || !is_vector)) return c->value;
    if (as_torch || is_vector) return p->initial;
    find_fans(&p->info, &fan_in, &fan_out);
    return draw(stream, from, c->rule->deviation(fan_in, fan_out));
}

/* Of each group the first filters pass on an input each, at the kernel's centre, as torch.nn.init.dirac_ has it, which
 * makes all other filters zeros; Jordan (airbench) leaves those as they were drawn. */
static void pass_inputs_on(clt__parameter_values *p)
{
    const size_t inputs = (size_t)p->info.extent[1], height = (size_t)p->info.extent[2],
                 width = (size_t)p->info.extent[3], filter = inputs * height * width;
    const size_t outputs = (size_t)(p->info.extent[0] / p->groups), some = outputs < inputs ? outputs : inputs;
    for (size_t group = 0; group < (size_t)p->groups; group++)
        for (size_t i = 0; i < some; i++) {
            double *weights = p->values + (group * outputs + i) * filter;
            memset(weights, 0, filter * sizeof *weights);
            weights[(i * height + height / 2) * width + width / 2] = 1;
        }
}

static void initialize(const clt_model *model, clt__parameter_values *p, const choice *c)
{
    clt__random stream = clt__random_seed(model->seed, p->info.name, 0);
    for (size_t j = 0; j < p->info.count; j++) {
        const double value = next_value(p, c, &stream);
        p->values[j] = model->precision == CLT_F32 ? (float)value : value;
    }
    if (c->rule->distribution == DIRAC) pass_inputs_on(p);
    p->whitens = c->rule->distribution == WHITEN;
}

clt_status clt__initialize(clt_model *model, const char *init, clt_error *error)
{
    choice *choices;
    TRY(clt__allocate(model->parameters, sizeof *choices, "the initial parameters", &choices, error));
    const clt_status status = choose(model, init, choices, error);
    for (size_t i = 0; i < model->parameters && status == CLT_OK; i++)
        initialize(model, &model->parameter[i], &choices[i]);
    free(choices);
    return status;
}
