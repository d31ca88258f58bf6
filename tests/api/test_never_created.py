# SPDX-License-Identifier: BSD-3-Clause
"""Objects whose __init__ was never called: whatever a script does with one, the error says so."""

from __future__ import annotations

import nvme as d
import pytest

CLASSES = [d.Controller, d.Qpair, d.Namespace, d.Pcie, d.Subsystem]
MOST_ARGUMENTS = 5
WRONG_CALL = (TypeError, AssertionError)  # which says what is wrong before the object is looked at
# Of a namespace that was never opened there is nothing to close, and opcodes have names without one.
HARMLESS = {"Namespace.close", "Namespace.cmdname"}

SPECIAL = {
    "[0]": lambda thing: thing[0],
    "[0:4]": lambda thing: thing[0:4],
    "[0] = 0": lambda thing: thing.__setitem__(0, 0),
    "[0:2] = 0": lambda thing: thing.__setitem__(slice(0, 2), b"\0\0"),
}


def names_of(kind):
    return [
        name for name in dir(kind) if not name.startswith("_") and f"{kind.__name__}.{name}" not in HARMLESS
    ]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in CLASSES for name in names_of(kind)])
def test_its_methods_and_properties_say_that_it_was_never_created(kind, name):
    thing = kind.__new__(kind)
    uses = [lambda: getattr(thing, name)]
    if callable(getattr(kind, name)):
        uses = [lambda count=count: getattr(thing, name)(*[1] * count) for count in range(MOST_ARGUMENTS)]
    for use in uses:
        try:
            use()
        except RuntimeError as error:
            assert str(error) == f"this {kind.__name__} was never created: its __init__ has to be called"
        except WRONG_CALL:
            continue
        else:
            pytest.fail("no error")


@pytest.mark.parametrize("kind", [d.Controller, d.Pcie])
@pytest.mark.parametrize("use", SPECIAL)
def test_its_registers_say_so_too(kind, use):
    if kind is d.Controller and ":" in use:
        pytest.skip("registers have no slices")
    with pytest.raises(RuntimeError, match=f"this {kind.__name__} was never created"):
        SPECIAL[use](kind.__new__(kind))


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(d.Controller, "timeout", 1000), (d.Pcie, "aspm", 0), (d.Pcie, "power_state", 0)],
)
def test_it_takes_no_value(kind, name, value):
    with pytest.raises(RuntimeError, match=f"this {kind.__name__} was never created"):
        setattr(kind.__new__(kind), name, value)


@pytest.mark.parametrize("kind", CLASSES)
def test_it_can_be_printed_compared_and_dropped(kind):
    thing = kind.__new__(kind)
    assert repr(thing) == f"<{kind.__name__}, not created>"
    assert thing == thing
    assert hash(thing) == hash(thing)


def test_a_subclass_that_does_not_call_init_is_told():
    class Mine(d.Controller):
        def __init__(self, address):
            pass

    with pytest.raises(RuntimeError, match="this Mine was never created: its __init__ has to be called"):
        Mine("vssd").getfeatures(7)


@pytest.mark.parametrize(
    "make",
    [
        lambda nvme: d.Qpair(nvme, 8),
        lambda nvme: d.Namespace(nvme),
        lambda nvme: d.Pcie(nvme),
        lambda nvme: d.Subsystem(nvme),
        lambda nvme: d.Buffer(4096, cmb=nvme),
        lambda nvme: d.Controller(d.Pcie.__new__(d.Pcie)),
    ],
)
def test_nothing_is_made_of_it(make):
    with pytest.raises(RuntimeError, match="was never created"):
        make(d.Controller.__new__(d.Controller))


def test_commands_are_not_sent_by_it(nvme0n1, qpair, buf):
    never = d.Qpair.__new__(d.Qpair)
    with pytest.raises(RuntimeError, match="this Qpair was never created"):
        nvme0n1.read(never, buf, 0)
    with pytest.raises(RuntimeError, match="this Namespace was never created"):
        d.Namespace.__new__(d.Namespace).read(qpair, buf, 0)


def test_a_buffer_that_was_never_created_has_4096_bytes():
    buffer = d.Buffer.__new__(d.Buffer)
    assert len(buffer) == buffer.size == 4096
    assert buffer[0] == 0
