# SPDX-License-Identifier: BSD-3-Clause
"""Write the make rules of the C tests, from the comments at the top of each test.

    python3 tools/c_tests.py build/asan tests/c/test_*.c > build/asan/tests.mk

tests/c/test.h describes these comments. make expands the stars in them, so that it finds new source files
without running this script again.
"""

import re
import sys

COMMENT = re.compile(r"/\*(.*?)\*/(?=\s*$)", re.DOTALL | re.MULTILINE)
KEY = re.compile(r"\s*(sources|flags|libs):(.*)", re.DOTALL)


def head(path: str) -> "dict[str, list[str]]":
    """The words after each key in the comments above the first line of code."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found: dict[str, list[str]] = {}
    for comment in COMMENT.findall(text.split("\n#", 1)[0]):
        if comment.strip() == "dpdk":
            found["dpdk"] = ["yes"]
        elif key := KEY.match(comment):
            # A continued line may begin with a star of a pattern.
            words = re.sub(r"\n\s*\*\s", "\n", key[2]).split()
            found.setdefault(key[1], []).extend(words)
    return found


def rules(out: str, path: str) -> str:
    """The rules of one test, which depends on all that it is linked with."""
    wanted = head(path)
    program = f"{out}/{path[:-2]}"
    sources = [f"$(wildcard {word})" if "*" in word else word for word in wanted.get("sources", [])]
    objects = f"$(patsubst %.c,{out}/obj/%.o,{' '.join([path, *sources])})"
    lines = [f"{program}: $(call linked,{objects})"]
    if "libs" in wanted:
        lines.append(f"{program}: LIBS := {' '.join(wanted['libs'])}")
    if "flags" in wanted:
        lines.append(f"{out}/obj/{path[:-2]}.o: FLAGS := {' '.join(wanted['flags'])}")
    if "dpdk" in wanted:
        lines.append(f"{program}: WITH_DPDK := yes")
        lines.append(f"{out}/obj/{path[:-2]}.o: EXTRA += $(DPDK_CFLAGS)")
    return "\n".join(lines) + "\n"


def main(out: str, *paths: str) -> None:
    for path in paths:
        print(rules(out, path))


if __name__ == "__main__":
    main(*sys.argv[1:])
