# SPDX-License-Identifier: BSD-3-Clause
"""What a drive that claims NVMe 2.1 has besides: allocated namespaces, their changes and their events.

Base 2.1, 5.1.12.1.26 Changed Allocated Namespace List, 5.1.13.2.20 Identify CNS 1Fh. Cancel has its own file.
"""

from __future__ import annotations

import os
import struct

from client import Client, Nvme, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    FORMAT,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    OK,
    Host,
    Start,
    get_feature,
    identify,
    log_page,
    set_feature,
)

MANAGE, ATTACH, CONFIG = 0x0D, 0x15, 0x0B
LIST, NOTICE, BIT = 0x1C, 0x1C << 16 | 9 << 8 | 2, 1 << 19
OPTIONS = ("--size", "4M", "--namespace-management", "--unallocated", "4M")


def create(nvme: Nvme) -> int:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, struct.pack("<QQ", 64, 64).ljust(4096, b"\0"))
    nsid, status = nvme.admin.execute(MANAGE, prp1=buffer)
    assert status == OK
    return nsid


def test_changes_of_allocated_namespaces(start: Start) -> None:
    """Each controller hears of each, and only the one that has them attached of its own."""
    server = start(*OPTIONS, "--nvme-version", "2.1", "--controllers", "2")
    host = Host(server)
    client = Client(os.path.join(server.folder, "2"))
    second = Nvme(client)
    second.enable()
    for nvme in (host.nvme, second):
        assert struct.unpack_from("<I", identify(nvme, 1), 92)[0] & BIT, "OAES"
        assert log_page(nvme, 0)[4 * LIST] & 1 and log_page(nvme, LIST, 8) == bytes(8)
        assert set_feature(nvme, CONFIG, BIT) == OK and get_feature(nvme, CONFIG) == BIT
    host.nvme.admin.submit(sqe(ASYNC_EVENT))
    nsid = create(second)
    second.admin.submit(sqe(ASYNC_EVENT))
    for nvme in (host.nvme, second):
        assert nvme.admin.wait().cdw0 == NOTICE
        assert log_page(nvme, LIST, 8, retain=True) == struct.pack("<II", nsid, 0)
        assert log_page(nvme, LIST, 8) == struct.pack("<II", nsid, 0), "RAE keeps it"
        assert log_page(nvme, LIST, 8) == bytes(8) and log_page(nvme, 4, 8) == bytes(8), (
            "it is attached to none"
        )
    assert host.nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert host.nvme.admin.execute(MANAGE, nsid=1, cdw10=1)[1] == OK
    for nvme in (host.nvme, second):
        assert log_page(nvme, LIST, 8) == struct.pack("<II", 1, 0)
    second.close()
    client.close()
    host.close()


def test_the_event_is_masked_unless_it_is_enabled(start: Start) -> None:
    host = Host(start(*OPTIONS, "--nvme-version", "2.1"))
    host.nvme.admin.submit(sqe(ASYNC_EVENT))
    nsid = create(host.nvme)
    assert host.nvme.admin.poll() is None and log_page(host.nvme, LIST, 8) == struct.pack("<II", nsid, 0)
    host.nvme.enable()
    host.start()
    create(host.nvme)
    host.nvme.enable()
    host.start()
    assert log_page(host.nvme, LIST, 8) == struct.pack("<II", 3, 0), "a reset keeps the list"
    host.close()


def test_independent_data_of_an_allocated_namespace(start: Start) -> None:
    """CNS 1Fh is to allocated namespaces what 08h is to active ones."""
    host = Host(start(*OPTIONS, "--nvme-version", "2.1"))
    nsid = create(host.nvme)
    assert identify(host.nvme, 8, nsid) == bytes(4096)
    found = identify(host.nvme, 0x1F, nsid)
    assert found[14] == 1 and found[15:] == bytes(4081), "NSTAT"
    assert identify(host.nvme, 0x1F, 1) == identify(host.nvme, 8, 1)
    assert identify(host.nvme, 0x1F, 5) == bytes(4096)
    host.close()


def test_version_2_0_has_none_of_it(start: Start) -> None:
    host = Host(start(*OPTIONS))
    buffer = host.nvme.memory.alloc(4096)
    assert host.nvme.admin.execute(6, nsid=1, prp1=buffer, cdw10=0x1F)[1] == INVALID_FIELD
    assert (
        host.nvme.admin.execute(2, nsid=0xFFFFFFFF, prp1=buffer, cdw10=1 << 16 | LIST)[1] == INVALID_LOG_PAGE
    )
    assert not struct.unpack_from("<I", identify(host.nvme, 1), 92)[0] & BIT
    host.close()
