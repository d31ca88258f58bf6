# SPDX-License-Identifier: BSD-3-Clause
"""The compiler refuses to use a device address as a pointer or a number."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAD = """
#include "core/data/buffer.h"
#include "core/env/env.h"
#include "core/nvme/prp.h"
void take_pointer(const void *memory);
void take_number(uint64_t number);
void use(struct pyn_iova iova, const struct pyn_dma_view *view, const struct pyn_buffer *buffer, void *memory)
{
	(void)iova, (void)view, (void)buffer, (void)memory;
	%s;
}
"""


def compiles(statement: str) -> bool:
    """Whether a function accepts this statement about an address, a view, a buffer and a pointer."""
    command = [os.environ.get("CC", "gcc"), "-std=gnu11", "-fsyntax-only", "-I.", "-x", "c", "-"]
    done = subprocess.run(command, input=HEAD % statement, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    return done.returncode == 0


@pytest.mark.parametrize(
    "statement",
    [
        "take_pointer(iova)",
        "take_pointer((void *)iova)",
        "take_pointer((void *)(uintptr_t)iova)",
        "take_number(iova)",
        "take_number((uint64_t)iova)",
        "take_number(iova + 4096)",
        "iova = 4096",
        "iova = memory",
        "iova = (struct pyn_iova)memory",
        "memory = (void *)pyn_dma_iova(memory)",
        "take_number(pyn_dma_address(view, memory))",
        "take_number(pyn_buffer_address(buffer, 0))",
        "pyn_iova_add(memory, 4096)",
        "(void)(iova == pyn_dma_iova(memory))",
    ],
)
def test_a_mix_with_a_pointer_or_a_number_does_not_compile(statement: str) -> None:
    assert not compiles(statement)


@pytest.mark.parametrize(
    "statement",
    ["iova = pyn_dma_iova(memory)", "take_number(iova.value)", "iova = pyn_iova_add(iova, 4096)"],
)
def test_what_is_said_in_words_compiles(statement: str) -> None:
    assert compiles(statement)
