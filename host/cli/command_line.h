/* The command line: a verb's options are those rows of the table of options that name it; its flags, its --help and the
 * names that are suggested come from there. */
#ifndef CLTRAIN_CLI_COMMAND_LINE_H
#define CLTRAIN_CLI_COMMAND_LINE_H

#include <jansson.h>
#include <stdio.h>

#include "options/options.h"

typedef struct command_line command_line;

/* What holds for a verb where nothing is given, in place of what the table says. */
typedef struct verb_default {
    clt__option option;
    const char *value; /* NULL ends the list */
} verb_default;

enum { MOST_VERB_OPTIONS = 3, MOST_COMMON_OPTIONS = 11 };

/* A verb: its row in main's table. */
typedef struct verb_row {
    const char *name;
    clt__verb verb;
    const char *summary;                     /* one line, for the list of verbs */
    const char *details;                     /* what else --help says, or NULL */
    const char *operand;                     /* what its arguments are called; NULL: it takes none */
    int operands;                            /* how many it takes, else one or more */
    const char *needed[MOST_VERB_OPTIONS];   /* names of options that must be given; ends with NULL */
    const char *common[MOST_COMMON_OPTIONS]; /* where there are many options, names of those that most people need; ends
                                              * with NULL */
    verb_default defaults[MOST_VERB_OPTIONS];
    clt_status (*run)(const command_line *command, clt_options *options, clt_error *error);
} verb_row;

/* One call of a verb. */
struct command_line {
    const verb_row *verb;
    int argument_count; /* what follows the verb */
    char **arguments;
    const char **operands; /* the arguments that are no options: room for all */
    int operand_count;
};

/* Options as they are where the verb is called without any. */
clt_status set_verb_defaults(const verb_row *verb, clt_options *options, clt_error *error);

/* Obeys the command's options, finds the operands, and checks that what is needed is there. */
clt_status read_options(command_line *command, clt_options *options, clt_error *error);

/* Whether --help (or -h) is among the options; "all" behind it asks for all of it. */
typedef enum asked_help { NO_HELP, SHORT_HELP, ALL_HELP } asked_help;
asked_help asks_for_help(int argument_count, char **arguments);

bool takes_option(const verb_row *verb, clt__option option);

/* The first of the verb's options from `option` on; CLT__OPTIONS after the last. */
clt__option next_option(const verb_row *verb, clt__option option);

/* The name among `count` most like `name`, or NULL where none is near. `name_at` gives the names. */
const char *nearest_name(const char *name, size_t count, const char *(*name_at)(const void *list, size_t index),
                         const void *list);

/* The options that the verb takes, for "options" in what --json writes; NULL where there is no memory. */
json_t *json_of_options(const command_line *command, const clt_options *options);

/* A clt_note_function: to stderr. `display` is a progress_display, whose unfinished line ends before it, or NULL. */
void take_note(void *display, const char *sentence);

/* How images are read for a model of so many channels (0: there is none yet): one of RGB images takes grey ones as RGB.
 * What is returned owns nothing, and lives as long as the options. */
clt_options reading_for(const clt_options *options, int channels);

/* How images are read for a model that is trained: as for its training, and made as large and as colourful as its own,
 * unless the options say otherwise. */
clt_options reading_as_trained(const clt_options *options, const clt_model *model);

/* Tells of images that were made so without being asked for. */
void note_converted(const clt_options *options, const char *name, const clt_model *model, size_t converted,
                    size_t count);

#endif
