/* Help: of a verb, of all options as the README's table. */
#ifndef CLTRAIN_CLI_HELP_H
#define CLTRAIN_CLI_HELP_H

#include "base/text.h"
#include "cli/command_line.h"

/* Prints the verb's --help: usage, options and their defaults. Of a verb with many options those that most people need,
 * or `all`, by what they are about. */
clt_status print_verb_help(const verb_row *verb, const clt_options *defaults, bool all, FILE *stream, clt_error *error);

/* Prints the table of all options that the README has. */
clt_status print_option_table(FILE *stream, clt_error *error);

/* What the option does, and what holds where it is not given: "learning rate (default 0.01)". */
clt_status describe_option(clt__option option, const clt_options *defaults, clt__text *text, clt_error *error);

#endif
