/* Options: the input's first line is a verb, each other line an argument. The verb does not run. */
#include <string.h>

#include "cli/verbs.h"
#include "fuzz.h"

enum { MOST_ARGUMENTS = 64 };

static const verb_row *find_verb(const char *name)
{
    for (const verb_row *const *verb = verbs; *verb; verb++)
        if (strcmp((*verb)->name, name) == 0) return *verb;
    return NULL;
}

/* Cuts the text into lines. */
static int split(char *text, char *lines[MOST_ARGUMENTS])
{
    int count = 0;
    for (char *line = text; line && count < MOST_ARGUMENTS; count++) {
        char *end = strchr(line, '\n');
        lines[count] = line;
        if (end) *end = '\0';
        line = end ? end + 1 : NULL;
    }
    return count;
}

static void read_line(const verb_row *verb, int count, char **arguments)
{
    clt_error error;
    const char *operands[MOST_ARGUMENTS];
    command_line command = {.verb = verb, .argument_count = count, .arguments = arguments, .operands = operands};
    clt_options *options;
    REQUIRE(clt_options_create(&options, &error) == CLT_OK && set_verb_defaults(verb, options, &error) == CLT_OK, "%s",
            verb->name);
    fuzz_check(read_options(&command, options, &error), &error);
    REQUIRE(command.operand_count <= count, "%d operands", command.operand_count);
    (void)asks_for_help(count, arguments);
    clt_options_close(options);
}

static void run(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size), *lines[MOST_ARGUMENTS];
    const int count = split(text, lines);
    const verb_row *verb = find_verb(lines[0]);
    if (verb) read_line(verb, count - 1, lines + 1);
    free(text);
}

/* The options of a verb. */
const fuzz_target target = {.run = run, .base = 1 << 17, .factor = 2};
