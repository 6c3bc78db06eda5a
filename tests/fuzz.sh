#!/bin/sh
# fuzz.sh HARNESS SEEDS: the harness on its seeds, and on what libFuzzer makes of them for CLTRAIN_FUZZ_SECONDS (1 by
# default, 60 under run.sh --thorough). An input that breaks the parser stays in the working folder: it becomes a seed,
# called regression-..., once the parser is right. An input that takes ten minutes never ends: on a quick machine the slowest
# take milliseconds, so that no machine is too slow for this.
set -eu
harness=$1 seeds=$2
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/found"
export TMPDIR="$work"
# Memory that was freed is kept back for a while to be watched, by default more than all the rest.
export ASAN_OPTIONS="quarantine_size_mb=16:detect_leaks=1:${ASAN_OPTIONS:-}"
"$harness" -max_total_time="${CLTRAIN_FUZZ_SECONDS:-1}" -timeout=600 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$PWD/$(basename "$harness")-" "$work/found" "$seeds"
