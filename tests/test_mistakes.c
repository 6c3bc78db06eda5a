/* What a developer of cltrain may forget fails loudly. */
#include <stdio.h>
#include <string.h>

#include "device/sources.h"
#include "engine/internal.h"
#include "net/net.h"
#include "ops/average.h"
#include "ops/batch.h"
#include "support.h"

static clt__tape tape_of_two(int tensor[2])
{
    clt_error error;
    clt__tape tape = {0};
    for (int i = 0; i < 2; i++)
        assert_ok(clt__tape_add(&tape, i ? "to" : "from", CLT__REALS, CLT__PLAIN, (const int[4]){2, 1, 1, 1}, 1, -1,
                                &tensor[i], &error),
                  &error);
    return tape;
}

static void an_op_with_a_tensor_too_few_is_refused(void **state)
{
    (void)state;
    clt_error error;
    int two[2];
    clt__tape tape = tape_of_two(two);
    const int one[] = {two[0]}, three[] = {two[0], two[1], -1};
    const average_sizes sizes = {.n = 1};
    assert_failed(CLT__ADD_OP(&tape, &clt__average_forward_op, "", sizes, one, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "average_forward has 2 operands");
    assert_failed(CLT__ADD_OP(&tape, &clt__average_forward_op, "", sizes, three, &error), CLT_BAD_ARGUMENT, &error,
                  NULL, "average_forward has 2 operands");
    assert_int_equal(tape.op_count, 0);
    assert_ok(CLT__ADD_OP(&tape, &clt__average_forward_op, "", sizes, two, &error), &error);
    clt__tape_free(&tape);
}

/* An operand that a list forgets in its middle is 0 there, which is the tensor of the data set's images: the batch op
 * alone reads that. */
static void assert_no_operand_is_forgotten(const char *text, const clt__net_options *options)
{
    clt_error error;
    clt__description description;
    clt__net net;
    clt__net_options own = *options;
    assert_ok(clt__describe_text(text, "test.net", &description, &error), &error);
    own.input = description.input;
    assert_ok(clt__net_build(&description, &own, &net, &error), &error);
    assert_int_equal(net.images, 0);
    for (size_t i = 0; i < net.tape.op_count; i++)
        for (int j = 0; j < clt__operand_count(net.tape.op[i].row); j++)
            if (net.tape.op[i].tensor[j] == net.images && net.tape.op[i].row != &clt__batch_op)
                fail_msg("%s: the operand %s of %s is forgotten", text, net.tape.op[i].row->operand[j].name,
                         net.tape.op[i].row->name);
    clt__net_free(&net);
    clt__description_free(&description);
}

static void no_operand_is_forgotten(void **state)
{
    (void)state;
    clt__net_options options = {.batch = 2,
                                .images = 4,
                                .bytes = true,
                                .training = true,
                                .clip = true,
                                .average = true,
                                .decay_some = true,
                                .accumulate = true,
                                .shards = 2,
                                .keep_tensors = true,
                                .input_gradient = true,
                                .augment = {.flip = true, .rotate = 10, .mixup = 0.5}};
    options.loss = clt__find_loss("cross_entropy");
    options.optimizer = clt__optimizer_rows[0];
    options.weighs_classes = true;
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++)
        for (const clt__case *test = (*row)->cases; test->net; test++)
            assert_no_operand_is_forgotten(test->net, &options);
    for (const clt__optimizer_row *const *row = clt__optimizer_rows; *row; row++) {
        options.optimizer = *row;
        options.ns_steps = 2;
        assert_no_operand_is_forgotten("input 1x2x2; conv out=2; flatten; dense out=2", &options);
    }
    options.weighs_classes = false;
    for (const clt__loss_row *const *row = clt__loss_rows; *row; row++) {
        options.loss = *row;
        assert_no_operand_is_forgotten("input 1x2x2; flatten; dense out=2", &options);
    }
}

static void define_much(CLT__UNUSED void *sizes, CLT__UNUSED const clt__limits *limits, clt__launches *to)
{
    for (int i = 0; i < 100; i++) clt__define(to, " -DNUMBER_%d=%d", i, i);
    to->file = "average.cl";
}

static void defines_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    clt_error error;
    clt__needs needs;
    int tensor[2];
    clt_device *device = open_called(NULL);
    clt__tape tape = tape_of_two(tensor);
    clt__op_row row = clt__average_forward_op;
    const average_sizes sizes = {.n = 1};
    row.launch = define_much;
    assert_ok(CLT__ADD_OP(&tape, &row, "", sizes, tensor, &error), &error);
    if (clt__device_is_reference(device))
        print_message("skipped: on the reference nothing is launched\n");
    else
        assert_failed(clt__engine_needs(device, &tape, CLT_F32, &needs, &error), CLT_BAD_KERNEL, &error, NULL,
                      "average_forward defines more than");
    clt__tape_free(&tape);
    clt_device_close(device);
}

/* The line of activations.h that begins with `macro(name,`. */
static bool has_line(const char *macro, const char *name)
{
    char line[64];
    const clt__source *source = clt__sources;
    while (source->name && strcmp(source->name, "activations.h") != 0) source++;
    assert_non_null(source->name);
    (void)snprintf(line, sizeof line, "\n%s(%s,", macro, name);
    return strstr(source->text, line) != NULL;
}

static void every_activation_has_its_line_for_kernels(void **state)
{
    (void)state;
    int count = 0;
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++) {
        const int activation = (*row)->activation;
        if (!activation) continue;
        char called[64];
        (void)snprintf(called, sizeof called, "ACTIVATION_%s", (*row)->name);
        assert_string_equal(clt__activation_name(activation), called);
        if (!has_line(clt__activation_is_of_output(activation) ? "OF_OUTPUT" : "OF_INPUT", (*row)->name))
            fail_msg("kernels/activations.h has no line of %s, or one of the other kind", (*row)->name);
        count++;
    }
    assert_true(count >= 12);
    assert_false(has_line("OF_OUTPUT", "softplus"));
}

/* Lists end with an empty row, also where they are as long as may be. */
static void the_options_of_a_layer_end(void **state)
{
    (void)state;
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++)
        assert_null((*row)->option[CLT__MAX_OPTIONS - 1].key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_op_with_a_tensor_too_few_is_refused),
        cmocka_unit_test(no_operand_is_forgotten),
        cmocka_unit_test(defines_that_do_not_fit_are_refused),
        cmocka_unit_test(every_activation_has_its_line_for_kernels),
        cmocka_unit_test(the_options_of_a_layer_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
