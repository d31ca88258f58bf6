# SPDX-License-Identifier: BSD-3-Clause
"""What this build says about its engines, and that it is true."""

import nvme as d
import pytest


def selected():
    (engine,) = [engine for engine in d.engines() if engine.selected]
    return engine


def test_pynvmes_own_engine_is_always_there_and_withholds_nothing():
    own = d.engines()[0]
    assert (own.name, own.version) == ("own", d.__version__)
    assert own.dpdk.startswith("DPDK ")
    assert own.pcie == own.vfio_user == {}


def test_one_engine_is_selected(monkeypatch):
    for engine in d.engines():
        monkeypatch.setenv("PYNVME_ENGINE", engine.name)
        assert selected().name == engine.name
    monkeypatch.delenv("PYNVME_ENGINE")
    assert selected().name == "own"


def test_an_engine_that_this_build_lacks_is_no_other_one(monkeypatch):
    monkeypatch.setenv("PYNVME_ENGINE", "warp")
    assert not any(engine.selected for engine in d.engines())
    with pytest.raises(d.NvmeEnumerateError, match=r"no engine warp .*nvme\.engines\(\) lists"):
        d.Pcie("vssd:name=no-engine")


def test_what_an_engine_withholds_has_a_name_and_a_reason():
    for engine in d.engines():
        for reasons in (engine.pcie, engine.vfio_user):
            assert set(reasons) <= set(d._capabilities())
            assert all(reasons.values())


@pytest.mark.parametrize(("address", "kind"), [("01:00.0", "pcie"), ("vssd", "vfio_user"), ("/x", "vfio_user")])
def test_an_address_says_what_is_withheld(address, kind):
    engine = d.engines()[0]._replace(pcie={"a": "pcie"}, vfio_user={"a": "vfio_user"})
    assert engine.withheld(address) == {"a": kind}
