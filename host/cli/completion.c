#include "cli/completion.h"

#include <ctype.h>
#include <string.h>

#include "cli/verbs.h"

/* ---- what stands behind an option */

enum { WORDS_ROOM = 512 };

/* The words that an option takes and that are known, with blanks between; "" where there are none. */
static void find_words(clt__option option, char words[WORDS_ROOM])
{
    const clt__option_info *info = clt__option_info_of(option);
    const char *const *names = option == CLT__OPTION_net            ? clt_net_names()
                               : option == CLT__OPTION_recipe       ? clt_recipe_names()
                               : option == CLT__OPTION_optimizer    ? clt_optimizer_names()
                               : option == CLT__OPTION_lr_scheduler ? clt_scheduler_names()
                               : option == CLT__OPTION_loss         ? clt_loss_names()
                               : option == CLT__OPTION_init         ? clt_init_names()
                                                                    : NULL;
    size_t length = 0;
    *words = 0;
    for (; names && *names; names++)
        length += (size_t)snprintf(words + length, WORDS_ROOM - length, "%s%s", length ? " " : "", *names);
    if (length || !info->value || !strchr(info->value, '|') || !islower((unsigned char)*info->value)) return;
    (void)snprintf(words, WORDS_ROOM, "%s", info->value); /* a choice: "auto|vector|tile" */
    for (char *at = words; *at; at++)
        if (*at == '|') *at = ' ';
}

static bool takes_file(clt__option option)
{
    const char *value = clt__option_info_of(option)->value;
    return value && (strstr(value, "FILE") || strstr(value, "PATH") || strstr(value, "DIR"));
}

static bool takes_value(clt__option option)
{
    return clt__option_info_of(option)->value;
}

/* The first sentence or part of the help, for a text of a shell between single quotes: without what means something in
 * it, and with that shell's words for such a quote. */
static void print_brief(const char *help, const char *unwanted, const char *quote, FILE *stream)
{
    const size_t length = strcspn(help, ";:.");
    for (size_t i = 0; i < length; i++)
        if (help[i] == '\'')
            (void)fputs(quote, stream);
        else
            (void)fputc(strchr(unwanted, help[i]) ? ' ' : help[i], stream);
}

/* What `help` tells of besides verbs, and the shells of `help completion`. */
static const char topics[] = "nets recipes options man completion", shell_names[] = "bash zsh fish";

static void print_verb_names(FILE *stream)
{
    for (const verb_row *const *verb = verbs; *verb; verb++) (void)fprintf(stream, " %s", (*verb)->name);
}

/* ---- bash: no reply leaves it to readline to complete files, which it does whatever their names have in them */

static void print_bash_values(FILE *stream)
{
    for (clt__option i = 0; i < CLT__OPTIONS; i++) {
        char words[WORDS_ROOM], flag[CLT__FLAG_ROOM];
        find_words(i, words);
        if (!takes_value(i)) continue;
        clt__option_flag(i, flag);
        (void)fprintf(stream, "    %s)", flag);
        if (*words) (void)fprintf(stream, " COMPREPLY=($(compgen -W \"%s\" -- \"$cur\"));", words);
        if (!takes_file(i)) (void)fprintf(stream, " compopt +o default 2>/dev/null;");
        (void)fprintf(stream, " return ;;\n");
    }
}

static void print_bash(FILE *stream)
{
    (void)fprintf(
        stream,
        "# bash completion for cltrain: made by `cltrain help completion bash`\n"
        "_cltrain() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options=\n"
        "    local IFS=$' \\t\\n'\n"
        "    if [ \"$cur\" = = ]; then cur=; elif [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"help --version");
    print_verb_names(stream);
    (void)fprintf(stream, "\" -- \"$cur\"))\n        return\n    fi\n    case $prev in\n");
    print_bash_values(stream);
    (void)fprintf(stream, "    completion) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n", shell_names);
    (void)fprintf(stream, "    esac\n    case ${COMP_WORDS[1]} in\n");
    for (const verb_row *const *verb = verbs; *verb; verb++) {
        (void)fprintf(stream, "    %s) options=\"--help", (*verb)->name);
        for (clt__option i = 0; (i = next_option(*verb, i)) < CLT__OPTIONS; i++) {
            char flag[CLT__FLAG_ROOM];
            clt__option_flag(i, flag);
            (void)fprintf(stream, " %s", flag);
        }
        (void)fprintf(stream, "\" ;;\n");
    }
    (void)fprintf(stream, "    help) COMPREPLY=($(compgen -W \"%s", topics);
    print_verb_names(stream);
    (void)fprintf(stream, "\" -- \"$cur\")); return ;;\n    esac\n"
                          "    case $cur in -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;; esac\n"
                          "}\ncomplete -o bashdefault -o default -F _cltrain cltrain\n");
}

/* ---- zsh */

static const char zsh_quote[] = "'\\''";

static void print_zsh_option(clt__option option, FILE *stream)
{
    char words[WORDS_ROOM], flag[CLT__FLAG_ROOM];
    const clt__option_info *info = clt__option_info_of(option);
    clt__option_flag(option, flag);
    find_words(option, words);
    (void)fprintf(stream, "            '%s[", flag);
    print_brief(info->help, "[]`\\", zsh_quote, stream);
    (void)fprintf(stream, "]");
    if (info->value && *words && takes_file(option))
        (void)fprintf(stream, ":value: _alternative \"words\\:word\\:(%s)\" \"files\\:file\\:_files\"", words);
    else if (info->value && *words)
        (void)fprintf(stream, ":value:(%s)", words);
    else if (info->value)
        (void)fprintf(stream, ":value:%s", takes_file(option) ? "_files" : "");
    (void)fprintf(stream, "' \\\n");
}

static void print_zsh(FILE *stream)
{
    (void)fprintf(
        stream, "#compdef cltrain\n# zsh completion for cltrain: made by `cltrain help completion zsh`\n"
                "_cltrain() {\n    local -a all\n    all=(\n        'help:tells of a verb, nets, recipes, options'\n");
    for (const verb_row *const *verb = verbs; *verb; verb++) {
        (void)fprintf(stream, "        '%s:", (*verb)->name);
        print_brief((*verb)->summary, "`\\", zsh_quote, stream);
        (void)fprintf(stream, "'\n");
    }
    (void)fprintf(stream, "    )\n    if ((CURRENT == 2)); then\n        _describe verb all\n        return\n    fi\n"
                          "    local verb=$words[2]\n    shift words\n    ((CURRENT--))\n    case $verb in\n");
    for (const verb_row *const *verb = verbs; *verb; verb++) {
        (void)fprintf(stream, "    %s)\n        _arguments -S \\\n", (*verb)->name);
        for (clt__option i = 0; (i = next_option(*verb, i)) < CLT__OPTIONS; i++) print_zsh_option(i, stream);
        (void)fprintf(stream, "            '--help[tells of it]' \\\n            '*:file:_files' ;;\n");
    }
    (void)fprintf(stream,
                  "    help)\n        if ((CURRENT == 2)); then\n            _describe verb all\n"
                  "            compadd %s\n        elif [[ $words[2] == completion ]]; then\n"
                  "            compadd %s\n        fi ;;\n    esac\n}\n_cltrain \"$@\"\n",
                  topics, shell_names);
}

/* ---- fish */

static const char fish_quote[] = "\\'";

static void print_fish_option(const verb_row *verb, clt__option option, FILE *stream)
{
    char words[WORDS_ROOM], flag[CLT__FLAG_ROOM];
    clt__option_flag(option, flag);
    find_words(option, words);
    (void)fprintf(stream, "complete -c cltrain -n '__fish_seen_subcommand_from %s' -l %s", verb->name, flag + 2);
    if (takes_value(option)) (void)fprintf(stream, takes_file(option) ? " -r" : " -x");
    if (*words) (void)fprintf(stream, " -a '%s'", words);
    (void)fprintf(stream, " -d '");
    print_brief(clt__option_info_of(option)->help, "\\", fish_quote, stream);
    (void)fprintf(stream, "'\n");
}

static void print_fish(FILE *stream)
{
    (void)fprintf(
        stream,
        "# fish completion for cltrain: made by `cltrain help completion fish`\n"
        "complete -c cltrain -n __fish_use_subcommand -f -a help -d 'tells of a verb, nets, recipes, options'\n");
    for (const verb_row *const *verb = verbs; *verb; verb++) {
        (void)fprintf(stream, "complete -c cltrain -n __fish_use_subcommand -f -a %s -d '", (*verb)->name);
        print_brief((*verb)->summary, "\\", fish_quote, stream);
        (void)fprintf(stream, "'\n");
        for (clt__option i = 0; (i = next_option(*verb, i)) < CLT__OPTIONS; i++) print_fish_option(*verb, i, stream);
    }
    (void)fprintf(stream,
                  "complete -c cltrain -n '__fish_seen_subcommand_from help; and not __fish_seen_subcommand_from "
                  "completion' -f -a '%s",
                  topics);
    print_verb_names(stream);
    (void)fprintf(stream, "'\ncomplete -c cltrain -n '__fish_seen_subcommand_from completion' -f -a '%s'\n",
                  shell_names);
}

clt_status print_completion(const char *shell, FILE *stream, clt_error *error)
{
    static const struct {
        const char *name;
        void (*print)(FILE *stream);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print(stream);
            return CLT_OK;
        }
    return FAIL(error, CLT_BAD_ARGUMENT, "help completion: \"%s\" is given, where a shell is needed: bash, zsh or fish",
                shell);
}
