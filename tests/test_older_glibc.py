# SPDX-License-Identifier: BSD-3-Clause
"""A program that tools/older_glibc.py links anew asks for an older glibc, and does the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent.parent / "tools" / "older_glibc.py"
WANTED = (2, 31)
PROGRAM = r"""
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *thread(void *number)
{
    return (char *)number + 1;
}

int main(int argc, char **argv)
{
    struct stat by_path, by_link, by_fd;
    pthread_t id;
    void *result;
    int number = 0;
    char word[8] = "";
    FILE *file = fopen(argv[1], "r");

    if (argc != 2 || !file || fstat(fileno(file), &by_fd))
        return 1;
    if (stat(argv[1], &by_path) || lstat(argv[1], &by_link))
        return 1;
    if (pthread_create(&id, NULL, thread, (void *)41) || pthread_join(id, &result))
        return 2;
    if (sscanf("7 seven", "%d %7s", &number, word) != 2)
        return 3;
    printf("%d %d %d %ld %d %s %lu %d\n", (int)by_path.st_size, by_path.st_ino == by_fd.st_ino,
           S_ISLNK(by_link.st_mode), (long)result, number, word, strtoul("12", NULL, 0),
           dlsym(RTLD_DEFAULT, "qsort") != NULL);
    return 0;
}
"""


def newest(program: Path) -> tuple[int, ...]:
    """The version of glibc that the program asks for."""
    command = ["readelf", "--wide", "--dyn-syms", str(program)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return max(tuple(map(int, found.split("."))) for found in re.findall(r"@GLIBC_([\d.]+)", text))


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The program, and the same linked anew."""
    if not shutil.which("gcc"):
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("glibc")
    plain, older = folder / "plain", folder / "older"
    (folder / "p.c").write_text(PROGRAM)
    words = ["gcc", "-pthread", str(folder / "p.c"), "-Wl,--no-as-needed", "-ldl"]
    subprocess.run([*words, "-o", plain], check=True)
    command = [sys.executable, str(TOOL), ".".join(map(str, WANTED)), "gcc", str(plain)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    (folder / "older.S").write_text(text)
    subprocess.run([*words, str(folder / "older.S"), "-o", older], check=True)
    return plain, older


def test_it_asks_for_the_older_glibc(linked: tuple[Path, Path]) -> None:
    plain, older = linked
    if newest(plain) <= WANTED:
        pytest.skip("the glibc of this machine is as old as that")
    assert newest(older) <= WANTED


def test_it_does_the_same(linked: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1234))
    (tmp_path / "link").symlink_to("file")
    said = [
        subprocess.run([program, tmp_path / "link"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for program in linked
    ]
    assert said == ["1234 1 1 42 7 seven 12 1\n"] * 2
