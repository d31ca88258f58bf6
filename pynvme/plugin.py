# SPDX-License-Identifier: BSD-3-Clause
"""The pytest plugin: the drive under test as fixtures.

Installed with the package, so that a test script only names what it needs::

    def test_write(nvme0n1, qpair, buf):
        nvme0n1.write(qpair, buf, 0).waitdone()

``--pciaddr`` says which drive; without it each process tests a virtual SSD of its own. A conftest.py may add
the same option and define fixtures of the same names: those win. Fixtures that open the drive have the scope
of a function, so that one test never inherits the controller that another one broke.

A drive that does not come up any more fails one test, and not all that follow: a virtual SSD is replaced by a
new one; any other drive is remembered as broken, and tests that want it are skipped with the reason.

Commands that end with an error status, and what else fails without an exception, is judged by
:mod:`pynvme.unexpected`.

The environment variable ``PYNVME_SEED`` repeats the random numbers of an earlier run.
"""

from __future__ import annotations

import contextlib
import dis
import logging
import os
import random
import time
from collections.abc import Generator
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Callable

import pytest

from pynvme import loading, unexpected, vssd

if TYPE_CHECKING:
    import nvme

OPTION = "--pciaddr"

DEFAULT_ADDRESS = "vssd"
"""Address of the drive where --pciaddr is not given: a virtual SSD that is this process's own."""

SEED_VARIABLE = "PYNVME_SEED"

_shared_buffer = pytest.StashKey["nvme.Buffer"]()
_broken = pytest.StashKey[str]()
"""Why the drive is not tried any more: that it is broken, and since which test."""


# The option


def add_option(parser: pytest.Parser) -> None:
    """Add ``--pciaddr``, unless somebody else has added it already: theirs wins."""
    if f"{OPTION}=" not in parser.parse_known_and_unknown_args([f"{OPTION}="])[1]:
        return
    parser.addoption(
        OPTION,
        action="store",
        default=DEFAULT_ADDRESS,
        help="address of the drive under test: 01:00.0 (PCIe), the folder of a virtual SSD, "
        f"or vssd (default: {DEFAULT_ADDRESS}, a virtual SSD of this process's own)",
    )


def tolerate_option(parser: pytest.Parser) -> None:
    """Let conftests that are found only with the tests add ``--pciaddr``, too: the words are read by then."""
    add = parser.addoption

    def tolerant(*names: str, **attributes: Any) -> None:
        if OPTION not in names:
            add(*names, **attributes)

    parser.addoption = tolerant  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, Any, Any]:
    """Add the option only after the conftests, which stop with an error where it is there already."""
    result = yield
    add_option(parser)
    tolerate_option(parser)
    return result


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the options; --pciaddr only where a conftest loads this plugin, too late for the hook above."""
    unexpected.add_option(parser)
    if any(name.endswith("conftest.py") for name, _ in pluginmanager.list_name_plugin()):
        add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a malformed address or seed before any test runs; fail tests whose failures are unexpected."""
    address = str(config.getoption(OPTION, ""))
    if vssd.is_private(address):
        try:
            vssd.check(address)
        except (ValueError, OSError, vssd.VirtualSsdError) as error:
            raise pytest.UsageError(f"{OPTION}: {error}") from None
    _new_seed()
    unexpected.configure(config)


# Reports and state between tests


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the reports of the phases as item.rep_setup, rep_call and rep_teardown: fixtures ask for them."""
    report = yield
    setattr(item, "rep_" + report.when, report)
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give each test the shared buffer whole, whatever the test before did to its size and offset."""
    buffer = item.config.stash.get(_shared_buffer, None)
    if buffer is not None:
        del buffer.offset
        del buffer.size


def _driver() -> ModuleType:
    """Give the module nvme; where it cannot be imported, the test fails with the reason and what to do."""
    try:
        import nvme
    except ImportError as error:
        pytest.fail(loading.why(error), pytrace=False)
    if not hasattr(nvme, "Controller"):
        pytest.fail(
            f"the module 'nvme' is not pynvme's: it came from {getattr(nvme, '__file__', 'nowhere')}",
            pytrace=False,
        )
    return nvme


# Every test

LONGEST_EMPTY = 32
"""Bytes of code that a function which does nothing has at most, whichever Python compiled it."""


def _only_passes(code: CodeType) -> bool:
    """Tell whether a function does nothing at all: its body is a docstring, ``pass`` or ``...``."""
    if len(code.co_code) > LONGEST_EMPTY:
        return False
    body = [i for i in dis.get_instructions(code) if i.opname not in ("RESUME", "NOP", "CACHE")]
    if [i.opname for i in body] not in (["LOAD_CONST", "RETURN_VALUE"], ["RETURN_CONST"]):
        return False
    return body[0].argval is None


def _seed_generators(seed: int) -> None:
    """Seed Python's generator, and the driver's where there is a driver."""
    try:
        from nvme import srand
    except ImportError:
        random.seed(seed)
    else:
        srand(seed)


def _new_seed() -> int:
    """Take the seed from the environment, else one that no other test had."""
    wanted = os.environ.get(SEED_VARIABLE)
    if wanted is None:
        return int.from_bytes(os.urandom(4), "little")
    try:
        return int(wanted, 0)
    except ValueError:
        raise pytest.UsageError(f"{SEED_VARIABLE} must be an integer, not {wanted!r}") from None


@pytest.fixture(autouse=True)
def script(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """Seed the random generators, skip a test that is not written yet, log how long the others took."""
    function = getattr(request.node, "function", None)
    code = getattr(function, "__code__", None)
    if code is not None and _only_passes(code):
        pytest.skip("nothing in its body")
    seed = _new_seed()
    _seed_generators(seed)
    logging.info("random seed: %d (repeat it with %s=%d)", seed, SEED_VARIABLE, seed)
    start = time.monotonic()
    yield
    logging.info("test duration: %.3f s", time.monotonic() - start)


# The drive


@pytest.fixture(scope="session")
def pciaddr(request: pytest.FixtureRequest) -> str:
    """Address of the drive under test; it may be opened again and again."""
    return str(request.config.getoption("--pciaddr"))


@contextlib.contextmanager
def _coming_up(request: pytest.FixtureRequest, address: str) -> Generator[None, None, None]:
    """Open the drive inside of this: it is not tried where it is broken, and found out where it breaks."""
    reason = request.config.stash.get(_broken, None)
    if reason is not None:
        pytest.skip(reason)
    try:
        yield
    except _driver().NvmeEnumerateError as error:
        _broke(request, address, str(error))
        raise


def _broke(request: pytest.FixtureRequest, address: str, why: str) -> None:
    """Replace a virtual SSD of this process's own; of any other drive remember that it is broken."""
    if vssd.is_private(address):
        vssd.discard(address)
        logging.error("%s is broken (%s): the next test gets a new virtual SSD", address, why)
    else:
        request.config.stash[_broken] = f"{address} is broken since {request.node.nodeid}: {why}"


def _failed(request: pytest.FixtureRequest) -> bool:
    report = getattr(request.node, "rep_call", None)
    return report is not None and bool(report.failed)


@pytest.fixture
def pcie(request: pytest.FixtureRequest, pciaddr: str) -> Generator[nvme.Pcie, None, None]:
    """Give the PCIe function of the drive; closed after the test."""
    with _coming_up(request, pciaddr):
        device = _driver().Pcie(pciaddr)
    yield device
    device.close()


@pytest.fixture
def nvme0(
    request: pytest.FixtureRequest, pciaddr: str, pcie: nvme.Pcie
) -> Generator[nvme.Controller, None, None]:
    """Give the controller, initialised the default way."""
    with _coming_up(request, pciaddr):
        controller: nvme.Controller = _driver().Controller(pcie)
    yield controller
    if _failed(request) and vssd.is_private(pciaddr):
        # A real drive is left as it is, for whoever looks at it; this one must not fail the next test too.
        try:
            controller.reset()
        except Exception as error:
            _broke(request, pciaddr, str(error))


@pytest.fixture
def nvme0n1(nvme0: nvme.Controller) -> Generator[nvme.Namespace, None, None]:
    """Give namespace 1; closed after the test."""
    namespace = _driver().Namespace(nvme0, 1)
    yield namespace
    namespace.close()


@pytest.fixture
def subsystem(nvme0: nvme.Controller) -> nvme.Subsystem:
    """Give the NVM subsystem: power and NSSR."""
    result: nvme.Subsystem = _driver().Subsystem(nvme0)
    return result


@pytest.fixture
def qpair(nvme0: nvme.Controller) -> Generator[nvme.Qpair, None, None]:
    """Give an IO queue pair as deep as the drive allows, at most 1024 entries; deleted after the test."""
    entries = (nvme0.cap & 0xFFFF) + 1
    pair = _driver().Qpair(nvme0, min(1024, entries))
    yield pair
    pair.delete()


@pytest.fixture(scope="session")
def buf(request: pytest.FixtureRequest) -> nvme.Buffer:
    """Give a buffer of 4 KiB that all tests share; each finds its size and offset reset, not its data."""
    buffer: nvme.Buffer = _driver().Buffer(4096, "pynvme buffer")
    request.config.stash[_shared_buffer] = buffer
    return buffer


@pytest.fixture
def verify(nvme0n1: nvme.Namespace) -> bool:
    """Make sure that what is read from namespace 1 is compared with what was written; True."""
    enabled = bool(nvme0n1.verify_enable(True))
    assert enabled, "data verification of namespace 1 is not available"
    return enabled


@pytest.fixture
def aer(nvme0: nvme.Controller) -> Generator[Callable[[Callable[..., Any]], None], None, None]:
    """Give ``aer(func)``: func is called with the completion of each AER until the test ends."""

    def register(func: Callable[..., Any] | None) -> None:
        nvme0.register_aer_cb(func)

    yield register
    nvme0.register_aer_cb(None)
