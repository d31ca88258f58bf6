# SPDX-License-Identifier: BSD-3-Clause
"""Log pages of OCP as scripts read them: found by the UUID list, decoded by name."""

import nvme as d
import pytest

from pynvme import spec


@pytest.fixture(scope="module")
def nvme0():
    """Give a drive with OCP's log pages."""
    nvme0 = d.Controller(d.Pcie("vssd:name=ocp-logs,size=64M,ocp"))
    yield nvme0
    nvme0.pcie.close()


def test_the_extended_health_log_has_names(nvme0):
    ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
    before = nvme0.log(0xC0)
    assert isinstance(before, spec.OcpSmartLog)
    ns.write(qpair, d.Buffer(8 * 512), 0, 8).waitdone()
    after = nvme0.log(0xC0)
    assert after.media_units_written - before.media_units_written == 4096
    assert after.firmware_revision == nvme0.id_ctrl.fr
    assert after.total_nuse == ns.id_ns.nuse
    assert (after.dssd_major, after.dssd_minor) == (2, 5)
    qpair.delete()


def test_the_error_recovery_log_has_names(nvme0):
    log = nvme0.log(0xC1)
    assert isinstance(log, spec.OcpErrorRecoveryLog)
    assert (log.panic_id, log.panic_count) == (0, 0)
    assert log.panic_reset_action.controller_reset


def test_ageing_shows(nvme0):
    from pynvme.vssd import VirtualSsd

    ssd = VirtualSsd.attach("vssd:name=ocp-logs,size=64M,ocp")
    ssd.age(used=50, spare=90)
    log = nvme0.log(0xC0)
    assert (log.bad_user_blocks_raw, log.bad_user_blocks_normalised) == (10, 90)
    assert log.min_erase_count <= log.average_erase_count == 1500 <= log.max_erase_count
