#include "onnx/patterns.h"

#include <math.h>
#include <string.h>

/* The line of this number if it is of that kind; NULL for the net's input, and where it is not. */
static const clt__onnx_line *of_kind(const clt__onnx_graph *graph, int line, const char *kind)
{
    return line >= 0 && strcmp(graph->line[line].kind, kind) == 0 ? &graph->line[line] : NULL;
}

/* Whether a line of that kind reads `of` alone. */
static bool makes(const clt__onnx_graph *graph, int line, const char *kind, int of)
{
    const clt__onnx_line *found = of_kind(graph, line, kind);
    return found && found->inputs == 1 && found->input[0] == of;
}

static bool is_near(double value, double wanted)
{
    return fabs(value - wanted) <= 1e-6 * fabs(wanted);
}

/* What a line multiplies by, or adds to, that number; CLT__ONNX_INPUT - 1 where it does not. */
enum { NOTHING = CLT__ONNX_INPUT - 1 };

static int times(const clt__onnx_graph *graph, int line, double factor)
{
    return line >= 0 && is_near(graph->line[line].factor, factor) ? graph->line[line].input[0] : NOTHING;
}

static int plus(const clt__onnx_graph *graph, int line, double shift)
{
    return line >= 0 && is_near(graph->line[line].shift, shift) ? graph->line[line].input[0] : NOTHING;
}

/* ---- activations */

/* The other input of a line that reads two, one of which is x. */
static int other_input(const clt__onnx_graph *graph, int line, const char *kind, int x)
{
    const clt__onnx_line *found = of_kind(graph, line, kind);
    if (!found || found->inputs != 2) return NOTHING;
    return found->input[0] == x ? found->input[1] : found->input[1] == x ? found->input[0] : NOTHING;
}

static bool is_cube(const clt__onnx_graph *graph, int line, int x)
{
    const int square = other_input(graph, line, "mul", x);
    if (square >= 0 && other_input(graph, square, "mul", x) == x) return true;
    return makes(graph, line, "pow", x) && strcmp(graph->line[line].options, " exponent=3") == 0;
}

/* sqrt(2 / pi) (x + 0.044715 x^3) */
static bool is_bent(const clt__onnx_graph *graph, int line, int x)
{
    const int bent = times(graph, line, 0.7978845608028654),
              bend = bent == NOTHING ? NOTHING : other_input(graph, bent, "add", x);
    const int cube = bend == NOTHING ? NOTHING : times(graph, bend, 0.044715);
    return cube != NOTHING && is_cube(graph, cube, x);
}

/* 1 + erf(x / sqrt 2), or the same by tanh. */
static const char *gelu_share(const clt__onnx_graph *graph, int line, int x)
{
    const int share = plus(graph, line, 1);
    const clt__onnx_line *erf = of_kind(graph, share, "erf"), *tanh = of_kind(graph, share, "tanh");
    if (erf && times(graph, erf->input[0], 0.7071067811865476) == x) return "gelu";
    return tanh && is_bent(graph, tanh->input[0], x) ? "gelu_tanh" : NULL;
}

/* x times what `gate` gives. */
static const char *gated(const clt__onnx_graph *graph, int x, int gate, int *of)
{
    *of = x;
    if (makes(graph, gate, "sigmoid", x)) return "silu";
    if (makes(graph, gate, "hardsigmoid", x) && !*graph->line[gate].options) return "hardswish";
    const clt__onnx_line *tanh = of_kind(graph, gate, "tanh");
    if (tanh && makes(graph, tanh->input[0], "softplus", x)) return "mish";
    const int share = times(graph, gate, 0.5);
    if (share != NOTHING) return gelu_share(graph, share, x);
    *of = times(graph, x, 0.5);
    return *of != NOTHING ? gelu_share(graph, gate, *of) : NULL;
}

const char *clt__onnx_product(const clt__onnx_graph *graph, int a, int b, int *of)
{
    const char *kind = gated(graph, a, b, of);
    return kind ? kind : gated(graph, b, a, of);
}

const char *clt__onnx_half(const clt__onnx_graph *graph, int line, int *of)
{
    const clt__onnx_line *product = of_kind(graph, line, "mul");
    for (int i = 0; product && product->inputs == 2 && i < 2; i++) {
        const char *kind = gelu_share(graph, product->input[1 - i], *of = product->input[i]);
        if (kind) return kind;
    }
    return NULL;
}

/* ---- normalisation of pixels */

static bool is_square(const clt__onnx_graph *graph, int line, int x)
{
    return other_input(graph, line, "mul", x) == x ||
           (makes(graph, line, "pow", x) && strcmp(graph->line[line].options, " exponent=2") == 0);
}

bool clt__onnx_is_normalised(const clt__onnx_graph *graph, int dividend, int divisor, int *of, double *eps)
{
    const clt__onnx_line *centred = of_kind(graph, dividend, "sub"), *root = of_kind(graph, divisor, "sqrt");
    if (!centred || !root || !makes(graph, centred->input[1], "channelmean", centred->input[0])) return false;
    const clt__onnx_line *sum = root->input[0] >= 0 ? &graph->line[root->input[0]] : NULL;
    const clt__onnx_line *variance = sum && sum->shift > 0 ? of_kind(graph, sum->input[0], "channelmean") : NULL;
    if (!variance || !is_square(graph, variance->input[0], dividend)) return false;
    *of = centred->input[0];
    *eps = sum->shift;
    return true;
}
