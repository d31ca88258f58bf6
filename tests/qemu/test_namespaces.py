# SPDX-License-Identifier: BSD-3-Clause
"""A drive with four namespaces: 512 bytes, 4 KiB, 512 bytes with protection information beside, and zones."""

from __future__ import annotations

import nvme as d
import pytest

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

DRIVE = "rich"
PRACT = 1 << 13


@pytest.fixture
def namespaces(nvme0):
    """All of them, by NSID."""
    opened = {nsid: d.Namespace(nvme0, nsid) for nsid in range(1, 5)}
    yield opened
    for namespace in opened.values():
        namespace.close()


def test_the_active_ones_and_their_formats(nvme0, namespaces):
    buf = d.Buffer(4096)
    nvme0.identify(buf, nsid=0, cns=2).waitdone()
    assert [buf.data(4 * i + 3, 4 * i) for i in range(5)] == [1, 2, 3, 4, 0]
    formats = []
    for namespace in namespaces.values():
        lbaf = 128 + 4 * (namespace.id_data(26) & 15)
        formats.append((1 << namespace.id_data(lbaf + 2), namespace.id_data(lbaf + 1, lbaf)))
    assert formats == [(512, 0), (4096, 0), (512, 8), (4096, 0)]
    with pytest.raises(d.NamespaceCreationError, match=r"namespace 5 of .* is not active"):
        d.Namespace(nvme0, 5)


def test_what_one_holds_is_expected_of_no_other(namespaces, qpair):
    written = {}
    for nsid, namespace in namespaces.items():
        if nsid == 4:
            namespace.zns_mgmt_send(qpair, None, action=4, all=True).waitdone()
        buf = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
        namespace.write(qpair, buf, 0, 1, PRACT if nsid == 3 else 0).waitdone()
        written[nsid] = bytes(buf[:512])
    assert len(set(written.values())) == 4
    for nsid, namespace in namespaces.items():
        back = d.Buffer(4096)
        namespace.read(qpair, back, 0, 1, PRACT if nsid == 3 else 0).waitdone()
        assert bytes(back[:512]) == written[nsid]
        assert namespace.verify_stats().mismatch == 0
        assert namespace.verify_stats().judged >= 1


def test_verified_workers_on_two_at_once(namespaces):
    options = {"region_end": 2048, "read_percentage": 50, "io_count": 400, "qdepth": 8}
    workers = [namespaces[1].ioworker(io_size=8, **options), namespaces[2].ioworker(io_size=1, **options)]
    for worker in workers:
        worker.start()
    results = [worker.close() for worker in workers]
    assert [(result.error, result.lba_mismatch) for result in results] == [(0, 0)] * 2
    assert all(result.io_count_read + result.io_count_nonread == 400 for result in results)


def test_sixteen_queues_have_sixteen_vectors(nvme0):
    """As many as there can be: a seventeenth pair is refused."""
    pairs = [d.Qpair(nvme0, 8) for _ in range(16)]
    namespace, buf = d.Namespace(nvme0, 1), d.Buffer(512)
    for pair in pairs:
        pair.msix_clear()
    for index, pair in enumerate(pairs):
        namespace.read(pair, buf, 0).waitdone()
        assert pair.msix_isset()
        assert not any(other.msix_isset() for other in pairs[index + 1 :])
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 8)
    for pair in pairs:
        pair.delete()
