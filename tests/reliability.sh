#!/usr/bin/env bash
# The full counts of the tests of faults, fuzzing and a soak: it takes hours, and writes what it measured into the docs.
#
#     ./tests/reliability.sh         with a soak of 60 minutes
#     ./tests/reliability.sh 5       with one of 5 minutes
#
# A part that fails does not keep the next from running.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh tests/reliability.sh
set -u
CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 2
source tests/environment.sh || exit 2

MINUTES=${1:-60}
FUZZ_SECONDS=600
FIGURES=build/figures.jsonl
PAGE=docs/explanations/reliability_figures.rst
FAILED=()

[[ $MINUTES =~ ^[0-9]+([.][0-9]+)?$ ]] || give_up "usage: ./tests/reliability.sh [MINUTES of the soak; 60 by default]"

part() {
    local name=$1
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" || FAILED+=("$name")
}

write_page() {
    "$VENV_PYTHON" -m tests.figures "$FIGURES" >"$PAGE.new" && mv "$PAGE.new" "$PAGE"
}

prepare tests requirements.txt docs/requirements.txt tests/requirements.txt
mkdir -p build
rm -f "$FIGURES"
part "tests of faults" "$VENV_PYTHON" -m pytest tests/faults --full --figures "$FIGURES" -n 0
part "fuzzing" "$VENV_PYTHON" tests/fuzz.py --seconds "$FUZZ_SECONDS" --figures "$FIGURES"
part "soak" "$VENV_PYTHON" -m tests.soak --minutes "$MINUTES" --figures "$FIGURES"
part "figures" write_page

if [ ${#FAILED[@]} -gt 0 ]; then
    printf -v names '%s, ' "${FAILED[@]}"
    printf '\nfailed: %s\n' "${names%, }"
    exit 1
fi
printf '\nall parts passed; the figures are in %s\n' "$PAGE"
