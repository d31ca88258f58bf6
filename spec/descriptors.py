# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors in the data of commands: SGLs, ranges, zones, reservations, directives.

Section numbers are those of Base 2.1, unless another is named.
"""

from __future__ import annotations

from spec import enums
from spec.schema import BitGroup, Bits, Enum, Field, Header, Structure, Value

SGL_TYPE = Enum(
    "SglType",
    "nvme_sgl_type",
    "NVME_SGL_",
    (
        Value("data_block", 0x0),
        Value("bit_bucket", 0x1),
        Value("segment", 0x2),
        Value("last_segment", 0x3),
        Value("keyed_data_block", 0x4),
        Value("transport_data_block", 0x5),
        Value("vendor", 0xF, "vendor specific"),
    ),
    text="types of SGL descriptors",
    section="4.3.2",
    digits=1,
)

SGL_DESCRIPTOR = Structure(
    "SglDescriptor",
    "nvme_sgl_descriptor",
    16,
    (
        Field("addr", 0, 8, "address; in a bit bucket reserved"),
        Field("length", 8, 4, "length", unit="bytes"),
        Field(
            "sglid",
            15,
            1,
            "identifier",
            bits=(
                Bits("subtype", 0, 3, "0: address, 1: offset, Ah: transport"),
                Bits("type", 4, 7, "type", values=SGL_TYPE),
            ),
        ),
    ),
    text="SGL Descriptor: data block, bit bucket, segment or last segment",
    section="4.3.2",
    label="SGL descriptor",
)

COPY_FORMAT_1 = Structure(
    "CopyRange1",
    "nvme_copy_range_1",
    40,
    (
        Field("slba", 8, 8, "first LBA"),
        Field("nlb", 16, 2, "LBAs", zeroes_based=True),
        Field("elbt", 26, 10, "expected reference and storage tags", kind="bytes"),
        Field("elbat", 36, 2, "expected application tag"),
        Field("elbatm", 38, 2, "mask of the application tag"),
    ),
    text="Source Range Entry of Copy, format 1h: 32-bit and 64-bit guards, this namespace",
    section="NVM 3.3.2",
    label="source range, format 1h",
)

SOPT = (Bits("fco", 15, text="fail rather than copy slowly"),)

COPY_FORMAT_2 = Structure(
    "CopyRange2",
    "nvme_copy_range_2",
    32,
    (
        Field("snsid", 0, 4, "source namespace"),
        Field("slba", 8, 8, "first LBA"),
        Field("nlb", 16, 2, "LBAs", zeroes_based=True),
        Field("sopt", 22, 2, "options", bits=SOPT),
        Field("elbrt", 24, 4, "expected reference tag"),
        Field("elbat", 28, 2, "expected application tag"),
        Field("elbatm", 30, 2, "mask of the application tag"),
    ),
    text="Source Range Entry of Copy, format 2h: 16-bit guards, any namespace",
    section="NVM 3.3.2",
    label="source range, format 2h",
)

COPY_FORMAT_3 = Structure(
    "CopyRange3",
    "nvme_copy_range_3",
    40,
    (
        Field("snsid", 0, 4, "source namespace"),
        Field("slba", 8, 8, "first LBA"),
        Field("nlb", 16, 2, "LBAs", zeroes_based=True),
        Field("sopt", 22, 2, "options", bits=SOPT),
        Field("elbt", 26, 10, "expected reference and storage tags", kind="bytes"),
        Field("elbat", 36, 2, "expected application tag"),
        Field("elbatm", 38, 2, "mask of the application tag"),
    ),
    text="Source Range Entry of Copy, format 3h: 32-bit and 64-bit guards, any namespace",
    section="NVM 3.3.2",
    label="source range, format 3h",
)

LBA_STATUS_BITS = (
    Bits("unreadable", 0, text="a read of each LBA may fail", c="NVME_LBA_STATUS_UNREADABLE"),
    Bits(
        "marked",
        1,
        text="Write Uncorrectable wrote each LBA; 0 tells nothing",
        c="NVME_LBA_STATUS_MARKED",
        since="2.1",
    ),
)

LBA_STATUS_DESCRIPTOR = Structure(
    "LbaStatusDescriptor",
    "nvme_lba_status_descriptor",
    16,
    (
        Field("dslba", 0, 8, "first LBA"),
        Field("nlb", 8, 4, "LBAs", zeroes_based=True),
        Field("status", 13, 1, "status", bits=LBA_STATUS_BITS),
    ),
    text="LBA Status Descriptor Entry",
    section="NVM 4.2.1",
    label="LBA status descriptor",
)

LBA_STATUS_LIST = Structure(
    "LbaStatusDescriptors",
    "nvme_lba_status_list",
    8,
    (
        Field("nlsd", 0, 4, "descriptors"),
        Field("cmpc", 4, 1, "completion condition: 1 all of MNDW, 2 all of RL", bits=(Bits("cmpc", 0, 2),)),
        Field(
            "descriptors",
            8,
            16,
            "descriptors",
            count=0,
            kind="struct",
            struct=LBA_STATUS_DESCRIPTOR,
            counted_by="nlsd",
        ),
    ),
    text="LBA Status Descriptor List, data of Get LBA Status",
    section="NVM 4.2.1",
    label="LBA status descriptor list",
)

# ---- live migration ----

MIGRATION_QUEUE_ENTRY = Structure(
    "MigrationQueueEntry",
    "nvme_migration_queue_entry",
    32,
    (
        Field("nsid", 0, 4, "namespace"),
        Field("nlb", 4, 4, "LBAs", zeroes_based=True),
        Field("slba", 8, 8, "first LBA"),
        Field(
            "lbamqa",
            31,
            1,
            "attributes",
            bits=(
                Bits("cdqp", 0, text="phase tag"),
                Bits("esa", 1, 3, "entry sequence attribute", values=enums.MIGRATION_ENTRY),
                Bits("dlba", 5, text="the LBAs are deallocated"),
                Bits("lbacir", 6, 7, "what has changed", values=enums.MIGRATION_CHANGE),
            ),
        ),
    ),
    text="LBA Migration Queue Entry Type 0",
    section="NVM 5.6",
    label="LBA migration queue entry",
)

SQ_STATE = Structure(
    "SqState",
    "nvme_sq_state",
    24,
    (
        Field("iosqprp1", 0, 8, "address: PRP1 of the command that created it"),
        Field("iosqqsize", 8, 2, "entries", zeroes_based=True),
        Field("iosqqid", 10, 2, "identifier"),
        Field("iosqcqid", 12, 2, "completion queue"),
        Field(
            "iosqa",
            14,
            2,
            "attributes",
            bits=(Bits("iosqpc", 0, text="physically contiguous"), Bits("iosqprio", 1, 2, "priority")),
        ),
        Field("iosqhp", 16, 2, "head pointer"),
        Field("iosqtp", 18, 2, "tail pointer"),
    ),
    text="I/O Submission Queue State",
    section="5.1.17.1.3",
    label="state of an I/O submission queue",
)

CQ_STATE = Structure(
    "CqState",
    "nvme_cq_state",
    24,
    (
        Field("iocqprp1", 0, 8, "address: PRP1 of the command that created it"),
        Field("iocqqsize", 8, 2, "entries", zeroes_based=True),
        Field("iocqqid", 10, 2, "identifier"),
        Field("iocqhp", 12, 2, "head pointer"),
        Field("iocqtp", 14, 2, "tail pointer"),
        Field(
            "iocqa",
            16,
            4,
            "attributes",
            bits=(
                Bits("iocqpc", 0, text="physically contiguous"),
                Bits("iocqien", 1, text="interrupts are enabled"),
                Bits("s0pt", 2, text="phase tag of slot 0"),
                Bits("iocqiv", 16, 31, "interrupt vector"),
            ),
        ),
    ),
    text="I/O Completion Queue State",
    section="5.1.17.1.3",
    label="state of an I/O completion queue",
)

CONTROLLER_STATE = Structure(
    "ControllerState",
    "nvme_controller_state",
    56,
    (
        Field("ver", 0, 2, "version of this structure, 0"),
        Field("csattr", 2, 1, "attributes", bits=(Bits("csup", 0, text="the controller is suspended"),)),
        Field("nvmecss", 16, 16, "size of what follows this header of 48 bytes", unit="dwords"),
        Field("vss", 32, 16, "size of the vendor specific state after it", unit="dwords"),
        Field("nvmever", 48, 2, "version of the state of the queues, 0"),
        Field("niosq", 50, 2, "I/O submission queues"),
        Field("niocq", 52, 2, "I/O completion queues"),
        Field("iosq", 56, 24, "submission queues", count=0, kind="struct", struct=SQ_STATE, counted_by="niosq"),
    ),
    text="Controller State, and the header of the NVMe Controller State; the completion queues follow the last field",
    section="5.1.17.1.3",
    label="controller state",
)

# ---- zones ----

ZONE_DESCRIPTOR = Structure(
    "ZoneDescriptor",
    "nvme_zone_descriptor",
    64,
    (
        Field("zt", 0, 1, "type", bits=(Bits("zt", 0, 3, "2: sequential write required"),)),
        Field("zs", 1, 1, "state", bits=(Bits("zs", 4, 7, "state", values=enums.ZONE_STATE),)),
        Field(
            "za",
            2,
            1,
            "attributes",
            bits=(
                Bits("zfc", 0, text="the controller has finished it"),
                Bits("fzr", 1, text="finish is recommended"),
                Bits("rzr", 2, text="reset is recommended"),
                Bits("zrwav", 3, text="it has a random write area"),
                Bits("zdev", 7, text="it has a descriptor extension"),
            ),
        ),
        Field(
            "zai",
            3,
            1,
            "attributes information",
            bits=(
                Bits("rrl", 0, 1, "which reset recommended limit"),
                Bits("frl", 2, 3, "which finish recommended limit"),
            ),
        ),
        Field("zcap", 8, 8, "capacity", unit="LBAs"),
        Field("zslba", 16, 8, "first LBA"),
        Field("wp", 24, 8, "write pointer, an LBA"),
    ),
    text="Zone Descriptor",
    section="ZNS 3.4.2.2.3",
    label="zone descriptor",
)

ZONE_REPORT = Structure(
    "ZoneReport",
    "nvme_zone_report",
    64,
    (
        Field("nz", 0, 8, "zones"),
        Field("zones", 64, 64, "zones", count=0, kind="struct", struct=ZONE_DESCRIPTOR, counted_by="nz"),
    ),
    text="Report Zones, data of Zone Management Receive",
    section="ZNS 3.4.2.2.1",
    label="report zones",
)

# ---- reservations ----

REGISTERED_CTRL = Structure(
    "RegisteredController",
    "nvme_registered_ctrl",
    24,
    (
        Field("cntlid", 0, 2, "controller"),
        Field("rcsts", 2, 1, "status", bits=(Bits("hldrsv", 0, text="it holds the reservation"),)),
        Field("hostid", 8, 8, "host identifier", kind="bytes"),
        Field("rkey", 16, 8, "reservation key"),
    ),
    text="Registered Controller",
    section="7.8",
    label="registered controller",
)

RESERVATION_STATUS = Structure(
    "ReservationStatus",
    "nvme_reservation_status",
    24,
    (
        Field("gen", 0, 4, "generation"),
        Field("rtype", 4, 1, "reservation, 0: none", values=enums.RESERVATION_TYPE),
        Field("regctl", 5, 2, "registered controllers"),
        Field("ptpls", 9, 1, "persist through power loss"),
        Field(
            "controllers",
            24,
            24,
            "registered controllers",
            count=0,
            kind="struct",
            struct=REGISTERED_CTRL,
            counted_by="regctl",
        ),
    ),
    text="Reservation Status, data of Reservation Report",
    section="7.8",
    label="reservation status",
)

REGISTERED_CTRL_EXT = Structure(
    "RegisteredControllerExtended",
    "nvme_registered_ctrl_ext",
    64,
    (
        Field("cntlid", 0, 2, "controller"),
        Field("rcsts", 2, 1, "status", bits=(Bits("hldrsv", 0, text="it holds the reservation"),)),
        Field("rkey", 8, 8, "reservation key"),
        Field("hostid", 16, 16, "host identifier", kind="bytes"),
    ),
    text="Registered Controller, extended",
    section="7.8",
    label="registered controller, extended",
)

RESERVATION_STATUS_EXT = Structure(
    "ReservationStatusExtended",
    "nvme_reservation_status_ext",
    64,
    (
        Field("gen", 0, 4, "generation"),
        Field("rtype", 4, 1, "reservation, 0: none", values=enums.RESERVATION_TYPE),
        Field("regctl", 5, 2, "registered controllers"),
        Field("ptpls", 9, 1, "persist through power loss"),
        Field(
            "controllers",
            64,
            64,
            "registered controllers",
            count=0,
            kind="struct",
            struct=REGISTERED_CTRL_EXT,
            counted_by="regctl",
        ),
    ),
    text="Reservation Status, extended: data of Reservation Report with EDS",
    section="7.8",
    label="reservation status, extended",
)

RESERVATION_KEYS = Structure(
    "ReservationKeys",
    "nvme_reservation_keys",
    16,
    (
        Field("crkey", 0, 8, "current key"),
        Field("key", 8, 8, "preempted key (Acquire) or new key (Register)"),
    ),
    text="data of Reservation Acquire, Register and Release. Release has the first 8 bytes only",
    section="7.5",
    label="reservation keys",
)

# ---- directives ----

DIRECTIVES = Structure(
    "Directives",
    "nvme_directives",
    4096,
    (
        Field("supported", 0, 1, "supported, one a bit", count=32),
        Field("enabled", 32, 1, "enabled, one a bit", count=32),
        Field("persistent", 64, 1, "enabled beyond a reset, one a bit", count=32, since="2.0"),
    ),
    text="Identify directive: return parameters",
    section="8.1.8.2.1.1",
    label="identify directive",
)

STREAMS_PARAMS = Structure(
    "StreamsParameters",
    "nvme_streams_params",
    32,
    (
        Field("msl", 0, 2, "streams at most"),
        Field("nssa", 2, 2, "streams of the subsystem that are available"),
        Field("nsso", 4, 2, "streams of the subsystem that are open"),
        Field("nssc", 6, 1, "capability", bits=(Bits("ssid", 0, text="host identifiers share streams"),)),
        Field("sws", 16, 4, "stream write size", unit="LBAs"),
        Field("sgs", 20, 2, "stream granularity", unit="SWS"),
        Field("nsa", 22, 2, "streams that the namespace has allocated"),
        Field("nso", 24, 2, "streams of the namespace that are open"),
    ),
    text="Streams directive: return parameters",
    section="8.1.8.3.1.1",
    label="streams parameters",
)

STREAMS_STATUS = Structure(
    "StreamsStatus",
    "nvme_streams_status",
    2,
    (
        Field("osc", 0, 2, "open streams"),
        Field("sid", 2, 2, "stream identifiers", count=0, counted_by="osc"),
    ),
    text="Streams directive: get status",
    section="8.1.8.3.1.2",
    label="streams status",
)

# ---- FDP ----

RUH_STATUS = Structure(
    "ReclaimUnitHandleStatus",
    "nvme_ruh_status",
    32,
    (
        Field("pid", 0, 2, "placement identifier"),
        Field("ruhid", 2, 2, "reclaim unit handle"),
        Field("earutr", 4, 4, "time until the reclaim unit is replaced, 0: not reported", unit="s"),
        Field("ruamw", 8, 8, "space left in the reclaim unit", unit="LBAs"),
    ),
    text="Reclaim Unit Handle Status Descriptor",
    section="7.3.1.1",
    label="reclaim unit handle status descriptor",
)

RUH_STATUS_LIST = Structure(
    "ReclaimUnitHandleStatusList",
    "nvme_ruh_status_list",
    16,
    (
        Field("nruhsd", 14, 2, "descriptors"),
        Field("ruhs", 16, 32, "descriptors", count=0, kind="struct", struct=RUH_STATUS, counted_by="nruhsd"),
    ),
    text="Reclaim Unit Handle Status, data of I/O Management Receive",
    section="7.3.1.1",
    label="reclaim unit handle status",
)

NS_MANAGEMENT = Structure(
    "NamespaceManagementData",
    "nvme_ns_management_data",
    4096,
    (
        Field("nsze", 0, 8, "size", unit="LBAs"),
        Field("ncap", 8, 8, "capacity", unit="LBAs"),
        Field("flbas", 26, 1, "LBA format"),
        Field("dps", 29, 1, "protection"),
        Field("nmic", 30, 1, "sharing"),
        Field("anagrpid", 92, 4, "ANA group", since="1.4"),
        Field("nvmsetid", 100, 2, "NVM set", since="1.4"),
        Field("endgid", 102, 2, "endurance group", since="1.4"),
        Field("lbstm", 384, 8, "mask of the storage tag", since="2.0", hex=True),
        Field("nphndls", 392, 2, "placement handles", since="2.1"),
        Field("znsco", 499, 1, "options of a zoned namespace, bit 0: allocate random write areas", since="2.0"),
        Field("rar", 500, 4, "requested active zones, 0: the drive chooses", since="2.0"),
        Field("ror", 504, 4, "requested open zones, 0: the drive chooses", since="2.0"),
        Field("rnumzrwa", 508, 4, "requested random write areas of zones", since="2.0"),
        Field("phndl", 512, 2, "reclaim unit handle of each placement handle", count=128, since="2.1"),
    ),
    text="data of Namespace Management that creates a namespace",
    section="5.1.21.1.1",
    label="data of Namespace Management",
)

HEADERS = (
    Header(
        "nvme_data.h",
        "Descriptors in the data of commands: SGLs, ranges, zones, reservations, directives.\n"
        "NVM Express Base Specification 2.1; NVM Command Set Specification 1.1; Zoned Namespace Command Set "
        "Specification 1.2.\n"
        "Layout only, no behaviour. Host and virtual SSD both include it.",
        (
            SGL_TYPE,
            SGL_DESCRIPTOR,
            COPY_FORMAT_1,
            COPY_FORMAT_2,
            COPY_FORMAT_3,
            LBA_STATUS_DESCRIPTOR,
            LBA_STATUS_LIST,
            BitGroup(LBA_STATUS_BITS, "status of an LBA status descriptor"),
            enums.MIGRATION_ENTRY,
            enums.MIGRATION_CHANGE,
            MIGRATION_QUEUE_ENTRY,
            SQ_STATE,
            CQ_STATE,
            CONTROLLER_STATE,
            enums.ZONE_STATE,
            ZONE_DESCRIPTOR,
            ZONE_REPORT,
            enums.RESERVATION_TYPE,
            REGISTERED_CTRL,
            RESERVATION_STATUS,
            REGISTERED_CTRL_EXT,
            RESERVATION_STATUS_EXT,
            RESERVATION_KEYS,
            DIRECTIVES,
            STREAMS_PARAMS,
            STREAMS_STATUS,
            RUH_STATUS,
            RUH_STATUS_LIST,
            NS_MANAGEMENT,
        ),
        includes=("stddef.h", "stdint.h"),
    ),
)
