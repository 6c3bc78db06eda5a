/* A run that goes on with a model, by options of which some are the model's and some are given anew. */
#include <stdlib.h>
#include <string.h>

#include "formats/foreign.h"
#include "model/model.h"

/* What a sentence says of a value that there is not. */
static const char *shown(const clt__text *text)
{
    return text->length ? text->start : "none";
}

typedef struct comparison {
    clt__text given, kept; /* as the command line takes them */
} comparison;

/* A net's lines with commas between them, as they are given in a sentence and on the command line. */
static void join_lines(clt__text *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (text->start[i] == '\n') text->start[i] = i + 1 < text->length ? ',' : '\0';
}

static clt_status fail_changed(clt__option option, const comparison *c, clt_error *error)
{
    return FAIL(error, CLT_BAD_ARGUMENT,
                "%s: \"%.1000s\" is given, where the checkpoint has \"%.1000s\", with which it can only go on",
                clt__option_info_of(option)->name, shown(&c->given), shown(&c->kept));
}

/* The net that the options name, with the model's input and loss, as text. */
static clt_status print_net(const clt_options *options, const clt_model *model, clt__text *text, clt_error *error)
{
    clt_options named = {.net = options->net,
                         .input = model->input,
                         .until = options->until,
                         .classes = options->classes,
                         .freeze_until = options->freeze_until};
    if (!named.classes && clt__is_onnx(named.net)) named.classes = model->outputs; /* as the data had */
    clt__description description;
    char *net = NULL;
    TRY(clt__describe_model(&named, &description, error));
    if (!description.loss) description.loss = model->description.loss;
    clt_status status = clt__description_text(&description, &net, error);
    if (status == CLT_OK) status = clt__text_print(text, error, "%s", net);
    free(net);
    clt__description_free(&description);
    return status;
}

static clt_status print_model(const clt_model *model, clt__option option, clt__text *text, clt_error *error)
{
    if (option == CLT__OPTION_net) return clt__text_print(text, error, "%s", model->text);
    if (option == CLT__OPTION_loss) return clt__text_print(text, error, "%s", clt_model_loss(model));
    if (option == CLT__OPTION_precision)
        return clt__text_print(text, error, "%s", model->precision == CLT_F64 ? "f64" : "f32");
    return clt__option_print(&model->options, option, text, error);
}

/* Whether what is given says what the model has; both as texts. */
static clt_status compare(const clt_options *options, const clt_model *model, clt__option option, comparison *c,
                          bool *same, clt_error *error)
{
    TRY(print_model(model, option, &c->kept, error));
    TRY(option == CLT__OPTION_net ? print_net(options, model, &c->given, error)
                                  : clt__option_print(options, option, &c->given, error));
    join_lines(&c->given);
    join_lines(&c->kept);
    *same = strcmp(shown(&c->given), shown(&c->kept)) == 0;
    return CLT_OK;
}

static clt_status take(clt_options *options, const clt_model *model, clt__option option, clt__text *changes,
                       clt_error *error)
{
    const clt__option_info *row = clt__option_info_of(option);
    if (row->resume == CLT__RUN) return CLT_OK;
    if (!options->given[option])
        return clt__option_is_kept(option) ? clt__option_copy(options, &model->options, option, error) : CLT_OK;
    comparison c = {{0}, {0}};
    bool same = true;
    clt_status status = compare(options, model, option, &c, &same, error);
    if (status == CLT_OK && !same && row->resume != CLT__KEPT && row->resume != CLT__RARE)
        status = fail_changed(option, &c, error);
    if (status == CLT_OK && !same)
        status = clt__text_print(changes, error, "%s%s %s in place of %s", changes->length ? ", " : "", row->name,
                                 shown(&c.given), shown(&c.kept));
    free(c.given.start);
    free(c.kept.start);
    return status;
}

/* Whether the model does not say how its parameters began: it is of a checkpoint of format 1. */
static bool is_unknown(const clt_model *model, clt__option option)
{
    return !model->options.init && (option == CLT__OPTION_init || option == CLT__OPTION_weights);
}

static clt_status take_all(clt_options *options, const clt_model *model, clt__text *changes, clt_error *error)
{
    for (clt__option i = 0; i < CLT__OPTIONS; i++)
        if (!is_unknown(model, i)) TRY(take(options, model, i, changes, error));
    return CLT_OK;
}

/* What changes a net goes with the net's name: a checkpoint has a net of its own. */
static clt_status check_changes(const clt_options *options, clt_error *error)
{
    static const clt__option of_net[] = {CLT__OPTION_until, CLT__OPTION_classes, CLT__OPTION_freeze_until};
    for (size_t i = 0; i < sizeof of_net / sizeof *of_net && !options->given[CLT__OPTION_net]; i++)
        if (options->given[of_net[i]])
            return FAIL(error, CLT_BAD_ARGUMENT,
                        "%s: changes the net that is given by its name: a checkpoint has its own",
                        clt__option_info_of(of_net[i])->name);
    return CLT_OK;
}

/* On a copy, so that options that do not fit stay as they are. */
clt_status clt_options_resume(clt_options *options, const clt_model *model, clt_error *error)
{
    clt__text changes = {0};
    clt_options *fresh;
    TRY(check_changes(options, error));
    TRY(clt_options_copy(options, &fresh, error));
    const clt_status status = take_all(fresh, model, &changes, error);
    if (status == CLT_OK) {
        const clt_options before = *options;
        *options = *fresh;
        *fresh = before;
    }
    if (status == CLT_OK && changes.length)
        clt__options_note(options, "the training goes on with other options than before: %s", changes.start);
    clt_options_close(fresh);
    free(changes.start);
    return status;
}
