# SPDX-License-Identifier: BSD-3-Clause
"""Every method of the stub with a parameter cb calls it once, whatever the status."""

from __future__ import annotations

import ast
import functools
import inspect
import warnings
from pathlib import Path

import nvme as d
import pytest
from offered import needs_aborted

from spec import commands as entries

STUB = Path(__file__).parents[2] / "nvme.pyi"


def commands(kind: str) -> list[str]:
    """Methods of a class that take cb."""
    (node,) = [n for n in ast.parse(STUB.read_text()).body if isinstance(n, ast.ClassDef) and n.name == kind]
    return sorted(
        {f.name for f in node.body if isinstance(f, ast.FunctionDef) and "cb" in [a.arg for a in f.args.args]}
    )


# Methods that are made from their entries, with the least that has to be said.
MADE = {
    command.method: {field.name: 0 for field in command.fields if field.default is None}
    for command in entries.ADMIN
    if command.method
}
ADMIN: dict[str, dict[str, int]] = {
    **MADE,
    "directive_receive": {"doper": 0},
    "directive_send": {"doper": 0},
    "doorbell_buffer_config": {},
    "dst": {"stc": 0xF},
    "format": {"nsid": 0x12345},
    "fw_commit": {"slot": 7, "action": 0},
    "fw_download": {"offset": 0},
    "getfeatures": {"fid": 7},
    "get_lba_status": {},
    "getlogpage": {"lid": 2},
    "identify": {},
    "mi_receive": {"opcode": 0},
    "mi_send": {"opcode": 0},
    "ns_attach": {"nsid": 0x12345},
    "ns_create": {"nsze": 0},
    "ns_delete": {"nsid": 0x12345},
    "ns_detach": {"nsid": 0x12345},
    "sanitize": {"option": 7},
    "security_receive": {"spsp": 0},
    "security_send": {"spsp": 0},
    "send_cmd": {"opcode": 0x0A, "cdw10": 7},
    "setfeatures": {"fid": 7, "cdw11": 0xFFFF},
    "virtualization_management": {"act": 0},
}
TAKE_A_BUFFER = {
    "doorbell_buffer_config",
    "fw_download",
    "get_lba_status",
    "getlogpage",
    "security_receive",
    "security_send",
}
IO = {
    "cancel": {},
    "compare": {"lba": 0},
    "copy": {"lba": 0, "range_count": 1},
    "dsm": {"range_count": 1},
    "flush": {},
    "io_mgmt_receive": {"mo": 0},
    "io_mgmt_send": {"mo": 0},
    "read": {"lba": 0},
    "reservation_acquire": {"rtype": 1},
    "reservation_register": {},
    "reservation_release": {},
    "reservation_report": {},
    "send_cmd": {"opcode": 0},
    "verify": {"lba": 0},
    "write": {"lba": 0},
    "write_uncorrectable": {"lba": 1},
    "write_zeroes": {"lba": 0},
    "zone_append": {"lba": 0},
    "zns_mgmt_receive": {},
    "zns_mgmt_send": {},
}
KEYS = {
    "delete": {"key": b"a"},
    "exist": {"key": b"a"},
    "flush": {},
    "list": {},
    "retrieve": {"key": b"a"},
    "send_cmd": {"opcode": 0},
    "store": {"key": b"a"},
}
WITHOUT_A_BUFFER = {
    *("cancel", "flush", "reservation_acquire", "reservation_register", "reservation_release"),
    *("send_cmd", "verify", "write_uncorrectable", "write_zeroes"),
}


def test_every_command_of_the_stub_is_here():
    assert commands("Controller") == sorted([*ADMIN, "aer"])
    assert commands("Namespace") == sorted(IO)
    assert commands("KeyValue") == sorted(KEYS)


@pytest.mark.parametrize("name", sorted(ADMIN))
def test_an_admin_command_calls_cb_once(nvme0, buf, name):
    told = []
    options = dict(ADMIN[name], cb=lambda cdw0, status1: told.append(status1))
    if name in TAKE_A_BUFFER:
        options["buf"] = d.Buffer(8192) if name == "doorbell_buffer_config" else buf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(nvme0, name)(**options).waitdone()
    assert len(told) == 1


def test_an_aer_calls_cb_when_it_is_aborted(nvme0):
    told = []
    nvme0.aer(cb=lambda cdw0, status1: told.append(status1 >> 1 & 0x7FF))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        needs_aborted(nvme0.abort(nvme0.latest_cid).waitdone(), "Asynchronous Event Requests")
    assert told == [0x07]


@pytest.mark.parametrize("name", sorted(IO))
def test_an_io_command_calls_cb_once(nvme0n1, qpair, name, lba_size):
    told = []
    options = dict(IO[name], qpair=qpair, cb=lambda cpl: told.append(cpl))
    if name not in WITHOUT_A_BUFFER:
        options["buf"] = d.Buffer(4096 if name == "dsm" else 8 * lba_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(nvme0n1, name)(**options).waitdone()
        nvme0n1.write(qpair, d.Buffer(8 * lba_size), 0, 8).waitdone()  # what was uncorrectable is mended
    assert len(told) == 1
    assert len(told[0]) == 4


def test_a_command_with_a_key_calls_cb_once():
    nvme0 = d.Controller(d.Pcie("vssd:name=callbacks,size=1M,namespaces=2,key_value=1"))
    kv, qpair, told = d.KeyValue(nvme0, 2), d.Qpair(nvme0, 8), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in KEYS:
            options = {"buf": d.Buffer(64)} if name in ("list", "retrieve", "store") else {}
            done = {"qpair": qpair, "cb": lambda cpl, name=name: told.append(name)}
            getattr(kv, name)(**KEYS[name], **options, **done).waitdone()
    assert told == list(KEYS)
    nvme0.pcie.close()


class Listener:
    """Its methods take arguments of every kind."""

    def one(self, cpl): ...
    def two(self, cdw0, status1): ...
    def two_of_three(self, cdw0, status1, more=0): ...
    def one_of_two(self, cpl, more=0): ...
    def none_of_one(self, cpl=None): ...
    def defaults_alone(self=None): ...
    def any(self, *arguments): ...
    def all_any(*arguments): ...
    def any_keyword(self, cpl, *, more=0, **rest): ...
    def no_self(): ...
    def none(self): ...
    def three(self, a, b, c): ...
    def two_any(self, cdw0, status1, *more): ...
    def keyword(self, cpl, *, needed): ...
    def positional_only(self, cdw0, status1, /): ...

    @staticmethod
    def static(cdw0, status1): ...

    @classmethod
    def of_the_class(cls, cpl): ...

    @functools.wraps(two)
    def wrapped(self, *arguments): ...


METHODS = [name for name in vars(Listener) if not name.startswith("__")]


def told_by(function):
    """The same arguments and results, with a list of the calls."""
    told = []

    class Told:
        __signature__ = inspect.signature(function)

        def __call__(self, *arguments):
            told.append(len(arguments))

    return Told(), told


@pytest.mark.parametrize("name", [name for name in METHODS if name != "no_self"])
def test_a_function_is_called_as_its_signature_says(nvme0, name):
    """The form of a function comes from its code, that of another object from inspect. Both are the same."""
    function = getattr(Listener(), name)
    by_inspect, told = told_by(function)
    with warnings.catch_warnings(record=True) as refused:
        warnings.simplefilter("always")
        nvme0.getfeatures(7, cb=by_inspect).waitdone()
        assert bool(refused) != bool(told)
        nvme0.getfeatures(7, cb=function).waitdone()
    assert len(refused) in (0, 2), "both are refused or none"


def test_a_new_function_for_each_command_is_not_inspected(nvme0n1, qpair, buf, monkeypatch):
    """Lambdas of a loop and bound methods are new objects each time. inspect takes longer than a command."""

    def never(*_):
        raise AssertionError("inspected")

    monkeypatch.setattr(inspect, "signature", never)
    told = []

    class Statuses:
        def one(self, cpl):
            told.append(cpl[3] >> 17)

        def two(self, cdw0, status1):
            told.append(status1 >> 1)

    listener = Statuses()
    for cb in (listener.one, listener.two, lambda cpl: told.append(0), lambda *cpl: told.append(0)):
        nvme0n1.read(qpair, buf, 0, cb=cb).waitdone()
    assert told == [0, 0, 0, 0]


def test_an_object_is_inspected_once(nvme0n1, qpair, buf, monkeypatch):
    inspected = []
    signature = inspect.signature
    monkeypatch.setattr(inspect, "signature", lambda *a, **k: inspected.append(a) or signature(*a, **k))
    told = []
    cb = functools.partial(lambda told, cpl: told.append(cpl[3] >> 17), told)
    for _ in range(3):
        nvme0n1.read(qpair, buf, 0, cb=cb).waitdone()
    assert told == [0, 0, 0] and len(inspected) == 1
