#include "cli/man_page.h"

#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/verbs.h"

/* Text as roff takes it: a minus that stays one, no line that begins with a command. */
static void print_text(const char *text, FILE *stream)
{
    if (*text == '.' || *text == '\'') (void)fputs("\\&", stream);
    for (; *text; text++) {
        if (*text == '\\')
            (void)fputs("\\e", stream);
        else if (*text == '-')
            (void)fputs("\\-", stream);
        else
            (void)fputc(*text == '\n' ? ' ' : *text, stream);
    }
}

static clt_status print_option(clt__option option, const clt_options *defaults, FILE *stream, clt_error *error)
{
    char flag[CLT__FLAG_ROOM];
    const clt__option_info *info = clt__option_info_of(option);
    clt__text help = {0};
    clt__option_flag(option, flag);
    const clt_status status = describe_option(option, defaults, &help, error);
    if (status == CLT_OK) {
        (void)fputs(".TP\n.B ", stream);
        print_text(flag, stream);
        if (info->value) {
            (void)fputc(' ', stream);
            print_text(info->value, stream);
        }
        (void)fputc('\n', stream);
        print_text(help.start, stream);
        (void)fputs("\nTaken by ", stream);
        bool first = true;
        for (const verb_row *const *verb = verbs; *verb; verb++) {
            if (!takes_option(*verb, option)) continue;
            if (!first) (void)fputs(", ", stream);
            print_text((*verb)->name, stream);
            first = false;
        }
        (void)fputs(".\n", stream);
    }
    free(help.start);
    return status;
}

static clt_status print_options(FILE *stream, clt_error *error)
{
    const clt_options defaults = clt__options_default();
    const char *group = NULL;
    for (clt__option i = 0; i < CLT__OPTIONS; i++) {
        const char *own = clt__option_group(i);
        if (own != group) (void)fprintf(stream, ".SS \"%s\"\n", own);
        group = own;
        TRY(print_option(i, &defaults, stream, error));
    }
    return CLT_OK;
}

static void print_verbs(FILE *stream)
{
    for (const verb_row *const *verb = verbs; *verb; verb++) {
        (void)fputs(".TP\n.B ", stream);
        print_text((*verb)->name, stream);
        if ((*verb)->operand) (void)fprintf(stream, " %s%s", (*verb)->operand, (*verb)->operands ? "" : "...");
        (void)fputc('\n', stream);
        print_text((*verb)->summary, stream);
        (void)fputc('\n', stream);
        if ((*verb)->details) print_text((*verb)->details, stream);
        (void)fputc('\n', stream);
    }
}

clt_status print_man_page(FILE *stream, clt_error *error)
{
    (void)fprintf(stream,
                  ".\\\" Made by `cltrain help man`.\n.TH CLTRAIN 1 \"\" \"cltrain %s\" \"User Commands\"\n.SH NAME\n"
                  "cltrain \\- train convolutional networks on any OpenCL device\n.SH SYNOPSIS\n.B cltrain\n.I VERB\n"
                  "[options]\n.SH DESCRIPTION\nTrains convolutional networks on any OpenCL device, and checks every "
                  "number that the "
                  "device computes against a plain C reference. Results go to standard output, everything else to "
                  "standard error.\n"
                  ".SH VERBS\n",
                  clt_version());
    print_verbs(stream);
    (void)fputs(".SH OPTIONS\n", stream);
    TRY(print_options(stream, error));
    (void)fputs(
        ".SH EXIT STATUS\n0 on success; 2 where the command itself, or the net that it asks for, cannot be; "
        "130 after an "
        "interrupt, with the checkpoint written where there is an output folder; else 1.\n"
        ".SH ENVIRONMENT\n.TP\n.B CLTRAIN_DEVICE\nThe device where \\-\\-device is not given.\n"
        ".TP\n.B CLTRAIN_CACHE_DIR\nThe folder of compiled kernels, but for those that the driver itself keeps, as "
        "PoCL does (POCL_CACHE_DIR), and of what tune has found; empty: none is kept. Else cltrain in "
        "XDG_CACHE_HOME or ~/.cache.\n",
        stream);
    return CLT_OK;
}
