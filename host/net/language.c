/* The page on the net language, made from the lists that the parser reads. */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "net/description.h"

static clt_status write_option(clt__text *text, const clt__option_row *option, clt_error *error)
{
    static const char *const value[] = {
        [CLT__COUNT] = "N", [CLT__PAIR] = "N|HxW", [CLT__FLAG] = "yes|no", [CLT__REAL] = "X", [CLT__NUMBER] = "X"};
    if (option->kind == CLT__CHOICE) return clt__text_print(text, error, "    %s=%s", option->key, option->help);
    return clt__text_print(text, error, "    %s=%s  %s", option->key, value[option->kind], option->help);
}

static clt_status write_default(clt__text *text, const clt__option_row *option, clt_error *error)
{
    if (option->fallback == CLT__REQUIRED) return clt__text_print(text, error, " (needed)");
    if (CLT__IS_AS(option->fallback)) return CLT_OK;
    int length;
    switch (option->kind) {
    case CLT__FLAG:
        return clt__text_print(text, error, " (default %s)", option->fallback ? "yes" : "no");
    case CLT__REAL:
        return clt__text_print(text, error, " (default %.9g)", clt__real_of(option->fallback));
    case CLT__NUMBER:
        return clt__text_print(text, error, " (default %.9g)", clt__number_of(option->fallback));
    case CLT__CHOICE: {
        const char *word = clt__choice_word(option, option->fallback, &length);
        return clt__text_print(text, error, " (default %.*s)", length, word);
    }
    case CLT__COUNT:
    case CLT__PAIR:
        break;
    }
    return clt__text_print(text, error, " (default %d)", option->fallback);
}

static clt_status write_layer(clt__text *text, const clt__layer_row *row, clt_error *error)
{
    TRY(clt__text_print(text, error, "  %-18s %s\n", row->name, row->help));
    for (const clt__option_row *option = row->option; option->key; option++) {
        TRY(write_option(text, option, error));
        TRY(write_default(text, option, error));
        TRY(clt__text_print(text, error, "\n"));
    }
    return CLT_OK;
}

static clt_status write_page(clt__text *text, clt_error *error)
{
    TRY(clt__text_print(
        text, error,
        "A net is text: one layer a line, its name and its options as name=value. Commas or semicolons "
        "may stand\nfor line ends, # begins a comment. Each layer reads the one above,\nor those that from= names.\n\n"
        "  input CxHxW        the images' channels, height and width (first line; may be left out)\n"
        "  loss NAME          what training minimises (default: cross_entropy)\n\nLayers:\n"));
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++) TRY(write_layer(text, *row, error));
    TRY(clt__text_print(text, error,
                        "\nEvery layer also takes\n    as=NAME  its name in files, instead of its kind and number\n"
                        "    from=NAME,NAME  what it reads, in place of the line above: lines before it, or input\n"
                        "    frozen=yes|no  its parameters are not trained (default no)\n\nLosses:\n"));
    for (const clt__loss_row *const *row = clt__loss_rows; *row; row++)
        TRY(clt__text_print(text, error, "  %-18s %s\n", (*row)->name, (*row)->help));
    TRY(clt__text_print(text, error, "\nBuilt-in nets:\n"));
    for (const char *const *name = clt_net_names(); *name; name++) {
        const char *net = clt_net_text(*name);
        TRY(clt__text_print(text, error, "\n  # %s\n", *name));
        TRY(clt__text_append(text, net, strlen(net), error));
    }
    return CLT_OK;
}

clt_status clt_net_language(char **text, clt_error *error)
{
    clt__text page = {0};
    const clt_status status = write_page(&page, error);
    if (status != CLT_OK) {
        free(page.start);
        page.start = NULL;
    }
    *text = page.start;
    return status;
}
