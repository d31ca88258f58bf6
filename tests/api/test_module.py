# SPDX-License-Identifier: BSD-3-Clause
"""Functions of the module, and initialisation by the script (nvme_init_func)."""

import random
import time

import nvme as d
import pytest

from tests.fix_load import loaded


def test_star_import_brings_the_classes(python):
    names = "Buffer, Controller, Pcie, Namespace, Qpair, Subsystem, DotDict, Tcp, srand"
    done = python(f"from nvme import *; print({names})")
    assert done.returncode == 0, done.stderr


def test_a_dotdict_is_a_dict_with_attributes():
    one = d.DotDict(a=1)
    one.b = 2
    assert (one.a, one["b"], dict(one)) == (1, 2, {"a": 1, "b": 2})
    with pytest.raises(AttributeError):
        one.c  # noqa: B018


def test_srand_seeds_pythons_generator_too():
    d.srand(11)
    first = random.random()
    d.srand(11)
    assert random.random() == first


def test_no_drive_is_touched_before_it_is_opened(python):
    done = python(
        "import nvme, os; print(len(os.listdir('/proc/self/task')), os.path.exists('/proc/self/fd/3'))"
    )
    assert done.stdout.split() == ["1", "False"]


def ready(nvme0, wanted):
    deadline = time.monotonic() + 5
    while nvme0[0x1C] & 1 != wanted:
        assert time.monotonic() < deadline or loaded(), "CSTS.RDY"


def test_an_initialisation_of_the_scripts_own_is_used_for_resets_too(own_ssd):
    calls = []

    def init(nvme0):
        calls.append(nvme0)
        nvme0[0x14] = 0
        ready(nvme0, 0)
        assert nvme0.init_adminq() == 0
        nvme0[0x14] = 0x00460000
        nvme0[0x14] = 0x00460001
        ready(nvme0, 1)
        assert nvme0.init_ns() >= 0
        nvme0.init_queues(0x00030003)

    pcie = d.Pcie(own_ssd.address)
    nvme0 = d.Controller(pcie, nvme_init_func=init)
    assert calls == [nvme0]
    pairs = [d.Qpair(nvme0, 4) for _ in range(4)]
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 4)
    for pair in pairs:
        pair.delete()
    nvme0.reset()
    assert calls == [nvme0, nvme0]
    pcie.close()


@pytest.mark.needs_engine("bring-up")
def test_a_controller_that_is_not_to_be_initialised_is_not(own_ssd):
    pcie = d.Pcie(own_ssd.address)
    nvme0 = d.Controller(pcie, nvme_init_func=True)
    assert nvme0[0x14] & 1 == 0, "CC.EN"
    assert nvme0[0x1C] & 1 == 0, "CSTS.RDY"
    pcie.close()


def test_two_controllers_on_two_drives_do_not_mix(own, nvme0, nvme0n1, qpair, lba_size):
    pair = d.Qpair(own.nvme0, 8)
    one, two = (
        d.Buffer(lba_size, pvalue=0x11111111, ptype=32),
        d.Buffer(lba_size, pvalue=0x22222222, ptype=32),
    )
    nvme0n1.write(qpair, one, 77).waitdone()
    own.nvme0n1.write(pair, two, 77).waitdone()
    back = d.Buffer(lba_size)
    nvme0n1.read(qpair, back, 77).waitdone()
    assert back[8:12] == b"\x11" * 4
    own.nvme0n1.read(pair, back, 77).waitdone()
    assert back[8:12] == b"\x22" * 4
