# SPDX-License-Identifier: BSD-3-Clause
"""Scripts that store values by keys, and the verification of what they retrieve."""

from __future__ import annotations

import logging
import random
import warnings

import nvme as d
import pytest

from pynvme import spec
from pynvme.key_value import keys_of
from pynvme.vssd import VirtualSsd

DRIVE = "vssd:name=keys,size=16M,namespaces=2,key_value=1,kv_keys=1000"
LOST, EXISTS = "00/87", "00/89"


class Keys:
    """A Key Value namespace with its drive, a queue and a buffer."""

    def __init__(self, nvme0: d.Controller) -> None:
        self.nvme0 = nvme0
        self.ssd = VirtualSsd.attach(nvme0.addr)
        self.kv = d.KeyValue(nvme0, 2)
        self.qpair = d.Qpair(nvme0, 32)
        self.buf = d.Buffer(65536)
        self.first = self.kv.verify_stats()

    def put(self, key: bytes, value: bytes, **names: object) -> None:
        self.buf[: len(value)] = value
        self.kv.store(self.qpair, key, self.buf, len(value), **names).waitdone()

    def get(self, key: bytes, room: int = 65536) -> bytes:
        size = self.kv.retrieve(self.qpair, key, self.buf, room).waitdone()
        return bytes(self.buf[: min(size, room)])

    def counts(self) -> tuple[int, int, int]:
        """Values judged, unverified and wrong in this test."""
        return tuple(
            now - before for now, before in zip(self.kv.verify_stats().values(), self.first.values())
        )

    def plant(self, rule: str) -> None:
        self.ssd.fault(rule)

    def mend(self) -> None:
        self.ssd.clear_faults()

    def reopen(self) -> None:
        self.qpair = d.Qpair(self.nvme0, 32)


@pytest.fixture(scope="module")
def drive():
    nvme0 = d.Controller(d.Pcie(DRIVE))
    yield nvme0
    nvme0.pcie.close()


@pytest.fixture
def keys(drive):
    keys = Keys(drive)
    yield keys
    keys.mend()
    drive.format(nsid=2).waitdone()
    keys.qpair.delete()


def wrong(keys: Keys, caplog: pytest.LogCaptureFixture, key: bytes, kind: str) -> None:
    """A Retrieve of this key is a mismatch of this class."""
    before = keys.kv.verify_stats().mismatch
    with caplog.at_level(logging.ERROR), pytest.warns(UserWarning, match="07/81"):
        keys.get(key)
    assert f'key "{key.decode()}" is {kind}' in caplog.text
    assert keys.kv.verify_stats().mismatch == before + 1


def test_values_are_stored_and_verified(keys):
    known = {b"k%d" % size: random.Random(size).randbytes(size) for size in (1, 16, 4048, 4049, 65536)}
    for key, value in known.items():
        keys.put(key, value)
    for key, value in known.items():
        assert keys.get(key) == value
        keys.kv.exist(keys.qpair, key).waitdone()
    keys.put(b"empty", b"")
    assert keys.kv.retrieve(keys.qpair, b"empty", None).waitdone() == 0
    assert keys.get(b"k65536", 100) == known[b"k65536"][:100]  # truncated: only its length is compared
    assert keys.counts() == (11, 1, 0)
    assert keys.kv.keys(keys.qpair) == sorted([*known, b"empty"])
    assert keys.kv.keys(keys.qpair, b"k4") == [b"k4048", b"k4049", b"k65536"]
    assert keys.kv.id_ns.kvf[0].mnk == 1000


def test_refusals_leave_the_value(keys):
    keys.put(b"a", b"one")
    for options, status in ((2, EXISTS), (3, "00/02")):
        with pytest.warns(UserWarning, match=status):
            keys.put(b"a", b"two", options=options)
    with pytest.warns(UserWarning, match="00/85"):
        keys.kv.store(keys.qpair, b"a", d.Buffer(65537)).waitdone()
    assert keys.get(b"a") == b"one"
    with pytest.warns(UserWarning, match=LOST):
        keys.put(b"b", b"one", options=1)
    with pytest.warns(UserWarning, match=LOST):
        keys.kv.delete(keys.qpair, b"b").waitdone()
    keys.kv.delete(keys.qpair, b"a").waitdone()
    for look in (keys.kv.exist, keys.kv.delete):
        with pytest.warns(UserWarning, match=LOST):
            look(keys.qpair, b"a").waitdone()
    with pytest.warns(UserWarning, match=LOST):
        keys.kv.retrieve(keys.qpair, b"a", None).waitdone()
    for kl in (0, 17):
        with pytest.warns(UserWarning, match="00/86"):
            keys.kv.exist(keys.qpair, b"a", kl=kl).waitdone()
    assert keys.counts() == (3, 0, 0)


def test_wrong_calls(keys, drive):
    with pytest.raises(AssertionError, match="at most 16 bytes, not 17"):
        keys.kv.store(keys.qpair, bytes(17), keys.buf)
    with pytest.raises(TypeError, match="key must be bytes, not str"):
        keys.kv.exist(keys.qpair, "text")
    with pytest.raises(AssertionError, match="STORE transfers 600 bytes"):
        keys.kv.store(keys.qpair, b"a", d.Buffer(512), 600)
    with pytest.raises(d.NamespaceCreationError):
        d.KeyValue(drive, 1)
    with pytest.raises(d.NamespaceCreationError):
        d.Namespace(drive, 2)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("queue=io opcode=2 nsid=2 do flip byte=2 bit=3", "corrupt"),
        ("queue=io opcode=2 nsid=2 do set cdw2=0x32796563", "misdirected: the value of key"),
        ("queue=io opcode=2 nsid=2 do status=00/87", "lost"),
        ("queue=io opcode=2 nsid=2 do skip", "corrupt"),
    ],
)
def test_wrong_values_are_found(keys, caplog, rule, kind):
    keys.put(b"cey1", b"the value of key 1")
    keys.put(b"cey2", b"the value of key 2")
    keys.plant(rule)
    wrong(keys, caplog, b"cey1", kind)
    keys.mend()
    assert keys.get(b"cey1") == b"the value of key 1"


def test_lost_changes_are_found(keys, caplog):
    keys.put(b"stale", b"old")
    keys.put(b"undead", b"x")
    keys.plant("queue=io opcode=1 nsid=2 do skip")
    keys.put(b"stale", b"new")
    keys.put(b"lost", b"y")
    keys.mend()
    keys.plant("queue=io opcode=0x10 nsid=2 do skip")
    keys.kv.delete(keys.qpair, b"undead").waitdone()
    wrong(keys, caplog, b"stale", "stale")
    wrong(keys, caplog, b"lost", "lost")
    wrong(keys, caplog, b"undead", "stale")
    with pytest.warns(UserWarning, match="07/81"):
        keys.kv.exist(keys.qpair, b"lost").waitdone()
    with pytest.warns(UserWarning, match="07/81"):
        keys.kv.exist(keys.qpair, b"undead").waitdone()
    with pytest.warns(UserWarning, match="07/81"):
        keys.put(b"lost", b"z", options=1)
    with pytest.warns(UserWarning, match="07/81"):
        keys.put(b"undead", b"z", options=2)
    assert keys.counts()[2] == 7


def test_a_loss_of_power(keys, caplog):
    keys.put(b"flushed", b"1")
    keys.kv.flush(keys.qpair).waitdone()
    keys.put(b"cached", b"2")
    keys.put(b"flushed too", b"3")
    keys.put(b"flushed", b"4")
    keys.ssd.power(False)
    keys.ssd.power(True)
    keys.nvme0.reset()
    keys.reopen()
    before = keys.kv.verify_stats().unverified
    assert keys.get(b"flushed") == b"1"  # either value is right: unknown
    assert keys.kv.verify_stats().unverified == before + 1
    keys.put(b"flushed", b"5")
    keys.plant("opcode=flush do skip")
    keys.kv.flush(keys.qpair).waitdone()
    keys.ssd.power(False)
    keys.ssd.power(True)
    keys.nvme0.reset()
    keys.reopen()
    wrong(keys, caplog, b"flushed", "stale")


def test_commands_that_race_are_not_judged(keys):
    first, second = d.Buffer(4096), d.Buffer(4096)
    first[0:3], second[0:3] = b"abc", b"def"
    keys.put(b"k", b"start")
    keys.kv.store(keys.qpair, b"k", first)
    keys.kv.store(keys.qpair, b"k", second)
    keys.kv.retrieve(keys.qpair, b"k", keys.buf)
    keys.qpair.waitdone(3)
    before = keys.kv.verify_stats()
    keys.get(b"k")
    assert keys.kv.verify_stats().unverified == before.unverified + 1
    keys.put(b"k", b"again")
    keys.kv.retrieve(keys.qpair, b"k", keys.buf)
    keys.kv.retrieve(keys.qpair, b"k", keys.buf)  # into the same buffer
    keys.qpair.waitdone(2)
    keys.kv.store(keys.qpair, b"k", first)
    first[5] = 77  # the drive may have read it before or afterwards
    keys.qpair.waitdone()
    keys.get(b"k")
    assert keys.kv.verify_stats().mismatch == before.mismatch


def test_the_log_and_the_data_are_decoded(keys, capsys):
    keys.put(b"decoded", b"12345", options=4)
    keys.kv.list(keys.qpair, keys.buf, b"dec", 256).waitdone()
    store, listed = keys.qpair.cmdlog_list(2)
    assert (store.name, store.key, store.vs, store.so, store.csi) == ("Store", b"decoded", 5, 4, 1)
    assert "key b'decoded'" in repr(store)
    assert (listed.name, listed.key, listed.hbs) == ("List", b"dec", 256)
    assert keys_of(keys.buf[:256]) == [b"decoded"]
    keys.qpair.cmdlog(2)
    text = capsys.readouterr().out
    assert "LIST (06)" in text and "STORE (01)" in text and "READ" not in text
    with pytest.raises(ValueError, match="reaches past"):
        keys_of(b"\2\0\0\0\x30\0aa")


def test_random_commands_without_a_false_alarm(keys):
    dice = random.Random(2)
    bufs = [d.Buffer(8192) for _ in range(8)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(60):
            for buf in bufs:
                key = b"%d" % dice.randrange(12)
                action = dice.choice(("put", "put", "get", "get", "delete", "exist"))
                if action == "put":
                    buf[:64] = dice.randbytes(64)
                    keys.kv.store(
                        keys.qpair, key, buf, dice.choice((0, 9, 5000)), options=dice.choice((0, 0, 1, 2))
                    )
                elif action == "get":
                    keys.kv.retrieve(keys.qpair, key, buf, dice.choice((4, 8192)))
                else:
                    getattr(keys.kv, action)(keys.qpair, key)
            keys.qpair.waitdone(len(bufs))
            if dice.random() < 0.2:
                keys.kv.flush(keys.qpair).waitdone()
    assert not [one for one in told if "07/81" in str(one.message)]
    assert keys.counts()[0] > 100 and keys.counts()[2] == 0


def test_identify_is_decoded(keys, drive):
    buf = d.Buffer()
    drive.identify(buf, nsid=2, cns=5, csi=1).waitdone()
    id_ns = spec.IdentifyNamespaceKv(buf)
    assert (id_ns.kvf[0].kml, id_ns.kvf[0].vml) == (16, 65536)
    assert id_ns.nguid == keys.kv.id_ns.nguid
