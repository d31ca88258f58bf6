# SPDX-License-Identifier: BSD-3-Clause
"""Wrong calls: for everything in nvme.pyi, the exception names class or method, parameter and what is wanted.

The tables below say what is right for a parameter; a method that is added to the stub is judged by itself.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import signal
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy
import nvme as d
import pytest

from spec.commands import ADMIN

STUB = Path(__file__).parents[2] / "nvme.pyi"
OPTIONS = "size=64M,format_time=0,sanitize_time=1,self_test_time=1,namespaces=2,key_value=1"
DRIVE = f"vssd:name=calls,{OPTIONS}"
SHARED = f"vssd:name=shared,{OPTIONS}"

ARGUMENT_ERRORS = (TypeError, AssertionError, ValueError, IndexError, OverflowError)

# What a parameter without a default may be; those of objects are in `Opened`.
VALUES = {
    "rtype": 1,
    "doper": 1,
    **{
        field.name: 0
        for command in ADMIN
        if command.method
        for field in command.fields
        if field.default is None
    },
    "addr": DRIVE,
    "byte_end": 3,
    "cap_id": 1,
    "cdw0": 0x000F000F,
    "cid": 5,
    "depth": 8,
    "fid": 7,
    "file": os.path.join(tempfile.gettempdir(), f"pynvme-calls-{os.getpid()}.saved"),
    "filename": __file__,
    "index": 0,
    "kind": None,
    "lba": 0,
    "lba_count": 1,
    "lid": 2,
    "nsid": 1,
    "nsze": 8,
    "offset": 0,
    "opcode": 2,
    "range_count": 1,
    "seed": 1,
    "slot": 1,
    "action": 1,
    "spsp": 0,
    "structure": "smart",
    "traceback": None,
    "value": None,
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of the stub; method is __init__ for a class, and the class "" for the module."""

    cls: str
    method: str
    name: str
    annotation: str
    required: bool

    @property
    def label(self):
        if not self.cls:
            return self.method
        return self.cls if self.method == "__init__" else f"{self.cls}.{self.method}"

    def __str__(self):
        return f"{self.label}-{self.name}"


def read_stub():
    """Every function: its class, its name and its parameters, without overloads that only repeat it."""
    found = {}
    for node in ast.parse(STUB.read_text()).body:
        body = node.body if isinstance(node, ast.ClassDef) else [node]
        cls = node.name if isinstance(node, ast.ClassDef) else ""
        for item in body:
            if not isinstance(item, ast.FunctionDef) or (
                item.name.startswith("_") and item.name != "__init__"
            ):
                continue
            words = [ast.unparse(decorator) for decorator in item.decorator_list]
            if any(word != "overload" for word in words):
                continue
            arguments = item.args.args[1:] if cls else item.args.args
            first = len(arguments) - len(item.args.defaults)
            parameters = [
                Parameter(cls, item.name, a.arg, ast.unparse(a.annotation), at < first)
                for at, a in enumerate(arguments)
            ]
            parameters += [
                Parameter(cls, item.name, a.arg, ast.unparse(a.annotation), False)
                for a in item.args.kwonlyargs
            ]
            found.setdefault((cls, item.name), parameters)
    return found


def read_setters():
    """Class and name of each property that can be set."""
    found = []
    for node in ast.parse(STUB.read_text()).body:
        for item in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(item, ast.FunctionDef):
                found += [
                    (node.name, item.name) for w in item.decorator_list if ast.unparse(w).endswith(".setter")
                ]
    return found


METHODS = read_stub()
PARAMETERS = [parameter for parameters in METHODS.values() for parameter in parameters]
NUMBERS = [p for p in PARAMETERS if p.annotation.split(" | ")[0] in ("_Int", "int", "float")]
BY_CLASS = {"IOWorker": "__init__"}


class Opened:
    """A drive with one object of each class."""

    def __init__(self, address=DRIVE):
        self.Pcie = d.Pcie(address)
        self.Controller = d.Controller(self.Pcie)
        self.Namespace = d.Namespace(self.Controller)
        self.KeyValue = d.KeyValue(self.Controller, 2)
        self.Qpair = d.Qpair(self.Controller, 16)
        self.Buffer, self.pages = d.Buffer(4096), d.Buffer(8192)
        self.Subsystem = d.Subsystem(self.Controller)
        self.values = {
            **VALUES,
            "addr": address,
            "buf": self.Buffer,
            "func": print,
            "key": b"key",
            "nvme": self.Controller,
            "qpair": self.Qpair,
        }

    def required(self, cls, method):
        given = {p.name: self.values[p.name] for p in METHODS[cls, method] if p.required}
        if method == "doorbell_buffer_config":
            given["buf"] = self.pages
        return {**given, "time": 1} if method == "ioworker" else given

    def function(self, cls, method):
        """The bound method, the class, or the function of the module."""
        if not cls:
            return getattr(d, method)
        if method == "__init__":
            return getattr(d, cls)
        if cls == "IOWorker":
            return getattr(self.Namespace.ioworker(time=1, output_io_per_second=[3]), method)
        return getattr(getattr(self, cls), method)


@pytest.fixture
def opened():
    one = Opened()
    yield one
    one.Pcie.close()


class Shared:
    """A drive that many tests share, because a refused call changes nothing."""

    def __init__(self):
        self.opened = Opened(SHARED)

    def renew(self):
        """Open the drive anew, since a call was not refused."""
        self.opened.Pcie.close()
        self.opened = Opened(SHARED)


@pytest.fixture(scope="module")
def shared():
    one = Shared()
    yield one
    one.opened.Pcie.close()


@pytest.fixture(autouse=True)
def quickly():
    """Fail the test if a wrong call waits for anything."""

    def late(number, frame):
        raise TimeoutError("the call takes too long")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def wrong_values(parameter):
    """Values of wrong types that a user may think are right."""
    kinds = parameter.annotation.split(" | ")
    first = kinds[0]
    if first in ("_Int", "int"):
        values = [object(), "1", [1], 1.5]
    elif first == "float":
        values = [object(), "1", [1]]
    elif first in ("Buffer", "Qpair", "Controller"):
        values = [object(), "vssd", 1.5, d.DotDict()]
    elif first == "bool" and "_Int" not in kinds:
        return []  # as everywhere in Python, anything is true or false
    elif "str" in kinds:  # a name is whatever can be written
        return [] if parameter.name == "name" else [object(), 1.5]
    else:
        values = [object(), 1.5]
    if "list[int]" in kinds or "Iterable[tuple[int, int, int, int]]" in kinds:
        values = [value for value in values if value != [1]]
    return values if "None" in kinds or first == "bool" else [*values, None]


@pytest.mark.parametrize("parameter", PARAMETERS, ids=str)
def test_a_value_of_the_wrong_type_is_refused_by_the_name_of_its_parameter(shared, parameter):
    opened = shared.opened
    function = opened.function(parameter.cls, parameter.method)
    for value in wrong_values(parameter):
        arguments = {**opened.required(parameter.cls, parameter.method), parameter.name: value}
        with pytest.raises((*ARGUMENT_ERRORS, d.NvmeEnumerateError)) as error:
            function(**arguments)
        text = str(error.value)
        if error.type is not d.NvmeEnumerateError:  # of Tcp, which knows no address at all
            assert text.startswith(f"{parameter.label}(): "), f"{value!r}: {text}"
            assert re.search(rf"\b{parameter.name}\b", text), f"{value!r}: {text}"


@pytest.mark.parametrize("parameter", NUMBERS, ids=str)
@pytest.mark.parametrize("value", [-1, 1 << 64, float("nan"), float("inf"), True], ids=str)
def test_a_number_that_does_not_fit_is_refused_by_the_name_of_its_parameter(shared, parameter, value):
    if parameter.method == "waitdone" and value is True:
        pytest.skip("waits for one")
    if parameter.method == "wait_event" and value in (True, 1 << 64):
        pytest.skip("waits as long as it says")
    opened = shared.opened
    function = opened.function(parameter.cls, parameter.method)
    arguments = {**opened.required(parameter.cls, parameter.method), parameter.name: value}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(**arguments)
    except ARGUMENT_ERRORS as error:
        assert str(error).startswith(f"{parameter.label}(): "), str(error)
        assert re.search(rf"\b{parameter.name}\b", str(error)), str(error)
    except (
        OSError,
        MemoryError,
        RuntimeError,
        d.QpairCreationError,
        d.NamespaceCreationError,
        d.NvmeEnumerateError,
    ):
        shared.renew()  # the number is one, and the drive refuses it, or it is too large for the machine
    else:
        shared.renew()


def default_of(parameter):
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == parameter.cls:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == parameter.method:
                    by_name = [a.arg for a in item.args.kwonlyargs]
                    if parameter.name in by_name:
                        return ast.literal_eval(item.args.kw_defaults[by_name.index(parameter.name)])
                    names = [a.arg for a in item.args.args]
                    at = names.index(parameter.name) - len(names) + len(item.args.defaults)
                    return ast.literal_eval(item.args.defaults[at])
    raise AssertionError(parameter)


INTEGERS = [p for p in NUMBERS if p.annotation.startswith("_Int")]


@pytest.mark.parametrize("parameter", INTEGERS, ids=str)
def test_integers_of_numpy_and_floats_without_a_fraction_are_integers(opened, parameter):
    value = opened.values[parameter.name] if parameter.required else default_of(parameter)
    if value is None:
        value = {"byte_begin": 0, "cpu_id": 0, "size": 512, "memory_page_size": 4096}.get(parameter.name, 64)
    function = opened.function(parameter.cls, parameter.method)
    for same in (numpy.uint64(value), float(value)):
        if int(same) != value:  # 2^64 - 1 is no float
            continue
        arguments = {**opened.required(parameter.cls, parameter.method), parameter.name: same}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if parameter.method == "waitdone":
                opened.Controller.getfeatures(7)
                opened.Namespace.read(opened.Qpair, opened.Buffer, 0)
            if parameter.method == "zones":  # the command is sent, and this drive has no zones
                with pytest.raises(RuntimeError, match="refused to report zones"):
                    function(**arguments)
                continue
            if (parameter.cls, parameter.method) == ("KeyValue", "__init__"):  # namespace 1 has LBAs
                with pytest.raises(d.NamespaceCreationError):
                    function(**arguments)
                continue
            function(**arguments)


@pytest.mark.parametrize("cls, method", METHODS, ids=lambda part: part or "module")
def test_a_call_with_too_few_too_many_or_unknown_arguments_says_what_it_is(shared, cls, method):
    if (cls, method) in {("IOWorker", "__init__"), ("DotDict", "__init__")}:
        return
    parameters = METHODS[cls, method]
    label = Parameter(cls, method, "", "", False).label
    function = shared.opened.function(cls, method)
    required = [p.name for p in parameters if p.required]
    if required:
        with pytest.raises(TypeError) as error:
            function()
        assert str(error.value).startswith(f"{label}() needs "), str(error.value)
        assert all(name in str(error.value) for name in required)
    with pytest.raises(TypeError) as error:
        function(*[None] * (len(parameters) + 1))
    assert re.match(rf"{re.escape(label)}\(\) takes (no argument|at most \d+ )", str(error.value)), str(
        error.value
    )
    assert f"and was given {len(parameters) + 1}. It is {label}(" in str(error.value)
    with pytest.raises(TypeError) as error:
        function(**dict.fromkeys(required), no_such=1)
    assert str(error.value).startswith(f"{label}() has no parameter 'no_such'"), str(error.value)
    if required:
        with pytest.raises(TypeError) as error:
            function(None, **{required[0]: None})
        assert f"was given {required[0]} twice" in str(error.value)


def test_a_subclass_and_a_typing_error_are_told_the_same_way(opened):
    class Mine(d.Buffer):
        def __init__(self):
            super().__init__(1, 2, 3, 4, 5)

    with pytest.raises(
        TypeError, match=r"^Buffer\(\) takes at most 4 arguments by position, and was given 5\. "
    ):
        Mine()
    with pytest.raises(
        TypeError, match=r"has no parameter 'lba_cuont': did you mean lba_count\? It is Names"
    ):
        opened.Namespace.read(opened.Qpair, opened.Buffer, 0, lba_cuont=1)
    with pytest.raises(
        TypeError, match=r"^Controller\(\) needs an address \(addr\), and was given nothing\."
    ):
        d.Controller()
    with pytest.raises(TypeError, match=r"^Namespace.read\(\) was called without the object"):
        d.Namespace.read()


def test_an_exception_of_the_scripts_own_stays_as_it_is(opened):
    class Index:
        def __index__(self):
            raise ValueError("my own")

    def explode(cpl):
        raise ValueError("my own")

    with pytest.raises(ValueError, match=r"^my own$"):
        opened.Namespace.read(opened.Qpair, opened.Buffer, Index())
    with pytest.raises(ValueError, match=r"^my own(\n|$)"):  # the rest are notes
        opened.Controller.getfeatures(7, cb=explode).waitdone()


@pytest.mark.parametrize("cls, name", read_setters())
def test_a_property_that_is_set_to_nonsense_is_named_with_its_class(opened, cls, name):
    for value in (object(), "1", None, 1.5, -1, 1 << 64):
        with pytest.raises(ARGUMENT_ERRORS, match=rf"^{cls}\.{name} must be "):
            setattr(getattr(opened, cls), name, value)


def use(opened, cls, method):
    """Call a method with right arguments, and return its result, if it returns."""
    return opened.function(cls, method)(**opened.required(cls, method))


QUEUED = ("KeyValue", "Namespace")
AFTER = [
    (cls, method)
    for cls, method in METHODS
    if cls in ("KeyValue", "Pcie", "Controller", "Namespace", "Qpair", "Subsystem") and method != "__init__"
]


@pytest.mark.parametrize("cls, method", AFTER)
def test_an_object_of_a_closed_drive_says_so_or_does_nothing(opened, cls, method):
    opened.Pcie.close()
    with contextlib.suppress(AssertionError):
        before = signal.alarm(5)
        assert before
        try:
            use(opened, cls, method)
        except (RuntimeError, SystemError, d.NvmeEnumerateError, d.NvmeShutdownStatusTimeoutError) as error:
            assert re.search("closed|deleted|gone", str(error)), str(error)


def test_a_deleted_queue_says_its_number(opened):
    opened.Qpair.delete()
    for cls, method in METHODS:
        if cls in QUEUED and any(p.name == "qpair" for p in METHODS[cls, method]):
            with pytest.raises(RuntimeError, match=r"Qpair 1 is deleted"):
                use(opened, cls, method)


def test_a_queue_of_another_controller_is_refused(opened):
    other = d.Controller("vssd:name=other,size=64M")
    queue = d.Qpair(other, 8)
    opened.values["qpair"] = queue
    for cls, method in METHODS:
        if cls in QUEUED and any(p.name == "qpair" for p in METHODS[cls, method]):
            with pytest.raises(ARGUMENT_ERRORS, match=rf"^{cls}\.{method}\(\): Qpair 1 belongs"):
                use(opened, cls, method)
    queue.delete()
    other.pcie.close()
