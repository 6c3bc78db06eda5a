/* The built-in nets. Each is what its comment says in PyTorch's words. Their `input` lines are defaults: they take
 * images of any size that their layers fit. */
#include "base/text.h"
#include "cltrain.h"

#define VGG_CONV(out) "conv out=" out " kernel=3 padding=1 bias=no\nbatchnorm\nrelu\n"
#define VGG_PAIR(out) VGG_CONV(out) VGG_CONV(out) "maxpool kernel=2\n"

/* Two convolutions and what goes around them. `norm` is the number of the second's batch normalisation, `around` what
 * is added to its output. */
#define RESIDUAL(out, options, norm, around)                                    \
    "conv out=" out " kernel=3 padding=1 bias=no" options "\nbatchnorm\nrelu\n" \
    "conv out=" out " kernel=3 padding=1 bias=no\nbatchnorm\n" around "add from=batchnorm" norm
#define IDENTITY(out, norm, relu) RESIDUAL(out, "", norm, "") ",relu" relu "\nrelu\n"
/* Half as high and wide, so what goes around takes a convolution too. `last`: the number of its normalisation. */
#define PROJECTED(out, norm, relu, last)                                                                 \
    RESIDUAL(out, " stride=2", norm, "conv out=" out " stride=2 bias=no from=relu" relu "\nbatchnorm\n") \
    ",batchnorm" last "\nrelu\n"

/* One filter a channel, then 1 x 1 over all channels: Howard et al., MobileNets, 2017. */
#define SEPARABLE(in, options, out)                                                          \
    "conv out=" in " kernel=3 padding=1 bias=no" options " groups=" in "\nbatchnorm\nrelu\n" \
    "conv out=" out " bias=no\nbatchnorm\nrelu\n"

/* The worked example: Conv2d(1, 1, 3, bias=False), Flatten, Linear(4, 1), Sigmoid, half squared error */
static const char example[] = "input 1x4x4\n"
                              "conv out=1 kernel=3 bias=no\n"
                              "flatten\n"
                              "dense out=1\n"
                              "sigmoid\n"
                              "loss half_mse\n";

/* The same as the published notebook trains it: a fixed kernel, and sigmoid's derivative taken at its output */
static const char example_notebook[] = "input 1x4x4\n"
                                       "conv out=1 kernel=3 bias=no frozen=yes\n"
                                       "flatten\n"
                                       "dense out=1\n"
                                       "sigmoid_notebook\n"
                                       "loss half_mse\n";

/* Conv2d(1, 6, 5, padding=2) ReLU MaxPool2d(2) Conv2d(6, 16, 5) ReLU MaxPool2d(2) Flatten Linear(400, 120) ReLU
 * Linear(120, 84) ReLU Linear(84, 10) */
static const char lenet5[] = "input 1x28x28\n"
                             "conv out=6 kernel=5 padding=2\n"
                             "relu\n"
                             "maxpool kernel=2\n"
                             "conv out=16 kernel=5\n"
                             "relu\n"
                             "maxpool kernel=2\n"
                             "flatten\n"
                             "dense out=120\n"
                             "relu\n"
                             "dense out=84\n"
                             "relu\n"
                             "dense out=10\n"
                             "loss cross_entropy\n";

/* Conv2d(1, 32, 3, padding=1) ReLU MaxPool2d(2) Conv2d(32, 64, 3, padding=1) ReLU MaxPool2d(2) Flatten
 * Linear(3136, 128) ReLU Linear(128, 10) */
static const char cnn2[] = "input 1x28x28\n"
                           "conv out=32 kernel=3 padding=1\n"
                           "relu\n"
                           "maxpool kernel=2\n"
                           "conv out=64 kernel=3 padding=1\n"
                           "relu\n"
                           "maxpool kernel=2\n"
                           "flatten\n"
                           "dense out=128\n"
                           "relu\n"
                           "dense out=10\n"
                           "loss cross_entropy\n";

/* [Conv2d 3x3, padding 1, no bias, BatchNorm2d, ReLU] x 2 at 32, at 64 and at 128 channels, MaxPool2d(2) after
 * each, Flatten, Linear(2048, 10) */
static const char vgg6bn[] = "input 3x32x32\n" VGG_PAIR("32") VGG_PAIR("64") VGG_PAIR("128") "flatten\n"
                                                                                             "dense out=10\n"
                                                                                             "loss cross_entropy\n";

/* He et al., Deep residual learning for image recognition, 2015, section 4.2, n = 3; where a block halves the
 * image, a 1 x 1 convolution goes around it */
static const char resnet20[] = "input 3x32x32\n" VGG_CONV("16") IDENTITY("16", "3", "1") IDENTITY("16", "5", "3")
    IDENTITY("16", "7", "5") PROJECTED("32", "9", "7", "10") IDENTITY("32", "12", "9") IDENTITY("32", "14", "11")
        PROJECTED("64", "16", "13", "17") IDENTITY("64", "19", "15") IDENTITY("64", "21", "17") "globalavgpool\n"
                                                                                                "dense out=10\n"
                                                                                                "loss cross_entropy\n";

/* A small depthwise-separable net */
static const char mobile[] = "input 3x32x32\n" VGG_CONV("32") SEPARABLE("32", "", "64")
    SEPARABLE("64", " stride=2", "128") SEPARABLE("128", "", "128") SEPARABLE("128", " stride=2", "256")
        SEPARABLE("256", "", "256") "globalavgpool\n"
                                    "dense out=10\n"
                                    "loss cross_entropy\n";

/* In the order in which `cltrain help nets` shows them. */
#define NETS(ROW) ROW(example) ROW(example_notebook) ROW(lenet5) ROW(cnn2) ROW(vgg6bn) ROW(resnet20) ROW(mobile)

const char *const *clt_net_names(void)
{
#define NAME(name) #name,
    static const char *const names[] = {NETS(NAME) NULL};
    return names;
}

const char *clt_net_text(const char *name)
{
#define TEXT(name) name,
    static const char *const texts[] = {NETS(TEXT)};
    return clt__text_of(name, clt_net_names(), texts);
}
