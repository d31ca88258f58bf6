# SPDX-License-Identifier: BSD-3-Clause
"""Queues, their entries and PRP lists that a script builds by itself, field by field.

A :class:`nvme.Qpair` keeps the rules of the specification. The queues of this module keep those that the
script keeps: it writes each entry, rings each doorbell, and looks at each completion and its phase tag. So
it can send commands that no driver would build, in an order that no driver would use. Scripts of the 2.x
API import these names from ``psd``.

    import nvme as d
    from pynvme.metamode import CQE, IOCQ, IOSQ, PRP, SQE

    nvme0 = d.Controller(d.Pcie("vssd"))
    cq = IOCQ(nvme0, 1, 8, PRP())
    sq = IOSQ(nvme0, 1, 8, PRP(), cq=cq)
    command = SQE(2, 1)                   # Read, NSID 1
    command.cid = 0x1234
    command.prp1 = PRP()
    sq[0] = command
    sq.tail = 1                           # rings the doorbell
    cq.wait_pbit(0, 1)
    assert cq[0].cid == 0x1234 and cq[0].status == 0
    cq.head = 1
    sq.delete()
    cq.delete()

Memory that the controller may use stays allocated: that of a queue until the queue is deleted, another one
is created with its identifier, or the Controller is gone; that of data until the script releases the
completion of their command, by the head of the completion queue. Neither the driver nor the command log
sees these commands, and verification regards what they write as unknown.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar, cast, overload
from weakref import WeakKeyDictionary

import nvme
from nvme import Buffer

from pynvme import spec
from pynvme.sgl import Descriptor, Sgl
from pynvme.values import check, field, integer

PAGE = 4096

E = TypeVar("E", bound="_Entry")


# -- memory for the controller --


class PRP(Buffer):
    """One or more contiguous pages of memory. It is a Buffer by the name that scripts use here.

    Args:
        size: bytes. It starts at a page
        name, pvalue, ptype: as those of a Buffer
    """


class PRPList(Buffer):
    """A page of PRP entries, each of which is 64 bits (Base 2.0, 4.1.1 Physical Region Page Entry and List).

    An index reads or writes an entry, as the address that the controller sees. A slice reads or writes bytes,
    as in a Buffer. The list keeps a Buffer that is written as an entry. The last entry may be another list.

    Example:
        >>> pages = PRPList()
        >>> pages[0] = PRP()
        >>> pages[1] = 0x1003             # an offset that no entry of a list may have
        >>> command.prp2 = pages
    """

    def __init__(self, size: int = PAGE, name: str = "PRP list") -> None:
        super().__init__(size, name)
        self._pages: dict[int, Buffer] = {}

    def _at(self, index: Any) -> int:
        number = integer(index, "an index")
        count = Buffer.__len__(self) // 8
        if not 0 <= number < count:
            raise IndexError(f"entry {number} of a list of {count} entries")
        return number

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return super().__getitem__(index)
        at = self._at(index) * 8
        return int.from_bytes(super().__getitem__(slice(at, at + 8)), "little")

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            super().__setitem__(index, value)
            return
        at = self._at(index)
        self._pages.pop(at, None)
        if isinstance(value, Buffer):
            self._pages[at] = value
        super().__setitem__(slice(at * 8, at * 8 + 8), _address(value, f"entry {at}").to_bytes(8, "little"))

    def __iter__(self) -> Iterator[int]:
        return iter(memoryview(self).cast("Q"))

    @property
    def pages(self) -> int:
        """How many Buffers there are from the first entry on without a gap."""
        count = 0
        while count in self._pages:
            count += 1
        return count

    def page(self, index: int) -> Buffer:
        """The Buffer that was written as an entry. KeyError if it was an address."""
        return self._pages[index]


def _address(value: Any, name: str) -> int:
    """Where the controller finds a Buffer, or an address as it is."""
    return value.phys_addr if isinstance(value, Buffer) else field(value, 64, name)


# -- entries --


class _Bits:
    """Bits of a dword of an entry, as an int."""

    def __init__(self, dword: int, low: int = 0, width: int = 32) -> None:
        self.dword, self.low, self.width = dword, low, width

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        high = self.low + self.width - 1
        bits = "" if self.width == 32 else f", bits {high}:{self.low}" if self.width > 1 else f", bit {high}"
        self.__doc__ = f"dword {self.dword}{bits}"

    @overload
    def __get__(self, entry: None, owner: type) -> _Bits: ...

    @overload
    def __get__(self, entry: _Entry, owner: type) -> int: ...

    def __get__(self, entry: _Entry | None, owner: type) -> _Bits | int:
        if entry is None:
            return self
        return entry[self.dword] >> self.low & (1 << self.width) - 1

    def __set__(self, entry: _Entry, value: Any) -> None:
        mask = (1 << self.width) - 1 << self.low
        entry[self.dword] = entry[self.dword] & ~mask | field(value, self.width, self.name) << self.low


class _Pointer:
    """A 64-bit address of an entry. It takes a Buffer, which the entry keeps, or an int."""

    def __init__(self, dword: int) -> None:
        self.dword = dword

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.__doc__ = f"dwords {self.dword} and {self.dword + 1}; a Buffer, or an address"

    @overload
    def __get__(self, entry: None, owner: type) -> _Pointer: ...

    @overload
    def __get__(self, entry: _Entry, owner: type) -> int: ...

    def __get__(self, entry: _Entry | None, owner: type) -> _Pointer | int:
        if entry is None:
            return self
        return entry[self.dword] | entry[self.dword + 1] << 32

    def __set__(self, entry: SQE, value: Any) -> None:
        address = _address(value, self.name)
        entry.buffers.pop(self.name, None)
        if isinstance(value, Buffer):
            entry.buffers[self.name] = value
        entry[self.dword], entry[self.dword + 1] = address & 0xFFFFFFFF, address >> 32


class _Entry:
    """Dwords, with an index each. Fields are attributes."""

    DWORDS: ClassVar[int]
    _dwords: memoryview

    @classmethod
    def _view(cls: type[E], memory: Any) -> E:
        """An entry in the memory of a queue."""
        new = object.__new__(cls)
        new._dwords = memoryview(memory).cast("B").cast("I")
        return new

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(f"{type(self).__name__} has no field {name}")
        object.__setattr__(self, name, value)

    def _at(self, index: Any) -> int:
        number = integer(index, "an index")
        if not 0 <= number < self.DWORDS:
            raise IndexError(f"dword {number} of an entry of {self.DWORDS} dwords")
        return number

    def __len__(self) -> int:
        return self.DWORDS

    def __getitem__(self, index: Any) -> int:
        return int(self._dwords[self._at(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        at = self._at(index)
        self._dwords[at] = field(value, 32, f"dword {at}")

    def __bytes__(self) -> bytes:
        return self._dwords.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]


class SQE(_Entry):
    """A submission queue entry: 16 dwords (Base 2.0, 3.3.3.1 Submission Queue Entry).

    Dwords that are not given are 0. An index reads or writes a dword. ``cdw2``, ``cdw3`` and ``cdw10`` to
    ``cdw15`` are attributes as well.

    Args:
        dwords: dwords 0, 1 and so on. SQE(2, 1) is a Read of namespace 1, as dword 0 begins with the opcode

    Raises:
        AssertionError: a dword has more than 32 bits, or there are more than 16

    Example:
        >>> write = SQE(1, 1)
        >>> write.cid = 7
        >>> write.prp1 = buf
        >>> write[12] = 7                 # 8 LBAs
    """

    DWORDS = 16

    opc = _Bits(0, 0, 8)
    fuse = _Bits(0, 8, 2)
    psdt = _Bits(0, 14, 2)
    cid = _Bits(0, 16, 16)
    nsid = _Bits(1)
    cdw2 = _Bits(2)
    cdw3 = _Bits(3)
    mptr = _Pointer(4)
    prp1 = _Pointer(6)
    prp2 = _Pointer(8)
    cdw10 = _Bits(10)
    cdw11 = _Bits(11)
    cdw12 = _Bits(12)
    cdw13 = _Bits(13)
    cdw14 = _Bits(14)
    cdw15 = _Bits(15)

    def __init__(self, *dwords: int) -> None:
        check(len(dwords) <= self.DWORDS, f"an SQE has {self.DWORDS} dwords, not {len(dwords)}")
        self._dwords = memoryview(bytearray(64)).cast("I")
        self._buffers: dict[str, Buffer | Sgl] = {}
        for index, dword in enumerate(dwords):
            self[index] = dword

    @classmethod
    def _in_queue(cls, memory: Any, buffers: dict[str, Buffer | Sgl]) -> SQE:
        entry = cls._view(memory)
        entry._buffers = buffers
        return entry

    @property
    def sgl(self) -> bytes:
        """Dwords 6 to 9. Setting it takes an Sgl or a Descriptor of pynvme.sgl, and sets PSDT to 1."""
        return bytes(self)[24:40]

    @sgl.setter
    def sgl(self, value: Sgl | Descriptor) -> None:
        if not isinstance(value, (Sgl, Descriptor)):
            raise TypeError(f"sgl must be an Sgl or a Descriptor, not {type(value).__name__}")
        self.prp1 = self.prp2 = 0
        for index, dword in enumerate(struct.unpack("<4I", bytes(value))):
            self[6 + index] = dword
        self.psdt = 1
        self.buffers["prp1"] = value if isinstance(value, Sgl) else Sgl(value)

    @property
    def buffers(self) -> dict[str, Buffer | Sgl]:
        """The Buffers of the pointers, or an Sgl, by the names of the pointers."""
        return self._buffers

    def __repr__(self) -> str:
        known = spec.IO_COMMANDS.get(self.opc)
        name = known.name if known else f"opcode {self.opc:02X}h"
        dwords = " ".join(f"{dword:08x}" for dword in self._dwords)
        return f"<SQE: {name}, CID {self.cid:#x}, NSID {self.nsid:#x}: {dwords}>"


class CQE(_Entry):
    """A completion queue entry: 4 dwords (Base 2.0, 3.3.3.2 Common Completion Queue Entry).

    ``cq[0]`` is memory of the queue, which changes when the controller writes it. ``CQE(cq[0])`` is a copy.
    ``status`` has the 15 bits of the status field. The phase tag is ``p``.

    Args:
        entry: an entry, its 4 dwords, or its 16 bytes. The completion that a callback gets is such dwords

    Raises:
        ValueError: it has another length

    Example:
        >>> cqe = CQE(cq[0])
        >>> cqe.sct, cqe.sc, cqe.dnr
    """

    DWORDS = 4

    cdw0 = _Bits(0)
    cdw1 = _Bits(1)
    sqhd = _Bits(2, 0, 16)
    sqid = _Bits(2, 16, 16)
    cid = _Bits(3, 0, 16)
    p = _Bits(3, 16, 1)
    status = _Bits(3, 17, 15)
    sc = _Bits(3, 17, 8)
    sct = _Bits(3, 25, 3)
    crd = _Bits(3, 28, 2)
    m = _Bits(3, 30, 1)
    dnr = _Bits(3, 31, 1)

    def __init__(self, entry: Any = (0, 0, 0, 0)) -> None:
        if not isinstance(entry, (_Entry, bytes, bytearray, memoryview)):
            entry = struct.pack(f"<{len(entry)}I", *entry)
        raw = bytes(entry)
        if len(raw) != 16:
            raise ValueError(f"a CQE has 16 bytes, not {len(raw)}")
        self._dwords = memoryview(bytearray(raw)).cast("I")

    def __repr__(self) -> str:
        from pynvme import status

        return (
            f"<CQE: SQ {self.sqid}, CID {self.cid:#x}, P {self.p}, SQHD {self.sqhd}, "
            f"{status.describe(self.status & 0x7FF)}, dword 0 {self.cdw0:#x}>"
        )


# -- queues --


class _Lent:
    """The memory that a queue needs until it is deleted."""

    def __init__(self, memory: Buffer) -> None:
        self.memory = memory
        self.slots: dict[int, dict[str, Buffer | Sgl]] = {}
        """Of a submission queue: the data of each entry."""
        self.data: dict[int, list[dict[str, Buffer | Sgl]]] = {}
        """The same by CID, until the script releases the completion."""
        self.submitters: dict[int, _Lent] = {}
        """Of a completion queue: its submission queues."""


_lent: WeakKeyDictionary[nvme.Controller, dict[tuple[type, int], _Lent]] = WeakKeyDictionary()


class _Queue:
    ENTRY: ClassVar[int]
    CREATE: ClassVar[int]
    DELETE: ClassVar[int]
    SIDE: ClassVar[int]

    def __init__(self, controller: nvme.Controller, qid: int, qsize: int, prp: Buffer, pc: bool) -> None:
        if not isinstance(controller, nvme.Controller):
            raise TypeError(f"nvme must be a Controller, not {type(controller).__name__}")
        if not isinstance(prp, Buffer):
            raise TypeError(f"prp must be a Buffer, such as a PRP or a PRPList, not {type(prp).__name__}")
        self._nvme = controller
        self._qid = field(qid, 16, "the identifier of a queue")
        self._qsize = integer(qsize, "qsize")
        field(self._qsize - 1, 16, "qsize - 1")
        self._pc = bool(pc)
        if not pc and not isinstance(prp, PRPList):
            raise TypeError(f"prp must be a PRPList if pc is False, not {type(prp).__name__}")
        self._doorbell = 0x1000 + (2 * self._qid + self.SIDE) * (4 << (controller.cap >> 32 & 0xF))
        self._rung = 0
        self._own = _Lent(prp)
        self._check_room()

    @property
    def _room(self) -> int:
        """How many entries the memory holds."""
        memory = self._own.memory
        return (memory.size if self._pc else cast(PRPList, memory).pages * PAGE) // self.ENTRY

    def _check_room(self) -> None:
        """The controller uses all entries, unless it refuses their number, as it must by CAP.MQES."""
        room = self._room
        most = (self._nvme.cap & 0xFFFF) + 1
        check(
            room >= self._qsize or not 2 <= self._qsize <= most,
            f"{self._qsize} entries need {self._qsize * self.ENTRY} bytes, but prp has {room * self.ENTRY}",
        )

    def _create(self, dword11: int) -> None:
        memory = self._own.memory
        size = memory.size
        memory.size = min(size, PAGE - memory.offset % PAGE)  # PRP 2 is reserved
        try:
            ok = self._run(self.CREATE, memory, self._qsize - 1 << 16 | self._qid, dword11)
        finally:
            memory.size = size
        self.created = ok
        """Whether the controller has created it."""
        if not ok:
            return
        _lent.setdefault(self._nvme, {})[type(self), self._qid] = self._own
        if self._room < self._qsize:
            self.delete()
            raise nvme.QpairCreationError(
                f"the drive accepts a queue of {self._qsize} entries, and CAP.MQES allows 2 to "
                f"{(self._nvme.cap & 0xFFFF) + 1}. It was deleted, since its memory is shorter"
            )

    def _run(self, opcode: int, memory: Buffer | None, dword10: int, dword11: int = 0) -> bool:
        """Send an admin command. An error status is a warning, as that of any command."""
        found: list[int] = []

        def done(cdw0: int, status: int) -> None:
            found.append(status >> 1)

        self._nvme.send_cmd(opcode, memory, cdw10=dword10, cdw11=dword11, cb=done).waitdone()
        return found == [0]

    def _entry_at(self, index: Any) -> int:
        number = integer(index, "an index")
        room = min(self._qsize, self._room)
        if not 0 <= number < room:
            raise IndexError(f"entry {number} of a queue of {room} entries")
        return number

    def _bytes_of(self, index: int) -> memoryview:
        memory, begin = self._own.memory, index * self.ENTRY
        if not self._pc:
            memory, begin = cast(PRPList, memory).page(begin // PAGE), begin % PAGE
        begin += memory.offset
        return memoryview(memory)[begin : begin + self.ENTRY]

    def __len__(self) -> int:
        return self._qsize

    @property
    def qsize(self) -> int:
        """Number of entries."""
        return self._qsize

    def _ring(self, value: Any) -> None:
        self._rung = field(value, 32, "the value of a doorbell")
        self._nvme[self._doorbell] = self._rung

    def delete(self) -> None:
        """Delete the queue (Base 2.0, 5.6 and 5.7). If the controller refuses, a warning says so.

        Deleting a queue that was not created does nothing.
        """
        if self.created and self._run(self.DELETE, None, self._qid):
            self.created = False
            _lent.get(self._nvme, {}).pop((type(self), self._qid), None)


class IOCQ(_Queue):
    """An I/O completion queue of a script (Base 2.0, 5.4 Create I/O Completion Queue).

    ``cq[i]`` is an entry in its memory. If the controller refuses the queue, a warning says so, and
    ``created`` is False.

    Args:
        nvme: the Controller
        cqid: the queue identifier, 1 to 65535, which no other completion queue has
        qsize: number of entries, 1 to 65536. The controller takes 2 to CAP.MQES + 1
        prp: its memory, of 16 bytes an entry. A PRPList if pc is False
        pc: whether its memory is physically contiguous
        iv: interrupt vector, or None for a queue without interrupts

    Raises:
        AssertionError: the memory is too short, or a value does not fit its field
        QpairCreationError: the controller accepted more entries than CAP.MQES allows, and prp is too short

    Example:
        >>> cq = IOCQ(nvme0, 1, 16, PRP())
    """

    ENTRY, CREATE, DELETE, SIDE = 16, 0x05, 0x04, 1

    def __init__(
        self,
        nvme: nvme.Controller,
        cqid: int,
        qsize: int,
        prp: Buffer,
        pc: bool = True,
        iv: int | None = None,
    ) -> None:
        super().__init__(nvme, cqid, qsize, prp, pc)
        self._phase = 1
        interrupts = 0 if iv is None else field(iv, 16, "iv") << 16 | 2
        self._create(interrupts | bool(pc))

    @property
    def cqid(self) -> int:
        """The queue identifier."""
        return self._qid

    @property
    def phase(self) -> int:
        """The phase tag that the next new entry at the head has. It changes when the head wraps."""
        return self._phase

    @property
    def head(self) -> int:
        """The head. Setting it writes any value of 32 bits to the doorbell, and releases entries."""
        return self._rung

    @head.setter
    def head(self, value: int) -> None:
        before = self._rung
        self._ring(value)
        if self._rung < before:
            self._phase ^= 1
        if self._rung < self._qsize:
            self._release(before, self._rung)

    def _release(self, first: int, end: int) -> None:
        """Let the data go of commands whose completions were released."""
        while first != end and first < self._qsize:
            cqe = CQE._view(self._bytes_of(first))
            submitter = self._own.submitters.get(cqe.sqid)
            if submitter is not None:
                submitter.data.pop(cqe.cid, None)
            first = (first + 1) % self._qsize

    def __getitem__(self, index: Any) -> CQE:
        return CQE._view(self._bytes_of(self._entry_at(index)))

    def wait_pbit(self, index: int, pbit: int = 1, timeout: float | None = None) -> None:
        """Wait until an entry has this phase tag.

        Args:
            index: of the entry
            pbit: 0 or 1
            timeout: seconds; None is that of the Controller

        Raises:
            TimeoutError: it does not have it in time

        Example:
            >>> cq.wait_pbit(cq.head, cq.phase)
        """
        entry = self[index]
        seconds = self._nvme.timeout / 1000 if timeout is None else timeout
        end = time.monotonic() + seconds
        while entry.p != pbit:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"the phase tag of entry {index} of completion queue {self._qid} is still {entry.p} "
                    f"after {seconds:g} s"
                )
            time.sleep(0)

    def waitdone(self, expected: int = 1, timeout: float | None = None) -> list[CQE]:
        """Take the next completions, and write the doorbell once.

        Args:
            expected: how many
            timeout: seconds for each; None is that of the Controller

        Returns:
            copies of the entries

        Raises:
            TimeoutError: one does not come in time. Those before it are not taken

        Example:
            >>> [cqe.cid for cqe in cq.waitdone(2)]
        """
        found = []
        head, phase = self._rung, self._phase
        for _ in range(integer(expected, "expected")):
            self.wait_pbit(head, phase, timeout)
            found.append(CQE(self[head]))
            head = (head + 1) % self._qsize
            phase ^= head == 0
        if found:
            self._ring_after(head, phase)
        return found

    def _ring_after(self, head: int, phase: int) -> None:
        """Set the head, also where it has wrapped once to where it was, or behind."""
        self._release(self._rung, head)
        self._ring(head)
        self._phase = phase

    def __repr__(self) -> str:
        return f"<IOCQ {self._qid}: {self._qsize} entries, head {self._rung}, phase {self._phase}>"


class IOSQ(_Queue):
    """An I/O submission queue of a script (Base 2.0, 5.5 Create I/O Submission Queue).

    ``sq[i] = sqe`` copies an entry into its memory, and ``sq[i]`` is that memory. The controller fetches
    entries when ``sq.tail`` is set. If it refuses the queue, a warning says so, and ``created`` is False.

    Args:
        nvme: the Controller
        sqid: the queue identifier, 1 to 65535, which no other submission queue has
        qsize: number of entries, 1 to 65536. The controller takes 2 to CAP.MQES + 1
        prp: its memory, of 64 bytes an entry. A PRPList if pc is False
        cq: its completion queue, as an IOCQ
        cqid: its completion queue by the identifier, instead of cq
        pc: whether its memory is physically contiguous
        qprio: priority, 0 urgent to 3 low, for weighted round robin

    Raises:
        AssertionError: the memory is too short, or a value does not fit its field
        QpairCreationError: the controller accepted more entries than CAP.MQES allows, and prp is too short

    Example:
        >>> sq = IOSQ(nvme0, 1, 16, PRP(), cq=cq)
    """

    ENTRY, CREATE, DELETE, SIDE = 64, 0x01, 0x00, 0

    def __init__(
        self,
        nvme: nvme.Controller,
        sqid: int,
        qsize: int,
        prp: Buffer,
        cq: IOCQ | None = None,
        cqid: int | None = None,
        pc: bool = True,
        qprio: int = 0,
    ) -> None:
        super().__init__(nvme, sqid, qsize, prp, pc)
        check((cq is None) != (cqid is None), "IOSQ needs its completion queue: either cq or cqid")
        if cq is not None and not isinstance(cq, IOCQ):
            raise TypeError(f"cq must be an IOCQ, not {type(cq).__name__}")
        self._cqid = cq.cqid if cq is not None else field(cqid, 16, "cqid")
        self._create(self._cqid << 16 | field(qprio, 2, "qprio") << 1 | bool(pc))
        its = _lent.get(nvme, {}).get((IOCQ, self._cqid))
        if self.created and its is not None:
            its.submitters[self._qid] = self._own

    @property
    def sqid(self) -> int:
        """The queue identifier."""
        return self._qid

    @property
    def cqid(self) -> int:
        """The identifier of its completion queue."""
        return self._cqid

    @property
    def tail(self) -> int:
        """The tail. Setting it writes any value of 32 bits to the doorbell."""
        return self._rung

    @tail.setter
    def tail(self, value: int) -> None:
        self._ring(value)

    def __getitem__(self, index: Any) -> SQE:
        at = self._entry_at(index)
        return SQE._in_queue(self._bytes_of(at), self._own.slots.setdefault(at, {}))

    def __setitem__(self, index: Any, entry: Any) -> None:
        at = self._entry_at(index)
        raw = bytes(entry)
        if len(raw) != self.ENTRY:
            raise ValueError(f"an SQE has {self.ENTRY} bytes, not {len(raw)}")
        buffers = dict(entry.buffers) if isinstance(entry, SQE) else {}
        self._bytes_of(at)[:] = raw
        self._own.slots[at] = buffers
        self._own.data.setdefault(self[at].cid, []).append(buffers)

    def submit(self, *entries: SQE) -> None:
        """Copy entries to the tail and behind it, and ring the doorbell once. CIDs are left as they are.

        Example:
            >>> sq.submit(compare, write)     # fused commands
        """
        tail = self._rung
        for entry in entries:
            self[tail] = entry
            tail = (tail + 1) % self._qsize
        self.tail = tail

    def __repr__(self) -> str:
        return f"<IOSQ {self._qid}: {self._qsize} entries, tail {self._rung}, completion queue {self._cqid}>"
