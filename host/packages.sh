# Sourced by host/demo.sh and tests/run.sh: what they need on Debian 12 and its like.

# What building needs, why: a C compiler, CMake, the OpenCL loader and headers, PoCL (a driver that makes the CPU an
# OpenCL device), zlib, libpng, libjpeg, jansson and libmd; and libwebp, libtiff, giflib and protobuf-c with ONNX's messages, without which it
# builds too, and reads fewer kinds of pictures, and no ONNX models.
packages_to_build="gcc libc6-dev make cmake pkg-config ocl-icd-opencl-dev pocl-opencl-icd zlib1g-dev libpng-dev libjpeg62-turbo-dev libwebp-dev libtiff-dev libgif-dev libjansson-dev libmd-dev protobuf-c-compiler libprotobuf-c-dev libonnx-dev"
# Fashion-MNIST: 60,000 and 10,000 images under /usr/share/datasets/fashion-mnist
packages_of_data="dataset-fashion-mnist"

# need PACKAGE...: installs those that are missing, asks nothing. Without apt-get it can only say what is needed.
need() {
    if ! command -v apt-get >/dev/null; then
        echo "there is no apt-get here: what these Debian packages hold should be installed: $*" >&2
        return 0
    fi
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    if [ -n "$as_root" ] && ! $as_root true 2>/dev/null; then
        echo "as root, run this first: apt-get install$missing" >&2
        exit 1
    fi
    echo "installing:$missing"
    log=$(mktemp)
    if ! { $as_root apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "installing failed; $log has all of it" >&2
        exit 1
    fi
    rm -f "$log"
}
