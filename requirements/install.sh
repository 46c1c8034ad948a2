#!/usr/bin/env bash
# Makes .venv hold exactly what requirements/*.txt pin: `install.sh run` for serving, `install.sh dev` for tests and benchmarks too.
# Finished work leaves a stamp named by the hash of its inputs, so a second call returns at once and an interrupted one goes on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-run}
venv=${VENV:-.venv}
pins=("requirements/${PINS:-cpu}.txt")
video=requirements/video.txt
if [[ $mode == dev ]]; then pins+=(requirements/dev.txt); fi

stamp_of() { cat requirements/install.sh pyproject.toml "$video" "$@" | sha256sum | cut -c1-16; }
stamp=$venv/.livecart-$mode-$(stamp_of "${pins[@]}")
if [[ -e $stamp && -x $venv/bin/livecart ]]; then exit 0; fi

# background jobs of a script ignore Ctrl-C; they are told
trap 'exit 130' INT TERM
trap 'jobs -p | xargs -r kill 2>/dev/null || true' EXIT

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3.11 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    cat >&2 <<'TEXT'
livecart needs Python 3.11: vLLM's, Ray's and FAISS's wheels were pinned and tested together for that version.
No python3.11 was found on PATH. Install it (Debian/Ubuntu: python3.11 and python3.11-venv; macOS, others: pyenv or conda), or
name one: make setup PYTHON=/path/to/python3.11
TEXT
    exit 1
}

forget_half_installed() {
    # pip writes INSTALLER after a wheel's last file: without it the package was cut off and must be unpacked again
    local info
    for info in "$venv"/lib/python3.11/site-packages/*.dist-info; do
        if [[ -d $info && ! -e $info/INSTALLER ]]; then rm -rf "$info"; fi
    done
}

torch_help() {
    cat >&2 <<'TEXT'

The installation failed. If the lines above say that no version of torch matches, then your package index does not carry PyTorch's
CPU build: open "Get Started" on PyTorch's site, choose Pip and CPU, and copy the address that it shows after --index-url. Then

    TORCH_INDEX_URL=<that address> make setup

Packages already downloaded are not downloaded again. Other failures are usually the network: simply run the command again.
TEXT
    exit 1
}

install() { "$venv/bin/python" -m pip install --no-deps --disable-pip-version-check --no-input "$@"; }

install_pins() {
    # Unpacking takes longer than a good network: two pips share the list, and the byte code is compiled on all cores afterwards.
    # --no-deps is what makes that safe: neither looks at what the other installs.
    local half lists status=0
    lists=$(mktemp -d)
    cat "${pins[@]}" | grep == | awk -v folder="$lists" '{print > (folder "/" NR % 2)}'
    for half in 1 0; do install --no-compile -r "$lists/$half" "$@" & done
    for half in 1 0; do wait -n || status=1; done
    rm -rf "$lists"
    return "$status"
}

if [[ ! -x $venv/bin/python ]]; then
    python=$(find_python)
    say "creating $venv with $("$python" --version)"
    "$python" -m venv "$venv"
fi
forget_half_installed

say "installing $(cat "${pins[@]}" | grep -c ==) pinned packages (gigabytes: minutes, depending on the network)"
if ! install_pins; then
    if [[ -z ${TORCH_INDEX_URL:-} ]]; then torch_help; fi
    say "once more, with the index in TORCH_INDEX_URL"
    install_pins --extra-index-url "$TORCH_INDEX_URL" || torch_help
fi
say "installing what reads videos, apart from what serves"
rm -rf "$venv/video"
install --quiet --target "$venv/video" -r "$video"
say "compiling"
# packages ship test data that is no valid Python: what cannot be compiled is not imported either
"$venv/bin/python" -m compileall -q -j 0 "$venv/lib/python3.11/site-packages" >/dev/null || true
say "installing livecart itself (editable)"
install --no-build-isolation --quiet --editable .

rm -f "$venv"/.livecart-"$mode"-*
touch "$stamp"
# what tests need includes what serving needs
if [[ $mode == dev ]]; then touch "$venv/.livecart-run-$(stamp_of "${pins[0]}")"; fi
say "ready: $venv"
