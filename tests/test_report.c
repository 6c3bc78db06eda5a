/* The page about runs: what stands in it, what cannot get into it, and what it is made of. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/comparison.h"
#include "report/html.h"
#include "report/run.h"
#include "report/sections.h"
#include "support.h"

static const char net[] = "input 1x6x6; conv out=3 kernel=3; relu; flatten; dense out=3";
static clt_device *reference;

static int open_reference(void **state)
{
    reference = open_called("reference");
    return make_folder(state);
}

static int close_reference(void **state)
{
    clt_device_close(reference);
    return remove_folder(state);
}

/* ---- writing HTML */

static void assert_text(const char *text, const char *wanted)
{
    clt__html html = {.status = CLT_OK};
    clt__html_text(&html, text);
    assert_ok(html.status, &html.why);
    assert_string_equal(html.text.start, wanted);
    free(html.text.start);
}

static void text_stays_text(void **state)
{
    (void)state;
    assert_text("<script>alert('a' & \"b\")</script>",
                "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;");
    assert_text("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    assert_text("\xe2\x82\xac\xf0\x9f\x91\xa2", "\xe2\x82\xac\xf0\x9f\x91\xa2");
    assert_text("a\x01\x7f", "a&#xFFFD;&#xFFFD;");
    assert_text("\xff\xc3", "&#xFFFD;&#xFFFD;"); /* no UTF-8, and half a character */
    assert_text("\xc0\xaf\xed\xa0\x80", "&#xFFFD;&#xFFFD;&#xFFFD;&#xFFFD;&#xFFFD;"); /* too long; a surrogate */
}

/* ---- answers */

static int32_t labels[] = {0, 0, 1, 1, 2, 2}, said[] = {0, 1, 1, 1, 0, 2};
static float of_said[] = {0.91F, 0.8F, 0.6F, 0.95F, 0.99F, 0.5F}, of_label[] = {0.91F, 0.1F, 0.6F, 0.95F, 0.0F, 0.5F};
static uint64_t confused[] = {1, 1, 0, 0, 2, 0, 1, 0, 1};
static const clt__answers answers = {.count = 6,
                                     .classes = 3,
                                     .label = labels,
                                     .said = said,
                                     .of_said = of_said,
                                     .of_label = of_label,
                                     .confused = confused,
                                     .accuracy = 4.0 / 6};

static void images_are_picked_in_their_order(void **state)
{
    (void)state;
    int32_t image[4];
    assert_int_equal(clt__pick_images(&answers, CLT__SUREST_WRONG, image, 4), 2);
    assert_true(image[0] == 4 && image[1] == 1);
    assert_int_equal(clt__pick_images(&answers, CLT__SUREST_WRONG, image, 1), 1);
    assert_int_equal(image[0], 4);
    assert_int_equal(clt__pick_images(&answers, CLT__LEAST_SURE_RIGHT, image, 4), 4);
    assert_true(image[0] == 5 && image[1] == 2 && image[2] == 0 && image[3] == 3);
    assert_int_equal(clt__pick_images(&answers, CLT__LEAST_SURE_RIGHT, image, 2), 2);
    assert_true(image[0] == 5 && image[1] == 2);
}

static void figures_are_what_their_names_say(void **state)
{
    (void)state;
    const clt__class_figures f = clt__figures_of_class(confused, 3, 0);
    assert_true(f.precision == 0.5 && f.recall == 0.5 && f.f1 == 0.5 && f.count == 2);
    const clt__calibration c = clt__calibrate(&answers);
    assert_true(c.images[5] == 1 && c.images[6] == 1 && c.images[8] == 1 && c.images[9] == 3);
    assert_true(c.right[5] == 1 && c.right[8] == 0 && isnan(c.said[0]));
    const double wanted = (0.5 + 0.4 + 0.8 + fabs(0.91 + 0.95 + 0.99 - 2)) / 6;
    assert_true(fabs(c.error - wanted) < 1e-6);
}

static void chance_is_told_from_more(void **state)
{
    (void)state;
    assert_true(fabs(clt__mcnemar_p(2, 8) - 2 * (1 + 10 + 45) / 1024.0) < 1e-12);
    assert_true(clt__mcnemar_p(8, 2) == clt__mcnemar_p(2, 8));
    assert_true(clt__mcnemar_p(5, 5) == 1 && clt__mcnemar_p(0, 0) == 1);
    assert_true(clt__mcnemar_p(300, 1000) < 1e-80 && clt__mcnemar_p(4900, 5100) > 0.04);
    static int32_t others[] = {0, 0, 1, 0, 2, 2};
    clt__answers second = answers;
    second.said = others;
    const clt__mcnemar m = clt__compare_answers(&answers, &second);
    assert_true(m.both == 3 && m.first == 1 && m.second == 2 && m.neither == 0 && m.p == 1);
}

static void distances_are_those_of_geometry(void **state)
{
    (void)state;
    const double a[] = {3, 4}, b[] = {4, -3}, none[] = {0, 0};
    const clt__distance d = clt__distance_of(a, b, 2);
    assert_true(d.first == 5 && d.second == 5 && d.cosine == 0 && fabs(d.apart - sqrt(50)) < 1e-15);
    assert_true(isnan(clt__distance_of(a, none, 2).cosine));
}

/* ---- a run's folder */

static bool stop(CLT__UNUSED void *user, CLT__UNUSED const clt_progress *progress)
{
    return false;
}

/* Trains a few images for 2 epochs, or as long as `progress` lets it. */
static void train_net_while(const char *trained, const char *folder, double rate, clt_progress_function progress)
{
    clt_error error;
    clt_model *model = make_model(trained, NULL, CLT_F32, 3);
    clt_dataset *images = make_images(24, clt_model_input(model), 3, 7);
    clt_options options = clt__options_default();
    options.epochs = 2;
    options.batch_size = 8;
    options.lr = rate;
    options.output_dir = path_in(folder);
    options.progress = progress;
    options.size = (clt_shape){0, 6, 6}; /* as if they were image files */
    const clt_status status = clt_train(model, reference, images, images, &options, &error);
    if (progress)
        assert_int_equal(status, CLT_STOPPED);
    else
        assert_ok(status, &error);
    clt_dataset_close(images);
    clt_model_close(model);
}

static void train_run(const char *folder, double rate)
{
    train_net_while(net, folder, rate, NULL);
}

/* The whole page; freed with free(). */
static char *page_of(const char *const *folders, int count, bool shows_images)
{
    clt_error error;
    clt_report *report;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    clt_dataset *images = make_images(24, clt_model_input(model), 3, 7);
    assert_ok(clt_report_open(&report, &error), &error);
    for (int i = 0; i < count; i++)
        assert_ok(clt_report_add(report, path_in(folders[i]), reference, shows_images ? images : NULL, NULL, &error),
                  &error);
    const char *path = path_in("page.html");
    assert_ok(clt_report_write(report, path, &error), &error);
    size_t size;
    char *page = (char *)read_bytes(path, &size);
    char *text = calloc(size + 1, 1);
    assert_non_null(text);
    memcpy(text, page, size);
    free(page);
    clt_report_close(report);
    clt_dataset_close(images);
    clt_model_close(model);
    return text;
}

static void assert_has(const char *page, const char *part)
{
    if (!strstr(page, part)) print_error("the page lacks %s\n", part);
    assert_non_null(strstr(page, part));
}

static void a_page_has_what_people_ask(void **state)
{
    (void)state;
    train_run("one<b>", 0.05);
    const char *const folders[] = {"one<b>"};
    char *page = page_of(folders, 1, true);
    clt_error error;
    clt__run run;
    assert_ok(clt__run_open(path_in("one<b>"), &run, &error), &error);
    assert_int_equal(run.epochs, 2);
    assert_string_equal(run.record.ended, "finished");
    assert_int_equal(run.record.images, 24);
    for (int i = 0; i < CLT__METRICS; i++) { /* the numbers of metrics.csv are in its table */
        char cell[64];
        (void)snprintf(cell, sizeof cell, "<td>%.6g</td>", run.metric[i][1]);
        assert_has(page, cell);
    }
    char digest[65];
    clt_model_sha256(run.model, digest);
    assert_has(page, digest);
    static const char *const parts[] = {
        "Loss</figcaption>", "What it takes for what",      "class=\"confusion\"",
        "The first filters", "conv1.weight.gradient",       "The net",
        "--lr 0.05",         "data:image/png;base64,iVBOR", "cltrain train --data PATH --size 6x6 --net "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_has(page, parts[i]);
    assert_null(strstr(page, "one<b>"));
    assert_has(page, "one&lt;b&gt;");
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "http"));
    clt__run_close(&run);
    if (setlocale(LC_ALL, "de_DE.UTF-8")) { /* whose decimal point is a comma */
        char *there = page_of(folders, 1, true);
        (void)setlocale(LC_ALL, "C");
        assert_string_equal(there, page);
        free(there);
    }
    free(page);
}

/* Dropout would leave out what counted, and the few images at hand would be normalised by each other. */
static void images_are_shown_to_the_net_that_infers(void **state)
{
    (void)state;
    train_net_while("input 1x6x6; conv out=3 kernel=3; batchnorm; relu; dropout rate=0.5; flatten; dense out=3",
                    "drops", 0.05, NULL);
    const char *const folders[] = {"drops"};
    char *page = page_of(folders, 1, true);
    assert_has(page, ">relu1</th>");
    assert_null(strstr(page, ">dropout1</th>"));
    assert_null(strstr(page, ">batchnorm1</th>"));
    assert_has(page, "are part of it here");
    free(page);
}

static void runs_are_compared(void **state)
{
    (void)state;
    train_run("slow", 0.001);
    train_run("quick", 0.05);
    const char *const folders[] = {"slow", "quick"};
    char *page = page_of(folders, 2, false);
    assert_has(page, "<th scope=\"row\">lr</th><td class=\"words\">0.001</td><td class=\"words\">0.05</td>");
    assert_null(strstr(page, "<th scope=\"row\">momentum</th>")); /* both have the same */
    assert_has(page, "slow, validation");
    assert_has(page, "No labelled images were at hand");
    free(page);
    train_run("other/slow", 0.001);
    const char *const same[] = {"slow", "other/slow"};
    page = page_of(same, 2, false);
    assert_has(page, "other/slow, validation");
    assert_null(strstr(page, ">slow, validation"));
    free(page);
}

/* More than there are colours for: those come again in lines of another kind, and what is beyond these is told. */
static void many_runs_are_told_apart(void **state)
{
    (void)state;
    static double epoch[] = {1, 2}, loss[] = {3, 2};
    clt__run runs[17] = {{0}};
    char folder[17][8];
    for (int i = 0; i < 17; i++) {
        (void)snprintf(folder[i], sizeof folder[i], "run%02d", i);
        runs[i].folder = folder[i];
        runs[i].epochs = 2;
        for (int m = 0; m < CLT__METRICS; m++) runs[i].metric[m] = m == CLT__EPOCH ? epoch : loss;
    }
    clt__html html = {.status = CLT_OK};
    clt__curves(&html, runs, 17);
    assert_ok(html.status, &html.why);
    assert_has(html.text.start, "<path class=\"line c3\" d=\"M2 5H26\"/></svg> run03, validation");
    assert_has(html.text.start, "<path class=\"line c3 broad\" d=\"M2 5H26\"/></svg> run11, validation");
    assert_has(html.text.start, "<path class=\"line c3 broad dashed\" d=\"M2 5H26\"/></svg> run11, training");
    assert_has(html.text.start, "the first 16 of 17 runs");
    assert_null(strstr(html.text.start, "run16"));
    free(html.text.start);
}

static void assert_bad_run(const char *folder, clt_status wanted, const char *part)
{
    clt_error error;
    clt_report *report;
    assert_ok(clt_report_open(&report, &error), &error);
    assert_failed(clt_report_add(report, path_in(folder), reference, NULL, NULL, &error), wanted, &error, NULL, part);
    assert_failed(clt_report_write(report, path_in("none.html"), &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "a report needs a run");
    clt_report_close(report);
}

static void a_damaged_run_is_named(void **state)
{
    (void)state;
    assert_bad_run("nowhere", CLT_NO_FILE, "is no folder that cltrain train --output-dir has written");
    train_run("damaged", 0.01);
    static const char head[] = "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds\n";
    static const struct {
        const char *rows, *part;
    } files[] = {{"1,2,3\n", "metrics.csv:2: should be 7 numbers"},
                 {"1,2,0.5,,,0.1,3\n2,x,0.5,,,0.1,3\n", "metrics.csv:3: should be"},
                 {"1,2,0.5,,,0.1,3", "metrics.csv:2: should be"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "%s%s", head, files[i].rows);
        write_text("damaged/metrics.csv", text);
        assert_bad_run("damaged", CLT_BAD_FILE, files[i].part);
    }
    write_text("damaged/metrics.csv", "a,b\n");
    assert_bad_run("damaged", CLT_BAD_FILE, "metrics.csv:1: should be names with commas between");
    write_text("damaged/metrics.csv", head);
    write_text("damaged/run.json", "{\"data\": 3,");
    assert_bad_run("damaged", CLT_BAD_FILE, "run.json:1: is not what cltrain train writes");
    write_text("damaged/run.json", "[]");
    assert_bad_run("damaged", CLT_BAD_FILE, "run.json:1: is not what cltrain train writes: it is no object");
    write_text("damaged/layers.csv", "epoch,parameter,weight,gradient\n1,conv1.weight,0.5\n");
    write_text("damaged/run.json", "{}");
    assert_bad_run("damaged", CLT_BAD_FILE, "layers.csv:2: should be an epoch");
    write_text("damaged/layers.csv",
               "epoch,parameter,weight,gradient\n1,conv1.weight,0.5,\n2,conv1.weight,0.25,0.125\n");
    write_text("damaged/activations.csv", "epoch,layer,size,dead\n1,relu1,0.5\n");
    assert_bad_run("damaged", CLT_BAD_FILE, "activations.csv:2: should be an epoch");
    write_text("damaged/activations.csv",
               "epoch,layer,size,dead\n1,relu<1>,0.5,0\n1,conv1,8,\n2,relu<1>,0.25,0.125\n2,conv1,2e9,\n");
    write_text("damaged/run.json", "{\"data\": 3, \"images\": \"many\"}"); /* of other types: nothing is known */
    const char *const folders[] = {"damaged"};
    char *page = page_of(folders, 1, false);
    assert_has(page, "No epoch was finished");
    assert_has(page, "Layer by layer, over time");
    assert_has(page, "relu&lt;1&gt; (0&nbsp;% after epoch 1, 12.5&nbsp;% after epoch 2)");
    assert_has(page, "no finite numbers: conv1 (from epoch 2 on)");
    assert_has(page, "What layers gave</figcaption>");
    free(page);
}

static clt__run open_run(const char *folder)
{
    clt_error error;
    clt__run run;
    assert_ok(clt__run_open(path_in(folder), &run, &error), &error);
    return run;
}

static void a_run_that_cannot_be_shown_is_not_on_the_page(void **state)
{
    (void)state;
    clt_error error;
    clt_report *report;
    train_run("good", 0.01);
    clt_dataset *others = make_images(24, (clt_shape){1, 6, 6}, 7, 7);
    assert_ok(clt_report_open(&report, &error), &error);
    assert_failed(clt_report_add(report, path_in("good"), reference, others, NULL, &error), CLT_BAD_ARGUMENT, &error,
                  NULL, "has 7 classes, where the model has 3");
    assert_failed(clt_report_write(report, path_in("none.html"), &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "a report needs a run");
    clt_report_close(report);
    clt_dataset_close(others);
    write_text("good/metrics.csv", "epoch,loss\n1,3\n2,inf\n");
    clt__run run = open_run("good");
    assert_int_equal(clt__run_best(&run), 0); /* not the infinite one */
    clt__run_close(&run);
}

static void a_run_without_a_checkpoint_is_told(void **state)
{
    (void)state;
    train_run("begun", 0.01);
    assert_int_equal(remove(path_in("begun/last.safetensors")), 0);
    assert_int_equal(remove(path_in("begun/best.safetensors")), 0);
    write_text("begun/run.json", "{\"diverged\": true, \"ended\": \"the loss is <not> a number\"}");
    const char *const folders[] = {"begun"};
    char *page = page_of(folders, 1, true);
    assert_has(page, "The run diverged: the loss is &lt;not&gt; a number");
    assert_has(page, "before it had written a checkpoint");
    free(page);
    write_text("begun/run.json", "{\"cltrain\": \"0.2.0\", \"ended\": \"\"}");
    page = page_of(folders, 1, true);
    assert_has(page, "it is running still, or it was killed");
    free(page);
}

/* Until it has its own in its place: it may never come to that. */
static void what_another_run_left_is_not_shown(void **state)
{
    (void)state;
    train_run("twice", 0.01);
    train_net_while(net, "twice", 0.02, stop); /* after its first step, with a checkpoint */
    clt__run run = open_run("twice");
    assert_int_equal(run.epochs, 0);
    assert_false(run.is_best);
    assert_non_null(strstr(run.checkpoint, "last.safetensors"));
    clt__run_close(&run);
    write_text("twice/run.json", "{\"epochs\": 1, \"best\": false, \"last\": false, \"layers\": true}");
    write_text("twice/layers.csv", "epoch,parameter,weight,gradient\n1,conv1.weight,0.5,\n2,conv1.weight,0.25,0.125\n");
    run = open_run("twice");
    assert_true(run.untrained && run.epochs == 1 && run.layers == 1);
    clt__run_close(&run);
    write_text("twice/run.json", "{\"layers\": false}");
    run = open_run("twice");
    assert_true(run.is_best && run.epochs == 2 && run.layers == 0);
    clt__run_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_text),
        cmocka_unit_test(images_are_picked_in_their_order),
        cmocka_unit_test(figures_are_what_their_names_say),
        cmocka_unit_test(chance_is_told_from_more),
        cmocka_unit_test(distances_are_those_of_geometry),
        cmocka_unit_test(a_page_has_what_people_ask),
        cmocka_unit_test(images_are_shown_to_the_net_that_infers),
        cmocka_unit_test(runs_are_compared),
        cmocka_unit_test(many_runs_are_told_apart),
        cmocka_unit_test(a_damaged_run_is_named),
        cmocka_unit_test(a_run_that_cannot_be_shown_is_not_on_the_page),
        cmocka_unit_test(a_run_without_a_checkpoint_is_told),
        cmocka_unit_test(what_another_run_left_is_not_shown),
    };
    return cmocka_run_group_tests(tests, open_reference, close_reference);
}
