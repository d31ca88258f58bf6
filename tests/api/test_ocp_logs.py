# SPDX-License-Identifier: BSD-3-Clause
"""Log pages of OCP as scripts read them: found by the UUID list, decoded by name."""

import struct

import nvme as d
import pytest

from pynvme import decode, ocp_strings, spec


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


def test_the_hardware_components_have_names(nvme0):
    log = nvme0.log(0xC6)
    assert isinstance(log, spec.OcpHardwareLog) and len(log) == 4 * log.size
    assert [one.id for one in log.components][:3] == [1, 2, 3]
    assert log.components[0].id is spec.OcpComponentId.ASIC and bytes(log.components[0].data) == b"2026LOT1"
    serial = next(one for one in log.components if one.id == spec.OcpComponentId.SERIAL_NUMBER)
    assert bytes(serial.data).decode().rstrip() == nvme0.id_ctrl.sn


def hardware(version, size, count):
    """A log page of `count` components of 44 bytes and 8 more."""
    made = bytearray(64 + 52 * count)
    struct.pack_into("<H30xQ", made, 0, version, size)
    for at in range(64, len(made), 52):
        struct.pack_into("<QQI", made, at, 1, 1, 2)
    return bytes(made)


@pytest.mark.parametrize(("version", "unit"), [(1, 4), (2, 1)])
def test_a_hardware_log_beyond_4_kib_is_read_as_a_whole(monkeypatch, nvme0, version, unit):
    """Version 1 has its length in dwords, later ones in bytes."""
    page = hardware(version, (64 + 52 * 100) // unit, 100) + b"\xff" * 4096

    def answer(nvme0, lid, length, *rest):
        buf = d.Buffer(length)
        buf[:] = page[:length]
        return buf

    monkeypatch.setattr(decode, "_read_log", answer)
    assert len(nvme0.log(0xC6).components) == 100


def test_the_strings_of_telemetry_data(nvme0):
    strings = ocp_strings.decode(nvme0.log(0xC9))
    assert strings.fifos == {1: "commands"} and strings.events == strings.vendor_events == {}
    assert "power cycles" in strings.statistics.values() and min(strings.statistics) > 0x8000


def string_log(**changes):
    """Log page C9h with a string in each table."""
    made = bytearray(432 + 3 * 16 + 16)
    starts = {"statistics": (108, 4), "events": (112, 4), "vendor_events": (116, 4), "ascii": (120, 4)}
    struct.pack_into("<8Q", made, 64, *(number for pair in (starts | changes).values() for number in pair))
    struct.pack_into("<Q", made, 32, len(made) // 4)
    made[144:147] = b"two"
    struct.pack_into("<HBBQ", made, 432, 0x8001, 0, 4, 0)
    struct.pack_into("<BHBQ", made, 448, 3, 0x200, 5, 4)
    struct.pack_into("<BHBQ", made, 464, 0x80, 0x300, 7, 9)
    made[480:] = b"heatresetunknown"
    return spec.OcpTelemetryStringsLog(bytes(made))


def test_each_table_of_strings_is_decoded():
    assert ocp_strings.decode(string_log()) == (
        {0x8001: "heat"},
        {(3, 0x200): "reset"},
        {(0x80, 0x300): "unknown"},
        {2: "two"},
    )


@pytest.mark.parametrize(
    ("table", "place", "said"),
    [
        ("events", (1 << 62, 4), "Event String Table is in bytes"),
        ("statistics", (108, 1 << 62), "Statistics Identifier String Table is in bytes 432 to"),
        ("ascii", (120, 5), "ASCII table is in bytes 480 to 499 of a log page of 496"),
        ("ascii", (120, 3), "identifier 0x0300 is in bytes 9 to 15 of an ASCII table of 12"),
    ],
)
def test_a_table_or_string_outside_the_log_is_an_error(table, place, said):
    with pytest.raises(ValueError, match=said):
        ocp_strings.decode(string_log(**{table: place}))
