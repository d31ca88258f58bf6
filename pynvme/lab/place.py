# SPDX-License-Identifier: BSD-3-Clause
"""Places of labgrid: acquired for a script, and released when it ends, however it ends.

labgrid keeps a place acquired until somebody releases it, also if the client that acquired it is gone. So a
process of its own acquires the place, the *guardian*. It holds the other end of a pipe of the script, and
releases the place when that pipe closes, which the kernel does even after ``kill -9``. Only the guardian
imports gRPC, which does not survive a fork::

    with Lent("rack1-slot3", wait=600) as lent:
        nvme0 = nvme.Controller(nvme.Pcie(lent.address))

The coordinator is that of ``LG_COORDINATOR``, as for labgrid-client.
"""

from __future__ import annotations

import atexit
import contextlib
import getpass
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from pynvme import near
from pynvme.closing import Closing

DRIVE = "NVMeDrive"
"""The class of a drive in labgrid. labgrid does not know it, and passes it on as it is."""

COORDINATOR = "127.0.0.1:20408"
"""Where labgrid's own programs look for the coordinator by default."""

CONNECT = 5.0
"""Seconds in which the coordinator has to accept a connection."""

ANSWER = 10.0
"""Seconds in which the coordinator has to answer."""

RELEASE = 60.0
"""Seconds for which the guardian tries to release a place if the coordinator does not answer."""

RETRY = 0.5
"""Seconds between two attempts to acquire a place."""


class PlaceError(RuntimeError):
    """A place cannot be acquired or used. The text says why, and what to do."""


@dataclass
class Resource:
    """One thing that an exporter of labgrid offers, such as a drive or an outlet of a power switch."""

    cls: str
    """The class, such as ``NVMeDrive`` or ``NetworkPowerPort``."""
    exporter: str
    group: str
    name: str
    params: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """What the exporter adds, such as the host for connections by ssh."""

    def __str__(self) -> str:
        return f"{self.exporter}/{self.group}/{self.cls}/{self.name}"


@dataclass
class Place:
    """A place, with what it consists of."""

    name: str
    tags: dict[str, str] = field(default_factory=dict)
    acquired: str = ""
    """Who has acquired it, as HOST/USER, or ""."""
    matches: list[str] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)

    def of_class(self, *classes: str) -> list[Resource]:
        """Its resources of some classes."""
        return [one for one in self.resources if one.cls in classes]

    def drive(self) -> Resource:
        """Its drive. PlaceError if it has none, or several."""
        found = self.of_class(DRIVE)
        if len(found) == 1:
            return found[0]
        if found:
            raise PlaceError(
                f"place {self.name} has {len(found)} drives ({', '.join(map(str, found))}), and a place of "
                f"pynvme has one: give each a place of its own, or narrow the match ({self._matches()})"
            )
        raise PlaceError(
            f"place {self.name} has no {DRIVE}; it matches {self._matches()}. Does labgrid-exporter run on "
            "the host of the drive, with a file of `pynvme lab export`?"
        )

    def _matches(self) -> str:
        return ", ".join(self.matches) or "nothing: labgrid-client add-match"

    def drive_tags(self) -> list[str]:
        """The tags of the place as tags of a drive, ``key=value``."""
        return [f"{key}={value}" for key, value in sorted(self.tags.items())]


def _of_dict(found: dict[str, Any]) -> Place:
    return Place(**{**found, "resources": [Resource(**one) for one in found["resources"]]})


def coordinator() -> str:
    """The address of the coordinator, HOST:PORT."""
    return os.environ.get("LG_COORDINATOR") or COORDINATOR


def user() -> str:
    """The name under which labgrid-client acquires places here, HOST/USER."""
    host = os.environ.get("LG_HOSTNAME") or socket.gethostname()
    return f"{host}/{os.environ.get('LG_USERNAME') or getpass.getuser()}"


def is_this_host(host: str) -> bool:
    """Whether a host that an exporter has named is this one."""
    return host in {socket.gethostname(), socket.getfqdn(), "localhost"}


def is_same_host(one: str, other: str) -> bool:
    """Whether two names are those of the same host. A name may lack its domain."""
    return one == other or (is_this_host(one) and is_this_host(other))


# In the script


class Lent(Closing):
    """A place that is acquired for this process. It is released by :meth:`close`, or when this process ends.

    Args:
        name: the name of the place
        wait: for how many seconds to wait if somebody else has acquired it. 0: do not wait
        told: is called with a sentence when the waiting begins
        gives_up: is asked several times a second, and ends the waiting by a PlaceError if it returns True

    Raises:
        PlaceError: somebody else has it, there is no such place, no coordinator answers, or labgrid is not
            installed
    """

    place: Place
    """The place, with its tags and resources."""

    def __init__(
        self,
        name: str,
        wait: float = 0.0,
        told: Callable[[str], object] = print,
        gives_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._guardian = _started("lend", name, str(wait), str(os.getpid()))
        self._owner = os.getpid()
        atexit.register(self.close)
        try:
            self.place = _answer(self._guardian, told, gives_up)
        except BaseException:
            self.close()
            raise

    @property
    def drive(self) -> Resource:
        """The drive of the place. PlaceError if it has none, or several."""
        return self.place.drive()

    @property
    def address(self) -> str:
        """The address of the drive for ``nvme.Pcie``. PlaceError if the drive is at another host."""
        params = self.drive.params
        host = str(params.get("host") or self.drive.extra.get("proxy") or self.drive.exporter)
        if not is_this_host(host):
            raise PlaceError(
                f"the drive of place {self.place.name} is at {host}, and this host is "
                f"{socket.gethostname()}: run the script there, or `pynvme lab worker` there and a plan with "
                f'place = "{self.place.name}" here'
            )
        if not params.get("address"):
            raise PlaceError(
                f"{self.drive} has no address: write the exporter's file with `pynvme lab export`"
            )
        return str(params["address"])

    def close(self) -> None:
        """Release the place, and wait until that is done. A second call does nothing."""
        if self._owner != os.getpid():  # a forked child
            return
        atexit.unregister(self.close)
        process, self._owner = self._guardian, 0
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it goes on trying
            process.wait(ANSWER)
        process.stdout.close()


def look(name: str) -> Place:
    """What the coordinator knows of a place, without acquiring it."""
    process = _started("show", name)
    assert process.stdin is not None and process.stdout is not None
    try:
        return _answer(process, print)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _started(*words: str) -> subprocess.Popen[str]:
    """Start a guardian, in a session of its own, so that signals for the group of the script spare it."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _answer(
    process: subprocess.Popen[str],
    told: Callable[[str], object],
    gives_up: Callable[[], bool] = lambda: False,
) -> Place:
    """The place, as the guardian writes it."""
    assert process.stdout is not None
    fd, rest = process.stdout.fileno(), b""
    while not gives_up():
        if not select.select([fd], [], [], RETRY)[0]:
            continue
        piece = os.read(fd, 1 << 16)
        if not piece:
            raise PlaceError(
                "the process that talks to labgrid's coordinator has ended: see its messages above"
            )
        *lines, rest = (rest + piece).split(b"\n")
        for message in map(json.loads, lines):
            if "place" in message:
                return _of_dict(message["place"])
            if "error" in message:
                raise PlaceError(message["error"])
            told(message["waits"])
    raise PlaceError("nobody waits for the place any more")


# In the guardian


class Session(Closing):
    """A connection to the coordinator, under the name of a user, HOST/USER."""

    def __init__(self, user: str) -> None:
        try:
            import grpc
            from labgrid.remote.generated import labgrid_coordinator_pb2 as messages
            from labgrid.remote.generated import labgrid_coordinator_pb2_grpc as services
        except ImportError as error:
            raise PlaceError(
                f"places need labgrid 25 or later, and Python 3.9 or later ({error}): "
                "pip install 'pynvme[labgrid]'"
            ) from None
        self.user = user
        self.failed = grpc.RpcError
        self._messages = messages
        self._channel = grpc.insecure_channel(coordinator())
        self._stub = services.CoordinatorStub(self._channel)
        try:
            grpc.channel_ready_future(self._channel).result(timeout=CONNECT)
        except grpc.FutureTimeoutError:
            self._channel.close()
            raise PlaceError(
                f"no coordinator of labgrid answers at {coordinator()}: set LG_COORDINATOR=HOST:PORT, or "
                "start labgrid-coordinator"
            ) from None
        self.places: dict[str, Place] = {}
        self.resources: list[Resource] = []
        self._closed = threading.Event()
        self._stream = self._stub.ClientStream(self._requests())
        try:
            self._subscribe()
        except grpc.RpcError as error:
            self.close()
            raise PlaceError(f"the coordinator at {coordinator()} refuses: {_details(error)}") from None

    def _requests(self) -> Iterator[Any]:
        """Introduce ourselves, and ask for all that there is. The stream then stays open until close()."""
        from labgrid.util import labgrid_version

        message = self._messages.ClientInMessage()
        message.startup.version, message.startup.name = labgrid_version(), self.user
        yield message
        for what in ("all_places", "all_resources"):
            message = self._messages.ClientInMessage()
            setattr(message.subscribe, what, True)
            yield message
        message = self._messages.ClientInMessage()
        message.sync.id = 1
        yield message
        self._closed.wait()

    def _subscribe(self) -> None:
        """Take what the coordinator sends, up to the answer to our last message."""
        from labgrid.remote.common import build_dict_from_map

        for message in self._stream:
            for update in message.updates:
                kind = update.WhichOneof("kind")
                if kind == "place":
                    self.places[update.place.name] = _place(update.place)
                elif kind == "resource":
                    one = update.resource
                    self.resources.append(
                        Resource(
                            one.cls,
                            one.path.exporter_name,
                            one.path.group_name,
                            one.path.resource_name,
                            build_dict_from_map(one.params),
                            build_dict_from_map(one.extra),
                        )
                    )
            if message.HasField("sync"):
                return

    def place(self, name: str) -> Place:
        """A place with the resources that it matches. PlaceError if there is no such place."""
        from labgrid.remote.common import ResourceMatch

        if name not in self.places:
            some = ", ".join(sorted(self.places)) or "none: labgrid-client create"
            hint = near.hint(name, self.places, f"there are {some}")
            raise PlaceError(f"labgrid's coordinator at {coordinator()} has no place {name}{hint}")
        found = self.places[name]
        matches = [ResourceMatch.fromstr(text) for text in found.matches]
        found.resources = [
            one
            for one in self.resources
            if any(match.ismatch((one.exporter, one.group, one.cls, one.name)) for match in matches)
        ]
        return found

    def acquire(self, name: str) -> str:
        """Acquire a place. Return "" if that is done, or why it cannot be done now."""
        try:
            self._stub.AcquirePlace(self._messages.AcquirePlaceRequest(placename=name), timeout=ANSWER * 2)
        except self.failed as error:
            holder = self._holder(name)
            return f"{name} is acquired by {holder}" if holder else _details(error)
        return ""

    def _holder(self, name: str) -> str:
        answer = self._stub.GetPlaces(self._messages.GetPlacesRequest(), timeout=ANSWER)
        return next((str(one.acquired) for one in answer.places if one.name == name), "")

    def release(self, name: str) -> None:
        """Release a place, if it is still ours."""
        request = self._messages.ReleasePlaceRequest(placename=name, fromuser=self.user)
        self._stub.ReleasePlace(request, timeout=ANSWER)

    def close(self) -> None:
        """Close the connection."""
        self._closed.set()
        self._stream.cancel()
        self._channel.close()


def _details(error: Any) -> str:
    return error.details() if hasattr(error, "details") else str(error)


def _place(message: Any) -> Place:
    matches = [
        f"{one.exporter}/{one.group}/{one.cls}" + (f"/{one.name}" if one.HasField("name") else "")
        for one in message.matches
    ]
    return Place(message.name, dict(message.tags), message.acquired, matches)


def _say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def _is_alone(seconds: float) -> bool:
    """Wait, and return whether the script has closed its end of the pipe meanwhile."""
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready) and not os.read(0, 1)


def _lend(name: str, wait: float, pid: str) -> None:
    """Acquire a place, say so, and release it when the script is gone."""
    end = time.monotonic() + wait
    told = False
    # a name of its own, so that it never releases what another script has acquired
    with Session(f"{user()}-pynvme-{pid}") as session:
        place = session.place(name)
        while why := session.acquire(name):
            if time.monotonic() >= end:
                raise PlaceError(
                    f"place {name} cannot be acquired: {why}. Wait for it (--nvme-place-wait, or wait in "
                    f"a plan), or see `labgrid-client -p {name} show`"
                )
            if not told:
                _say(waits=f"waiting for place {name}: {why}")
                told = True
            if _is_alone(RETRY):
                return
        place.acquired = session.user
        try:
            with contextlib.suppress(BrokenPipeError):  # the script is gone already
                _say(place=asdict(place))
                while not _is_alone(3600):
                    pass
        finally:
            _release(session, name)


def _release(session: Session, name: str) -> None:
    """Release a place, and try again by a new connection while the coordinator restarts."""
    end = time.monotonic() + RELEASE
    while True:
        try:
            session.release(name)
            return
        except session.failed:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def main(words: list[str]) -> int:
    """Be the guardian: ``lend NAME SECONDS PID``, or ``show NAME``."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # releases the place
    try:
        if words[0] == "lend":
            _lend(words[1], float(words[2]), words[3])
        else:
            with Session(user()) as session:
                _say(place=asdict(session.place(words[1])))
    except PlaceError as error:
        _say(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
