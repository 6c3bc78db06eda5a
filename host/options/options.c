#include "options/options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "options/kinds.h"
#include "options/recipe.h"

/* ---- the rows */

/* The table's own words. */
enum {
    EXAMPLE = CLT__EXAMPLE,
    DEVICES = CLT__DEVICES,
    TRAIN = CLT__TRAIN,
    EVAL = CLT__EVAL,
    PREDICT = CLT__PREDICT,
    VERIFY = CLT__VERIFY,
    SUMMARY = CLT__SUMMARY,
    PLAN = CLT__PLAN,
    BENCH = CLT__BENCH,
    TUNE = CLT__TUNE,
    LR_FIND = CLT__LR_FIND,
    DATA = CLT__DATA,
    EXPORT = CLT__EXPORT,
    CONVERT = CLT__CONVERT,
    REPORT = CLT__REPORT,
    COMPARE = CLT__COMPARE,
    SCALE = CLT__SCALE,
    READING = TRAIN | EVAL | PREDICT | LR_FIND | DATA | REPORT | COMPARE, /* they read data */
    UPDATE = TRAIN | LR_FIND,                                             /* they change parameters */
    NET = VERIFY | SUMMARY | PLAN | BENCH | TUNE | SCALE,                 /* they look at a net without data */
    DEVICE = EXAMPLE | (READING & ~DATA) | (NET & ~SUMMARY)               /* they compute */
};

enum { RUN = CLT__RUN, KEPT = CLT__KEPT, RARE = CLT__RARE, FIXED = CLT__FIXED, MODEL = CLT__MODEL };

#define ROW(kind, name, value, fallback, least, most, resume, verbs, help)              \
    {#name, &clt__kind_##kind,     offsetof(clt_options, name), value, fallback, least, \
     most,  (clt__resume)(resume), (unsigned)(verbs),           help},

static const clt__option_info rows[] = {CLT__OPTION_TABLE(ROW)};

const clt__option_info *clt__option_info_of(clt__option option)
{
    return &rows[option];
}

/* In flags - stands for _. */
static bool is_name(const char *name, const char *given, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (name[i] != (given[i] == '-' ? '_' : given[i])) return false;
    return !name[length];
}

clt__option clt__find_option(const char *name, size_t length)
{
    clt__option option = 0;
    while (option < CLT__OPTIONS && !is_name(rows[option].name, name, length)) option++;
    return option;
}

void clt__option_flag(clt__option option, char flag[CLT__FLAG_ROOM])
{
    const clt__option_info *row = &rows[option];
    const bool turns_off = clt__option_is_flag(option) && strcmp(row->fallback, "yes") == 0;
    (void)snprintf(flag, CLT__FLAG_ROOM, "--%s%s", turns_off ? "no-" : "", row->name);
    for (char *at = flag; *at; at++)
        if (*at == '_') *at = '-';
}

bool clt__option_is_flag(clt__option option)
{
    return rows[option].kind == &clt__kind_FLAG;
}

bool clt__option_lists_names(clt__option option)
{
    return rows[option].kind->names;
}

const char *clt__option_group(clt__option option)
{
    static const struct {
        clt__option first;
        const char *name;
    } groups[] = {{CLT__OPTION_data, "data"},
                  {CLT__OPTION_net, "the net"},
                  {CLT__OPTION_output_dir, "the run"},
                  {CLT__OPTION_lr, "learning rate and optimiser"},
                  {CLT__OPTION_lr_scheduler, "how the learning rate changes"},
                  {CLT__OPTION_class_weights, "the loss, and images that are changed"},
                  {CLT__OPTION_seed, "beginning, validating, going on"},
                  {CLT__OPTION_check_every, "checks and logs"},
                  {CLT__OPTION_topk, "answers"},
                  {CLT__OPTION_output, "reports and results"},
                  {CLT__OPTION_device, "the device"}};
    size_t i = sizeof groups / sizeof *groups - 1;
    while (i > 0 && option < groups[i].first) i--;
    return groups[i].name;
}

bool clt__option_is_kept(clt__option option)
{
    return rows[option].resume == CLT__KEPT || rows[option].resume == CLT__FIXED || clt__option_is_rare(option);
}

bool clt__option_is_rare(clt__option option)
{
    return rows[option].resume == CLT__RARE;
}

/* ---- one value */

static void *member_of(clt_options *options, clt__option option)
{
    return (char *)options + rows[option].offset;
}

static const void *value_of(const clt_options *options, clt__option option)
{
    return (const char *)options + rows[option].offset;
}

/* A text that is the options' own takes the place of one that was: the member, or what is said by name. */
static clt_status own_text(clt_options *options, clt__option option, const char *text, clt_error *error)
{
    char *copy = NULL;
    const char **member = rows[option].kind->by_name ? &options->named[option] : member_of(options, option);
    if (text && !*text) text = NULL; /* an empty text is none */
    if (text && options->owned[option] && strcmp(text, options->owned[option]) == 0) return CLT_OK;
    if (text) TRY(clt__copy_text(text, &copy, error));
    free(options->owned[option]);
    options->owned[option] = copy;
    *member = copy;
    return CLT_OK;
}

/* What a comma list is read to, for options that go by name. */
typedef struct by_name {
    void *value, *room; /* for all parameters; one more of the type */
    clt__text named;
    bool is_given; /* the value for all */
} by_name;

/* One part of it, "VALUE" or "PATTERN=VALUE". */
static clt_status read_part(const clt__option_info *row, char *part, by_name *to, bool *right, clt_error *error)
{
    const char *equals = strchr(part, '=');
    if (equals) {
        *right = equals != part && row->kind->read(row, equals + 1, to->room);
        return clt__text_print(&to->named, error, "%s%s", to->named.length ? "," : "", part);
    }
    *right = !to->is_given && row->kind->read(row, part, to->value);
    to->is_given = true;
    return CLT_OK;
}

/* The row's own value holds for all where the list gives none. */
static clt_status read_list(const clt__option_info *row, const char *text, by_name *to, bool *right, clt_error *error)
{
    char part[CLT__LIST_PART];
    const size_t length = strlen(text);
    *right = length > 0 && text[length - 1] != ',' && row->kind->read(row, row->fallback, to->value);
    while (*right && *text) {
        *right = strcspn(text, ",") < sizeof part && clt__next_part(&text, part);
        if (*right) TRY(read_part(row, part, to, right, error));
    }
    return CLT_OK;
}

static clt_status set_by_name(clt_options *options, clt__option option, const char *text, void *read, bool *right,
                              clt_error *error)
{
    const clt__option_info *row = &rows[option];
    by_name list = {.value = read};
    TRY(clt__allocate(1, row->kind->size, "an option", &list.room, error));
    clt_status status = read_list(row, text, &list, right, error);
    if (status == CLT_OK && *right) status = own_text(options, option, list.named.start, error);
    if (status == CLT_OK && *right) memcpy(member_of(options, option), read, row->kind->size);
    free(list.named.start);
    free(list.room);
    return status;
}

static clt_status set_plain(clt_options *options, clt__option option, const char *text, void *read, bool *right,
                            clt_error *error)
{
    const clt__value_kind *kind = rows[option].kind;
    *right = kind->read(&rows[option], text, read);
    if (*right && kind->owned) return own_text(options, option, text, error);
    if (*right) memcpy(member_of(options, option), read, kind->size);
    return CLT_OK;
}

static clt_status set(clt_options *options, clt__option option, const char *text, bool *right, clt_error *error)
{
    const clt__value_kind *kind = rows[option].kind;
    void *read;
    TRY(clt__allocate(1, kind->size, "an option", &read, error));
    const clt_status status = kind->by_name ? set_by_name(options, option, text, read, right, error)
                                            : set_plain(options, option, text, read, right, error);
    if (*right && status == CLT_OK) options->given[option] = true;
    free(read);
    return status;
}

/* What a recipe says holds at once: an option that is given after it has the last word. */
static clt_status set_recipe(clt_options *options, const char *text, bool *right, clt_error *error)
{
    if (options->recipe)
        return FAIL(error, CLT_BAD_ARGUMENT, "recipe: %s is taken already, and there is one at most", options->recipe);
    TRY(set(options, CLT__OPTION_recipe, text, right, error));
    return options->recipe ? clt__recipe_take(options, options->recipe, error) : CLT_OK;
}

clt_status clt__option_set(clt_options *options, clt__option option, const char *text, bool *right, clt_error *error)
{
    return option == CLT__OPTION_recipe ? set_recipe(options, text, right, error)
                                        : set(options, option, text, right, error);
}

clt_status clt__option_copy(clt_options *to, const clt_options *from, clt__option option, clt_error *error)
{
    const clt__value_kind *kind = rows[option].kind;
    if (kind->owned) return own_text(to, option, *(const char *const *)value_of(from, option), error);
    if (kind->by_name) TRY(own_text(to, option, from->named[option], error));
    memcpy(member_of(to, option), value_of(from, option), kind->size);
    return CLT_OK;
}

bool clt__option_by_name(const clt_options *options, clt__option option, const char *parameter, void *value)
{
    char part[CLT__LIST_PART];
    const char *text = clt__named_value(options->named[option], parameter, part);
    return text && rows[option].kind->read(&rows[option], text, value);
}

clt_status clt__option_print(const clt_options *options, clt__option option, clt__text *text, clt_error *error)
{
    TRY(rows[option].kind->print(&rows[option], value_of(options, option), text, error));
    return options->named[option] ? clt__text_print(text, error, ",%s", options->named[option]) : CLT_OK;
}

clt_status clt__option_print_argument(const clt_options *options, clt__option option, clt__text *text, clt_error *error)
{
    const clt_options usual = clt__options_default();
    clt__text is = {0}, was = {0};
    clt_status status = clt__option_print(options, option, &is, error);
    if (status == CLT_OK) status = clt__option_print(&usual, option, &was, error);
    const char *value = is.start ? is.start : "";
    if (status == CLT_OK && strcmp(value, was.start ? was.start : "") != 0) {
        char flag[CLT__FLAG_ROOM];
        clt__option_flag(option, flag);
        status = clt__text_print(text, error, clt__option_is_flag(option) ? " %s" : " %s ", flag);
        if (status == CLT_OK && !clt__option_is_flag(option)) status = clt__text_word(text, value, error);
    }
    free(is.start);
    free(was.start);
    return status;
}

clt_status clt__option_wanted(clt__option option, clt__text *text, clt_error *error)
{
    return rows[option].kind->wanted(&rows[option], text, error);
}

/* ---- all of them */

/* The fallbacks are part of the program: tests/test_sessions.c sees that each is a value of its row. */
clt_options clt__options_default(void)
{
    clt_options options = {0};
    for (clt__option i = 0; i < CLT__OPTIONS; i++)
        if (rows[i].fallback) (void)rows[i].kind->read(&rows[i], rows[i].fallback, member_of(&options, i));
    return options;
}

const clt_options *clt__options_or_default(const clt_options *options, clt_options *room)
{
    if (options) return options;
    *room = clt__options_default();
    return room;
}

void clt__options_note(const clt_options *options, const char *format, ...)
{
    char *sentence;
    va_list arguments;
    if (!options->note) return;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || clt__allocate((uint64_t)length + 1, 1, "a note", &sentence, NULL) != CLT_OK) return;
    va_start(arguments, format);
    (void)vsnprintf(sentence, (size_t)length + 1, format, arguments);
    va_end(arguments);
    options->note(options->note_user, sentence);
    free(sentence);
}

clt_status clt__no_such(const char *kind, const char *name, const char *const *names, clt_error *error)
{
    char list[512] = "";
    size_t length = 0;
    for (size_t i = 0; names[i] && length < sizeof list; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", names[i]);
    return FAIL(error, CLT_BAD_ARGUMENT, "there is no %s \"%s\": there is %s", kind, name, list);
}

/* ---- the public handle */

clt_status clt_options_create(clt_options **options, clt_error *error)
{
    TRY(clt__allocate(1, sizeof **options, "options", options, error));
    **options = clt__options_default();
    return CLT_OK;
}

clt_status clt_options_copy(const clt_options *from, clt_options **options, clt_error *error)
{
    clt_options *fresh, none;
    *options = NULL;
    from = clt__options_or_default(from, &none);
    TRY(clt__allocate(1, sizeof *fresh, "options", &fresh, error));
    *fresh = *from;
    memset(fresh->owned, 0, sizeof fresh->owned);
    clt_status status = CLT_OK;
    for (clt__option i = 0; i < CLT__OPTIONS && status == CLT_OK; i++) status = clt__option_copy(fresh, from, i, error);
    if (status == CLT_OK)
        *options = fresh;
    else
        clt_options_close(fresh);
    return status;
}

void clt__options_forget(clt_options *options)
{
    for (clt__option i = 0; i < CLT__OPTIONS; i++) free(options->owned[i]);
}

void clt_options_close(clt_options *options)
{
    if (!options) return;
    clt__options_forget(options);
    free(options);
}

static clt_status find(const char *name, clt__option *option, clt_error *error)
{
    *option = clt__find_option(name, strlen(name));
    if (*option < CLT__OPTIONS) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "there is no option \"%s\": the README lists them", name);
}

clt_status clt__option_refuse(clt__option option, const char *name, const char *value, clt_error *error)
{
    const char *lists = !rows[option].kind->by_name       ? ""
                        : clt__option_lists_names(option) ? ", or a comma list of one and of PATTERN=NAME"
                                                          : ", or a comma list of one and of PATTERN=NUMBER";
    clt__text wanted = {0};
    clt_status status = clt__option_wanted(option, &wanted, error);
    if (status == CLT_OK)
        status = FAIL(error, CLT_BAD_ARGUMENT, "%s: \"%.500s\" is given, where %s is needed%s", name, value,
                      wanted.start, lists);
    free(wanted.start);
    return status;
}

clt_status clt_options_set(clt_options *options, const char *name, const char *value, clt_error *error)
{
    clt__option option;
    bool right = false;
    TRY(find(name, &option, error));
    TRY(clt__option_set(options, option, value, &right, error));
    return right ? CLT_OK : clt__option_refuse(option, name, value, error);
}

clt_status clt_options_set_integer(clt_options *options, const char *name, int64_t value, clt_error *error)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    return clt_options_set(options, name, text, error);
}

clt_status clt_options_set_real(clt_options *options, const char *name, double value, clt_error *error)
{
    clt__text text = {0};
    TRY(clt__text_print(&text, error, "%.17g", value));
    const clt_status status = clt_options_set(options, name, text.start, error);
    free(text.start);
    return status;
}

clt_status clt_options_set_flag(clt_options *options, const char *name, bool value, clt_error *error)
{
    return clt_options_set(options, name, value ? "yes" : "no", error);
}

clt_status clt_options_get(const clt_options *options, const char *name, char **value, clt_error *error)
{
    clt__option option;
    clt__text text = {0};
    clt_options none;
    *value = NULL;
    options = clt__options_or_default(options, &none);
    TRY(find(name, &option, error));
    TRY(clt__text_append(&text, "", 0, error));
    const clt_status status = clt__option_print(options, option, &text, error);
    if (status == CLT_OK)
        *value = text.start;
    else
        free(text.start);
    return status;
}

void clt_options_set_collective(clt_options *options, const clt_collective *collective)
{
    options->collective = collective;
}

void clt_options_set_progress(clt_options *options, clt_progress_function progress, void *user)
{
    options->progress = progress;
    options->progress_user = user;
}

void clt_options_set_notes(clt_options *options, clt_note_function note, void *user)
{
    options->note = note;
    options->note_user = user;
}
