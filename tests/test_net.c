/* The net language, and the graph that a description becomes: names, shapes, the ops of a step, and every complaint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "support.h"

/* ---- the language ------------------------------------------------------------------------------------------- */

static clt__description described(const char *text)
{
    clt_error error;
    clt__description description;
    assert_ok(clt__describe_text(text, "test.net", &description, &error), &error);
    return description;
}

/* The description again as text; freed with free(). */
static char *text_of(const clt__description *description)
{
    clt_error error;
    char *text;
    assert_ok(clt__description_text(description, &text, &error), &error);
    return text;
}

static char *canonical(const char *text)
{
    clt__description description = described(text);
    char *again = text_of(&description);
    clt__description_free(&description);
    return again;
}

static void assert_canonical(const char *text, const char *wanted)
{
    char *again = canonical(text);
    assert_string_equal(again, wanted);
    free(again);
}

typedef struct complaint {
    const char *text, *where, *what;
} complaint;

static void assert_complaints(const complaint *complaints, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        clt_error error;
        clt__description description;
        const clt_status status = clt__describe_text(complaints[i].text, "test.net", &description, &error);
        if (status == CLT_OK) print_error("accepted: %s\n", complaints[i].text);
        assert_failed(status, CLT_BAD_NET, &error, complaints[i].where, complaints[i].what);
        assert_null(description.item);
        assert_int_equal(description.count, 0);
    }
}

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void a_wrong_option_is_named_with_its_line(void **state)
{
    (void)state;
    static const complaint complaints[] = {
        {"relu foo=1", "test.net:1: ", "relu has no option \"foo\": it takes frozen, from and as"},
        {"relu\nconv out=2 foo=3", "test.net:2: ",
         "conv has no option \"foo\": it takes out, kernel, stride, padding, bias, groups, dilation, padding_end, "
         "frozen, from and "
         "as"},
        {"conv out", "test.net:1: ", "\"out\" should be an option, name=value"},
        {"upsample scale=2 mode=bicubic", "test.net:1: ", "mode=bicubic: mode takes one of nearest|bilinear"},
        {"upsample scale=2 mode=near", "test.net:1: ", "mode=near: mode takes one of nearest|bilinear"},
        {"upsample scale=2 mode=", "test.net:1: ", "mode=: mode takes one of nearest|bilinear"},
        {"conv out=x", "test.net:1: ", "out=x: out takes a number of 1 to 1000000"},
        {"conv out=", "test.net:1: ", "out=: out takes a number of 1 to 1000000"},
        {"conv out=0", "test.net:1: ", "out=0: out takes a number of 1 to 1000000"},
        {"conv out=-1", "test.net:1: ", "out=-1: out takes a number of 1 to 1000000"},
        {"conv out=+1", "test.net:1: ", "out=+1: out takes a number of 1 to 1000000"},
        {"conv out=1.5", "test.net:1: ", "out takes a number of 1 to 1000000"},
        {"conv out=1000001", "test.net:1: ", "out takes a number of 1 to 1000000"},
        {"conv out=99999999999999999999999", "test.net:1: ", "out takes a number of 1 to 1000000"},
        {"conv out=3x3", "test.net:1: ", "out=3x3: out takes a number of 1 to 1000000"},
        {"batchnorm momentum=x", "test.net:1: ", "momentum takes a non-negative number that a float holds"},
        {"batchnorm momentum=-0.1", "test.net:1: ", "momentum takes a non-negative number that a float holds"},
        {"batchnorm momentum=1e39", "test.net:1: ", "momentum takes a non-negative number that a float holds"},
        {"batchnorm momentum=inf", "test.net:1: ", "momentum takes a non-negative number that a float holds"},
        {"batchnorm eps=0", "test.net:1: ", "eps=0: eps takes a positive number that a float holds"},
        {"batchnorm eps=1e-50", "test.net:1: ", "eps takes a positive number that a float holds"},
        {"conv out=2 kernel=3x", "test.net:1: ", "kernel=3x: kernel takes a number of 1 to 1000000, or HEIGHTxWIDTH"},
        {"conv out=2 kernel=x3", "test.net:1: ", "kernel takes a number of 1 to 1000000, or HEIGHTxWIDTH"},
        {"conv out=2 kernel=3x0", "test.net:1: ", "kernel takes a number of 1 to 1000000, or HEIGHTxWIDTH"},
        {"conv out=2 kernel=3x3x3", "test.net:1: ", "kernel takes a number of 1 to 1000000, or HEIGHTxWIDTH"},
        {"conv out=2 stride=0", "test.net:1: ", "stride takes a number of 1 to 1000000, or HEIGHTxWIDTH"},
        {"conv out=2 padding=-1",
         "test.net:1: ", "padding=-1: padding takes a number of 0 to 1000000, or HEIGHTxWIDTH"},
        {"dense out=2 bias=maybe", "test.net:1: ", "bias=maybe: bias takes yes or no"},
        {"dense out=2 bias=1", "test.net:1: ", "bias=1: bias takes yes or no"},
        {"dense out=2 frozen=1", "test.net:1: ", "frozen=1: frozen takes yes or no"},
        {"conv out=1 kernel=2 out=2", "test.net:1: ", "out is given twice"},
        {"conv kernel=3", "test.net:1: ", "conv needs out=output channels"},
        {"relu\n\nmaxpool", "test.net:3: ", "maxpool needs kernel=window height x width"},
        {"dense bias=no", "test.net:1: ", "dense needs out=outputs"},
    };
    assert_complaints(complaints, COUNT_OF(complaints));
}

static void name_and_frozen_are_given_once_like_every_option(void **state)
{
    (void)state;
    static const complaint complaints[] = {
        {"relu as=a as=b", "test.net:1: ", "as is given twice"},
        {"relu frozen=yes frozen=no", "test.net:1: ", "frozen is given twice"},
    };
    assert_complaints(complaints, COUNT_OF(complaints));
}

static void a_wrong_name_is_named_with_its_line(void **state)
{
    (void)state;
    static const complaint complaints[] = {
        {"konv out=2", "test.net:1: ", "there is no layer \"konv\": `cltrain help nets` lists them"},
        {"relu; Relu", "test.net:1: ", "there is no layer \"Relu\""},
        {"relu as=", "test.net:1: ", "a layer's name has 1 to 43 characters"},
        {"relu as=abcdefghijklmnopqrstuvwxyz0123456789abcdefgh",
         "test.net:1: ", "a layer's name has 1 to 43 characters"},
        {"relu as=a/b", "test.net:1: ", "as=a/b: a name is made of letters, digits, _ and -, with dots between"},
        {"relu as=.a", "test.net:1: ", "as=.a: a name is made of letters"},
        {"relu as=a.", "test.net:1: ", "as=a.: a name is made of letters"},
        {"relu as=a..b", "test.net:1: ", "as=a..b: a name is made of letters"},
        {"relu as=conv1.weight", "test.net:1: ", "is what a tensor of another layer or of the net itself is called"},
        {"relu as=loss.mine", "test.net:1: ", "is what a tensor of another layer or of the net itself is called"},
        {"relu\nrelu as=x\ntanh as=x", "test.net:3: ", "the name \"x\" is taken by line 2"},
        {"relu\ntanh as=relu1", "test.net:2: ", "the name \"relu1\" is taken by line 1"},
        {"relu as=relu2\nrelu", "test.net:2: ", "the name \"relu2\" is taken by line 1"},
        {"relu "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
         "test.net:1: ", "a word of more than 95 characters"},
    };
    assert_complaints(complaints, COUNT_OF(complaints));
}

static void a_wrong_input_or_loss_line_is_named_with_its_line(void **state)
{
    (void)state;
    static const complaint complaints[] = {
        {"input 1x2\nrelu", "test.net:1: ", "input 1x2: it should be CHANNELSxHEIGHTxWIDTH, as in 1x28x28"},
        {"input 1x2x3x4\nrelu", "test.net:1: ", "it should be CHANNELSxHEIGHTxWIDTH"},
        {"input 0x2x2\nrelu", "test.net:1: ", "it should be CHANNELSxHEIGHTxWIDTH"},
        {"input 1x2x1000001\nrelu", "test.net:1: ", "it should be CHANNELSxHEIGHTxWIDTH"},
        {"input\nrelu", "test.net:1: ", "it should be CHANNELSxHEIGHTxWIDTH"},
        {"input 1x2x2 2\nrelu", "test.net:1: ", "\"2\" after input: that line takes one value"},
        {"input 1x2x2\ninput 1x2x2\nrelu", "test.net:2: ", "input is the first line, and there is one"},
        {"relu\ninput 1x2x2", "test.net:2: ", "input is the first line, and there is one"},
        {"relu\nloss mse\nloss mse", "test.net:3: ", "a net has one loss"},
        {"relu\nloss", "test.net:2: ", "there is no loss \"\""},
        {"relu\nloss crossentropy",
         "test.net:2: ", "there is no loss \"crossentropy\": `cltrain help nets` lists them"},
        {"relu\nloss mse twice", "test.net:2: ", "\"twice\" after loss: that line takes one value"},
        {"", "test.net:1: ", "the net has no layers"},
        {"# nothing\n\n;,", "test.net:3: ", "the net has no layers"},
        {"input 1x2x2\nloss mse", "test.net:2: ", "the net has no layers"},
    };
    assert_complaints(complaints, COUNT_OF(complaints));
}

static void a_net_has_an_end(void **state)
{
    (void)state;
    enum { LINES = 10001, LINE = 5 };
    char *text = malloc(LINES * LINE + 1);
    assert_non_null(text);
    for (size_t i = 0; i < LINES; i++) memcpy(text + LINE * i, "relu\n", LINE + 1);
    const complaint complaints[] = {{text, "test.net:10001: ", "a net of more than 10000 layers"}};
    assert_complaints(complaints, COUNT_OF(complaints));
    free(text);
}

static void lines_end_in_many_ways(void **state)
{
    (void)state;
    static const char wanted[] = "input 1x9x9\nconv out=2 kernel=3\nrelu\nloss mse\n";
    assert_canonical("input 1x9x9\nconv out=2 kernel=3\nrelu\nloss mse\n", wanted);
    assert_canonical("input 1x9x9\r\nconv out=2 kernel=3\r\nrelu\r\nloss mse", wanted);
    assert_canonical("input 1x9x9, conv out=2 kernel=3, relu, loss mse", wanted);
    assert_canonical("input 1x9x9;conv\tout=2   kernel=3;relu;loss mse;;", wanted);
    assert_canonical(
        "\n\n  # first\ninput 1x9x9 # the input, as it is\n,conv out=2 kernel=3#tight\n; relu # ; tanh\n loss mse",
        wanted);
    assert_canonical("loss mse, relu", "relu\nloss mse\n");
}

static void lines_are_counted_by_line_ends_alone(void **state)
{
    (void)state;
    static const complaint complaints[] = {
        {"relu, tanh; konv", "test.net:1: ", "konv"},
        {"relu,\r\n# one\r\n\r\nkonv", "test.net:4: ", "konv"},
        {"relu # a; b, c\nkonv", "test.net:2: ", "konv"},
    };
    assert_complaints(complaints, COUNT_OF(complaints));
}

static void layers_are_numbered_within_their_kind(void **state)
{
    (void)state;
    static const char *const wanted[] = {"conv1", "relu1", "classifier", "relu2", "conv3", "tanh1"};
    clt__description d = described("conv out=1; relu; conv out=1 as=classifier; relu; conv out=2; tanh");
    assert_int_equal(d.count, COUNT_OF(wanted));
    for (size_t i = 0; i < d.count; i++) {
        assert_string_equal(d.item[i].name, wanted[i]);
        assert_int_equal(d.item[i].named, i == 2);
        assert_false(d.item[i].frozen);
    }
    clt__description_free(&d);
}

static void values_and_defaults_reach_the_layer(void **state)
{
    (void)state;
    clt__description d = described("conv out=7 kernel=3x5 padding=1x2 bias=no frozen=yes\nmaxpool kernel=2x3");
    const int conv[][2] = {{7, 0}, {3, 5}, {1, 1}, {1, 2}, {0, 0}}, pool[][2] = {{2, 3}, {2, 3}, {0, 0}};
    for (int i = 0; i < 5; i++) assert_int_equal(d.item[0].value[i][0], conv[i][0]);
    for (int i = 1; i < 4; i++) assert_int_equal(d.item[0].value[i][1], conv[i][1]);
    for (int i = 0; i < 3; i++) assert_memory_equal(d.item[1].value[i], pool[i], sizeof pool[i]);
    assert_true(d.item[0].frozen);
    assert_int_equal(d.item[1].line, 2);
    clt__description_free(&d);
}

static void the_canonical_text_leaves_defaults_out(void **state)
{
    (void)state;
    assert_canonical("conv out=2 kernel=1x1 stride=1 padding=0x0 bias=yes frozen=no", "conv out=2\n");
    assert_canonical("conv bias=no padding=1x0 kernel=3x3 out=2 as=first frozen=yes",
                     "conv out=2 kernel=3 padding=1x0 bias=no frozen=yes as=first\n");
    assert_canonical("maxpool kernel=2x3 stride=2x3", "maxpool kernel=2x3\n");
    assert_canonical("upsample mode=nearest scale=2, upsample mode=bilinear scale=2",
                     "upsample scale=2\nupsample scale=2 mode=bilinear\n");
    assert_canonical("maxpool stride=2 kernel=2x3", "maxpool kernel=2x3 stride=2\n");
    assert_canonical("maxpool kernel=3 stride=3x2", "maxpool kernel=3 stride=3x2\n");
}

/* Those of a float alone print as it does; one that a float does not hold becomes the float next to it. */
static void real_numbers_have_one_form(void **state)
{
    (void)state;
    assert_canonical("batchnorm eps=1e-5 momentum=1e-1", "batchnorm\n");
    assert_canonical("batchnorm eps=0.0000125 momentum=0.0300", "batchnorm momentum=0.03 eps=1.24999997e-05\n");
    assert_canonical("batchnorm eps=9.99999974e-06", "batchnorm eps=9.99999975e-06\n");
    assert_canonical("elu alpha=1e30", "elu alpha=1.00000002e+30\n");
    assert_canonical("elu alpha=0.5000000001", "elu alpha=0.5\n");
    assert_canonical("elu alpha=999.999999", "elu alpha=999.999999\n");
    assert_canonical("elu alpha=0", "elu alpha=0\n");
}

static void assert_same_items(const clt__description *a, const clt__description *b)
{
    assert_int_equal(a->count, b->count);
    assert_ptr_equal(a->loss, b->loss);
    assert_memory_equal(&a->input, &b->input, sizeof a->input);
    for (size_t i = 0; i < a->count; i++) {
        const clt__item *x = &a->item[i], *y = &b->item[i];
        assert_ptr_equal(x->row, y->row);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->named, y->named);
        assert_int_equal(x->frozen, y->frozen);
        for (int o = 0; x->row->option[o].key; o++) {
            assert_int_equal(x->value[o][0], y->value[o][0]);
            if (x->row->option[o].kind == CLT__PAIR) assert_int_equal(x->value[o][1], y->value[o][1]);
        }
    }
}

static void assert_round_trip(const char *text)
{
    clt__description first = described(text);
    char *once = text_of(&first);
    clt__description second = described(once);
    char *twice = text_of(&second);
    assert_string_equal(once, twice);
    assert_same_items(&first, &second);
    clt__description_free(&first);
    clt__description_free(&second);
    free(once);
    free(twice);
}

static void the_canonical_text_means_the_same(void **state)
{
    (void)state;
    for (const char *const *name = clt_net_names(); *name; name++) assert_round_trip(clt_net_text(*name));
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++)
        for (const clt__case *one = (*row)->cases; one->net; one++) assert_round_trip(one->net);
    for (int i = 1; i < 100; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "batchnorm eps=%.12g; elu alpha=%.12g", 1e-9 * i * i * i, 1.0000000123 * i);
        assert_round_trip(text);
    }
    assert_round_trip(
        "input 3x9x9; conv out=2 as=a-b_C9 frozen=yes; maxpool kernel=3x2 stride=1x4 padding=1x0; loss half_mse");
}

static void the_page_on_the_language_has_every_layer_loss_and_net(void **state)
{
    (void)state;
    clt_error error;
    char *page;
    assert_ok(clt_net_language(&page, &error), &error);
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++) {
        assert_non_null(strstr(page, (*row)->help));
        char line[80];
        (void)snprintf(line, sizeof line, "\n  %s ", (*row)->name);
        assert_non_null(strstr(page, line));
        for (const clt__option_row *option = (*row)->option; option->key; option++)
            assert_non_null(strstr(page, option->help));
    }
    for (const clt__loss_row *const *row = clt__loss_rows; *row; row++) {
        assert_non_null(strstr(page, (*row)->name));
        assert_non_null(strstr(page, (*row)->help));
    }
    for (const char *const *name = clt_net_names(); *name; name++) assert_non_null(strstr(page, clt_net_text(*name)));
    clt_free(page);
}

/* ---- from a description to a model -------------------------------------------------------------------------- */

static void assert_refused(const clt_options *options, clt_status wanted, const char *start, const char *what)
{
    clt_error error;
    clt_model *model = (clt_model *)&error; /* must become NULL */
    const clt_status status = clt_model_create(options, &model, &error);
    if (status == CLT_OK) print_error("accepted: %s\n", options->net);
    assert_failed(status, wanted, &error, start, what);
    assert_null(model);
}

static void a_layer_that_does_not_fit_its_input_is_refused(void **state)
{
    (void)state;
    static const complaint complaints[] = {
        {"input 1x9x9\nflatten\nconv out=2", "net:3: ", "conv1 needs an image, its input was flattened"},
        {"input 1x9x9\nflatten\nmaxpool kernel=1", "net:3: ", "maxpool1 needs an image, its input was flattened"},
        {"input 2x1x1\ndense out=3\nconv out=2", "net:3: ", "conv1 needs an image, its input was flattened"},
        {"input 1x3x4\nconv out=2 kernel=5x4 as=wide",
         "net:2: ", "wide: a kernel of 5x4 does not fit its input of 3x4 with a padding of 0x0, at the end 0x0"},
        {"input 1x3x4\nconv out=2 kernel=1x7 padding=0x1",
         "net:2: ", "conv1: a kernel of 1x7 does not fit its input of 3x4 with a padding of 0x1, at the end 0x1"},
        {"input 1x3x3\nrelu\nmaxpool kernel=4",
         "net:3: ", "maxpool1: a kernel of 4x4 does not fit its input of 3x3 with a padding of 0x0, at the end 0x0"},
        {"input 1x9x9\nmaxpool kernel=3x2 padding=3x1",
         "net:2: ", "maxpool1: with a padding of 3x1, at the end 3x1, window 1 down has no pixel of the image"},
        {"input 1x9x9\navgpool kernel=2 stride=1 padding=1 padding_end=1x2",
         "net:2: ", "avgpool1: with a padding of 1x1, at the end 1x2, window 11 across has no pixel of the image"},
        {"input 1x1x1\nmaxpool kernel=2 dilation=2 padding=1",
         "net:2: ", "maxpool1: with a padding of 1x1, at the end 1x1, window 1 down has no pixel of the image"},
        {"input 2x3x3\nrelu\ndense out=3",
         "net:3: ", "dense1 needs a vector, its input is an image of 2x3x3: put `flatten` before it"},
    };
    for (size_t i = 0; i < COUNT_OF(complaints); i++) {
        const clt_options options = {.net = complaints[i].text};
        assert_refused(&options, CLT_BAD_NET, complaints[i].where, complaints[i].what);
    }
}

static void a_layer_that_does_not_fit_is_named_with_its_file_and_line(void **state)
{
    (void)state;
    static const char text[] = "# a net\ninput 1x3x3\nconv out=2 kernel=5\n";
    const char *path = write_bytes("bad.net", text, sizeof text - 1);
    char where[600];
    (void)snprintf(where, sizeof where, "%s:3: ", path);
    const clt_options options = {.net = path};
    assert_refused(&options, CLT_BAD_NET, where, "a kernel of 5x5 does not fit its input of 3x3");
}

static void a_net_must_have_an_input_from_somewhere(void **state)
{
    (void)state;
    const clt_options none = {.net = "conv out=2; relu"};
    assert_refused(&none, CLT_BAD_NET, NULL,
                   "the net does not say what its input is: begin it with a line like `input 1x28x28`");
    const clt_options empty = {.net = "conv out=2; relu", .input = {1, 0, 3}};
    assert_refused(&empty, CLT_BAD_ARGUMENT, NULL, "an input of 1x0x3 has no elements");
    const clt_options deep = {.net = "input 257x1x1; relu"};
    assert_refused(&deep, CLT_BAD_NET, NULL, "images of 257 channels: there may be 256 at most");
    const clt_options no_net = {.input = {1, 2, 2}};
    assert_refused(&no_net, CLT_BAD_ARGUMENT, NULL, "no net was given");
    const clt_options no_loss = {.net = "input 1x1x1; relu", .loss = "hinge"};
    assert_refused(&no_loss, CLT_BAD_ARGUMENT, NULL, "there is no loss \"hinge\": `cltrain help nets` lists them");
    const clt_options no_file = {.net = "/nowhere/at_all"};
    assert_refused(&no_file, CLT_BAD_NET, NULL, "\"/nowhere/at_all\" is neither a built-in net");
    assert_refused(&no_file, CLT_BAD_NET, NULL, "and not a file either");
}

static void an_input_line_binds_in_a_text_and_a_file(void **state)
{
    (void)state;
    static const char text[] = "input 1x6x6\nflatten\ndense out=2\n";
    const clt_shape other = {1, 8, 8}, same = {1, 6, 6};
    const clt_options as_text = {.net = text, .input = other};
    assert_refused(&as_text, CLT_BAD_NET, NULL, "the net's input is 1x6x6, the images are 1x8x8");
    const clt_options as_file = {.net = write_bytes("some.net", text, sizeof text - 1), .input = other};
    assert_refused(&as_file, CLT_BAD_NET, NULL, "the net's input is 1x6x6, the images are 1x8x8");
    clt_error error;
    clt_model *model;
    const clt_options agreeing = {.net = as_file.net, .input = same};
    assert_ok(clt_model_create(&agreeing, &model, &error), &error);
    assert_string_equal(clt_model_net(model), "input 1x6x6\nflatten\ndense out=2\nloss cross_entropy\n");
    clt_model_close(model);
}

static void the_input_line_of_a_built_in_net_is_a_default(void **state)
{
    (void)state;
    clt_error error;
    clt_model *model = make_model("lenet5", NULL, CLT_F32, 1);
    assert_int_equal(clt_model_input(model).height, 28);
    clt_model_close(model);
    const clt_options options = {.net = "lenet5", .input = {3, 32, 32}, .loss = "mse"};
    assert_ok(clt_model_create(&options, &model, &error), &error);
    const clt_shape input = clt_model_input(model);
    assert_int_equal(input.channels, 3);
    assert_int_equal(input.height, 32);
    assert_int_equal(clt_model_parameter(model, 0)->extent[1], 3);
    assert_int_equal(clt_model_parameter(model, 4)->extent[1], 16 * 6 * 6);
    assert_string_equal(clt_model_loss(model), "mse");
    clt_model_close(model);
}

typedef struct wanted_tensor {
    const char *name;
    int dimensions;
    int extent[4];
} wanted_tensor;

static void assert_parameters(const char *net, const wanted_tensor *wanted, size_t count)
{
    clt_model *model = make_model(net, NULL, CLT_F32, 1);
    assert_int_equal(clt_model_parameter_count(model), count);
    for (size_t i = 0; i < count; i++) {
        const clt_tensor_info *info = clt_model_parameter(model, i);
        size_t product = 1;
        assert_string_equal(info->name, wanted[i].name);
        assert_int_equal(info->dimensions, wanted[i].dimensions);
        for (int d = 0; d < info->dimensions; d++) {
            assert_int_equal(info->extent[d], wanted[i].extent[d]);
            product *= (size_t)info->extent[d];
        }
        assert_int_equal(info->count, product);
    }
    assert_null(clt_model_parameter(model, count));
    clt_model_close(model);
}

static void built_in_nets_have_the_parameters_that_pytorch_would_give_them(void **state)
{
    (void)state;
    static const wanted_tensor lenet5[] = {
        {"conv1.weight", 4, {6, 1, 5, 5}}, {"conv1.bias", 1, {6}},           {"conv2.weight", 4, {16, 6, 5, 5}},
        {"conv2.bias", 1, {16}},           {"dense1.weight", 2, {120, 400}}, {"dense1.bias", 1, {120}},
        {"dense2.weight", 2, {84, 120}},   {"dense2.bias", 1, {84}},         {"dense3.weight", 2, {10, 84}},
        {"dense3.bias", 1, {10}},
    };
    static const wanted_tensor cnn2[] = {
        {"conv1.weight", 4, {32, 1, 3, 3}},  {"conv1.bias", 1, {32}},
        {"conv2.weight", 4, {64, 32, 3, 3}}, {"conv2.bias", 1, {64}},
        {"dense1.weight", 2, {128, 3136}},   {"dense1.bias", 1, {128}},
        {"dense2.weight", 2, {10, 128}},     {"dense2.bias", 1, {10}},
    };
    static const wanted_tensor example[] = {
        {"conv1.weight", 4, {1, 1, 3, 3}}, {"dense1.weight", 2, {1, 4}}, {"dense1.bias", 1, {1}}};
    assert_parameters("lenet5", lenet5, COUNT_OF(lenet5));
    assert_parameters("cnn2", cnn2, COUNT_OF(cnn2));
    assert_parameters("example", example, COUNT_OF(example));
    assert_null(clt_net_text("lenet6"));
}

/* ---- absurd sizes ------------------------------------------------------------------------------------------- */

/* The linker puts these in the place of malloc and calloc: what is asked for while a net is refused. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
static size_t largest_request;

static void note_request(size_t size)
{
    if (size > largest_request) largest_request = size;
}

void *__wrap_malloc(size_t size)
{
    note_request(size);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    note_request(count * size);
    return __real_calloc(count, size);
}

static void absurd_sizes_are_refused_before_memory_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *net, *what;
    } absurd[] = {
        {"input 1x1000000x1000000; relu", " would have 1000000000000 elements"},
        {"input 1x1x1; conv out=1000000 kernel=1000000", "a kernel of 1000000x1000000 does not fit its input of 1x1"},
        {"input 1x1x1; conv out=1000000 kernel=1000000 padding=1000000", "conv1: the kernel is too large"},
        {"input 1x1x1; conv out=1 kernel=1 padding=1000000", "tensor conv1 would have 4000004000001 elements"},
        {"input 2x9x9; conv_transpose out=1 kernel=1000000 stride=1000000 dilation=5000",
         "conv_transpose1: the kernel is too large"},
        {"input 2x9000x9; conv_transpose out=1 stride=1000000",
         "conv_transpose1: its output comes to 8999000001x8000001 pixels"},
        {"input 2x2x2; conv_transpose out=1 padding=3", "conv_transpose1: its output comes to -4x-4 pixels"},
        {"input 1x1x1; conv out=1000000; conv out=1000000", "tensor conv2.weight would have 1000000000000 elements"},
        {"input 100x1000x1000; conv out=1 kernel=5000 padding=2000", "conv1: the kernel is too large"},
        {"input 256x1x1; conv out=1000000; dense out=1000000",
         "tensor dense1.weight would have 1000000000000 elements"},
        {"input 1x1000x1000; flatten; dense out=1000000", "tensor dense1.weight would have 1000000000000 elements"},
        {"input 2x1x1; dense out=1000000 as=a; dense out=1000 as=b; dense out=1000000 as=c; dense out=1000 as=d",
         "tensor update.parameters would have"},
    };
    for (size_t i = 0; i < COUNT_OF(absurd); i++) {
        clt_error error;
        clt_model *model;
        const clt_options options = {.net = absurd[i].net};
        largest_request = 0;
        const clt_status status = clt_model_create(&options, &model, &error);
        if (status == CLT_OK) print_error("accepted: %s\n", absurd[i].net);
        assert_int_not_equal(status, CLT_OK);
        assert_failed(status, strstr(absurd[i].what, "would have") ? CLT_NO_MEMORY : CLT_BAD_NET, &error, NULL,
                      absurd[i].what);
        assert_in_range(largest_request, 1, 1 << 20);
    }
}

/* ---- the graph ---------------------------------------------------------------------------------------------- */

typedef struct built {
    clt__description description;
    clt__net net;
} built;

static built build(const char *text, clt__net_options options)
{
    clt_error error;
    built b = {.description = described(text)};
    options.input = b.description.input;
    options.loss = b.description.loss ? b.description.loss : clt__find_loss("cross_entropy");
    options.optimizer = clt__optimizer_rows[0];
    options.batch = options.images = 2;
    options.bytes = true;
    assert_ok(clt__net_build(&b.description, &options, &b.net, &error), &error);
    return b;
}

static void release(built *b)
{
    clt__net_free(&b->net);
    clt__description_free(&b->description);
}

/* "conv_forward conv1, pool_forward maxpool1" */
static void assert_ops(const clt__net *net, size_t begin, size_t end, const char *wanted)
{
    char found[1024] = "";
    size_t length = 0;
    for (size_t i = begin; i < end; i++) {
        const clt__op *op = &net->tape.op[i];
        length += (size_t)snprintf(found + length, sizeof found - length, "%s%s%s%s", i > begin ? ", " : "",
                                   op->row->name, *op->layer ? " " : "", op->layer);
        assert_true(length < sizeof found);
    }
    assert_string_equal(found, wanted);
}

static bool has(const built *b, const char *name)
{
    return clt__tape_find(&b->net.tape, name) >= 0;
}

#define SMALL_NET "input 1x8x8; conv out=4 kernel=3; relu; maxpool kernel=2; flatten; dense out=3; sigmoid"

static void an_activation_is_fused_into_the_layer_before_it(void **state)
{
    (void)state;
    built b = build(SMALL_NET, (clt__net_options){.training = true});
    const clt__net *net = &b.net;
    assert_ops(net, 0, net->forward, "batch");
    assert_ops(net, net->forward, net->backward, "conv_forward conv1, pool_forward maxpool1, dense_forward dense1");
    assert_ops(net, net->backward, net->update,
               "cross_entropy, activation_gradient sigmoid1, dense_weight_gradient dense1, "
               "dense_input_gradient dense1, pool_input_gradient maxpool1, conv_weight_gradient conv1");
    assert_ops(net, net->update, net->end, "sgd");
    static const char *const wanted[] = {"relu1",
                                         "maxpool1",
                                         "sigmoid1",
                                         "relu1.gradient",
                                         "sigmoid1.gradient",
                                         "conv1.weight.gradient",
                                         "dense1.bias.gradient",
                                         "output.gradient"};
    static const char *const unwanted[] = {"conv1", "dense1", "flatten1", "input.gradient", "conv1.gradient"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) assert_true(has(&b, wanted[i]));
    for (size_t i = 0; i < COUNT_OF(unwanted); i++) assert_false(has(&b, unwanted[i]));
    release(&b);
}

static void sums_before_fused_activations_are_kept_on_request(void **state)
{
    (void)state;
    built b = build(SMALL_NET,
                    (clt__net_options){.training = true, .keep_tensors = true, .input_gradient = true, .clip = true});
    assert_true(has(&b, "conv1") && has(&b, "relu1") && has(&b, "dense1") && has(&b, "sigmoid1"));
    assert_true(has(&b, "input.gradient"));
    assert_ops(&b.net, b.net.update, b.net.end, "gradient_norm, sgd");
    assert_string_equal(b.net.tape.op[b.net.update - 1].row->name, "conv_input_gradient");
    assert_int_equal(b.net.measure, b.net.update); /* nothing is measured that nothing wants */
    const clt__tensor *sums = &b.net.tape.tensor[clt__tape_find(&b.net.tape, "conv1")];
    const int extent[] = {2, 4, 6, 6};
    assert_memory_equal(sums->extent, extent, sizeof extent);
    release(&b);
}

static void the_norm_is_measured_of_a_whole_batch(void **state)
{
    (void)state;
    built b = build(SMALL_NET, (clt__net_options){.training = true, .measures = true, .clip = true});
    assert_ops(&b.net, b.net.measure, b.net.update, "measured_norm");
    assert_ops(&b.net, b.net.update, b.net.end, "gradient_norm, sgd");
    assert_int_equal(b.net.tape.op[b.net.measure].tensor[0], b.net.gradients);
    release(&b);
    b = build(SMALL_NET, (clt__net_options){.training = true, .measures = true, .accumulate = true});
    assert_string_equal(b.net.tape.op[b.net.measure - 1].row->name, "accumulate");
    assert_int_equal(b.net.tape.op[b.net.measure].tensor[0], b.net.of_batch);
    release(&b);
}

static void inference_has_the_forward_ops_alone(void **state)
{
    (void)state;
    built b = build(SMALL_NET, (clt__net_options){0});
    assert_int_equal(b.net.end, b.net.backward);
    assert_ops(&b.net, 0, b.net.end, "batch, conv_forward conv1, pool_forward maxpool1, dense_forward dense1");
    assert_false(has(&b, "conv1.weight.gradient") || has(&b, "velocity") || has(&b, "loss"));
    release(&b);
}

static void an_activation_that_cannot_be_fused_has_ops_of_its_own(void **state)
{
    (void)state;
    built b = build("input 1x4x4; conv out=2; tanh; relu; maxpool kernel=2; sigmoid; flatten; tanh",
                    (clt__net_options){.training = true});
    assert_ops(&b.net, b.net.forward, b.net.backward,
               "conv_forward conv1, activation_forward relu1, pool_forward maxpool1, activation_forward sigmoid1, "
               "activation_forward tanh2");
    assert_ops(&b.net, b.net.backward, b.net.update,
               "cross_entropy, activation_gradient tanh2, activation_gradient sigmoid1, pool_input_gradient "
               "maxpool1, activation_gradient relu1, activation_gradient relu1, conv_weight_gradient conv1");
    release(&b);
}

/* A residual block: the sum and its activation are the normalisation's, both parts of relu1's gradient the first
 * reader's. */
static void a_sum_of_two_is_fused_into_the_later_one(void **state)
{
    (void)state;
    built b = build("input 1x4x4; conv out=2; relu; conv out=2 from=relu1; batchnorm; add from=batchnorm1,relu1; relu; "
                    "flatten; dense out=2",
                    (clt__net_options){.training = true});
    assert_ops(&b.net, b.net.forward, b.net.backward,
               "conv_forward conv1, conv_forward conv2, batchnorm_statistics batchnorm1, batchnorm_forward batchnorm1, "
               "dense_forward dense1");
    assert_ops(
        &b.net, b.net.backward, b.net.update,
        "cross_entropy, dense_weight_gradient dense1, dense_input_gradient dense1, batchnorm_gradients "
        "batchnorm1, batchnorm_input_gradient batchnorm1, conv_weight_gradient conv2, conv_input_gradient conv2, "
        "conv_weight_gradient conv1");
    assert_true(has(&b, "relu2") && has(&b, "relu1.gradient"));
    assert_false(has(&b, "batchnorm1") || has(&b, "add1") || has(&b, "relu1.gradient.1"));
    release(&b);
}

/* The later one is read elsewhere, or knows no sums; the first reader cannot add up. */
static void a_sum_that_cannot_be_fused_has_an_op_of_its_own(void **state)
{
    (void)state;
    built b = build("input 1x4x4; conv out=2; conv out=2 from=conv1; add from=conv1,conv2; maxpool kernel=1 as=m; add "
                    "from=m,conv2",
                    (clt__net_options){.training = true});
    assert_ops(&b.net, b.net.forward, b.net.backward,
               "conv_forward conv1, conv_forward conv2, sum add1, pool_forward m, sum add2");
    release(&b);
    b = build("input 1x4x4; conv out=2; tanh; maxpool kernel=1 as=m; conv out=2 from=tanh1; add from=m,conv2",
              (clt__net_options){.training = true});
    assert_ops(&b.net, b.net.backward, b.net.update,
               "cross_entropy, conv_weight_gradient conv2, conv_input_gradient conv2, pool_input_gradient m, "
               "sum conv1, conv_weight_gradient conv1");
    release(&b);
}

static void a_frozen_layer_has_no_gradient_and_stops_the_way_back(void **state)
{
    (void)state;
    built b = build("input 1x4x4; conv out=2 frozen=yes; relu; conv out=3 as=top; flatten; dense out=2 frozen=yes",
                    (clt__net_options){.training = true});
    assert_ops(&b.net, b.net.backward, b.net.update,
               "cross_entropy, dense_input_gradient dense1, conv_weight_gradient top");
    assert_false(has(&b, "conv1.weight.gradient") || has(&b, "dense1.bias.gradient") || has(&b, "relu1.gradient"));
    const clt__tape *tape = &b.net.tape;
    assert_int_equal(tape->tensor[clt__tape_find(tape, "conv1.weight")].root, b.net.frozen);
    assert_int_equal(tape->tensor[clt__tape_find(tape, "dense1.bias")].root, b.net.frozen);
    assert_int_equal(tape->tensor[clt__tape_find(tape, "top.weight")].root, b.net.parameters);
    assert_int_equal(tape->tensor[clt__tape_find(tape, "top.weight.gradient")].root, b.net.gradients);
    release(&b);
}

static void a_net_without_anything_to_train_has_no_update(void **state)
{
    (void)state;
    built b = build("input 2x3x3; relu; flatten", (clt__net_options){.training = true});
    assert_ops(&b.net, 0, b.net.end, "batch, activation_forward relu1, cross_entropy");
    release(&b);
}

/* A parameter and its gradient lie at the same place of their roots: that is what lets one launch update them all. */
static void parameters_and_gradients_lie_alike(void **state)
{
    (void)state;
    built b = build(SMALL_NET, (clt__net_options){.training = true});
    const clt__tape *tape = &b.net.tape;
    int end = 0;
    for (int i = 0; i < b.net.layers; i++)
        for (int j = 0; j < b.net.layer[i].parameters; j++) {
            const clt__parameter *parameter = &b.net.layer[i].parameter[j];
            const clt__tensor *weights = &tape->tensor[parameter->tensor];
            assert_int_equal(weights->offset, tape->tensor[parameter->gradient].offset);
            assert_true(weights->offset == 0 || weights->offset >= end + CLT__GUARD);
            assert_int_equal(weights->offset % (CLT__BUFFER_ALIGNMENT / (int)sizeof(float)), 0);
            end = weights->offset + weights->count;
        }
    assert_int_equal(tape->tensor[b.net.parameters].count, tape->tensor[b.net.gradients].count);
    assert_int_equal(tape->tensor[b.net.state[0]].count, tape->tensor[b.net.parameters].count);
    assert_true(tape->tensor[b.net.parameters].count >= end + CLT__GUARD);
    release(&b);
}

static void every_element_has_one_place_inside(void **state)
{
    (void)state;
    static const clt__order orders[] = {CLT__PLAIN, CLT__IMAGES, CLT__FILTERS};
    for (size_t o = 0; o < COUNT_OF(orders); o++) {
        const clt__tensor tensor = {.order = orders[o], .extent = {2, 3, 4, 5}, .count = 120};
        bool seen[120] = {false};
        for (int i = 0; i < tensor.count; i++) {
            const int inside = clt__inside_index(&tensor, i);
            assert_in_range(inside, 0, 119);
            assert_false(seen[inside]);
            seen[inside] = true;
        }
    }
    const clt__tensor images = {.order = CLT__IMAGES, .extent = {2, 3, 4, 5}, .count = 120};
    const clt__tensor filters = {.order = CLT__FILTERS, .extent = {2, 3, 4, 5}, .count = 120};
    const int at = ((1 * 3 + 2) * 4 + 1) * 5 + 3; /* [1, 2, 1, 3] */
    assert_int_equal(clt__inside_index(&images, at), ((1 * 4 + 1) * 5 + 3) * 3 + 2);
    assert_int_equal(clt__inside_index(&filters, at), ((1 * 5 + 3) * 3 + 2) * 2 + 1);
}

static void targets_must_match_the_loss_and_the_outputs(void **state)
{
    (void)state;
    clt_error error;
    clt__net net;
    clt__description d = described("input 1x1x1; dense out=3");
    clt__net_options options = {.input = {1, 1, 1},
                                .batch = 2,
                                .images = 2,
                                .training = true,
                                .targets = 3,
                                .loss = clt__find_loss("mse"),
                                .weighs_classes = true,
                                .optimizer = clt__optimizer_rows[0]};
    assert_failed(clt__net_build(&d, &options, &net, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the loss mse has no classes to weigh: class weights go with cross_entropy");
    options.weighs_classes = false;
    options.targets = 2;
    assert_failed(clt__net_build(&d, &options, &net, &error), CLT_BAD_NET, &error, NULL,
                  "the net gives 3 values an image, the data set has 2 targets");
    options.targets = 3;
    assert_ok(clt__net_build(&d, &options, &net, &error), &error);
    assert_true(net.target >= 0 && net.targets >= 0);
    clt__net_free(&net);
    clt__description_free(&d);
}

/* A session finds tensors by name, so no two may share one. */
static void no_two_tensors_share_a_name(void **state)
{
    (void)state;
    static const char *const names[] = {"input",      "output", "loss",    "labels",
                                        "parameters", "hyper",  "history", "images"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char net[128];
        clt_error error;
        clt_model *model;
        (void)snprintf(net, sizeof net, "input 2x1x1; dense out=3; tanh; dense out=4 as=%s", names[i]);
        const clt_options options = {.net = net};
        if (clt_model_create(&options, &model, &error) != CLT_OK) {
            assert_non_null(strstr(error.message, names[i])); /* to refuse the name is fine too */
            continue;
        }
        clt_model_close(model);
        built b = build(net, (clt__net_options){.training = true});
        for (size_t t = 0; t < b.net.tape.tensor_count; t++) {
            const char *name = b.net.tape.tensor[t].name;
            if (clt__tape_find(&b.net.tape, name) != (int)t) print_error("as=%s: two tensors \"%s\"\n", names[i], name);
            assert_int_equal(clt__tape_find(&b.net.tape, name), t);
        }
        release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_option_is_named_with_its_line),
        cmocka_unit_test(name_and_frozen_are_given_once_like_every_option),
        cmocka_unit_test(a_wrong_name_is_named_with_its_line),
        cmocka_unit_test(a_wrong_input_or_loss_line_is_named_with_its_line),
        cmocka_unit_test(a_net_has_an_end),
        cmocka_unit_test(lines_end_in_many_ways),
        cmocka_unit_test(lines_are_counted_by_line_ends_alone),
        cmocka_unit_test(layers_are_numbered_within_their_kind),
        cmocka_unit_test(values_and_defaults_reach_the_layer),
        cmocka_unit_test(the_canonical_text_leaves_defaults_out),
        cmocka_unit_test(real_numbers_have_one_form),
        cmocka_unit_test(the_canonical_text_means_the_same),
        cmocka_unit_test(the_page_on_the_language_has_every_layer_loss_and_net),
        cmocka_unit_test(a_layer_that_does_not_fit_its_input_is_refused),
        cmocka_unit_test(a_layer_that_does_not_fit_is_named_with_its_file_and_line),
        cmocka_unit_test(a_net_must_have_an_input_from_somewhere),
        cmocka_unit_test(an_input_line_binds_in_a_text_and_a_file),
        cmocka_unit_test(the_input_line_of_a_built_in_net_is_a_default),
        cmocka_unit_test(built_in_nets_have_the_parameters_that_pytorch_would_give_them),
        cmocka_unit_test(absurd_sizes_are_refused_before_memory_is_asked_for),
        cmocka_unit_test(an_activation_is_fused_into_the_layer_before_it),
        cmocka_unit_test(sums_before_fused_activations_are_kept_on_request),
        cmocka_unit_test(the_norm_is_measured_of_a_whole_batch),
        cmocka_unit_test(inference_has_the_forward_ops_alone),
        cmocka_unit_test(an_activation_that_cannot_be_fused_has_ops_of_its_own),
        cmocka_unit_test(a_sum_of_two_is_fused_into_the_later_one),
        cmocka_unit_test(a_sum_that_cannot_be_fused_has_an_op_of_its_own),
        cmocka_unit_test(a_frozen_layer_has_no_gradient_and_stops_the_way_back),
        cmocka_unit_test(a_net_without_anything_to_train_has_no_update),
        cmocka_unit_test(parameters_and_gradients_lie_alike),
        cmocka_unit_test(every_element_has_one_place_inside),
        cmocka_unit_test(targets_must_match_the_loss_and_the_outputs),
        cmocka_unit_test(no_two_tensors_share_a_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
