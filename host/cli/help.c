/* What the program tells of its options, all of it made from their rows. */
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/verbs.h"

static bool is_needed(const verb_row *verb, clt__option option)
{
    for (const char *const *name = verb->needed; *name; name++)
        if (strcmp(*name, clt__option_info_of(option)->name) == 0) return true;
    return false;
}

static void print_help_line(const char *flag, const char *value, const char *help, FILE *stream)
{
    enum { WIDTH = 26 };
    const int length = fprintf(stream, "  %s%s%s", flag, value ? " " : "", value ? value : "");
    /* A long option has its line alone. */
    if (length >= WIDTH)
        (void)fprintf(stream, "\n%*s", WIDTH, "");
    else
        (void)fprintf(stream, "%*s", WIDTH - length, "");
    print_wrapped(help, WIDTH, stream);
}

clt_status describe_option(clt__option option, const clt_options *defaults, clt__text *text, clt_error *error)
{
    const clt__option_info *info = clt__option_info_of(option);
    TRY(clt__text_print(text, error, "%s", info->help));
    if (clt__option_lists_names(option)) {
        TRY(clt__text_print(text, error, ": "));
        TRY(clt__option_wanted(option, text, error));
    }
    if (!info->fallback || clt__option_is_flag(option)) return CLT_OK;
    TRY(clt__text_print(text, error, " (default "));
    TRY(clt__option_print(defaults, option, text, error));
    return clt__text_print(text, error, ")");
}

static clt_status print_option(const verb_row *verb, clt__option option, const clt_options *defaults, FILE *stream,
                               clt_error *error)
{
    char flag[CLT__FLAG_ROOM];
    clt__text help = {0};
    clt__option_flag(option, flag);
    clt_status status = describe_option(option, defaults, &help, error);
    if (status == CLT_OK && is_needed(verb, option)) status = clt__text_print(&help, error, " (needed)");
    if (status == CLT_OK) print_help_line(flag, clt__option_info_of(option)->value, help.start, stream);
    free(help.start);
    return status;
}

static void print_usage(const verb_row *verb, FILE *stream)
{
    (void)fprintf(stream, "usage: cltrain %s", verb->name);
    for (clt__option i = 0; (i = next_option(verb, i)) < CLT__OPTIONS; i++)
        if (is_needed(verb, i)) {
            char flag[CLT__FLAG_ROOM];
            clt__option_flag(i, flag);
            (void)fprintf(stream, " %s %s", flag, clt__option_info_of(i)->value);
        }
    (void)fprintf(stream, " [options]");
    if (verb->operand) (void)fprintf(stream, " %s%s", verb->operand, verb->operands ? "" : "...");
    (void)fprintf(stream, "\n\n");
}

/* The options that most people need. */
static clt_status print_common(const verb_row *verb, const clt_options *defaults, FILE *stream, clt_error *error)
{
    (void)fprintf(stream, "\nwhat most people need:\n");
    for (const char *const *name = verb->common; *name; name++)
        TRY(print_option(verb, clt__find_option(*name, strlen(*name)), defaults, stream, error));
    print_help_line("--help all", NULL, "print all options, by what they are about", stream);
    return CLT_OK;
}

static clt_status print_groups(const verb_row *verb, const clt_options *defaults, FILE *stream, clt_error *error)
{
    const char *group = NULL;
    for (clt__option i = 0; (i = next_option(verb, i)) < CLT__OPTIONS; i++) {
        const char *own = clt__option_group(i);
        if (own != group) (void)fprintf(stream, "\n%s:\n", own);
        group = own;
        TRY(print_option(verb, i, defaults, stream, error));
    }
    return CLT_OK;
}

static clt_status print_all(const verb_row *verb, const clt_options *defaults, FILE *stream, clt_error *error)
{
    (void)fprintf(stream, "\noptions:\n");
    for (clt__option i = 0; (i = next_option(verb, i)) < CLT__OPTIONS; i++)
        TRY(print_option(verb, i, defaults, stream, error));
    return CLT_OK;
}

clt_status print_verb_help(const verb_row *verb, const clt_options *defaults, bool all, FILE *stream, clt_error *error)
{
    const bool has_common = *verb->common;
    print_usage(verb, stream);
    print_wrapped(verb->summary, 0, stream);
    if (verb->details) {
        (void)fprintf(stream, "\n");
        print_wrapped(verb->details, 0, stream);
    }
    if (has_common && !all) return print_common(verb, defaults, stream, error);
    TRY(has_common ? print_groups(verb, defaults, stream, error) : print_all(verb, defaults, stream, error));
    print_help_line("--help", NULL, "print this and do nothing else", stream);
    return CLT_OK;
}

/* In a cell of a table, | would begin the next one. */
static void print_cell(const char *text, FILE *stream)
{
    for (; *text; text++) (void)fprintf(stream, "%s%c", *text == '|' ? "\\" : "", *text);
}

static clt_status print_table_row(clt__option option, const clt_options *defaults, FILE *stream, clt_error *error)
{
    const clt__option_info *info = clt__option_info_of(option);
    char flag[CLT__FLAG_ROOM];
    clt__text help = {0};
    clt__option_flag(option, flag);
    const clt_status status = describe_option(option, defaults, &help, error);
    if (status != CLT_OK) {
        free(help.start);
        return status;
    }
    (void)fprintf(stream, "| `%s%s", flag, info->value ? " " : "");
    print_cell(info->value ? info->value : "", stream);
    (void)fprintf(stream, "` | ");
    bool first = true;
    for (const verb_row *const *verb = verbs; *verb; verb++) {
        if (!takes_option(*verb, option)) continue;
        (void)fprintf(stream, "%s%s", first ? "" : ", ", (*verb)->name);
        first = false;
    }
    static const char *const resumed[] = {[CLT__RUN] = "",
                                          [CLT__KEPT] = "may change",
                                          [CLT__RARE] = "may change",
                                          [CLT__FIXED] = "stays",
                                          [CLT__MODEL] = "stays"};
    (void)fprintf(stream, " | %s | ", takes_option(&train_verb, option) ? resumed[info->resume] : "");
    print_cell(help.start, stream);
    (void)fprintf(stream, " |\n");
    free(help.start);
    return CLT_OK;
}

clt_status print_option_table(FILE *stream, clt_error *error)
{
    const clt_options defaults = clt__options_default();
    (void)fprintf(stream, "| option | verbs | on `--resume` | does |\n|---|---|---|---|\n");
    for (clt__option i = 0; i < CLT__OPTIONS; i++) TRY(print_table_row(i, &defaults, stream, error));
    return CLT_OK;
}
