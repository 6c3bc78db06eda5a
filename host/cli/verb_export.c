/* cltrain export: a trained model for other programs. */
#include "cli/output.h"
#include "cli/verbs.h"

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_model *model;
    if (options->format != CLT__FORMAT_ONNX && options->format != CLT__FORMAT_TORCH)
        return FAIL(error, CLT_BAD_ARGUMENT, "export: --format is onnx or torch");
    TRY(clt_model_load(options->model, &model, error));
    const clt_status status = clt_model_export(model, command->operands[0], options, error);
    clt_model_close(model);
    return status;
}

const verb_row export_verb = {
    .name = "export",
    .verb = CLT__EXPORT,
    .summary = "Writes a trained model as an ONNX file, or as a module for PyTorch.",
    .operand = "OUT",
    .operands = 1,
    .needed = {"model"},
    .defaults = {{CLT__OPTION_format, "onnx"}},
    .run = run,
};
