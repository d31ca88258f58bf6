# SPDX-License-Identifier: BSD-3-Clause
"""Starts, controls and stops virtual SSDs.

A virtual SSD is a separate process (the executable ``vssd`` in this package), which is an NVMe controller in
software. Its address is a folder, which every vfio-user client can open::

    with VirtualSsd(size="8G", namespaces=2) as ssd:
        nvme0 = nvme.Controller(ssd.address)
        ssd.poke(1, 0, bytes(512))      # change data without a command
        ssd.power(False)                # data that were not flushed are lost

The address ``"vssd"`` (or ``"vssd:size=8G,name=a"``) stands for a private virtual SSD of this process, see
:func:`private`.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import functools
import glob
import json
import os
import resource
import secrets
import select
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple, Union

from pynvme import bugs, control
from pynvme.address import PRIVATE, is_private, root_of
from pynvme.answers import Answer
from pynvme.closing import Closing
from pynvme.control import Counters, Fired, Geometry, Info, Refusal, Rule, VirtualSsdError
from pynvme.faults import Fault
from pynvme.near import hint

__all__ = [
    "Answer",
    "Counters",
    "Fault",
    "Fired",
    "Geometry",
    "Info",
    "Option",
    "Refusal",
    "Rule",
    "VirtualSsd",
    "VirtualSsdError",
    "check",
    "command_line",
    "died",
    "discard",
    "executable",
    "is_private",
    "killed",
    "mistakes",
    "no_descriptor",
    "options",
    "private",
    "runs",
]

Value = Union[str, int, bool, Sequence[str], None]


# Seconds that it may take to start and to end, under load. Usually it takes milliseconds.
_START_TIMEOUT = 20.0
_END_TIMEOUT = 5.0

_SUN_PATH_MAX = 107

CONTROLLER = "controller"
"""Part of a private virtual SSD's address, not an option: the number of the controller to open."""

BUG = "bug"
"""An option of this module, not of the program: the name of a bug of :mod:`pynvme.bugs`."""


def executable() -> str:
    """The path of the program ``vssd``, from the environment variable PYNVME_VSSD, or in the package.

    If it is missing, the FileNotFoundError says how to build it.
    """
    path = os.environ.get("PYNVME_VSSD") or os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "bin", "vssd"
    )
    if os.access(path, os.X_OK) and os.path.isfile(path):
        return path
    raise FileNotFoundError(
        f"there is no virtual SSD at {path}: 'make build' in a checkout makes it, 'pip install .' installs it"
    )


class Option(NamedTuple):
    """One option of a virtual SSD, with the placeholder of its value ("" for a flag) and its help."""

    takes: str
    help: str


def options() -> dict[str, Option]:
    """The options of a virtual SSD, by name. They are those of its executable, with ``_`` for ``-``.

    Raises FileNotFoundError if the program is not built, and VirtualSsdError if it does not list its options.
    """
    return _options_of_program(executable())


@functools.cache
def _options_of_program(path: str) -> dict[str, Option]:
    """Ask the program for its options."""
    said = ""
    try:
        done = subprocess.run(
            [path, "--options"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_START_TIMEOUT
        )
        said = done.stderr.decode(errors="replace").strip()
        found = json.loads(done.stdout)
        return {one["name"].replace("-", "_"): Option(one["takes"], one["help"]) for one in found}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise VirtualSsdError(f"{path} does not say which options it has: {said or error}") from error


def command_line(**wanted: Value) -> list[str]:
    """The command that starts a virtual SSD with these options, the program first.

    Options whose value is None are omitted. A list gives an option several times, such as ``fault``. The
    program has no option ``bug``: it stands for the rules and options of :mod:`pynvme.bugs`, and other
    options override those of a bug. Raises ValueError for an unknown option or bug, and FileNotFoundError if
    the program is not built.
    """
    line = [executable()]
    known = options()
    for name, value in _with_bugs(wanted).items():
        if name not in known:
            raise ValueError(_unknown(name))
        is_flag = not known[name].takes
        if value is None or (is_flag and not value):
            continue
        for one in _several(value):
            line.append(f"--{name.replace('_', '-')}")
            if not is_flag:
                line.append(str(one))
    return line


def mistakes(wanted: Mapping[str, Value]) -> list[str]:
    """What is wrong with options of a virtual SSD, one sentence each. None is started.

    Args:
        wanted: options by name, as for :class:`VirtualSsd`

    Raises FileNotFoundError if the program is not built, and VirtualSsdError if it does not answer.
    """
    found = [_unknown(name) for name in wanted if name != BUG and name not in options()]
    for name in map(str, _several(wanted.get(BUG) or ())):
        try:
            bugs.plant([name])
        except ValueError as error:
            found.append(str(error))
    if found:
        return found
    try:
        done = subprocess.run(
            [*command_line(**wanted), "--options"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_START_TIMEOUT,
        )
    except subprocess.SubprocessError as error:
        raise VirtualSsdError(f"the virtual SSD does not check its options: {error}") from error
    said = done.stderr.decode(errors="replace").strip().removeprefix("vssd: ")
    return [said or f"the program ended with {done.returncode}"] if done.returncode else []


def _several(value: Value) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else [value]


def _with_bugs(wanted: Mapping[str, Value]) -> dict[str, Value]:
    """The options without ``bug``, and with the rules and options of those bugs."""
    found = {name: value for name, value in wanted.items() if name != BUG}
    names = wanted.get(BUG)
    if names is None:
        return found
    rules, needed = bugs.plant(map(str, _several(names)))
    for name, value in needed.items():
        if found.get(name) is None:
            found[name] = value
    found["fault"] = [*map(str, _several(found.get("fault") or ())), *rules]
    return found


def _unknown(name: str) -> str:
    names = [*options(), BUG]
    return f"a virtual SSD has no option {name!r}" + hint(name, names, "it has " + ", ".join(names))


class VirtualSsd(Closing):
    """A virtual SSD. The constructor starts one, and :meth:`attach` returns one that runs.

    Options are those of :func:`options`, and ``bug``, the name of one of :mod:`pynvme.bugs` or a list of
    them. The virtual SSD ends with :meth:`close`, with this object, or at the latest with this process,
    however that ends. A forked child cannot end it by its copy of this object.

    Raises ValueError for unknown options, FileNotFoundError if the program is not built, and VirtualSsdError,
    with the reason, if it does not start.
    """

    #: The folder of its sockets, which is its address for ``nvme.Pcie`` and ``nvme.Controller``.
    address: str

    #: The PID of its process.
    pid: int

    def __init__(self, size: str | int | None = None, **options: Value) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._owner_fd = -1
        self._maker = os.getpid()
        folder = options.pop("dir", None)
        if folder == "":
            raise ValueError("dir takes the name of a folder, or None for a temporary one, not ''")
        self._own_folder = folder is None
        self.address = _new_folder() if folder is None else os.path.abspath(str(folder))
        try:
            self._start(command_line(dir=self.address, size=size, **options))
        except OSError as error:
            self.close()
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            raise VirtualSsdError(f"the virtual SSD does not start: {no_descriptor()}") from error
        _started.add(self)

    @classmethod
    def attach(cls, address: str | bytes | os.PathLike[str]) -> VirtualSsd:
        """The running virtual SSD at an address, which is a folder, its socket ``cntrl``, or ``"vssd:…"``.

        Closing the returned object does not end the virtual SSD. Raises VirtualSsdError if none answers
        there, or if this process has not opened that private one.
        """
        ssd = cls.__new__(cls)
        ssd._process = None
        ssd._log = None
        ssd._owner_fd = -1
        ssd._maker = os.getpid()
        ssd.address = _folder_of(address)
        ssd.pid = control.info(ssd.address).pid
        return ssd

    def _start(self, line: list[str]) -> None:
        """Start the program and wait until it listens.

        It runs in its own session, so that Ctrl-C reaches only the script. It ends when this process closes
        the pipe, or ends itself.
        """
        temporary = ["--temporary"] if self._own_folder else []
        with contextlib.ExitStack() as stack:
            owner, self._owner_fd = _pipe()
            stack.callback(os.close, owner)
            ready, told = _pipe()
            stack.callback(os.close, ready)
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
            try:
                try:
                    self._process = subprocess.Popen(
                        [line[0], "--owner-fd", str(owner), "--ready-fd", str(told), *temporary, *line[1:]],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=self._log,
                        pass_fds=(owner, told),
                        start_new_session=True,
                    )
                finally:
                    os.close(told)
                self.pid = self._process.pid
                word = _read_line(ready, _START_TIMEOUT)
            except BaseException:
                self.close()
                raise
        if word != "ready":
            said = word or self._last_words()
            self.close()
            raise VirtualSsdError(f"the virtual SSD does not start: {said or 'it says nothing'}")

    def _last_words(self) -> str:
        """The end of what the program wrote to its standard error."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)
        assert self._log is not None
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), 1000, max(0, size - 1000)).decode(errors="replace").strip()

    def __del__(self) -> None:
        if getattr(self, "_owner_fd", -1) >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"<VirtualSsd {self.address}>"

    @property
    def addresses(self) -> list[str]:
        """The addresses of its controllers, of which the option ``controllers`` gives the number.

        With the option ``virtual_functions``, those of the virtual functions follow.
        """
        given = self.options()
        count = int(given["controllers"]) + int(given["virtual_functions"])
        return [_of_controller(root_of(self.address), number) for number in range(1, count + 1)]

    @property
    def running(self) -> bool:
        """Whether it is running."""
        if self._process is None or self._maker != os.getpid():
            return _answers(self.address)
        if self._owner_fd < 0 or self._process.poll() is not None:
            return False
        # A process that was just killed may still exist, but its sockets are closed.
        return _answers(self.address)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it ends, at most ``timeout`` seconds. Return whether it has ended."""
        if self._process is not None and self._maker == os.getpid():
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                return False
            return True
        deadline = None if timeout is None else time.monotonic() + timeout
        while _answers(self.address):
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        return True

    def close(self) -> None:
        """End it, if this object has started it. Its data are lost, unless they are in a file."""
        if self._maker != os.getpid() or self._owner_fd < 0:
            return
        self._close_owner_fd()
        if self._process is not None:
            try:
                self._process.wait(_END_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.returncode != 0 and self._own_folder:
                self._remove_remains()
        if self._log is not None:
            self._log.close()

    def _remove_remains(self) -> None:
        """Remove the files and the folder of a virtual SSD that was killed."""
        numbered = glob.glob(os.path.join(glob.escape(self.address), "[0-9]*"))
        for folder in (*numbered, self.address):
            for name in ("cntrl", "control", "lock"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, name))
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def info(self) -> Info:
        """Its process, its state, and the options of its start."""
        return control.info(self.address)

    def options(self) -> dict[str, str]:
        """The value of each option, defaults included, in the format of the command line."""
        return control.options(self.address)

    def geometry(self, nsid: int = 1) -> Geometry:
        """LBA size in bytes and number of LBAs of a namespace. ValueError if there is no such namespace."""
        return control.geometry(self.address, nsid)

    def counters(self) -> Counters:
        """Commands and bytes since it started."""
        return control.counters(self.address)

    def trace(self, on: bool = True) -> None:
        """Start to trace refusals with an empty trace, or stop.

        The trace records each command that fails, with the reason, see :meth:`refusals`.
        """
        control.trace(self.address, on)

    def refusals(self) -> list[Refusal]:
        """The last 256 commands that failed since :meth:`trace`, the oldest first, each with the reason.

        ValueError if the trace is off.
        """
        return control.refusals(self.address)

    def peek(self, nsid: int, lba: int) -> bytes:
        """The stored data of one LBA, without a command. ValueError if there is no such LBA."""
        return control.peek(self.address, nsid, lba)

    def poke(self, nsid: int, lba: int, data: bytes | bytearray | memoryview) -> None:
        """Replace the data of one LBA without a command, as a broken drive would.

        ``data`` has exactly the size of one LBA. ValueError if it has not, or if there is no such LBA.
        TypeError if it is not bytes or other memory.
        """
        try:
            view = memoryview(data)
        except TypeError:
            raise TypeError(f"data takes bytes, not {type(data).__name__}") from None
        control.poke(self.address, nsid, lba, view.tobytes())

    def fault(self, *rules: str) -> Fault:
        """Plant fault rules, described in docs/faults.md. Each string is a rule, or several lines of them.

        Returns a handle, which removes the rules if it is used as a context manager::

            with ssd.fault("opcode=read lba=5 do flip byte=3") as fault:
                ...
            assert fault.fired == 1

        ValueError if a rule is wrong, with the reason; then none is planted. Resets and power losses do not
        change rules and their counts.
        """
        return Fault(self.address, *control.plant(self.address, "\n".join(rules)))

    def faults(self) -> list[Rule]:
        """The planted fault rules as their canonical text, with how often they matched and fired."""
        return control.faults(self.address)

    def clear_faults(self) -> None:
        """Remove all fault rules, and complete the commands that they hold."""
        control.clear_faults(self.address)

    def release(self, rule: int | str) -> None:
        """Complete the commands that a rule holds, given its number or name. ValueError if there is none."""
        control.release_fault(self.address, rule)

    def fired(self, first: int = 0) -> list[Fired]:
        """The fault rules that fired, the oldest first, from entry ``first`` on.

        The drive keeps the last 4096 entries.
        """
        return control.fired(self.address, first)

    def answer(
        self,
        opcode: int,
        data: bytes | bytearray | memoryview = b"",
        *,
        admin: bool = False,
        result: int = 0,
        status: int = 0,
        receive: int = 0,
    ) -> Answer:
        """Give the drive a vendor specific command, and say what it does each time (docs/how-to/vendor.md).

        ``opcode`` is C0h to FFh for an admin command (``admin=True``), and 80h to FFh for an I/O command.
        ``data`` are sent to the host, up to 64 KiB, whatever the command asks for: the host needs a buffer
        for all of them. ``result`` is dwords 0 and 1 of the completion, and ``status`` its SCT << 8 | SC. So
        many bytes as ``receive`` says, up to 65464, are fetched from the host. Another answer to the same
        opcode takes its place. Returns an object that has the number of commands, the last of them and its
        data, and that removes the answer if it is used as a context manager. Log page 05h lists the command.

        ValueError if the opcode is not vendor specific, or a value is out of range.
        """
        view = memoryview(data).tobytes()
        control.answer(self.address, opcode, admin, view, result, status, receive)
        return Answer(self.address, opcode, admin)

    def age(
        self,
        hours: int = 0,
        *,
        used: int | None = None,
        spare: int | None = None,
        read_only: bool | None = None,
        backup_failed: bool | None = None,
        temperature: int | None = None,
        throttle: bool | None = None,
    ) -> None:
        """Let the drive grow old at once, without a wait.

        ``hours`` are added to the power-on hours, and to the times above a temperature that the drive has.
        ``used`` is the percentage of its life, ``spare`` the percentage of spare that is left, as in SMART.
        Below 10 % spare the drive warns, and without spare it is read-only, so that writes fail with 00/20.
        ``read_only`` makes it so at any spare. With ``backup_failed`` its capacitors are defective, and it
        writes through its cache. ``temperature`` is that of the idle drive in Kelvin. From 343 K on it warns
        and throttles, from 353 K on more, and ``throttle`` makes it so at any temperature. Each new warning
        is an asynchronous event. None leaves a value as it is. Resets and power losses change none of them.
        ValueError if a value is out of range.
        """
        control.age(self.address, hours, used, spare, read_only, backup_failed, temperature, throttle)

    def ana(self, state: str | int, group: int = 0, controller: int = 1) -> None:
        """Change the ANA state of a group of namespaces at one controller.

        ``state`` is ``"optimized"``, ``"non-optimized"``, ``"inaccessible"``, ``"persistent-loss"`` or
        ``"change"``, or a value of ``spec.AnaState``. ``group`` is the ANAGRPID of its namespaces, or 0 for
        all groups. ``controller`` counts from 1, as in :attr:`addresses`. The host is told by an event, if it
        has enabled that. The drive needs the option ``ana``. Resets and power losses do not change states.

        ValueError if there is no such state, group or controller, or if the drive reports no ANA.
        """
        from pynvme import spec

        try:
            value = (
                spec.AnaState[state.replace("-", "_").upper()]
                if isinstance(state, str)
                else spec.AnaState(state)
            )
        except (KeyError, ValueError):
            names = ", ".join(one.name.lower().replace("_", "-") for one in spec.AnaState)
            raise ValueError(f"there is no ANA state {state!r}: use one of {names}") from None
        addresses = self.addresses
        if not 1 <= controller <= len(addresses):
            raise ValueError(f"there is no controller {controller}: the drive has {len(addresses)}")
        control.ana(addresses[controller - 1], value, group)

    def power(self, on: bool) -> None:
        """Switch the power. Off loses data that were not flushed, unless the drive was shut down before."""
        control.power(self.address, on)

    def _leave_to_parent(self) -> None:
        """In a forked child, close everything that keeps the parent's drive alive."""
        self._close_owner_fd()

    def _close_owner_fd(self) -> None:
        """Close the descriptor only once, since its number may belong to another file after that."""
        number, self._owner_fd = self._owner_fd, -1
        if number >= 0:
            os.close(number)


def no_descriptor() -> str:
    """The text of an error if this process has too many files open, with the limit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (
        f"this process may have {limit} files open (RLIMIT_NOFILE), and has them: close some, or raise the "
        "limit with 'ulimit -n'"
    )


def _pipe() -> tuple[int, int]:
    """A pipe above the descriptors of the standard streams, which a script may have closed."""
    low = os.pipe()
    high: list[int] = []
    try:
        for number in low:
            high.append(fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3))
    except OSError:
        for number in high:
            os.close(number)
        raise
    finally:
        for number in low:
            os.close(number)
    return high[0], high[1]


def _new_folder() -> str:
    """A new path, short enough for a socket in it. The virtual SSD makes the folder."""
    name = f"pynvme-{secrets.token_hex(6)}"
    path = os.path.join(tempfile.gettempdir(), name)
    return path if len(os.fsencode(path)) + len("/control") <= _SUN_PATH_MAX else os.path.join("/tmp", name)


def _read_line(fd: int, timeout: float) -> str:
    """The line that the program writes to a pipe, without its newline, or empty if it closes the pipe."""
    line = b""
    deadline = time.monotonic() + timeout
    while not line.endswith(b"\n"):
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise VirtualSsdError(f"the virtual SSD does not start: it says nothing for {timeout:g} s")
        piece = os.read(fd, 1024)
        if not piece:
            break
        line += piece
    return line.decode(errors="replace").strip()


def _answers(folder: str) -> bool:
    try:
        control.info(folder)
    except VirtualSsdError:
        return False
    return True


def _of_controller(folder: str, number: int) -> str:
    """The folder of the sockets of a controller, which the first one's contains."""
    return folder if number == 1 else os.path.join(folder, str(number))


def _folder_of(address: str | bytes | os.PathLike[str]) -> str:
    text = os.fsdecode(address)
    if is_private(text):
        return _private_folder(text)
    return text if os.path.isdir(text) else os.path.dirname(text) or "."


# Private virtual SSDs by address, and all that this process has started. Both belong to the process of _lock.
_lock = threading.Lock()
_privates: dict[str, VirtualSsd] = {}
_started: weakref.WeakSet[VirtualSsd] = weakref.WeakSet()
_inherited: list[VirtualSsd] = []
_killed: list[VirtualSsd] = []


def private(address: str | bytes) -> str:
    """The folder of this process's private virtual SSD with that address, which starts at its first use.

    The address is ``"vssd"`` or ``"vssd:option=value,…"`` with those of :func:`options` (a flag needs no
    value), ``bug``, and ``name``, which only distinguishes drives. Until this process ends, the same string
    is the same drive with its data. If that drive has died, a new one is started. A forked child has its own
    drives. ``"vssd:controllers=2,controller=2"`` is the second controller of ``"vssd:controllers=2"``.

    Raises ValueError for unknown options, FileNotFoundError and VirtualSsdError as :class:`VirtualSsd`.
    """
    text, number = _split(os.fsdecode(address))
    wanted = _options_of(text)
    with _lock:
        ssd = _privates.get(text)
        if ssd is None or not ssd.running:
            if ssd is not None:
                _end(ssd)
            ssd = _privates[text] = VirtualSsd(**wanted)
        return _of_controller(ssd.address, number)


def _private_folder(address: str) -> str:
    """The folder of a running private virtual SSD. VirtualSsdError if it does not run."""
    text, number = _split(address)
    _options_of(text)
    with _lock:
        ssd = _privates.get(text)
        if ssd is None or not ssd.running:
            raise VirtualSsdError(
                f"this process runs no virtual SSD {address!r}: nvme.Controller({address!r}) starts it"
            )
        return _of_controller(ssd.address, number)


def runs(address: str | bytes) -> bool:
    """Whether the private virtual SSD of that address has been started, and has not ended."""
    with _lock:
        ssd = _privates.get(_key_of(address))
        return ssd is not None and ssd.running


def died(address: str | bytes) -> bool:
    """Whether the private virtual SSD of that address was started and has ended by itself."""
    with _lock:
        ssd = _privates.get(_key_of(address))
        return ssd is not None and not ssd.running


def discard(address: str | bytes) -> None:
    """End the private virtual SSD of that address, if there is one. Its next use starts a new one."""
    with _lock:
        ssd = _privates.pop(_key_of(address), None)
    if ssd is not None:
        _end(ssd)


def killed() -> bool:
    """Whether something has killed (SIGKILL) a private virtual SSD of this process, be it replaced or not.

    What a test saw after that says nothing about the drive.
    """
    with _lock:
        return any(map(_was_killed, [*_privates.values(), *_killed]))


def _was_killed(ssd: VirtualSsd) -> bool:
    return ssd._process is not None and ssd._process.poll() == -signal.SIGKILL


def _end(ssd: VirtualSsd) -> None:
    """Close a private virtual SSD, and remember if it was killed before."""
    if _was_killed(ssd):
        _killed.append(ssd)
    ssd.close()


def check(address: str | bytes) -> None:
    """Raise ValueError if a private virtual SSD's address has an unknown option, one without its value, or an
    option twice.
    """
    _options_of(_split(os.fsdecode(address))[0])


def _parts(address: str) -> list[str]:
    return [part for part in address[len(PRIVATE) + 1 :].split(",") if part]


def _is_number(part: str) -> bool:
    return part.partition("=")[0].strip() == CONTROLLER


def _key_of(address: str | bytes) -> str:
    """A private virtual SSD's address without the number of a controller."""
    text = os.fsdecode(address)
    if not any(map(_is_number, _parts(text))):
        return text
    rest = ",".join(part for part in _parts(text) if not _is_number(part))
    return f"{PRIVATE}:{rest}" if rest else PRIVATE


def _split(address: str) -> tuple[str, int]:
    """A private virtual SSD's address without the number of a controller, and that number.

    Raises ValueError if that is not the number of one of its controllers.
    """
    text = _key_of(address)
    if text == address:
        return text, 1
    given = [part.partition("=")[2].strip() for part in _parts(address) if _is_number(part)]
    if len(given) > 1:
        raise ValueError(f"{address!r}: {CONTROLLER} is there twice")
    wanted = _options_of(text)
    planted = bugs.plant([wanted[BUG]])[1] if BUG in wanted else {}
    most = wanted.get("controllers", str(planted.get("controllers", 1)))
    functions = wanted.get("virtual_functions", str(planted.get("virtual_functions", 0)))
    if most.isascii() and most.isdigit() and functions.isascii() and functions.isdigit():
        most = str(int(most) + int(functions))
    number = int(given[0]) if given[0].isascii() and given[0].isdigit() else 0
    if not (most.isascii() and most.isdigit() and 1 <= number <= int(most)):
        raise ValueError(
            f"{address!r}: {CONTROLLER} takes 1 to {most} (controllers={most}), not {given[0]!r}"
        )
    return text, number


def _options_of(address: str) -> dict[str, str]:
    """The options in a private virtual SSD's address."""
    if not is_private(address):
        raise ValueError(
            f"{address!r} is not the address of a private virtual SSD: 'vssd' or 'vssd:option=value,…'"
        )
    found: dict[str, str] = {}
    for part in _parts(address):
        name, equals, value = part.partition("=")
        name = name.strip().replace("-", "_")
        if name == "name":
            continue
        option = Option("NAME", "plant this bug") if name == BUG else options().get(name)
        if option is None:
            raise ValueError(f"{address!r}: {_unknown(name)}, name")
        if not equals and option.takes:
            raise ValueError(
                f"{address!r}: {name} lacks its value; write {name}={option.takes}: {option.help}"
            )
        if not option.takes and value not in ("", "0", "1"):
            raise ValueError(f"{address!r}: {name} takes 1, 0 or no value, not {value!r}")
        if name == "fault" and name in found:
            value = f"{found[name]}\n{value}"
        elif name in found:
            raise ValueError(f"{address!r}: {name} is there twice")
        found[name] = value.strip() if option.takes else "" if value == "0" else "1"
    if BUG in found:
        bugs.plant([found[BUG]])
    return found


def _close_privates() -> None:
    with _lock:
        while _privates:
            _privates.popitem()[1].close()


def _after_fork_in_child() -> None:
    """Forget the parent's drives, and close their descriptors, so that only the parent keeps them alive."""
    global _lock
    _lock = threading.Lock()
    for ssd in list(_started):
        ssd._leave_to_parent()
    # Do not drop their Popen objects, which would wait for processes that are not children of this one.
    _inherited.extend(_started)
    _started.clear()
    _privates.clear()
    _killed.clear()


atexit.register(_close_privates)
os.register_at_fork(after_in_child=_after_fork_in_child)
