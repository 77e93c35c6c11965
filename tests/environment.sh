# What tests/run.sh and examples/quickstart.sh share: a Python that will do, .venv, and what is installed into it.
# Both work in the repository's root, by its path without links.
VENV_PYTHON=.venv/bin/python
SETUP_LOG=.venv/setup.log
# It is there while .venv is being made: what an interrupted start left is made anew.
UNFINISHED=.venv/unfinished

give_up() {
    printf '%s\n' "$@" >&2
    exit 2
}

# prepare NAME FILE...: make .venv and install into it. Two that start at once in one clone take turns; the lock is on
# the folder itself: it needs no file, and goes with its holder, however that ends. Where the system gives none, it goes
# without.
prepare() {
    exec 9<.
    python3 - 2>/dev/null <<'END'
import fcntl
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("waiting for another start that installs into .venv ...", flush=True)
    fcntl.flock(9, fcntl.LOCK_EX)
END
    make_venv
    install "$@"
    exec 9<&-
}

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

# A .venv without pip may be somebody's own (some tools make such): it is given one rather than thrown away.
venv_works() {
    [ ! -e $UNFINISHED ] && is_of_this_folder &&
        { "$VENV_PYTHON" -c 'import pip' || "$VENV_PYTHON" -m ensurepip; } >/dev/null 2>&1
}

# The scripts in .venv, activate among them, hold its path: in a clone that was moved or copied they lead elsewhere.
is_of_this_folder() {
    local stamp
    for stamp in .venv/stamp-*; do
        [ ! -e "$stamp" ] || [[ $(cat "$stamp") = "$PWD "* ]] || return
    done
}

make_venv() {
    local python said
    venv_works && return
    python=$(find_python) || give_up \
        "Python 3.10 or newer is needed; here is $(python3 --version 2>/dev/null || echo none):" \
        "    sudo apt-get install python3 python3-venv    (Debian 12, Ubuntu 22.04 and newer)" \
        "    https://www.python.org/downloads/            (any other system)"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || lacks_venv "$python"
    [ ! -L .venv ] && [ ! -e .venv ] || echo "making .venv anew: the one that is there does not work here"
    { rm -rf .venv && mkdir .venv && : >$UNFINISHED; } ||
        give_up "$PWD must be a folder that you may write to: .venv is made there"
    said=$("$python" -m venv .venv 2>&1) && rm $UNFINISHED && return
    rm -rf .venv
    case $said in *ensurepip*) lacks_venv "$python" ;; esac
    give_up "$said" "$python -m venv .venv failed"
}

lacks_venv() {
    give_up "$1 cannot make a virtual environment, since python3-venv is not installed:" \
        "    sudo apt-get install $("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
}

# What pip says last is often not what went wrong.
last_errors() {
    grep -E 'WARNING|ERROR' "$SETUP_LOG" | tail -n 3 | grep . || tail -n 5 "$SETUP_LOG"
}

# install NAME FILE...: install the package and what the files require, unless that was done. The stamp names all that the
# installation follows from, and the folder.
install() {
    local name=$1 stamp file words=(-e .)
    shift
    stamp="$PWD $(cat setup.py "$@" | cksum)"
    [ "$(cat ".venv/stamp-$name" 2>/dev/null)" = "$stamp" ] && return
    echo "installing into .venv ..."
    for file in "$@"; do
        words+=(-r "$file")
    done
    "$VENV_PYTHON" -m pip install "${words[@]}" >"$SETUP_LOG" 2>&1 ||
        give_up "$(last_errors)" "pip failed (is there a network?); all it said is in $SETUP_LOG"
    printf '%s' "$stamp" >".venv/stamp-$name"
}
