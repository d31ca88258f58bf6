# SPDX-License-Identifier: BSD-3-Clause
"""Random combinations of all options under load: no combination may end the process.

The options are those that `vssd --help` names, so that a new one is covered as soon as it is there. Options
that contradict each other are refused with one sentence. A failure prints the command line and the seed.
PYNVME_RANDOM_SEED repeats a run, PYNVME_RANDOM_OPTIONS_SECONDS says how long it takes.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import re
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

import pytest
from client import DEVICE_RESET, DMA_UNMAP, SET_IRQS, Client, EventFd, Nvme, Queue, sqe
from ctrl_helpers import control, firmware_image, identify
from seed import SEED
from server import EXECUTABLE, Server

SECONDS = float(os.environ.get("PYNVME_RANDOM_OPTIONS_SECONDS", "6"))
STEPS = 40

POWER, PEEK, POKE = 4, 5, 6  # of the control socket
PM_CONTROL, DEVICE_CONTROL = 0x44, 0x68  # in configuration space
PAGE = 4096
ALL_SETS, INVALID_COMMAND_SET = 6, 0x12C

# Fault rules that a test of options does not notice.
HARMLESS_RULES = [
    "opcode=read lba>=0x100000000000 do flip",
    "queue=io every=3 do late=1us",
    "do add cqe.more=0",
]
# These belong to the process and not to the drive.
OF_THE_PROCESS = {"dir", "temporary", "owner-fd", "ready-fd", "options", "faults-help", "help"}
# A store has no more blocks than this; a null drive has no store.
MOST_BYTES, MOST_BYTES_NULL, MOST_BYTES_KEYS = 64 << 40, (1 << 51) * PAGE, 16 << 40


def known_options() -> dict[str, tuple[str, str]]:
    """Each option of the drive: the placeholder of its value ("": none), and its help text."""
    text = subprocess.run([str(EXECUTABLE), "--help"], capture_output=True, text=True, timeout=20).stdout
    lines = re.findall(r"^  --([a-z-]+)(?: ([A-Z.]+))?(?:  +(.*))?$", text, re.M)
    assert len(lines) == text.count("\n  --"), "a line of the help that this test does not understand"
    return {name: (value, says) for name, value, says in lines if name not in OF_THE_PROCESS}


def some_size(dice: random.Random, least: int, most: int) -> str:
    size = round(math.exp(dice.uniform(math.log(least), math.log(most))))
    unit = dice.choice([("", 1), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)])
    return f"{size // unit[1]}{unit[0]}" if size // unit[1] * unit[1] >= least else str(size)


def some_value(dice: random.Random, name: str, kind: str, says: str, folder: str) -> str:
    """A random value of an option, within the range in its help text."""
    bounds = re.search(r"\b(\d+) to (\d+)\b", says)
    kind = "N" if kind == "TYPE" else kind
    if name == "cpu":
        return str(dice.choice(sorted(os.sched_getaffinity(0))))
    if kind in ("N", "MS") and bounds:
        low, high = int(bounds[1]), int(bounds[2])
        between = low + int(math.exp(dice.uniform(0, math.log(high - low + 1)))) - 1
        return str(dice.choice((low, high, low + 1, between, between, between)))
    if kind == "BYTES":
        return dice.choice(re.findall(r"\d+", says.partition("(")[0]))
    if kind == "BITS":
        return dice.choice(("16", "32", "64"))
    if kind == "X.Y":
        return dice.choice(re.findall(r"\d+\.\d+(?:\.\d+)?", says.partition("(")[0]))
    if kind == "NAME":
        return dice.choice(("client", "datacenter", "everything"))
    if kind == "KIND":
        return dice.choice(("none", "fixed", "variable"))
    if kind == "ALIGNMENT":
        return dice.choice(("none", "dword", "byte"))
    if kind == "MS":
        return str(dice.choice((0, 1, 20, 200, 3600000)))
    if name == "kv-value-length":
        return some_size(dice, 1, 1 << 20)
    if kind == "SIZE" and name == "cache":
        return dice.choice(("0", some_size(dice, 1, 1 << 40)))
    if kind == "SIZE" and name == "unallocated":
        return dice.choice(("0", some_size(dice, PAGE, 64 << 20)))
    if kind == "SIZE" and name == "endurance":
        return dice.choice(("0", some_size(dice, 1 << 44, 1 << 60)))  # it must not wear out
    if kind == "SIZE":
        # A format of the largest drive that has data would fill its map, which takes the memory of many.
        return some_size(dice, PAGE, 2 << 30) if dice.random() < 0.9 else some_size(dice, 8 << 40, 1 << 60)
    if kind == "TEXT":
        return "".join(dice.choices("AZaz09 -", k=dice.randrange(21)))
    if kind == "RULE":
        return dice.choice(HARMLESS_RULES)
    if name == "faults":
        with open(os.path.join(folder, "rules"), "w") as file:
            file.write("\n".join(HARMLESS_RULES))
        return file.name
    if kind == "FILE":
        return os.path.join(folder, "store")
    pytest.fail(f"--{name} {kind} {says!r}: this test does not know how to choose a value of that kind")


def some_options(
    dice: random.Random, known: dict[str, tuple[str, str]], folder: str
) -> dict[str, str | None]:
    share = dice.choice((0.2, 0.4, 0.7))
    options = {
        name: some_value(dice, name, kind, says, folder) if kind else None
        for name, (kind, says) in known.items()
        if dice.random() < share
    }
    if options.get("unallocated", "0") != "0" and dice.random() < 0.9:
        options["namespace-management"] = None
    if any(name in options for name in DSM_LIMITS) and dice.random() < 0.9:
        options.update({name: str(dice.choice((1, 8, 200))) for name in DSM_LIMITS})
    # A file has room for the drive and once more for its cache: the machine may not have as much.
    if "file" in options and "null" not in options:
        options["size"] = some_size(dice, PAGE, 16 << 20)
    return options


def bytes_of(size: str | None) -> int:
    if size is None:
        return 4 << 30
    return int(size.rstrip("KMG")) << 10 * (" KMG".index(size[-1]) if size[-1] in "KMG" else 0)


def creates_namespaces(options: dict[str, str | None]) -> bool:
    """Whether the host can create namespaces."""
    return "namespace-management" in options or options.get("profile") in ("datacenter", "everything")


MOST_ZONES, MOST_ZRWA = 1 << 20, 16 << 20


DSM_LIMITS = ("dmrl", "dmrsl", "dmsl")
SIZE_LIMITS = ("vsl", "wzsl", "wusl")


def limits_contradict(options: dict[str, str | None]) -> bool:
    """The limits of Dataset Management come together, and all limits need NVMe 2.0."""
    of_dsm = [int(options.get(name) or 0) for name in DSM_LIMITS]
    sizes = [int(options.get(name) or 0) for name in SIZE_LIMITS]
    old = (options.get("nvme-version") or "2.0") < "2.0"
    return any(of_dsm) != all(of_dsm) or (old and any(of_dsm + sizes))


def zones_contradict(options: dict[str, str | None]) -> bool:
    """Whether the options of zones exclude each other, or others."""

    def size(name: str, default: int) -> int:
        return bytes_of(options[name]) if name in options else default

    def number(name: str, default: int) -> int:
        return int(options.get(name) or default)

    count, each, zrwas = number("zoned", 0), bytes_of(options.get("size")), number("zrwas", 0)
    zone = size("zone-size", 16 << 20)
    capacity = size("zone-capacity", 0) or zone
    area, unit = size("zrwa-size", 128 << 10), size("zrwa-granularity", 16 << 10)
    most_open, most_active = number("max-open-zones", 16), number("max-active-zones", 32)
    if "max-open-zones" in options:
        most_open = int(options["max-open-zones"] or 0)
    if "max-active-zones" in options:
        most_active = int(options["max-active-zones"] or 0)
    return count > 0 and (
        count > number("namespaces", 1)
        or (options.get("nvme-version") or "2.0") < "2.0"
        or (most_active > 0 and not 1 <= most_open <= most_active)
        or bool(zone % PAGE or capacity % PAGE)
        or not capacity <= zone <= each
        or each // zone > MOST_ZONES // count
        or (creates_namespaces(options) and total_of(options) // zone > MOST_ZONES)
        or (zrwas > 0 and bool(unit % PAGE or area % unit or capacity % unit))
        or (zrwas > 0 and area > min(capacity, MOST_ZRWA))
    )


def keys_contradict(options: dict[str, str | None]) -> bool:
    """Whether the options of Key Value namespaces exclude each other, or others."""
    count = int(options.get("key-value") or 0)
    rest = int(options.get("namespaces") or 1) - int(options.get("zoned") or 0)
    return count > 0 and (
        count > rest
        or (options.get("nvme-version") or "2.0") < "2.0"
        or "null" in options
        or bytes_of(options.get("size")) > MOST_BYTES_KEYS
    )


def functions_contradict(options: dict[str, str | None]) -> bool:
    """Virtual functions need one controller, and NVMe 1.3. Migration needs a second one, and NVMe 2.0."""
    version = options.get("nvme-version") or "2.0"
    several = int(options.get("controllers") or 1) > 1
    old = version in ("1.0", "1.1", "1.2", "1.2.1")
    virtual = int(options.get("virtual-functions") or 0) > 0
    alone = "migration" in options and (not (several or virtual) or version < "2.0")
    return alone or (virtual and (several or old))


def places_data(options: dict[str, str | None]) -> bool:
    """Whether the drive has Flexible Data Placement, by its option or by its profile."""
    other = {"null", "file", "endurance-groups", "nvm-sets"} & {
        name for name, value in options.items() if value != "0"
    }
    small = int(options.get("lba-size") or 512) <= PAGE
    return "fdp" in options or (options.get("profile") == "everything" and not other and small)


def division_contradicts(options: dict[str, str | None]) -> bool:
    """Whether the options of endurance groups and NVM sets exclude each other, or others."""
    groups, sets = (int(options.get(name) or 0) for name in ("endurance-groups", "nvm-sets"))
    version = options.get("nvme-version") or "2.0"
    turns = int(options.get("rotational") or 0) > 0
    if turns and version >= "2.0" and not groups and not sets and not places_data(options):
        groups = 1  # rotational media are those of an endurance group
    manages = options.get("capacity-management", "none") != "none"
    return (
        0 < sets < groups
        or (groups + sets > 0 and ("fdp" in options or version < "1.4"))
        or (manages and (groups + sets == 0 or not creates_namespaces(options) or version < "2.0"))
        or ("read-recovery-levels" in options and version < "1.4")
    )


def metadata_of(options: dict[str, str | None]) -> int:
    """Bytes of metadata of each LBA of the new drive."""
    least = 8 if (options.get("guard") or "16") == "16" else 16
    return int(options.get("metadata-size") or 0) or (least if int(options.get("pi") or 0) else 0)


def formats_contradict(options: dict[str, str | None]) -> bool:
    """The options of the LBA format need each other, and large guards need NVMe 2.0."""
    metadata, pi = metadata_of(options), int(options.get("pi") or 0)
    large = (options.get("guard") or "16") != "16"
    old = (options.get("nvme-version") or "2.0") < "2.0"
    return ("extended-lba" in options and not metadata) or (large and (not pi or metadata < 16 or old))


def total_of(options: dict[str, str | None]) -> int:
    """Bytes of all namespaces, and of the capacity that none of them has."""
    total = bytes_of(options.get("size")) // PAGE * PAGE * int(options.get("namespaces") or 1)
    return total + bytes_of(options.get("unallocated") or "0") // PAGE * PAGE


def contradicts(options: dict[str, str | None]) -> bool:
    """Whether the drive must refuse these options."""
    total = total_of(options)
    null = "null" in options
    lost = null and {
        "metadata",
        "protection",
        "fdp",
        "tcg",
        "boot-partitions",
        "boot-protection",
        "rpmb",
        "write-protection",
    } & set(options)
    lost = lost or (null and metadata_of(options) > 0)
    return (
        bool(lost)
        or division_contradicts(options)
        or int(options.get("private-namespaces") or 0) > int(options.get("namespaces") or 1)
        or (int(options.get("lba-size") or 512) > PAGE and "fdp" in options)
        or bytes_of(options.get("size")) < int(options.get("lba-size") or 512)
        or (options.get("unallocated", "0") != "0" and not creates_namespaces(options))
        or (null and "file" in options)
        or zones_contradict(options)
        or limits_contradict(options)
        or keys_contradict(options)
        or functions_contradict(options)
        or formats_contradict(options)
        or total > (MOST_BYTES_NULL if null else MOST_BYTES)
    )


def arguments(options: dict[str, str | None]) -> list[str]:
    line = []
    for name, value in options.items():
        line += [f"--{name}"] if value is None else [f"--{name}", value]
    return line


class Load:
    """A host that sends all kinds of commands in random order."""

    def __init__(self, server: Server, dice: random.Random, options: dict[str, str | None]) -> None:
        self.server, self.dice, self.options = server, dice, options
        self.keys: set[int] = set()  # namespaces that have keys
        self.namespaces = int(options.get("namespaces") or 1)
        self.depth = min(16, int(options.get("queue-entries") or 4096))
        self.connect()

    def connect(self) -> None:
        self.client = Client(self.server.folder)
        self.nvme = Nvme(self.client, 4 << 20)
        memory = self.nvme.memory
        self.buffer, self.list, self.hmb = memory.alloc(8 * PAGE), memory.alloc(PAGE), memory.alloc(64 * PAGE)
        # A PRP list that points to itself, so that transfers of any length use these eight pages.
        pages = [self.buffer + index % 8 * PAGE for index in range(511)]
        memory.write(self.list, struct.pack("<512Q", *pages, self.list))
        self.used = memory.used
        self.start()

    def start(self) -> None:
        """Check that the basics work, whatever happened before."""
        control(self.server, POWER, 1)
        self.client.config_write(PM_CONTROL, bytes(2))
        self.client.ok(DEVICE_RESET)
        self.nvme.memory.free_to(self.used)
        self.nvme.enable(16, css=ALL_SETS if int(self.options.get("key-value") or 0) else 0)
        self.queue: Queue = self.nvme.create_queue(1, self.depth, self.dice.choice((None, 0, 1)))
        self.lbas = [self.lbas_of(nsid + 1) for nsid in range(min(self.namespaces, 3))]

    def lbas_of(self, nsid: int) -> int:
        """The LBAs of a namespace; 0 if it has keys."""
        _, status = self.nvme.admin.execute(6, nsid=nsid, prp1=self.buffer)
        if status == INVALID_COMMAND_SET:
            self.keys.add(nsid)
            return 0
        assert status == 0
        return int.from_bytes(self.nvme.memory.read(self.buffer, 8), "little")

    def drain(self) -> None:
        while self.queue.poll() or self.nvme.admin.poll():
            pass

    def admin(self, opcode: int, **fields: int) -> None:
        """Send it, and wait a little: what takes longer completes some time, or never."""
        self.drain()
        if self.client.read32(0x1C) & 0xF != 1:
            return
        self.nvme.admin.submit(sqe(opcode, **{"prp1": self.buffer, "prp2": self.list, **fields}))
        with contextlib.suppress(TimeoutError):
            self.nvme.admin.wait(0.02)

    def some_lba(self, nsid: int) -> int:
        last = max(self.lbas[nsid - 1], 1) - 1  # a private namespace of another controller has none
        return self.dice.choice((0, 0, last, max(last - 7, 0), last + 1, self.dice.randrange(last + 1)))

    def do_io(self) -> None:
        self.drain()
        for _ in range(self.dice.randrange(1, self.depth)):
            nsid = self.dice.randrange(len(self.lbas)) + 1
            lba, opcode = self.some_lba(nsid), self.dice.choice((0, 1, 1, 1, 2, 2, 2, 4, 5, 8, 8, 9, 12))
            most = 2048 if opcode in (1, 4, 8) else 65536
            count = self.dice.choice((1, 1, 8, 8, 8, 64, 256, 1024, most))
            flags = self.dice.choice((0, 0, 0, 1 << 30, 1 << 25))
            first = self.buffer + self.dice.choice((0, 0, 0, 512, 2048, 4092))
            second = self.list if count > 16 else self.buffer + PAGE
            if nsid in self.keys:
                self.queue.submit(self.some_key_command(nsid, first), ring=False)
                continue
            entry = sqe(
                opcode,
                nsid=nsid,
                prp1=first,
                prp2=second,
                cdw10=lba & 0xFFFFFFFF,
                cdw11=lba >> 32 if opcode != 9 else 4,
                cdw12=(count - 1) | flags,
            )
            self.queue.submit(entry, ring=False)
        self.queue.ring()
        with contextlib.suppress(TimeoutError):
            self.queue.wait(0.05)

    def some_key_command(self, nsid: int, first: int) -> bytes:
        size = self.dice.choice((0, 16, 4096, 8192, 65536))
        return sqe(
            self.dice.choice((0, 1, 1, 1, 2, 2, 6, 0x10, 0x14)),
            nsid=nsid,
            prp1=first,
            prp2=self.list if size > PAGE else self.buffer + PAGE,
            cdw2=self.dice.randrange(40),
            cdw10=size,
            cdw11=self.dice.choice((0, 4, 4, 4, 16, 17)) | self.dice.choice((0, 0, 1, 2)) << 8,
        )

    def do_trim(self) -> None:
        ranges = [struct.pack("<IIQ", 0, self.dice.choice((1, 8, 1 << 20, 0xFFFFFFFF)), self.some_lba(1))]
        self.nvme.memory.write(self.buffer, ranges[0] * 256)
        self.drain()
        entry = sqe(9, nsid=1, prp1=self.buffer, prp2=self.list, cdw10=self.dice.choice((0, 7, 255)), cdw11=4)
        self.queue.submit(entry)

    def do_format(self) -> None:
        nsid = self.dice.choice((1, self.namespaces, 0xFFFFFFFF))
        self.admin(0x80, nsid=nsid, cdw10=self.dice.randrange(2) | self.dice.randrange(3) << 9)

    def do_sanitize(self) -> None:
        self.admin(
            0x84, cdw10=self.dice.choice((1, 2, 3 | 1 << 4, 3 | 15 << 4 | 1 << 8, 4)), cdw11=0x5A5AA5A5
        )

    def do_self_test(self) -> None:
        self.admin(0x14, nsid=self.dice.choice((0, 1, 0xFFFFFFFF)), cdw10=self.dice.choice((1, 1, 2, 2, 15)))

    def do_hmb(self) -> None:
        pages = self.dice.choice((16, 17, 64))
        parts = [(self.hmb, pages - 3), (self.hmb + (pages - 3) * PAGE, 3)]
        self.nvme.memory.write(self.buffer, b"".join(struct.pack("<QII", *part, 0) for part in parts))
        fields = {"cdw12": pages, "cdw13": self.buffer & 0xFFFFFFFF, "cdw14": self.buffer >> 32, "cdw15": 2}
        self.admin(0x09, cdw10=0x0D, cdw11=self.dice.choice((0, 1, 1, 1, 3)), **fields)
        if self.dice.random() < 0.2:
            self.nvme.memory.write(self.hmb, self.dice.randbytes(64 * PAGE))
        for _ in range(5):
            self.do_io()

    def do_features(self) -> None:
        fid = self.dice.choice((*range(1, 0x20), 0x80, 0x81, self.dice.randrange(256)))
        value = self.dice.choice((0, 1, 0x10001, 0xFFFF, self.dice.getrandbits(32)))
        save = self.dice.choice((0, 0, 1 << 31))
        self.admin(self.dice.choice((9, 9, 10)), nsid=self.dice.choice((0, 1)), cdw10=fid | save, cdw11=value)

    def do_tell(self) -> None:
        """Identify, log pages, events, aborts."""
        opcode, low = self.dice.choice((2, 6, 8, 12)), self.dice.choice((*range(0x20), 0x81))
        cdw11 = self.dice.choice((0, self.dice.getrandbits(32)))
        self.admin(
            opcode, nsid=self.dice.choice((0, 1, 0xFFFFFFFF)), cdw10=low | 1023 << 16, cdw11=cdw11 & 0xF
        )

    def do_firmware(self) -> None:
        self.nvme.memory.write(self.buffer, firmware_image("2.0", 2, self.dice.randrange(4)))
        self.admin(0x11, cdw10=2 * PAGE // 4 - 1, prp2=self.buffer + PAGE)
        self.admin(0x10, cdw10=self.dice.randrange(4) | self.dice.randrange(4) << 3)

    def do_queues(self) -> None:
        address = self.nvme.memory.iova + (3 << 20)
        qid = self.dice.choice((1, 2, 3, 64, self.dice.getrandbits(16)))
        size = self.dice.choice((0, 1, 15, self.dice.getrandbits(16)))
        value = self.dice.choice((1, 3, qid << 16 | 1, self.dice.getrandbits(32)))
        self.admin(self.dice.choice((0, 1, 1, 4, 5, 5)), prp1=address, cdw10=size << 16 | qid, cdw11=value)

    def do_interrupts(self) -> None:
        with EventFd() as event:
            for index in self.dice.sample((0, 1, 2), 2):
                self.client.call(SET_IRQS, struct.pack("<5I", 20, 4 | 32, index, 0, 1), [event.fd])
            self.client.config_write(0x52, self.dice.randbytes(2))
            self.do_io()

    def do_reset(self) -> None:
        kind = self.dice.randrange(6)
        if kind == 0:
            self.client.write32(0x14, 0)
        elif kind == 1:
            self.client.config_write(DEVICE_CONTROL, b"\x10\xa8")
        elif kind == 2:
            self.client.write32(0x20, 0x4E564D65)
        elif kind == 3:
            self.client.write32(0x14, 4 << 20 | 6 << 16 | 1 << 14 | 1)
        elif kind == 4:
            self.client.config_write(PM_CONTROL, b"\3\0")
        self.do_io()
        self.start()

    def do_power(self) -> None:
        if self.dice.random() < 0.5:
            self.do_io()
        control(self.server, POWER, 0)
        self.client.config_read(0, 64)
        self.start()

    def do_behind(self) -> None:
        """Read and change data through the control socket; a null drive has none and refuses that."""
        for command, data in ((PEEK, b""), (POKE, bytes(self.dice.choice((512, 4096))))):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
                peer.settimeout(10)
                peer.connect(os.path.join(self.server.folder, "control"))
                head = struct.pack(
                    "<IHHIIQQ", 0x44535356, 1, command, 1, len(data), self.some_lba(1) & (1 << 64) - 1, 0
                )
                peer.send(head + data)
                assert len(peer.recv(1 << 17)) >= 16

    def do_memory(self) -> None:
        """Unmap all memory as one range, and map it again."""
        self.do_io()
        memory = self.nvme.memory
        self.client.ok(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 0, 1 << 63))
        self.client.dma_map(memory.iova, memory.size, memory.fd)
        self.start()

    def do_leave(self) -> None:
        self.do_io()
        self.close()
        self.connect()

    def close(self) -> None:
        self.nvme.close()
        self.client.close()

    def run(self, steps: int) -> None:
        often = [self.do_io] * 6 + [self.do_hmb, self.do_features, self.do_tell, self.do_queues]
        others = [
            *(self.do_trim, self.do_format, self.do_sanitize, self.do_self_test, self.do_firmware),
            *(self.do_interrupts, self.do_reset, self.do_power, self.do_behind, self.do_memory),
            self.do_leave,
        ]
        for _ in range(steps):
            self.dice.choice(often + others)()


def a_refusal(server: Server) -> None:
    """One sentence on the ready descriptor and on standard error, and the exit code of an error."""
    assert server.process.wait(20) == 1, server.errors()
    assert server.word and "\n" not in server.word
    assert server.errors() == f"vssd: {server.word}\n"
    server.log.close()


def a_drive(server: Server, dice: random.Random, options: dict[str, str | None]) -> None:
    load = Load(server, dice, options)
    load.run(dice.randrange(STEPS))
    load.start()
    assert identify(load.nvme, 1)[4:24].decode()
    load.close()


def starts(folder: str, options: dict[str, str | None]) -> Iterator[Server]:
    """Run it, and again if the data are in a file, where the first process was killed."""
    for number in range(2 if "file" in options else 1):
        yield Server(os.path.join(folder, str(number)), *arguments(options))


def a_combination(folder: str, seed: int, known: dict[str, tuple[str, str]]) -> bool:
    """Whether it was one that starts."""
    dice = random.Random(seed)
    options = some_options(dice, known, folder)
    for server in starts(folder, options):
        try:
            if contradicts(options):
                a_refusal(server)
                return False
            assert server.word == "ready", server.word
            a_drive(server, dice, options)
            if "file" in options and dice.random() < 0.5:
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
            else:
                server.check_end()
        except BaseException as error:
            said = "" if server.log.closed else server.errors()
            raise AssertionError(f"seed {seed}: vssd {' '.join(arguments(options))}: {said}") from error
        finally:
            server.stop()
            server.log.close()
    return True


def combinations(tmp_path_factory: pytest.TempPathFactory, seconds: float) -> None:
    print(f"PYNVME_RANDOM_SEED={SEED} repeats this run")
    known = known_options()
    end, seed, started = time.monotonic() + seconds, SEED, 0
    while time.monotonic() < end or not started:
        folder = tmp_path_factory.mktemp("o")
        started += a_combination(str(folder), seed, known)
        for path in folder.glob("store*"):
            path.unlink()
        seed += 1
    print(f"{started} drives of {seed - SEED} combinations")


def test_the_help_and_the_package_have_the_same_options() -> None:
    from pynvme.vssd import options

    found = {name.replace("_", "-"): tuple(option) for name, option in options().items()}
    del found["dir"]
    assert found == known_options()


def test_no_combination_of_options_ends_the_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    combinations(tmp_path_factory, SECONDS)


@pytest.mark.slow
def test_no_combination_of_options_ends_the_process_for_long(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    combinations(tmp_path_factory, 20 * SECONDS)
