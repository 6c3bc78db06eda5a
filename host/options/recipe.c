/* Recipes: a net and the options that go with it, as text.
 *
 *   # what it is for
 *   epochs=8
 *   augment=flip,crop=2
 *   net
 *   conv out=32 kernel=3 padding=1
 *   ...
 *
 * A line is an option, # begins a comment, and all that follows the line "net" is the net's text. */
#include "options/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* A line, without the comment and the blanks around it; *text moves on to the next. */
typedef struct span {
    const char *start;
    size_t length;
} span;

static span next_line(const char **text)
{
    static const char blanks[] = " \t\r";
    span line = {*text + strspn(*text, blanks), 0};
    const size_t whole = strcspn(*text, "\n");
    const char *end = *text + whole;
    if (line.start > end) line.start = end;
    line.length = strcspn(line.start, "#\n");
    while (line.length > 0 && strchr(blanks, line.start[line.length - 1])) line.length--;
    *text = end + (*end == '\n');
    return line;
}

static bool is_word(const span *line, const char *word)
{
    return line->length == strlen(word) && memcmp(line->start, word, line->length) == 0;
}

/* Where in which recipe something may be wrong, and which options were given before it. */
typedef struct position {
    const char *recipe;
    int line;
    bool given[CLT__OPTIONS], taken[CLT__OPTIONS];
} position;

/* An option that was given holds in place of the recipe's. */
static clt_status take_value(clt_options *options, position *at, clt__option option, const char *value,
                             clt_error *error)
{
    bool right;
    if (at->taken[option])
        return FAIL(error, CLT_BAD_ARGUMENT, "recipe %s, line %d: %s is given a second time", at->recipe, at->line,
                    clt__option_info_of(option)->name);
    at->taken[option] = true;
    if (at->given[option]) return CLT_OK;
    TRY(clt__option_set(options, option, value, &right, error));
    if (right) return CLT_OK;
    clt_error inner;
    (void)clt__option_refuse(option, clt__option_info_of(option)->name, value, &inner);
    return FAIL(error, CLT_BAD_ARGUMENT, "recipe %s, line %d: %s", at->recipe, at->line, inner.message);
}

/* Whether a verb that takes recipes takes the option too. */
static bool belongs(clt__option option)
{
    const unsigned verbs = clt__option_info_of(CLT__OPTION_recipe)->verbs;
    return option < CLT__OPTIONS && option != CLT__OPTION_recipe && clt__option_info_of(option)->verbs & verbs;
}

static clt_status take_line(clt_options *options, position *at, const span *line, clt_error *error)
{
    const size_t name = strcspn(line->start, "=\n");
    const clt__option option = name < line->length ? clt__find_option(line->start, name) : CLT__OPTIONS;
    if (!belongs(option))
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "recipe %s, line %d: \"%.*s\" is given, where an option of training is needed, as in epochs=5, or net, "
            "after which the net's layers follow",
            at->recipe, at->line, (int)(line->length < 200 ? line->length : 200), line->start);
    clt__text value = {0};
    clt_status status = clt__text_append(&value, line->start + name + 1, line->length - name - 1, error);
    if (status == CLT_OK) status = take_value(options, at, option, value.start, error);
    free(value.start);
    return status;
}

static clt_status take_text(clt_options *options, const char *recipe, const char *text, clt_error *error)
{
    position at = {.recipe = recipe};
    memcpy(at.given, options->given, sizeof at.given);
    while (*text) {
        const span line = next_line(&text);
        at.line++;
        if (is_word(&line, "net")) return take_value(options, &at, CLT__OPTION_net, text, error);
        if (line.length > 0) TRY(take_line(options, &at, &line, error));
    }
    return CLT_OK;
}

clt_status clt__recipe_take(clt_options *options, const char *recipe, clt_error *error)
{
    const char *built_in = clt_recipe_text(recipe);
    if (built_in) return take_text(options, recipe, built_in, error);
    char *text;
    size_t size;
    const clt_status status = clt__file_read(recipe, &text, &size, error);
    if (status != CLT_OK && !strpbrk(recipe, "/.")) return clt__no_such("recipe", recipe, clt_recipe_names(), error);
    if (status != CLT_OK) return status;
    const size_t length = strlen(text);
    const clt_status taken =
        length < size ? FAIL(error, CLT_BAD_FILE, "recipe %s: byte %zu is 0: a recipe is text", recipe, length)
                      : take_text(options, recipe, text, error);
    free(text);
    return taken;
}
