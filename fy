#!/bin/sh
# ./fy COMMAND: a management command inside the prepared environment.
here=$(dirname "$(readlink -f "$0")")
python=$here/.venv/bin/python
[ -x "$python" ] || python=${PYTHON:-python3}
exec "$python" "$here/tools/dev.py" fy "$@"
