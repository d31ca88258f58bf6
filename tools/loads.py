# SPDX-License-Identifier: BSD-3-Clause
"""``python tools/loads.py MODULE.so`` fails unless this Python can load the extension module.

The module is linked so that loading it resolves all names. If it loads, it can be imported.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path


def undefined(path: str) -> "list[str]":
    """The names that the module needs and no library defines."""
    command = ["nm", "--dynamic", "--undefined-only", "--format=posix", path]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    names = [line.split()[0] for line in lines if line.split()[1] == "U"]
    return [name for name in names if "@" not in name and not name.startswith(("Py", "_Py"))]


def main(path: str) -> int:
    """Load the module as an import would, without running its code."""
    spec = importlib.util.spec_from_file_location(Path(path).name.split(".")[0], Path(path).resolve())
    assert spec is not None
    try:
        importlib.util.module_from_spec(spec)
    except ImportError as error:
        print(f"{path} was linked and does not load: {error}", file=sys.stderr)
        print("names that no library defines:", ", ".join(undefined(path)) or "none", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
