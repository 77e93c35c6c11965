#!/usr/bin/env bash
# Everything that a change must pass: style, types, docs, tests.
#
#     ./tests/run.sh                 all of it
#     ./tests/run.sh -k codec        the arguments go to pytest (-n 0: one test at a time)
#
# The first run makes .venv and installs what is needed. It leaves nothing running.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh tests/run.sh
set -u
CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 2
source tests/environment.sh || exit 2
FAILED=()

has_rabbitmq() {
    "$VENV_PYTHON" -c 'import sys; from dragonfly.testing import RabbitMQNode; sys.exit(not RabbitMQNode.installed())'
}

# Print how to become root without being asked for a password: nothing to say for root itself.
as_root() {
    [ "$(id -u)" = 0 ] && return
    sudo -n true 2>/dev/null && echo "sudo -n"
}

epmd_processes() {
    ps -e -o pid= -o comm= | awk '$2 == "epmd" { print $1 }'
}

# Debian starts the server that it installs. The tests start their own: end what was not here before.
stop_packaged_server() {
    local root=$1 epmd_before=$2 pid
    if [ -d /run/systemd/system ]; then
        $root systemctl stop rabbitmq-server.service
    elif $root service rabbitmq-server status; then
        $root service rabbitmq-server stop
    fi
    for pid in $(epmd_processes); do
        [[ " $epmd_before " == *" $pid "* ]] || $root kill "$pid"
    done
}

install_rabbitmq() {
    local root epmd_before
    [ -n "${DRAGONFLY_TEST_BROKER:-}" ] && return
    has_rabbitmq && return
    if command -v apt-get >/dev/null && root=$(as_root); then
        echo "installing rabbitmq-server ..."
        epmd_before=$(epmd_processes | tr '\n' ' ')
        {
            $root apt-get update
            $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends rabbitmq-server
            stop_packaged_server "$root" "$epmd_before"
        } </dev/null >>"$SETUP_LOG" 2>&1
    fi
    has_rabbitmq || echo "rabbitmq-server is not installed: the tests that need it are skipped"
}

# Print which of some programs, each of which is the only one of its Debian package, are not installed.
missing() {
    local program
    for program; do
        command -v "$program" >/dev/null || printf ' %s' "$program"
    done
}

install_programs() {
    local root programs
    programs=$(missing "$@")
    [ -n "$programs" ] || return 0
    if command -v apt-get >/dev/null && root=$(as_root); then
        echo "installing$programs ..."
        {
            $root apt-get update
            # shellcheck disable=SC2086 -- a word for each
            $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $programs
        } </dev/null >>"$SETUP_LOG" 2>&1
    fi
    programs=$(missing "$@")
    [ -z "$programs" ] || echo "not installed:$programs; the tests that need it are skipped"
}

# Run one check; say nothing more than its name when it passes.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        printf '%-13s ok\n' "$name"
    else
        printf '%-13s FAILED\n%s\n' "$name" "$output"
        FAILED+=("$name")
    fi
}

prepare tests requirements.txt docs/requirements.txt tests/requirements.txt
install_rabbitmq
install_programs tmux zsh
check "ruff check" "$VENV_PYTHON" -m ruff check --quiet --output-format concise .
check "ruff format" "$VENV_PYTHON" -m ruff format --quiet --check --output-format concise .
check "mypy" "$VENV_PYTHON" -m mypy
check "docs" "$VENV_PYTHON" -m sphinx -q -W --keep-going -E -b html docs docs/_build
# Most of the time the tests wait for a broker or a program: four at a time take half as long, even on two cores. Files
# are begun in their order: left to itself, xdist begins those with few tests last, and the soak is one of them.
"$VENV_PYTHON" -m pytest -n 4 --dist loadfile --no-loadscope-reorder "$@"
status=$?

if [ ${#FAILED[@]} -gt 0 ]; then
    printf -v names '%s, ' "${FAILED[@]}"
    echo "failed before the tests: ${names%, }"
    [ $status -ne 0 ] || status=1
fi
exit $status
