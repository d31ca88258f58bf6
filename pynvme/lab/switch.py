# SPDX-License-Identifier: BSD-3-Clause
"""Power switches, as ``Subsystem(nvme0, power=…)`` and ``pytest --nvme-power`` take them.

A switch is any object with two methods, ``on()`` and ``off()``, which return when the power is switched.
These texts stand for one:

| text | switch |
|---|---|
| ``labgrid:PLACE`` | the power port of a place of labgrid, by labgrid's own driver |
| ``quarch:CONNECTION`` | a module of Quarch, by quarchpy, such as ``quarch:USB:QTL1743-03-001`` |
| ``http://…{value}…`` | a switch that is set by getting a URL, in which 1 or 0 replaces ``{value}`` |
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Any, Protocol

from pynvme.lab import place as _place

ANSWER = 20.0
"""Seconds in which a switch has to answer."""

DRIVERS = {
    "NetworkPowerPort": "NetworkPowerDriver",
    "PDUDaemonPort": "PDUDaemonDriver",
    "NetworkUSBPowerPort": "USBPowerDriver",
    "NetworkSiSPMPowerPort": "SiSPMPowerDriver",
}
"""labgrid's driver for each of its classes of power ports."""

FORMS = "labgrid:PLACE, quarch:CONNECTION, or a URL with {value}"


class PowerError(RuntimeError):
    """The power is not switched. The text says why."""


class Power(Protocol):
    """What switches the power of a drive."""

    def on(self) -> object:
        """Switch the power on. Raise an exception if that fails."""

    def off(self) -> object:
        """Switch the power off. Raise an exception if that fails."""


def switch(power: str | Power) -> Power:
    """The switch of a text, or the object itself.

    Raises:
        TypeError: it is no text, and has no methods on() and off()
        ValueError: the text has none of the forms above
        PowerError: there is no such switch, or the package for it is not installed
    """
    if not isinstance(power, str):
        if callable(getattr(power, "on", None)) and callable(getattr(power, "off", None)):
            return power
        raise TypeError(
            f"power must be an object with the methods on() and off(), or a text ({FORMS}), not "
            f"{type(power).__name__}"
        )
    kind, _, rest = power.partition(":")
    if kind == "labgrid" and rest:
        return of_place(_looked_up(rest))
    if kind == "quarch" and rest:
        return Quarch(rest)
    if kind in ("http", "https") and "{value}" in rest:
        return Url(power)
    raise ValueError(f"power={power!r} names no power switch: {FORMS}")


class Url:
    """A switch that is set by getting a URL, as labgrid's model ``simplerest`` does.

    Args:
        url: the URL, in which ``{value}`` is replaced by 1 (on) or 0 (off)
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __repr__(self) -> str:
        return f"<power switch {self.url}>"

    def on(self) -> None:
        """Switch the power on."""
        self._set(1)

    def off(self) -> None:
        """Switch the power off."""
        self._set(0)

    def _set(self, value: int) -> None:
        url = self.url.replace("{value}", str(value))
        try:
            with urllib.request.urlopen(url, timeout=ANSWER) as answer:
                answer.read()
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
            raise PowerError(f"the power switch does not answer to {url}: {error}") from error


class Quarch:
    """A module of Quarch that switches the power of a drive (``run:power up`` and ``run:power down``).

    Args:
        connection: the address of the module as quarchpy writes it, such as ``USB:QTL1743-03-001``,
            ``TCP:192.168.1.20``, or ``TCP:QTL1461-01-001<3>`` for port 3 of an array controller
    """

    def __init__(self, connection: str) -> None:
        try:
            import quarchpy.device as quarch
        except ImportError as error:
            raise PowerError(
                f"modules of Quarch need quarchpy ({error}): pip install 'pynvme[quarch]'"
            ) from None
        self.connection = connection
        opened = getattr(quarch, "get_quarch_device", None) or quarch.getQuarchDevice
        try:
            self._module = opened(connection)
        except Exception as error:
            raise PowerError(f"quarchpy cannot open the module {connection}: {error}") from error

    def __repr__(self) -> str:
        return f"<power switch of Quarch, {self.connection}>"

    def on(self) -> None:
        """Switch the power on."""
        self._command("run:power up")

    def off(self) -> None:
        """Switch the power off."""
        self._command("run:power down")

    def _command(self, command: str) -> None:
        try:
            answer = str(self._module.sendCommand(command)).strip()
        except Exception as error:
            raise PowerError(f"quarchpy cannot send {command!r} to {self.connection}: {error}") from error
        if not answer.upper().startswith("OK"):
            raise PowerError(f"the module {self.connection} answers {answer!r} to {command!r}, not OK")


class OfPlace:
    """The power port of a place, by labgrid's driver for it."""

    def __init__(self, resource: _place.Resource) -> None:
        try:
            from labgrid import Target
            from labgrid.factory import target_factory
        except ImportError as error:
            raise PowerError(
                f"power ports of places need labgrid ({error}): pip install 'pynvme[labgrid]'"
            ) from None
        self.resource = resource
        target = Target(f"pynvme-{resource.group}")
        try:
            port = target_factory.make_resource(target, resource.cls, resource.name, resource.params)
            port.extra = resource.extra
            self._driver = target_factory.make_driver(target, DRIVERS[resource.cls], resource.name, {})
            port.avail = True
            target.activate(self._driver)
        except Exception as error:
            raise PowerError(f"labgrid's driver does not take {resource}: {error}") from error

    def __repr__(self) -> str:
        return f"<power switch of labgrid, {self.resource}>"

    def on(self) -> None:
        """Switch the power on."""
        self._call("on")

    def off(self) -> None:
        """Switch the power off."""
        self._call("off")

    def _call(self, what: str) -> None:
        driver: Any = self._driver
        try:
            getattr(driver, what)()
        except Exception as error:
            raise PowerError(f"labgrid cannot switch {self.resource} {what}: {error}") from error


def of_place(place: _place.Place) -> Power:
    """The switch of a place that is acquired. PowerError if it has no power port, or several."""
    ports = place.of_class(*DRIVERS)
    if len(ports) != 1:
        found = f"{len(ports)} power ports ({', '.join(map(str, ports))})" if ports else "no power port"
        raise PowerError(
            f"place {place.name} has {found}, and needs one of {', '.join(DRIVERS)}: name it in the "
            "exporter's file, in the group of the drive"
        )
    return OfPlace(ports[0])


def _looked_up(name: str) -> _place.Place:
    """A place that this user has acquired here."""
    found = _place.look(name)
    mine = _place.user()
    if found.acquired != mine and not found.acquired.startswith(f"{mine}-pynvme-"):
        holder = f"is acquired by {found.acquired}" if found.acquired else "is not acquired"
        raise PowerError(
            f"place {name} {holder}: acquire it first (`labgrid-client -p {name} acquire`, or "
            f"--nvme-place={name}), so that nobody else uses its drive while the power is off"
        )
    return found
