# SPDX-License-Identifier: BSD-3-Clause
"""The mutations of `make mutate` can be applied: each names existing code and existing tests.

Only `make mutate` shows that the tests catch each, because that takes minutes of building.
"""

from __future__ import annotations

import collections
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools/mutants.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    return module


mutants = load()


def mutant_of(code: str, mistake: str = "mistake") -> object:
    return mutants.Mutant("a name", "a file", code, mistake, ())


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_can_be_planted(mutant):
    source = (ROOT / mutant.file).read_text()
    planted = mutant.plant(source)
    assert planted != source
    assert mutants.TOKEN.findall(planted) != mutants.TOKEN.findall(source), "only its spaces differ"
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists(), test
        assert name.partition("[")[0] in (ROOT / file).read_text(), test


def test_names_tell_mistakes_apart():
    names = collections.Counter(mutant.name for mutant in mutants.MUTANTS)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    "source",
    [
        "x = f(a, b) + one * two;",
        "x = f(a,b)+one*two;",
        "x = f(a,\n\t      b) +\n\t    one * two;",
        "x = f(\n    a,\n    b,\n) + one * two;",
    ],
)
def test_code_is_found_however_it_is_formatted(source):
    assert mutant_of("f(a, b) + one * two").plant(source) == "x = mistake;"


@pytest.mark.parametrize("source", ["", "f(a, b)\nf(a,b)", "elf(a, b)", "f(ab)", "f(a, c)"])
def test_code_that_is_not_there_exactly_once_is_told(source):
    with pytest.raises(ValueError, match=r"a file has the code of this mutant [02] times, not once"):
        mutant_of("f(a, b)").plant(source)
