# SPDX-License-Identifier: BSD-3-Clause
"""The pytest plugin, with the drive under test as fixtures.

It is installed with the package, so that a test only names the fixtures that it needs::

    def test_write(nvme0n1, qpair, buf):
        nvme0n1.write(qpair, buf, 0).waitdone()

``--pciaddr`` selects the drive. Without it each process tests its own virtual SSD. If a conftest.py adds the
same option or defines fixtures with the same names, those are used. Fixtures that open the drive have the
scope of a function, so that no test inherits a controller that another one broke.

If a drive cannot be opened any more, this fails one test and not all that follow. The plugin replaces a
private virtual SSD by a new one. Any other drive counts as broken from then on, and tests that need it are
skipped with the reason.

``--nvme-place`` acquires a drive of a lab, see :mod:`pynvme.lab.place_option`.

:mod:`pynvme.unexpected` judges commands that end with an error status, and other failures without an
exception.

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

from pynvme import debugging, live_option, loading, unexpected, vssd
from pynvme.lab import place_option
from pynvme.report import plugin as report
from pynvme.suite import options as suite_options
from pynvme.suite.marks import MARKERS
from pynvme.trace import option as trace_option

if TYPE_CHECKING:
    import nvme

    from pynvme.lab.place import Place
    from pynvme.lab.switch import Power

OPTION = "--pciaddr"

DEFAULT_ADDRESS = "vssd"
"""The default of --pciaddr, which is a private virtual SSD of this process."""

SEED_VARIABLE = "PYNVME_SEED"

PARTS = (place_option, unexpected, report, live_option, trace_option)
"""Each adds options with add_option(), and registers what they turn on with configure()."""

_shared_buffer = pytest.StashKey["nvme.Buffer"]()
_broken = pytest.StashKey[str]()
"""Why a drive counts as broken, and since which test."""


# The option


def add_option(parser: pytest.Parser) -> None:
    """Add ``--pciaddr``, unless another plugin or conftest has added it already."""
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
    """Let conftests that are found only with the tests, after parsing the options, add ``--pciaddr``, too."""
    add = parser.addoption

    def tolerant(*names: str, **attributes: Any) -> None:
        if OPTION not in names:
            add(*names, **attributes)

    parser.addoption = tolerant  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, Any, Any]:
    """Add the option only after the conftests, which fail if it exists already."""
    result = yield
    add_option(parser)
    tolerate_option(parser)
    return result


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the options, and also --pciaddr if a conftest loads this plugin, too late for the hook above."""
    for part in PARTS:
        part.add_option(parser)
    suite_options.add_options(parser)
    if any(name.endswith("conftest.py") for name, _ in pluginmanager.list_name_plugin()):
        add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a malformed address or seed before any test runs, and start to judge failures of commands."""
    address = str(config.getoption(OPTION, ""))
    if vssd.is_private(address):
        try:
            vssd.check(address)
        except (ValueError, OSError, vssd.VirtualSsdError) as error:
            raise pytest.UsageError(f"{OPTION}: {error}") from None
    _new_seed()
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    for part in PARTS:
        part.configure(config)
    config.pluginmanager.register(debugging.Debugger(), "pynvme.debugging")
    config.addinivalue_line(
        "markers",
        "fault(*rules): plant these fault rules in the virtual SSD while the test runs (docs/faults.md)",
    )


# Reports and state between tests


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the reports of the phases as item.rep_setup, rep_call and rep_teardown, for fixtures."""
    report = yield
    setattr(item, "rep_" + report.when, report)
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Reset size and offset of the shared buffer before each test."""
    buffer = item.config.stash.get(_shared_buffer, None)
    if buffer is not None:
        del buffer.offset
        del buffer.size


def _driver() -> ModuleType:
    """The module nvme. If it cannot be imported, the test fails with the reason and what to do."""
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
"""The most bytes of code of a function that does nothing, in any version of Python."""


def _only_passes(code: CodeType) -> bool:
    """Whether a function does nothing, because its body is a docstring, ``pass`` or ``...``."""
    if len(code.co_code) > LONGEST_EMPTY:
        return False
    body = [i for i in dis.get_instructions(code) if i.opname not in ("RESUME", "NOP", "CACHE")]
    if [i.opname for i in body] not in (["LOAD_CONST", "RETURN_VALUE"], ["RETURN_CONST"]):
        return False
    return body[0].argval is None


def _seed_generators(seed: int) -> None:
    """Seed Python's generator, and the driver's if it can be imported."""
    try:
        from nvme import srand
    except ImportError:
        random.seed(seed)
    else:
        srand(seed)


def _new_seed() -> int:
    """Take the seed from the environment, or a new one."""
    wanted = os.environ.get(SEED_VARIABLE)
    if wanted is None:
        return int.from_bytes(os.urandom(4), "little")
    try:
        return int(wanted, 0)
    except ValueError:
        raise pytest.UsageError(f"{SEED_VARIABLE} must be an integer, not {wanted!r}") from None


@pytest.fixture(autouse=True)
def script(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """Seed the random generators, skip a test with an empty body, and log the duration of the others."""
    function = getattr(request.node, "function", None)
    code = getattr(function, "__code__", None)
    if code is not None and _only_passes(code):
        pytest.skip("nothing in its body")
    seed = _new_seed()
    request.node.stash[report.seed_key] = seed
    _seed_generators(seed)
    logging.info("random seed: %d (repeat it with %s=%d)", seed, SEED_VARIABLE, seed)
    start = time.monotonic()
    yield
    logging.info("test duration: %.3f s", time.monotonic() - start)


# The drive


@pytest.fixture(scope="session")
def pciaddr(request: pytest.FixtureRequest) -> str:
    """The address of the drive under test. A test may open it several times."""
    return str(request.config.getoption("--pciaddr"))


@contextlib.contextmanager
def _coming_up(request: pytest.FixtureRequest, address: str) -> Generator[None, None, None]:
    """Open the drive inside of this context, which skips a broken drive, and detects one that breaks."""
    reason = request.config.stash.get(_broken, None)
    if reason is not None:
        pytest.skip(reason)
    try:
        yield
    except _driver().NvmeEnumerateError as error:
        _broke(request, address, str(error))
        raise


def _broke(request: pytest.FixtureRequest, address: str, why: str) -> None:
    """Replace a private virtual SSD. Mark any other drive as broken."""
    if vssd.is_private(address):
        vssd.discard(address)
        logging.error("%s is broken (%s): the next test gets a new virtual SSD", address, why)
    else:
        request.config.stash[_broken] = f"{address} is broken since {request.node.nodeid}: {why}"


def _failed(request: pytest.FixtureRequest) -> bool:
    report = getattr(request.node, "rep_call", None)
    return report is not None and bool(report.failed)


def _virtual(address: str) -> vssd.VirtualSsd:
    """The virtual SSD at an address. It skips the test if there is another kind of drive."""
    try:
        return vssd.VirtualSsd.attach(address)
    except vssd.VirtualSsdError as error:
        pytest.skip(f"faults need a virtual SSD: {error}")


@contextlib.contextmanager
def _planted(request: pytest.FixtureRequest, address: str) -> Generator[None, None, None]:
    """Plant the rules of the marks `fault` of a test. They are removed before the drive is closed."""
    rules = [rule for mark in request.node.iter_markers("fault") for rule in mark.args]
    if not rules:
        yield
        return
    with _virtual(address).fault(*rules):
        yield


@pytest.fixture
def faults(pcie: nvme.Pcie, pciaddr: str) -> Generator[Callable[..., vssd.Fault], None, None]:
    """A function ``faults(*rules)`` that plants fault rules until the test ends, and returns their handle."""
    ssd = _virtual(pciaddr)
    with contextlib.ExitStack() as stack:
        yield lambda *rules: stack.enter_context(ssd.fault(*rules))


@pytest.fixture
def pcie(request: pytest.FixtureRequest, pciaddr: str) -> Generator[nvme.Pcie, None, None]:
    """The PCIe function of the drive. It is closed after the test."""
    with _coming_up(request, pciaddr):
        device = _driver().Pcie(pciaddr)
    with _planted(request, pciaddr):
        yield device
    device.close()


@pytest.fixture
def nvme0(
    request: pytest.FixtureRequest, pciaddr: str, pcie: nvme.Pcie
) -> Generator[nvme.Controller, None, None]:
    """The controller, with the default initialisation."""
    with _coming_up(request, pciaddr):
        controller: nvme.Controller = _driver().Controller(pcie)
    yield controller
    if _failed(request) and vssd.is_private(pciaddr):
        # A real drive stays as it is, for debugging. A virtual SSD must not fail the next test too.
        try:
            controller.reset()
        except Exception as error:
            _broke(request, pciaddr, str(error))


@pytest.fixture
def nvme0n1(nvme0: nvme.Controller) -> Generator[nvme.Namespace, None, None]:
    """Namespace 1. It is closed after the test."""
    namespace = _driver().Namespace(nvme0, 1)
    yield namespace
    namespace.close()


@pytest.fixture(scope="session")
def nvme_place(request: pytest.FixtureRequest) -> Place | None:
    """The place of labgrid that --nvme-place lends, with its tags and resources, or None."""
    lent = request.config.stash.get(place_option.lent_key, None)
    return None if lent is None else lent.place


@pytest.fixture(scope="session")
def nvme_power(request: pytest.FixtureRequest) -> Power | None:
    """The power switch of --nvme-power, or of the place, with on() and off(). None if there is neither."""
    return request.config.stash.get(place_option.power_key, None)


@pytest.fixture
def subsystem(nvme0: nvme.Controller, nvme_power: Power | None) -> nvme.Subsystem:
    """The NVM subsystem, for power and NSSR. --nvme-power names what switches its power."""
    result: nvme.Subsystem = _driver().Subsystem(nvme0, power=nvme_power)
    return result


@pytest.fixture
def qpair(nvme0: nvme.Controller) -> Generator[nvme.Qpair, None, None]:
    """An IO queue pair as deep as the drive allows, at most 1024 entries. It is deleted after the test."""
    entries = (nvme0.cap & 0xFFFF) + 1
    pair = _driver().Qpair(nvme0, min(1024, entries))
    yield pair
    pair.delete()


@pytest.fixture(scope="session")
def buf(request: pytest.FixtureRequest) -> nvme.Buffer:
    """A buffer of 4 KiB that all tests share. Each test finds its size and offset reset, but not its data."""
    buffer: nvme.Buffer = _driver().Buffer(4096, "pynvme buffer")
    request.config.stash[_shared_buffer] = buffer
    return buffer


@pytest.fixture
def verify(nvme0n1: nvme.Namespace) -> bool:
    """Make sure that reads of namespace 1 are verified, and return True."""
    enabled = bool(nvme0n1.verify_enable(True))
    assert enabled, "data verification of namespace 1 is not available"
    return enabled


@pytest.fixture
def aer(nvme0: nvme.Controller) -> Generator[Callable[[Callable[..., Any]], None], None, None]:
    """A function ``aer(func)``. func is called with the completion of each AER until the test ends."""

    def register(func: Callable[..., Any] | None) -> None:
        nvme0.register_aer_cb(func)

    yield register
    nvme0.register_aer_cb(None)
