# SPDX-License-Identifier: BSD-3-Clause
"""``pytest --nvme-place`` and ``--nvme-power``: the drive of a place of labgrid, and its power switch.

The place is acquired before the first test, and released after the last one, also if pytest is killed. The
fixture ``subsystem`` then switches the power by the power port of the place, if it has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pynvme import plugin_option

if TYPE_CHECKING:
    from pynvme.lab.place import Lent
    from pynvme.lab.switch import Power

    LentKey = pytest.StashKey[Lent]
    PowerKey = pytest.StashKey[Power]
else:
    LentKey = PowerKey = pytest.StashKey

PLACE = "--nvme-place"
WAIT = "--nvme-place-wait"
POWER = "--nvme-power"

lent_key = LentKey()
power_key = PowerKey()


def add_option(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption(
        PLACE,
        metavar="NAME",
        help="acquire this place of labgrid, test its drive, and release it (LG_COORDINATOR: HOST:PORT)",
    )
    parser.addoption(
        WAIT,
        metavar="TIME",
        default="0",
        help="how long to wait if somebody else has the place: 90, 10m, 2h (default: not at all)",
    )
    parser.addoption(
        POWER,
        metavar="SWITCH",
        help="what switches the power of the drive: labgrid:PLACE, quarch:CONNECTION, or a URL with {value}",
    )


def configure(config: pytest.Config) -> None:
    """Acquire the place, and find the switch."""
    name, power = plugin_option.value(config, PLACE), plugin_option.value(config, POWER)
    if plugin_option.is_xdist(config):
        return
    if name:
        _acquire(config, name)
    if power:
        _use(config, lambda switch: switch.switch(power))
    elif name and (ports := _ports(config)):
        _use(config, lambda switch: switch.OfPlace(ports[0]))


def _acquire(config: pytest.Config, name: str) -> None:
    from pynvme.lab.place import Lent, PlaceError
    from pynvme.suite.options import seconds

    try:
        wait = seconds(config.getoption(WAIT))
    except ValueError as error:
        raise pytest.UsageError(f"{WAIT}: {error}") from None
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(f"{PLACE} lends one drive, which processes cannot share: leave out -n")
    if config.getoption("--pciaddr", "vssd") != "vssd":
        raise pytest.UsageError(f"{PLACE} gives the address of the drive: leave out --pciaddr")
    try:
        lent = Lent(name, wait, _teller(config))
    except PlaceError as error:
        raise pytest.UsageError(f"{PLACE}: {error}") from None
    config.add_cleanup(lent.close)
    try:
        config.option.pciaddr = lent.address
    except PlaceError as error:
        lent.close()
        raise pytest.UsageError(f"{PLACE}: {error}") from None
    config.stash[lent_key] = lent


def _teller(config: pytest.Config) -> Any:
    """A function that shows a sentence at once, though pytest captures what tests print."""
    return lambda text: config.get_terminal_writer().line(text, flush=True)


def _ports(config: pytest.Config) -> list[Any]:
    from pynvme.lab.switch import DRIVERS

    found = config.stash[lent_key].place.of_class(*DRIVERS)
    return found if len(found) == 1 else []


def _use(config: pytest.Config, find: Any) -> None:
    from pynvme.lab import switch
    from pynvme.lab.place import PlaceError

    try:
        config.stash[power_key] = find(switch)
    except (PlaceError, switch.PowerError, ValueError) as error:
        raise pytest.UsageError(f"{POWER}: {error}") from None
