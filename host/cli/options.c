#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

const char *const precision_names[] = {"f32", "f64", NULL};
const char *const layout_names[] = {"nchw", "nhwc", NULL};
const char *const schedule_names[] = {"vector", "tile", NULL};

clt_precision precision_named(const char *name, clt_precision fallback)
{
    if (!name) return fallback;
    return strcmp(name, "f64") == 0 ? CLT_F64 : CLT_F32;
}

void take_note(void *user, const char *sentence)
{
    (void)user;
    print_note("%s", sentence);
}

clt_status open_device(const char *name, const char *schedule, const clt_device_limits *limits, clt_device **device,
                       clt_error *error)
{
    TRY(clt_device_open(name, device, error));
    clt_device_set_notes(*device, take_note, NULL);
    if (schedule)
        clt_device_set_schedule(*device, strcmp(schedule, "tile") == 0 ? CLT_SCHEDULE_TILE : CLT_SCHEDULE_VECTOR);
    clt_device_set_limits(*device, limits);
    return CLT_OK;
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

/* ---- numbers ------------------------------------------------------------------------------------------------ */

/* strtod and its like skip spaces, which here are always a mistake. */
static bool is_all_number(const char *value, const char *end)
{
    return end != value && !*end && !isspace((unsigned char)*value);
}

static bool read_whole(const char *value, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    errno = 0;
    const long long parsed = strtoll(value, &end, 10);
    if (errno || !is_all_number(value, end) || parsed < least || parsed > most) return false;
    *number = parsed;
    return true;
}

static bool read_seed(const char *value, uint64_t *seed)
{
    char *end;
    errno = 0;
    const unsigned long long parsed = strtoull(value, &end, 10);
    /* strtoull takes -1 for the largest number there is. */
    if (errno || !is_all_number(value, end) || *value == '-' || parsed > UINT64_MAX) return false;
    *seed = parsed;
    return true;
}

static bool is_within(const option_row *row, double number)
{
    if (row->exclusive) return number > row->least && (row->most == 0 || number < row->most);
    return number >= row->least && (row->most == 0 || number <= row->most);
}

static bool read_real(const option_row *row, const char *value, double *number)
{
    char *end;
    const double parsed = strtod(value, &end);
    if (!is_all_number(value, end) || !isfinite(parsed) || !is_within(row, parsed)) return false;
    *number = parsed;
    return true;
}

/* The extents of HxW (count 2) or CxHxW (count 3), each at least 1. */
static bool read_extents(const char *value, int count, int *extent)
{
    for (int i = 0; i < count; i++) {
        char *end;
        errno = 0;
        const long parsed = isdigit((unsigned char)*value) ? strtol(value, &end, 10) : 0;
        if (errno || parsed < 1 || parsed > INT_MAX || *end != (i < count - 1 ? 'x' : '\0')) return false;
        extent[i] = (int)parsed;
        value = end + 1;
    }
    return true;
}

static bool read_shape(const char *value, clt_shape *shape)
{
    int extent[3];
    if (!read_extents(value, 3, extent)) return false;
    *shape = (clt_shape){extent[0], extent[1], extent[2]};
    return true;
}

bool read_size(const char *value, void *setting)
{
    int extent[2];
    if (!read_extents(value, 2, extent)) return read_shape(value, setting);
    *(clt_shape *)setting = (clt_shape){0, extent[0], extent[1]};
    return true;
}

static int64_t most_of(const option_row *row)
{
    if (row->most > 0) return (int64_t)row->most;
    return row->kind == OPTION_COUNT ? INT_MAX : INT64_MAX;
}

/* ---- one option --------------------------------------------------------------------------------------------- */

static const char *const *choices_of(const option_row *row)
{
    return row->choices_at ? row->choices_at() : row->choices;
}

static bool is_choice(const option_row *row, const char *value)
{
    const char *const *choices = choices_of(row);
    if (!choices) return true;
    for (const char *const *choice = choices; *choice; choice++)
        if (strcmp(value, *choice) == 0) return true;
    return false;
}

static bool read_value(const option_row *row, const char *value, void *setting)
{
    int64_t number;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)setting = !row->turns_off;
        return true;
    case OPTION_COUNT:
        if (!read_whole(value, (int64_t)row->least, most_of(row), &number)) return false;
        *(int *)setting = (int)number;
        return true;
    case OPTION_LONG:
        return read_whole(value, (int64_t)row->least, most_of(row), setting);
    case OPTION_SEED:
        return read_seed(value, setting);
    case OPTION_REAL:
        return read_real(row, value, setting);
    case OPTION_TEXT:
        if (!is_choice(row, value)) return false;
        *(const char **)setting = value;
        return true;
    case OPTION_SHAPE:
        return read_shape(value, setting);
    case OPTION_OTHER:
        break;
    }
    return row->read(value, setting);
}

static void describe_real(const option_row *row, char *text, size_t size)
{
    if (row->most == 0)
        (void)snprintf(text, size, "a number %s %g", row->exclusive ? "above" : "of at least", row->least);
    else if (row->exclusive)
        (void)snprintf(text, size, "a number between %g and %g, neither of them possible itself,", row->least,
                       row->most);
    else
        (void)snprintf(text, size, "a number from %g to %g", row->least, row->most);
}

static void describe_choices(const option_row *row, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    const char *const *choices = choices_of(row);
    for (const char *const *choice = choices; *choice && used < size; choice++) {
        const char *before = choice == choices ? "" : choice[1] ? ", " : " or ";
        const int added = snprintf(text + used, size - used, "%s%s", before, *choice);
        used += added > 0 ? (size_t)added : 0;
    }
}

/* What would be right. */
static void describe_wanted(const option_row *row, char *text, size_t size)
{
    if (row->kind == OPTION_COUNT || row->kind == OPTION_LONG)
        (void)snprintf(text, size, "a whole number from %.0f to %" PRId64, row->least, most_of(row));
    else if (row->kind == OPTION_SEED)
        (void)snprintf(text, size, "a whole number from 0 to %" PRIu64, UINT64_MAX);
    else if (row->kind == OPTION_REAL)
        describe_real(row, text, size);
    else if (row->kind == OPTION_SHAPE)
        (void)snprintf(text, size, "channels x height x width, as in 1x28x28,");
    else if (choices_of(row))
        describe_choices(row, text, size);
    else
        (void)snprintf(text, size, "%s", row->wanted);
}

static clt_status obey(const option_row *row, const char *value, void *settings, clt_error *error)
{
    if (read_value(row, value, (char *)settings + row->offset)) return CLT_OK;
    char wanted[256];
    describe_wanted(row, wanted, sizeof wanted);
    return FAIL(error, CLT_BAD_ARGUMENT, "--%s: \"%s\" is given, where %s is needed", row->name, value, wanted);
}

/* ---- the command line --------------------------------------------------------------------------------------- */

static size_t count_rows(const option_row *rows)
{
    size_t count = 0;
    while (rows[count].name) count++;
    return count;
}

static const char *row_name(const void *rows, size_t index)
{
    return ((const option_row *)rows)[index].name;
}

/* `option` is what follows "--", perhaps with "=VALUE". */
static const option_row *find_row(const option_row *rows, const char *option)
{
    const size_t length = strcspn(option, "=");
    for (; rows->name; rows++)
        if (strlen(rows->name) == length && strncmp(rows->name, option, length) == 0) return rows;
    return NULL;
}

static clt_status fail_unknown(const command_line *command, const char *argument, clt_error *error)
{
    char name[64];
    const char *bare = argument + strspn(argument, "-");
    const verb_row *verb = command->verb;
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    const char *near = nearest_name(name, count_rows(verb->options), row_name, verb->options);
    if (near)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: there is no such option of %s; did you mean --%s?", argument,
                    verb->name, near);
    return FAIL(error, CLT_BAD_ARGUMENT, "%s: there is no such option of %s; cltrain %s --help lists them", argument,
                verb->name, verb->name);
}

/* Obeys the option at arguments[*at] and moves *at on to the last argument that belongs to it. */
static clt_status read_option(const command_line *command, int *at, void *settings, clt_error *error)
{
    const char *argument = command->arguments[*at];
    const option_row *row = strncmp(argument, "--", 2) == 0 ? find_row(command->verb->options, argument + 2) : NULL;
    if (!row) return fail_unknown(command, argument, error);
    const char *equals = strchr(argument, '=');
    if (row->kind == OPTION_FLAG && equals)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: --%s takes no value", argument, row->name);
    if (row->kind == OPTION_FLAG || equals) return obey(row, equals ? equals + 1 : NULL, settings, error);
    const char *next = *at + 1 < command->argument_count ? command->arguments[*at + 1] : NULL;
    /* A value that begins with -- is a forgotten value far more often than a value. */
    if (!next || strncmp(next, "--", 2) == 0)
        return FAIL(error, CLT_BAD_ARGUMENT, "--%s: a value is needed after it: --%s %s%s", row->name, row->name,
                    row->value, next ? "; one that begins with -- is written after =" : "");
    *at += 1;
    return obey(row, next, settings, error);
}

static clt_status take_operand(command_line *command, const char *argument, clt_error *error)
{
    if (!command->verb->operand)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: %s takes only options, which begin with --", argument,
                    command->verb->name);
    command->operands[command->operand_count++] = argument;
    return CLT_OK;
}

static clt_status check_needed(const command_line *command, const void *settings, clt_error *error)
{
    const verb_row *verb = command->verb;
    for (const option_row *row = verb->options; row->name; row++)
        if (row->required && !*(const char *const *)((const char *)settings + row->offset))
            return FAIL(error, CLT_BAD_ARGUMENT, "%s: --%s %s is needed: %s", verb->name, row->name, row->value,
                        row->help);
    if (verb->operand && command->operand_count == 0)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: at least one %s is needed", verb->name, verb->operand);
    return CLT_OK;
}

clt_status read_options(command_line *command, void *settings, clt_error *error)
{
    bool options_ended = false;
    command->operand_count = 0;
    for (int at = 0; at < command->argument_count; at++) {
        const char *argument = command->arguments[at];
        if (options_ended || argument[0] != '-' || !argument[1])
            TRY(take_operand(command, argument, error));
        else if (strcmp(argument, "--") == 0)
            options_ended = true;
        else
            TRY(read_option(command, &at, settings, error));
    }
    return check_needed(command, settings, error);
}

bool asks_for_help(int argument_count, char **arguments)
{
    for (int i = 0; i < argument_count && strcmp(arguments[i], "--") != 0; i++)
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) return true;
    return false;
}

/* ---- help --------------------------------------------------------------------------------------------------- */

/* " (default 0.01)", or nothing where the setting begins as nothing, or as what cannot be given. */
static void describe_default(const option_row *row, const void *defaults, char *text, size_t size)
{
    const void *setting = (const char *)defaults + row->offset;
    *text = '\0';
    if (row->kind == OPTION_COUNT && *(const int *)setting >= row->least)
        (void)snprintf(text, size, " (default %d)", *(const int *)setting);
    else if (row->kind == OPTION_LONG && *(const int64_t *)setting >= (int64_t)row->least)
        (void)snprintf(text, size, " (default %" PRId64 ")", *(const int64_t *)setting);
    else if (row->kind == OPTION_SEED)
        (void)snprintf(text, size, " (default %" PRIu64 ")", *(const uint64_t *)setting);
    else if (row->kind == OPTION_REAL && is_within(row, *(const double *)setting))
        (void)snprintf(text, size, " (default %g)", *(const double *)setting);
    else if (row->kind == OPTION_TEXT && *(const char *const *)setting)
        (void)snprintf(text, size, " (default %s)", *(const char *const *)setting);
}

static void print_option(const option_row *row, const void *defaults, FILE *stream)
{
    enum { NAME_WIDTH = 26 };
    char option[64], help[512], initial[64], choices[128] = "";
    (void)snprintf(option, sizeof option, "  --%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    describe_default(row, defaults, initial, sizeof initial);
    if (row->choices_at) describe_choices(row, choices, sizeof choices);
    (void)snprintf(help, sizeof help, "%s%s%s%s", row->help, row->choices_at ? ": " : "", choices,
                   row->required ? " (needed)" : initial);
    (void)fprintf(stream, "%-*s", NAME_WIDTH, option);
    /* A long option has its line alone. */
    if (strlen(option) >= NAME_WIDTH) (void)fprintf(stream, "\n%*s", NAME_WIDTH, "");
    print_wrapped(help, NAME_WIDTH, stream);
}

void print_verb_help(const verb_row *verb, const void *defaults, FILE *stream)
{
    (void)fprintf(stream, "usage: cltrain %s", verb->name);
    for (const option_row *row = verb->options; row->name; row++)
        if (row->required) (void)fprintf(stream, " --%s %s", row->name, row->value);
    (void)fprintf(stream, " [options]");
    if (verb->operand) (void)fprintf(stream, " %s...", verb->operand);
    (void)fprintf(stream, "\n\n");
    print_wrapped(verb->summary, 0, stream);
    if (verb->details) {
        (void)fprintf(stream, "\n");
        print_wrapped(verb->details, 0, stream);
    }
    (void)fprintf(stream, "\noptions:\n");
    for (const option_row *row = verb->options; row->name; row++) print_option(row, defaults, stream);
    static const option_row help = {.name = "help", .help = "print this and do nothing else"};
    print_option(&help, defaults, stream);
}

static void note_sentence(void *user, const char *sentence)
{
    (void)user;
    print_note("%s", sentence);
}

clt_data_options data_options_of(const data_settings *settings, int channels)
{
    clt_data_options options = {
        .layout = CLT_NCHW, .size = settings->size, .skip_bad = settings->skip_bad, .note = note_sentence};
    if (settings->layout && strcmp(settings->layout, "nhwc") == 0) options.layout = CLT_NHWC;
    if (!options.size.channels && channels == 3) options.size.channels = channels;
    return options;
}

int read_numbers(const char *text, char end, double *numbers, int most)
{
    for (int count = 0; count < most; count++) {
        char *after;
        numbers[count] = strtod(text, &after);
        if (after == text || !isfinite(numbers[count])) return 0;
        if (*after == end) return count + 1;
        if (*after != ',') return 0;
        text = after + 1;
    }
    return 0;
}
