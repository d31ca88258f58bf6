# SPDX-License-Identifier: BSD-3-Clause
"""``python tools/isa.py ARCHIVE…`` prints the linker's option for the processor that these archives need.

A library may be compiled for the processor of the machine that built it, as DPDK and SPDK are by default. On
an older processor, its first such instruction ends the interpreter, already while the module is loaded. With
this option, the C library (since glibc 2.33) does not load the module there, so the import raises an
ImportError.

Nothing is printed if the archives run on each x86-64 processor with SSE4.2, or if the linker lacks the
option.
"""

from __future__ import annotations

import re
import subprocess
import sys

LEVELS = {
    "x86-64-v4": re.compile(r"%zmm|%k[1-7]\b|%[xy]mm(?:1[6-9]|2\d|3[01])\b|\tvmovdq[au](?:8|16|32|64)\b"),
    "x86-64-v3": re.compile(
        r"%ymm|\t(?:v[a-z]\w+|andn|bextr|bls(?:i|r|msk)|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx|movbe)\s"
    ),
}
"""Instructions of each level that compiled C has. An older processor executes tzcnt and lzcnt, as others."""


def level(archive: str) -> str:
    """The level of the x86-64 psABI that the code in an archive needs, or "" for one up to x86-64-v2."""
    found = ""
    command = ["objdump", "--disassemble", "--no-show-raw-insn", archive]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as objdump:
        assert objdump.stdout is not None
        for line in objdump.stdout:
            if LEVELS["x86-64-v4"].search(line):
                found = "x86-64-v4"
                break
            if not found and LEVELS["x86-64-v3"].search(line):
                found = "x86-64-v3"
        objdump.terminate()
    return found


def is_known(option: str) -> bool:
    """Whether the linker knows the option; it warns of another one."""
    command = ["gcc", "-shared", "-nostdlib", "-x", "c", "/dev/null", "-o", "/dev/null"]
    done = subprocess.run([*command, option, "-Wl,--fatal-warnings"], capture_output=True)
    return done.returncode == 0


def main(archives: list[str]) -> None:
    """Print the option for the highest level of the archives."""
    highest = max(map(level, archives), default="")
    option = f"-Wl,-z,{highest}"
    if highest and is_known(option):
        print(option)


if __name__ == "__main__":
    main(sys.argv[1:])
