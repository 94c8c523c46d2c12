#!/bin/sh
# Prints a Python that can run kit/ itself: 3.10 or newer, no matter which. kit/interpreters.py then finds the two that the kit runs on.
for python in python3 python3.11 python3.12 python3.13 python3.10 /usr/bin/python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[0-9].*/bin/python3 \
    "$(uv python find '>=3.10' 2>/dev/null)"; do
    # What it is, not what stands in front of it: a shim may refuse later what it grants now.
    found=$("$python" -c 'import sys; sys.version_info >= (3, 10) or sys.exit(1); print(sys.executable)' 2>/dev/null) && printf '%s\n' "$found" && exit 0
done
echo "Touchdesk needs Python 3.11 and 3.10, and found no Python of 3.10 or newer. Get both: pyenv install 3.11 3.10, or uv python install 3.11 3.10." >&2
exit 1
