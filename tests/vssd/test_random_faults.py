# SPDX-License-Identifier: BSD-3-Clause
"""Random fault rules: whatever they are, the virtual SSD lives, and is right when they are gone.

Rules are put together from the words that the program lists, so that new words are tried at once. A host
that looks away most of the time sends random commands, resets and power cycles meanwhile. PYNVME_RANDOM_SEED
repeats a run, PYNVME_RANDOM_FAULTS_SECONDS says how long it takes.
"""

from __future__ import annotations

import os
import random
import struct
import time
from typing import Any

from client import DEVICE_RESET, sqe
from ctrl_helpers import ALL_NAMESPACES, FORMAT, OK, POWER, Host, Start, control, pattern
from fault_helpers import CLEAR, PLANT
from seed import SEED
from server import EXECUTABLE, Server

from tools.fault_words import words

SECONDS = float(os.environ.get("PYNVME_RANDOM_FAULTS_SECONDS", "8"))
AGE = 18
ADMIN = (0x00, 0x02, 0x06, 0x08, 0x09, 0x0A, 0x0C, 0x10, 0x14, 0x80, 0x84, 0xC0)
IO = (0x00, 0x01, 0x02, 0x04, 0x05, 0x08, 0x09, 0x0C, 0x91)


def value_of(dice: random.Random, takes: str) -> str:
    """A value that fits the description of what a word takes, most of the time."""
    if "or a range" in takes and "milliseconds" in takes:
        return dice.choice(("0", "50us", "1", "3", "100us..2"))
    if takes.startswith("a number"):
        low = dice.choice((0, 1, 2, 7, 8, 512, 4096, 1 << 20, 1 << 32, (1 << 64) - 1))
        return dice.choice((str(low), str(low), f"{low}..{low + 9}"))
    if "probability" in takes:
        return dice.choice(("0.1", "0.5", "1"))
    if "SCT/SC" in takes:
        return dice.choice(("00/00", "00/07", "02/81", "01/0a"))
    if "a QID" in takes:
        return dice.choice(("io", "admin", "1", "2"))
    if "a command's name" in takes:
        return dice.choice(
            ("read", "write", "flush", "write-zeroes", "dataset-management", "format-nvm", "abort")
        )
    if takes.startswith("0 or 1"):
        return dice.choice(("0", "1"))
    names = takes.replace(" or ", ", ").replace("the name of a command", "write").split(", ")
    return dice.choice([name for name in names if " " not in name and ":" not in name] or ["0"])


def some_rule(dice: random.Random, known: dict[str, list[dict[str, Any]]]) -> str:
    """A rule, which may be wrong."""
    action = dice.choice(known["actions"])
    if dice.random() < 0.4:
        before, _, rest = action["example"].partition("do ")
        parts, after = before.split(), rest.split()
    else:
        parts, after = [], [action["name"]]
        if action["takes"] != "no value":
            after[0] += "=" + value_of(dice, action["takes"])
        takes = {one["name"]: one["takes"] for one in known["words"]}
        for word in dice.sample(action["words"], dice.randint(0, min(3, len(action["words"])))):
            after.append(f"{word}={value_of(dice, takes[word])}")
        if action["name"] in ("set", "add"):
            field = dice.choice(known["fields"])
            after.append(f"{field['name']}={value_of(dice, field['takes'])}")
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        one = dice.choice(known["conditions"] + known["fields"])
        relation = dice.choice(("=", "=", "=", "!=", ">=", "<=", "&"))
        parts.append(f"{one['name']}{relation}{value_of(dice, one['takes'])}")
    parts += dice.choice(([], [], ["every=3"], ["chance=0.3"], ["nth=2"]))
    after += dice.choice(([], [], ["count=2"]))
    return " ".join([*parts, "do", *after])


def send(dice: random.Random, host: Host) -> None:
    """Send random commands to both queues, as far as there is room, and look at some completions."""
    disk = host.disk
    for queue, opcodes in ((disk.queue, IO), (host.nvme.admin, ADMIN)):
        for _ in range(dice.randint(0, queue.depth - 2)):
            ranges = [struct.pack("<IIQ", 0, dice.randint(0, 9), dice.randrange(99)) for _ in range(2)]
            host.nvme.memory.write(disk.buffer, b"".join(ranges))
            opcode = dice.choice(opcodes)
            cdw10 = dice.choice((0, 1, 2, 3, 5, 0x10002, 0x10001, dice.randrange(200)))
            queue.submit(
                sqe(
                    opcode,
                    nsid=dice.choice((1, 1, 1, 2, 0, 0xFFFFFFFF)),
                    prp1=disk.buffer,
                    prp2=disk.buffer + 4096,
                    cdw10=cdw10,
                    cdw11=4 if opcode == 9 and queue is disk.queue else dice.choice((0, 0, 1)),
                    cdw12=dice.choice((0, 7, 15, 1 << 30)),
                )
            )
        time.sleep(dice.choice((0, 0.001, 0.003)))
        while queue.poll() is not None:
            pass


def disturb(dice: random.Random, server: Server, host: Host) -> None:
    """Reset, shut down or switch the power at random. The host starts anew, as far as the drive lets it."""
    what = dice.choice(("nothing", "nothing", "disable", "flr", "nssr", "shutdown", "power"))
    if what == "disable":
        host.client.write32(0x14, 4 << 20 | 6 << 16)
    elif what == "flr":
        host.client.config_write(0x68, b"\0\x80")
    elif what == "nssr":
        host.client.write32(0x20, 0x4E564D65)
    elif what == "shutdown":
        host.client.write32(0x14, 4 << 20 | 6 << 16 | dice.choice((1, 2)) << 14 | 1)
    elif what == "power":
        control(server, POWER, 0)
        control(server, POWER, 1)
    else:
        return
    try:
        host.nvme.wait_ready(False, 0.02)
        host.client.config_write(4, (6).to_bytes(2, "little"))
        host.client.write32(0x14, 4 << 20 | 6 << 16 | 1)
        host.nvme.wait_ready(True, 0.02)
    except (TimeoutError, AssertionError):
        pass


def repair(server: Server, host: Host) -> None:
    """Remove all rules and defects, and start with a drive that has its power and its first LBA format."""
    control(server, CLEAR)
    control(server, AGE, data=struct.pack("<Q6I", 0, 0, 100, 0, 0, 303, 0))
    control(server, POWER, 0)
    control(server, POWER, 1)
    host.client.ok(DEVICE_RESET)
    host.nvme.memory.free_to(0)
    host.start()
    for _ in range(500):
        if host.nvme.admin.execute(FORMAT, nsid=ALL_NAMESPACES)[1] == OK:
            return
        time.sleep(0.01)  # a sanitize operation goes on
    raise AssertionError(f"seed {SEED}: the drive cannot be formatted")


def test_no_rule_ends_the_process_and_none_has_an_effect_when_it_is_gone(start: Start) -> None:
    print(f"PYNVME_RANDOM_SEED={SEED} repeats this run")
    dice = random.Random(SEED)
    known = words(str(EXECUTABLE))
    server = start(
        "--size",
        "16M",
        "--namespaces",
        "2",
        "--format-time",
        "0",
        "--sanitize-time",
        "10",
        "--error-injection",
    )
    host = Host(server)
    rounds, planted, end = 0, 0, time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            rules = [some_rule(dice, known) for _ in range(dice.randint(1, 8))]
            for rule in rules:
                planted += struct.unpack_from("<QQ", control(server, PLANT, data=rule.encode()))[1]
            for _ in range(4):
                send(dice, host)
                disturb(dice, server, host)
            assert server.process.poll() is None, f"seed {SEED}, {rules}: {server.errors()}"
            repair(server, host)
            host.disk.write(0, pattern(0, 16, seed=rounds))
            assert host.disk.read(0, 16) == pattern(0, 16, seed=rounds), f"seed {SEED}, {rules}"
            rounds += 1
    finally:
        host.close()
    print(f"{planted} rules in {rounds} rounds")
    assert planted > rounds > 0
