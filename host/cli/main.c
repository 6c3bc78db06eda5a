/* cltrain: the command line. This file picks the verb and decides the exit code; nothing else does. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/man_page.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/scratch_cache.h"
#include "cli/verbs.h"

static size_t count_verbs(void)
{
    size_t count = 0;
    while (verbs[count]) count++;
    return count;
}

static const char *verb_name(const void *list, size_t index)
{
    return ((const verb_row *const *)list)[index]->name;
}

/* ---- help --------------------------------------------------------------------------------------------------- */

static void print_overview(void)
{
    (void)printf("cltrain %s trains convolutional networks on any OpenCL device, and checks every\n"
                 "number the device computes against a plain C reference.\n\n"
                 "usage: cltrain VERB [options]\n\n",
                 clt_version());
    for (size_t i = 0; verbs[i]; i++) (void)printf("  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    (void)printf(
        "\n"
        "cltrain VERB --help   a verb's options and their defaults (or: cltrain help VERB)\n"
        "cltrain help nets     how a net is written: the built-in nets, layers and losses\n"
        "cltrain help recipes  nets with the options that train them well, by name\n"
        "cltrain help options  every option of every verb, as a table in Markdown\n"
        "cltrain --version     the version, and what it was built with\n\n"
        "Your own photos, in a folder for each of, say, 3 classes:\n"
        "  cltrain train --data PHOTOS --size 64x64 --net vgg6bn --classes 3 --val-split 0.2 --output-dir run\n"
        "  cltrain report run                                    how it went, as a page to look at\n"
        "  cltrain predict --model run/best.safetensors NEW.jpg  what it makes of another\n"
        "To see that your device computes rightly: cltrain verify\n");
}

static clt_status print_net_language(clt_error *error)
{
    char *text;
    TRY(clt_net_language(&text, error));
    (void)printf("%s", text);
    clt_free(text);
    return CLT_OK;
}

static void print_recipes(void)
{
    (void)printf(
        "A recipe is text: an option a line, as epochs=5, then the line \"net\" and the net's layers.\n"
        "# begins a comment. cltrain train --recipe NAME takes one of these, --recipe FILE a file of your own;\n"
        "options that are given hold in place of the recipe's.\n");
    for (const char *const *name = clt_recipe_names(); *name; name++)
        (void)printf("\n---- %s\n%s", *name, clt_recipe_text(*name));
}

static clt_status find_verb(const char *name, const verb_row **found, clt_error *error)
{
    for (size_t i = 0; verbs[i]; i++) {
        if (strcmp(verbs[i]->name, name) != 0) continue;
        *found = verbs[i];
        return CLT_OK;
    }
    const char *near = nearest_name(name, count_verbs(), verb_name, verbs);
    if (near)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: cltrain has no such verb; did you mean cltrain %s?", name, near);
    return FAIL(error, CLT_BAD_ARGUMENT, "%s: cltrain has no such verb; cltrain --help lists them", name);
}

/* ---- running a verb ----------------------------------------------------------------------------------------- */

static bool asks_opencl(const verb_row *verb, const clt_options *options)
{
    const char *name = options->device ? options->device : getenv("CLTRAIN_DEVICE");
    const bool opens_one = clt__option_info_of(CLT__OPTION_device)->verbs & verb->verb;
    return verb->verb == CLT__DEVICES || (opens_one && !(name && strcmp(name, "reference") == 0));
}

static clt_status run_with(command_line *command, clt_options *options, clt_error *error)
{
    TRY(set_verb_defaults(command->verb, options, error));
    const asked_help help = asks_for_help(command->argument_count, command->arguments);
    if (help != NO_HELP) return print_verb_help(command->verb, options, help == ALL_HELP, stdout, error);
    if (clt__option_info_of(CLT__OPTION_timeout)->verbs & command->verb->verb) TRY(join_processes(options, error));
    TRY(clt_collective_agree(options->collective, read_options(command, options, error), error));
    if (options->collective) clt_mpi_set_timeout(options->collective, options->timeout);
    if (options->collective && options->collective->rank > 0) options->quiet = true;
    progress_display display = progress_begin(options->quiet);
    clt_options_set_progress(options, progress_of_work, &display);
    clt_options_set_notes(options, take_note, &display);
    if (asks_opencl(command->verb, options)) use_scratch_cache();
    const clt_status status = command->verb->run(command, options, error);
    progress_end(&display);
    return status;
}

static clt_status run_verb(const verb_row *verb, int argument_count, char **arguments, clt_error *error)
{
    command_line command = {.verb = verb, .argument_count = argument_count, .arguments = arguments};
    clt_options *options = NULL;
    clt_status status = clt_options_create(&options, error);
    if (status == CLT_OK)
        status = clt__allocate((uint64_t)argument_count, sizeof *command.operands, "the arguments", &command.operands,
                               error);
    if (status == CLT_OK) status = run_with(&command, options, error);
    free(command.operands);
    clt_options_close(options);
    return status;
}

static clt_status print_recipes_page(clt_error *error)
{
    (void)error;
    print_recipes();
    return CLT_OK;
}

static clt_status print_options_page(clt_error *error)
{
    return print_option_table(stdout, error);
}

static clt_status print_manual(clt_error *error)
{
    return print_man_page(stdout, error);
}

/* What `cltrain help WORD` tells that is no verb's. */
static const struct {
    const char *word;
    clt_status (*print)(clt_error *error);
} pages[] = {{"nets", print_net_language},
             {"recipes", print_recipes_page},
             {"options", print_options_page},
             {"man", print_manual}};

static clt_status run_help(int argument_count, char **arguments, clt_error *error)
{
    static const char takes[] = "help takes one verb, nets, recipes, options, man, or completion and a shell";
    const bool completes = argument_count > 0 && strcmp(arguments[0], "completion") == 0;
    if (argument_count > 1 && !(completes && argument_count == 2))
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: %s", arguments[1], takes);
    if (argument_count == 0) {
        print_overview();
        return CLT_OK;
    }
    if (completes) return print_completion(argument_count == 2 ? arguments[1] : "", stdout, error);
    if (arguments[0][0] == '-') return FAIL(error, CLT_BAD_ARGUMENT, "%s: %s", arguments[0], takes);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(arguments[0], pages[i].word) == 0) return pages[i].print(error);
    char option[] = "--help";
    char *only[] = {option};
    const verb_row *verb;
    TRY(find_verb(arguments[0], &verb, error));
    return run_verb(verb, 1, only, error);
}

static clt_status run_command(int argument_count, char **arguments, clt_error *error)
{
    const char *name = argument_count > 0 ? arguments[0] : "help";
    if (strcmp(name, "--version") == 0) {
        if (argument_count > 1) return FAIL(error, CLT_BAD_ARGUMENT, "%s: --version stands alone", arguments[1]);
        (void)printf("cltrain %s\nbuilt with %s\n", clt_version(), clt_built_with());
        return CLT_OK;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return run_help(argument_count > 0 ? argument_count - 1 : 0, arguments + 1, error);
    if (name[0] == '-') return FAIL(error, CLT_BAD_ARGUMENT, "%s: a verb comes first; cltrain --help lists them", name);
    const verb_row *verb;
    TRY(find_verb(name, &verb, error));
    return run_verb(verb, argument_count - 1, arguments + 1, error);
}

/* ---- the process -------------------------------------------------------------------------------------------- */

/* If a standard stream is closed, the next file opened would take its number, and what is printed would go there. A
 * stream that is only for reading takes the place instead: printing to it fails, as it should. */
static void occupy_standard_streams(void)
{
    int descriptor;
    do descriptor = open("/dev/null", O_RDONLY);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) (void)close(descriptor);
}

static int exit_code_of(clt_status status)
{
    switch (status) {
    case CLT_OK:
        return 0;
    case CLT_BAD_ARGUMENT:
    case CLT_BAD_NET: /* what was asked for cannot be: another command would be right */
        return 2;
    case CLT_STOPPED:
        return 130; /* as a shell reports a program that Ctrl-C ended */
    default:
        return 1;
    }
}

/* It asks a training for a checkpoint (verb_train.c), which looks for it from time to time. Schedulers may send it
 * before the first step, and drivers that compile with LLVM put a handler of LLVM's own in any other's place; threads,
 * of MPI and of drivers, that come later hold it back, too. */
static void hold_back_saving(void)
{
    sigset_t saving;
    (void)sigemptyset(&saving);
    (void)sigaddset(&saving, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &saving, NULL);
}

int main(int argument_count, char **arguments)
{
    clt_error error = {0};
    occupy_standard_streams();
    hold_back_saving();
    /* A reader that goes away must not end a training without its checkpoint; close_stdout tells of it. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    clt_status status = run_command(argument_count - 1, arguments + 1, &error);
    const bool others_told = status != CLT_OK && others_tell(&error);
    if (status != CLT_OK && !others_told) print_error(&error);
    clt_error output_error = {0};
    const clt_status output_status = close_stdout(&output_error);
    if (status == CLT_OK && output_status != CLT_OK) {
        status = output_status;
        print_error(&output_error);
    }
    leave_processes(&error, exit_code_of(status));
    return others_told ? 0 : exit_code_of(status); /* a launcher gives its caller one code: that of who tells why */
}
