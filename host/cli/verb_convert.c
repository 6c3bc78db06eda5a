/* cltrain convert: a model from one kind of file to another. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/output.h"
#include "cli/verbs.h"

static bool ends_in(const char *path, const char *suffix)
{
    const size_t length = strlen(path), end = strlen(suffix);
    return length > end && strcmp(path + length - end, suffix) == 0;
}

static clt_status load(const char *path, clt_options *options, clt_model **model, clt_error *error)
{
    const bool checkpoint = ends_in(path, ".safetensors"), onnx = clt_net_is_onnx(path),
               changes = options->weights || options->classes || options->until;
    if (checkpoint && changes)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "convert: %s is a checkpoint, which has all of a model: weights, classes and until are for nets and "
            "ONNX models",
            path);
    if (checkpoint || (onnx && !changes)) return clt_model_load(path, model, error);
    options->net = path;
    TRY(clt_model_create(options, model, error));
    if (options->weights) return clt_model_start_from(*model, options->weights, options, error);
    if (!onnx) print_note("%s: a net has no weights: they are drawn, as training begins with them", path);
    return CLT_OK;
}

static clt_status save(const clt_model *model, const char *path, const clt_options *options, clt_error *error)
{
    const char *text = clt_model_net(model);
    if (ends_in(path, ".onnx")) return clt_model_export(model, path, options, error);
    if (ends_in(path, ".safetensors")) return clt_model_save(model, path, error);
    if (ends_in(path, ".net")) return clt__file_write(path, text, strlen(text), error);
    return FAIL(error, CLT_BAD_ARGUMENT,
                "convert: %s ends in none of .onnx, .safetensors, a checkpoint, or .net, a net's text", path);
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_model *model = NULL;
    clt_status status = load(command->operands[0], options, &model, error);
    if (status == CLT_OK) status = save(model, command->operands[1], options, error);
    clt_model_close(model);
    return status;
}

const verb_row convert_verb = {
    .name = "convert",
    .verb = CLT__CONVERT,
    .summary = "Makes an ONNX file of a checkpoint or a net, or the other way round.",
    .details =
        "IN is an ONNX model, a checkpoint (.safetensors), or a net: a built-in one's name, or a file with its text. "
        "OUT is what its name ends in:\n.onnx, .safetensors, or .net, the net's text alone.\n",
    .operand = "IN OUT",
    .operands = 2,
    .run = run,
};
