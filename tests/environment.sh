# What tests/run.sh and examples/quickstart.sh share: a Python that will do, .venv, and what is installed into it.
# Both work in the repository's root.
VENV_PYTHON=.venv/bin/python
SETUP_LOG=.venv/setup.log

give_up() {
    printf '%s\n' "$@" >&2
    exit 2
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

make_venv() {
    local python
    "$VENV_PYTHON" -m pip --version >/dev/null 2>&1 && return
    python=$(find_python) || give_up "Python 3.10 or newer is needed: sudo apt-get install python3 python3-venv"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        give_up "$python cannot make a virtual environment: sudo apt-get install $python-venv"
    "$python" -m venv --clear .venv || give_up "$python -m venv .venv failed"
}

# install NAME FILE...: install the package and what the files require, unless that was done. The stamp names all that the
# installation follows from: the folder too, since scripts in .venv hold its path.
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
        give_up "$(tail -n 20 "$SETUP_LOG")" "pip failed; all it said is in $SETUP_LOG"
    printf '%s' "$stamp" >".venv/stamp-$name"
}
