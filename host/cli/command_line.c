#include "cli/command_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "options/options_json.h"

/* A note that both splits give is told once. */
void take_note(void *display, const char *sentence)
{
    enum { KEPT = 64 };
    static uint64_t told[KEPT];
    static size_t count;
    uint64_t digest = 14695981039346656037u; /* FNV-1a */
    for (const char *c = sentence; *c; c++) digest = (digest ^ (unsigned char)*c) * 1099511628211u;
    if (display) progress_end(display);
    for (size_t i = 0; i < count && i < KEPT; i++)
        if (told[i] == digest) return;
    told[count++ % KEPT] = digest;
    print_note("%s", sentence);
}

clt_options reading_for(const clt_options *options, int channels)
{
    clt_options reading = *options;
    if (!reading.size.channels && channels == 3) reading.size.channels = channels;
    reading.augment.rrc = (clt__range){0, 0}; /* of training alone */
    return reading;
}

clt_options reading_as_trained(const clt_options *options, const clt_model *model)
{
    const clt_shape input = clt_model_input(model);
    clt_options reading = *options;
    if (!options->strict && !options->size.height && (input.channels == 1 || input.channels == 3)) {
        reading.size = input;
        if (options->size.channels) reading.size.channels = options->size.channels;
    }
    const clt_options *trained = clt_model_options(model);
    if (!options->given[CLT__OPTION_transpose]) reading.transpose = trained->transpose;
    if (!options->given[CLT__OPTION_eval_crop]) reading.eval_crop = trained->eval_crop;
    if (!options->given[CLT__OPTION_exif]) reading.exif = trained->exif;
    return reading;
}

void note_converted(const clt_options *options, const char *name, const clt_model *model, size_t converted,
                    size_t count)
{
    const clt_shape input = clt_model_input(model);
    if (!converted || options->given[CLT__OPTION_size]) return;
    print_note("%zu of %zu images of %s were not %dx%dx%d: they were made so (--strict refuses them)", converted, count,
               name, input.channels, input.height, input.width);
}

/* ---- the nearest name --------------------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to add, drop or change to make one name the other (Levenshtein). Names longer than the row are far away. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t row[LONGEST + 1];
    const size_t width = strlen(b);
    if (width > LONGEST || strlen(a) > LONGEST) return LONGEST;
    for (size_t j = 0; j <= width; j++) row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            const size_t changed = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = smaller(changed, smaller(row[j], row[j + 1]) + 1);
        }
    }
    return row[width];
}

const char *nearest_name(const char *name, size_t count, const char *(*name_at)(const void *list, size_t index),
                         const void *list)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 2; /* as many mistakes as a slip of the hand makes, and less than this */
    for (size_t i = 0; i < count; i++) {
        const char *candidate = name_at(list, i);
        const size_t distance = edit_distance(name, candidate);
        if (distance >= least || distance >= strlen(candidate)) continue;
        least = distance;
        nearest = candidate;
    }
    return nearest;
}

/* ---- a verb's options --------------------------------------------------------------------------------------- */

bool takes_option(const verb_row *verb, clt__option option)
{
    return clt__option_info_of(option)->verbs & (unsigned)verb->verb;
}

clt__option next_option(const verb_row *verb, clt__option option)
{
    while (option < CLT__OPTIONS && !takes_option(verb, option)) option++;
    return option;
}

clt_status set_verb_defaults(const verb_row *verb, clt_options *options, clt_error *error)
{
    *options = clt__options_default();
    for (const verb_default *d = verb->defaults; d->value; d++) {
        bool right;
        TRY(clt__option_set(options, d->option, d->value, &right, error));
        options->given[d->option] = false;
    }
    return CLT_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* `name` is what stands between "--" and "=". A flag is turned off by --no-NAME. */
static clt__option find_flag(const verb_row *verb, const char *name, size_t length, bool *turned_off)
{
    clt__option option = clt__find_option(name, length);
    *turned_off = false;
    if (option == CLT__OPTIONS && length > 3 && strncmp(name, "no-", 3) == 0) {
        option = clt__find_option(name + 3, length - 3);
        *turned_off = option < CLT__OPTIONS && clt__option_is_flag(option);
        if (!*turned_off) return CLT__OPTIONS;
    }
    return option < CLT__OPTIONS && takes_option(verb, option) ? option : CLT__OPTIONS;
}

typedef struct flag_text {
    char text[CLT__FLAG_ROOM];
} flag_text;

static const char *flag_at(const void *flags, size_t index)
{
    const flag_text *all = flags;
    return all[index].text;
}

static clt_status fail_unknown(const verb_row *verb, const char *argument, clt_error *error)
{
    flag_text flags[CLT__OPTIONS], wanted;
    size_t count = 0;
    for (clt__option i = 0; (i = next_option(verb, i)) < CLT__OPTIONS; i++) clt__option_flag(i, flags[count++].text);
    const char *bare = argument + strspn(argument, "-");
    (void)snprintf(wanted.text, sizeof wanted.text, "--%.*s", (int)strcspn(bare, "="), bare);
    const char *near = nearest_name(wanted.text, count, flag_at, flags);
    if (near)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: there is no such option of %s; did you mean %s?", argument,
                    verb->name, near);
    return FAIL(error, CLT_BAD_ARGUMENT, "%s: there is no such option of %s; cltrain %s --help lists them", argument,
                verb->name, verb->name);
}

static clt_status obey(clt_options *options, clt__option option, const char *value, clt_error *error)
{
    bool right;
    char flag[CLT__FLAG_ROOM];
    clt__option_flag(option, flag);
    TRY(clt__option_set(options, option, value, &right, error));
    return right ? CLT_OK : clt__option_refuse(option, flag, value, error);
}

static clt_status fail_without_value(clt__option option, bool another_follows, clt_error *error)
{
    char flag[CLT__FLAG_ROOM];
    clt__option_flag(option, flag);
    return FAIL(error, CLT_BAD_ARGUMENT, "%s: a value is needed after it: %s %s%s", flag, flag,
                clt__option_info_of(option)->value,
                another_follows ? "; one that begins with -- is written after =" : "");
}

/* Obeys the option at arguments[*at] and moves *at on to the last argument that belongs to it. */
static clt_status read_option(const command_line *command, int *at, clt_options *options, clt_error *error)
{
    const char *argument = command->arguments[*at];
    if (strcmp(argument, "-o") == 0) argument = "--output"; /* as compilers and many others have it */
    const char *equals = strchr(argument, '=');
    const size_t length = strcspn(argument, "=");
    bool turned_off = false;
    const clt__option option = strncmp(argument, "--", 2) == 0
                                   ? find_flag(command->verb, argument + 2, length - 2, &turned_off)
                                   : CLT__OPTIONS;
    if (option == CLT__OPTIONS) return fail_unknown(command->verb, argument, error);
    if (clt__option_is_flag(option)) {
        if (equals) return FAIL(error, CLT_BAD_ARGUMENT, "%s: %.*s takes no value", argument, (int)length, argument);
        return obey(options, option, turned_off ? "no" : "yes", error);
    }
    if (equals) return obey(options, option, equals + 1, error);
    const char *next = *at + 1 < command->argument_count ? command->arguments[*at + 1] : NULL;
    /* A value that begins with -- is a forgotten value far more often than a value. */
    if (!next || strncmp(next, "--", 2) == 0) return fail_without_value(option, next, error);
    *at += 1;
    return obey(options, option, next, error);
}

static clt_status take_operand(command_line *command, const char *argument, clt_error *error)
{
    if (!command->verb->operand)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: %s takes only options, which begin with --", argument,
                    command->verb->name);
    command->operands[command->operand_count++] = argument;
    return CLT_OK;
}

static clt_status check_needed(const command_line *command, const clt_options *options, clt_error *error)
{
    const verb_row *verb = command->verb;
    for (const char *const *name = verb->needed; *name; name++) {
        const clt__option option = clt__find_option(*name, strlen(*name));
        const clt__option_info *info = clt__option_info_of(option);
        if (!options->given[option])
            return FAIL(error, CLT_BAD_ARGUMENT, "%s: --%s %s is needed: %s", verb->name, *name, info->value,
                        info->help);
    }
    if (verb->operands && command->operand_count != verb->operands)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: it takes %s, %d %s given", verb->name, verb->operand,
                    command->operand_count, command->operand_count == 1 ? "was" : "were");
    if (verb->operand && command->operand_count == 0)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: at least one %s is needed", verb->name, verb->operand);
    return CLT_OK;
}

clt_status read_options(command_line *command, clt_options *options, clt_error *error)
{
    bool options_ended = false;
    for (int at = 0; at < command->argument_count; at++) {
        const char *argument = command->arguments[at];
        if (options_ended || argument[0] != '-' || !argument[1])
            TRY(take_operand(command, argument, error));
        else if (strcmp(argument, "--") == 0)
            options_ended = true;
        else
            TRY(read_option(command, &at, options, error));
    }
    return check_needed(command, options, error);
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

asked_help asks_for_help(int argument_count, char **arguments)
{
    for (int i = 0; i < argument_count && strcmp(arguments[i], "--") != 0; i++)
        if (is_help(arguments[i]))
            return i + 1 < argument_count && strcmp(arguments[i + 1], "all") == 0 ? ALL_HELP : SHORT_HELP;
    return NO_HELP;
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

json_t *json_of_options(const command_line *command, const clt_options *options)
{
    json_t *object = json_object();
    for (clt__option i = 0; (i = next_option(command->verb, i)) < CLT__OPTIONS && object; i++) {
        if (i == CLT__OPTION_json) continue; /* the same results wherever they are written */
        json_t *value = clt__option_to_json(options, i);
        if (json_object_set_new(object, clt__option_info_of(i)->name, value) == 0) continue;
        json_decref(object);
        object = NULL;
    }
    return object;
}
