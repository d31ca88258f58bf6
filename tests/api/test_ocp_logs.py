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


def test_features_are_found_by_the_uuid_and_have_names(nvme0):
    mode = nvme0.features.ocp_read_only_write_through
    assert (mode.state, int(mode)) == (1, 1)
    nvme0.features.set(spec.OcpFeatureId.READ_ONLY_WRITE_THROUGH, 3 << 30)
    assert nvme0.features.get(0xC2).state == 3
    nvme0.features.set(spec.OcpFeatureId.READ_ONLY_WRITE_THROUGH, 0)
    monitor = nvme0.features.ocp_latency_monitor
    assert (monitor.threshold_a, monitor.threshold_d, monitor.enable) == (5, 0x2E, 1)
    data = bytearray(bytes(monitor.data))
    data[2:6] = bytes([1, 3, 5, 7])
    nvme0.features.set(0xC5, data=bytes(data))
    log = nvme0.log(0xC3)
    assert isinstance(log, spec.OcpLatencyLog)
    assert (log.threshold_a, log.threshold_b, log.threshold_c, log.threshold_d) == (1, 3, 5, 7)
    assert log.feature_status.enabled and log.feature_status.mode and log.feature_status.measured


def test_the_other_log_pages_have_names(nvme0):
    capabilities = nvme0.log(0xC4)
    assert [state.valid for state in capabilities.power_states].count(1) == 3
    assert capabilities.power_states[8].ps == 0 and capabilities.min_power_state == 4
    assert nvme0.log(0xC5).count == len(nvme0.log(0xC5).requirements)
    assert nvme0.log(0xC2).valid == 0 and nvme0.log(0xC7).errors == 0
