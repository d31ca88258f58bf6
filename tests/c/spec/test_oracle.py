# SPDX-License-Identifier: BSD-3-Clause
"""Nothing new in spec/ escapes the comparison with other people's headers (tests/c/spec/compare.h)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SPEC = HERE.parents[2] / "spec"

NVME = [
    "nvme_cmd.h",
    "nvme_data.h",
    "nvme_fdp.h",
    "nvme_feature.h",
    "nvme_id.h",
    "nvme_id_list.h",
    "nvme_log.h",
    "nvme_mi.h",
    "nvme_ocp.h",
    "nvme_regs.h",
]

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRUCT = re.compile(r"^struct (\w+) \{", re.MULTILINE)
ENUM = re.compile(r"^enum(?: \w+)? \{(.*?)\}", re.MULTILINE | re.DOTALL)
ENUMERATOR = re.compile(r"\b([A-Z][A-Z0-9_]+)\s*=")
DEFINE = re.compile(r"^#define (\w+)(?:\(| +\S)", re.MULTILINE)

# Where our name in a list stands for others, too.
FIELD_SUFFIX = re.compile(r"_(SHIFT|WIDTH)$")


def declared(text: str) -> set[str]:
    """The structures, enumerators and macros of a header."""
    code = COMMENT.sub("", text)
    found = set(STRUCT.findall(code)) | set(DEFINE.findall(code))
    for body in ENUM.findall(code):
        found.update(ENUMERATOR.findall(body))
    return found


def listed(text: str) -> set[str]:
    """All words of a list, its comments too: a comment says what the other side does not have."""
    return set(re.findall(r"\w+", text))


def missing(declarations: set[str], words: set[str]) -> list[str]:
    return sorted(name for name in declarations if not {name, FIELD_SUFFIX.sub("", name)} & words)


@pytest.mark.parametrize(
    ("headers", "lists", "at_least"),
    [
        (NVME, ["nvme_list.h", "nvme_numbers.h"], 700),
        (["pci.h"], ["pci_list.h"], 60),
        (["vfio_user.h"], ["vfio_list.h"], 70),
    ],
)
def test_everything_in_spec_is_compared_or_said_to_have_no_counterpart(
    headers: list[str], lists: list[str], at_least: int
) -> None:
    declarations = set().union(*(declared((SPEC / header).read_text()) for header in headers))
    assert len(declarations) >= at_least, "the declarations were not found"
    words = set().union(*(listed((HERE / name).read_text()) for name in lists))
    assert missing(declarations, words) == []


def test_every_header_of_spec_has_a_list() -> None:
    known = {*NVME, "pci.h", "vfio_user.h"}
    # In a form of our own, see tests/c/test_command_table.c and test_command_fields.c. libnvme has no frames
    # of RPMB, which tests/vssd/test_ctrl_rpmb.py has byte by byte.
    ours = {"commands.h", "nvme_field.h", "nvme_rpmb.h"}
    assert {path.name for path in SPEC.glob("*.h")} == known | ours


def test_a_name_that_is_not_in_the_list_is_found() -> None:
    found = declared(
        "struct a_b {\n};\nenum x {\n\tA_ONE = 1, /* A_NOTE = 3 */\n\tA_TWO = 2\n};\n#define A_F(x) (x)\n"
    )
    assert found == {"a_b", "A_ONE", "A_TWO", "A_F"}
    assert missing(found, listed("STRUCT(a_b, theirs) CONSTANT(A_ONE, theirs)")) == ["A_F", "A_TWO"]
    assert missing({"NVME_CC_EN_SHIFT", "NVME_CC_EN_WIDTH"}, {"NVME_CC_EN"}) == []
