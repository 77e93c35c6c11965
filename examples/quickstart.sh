#!/usr/bin/env bash
# The tutorial in a minute, on a machine with nothing but Python: makes .venv, starts a broker of its own and the
# tutorial's service, walks through the first commands, and stays up until Ctrl-C.
#
#     ./examples/quickstart.sh                  with the embedded broker
#     ./examples/quickstart.sh --broker HOST    with yours
#     ./examples/quickstart.sh --once           ends after the walk
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh examples/quickstart.sh
set -u
# The script's own folder, also when it is run through a link to it; CDPATH must have no say in that.
CDPATH='' cd -P -- "$(dirname -- "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit 2
source tests/environment.sh || exit 2
DRAGONFLY=.venv/bin/dragonfly
CONFIG=examples/kv_store_tutorial.yaml
USUAL_PORT=5672
PATIENCE=20 # s
ADDRESS=
STAYS=yes

usage() {
    sed -n '2,7s/^# \{0,1\}//p' examples/quickstart.sh
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --once) STAYS= ;;
            --broker=*) use_broker "${1#*=}" ;;
            --broker) use_broker "${2:-}" && shift ;;
            -h | --help) usage && exit 0 ;;
            *) give_up "there is no option $1; --once, --broker HOST and --help there are" ;;
        esac
        shift
    done
    # Nobody sits there to press Ctrl-C.
    [ -t 0 ] && [ -t 1 ] || STAYS=
}

use_broker() {
    [[ -n $1 && $1 != -* ]] || give_up "--broker needs HOST or HOST:PORT"
    ADDRESS=$1
}

# start LOG COMMAND...: run something in the background until this script ends; what it says on stderr goes to LOG.err.
start() {
    local log=$1
    shift
    : >"$log" >"$log.err" # here, not in the child: who looks for a text in them at once must find them
    "$@" >"$log" 2>"$log.err" </dev/null &
}

# end PID: ask it to end, and make it where it does not.
end() {
    local deadline=$((SECONDS + PATIENCE))
    kill "$1" 2>/dev/null
    while kill -0 "$1" 2>/dev/null; do
        [ $SECONDS -le $deadline ] || kill -KILL "$1" 2>/dev/null
        sleep 0.05
    done
    wait "$1" 2>/dev/null
}

# The last started goes first: the broker outlives those who talk to it.
stop_all() {
    local pid started=
    trap '' INT TERM HUP # a second Ctrl-C must not leave the half of it running
    for pid in $(jobs -p); do
        started="$pid $started"
    done
    for pid in $started; do
        end "$pid"
    done
    rm -rf "$LOGS"
}

# has_said LOG TEXT: wait until the last started process has written a text; fail where it ends or takes too long.
has_said() {
    local deadline=$((SECONDS + PATIENCE))
    until grep -q "$2" "$1" "$1.err"; do
        kill -0 $! 2>/dev/null && [ $SECONDS -le $deadline ] || return
        sleep 0.05
    done
}

# fail TEXT LOG: give up with the last words of what failed.
fail() {
    give_up "$1; it said:" "$(cat "$2" "$2.err" | tail -n 5)"
}

# Whether somebody listens there. A name may have two addresses: clients try ::1 too for localhost.
is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1" || exec 3<>"/dev/tcp/localhost/$1") 2>/dev/null
}

listens() {
    start "$LOGS/broker" "$DRAGONFLY" broker --port "$1"
    has_said "$LOGS/broker" "embedded AMQP broker on"
}

start_broker() {
    [ -n "$ADDRESS" ] && return
    # A broker that is there already may be a laboratory's: it is left alone, and ours takes a free port. So it does
    # where another quick start took the usual one between the look and the start.
    { ! is_taken $USUAL_PORT && listens $USUAL_PORT; } || listens 0 ||
        fail "the embedded broker did not start" "$LOGS/broker"
    ADDRESS=$(sed -n 's/^embedded AMQP broker on \([^ ]*\): .*/\1/p' "$LOGS/broker")
    cat "$LOGS/broker"
    # Its only user is guest: whoever has credentials for another broker must say so, and an address goes before them.
    ! has_credentials || ADDRESS="amqp://guest:guest@$ADDRESS"
}

has_credentials() {
    [ -n "${DRAGONFLY_USER:-}" ] || [ -e "${DRAGONFLY_AUTH_FILE:-${HOME:-}/.project8_authentications.json}" ]
}

is_usual() {
    [ "$ADDRESS" = "127.0.0.1:$USUAL_PORT" ]
}

start_service() {
    local words=(serve -c "$CONFIG")
    is_usual || words+=(-b "$ADDRESS")
    printf '\n$ dragonfly %s\n' "${words[*]}"
    start "$LOGS/serve" "$DRAGONFLY" "${words[@]}" -v
    has_said "$LOGS/serve" "starting event loop" || fail "the service did not start" "$LOGS/serve"
    echo "(it serves, in the background)"
}

start_monitor() {
    printf '\n$ dragonfly monitor -po\n'
    start "$LOGS/monitor" "$DRAGONFLY" monitor -po -v
    has_said "$LOGS/monitor" "starting to monitor" || fail "the monitor did not start" "$LOGS/monitor"
    echo "(it listens, in the background)"
}

show() {
    printf '\n$ dragonfly %s\n' "$*"
    "$DRAGONFLY" "$@" || give_up "dragonfly $* ended with status $?"
}

show_monitor() {
    has_said "$LOGS/monitor" '^}' || fail "the monitor shows no alert" "$LOGS/monitor"
    printf '\nand the monitor shows:\n'
    cat "$LOGS/monitor"
}

walk() {
    start_monitor
    start_service
    show get peaches
    show set chips 1.79
    show_monitor
    show get chips
    show cmd peaches.ping
}

# A terminal where DRAGONFLY_BROKER is set already needs to be told of the usual port too.
stay() {
    trap 'echo; exit 0' INT
    printf '\nThe mesh stays up until Ctrl-C. In a second terminal:\n\n    source %q/.venv/bin/activate\n' "$PWD"
    is_usual && [ -z "$BROKER_BEFORE" ] || printf '    export DRAGONFLY_BROKER=%q\n' "$ADDRESS"
    printf '\nand then, for example: dragonfly get peaches\n'
    wait $!
    fail "the service has ended" "$LOGS/serve"
}

read_arguments "$@"
LOGS=$(mktemp -d) || exit 2
trap stop_all EXIT
trap 'echo; exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
prepare quickstart requirements.txt
start_broker
BROKER_BEFORE=${DRAGONFLY_BROKER:-}
export DRAGONFLY_BROKER=$ADDRESS
walk
[ -n "$STAYS" ] && stay
exit 0
