# SPDX-License-Identifier: BSD-3-Clause
"""What holds for each structure that a drive reports, whatever drive it is."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from pynvme.spec import AdminOpcode, IoOpcode


class Rule(NamedTuple):
    """Something that holds for a structure."""

    text: str
    holds: Callable[[Any], bool]


def is_text(value: str) -> bool:
    """Whether a text has printable characters only."""
    return all(0x20 <= ord(letter) < 0x7F for letter in value)


def watts(state: Any) -> float:
    """The maximum power of a power state."""
    return int(state.mp) * (1e-4 if state.flags.mxps else 1e-2)


def plausible_limits(ctrl: Any) -> bool:
    """Whether the temperatures that a controller warns of are some that a drive reaches, in Kelvin."""
    return all(not one or 273 <= one <= 473 for one in (ctrl.wctemp, ctrl.cctemp))


def plausible_idle_power(ctrl: Any) -> bool:
    """Whether no power state takes more power when idle than at most."""
    units = {1: 1e-4, 2: 1e-2}
    return all(
        int(state.ips.ips) not in units or int(state.idlp) * units[int(state.ips.ips)] <= watts(state)
        for state in (ctrl.psd[n] for n in range(ctrl.npss + 1))
        if state.mp
    )


def no_nul(ctrl: Any) -> bool:
    """Whether the texts are padded with spaces."""
    return 0 not in bytes(ctrl)[4:72]


def is_set(value: Any) -> bool:
    """Whether a field is not zero."""
    return any(value) if isinstance(value, bytes) else bool(int(value))


def only_with(claim: str, is_claimed: Callable[[Any], object], *fields: str) -> Rule:
    """Fields that are zero unless a drive claims what they describe."""
    names = ", ".join(field.upper() for field in fields)
    return Rule(
        f"zeros in {names} without {claim}",
        lambda one: bool(is_claimed(one)) or not any(is_set(one[field]) for field in fields),
    )


CONTROLLER_RULES = (
    Rule("a PCI vendor ID", lambda c: c.vid not in (0, 0xFFFF)),
    Rule("a serial number of printable characters", lambda c: bool(c.sn.strip()) and is_text(c.sn)),
    Rule("a model number of printable characters", lambda c: bool(c.mn.strip()) and is_text(c.mn)),
    Rule("a firmware revision of printable characters", lambda c: bool(c.fr.strip()) and is_text(c.fr)),
    Rule("namespaces (NN)", lambda c: 0 < c.nn < 0xFFFFFFFF),
    Rule("submission queue entries of 64 bytes (SQES)", lambda c: c.sqes.mins == 6 <= c.sqes.maxs),
    Rule("completion queue entries of 16 bytes (CQES)", lambda c: c.cqes.mins == 4 <= c.cqes.maxs),
    Rule("power states (NPSS below 32)", lambda c: c.npss < 32),
    Rule(
        "power states in the order of their maximum power (MP, MXPS)",
        lambda c: all(watts(c.psd[n]) >= watts(c.psd[n + 1]) for n in range(c.npss) if c.psd[n + 1].mp),
    ),
    Rule(
        "relative performance below the number of power states (RRT, RRL, RWT, RWL)",
        lambda c: all(
            int(one) <= c.npss
            for n in range(c.npss + 1)
            for one in (c.psd[n].rrt, c.psd[n].rrl, c.psd[n].rwt, c.psd[n].rwl)
        ),
    ),
    Rule("an operational power state 0 (PSD 0, NOPS)", lambda c: not c.psd[0].flags.nops),
    Rule(
        "zeros in descriptors of power states that do not exist (PSD above NPSS)",
        lambda c: not any(any(bytes(c.psd[n])) for n in range(c.npss + 1, 32)),
    ),
    Rule("unallocated capacity only with a total one (TNVMCAP)", lambda c: c.tnvmcap or not c.unvmcap),
    Rule("one way to modify media after sanitize (NODMMAS below 3)", lambda c: c.sanicap.nodmmas < 3),
    Rule("a time of an extended self-test, if there is one (EDSTT)", lambda c: c.edstt or not c.oacs.dsts),
    Rule("a flush of all namespaces that is known (VWC 2:1 not 01b)", lambda c: c.vwc.fb != 1),
    Rule("SGLs of a known kind (SGLS 1:0 not 11b)", lambda c: c.sgls.sgls != 3),
    Rule(
        "queue entries that hold the standard ones (SQES and CQES up to 2^15 bytes)",
        lambda c: c.sqes.maxs <= 15 and c.cqes.maxs <= 15,
    ),
    Rule("allocated namespaces within NN (MNAN)", lambda c: c.mnan <= c.nn),
    Rule("groups for ANA only if it is reported (CMIC bit 3)", lambda c: c.cmic.anars or not c.nanagrpid),
    Rule(
        "a host memory buffer that can be had (HMMIN above 0 only with HMPRE)",
        lambda c: c.hmpre or not c.hmmin,
    ),
    Rule("temperatures of a drive (WCTEMP and CCTEMP from 273 to 473 K, or 0)", plausible_limits),
    Rule(
        "thermal temperatures, if they can be set (MNTMT and MXTMT)",
        lambda c: not c.hctma.hctms or 0 < c.mntmt <= c.mxtmt,
    ),
    Rule("padding of spaces only (SN, MN and FR have no NUL)", lambda c: no_nul(c)),
    Rule("firmware slots (FRMW 3:1 from 1 to 7)", lambda c: 1 <= c.frmw.nofs <= 7),
    Rule("a temperature threshold (WCTEMP not above CCTEMP)", lambda c: not c.cctemp or c.wctemp <= c.cctemp),
    Rule("host memory (HMMIN not above HMPRE)", lambda c: c.hmmin <= c.hmpre),
    Rule("thermal temperatures (MNTMT not above MXTMT)", lambda c: c.mntmt <= c.mxtmt),
    Rule("an atomic unit (AWUPF not above AWUN)", lambda c: c.awupf <= c.awun),
    Rule("capacity (UNVMCAP not above TNVMCAP)", lambda c: not c.tnvmcap or c.unvmcap <= c.tnvmcap),
    Rule("an I/O controller (CNTRLTYPE 0 or 1)", lambda c: int(c.cntrltype) in (0, 1)),
    Rule("a subsystem name (SUBNQN nqn.…)", lambda c: not c.subnqn or c.subnqn.startswith("nqn.")),
    Rule(
        "a controller type, since version 1.4 (CNTRLTYPE 1)",
        lambda c: int(c.ver) < 0x00010400 or int(c.cntrltype) == 1,
    ),
    Rule("idle power that is not above the maximum (IDLP, MP)", lambda c: plausible_idle_power(c)),
    Rule(
        "events of ANA and of endurance groups only with these (OAES bits 11 and 14)",
        lambda c: (c.cmic.anars or not c.oaes.anan) and (c.ctratt.egs or not c.oaes.egea),
    ),
    Rule(
        "LBA status alerts only with Get LBA Status (OAES bit 13)", lambda c: c.oacs.glss or not c.oaes.lban
    ),
    only_with("read recovery levels (CTRATT bit 3)", lambda c: c.ctratt.rrlvls, "rrls"),
    only_with("NVM sets (CTRATT bit 2)", lambda c: c.ctratt.nsets, "nsetidmax"),
    only_with("endurance groups (CTRATT bit 4)", lambda c: c.ctratt.egs, "endgidmax", "megcap"),
    only_with("several domains (CTRATT bit 10)", lambda c: c.ctratt.mds, "domainid"),
    only_with("ANA (CMIC bit 3)", lambda c: c.cmic.anars, "anatt", "anacap", "anagrpmax"),
    only_with("the persistent event log (LPA bit 4)", lambda c: c.lpa.pes, "pels"),
    only_with("self-tests (OACS bit 4)", lambda c: c.oacs.dsts, "edstt", "dsto"),
    only_with("a host memory buffer (HMPRE)", lambda c: c.hmpre, "hmminds", "hmmaxd"),
    only_with("RPMB units (RPMBS 2:0)", lambda c: c.rpmbs.nrpmbu, "rpmbs"),
    only_with("Copy (ONCS bit 8)", lambda c: c.oncs.nvmcpys, "ocfs"),
    only_with("SGLs (SGLS 1:0)", lambda c: c.sgls.sgls, "sgls"),
    only_with("a version of the drive (VER)", lambda c: c.ver, "rtd3r", "rtd3e"),
)


def metadata_fits(space: Any) -> bool:
    """Whether metadata follow the data only if the namespace can do that."""
    return not space.flbas.mdbs or bool(space.mc.mtelba)


NAMESPACE_RULES = (
    Rule("a size (NSZE)", lambda n: n.nsze > 0),
    Rule("a capacity (NCAP from 1 to NSZE)", lambda n: 0 < n.ncap <= n.nsze),
    Rule("a utilization (NUSE not above NCAP)", lambda n: n.nuse <= n.ncap),
    Rule("a format that exists (FLBAS not above NLBAF)", lambda n: n.flbas.lbafil <= n.nlbaf),
    Rule(
        "LBAs of at least 512 bytes (LBADS of the format in use)",
        lambda n: 9 <= n.lbaf[n.flbas.lbafil].lbads <= 16,
    ),
    Rule("a value of deallocated LBAs (DLFEAT 2:0 below 3)", lambda n: n.dlfeat.rdb < 3),
    Rule("formats (NLBAF below 64)", lambda n: n.nlbaf < 64),
    Rule(
        "LBAs of 512 bytes to 64 KiB in each format that can be used (LBADS)",
        lambda n: all(not n.lbaf[i].lbads or 9 <= n.lbaf[i].lbads <= 16 for i in range(n.nlbaf + 1)),
    ),
    Rule(
        "zeros in formats that do not exist (LBAF above NLBAF and NULBAF)",
        lambda n: not any(any(bytes(n.lbaf[i])) for i in range(n.nlbaf + n.nulbaf + 1, 64)),
    ),
    Rule("no format in progress (FPI 6:0 is 0)", lambda n: not n.fpi.remaining),
    Rule("metadata that the format in use can have (FLBAS bit 4 within MC bit 0)", metadata_fits),
    Rule("a protection type of 0 to 3 (DPS 2:0)", lambda n: n.dps.pit < 4),
    Rule(
        "an atomic boundary that holds the atomic unit (NABSN, NABSPF)",
        lambda n: (
            not n.nsfeat.nsabp
            or ((not n.nabsn or n.nabsn >= n.nawun) and (not n.nabspf or n.nabspf >= n.nawupf))
        ),
    ),
    Rule(
        "NVMCAP that holds NSZE",
        lambda n: not n.nvmcap or n.nvmcap >= n.ncap << n.lbaf[n.flbas.lbafil].lbads,
    ),
    Rule("an atomic unit (NAWUPF not above NAWUN)", lambda n: n.nawupf <= n.nawun or not n.nsfeat.nsabp),
    Rule(
        "no protection that it cannot have (DPS within DPC)", lambda n: not int(n.dps) & 7 or int(n.dpc) != 0
    ),
    Rule("a place of protection only with protection (DPS bit 3)", lambda n: n.dps.pit or not n.dps.pip),
    only_with("a format with metadata (MS)", lambda n: most_metadata(n) > 0, "mc"),
    only_with("a format with 8 bytes of metadata (MS)", lambda n: most_metadata(n) >= 8, "dpc"),
    only_with("NSABP (NSFEAT bit 1)", lambda n: n.nsfeat.nsabp, "nabo"),
    Rule(
        "high bits of the format only with more than 16 (FLBAS 6:5)",
        lambda n: n.nlbaf > 15 or not n.flbas.lbafih,
    ),
    Rule("no write protection (NSATTR bit 0), since it is written here", lambda n: not n.nsattr.wps),
)


def most_metadata(space: Any) -> int:
    """Bytes of metadata of an LBA, in the format that has most of them."""
    return max(int(space.lbaf[index].ms) for index in range(min(space.nlbaf, 63) + 1))


def rules_of_namespaces(ctrl: Any) -> tuple[Rule, ...]:
    """What holds for a namespace because of what its controller claims."""
    return (
        only_with("reservations (ONCS bit 5)", lambda _: ctrl.oncs.reservs, "rescap"),
        only_with("ANA (CMIC bit 3)", lambda _: ctrl.cmic.anars, "anagrpid"),
        only_with("NVM sets (CTRATT bit 2)", lambda _: ctrl.ctratt.nsets, "nvmsetid"),
        only_with("endurance groups (CTRATT bit 4)", lambda _: ctrl.ctratt.egs, "endgid"),
        only_with("Copy (ONCS bit 8)", lambda _: ctrl.oncs.nvmcpys, "mssrl", "mcl", "msrc"),
    )


HARMLESS_ADMIN = (
    AdminOpcode.DELETE_SQ,
    AdminOpcode.CREATE_SQ,
    AdminOpcode.GET_LOG_PAGE,
    AdminOpcode.DELETE_CQ,
    AdminOpcode.CREATE_CQ,
    AdminOpcode.IDENTIFY,
    AdminOpcode.ABORT,
    AdminOpcode.GET_FEATURES,
    AdminOpcode.ASYNC_EVENT,
)
"""Commands that change neither data nor a namespace."""

CHANGING_ADMIN = (AdminOpcode.FORMAT_NVM, AdminOpcode.SANITIZE)
CHANGING_IO = (
    IoOpcode.WRITE,
    IoOpcode.WRITE_UNCORRECTABLE,
    IoOpcode.WRITE_ZEROES,
    IoOpcode.DSM,
    IoOpcode.COPY,
)


def wrong_effects(log: Any) -> list[str]:
    """What log page 05h says of commands that cannot be so."""
    wrong = []
    for kind, entries in (("admin", log.acs), ("I/O", log.iocs)):
        for opcode in range(256):
            entry = entries[opcode]
            name = f"{kind} opcode {opcode:02x}h"
            if int(entry) and not entry.csupp:
                wrong.append(f"no effects of {name}, which is not supported, instead of {int(entry):#x}")
            if entry.cse > 2:
                wrong.append(f"CSE 0 to 2 of {name}, instead of {entry.cse}")
            if entry.csupp and kind == "admin" and opcode in HARMLESS_ADMIN and int(entry) & 0xE:
                wrong.append(f"LBCC, NCC and NIC 0 of {name}, instead of {int(entry):#x}")
            changes = CHANGING_ADMIN if kind == "admin" else CHANGING_IO
            if entry.csupp and opcode in changes and not entry.lbcc:
                wrong.append(f"LBCC 1 of {name}, which changes data")
    return wrong
