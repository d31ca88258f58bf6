# SPDX-License-Identifier: BSD-3-Clause
"""Skips what the selected engine withholds, by what it says itself and never by the name of a test.

Usually a test need not know: if a call in it raises the error of a capability that the engine withholds, the
test is skipped. The error alone does not suffice: if `nvme.engines()` does not say that the engine withholds
this capability, the test fails.

A test that raises no such error, and needs a capability nevertheless, has the mark ``needs_engine("cids")``.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest

OWN = "own"


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line(
        "markers", "needs_engine(*names): skipped if the engine withholds one of these capabilities"
    )


def selected() -> str:
    """The name of the engine that the environment selects."""
    return os.environ.get("PYNVME_ENGINE") or OWN


def _withheld(item: pytest.Item) -> dict[str, str]:
    """What the engine withholds from the drives of a test: PCIe drives in a guest, else mostly sockets."""
    import nvme

    address = (
        str(item.config.getoption("--pciaddr")) if "pciaddr" in getattr(item, "fixturenames", ()) else ""
    )
    if "tests/qemu/" in item.nodeid:
        address = "0000:01:00.0"
    for engine in nvme.engines():
        if engine.selected:
            return engine.withheld(address)
    return {}


def _reason(name: str, why: str) -> str:
    return f"the engine {selected()} withholds {name}: {why}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those that it was raised from or while."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _skip_if_withheld(item: pytest.Item, error: BaseException) -> None:
    """Skip if an exception comes from what the engine withholds, by its own table too."""
    for one in _chain(error):
        name = getattr(one, "capability", None)
        if isinstance(one, NotImplementedError) and name is not None:
            why = _withheld(item).get(name)
            if why is not None:
                pytest.skip(_reason(name, why))


def skip_if_told(text: str, address: str) -> None:
    """Skip if a script that ran in a process of its own has told the error of what the engine withholds."""
    import nvme

    for engine in nvme.engines():
        for name, why in engine.withheld(address).items() if engine.selected else ():
            if f"since {why}; set PYNVME_ENGINE=own" in text:
                pytest.skip(_reason(name, why))


def _phase(item: pytest.Item) -> Generator[None, object, object]:
    if selected() == OWN:
        return (yield)
    try:
        return (yield)
    except (Exception, pytest.fail.Exception) as error:
        _skip_if_withheld(item, error)
        raise


def _skip_by_mark(item: pytest.Item) -> None:
    needed = [name for mark in item.iter_markers("needs_engine") for name in mark.args]
    if not needed:
        return
    import nvme

    unknown = set(needed) - set(nvme._capabilities())  # type: ignore[attr-defined]
    if unknown:
        raise pytest.UsageError(f"needs_engine: there is no capability {', '.join(sorted(unknown))}")
    withheld = _withheld(item) if selected() != OWN else {}
    for name in needed:
        if name in withheld:
            item.add_marker(pytest.mark.skip(reason=_reason(name, withheld[name])))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests by the mark."""
    for item in items:
        _skip_by_mark(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test if a fixture needs what is withheld."""
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test that needs what is withheld."""
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test whose clean-up needs what is withheld."""
    return (yield from _phase(item))
