#!/usr/bin/env bash
# The tutorial in a minute, on a machine with nothing but Python: makes .venv, starts a broker of its own and the
# tutorial's service, walks through the first commands, and stays up until Ctrl-C.
#
#     ./examples/quickstart.sh                  with the embedded broker
#     ./examples/quickstart.sh --broker HOST    with yours
#     ./examples/quickstart.sh --once           ends after the walk
set -u
# The script's own folder, also when it is run through a link to it; CDPATH must have no say in that.
CDPATH='' cd -- "$(dirname -- "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit 2
source tests/environment.sh || exit 2
DRAGONFLY=.venv/bin/dragonfly
CONFIG=examples/kv_store_tutorial.yaml
USUAL_PORT=5672
PATIENCE=20 # s
ADDRESS=
STAYS=yes
STARTED=()

usage() {
    sed -n '2,7s/^# \{0,1\}//p' examples/quickstart.sh
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --once) STAYS= ;;
            --broker)
                ADDRESS=${2:-}
                [[ -n $ADDRESS && $ADDRESS != -* ]] || give_up "--broker needs HOST or HOST:PORT"
                shift
                ;;
            -h | --help) usage && exit 0 ;;
            *) give_up "there is no option $1; --once, --broker HOST and --help there are" ;;
        esac
        shift
    done
    # Nobody sits there to press Ctrl-C.
    [ -t 0 ] && [ -t 1 ] || STAYS=
}

# start LOG COMMAND...: run something in the background until this script ends; what it says on stderr goes to LOG.err.
start() {
    local log=$1
    shift
    : >"$log" >"$log.err" # here, not in the child: who looks for a text in them at once must find them
    "$@" >"$log" 2>"$log.err" </dev/null &
    STARTED+=($!)
}

stop_all() {
    local index
    trap - EXIT INT TERM
    for ((index = ${#STARTED[@]} - 1; index >= 0; index--)); do
        kill "${STARTED[index]}" 2>/dev/null
        wait "${STARTED[index]}" 2>/dev/null
    done
    rm -rf "$LOGS"
}

# wait_for WHAT LOG TEXT: wait until the last started process has written a text.
wait_for() {
    local deadline=$((SECONDS + PATIENCE))
    until grep -q "$3" "$2" "$2.err"; do
        if ! kill -0 "${STARTED[-1]}" 2>/dev/null || [ $SECONDS -gt $deadline ]; then
            give_up "$1 did not start; it said:" "$(cat "$2" "$2.err")"
        fi
        sleep 0.05
    done
}

is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start_broker() {
    local port=$USUAL_PORT
    [ -n "$ADDRESS" ] && return
    # A broker that is there already may be a laboratory's: it is left alone, and ours takes a free port.
    is_taken $port && port=0
    start "$LOGS/broker" "$DRAGONFLY" broker --port $port
    wait_for "the embedded broker" "$LOGS/broker" "embedded AMQP broker on"
    ADDRESS=$(sed -n 's/^embedded AMQP broker on \([^ ]*\): .*/\1/p' "$LOGS/broker")
    cat "$LOGS/broker"
    # Its only user is guest: whoever has credentials for another broker must say so, and an address goes before them.
    ! has_credentials || ADDRESS="amqp://guest:guest@$ADDRESS"
}

has_credentials() {
    [ -n "${DRAGONFLY_USER:-}" ] || [ -e "${DRAGONFLY_AUTH_FILE:-$HOME/.project8_authentications.json}" ]
}

is_usual() {
    [ "$ADDRESS" = "127.0.0.1:$USUAL_PORT" ]
}

start_service() {
    local words=(serve -c "$CONFIG")
    is_usual || words+=(-b "$ADDRESS")
    printf '\n$ dragonfly %s\n' "${words[*]}"
    start "$LOGS/serve" "$DRAGONFLY" "${words[@]}" -v
    wait_for "the service" "$LOGS/serve" "starting event loop"
    echo "(it serves, in the background)"
}

start_monitor() {
    printf '\n$ dragonfly monitor -po\n'
    start "$LOGS/monitor" "$DRAGONFLY" monitor -po -v
    wait_for "the monitor" "$LOGS/monitor" "starting to monitor"
    echo "(it listens, in the background)"
}

show() {
    printf '\n$ dragonfly %s\n' "$*"
    "$DRAGONFLY" "$@" || give_up "dragonfly $* ended with status $?"
}

show_monitor() {
    wait_for "the alert" "$LOGS/monitor" '^}'
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

stay() {
    printf '\nThe mesh stays up until Ctrl-C. In a second terminal:\n\n    source %q/.venv/bin/activate\n' "$PWD"
    is_usual || printf '    export DRAGONFLY_BROKER=%q\n' "$ADDRESS"
    printf '\nand then, for example: dragonfly get peaches\n'
    wait "${STARTED[-1]}"
}

read_arguments "$@"
LOGS=$(mktemp -d)
trap stop_all EXIT
trap 'echo; exit 0' INT TERM
make_venv
install quickstart requirements.txt
start_broker
export DRAGONFLY_BROKER=$ADDRESS
walk
[ -n "$STAYS" ] && stay
exit 0
