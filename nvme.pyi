# SPDX-License-Identifier: BSD-3-Clause
"""NVMe SSD testing from Python scripts.

A script opens a drive by its address, sends commands to it, and waits for their completions:

    import nvme as d

    nvme0 = d.Controller("vssd")                # "01:00.0" for a drive in a slot
    buf = d.Buffer(4096)
    nvme0.identify(buf).waitdone()
    print(buf.data(63, 24, str))                # model number

Classes:

    Buffer      memory that the drive reads and writes
    Pcie        the PCI function: configuration space, resets, power states
    Controller  registers and admin commands
    Qpair       an IO submission and completion queue
    Namespace   IO commands, and the verification of what they read
    IOWorker    a process that sends IO as fast as the drive completes it
    Subsystem   power, shutdown, NVM subsystem reset

Addresses:

    "01:00.0", b"01:00.0", "0000:01:00.0"   a PCI function, which pynvme binds to the kernel's vfio-pci
    "/path/to/dir", "/path/to/socket"       a vfio-user device. In a directory its socket is named cntrl
    "vssd", "vssd:size=8G,name=a"           a virtual SSD of this process. It starts at first use and ends
                                            with the process. The same text opens the same drive again,
                                            with its data

Commands are asynchronous. An admin command returns the Controller and an IO command its Qpair, so that
a script can call waitdone() after each command, or once for many:

    for lba in range(8):
        nvme0n1.read(qpair, buf, lba)
    qpair.waitdone(8)

Each command takes a callback, cb, which waitdone() calls when the command has completed. A callback takes
one argument or two. cb(cpl) gets the four dwords of the completion queue entry as a tuple.
cb(cdw0, status) gets dword 0 and the upper half of dword 3. This half includes the phase bit, so that SC is
status >> 1 & 0xff and SCT is status >> 9 & 7. A callback may send commands and wait for them. If an
assertion in it fails, pynvme issues the warning "ASSERT: ...", which names the file and the line of the
assertion. waitdone() raises any other exception of a callback.

A command that the drive fails does not raise an exception. pynvme issues a UserWarning, and the script
continues.

    ERROR status: 01/06 NAME                a command completed with this SCT and SC, in hex
    ERROR status: 07/81 NAME                a read returned other data than were written. The log names the
                                            first wrong LBA. pynvme sets this status, not the drive
    drive timeout: qpair: 1, cid: 5         a command took longer than Controller.timeout. pynvme completes
                                            it with all ones
    ASSERT: ... (test.py:12)                an assertion in a callback failed
    AER notification is triggered: 0x...    an asynchronous event, with dword 0 of its completion

Python shows a warning once for each line of a script. At the end of a script pynvme therefore prints one
more line on standard error, with the number of commands that failed, by status. PYNVME_SUMMARY=0 in the
environment switches it off. Under pytest the summary lists these numbers for each test that did not expect
them with pytest.warns, and --nvme-errors=fail makes such a test fail. A verification mismatch (07/81) and
a failed assertion in a callback always fail the test.

A wrong call raises at once, also under python -O. A value that fits no field or no buffer is an
AssertionError, and a wrong type is a TypeError. An int may also be a float without a fraction. pynvme sends
whatever fits the fields, and leaves it to the drive to refuse, say, an LBA past its end. Reading a
register as all ones raises SystemError, because the drive is gone or its memory space is disabled.

References are to the NVM Express Base Specification 2.0 ("Base"), the NVM Command Set Specification 1.0
("NVM"), the Zoned Namespace Command Set Specification 1.1 ("ZNS"), the Key Value Command Set Specification
1.1 ("KV") and the PCI Express Base Specification 5.0 ("PCIe").
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, SupportsIndex, overload

from pynvme.capabilities import Capabilities
from pynvme.decode import Features, Registers
from pynvme.engines import Engine
from pynvme.fdp import Fdp
from pynvme.lab.switch import Power
from pynvme.protection import Format, Pi
from pynvme.sgl import Descriptor, Sgl
from pynvme.spec import AnaLog, IdentifyController, IdentifyNamespace, IdentifyNamespaceKv, SmartLog
from pynvme.structure import Structure
from pynvme.trace import CommandLog, LiveLog
from pynvme.zone import Zone

__all__ = [
    "Buffer",
    "Controller",
    "DotDict",
    "IOWorker",
    "KeyValue",
    "Namespace",
    "NamespaceCreationError",
    "NamespaceDeletionError",
    "NvmeDeletionError",
    "NvmeEnumerateError",
    "NvmeShutdownStatusTimeoutError",
    "Pcie",
    "Qpair",
    "QpairCreationError",
    "QpairDeletionError",
    "Subsystem",
    "Tcp",
    "__version__",
    "engines",
    "srand",
]

__version__: str

_Int = SupportsIndex | float  # an int, what has __index__ (numpy), or a float without a fraction
_Address = bytes | str | os.PathLike[str]
_Keys = list[bytes]
_Completed = Callable[[tuple[int, int, int, int]], object] | Callable[[int, int], object]

class NvmeEnumerateError(Exception):
    """There is no such drive, it cannot be opened, or it does not become ready within CAP.TO."""

class NvmeDeletionError(Exception):
    """Never raised in this version. It exists for scripts that catch it."""

class NvmeShutdownStatusTimeoutError(Exception):
    """CSTS.SHST did not report the end of a shutdown in time (Base 3.6.1)."""

class QpairCreationError(Exception):
    """The drive refuses to create the IO queues, or has none left."""

class QpairDeletionError(Exception):
    """The drive refuses to delete the IO queues."""

class NamespaceCreationError(Exception):
    """The drive has no active namespace of this NSID, or refuses to identify it."""

class NamespaceDeletionError(Exception):
    """Never raised in this version. It exists for scripts that catch it."""

class DotDict(dict[str, Any]):
    """A dict whose keys are attributes too, so that r.mseconds is r["mseconds"].

    An attribute that is not a key raises AttributeError.
    """

    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def __delattr__(self, name: str) -> None: ...

class Buffer:
    """Zeroed memory that the drive can read and write, aligned to 4 KiB and shared with IO workers.

    Args:
        size: bytes, at least 1. Up to 4 MiB are contiguous for the drive
        name: shown by repr() and dump()
        pvalue, ptype: the pattern that fills the buffer, see below
        cmb: a Controller, whose controller memory buffer then holds this buffer, for commands of this
            controller only (NVM Express Base Specification, 8.5). By default it is in host memory

        ptype 0       zeros, or 0xff in every byte where pvalue is not 0
        ptype 32      pvalue, a 32-bit value, repeated
        ptype 0xbeef  random bytes in the first pvalue percent (0 to 100), zeros after them

    Raises:
        AssertionError: size is 0, or there is no such pattern
        MemoryError: the machine has too little memory
        NotImplementedError: cmb has no controller memory buffer, or it cannot be mapped

    A buffer is a sequence of bytes. b[i] is an int and b[a:b] is bytes. Negative indexes count from the
    end, and an index past the end raises IndexError. Values that are assigned to a slice need not fill it.
    memoryview(b) and numpy.asarray(b) see the memory itself, without a copy.

    A buffer stays alive until the commands that use it have completed, even if the script drops it. If a
    subclass does not call __init__, its buffer has 4096 bytes.

    Example:
        >>> b = Buffer(1024, "example")
        >>> b[0] = 0x5a
        >>> b[1:3] = [1, 2]
        >>> b[4:] = b"xyz"
        >>> b[:8]
        b'Z\\x01\\x02\\x00xyz\\x00'
        >>> hex(b.data(2, 0))
        '0x2015a'
    """

    def __init__(
        self,
        size: _Int = 4096,
        name: str | bytes = "buffer",
        pvalue: _Int = 0,
        ptype: _Int = 0,
        *,
        cmb: Controller | None = None,
    ) -> None: ...
    def __iter__(self) -> Iterator[int]: ...
    def __len__(self) -> int:
        """How many bytes are allocated. Setting size does not change this."""

    @overload
    def __getitem__(self, key: _Int) -> int:
        """The byte at an index as an int, or the bytes of a slice."""

    @overload
    def __getitem__(self, key: slice) -> bytes: ...
    @overload
    def __setitem__(self, key: _Int, value: _Int) -> None:
        """Set the byte at an index, or bytes from the start of a slice on."""

    @overload
    def __setitem__(self, key: slice, value: int | Iterable[SupportsIndex]) -> None: ...

    if TYPE_CHECKING:
        # The buffer protocol: to Cython, and before Python 3.12, it has no such name.
        def __buffer__(self, flags: int, /) -> memoryview: ...

    @property
    def size(self) -> int:
        """How many bytes a command may transfer, from offset on. By default it is all that are allocated.

        A script may set it, 0 to len(b). `del b.size` restores the default. pynvme refuses a command that
        transfers more bytes than are allocated. Once a script has set size or offset, pynvme sends such a
        command too, with PRPs for these bytes. The PRPs of a longer transfer point to a spare page of pynvme
        after that. PRPs describe pages of 4 KiB (Base 4.1.1), so that the drive also reaches the rest of the
        last page. LBAs that a write takes from the spare page become unknown, and such a read is not
        verified.

        Raises:
            AssertionError: the value is not 0 to len(b)

        Example:
            >>> b = Buffer(8192)
            >>> b.offset, b.size = 4, 512       # less than Identify returns, and not at a page's start
            >>> nvme0.identify(b).waitdone()
        """

    @size.setter
    def size(self, value: _Int) -> None: ...
    @size.deleter
    def size(self) -> None: ...
    @property
    def offset(self) -> int:
        """The byte at which commands begin to transfer, by default 0. A script may set it, 0 to len(b).

        If it is not a multiple of 4 KiB, the drive has to cope with a PRP offset (Base 4.1.1). If it is not a
        multiple of 4, the drive should refuse the command. `del b.offset` restores the default.

        Raises:
            AssertionError: the value is not 0 to len(b)
        """

    @offset.setter
    def offset(self, value: _Int) -> None: ...
    @offset.deleter
    def offset(self) -> None: ...
    @property
    def phys_addr(self) -> int:
        """The address at which the drive sees the byte at offset, for commands that carry addresses.

        It is a virtual address behind an IOMMU and for virtual SSDs. Once this process has opened a drive
        without an IOMMU (uio_pci_generic), it is a physical address, and only the bytes within the same
        2 MiB are contiguous.
        """

    @property
    def data_head(self) -> int:
        """The first 8 bytes, as a little-endian int. write() stamps the LBA number there."""

    @property
    def data_tail(self) -> int:
        """The last 8 bytes, as a little-endian int. write() stamps its token there."""

    @overload
    def data(self, byte_end: _Int, byte_begin: _Int | None = None, type: type[int] = int) -> int:
        """A field of a data structure, named by its last and its first byte as in the specifications.

        Args:
            byte_end: the last byte of the field
            byte_begin: its first byte. The default, None, is a field of one byte
            type: int for the little-endian value, str for ASCII text, without the blanks and zeros that
                pad it

        Returns:
            the field, an int or a str

        Raises:
            IndexError: the buffer does not have these bytes, or byte_begin is above byte_end
            TypeError: type is neither int nor str

        Example:
            >>> nvme0.identify(buf).waitdone()
            >>> hex(buf.data(1, 0))             # VID
            >>> buf.data(23, 4, str)            # serial number
        """

    @overload
    def data(self, byte_end: _Int, byte_begin: _Int | None = None, *, type: type[str]) -> str: ...
    @overload
    def data(self, byte_end: _Int, byte_begin: _Int | None, type: type[str]) -> str: ...
    def set_dsm_range(self, index: _Int, lba: _Int, lba_count: _Int, attr: _Int = 0) -> None:
        """Fill in one range of a Dataset Management command, 16 bytes (NVM 3.2.3).

        Args:
            index: which range, 0 to 255
            lba: its first LBA, 64 bits
            lba_count: how many LBAs, 32 bits
            attr: context attributes, 32 bits

        Raises:
            IndexError: index is not 0 to 255
            AssertionError: a value does not fit its field, or the buffer has no room for this range

        Example:
            >>> buf.set_dsm_range(0, 0, 8)
            >>> buf.set_dsm_range(1, 1024, 8)
            >>> nvme0n1.dsm(qpair, buf, 2).waitdone()
        """

    def set_copy_range(
        self, index: _Int, lba: _Int, lba_count: _Int, nsid: _Int = 0, size: _Int = 32
    ) -> None:
        """Fill in one source range of a Copy command, without tags (NVM 3.3.2).

        Args:
            index: which range, 0 to 255
            lba: its first LBA, 64 bits
            lba_count: how many LBAs, 1 to 65536
            nsid: the source namespace, 32 bits, for formats 2 and 3
            size: bytes of a range, 32 for formats 0 and 2, 40 for formats 1 and 3

        Raises:
            IndexError: index is not 0 to 255
            AssertionError: a value does not fit its field, or the buffer has no room for this range

        Example:
            >>> buf.set_copy_range(0, 100, 8)
            >>> nvme0n1.copy(qpair, buf, 0, 1).waitdone()
        """

    def decode(self, structure: str | type[Structure], offset: _Int = 0) -> Any:
        """A view of the buffer as a structure of the specification.

        Args:
            structure: a class of pynvme.spec, or its name, such as "id_ctrl", "smart" or "zone_report"
            offset: where it begins, in bytes

        Raises:
            ValueError: no structure is called so, or the buffer is too short

        Example:
            >>> nvme0.identify(buf, nsid=1, cns=0).waitdone()
            >>> buf.decode("id_ns").nsze

        """

    def dump(self, size: _Int | None = None) -> str:
        """Print the name and the first bytes, 16 a row, with their offset, in hex and as text.

        Args:
            size: how many bytes, 0 to len(b), by default all

        Returns:
            what it printed

        Raises:
            AssertionError: size is not 0 to len(b)

        Example:
            >>> text = Buffer(1024, "example").dump(16)
            example
            00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00   ................
        """

class Pcie:
    """The PCI function of a drive, with its configuration space, resets, link and device power.

    Args:
        addr: the drive's address, see help(nvme), or its Controller
        port: TCP port of an NVMe/TCP address, not used

    Raises:
        NvmeEnumerateError: there is no such drive, or it cannot be opened. If another process has a vfio-user
            device open, pynvme waits 5 s for it before it raises this, and names that process

    Opening changes nothing on the controller. If this script has the drive open already, both objects share
    it.

    pcie[i] is a byte of configuration space (0 to 0xfff) and pcie[a:b] a list of them. Both can be set,
    a byte at a time (PCIe 7.5). An offset that does not exist raises IndexError.

    Example:
        >>> pcie = Pcie("01:00.0")
        >>> hex(pcie.register(0, 2))            # vendor
        >>> nvme0 = Controller(pcie)
        >>> pcie.reset()
        >>> nvme0.reset()
        >>> pcie.close()
    """

    def __init__(self, addr: _Address | Controller, port: _Int = 0) -> None: ...
    @overload
    def __getitem__(self, key: _Int) -> int:
        """A byte of configuration space, or the bytes of a slice as a list."""

    @overload
    def __getitem__(self, key: slice) -> list[int]: ...
    @overload
    def __setitem__(self, key: _Int, value: _Int) -> None:
        """Write a byte of configuration space, or the bytes of a slice one after the other."""

    @overload
    def __setitem__(self, key: slice, value: Iterable[SupportsIndex]) -> None: ...
    def register(self, offset: _Int, byte_count: _Int = 4) -> int:
        """Read a register of configuration space, little-endian.

        Args:
            offset: its first byte, 0 to 0xfff
            byte_count: its width, 1 to 8 bytes

        Raises:
            IndexError: offset is outside of configuration space
            AssertionError: byte_count is not 1 to 8, or reaches past the end of configuration space

        Example:
            >>> pcie.register(4, 2) & 4         # Command, Bus Master Enable
        """

    def cap_offset(self, cap_id: int, extended: bool = False) -> int | None:
        """Find a capability in configuration space (PCIe 7.5, 7.6).

        Args:
            cap_id: 1 Power Management, 5 MSI, 0x10 PCI Express, 0x11 MSI-X. Among the extended
                capabilities, 1 is AER
            extended: look among the extended capabilities, from 0x100 on

        Returns:
            the offset of its first byte, or None if there is no such capability
        """

    @property
    def caps(self) -> Capabilities:
        """The header and the capabilities of configuration space, decoded (PCIe 7.5 to 7.9), as they are now.

        Each capability is an attribute: pm, msi, msix, exp (PCI Express), aer, dsn, sriov, ltr, l1pm. Its
        fields have the names of the NVMe over PCIe Transport Specification where that has them. `header` is
        the header. Others have the ID and the next offset only. A capability that the function lacks raises
        AttributeError.

        Example:
            >>> pcie.caps.exp.pxls.nlw                  # lanes in use
            >>> "msix" in pcie.caps, list(pcie.caps)
            >>> pcie.caps.msix.mxc.ts + 1               # vectors
            >>> pcie.caps                               # all of them, with their bits

        """

    def reset(self, rst_fn: Callable[[], object] | None = None) -> Literal[True]:
        """Reset the drive by a hot reset of the link's upstream port (PCIe 6.6.1).

        IO workers end, commands in flight complete with 00/08, and IO queues are deleted. Call
        Controller.reset() next. If you do not, the next command or Qpair initialises the controller.

        Args:
            rst_fn: a reset of your own, say by a power module. It is called without arguments instead of
                the hot reset
        """

    def flr(self) -> Literal[True]:
        """Reset the function by Initiate Function Level Reset in Device Control (PCIe 6.6.2).

        The effects on queues and commands, and what to call next, are those of reset().
        """

    @property
    def aspm(self) -> int:
        """ASPM Control in Link Control (PCIe 7.5.3.7). 0 is disabled, 1 L0s, 2 L1, 3 both. May be set.

        Reading returns the field of the drive. Setting it for a PCIe drive also sets it in the port above, in
        the order of PCIe 5.4.1.3, and needs root. Vfio-user devices have no port.

        Raises:
            AssertionError: the value is not 0 to 3
            NotImplementedError: the function has no PCI Express capability. For a PCIe drive also if one end
                of the link does not support this value, or if there is no port above. Nothing was changed
            PermissionError: a PCIe drive, and the script does not run as root

        Example:
            >>> pcie.aspm = 2
            NotImplementedError: aspm = 2 needs L1 only, and the port 0000:00:03.0 above it supports …
        """

    @aspm.setter
    def aspm(self, value: _Int) -> None: ...
    @property
    def power_state(self) -> int:
        """PowerState in PMCSR (PCIe 7.5.2.2). 0 is D0, 3 is D3hot. May be set.

        After D3hot the controller continues where it was. Until it is in D0 again, its registers cannot be
        read. If a script leaves a function in D3hot, pynvme puts it into D0 on closing or opening it. Setting
        an unsupported state has no effect, and reading returns the current state. Bits 9 and 10 of PMC tell
        whether the function supports D1 and D2.

        Raises:
            AssertionError: the value is not 0 to 3
            NotImplementedError: the function has no Power Management capability

        Example:
            >>> pcie.power_state = 3
            >>> pcie.power_state = 0
        """

    @power_state.setter
    def power_state(self, value: _Int) -> None: ...
    def close(self) -> None:
        """Delete the queues, shut the controller down normally, and close the drive.

        Closing or deleting its other objects afterwards does nothing. The same address can be opened again.
        pynvme rebinds a PCIe drive to the kernel's driver when the process ends, or when a script calls
        `pynvme.pci.release()`.
        """

class Controller:
    """An NVMe controller, with its registers, its initialisation, and the admin command set.

    Args:
        addr: the drive's address, see help(nvme), or its Pcie
        nvme_init_func: None for the default initialisation, True for none at all, or a function that
            initialises the controller in its own way. pynvme calls it with the controller now and at each
            reset()
        memory_page_size: bytes of a memory page (CC.MPS) for the default initialisation, a power of two from
            4096 to 2 MiB; None for the smallest one of the controller (CAP.MPSMIN)

    Raises:
        NvmeEnumerateError: there is no such drive, it does not become ready within CAP.TO, or it has no
            memory pages of that size (CAP.MPSMIN, MPSMAX)

    The default initialisation (Base 3.5.1) disables and enables the controller with an empty admin
    queue, identifies it, asks for IO queues (Set Features, Number of Queues), and leaves one
    Asynchronous Event Request with the drive.

    nvme0[offset] is a 32-bit register of BAR0, doorbells included, and nvme0[offset] = value writes it
    (Base 3.1.3). An offset that is not a multiple of 4 raises IndexError, and one that is not an int
    TypeError. Reading all ones raises SystemError, because the drive is gone or its memory space is disabled.

    126 admin commands can be in flight beside the Asynchronous Event Request. Sending one more raises
    AssertionError.

    Example:
        >>> nvme0 = Controller("vssd")
        >>> nvme0[0x1c] & 1                     # CSTS.RDY
        1
        >>> nvme0.id_data(23, 4, str)           # serial number
        >>> nvme0.getfeatures(7).waitdone()     # dword 0: number of queues
        >>> nvme0.timeout = 30000
        >>> nvme0.format().waitdone()

    An initialisation of one's own:
        >>> def init(nvme0):
        ...     nvme0[0x14] = 0
        ...     while nvme0[0x1c] & 1:
        ...         pass
        ...     nvme0.init_adminq()
        ...     nvme0[0x14] = 0x00460001        # CC: 16-byte CQEs, 64-byte SQEs, enable; with CC.AMS = 1,
        ...                                     # 0x00460801, Qpair(prio=…) has a meaning
        ...     while not nvme0[0x1c] & 1:
        ...         pass
        ...     nvme0.init_ns()
        ...     nvme0.init_queues(nvme0.setfeatures(7, cdw11=0x00030003).waitdone())
        >>> nvme0 = Controller(Pcie("vssd"), nvme_init_func=init)
    """

    def __init__(
        self,
        addr: _Address | Pcie,
        nvme_init_func: Literal[True] | Callable[[Controller], object] | None = None,
        *,
        memory_page_size: _Int | None = None,
    ) -> None: ...
    def __getitem__(self, key: int) -> int:
        """The 32-bit register at an offset into BAR0."""

    def __setitem__(self, key: int, value: _Int) -> None:
        """Write the 32-bit register at an offset into BAR0."""

    def init_adminq(self) -> Literal[0]:
        """Begin an initialisation. Set CC.EN to 0, and set an empty admin queue up (Base 3.5.1).

        It writes nothing else to CC. Your nvme_init_func sets CC.EN to 1 next, and waits for CSTS.RDY.

        Returns:
            0

        Raises:
            NvmeEnumerateError: CSTS.RDY does not become 0 within CAP.TO
        """

    def init_ns(self) -> int:
        """Continue an initialisation. Identify the controller, and count its active namespaces.

        Returns:
            the number of active namespaces

        Raises:
            NvmeEnumerateError: the drive refuses to identify itself
        """

    def init_queues(self, cdw0: _Int) -> None:
        """End an initialisation. Tell pynvme how many Qpairs there may be.

        Without this call, the drive alone limits their number.

        Args:
            cdw0: dword 0 of the completion of Set Features, Number of Queues (Base 5.27), with NCQA in bits
                31:16 and NSQA in bits 15:0, both one less than the number
        """

    def reset(self) -> Literal[True]:
        """Reset the controller by CC.EN (Base 3.7.2), and initialise it as when it was opened.

        IO workers end without an error, commands in flight complete with 00/08, and IO queues are deleted.
        Namespace objects stay valid, and timeout stays as it is.

        Raises:
            NvmeEnumerateError: the controller does not become ready again
        """

    @property
    def cap(self) -> int:
        """CAP, Controller Capabilities, all 64 bits (Base 3.1.3.1)."""

    @property
    def id_ctrl(self) -> IdentifyController:
        """Identify Controller (CNS 01h, Base 5.1.13.2.1), each field by its acronym.

        pynvme sends Identify if the answer may have changed since it was read last: after a reset, after
        commands such as Firmware Commit or Namespace Management, and after an event that tells of a change.
        What you get is a copy, which stays as it is. id_data() sends Identify each time.

        Examples:
            >>> nvme0.id_ctrl.mn                    # model number
            >>> nvme0.id_ctrl.oacs.fnvms            # 1: it has Format NVM
            >>> print(nvme0.id_ctrl)                # all fields, with units

        """

    @property
    def smart(self) -> SmartLog:
        """SMART / Health Information (log page 02h, Base 5.16.1.3) as it is now.

        Fields have the specification's acronyms, and their names in words as well. At a prompt, and in a
        notebook, all of them are shown with units and meaning.

        Raises:
            OSError: the drive refuses it

        Examples:
            >>> nvme0.smart.composite_temperature
            313 K (40 °C)
            >>> nvme0.smart.ctemp.celsius
            40
            >>> nvme0.smart.to_dict()["power_cycles"]

        """

    def log(
        self,
        lid: _Int,
        nsid: _Int = 0xFFFFFFFF,
        *,
        lsp: _Int | None = None,
        lsi: _Int = 0,
        csi: _Int = 0,
        uuid: _Int | None = None,
        size: _Int | None = None,
        rae: bool = True,
        as_: str | type[Structure] | None = None,
    ) -> Any:
        """Read a log page as a whole, and decode it (Base 5.16).

        It reads as much as the log page says that it has, in commands that the drive can transfer, and waits
        for them itself. The page is a structure of pynvme.spec, or bytes if pynvme knows no structure for it.
        spec.LOG_PAGES[lid] = MyLog adds one of your own.

        From C0h on, the log pages are OCP's if the drive lists OCP's UUID, and the vendor's otherwise.

        Args:
            lid: log page identifier, 8 bits, such as spec.LogId.ERROR
            nsid: namespace, or 0xffffffff for the log of the controller
            lsp: log specific parameter, 7 bits. By default 0; of the Persistent Event log (0Dh), a context is
                established and released
            lsi: log specific identifier, 16 bits, such as an endurance group
            csi: command set, 8 bits, of the log pages that depend on it
            uuid: UUID index, 7 bits, by default that of OCP, if the drive has it, from C0h on
            size: bytes to read, at least those of the structure, by default all
            rae: retain asynchronous events, so that looking changes nothing
            as_: the structure to decode it as, as a class or by its name. pynvme.decode.register()
                describes a vendor's log page for all calls

        Raises:
            OSError: the drive refuses it
            ValueError: no structure is called so, or size is below that of the structure

        Examples:
            >>> nvme0.log(spec.LogId.ERROR).entries[0].status_field.sc
            >>> nvme0.log(0xC0).media_units_written     # OCP's SMART / Health Information Extended
            >>> nvme0.log(0xCA, as_=MyLog, size=4096)

        """

    def ana_log(self, groups_only: bool = False, *, rae: bool = True) -> AnaLog:
        """Read the Asymmetric Namespace Access log page, 0Ch (Base 2.1, 5.1.12.1.13).

        It has the state of each ANA group at this controller, and the namespaces of the group. The driver
        waits for the command itself.

        Args:
            groups_only: leave out the namespaces (RGO)
            rae: retain asynchronous events, so that looking changes nothing. False lets the drive report the
                next ANA change

        Raises:
            OSError: the drive refuses it, since it reports no ANA (CMIC bit 3)

        Example:
            >>> for group in nvme0.ana_log().groups:
            ...     print(group.agid, group.state.anastate, list(group.nsid))
        """

    @property
    def features(self) -> Features:
        """The features of the drive (Base 5.27.1), which are read when they are asked for.

        features[fid], features.get(fid, sel=…), or a name give one, with its bits and the fields of its data
        as attributes. A loop over features gives all that the drive has. From C0h on, features are OCP's if
        the drive lists OCP's UUID; their names begin with ocp_.

        Raises:
            OSError: the drive refuses it
            AttributeError: no feature has this name

        Examples:
            >>> nvme0.features.volatile_write_cache.wce
            1
            >>> nvme0.features.get(spec.FeatureId.TEMPERATURE, sel=1).tmpth.celsius
            >>> nvme0.features.ocp_latency_monitor.threshold_a
            >>> nvme0.features                          # all of them

        """

    @property
    def regs(self) -> Registers:
        """The controller's registers (Base 3.1.3), which are read when they are asked for, by their names.

        Example:
            >>> nvme0.regs.csts.rdy
            1
            >>> nvme0.regs                              # all of them, with their bits

        """

    @property
    def max_qpairs(self) -> int:
        """IO queue pairs that the drive has granted; 65535 until nvme_init_func calls init_queues()."""

    @property
    def memory_page_size(self) -> int:
        """Bytes of a memory page: 4096 times 2 to the power of CC.MPS (Base 3.1.4.5).

        PRPs, queues, shadow doorbells and the host memory buffer lie in such pages. After your
        nvme_init_func it is what the function wrote to CC. Create buffers after the controller if its pages
        have more than 4 KiB: a command that transfers more than the room of an older buffer raises
        AssertionError.

        Example:
            >>> nvme0 = Controller("vssd", memory_page_size=65536)
            >>> nvme0.memory_page_size, nvme0[0x14] >> 7 & 15
            (65536, 4)
        """

    @property
    def mdts(self) -> int:
        """How many bytes a command may transfer, from MDTS and CAP.MPSMIN (Base 5.17). 0 is no limit."""

    @property
    def cmb(self) -> DotDict | None:
        """What the controller memory buffer supports (Base 8.5, CMBSZ), or None without one.

        The keys are size, in bytes, and as bools submission_queues, completion_queues, lists, reads (data
        from the drive) and writes (data to it).

        Example:
            >>> if nvme0.cmb and nvme0.cmb.submission_queues:
            ...     qpair = Qpair(nvme0, 64, cmb_sq=True)
            >>> buf = Buffer(4096, cmb=nvme0)
        """

    @property
    def addr(self) -> _Address:
        """The address that the drive was opened by, as it was given."""

    @property
    def pcie(self) -> Pcie:
        """The PCI function of this controller."""

    @property
    def timeout(self) -> int:
        """How long a command may take, in ms, by default 10000. May be set.

        pynvme completes a command that takes longer with all ones, and issues the warning "drive timeout".
        The timeout applies to all queues of the drive, IO workers included, but not to Asynchronous Event
        Requests. A reset does not change it.
        """

    @timeout.setter
    def timeout(self, value: _Int) -> None: ...
    @property
    def latest_cid(self) -> int:
        """The command identifier of the admin command that was sent last, known as soon as it is sent.

        Example:
            >>> nvme0.format()
            >>> nvme0.abort(nvme0.latest_cid).waitdone(2)
        """

    @property
    def latest_latency(self) -> float:
        """The time from submission to completion, in us, of the admin command that waitdone() reaped last."""

    def waitdone(self, expected: _Int = 1) -> int:
        """Wait until `expected` admin commands have completed, and call their callbacks.

        It reaps exactly `expected` completions, and others stay queued for the next call. It reports
        asynchronous events too, but does not count them. Other threads run meanwhile, and Ctrl-C
        interrupts it.

        Args:
            expected: how many. 0 returns at once

        Returns:
            dword 0 of the last completion

        Raises:
            TimeoutError: not all have completed timeout + 20 s after the call. To wait for an event alone,
                call wait_event(), which costs no CPU
        """

    def wait_event(self, timeout: float | None = None) -> int:
        """Wait for an asynchronous event, without a command that completes (Base 5.2).

        As in waitdone(), pynvme issues the warning, calls the callback, and sends the next Asynchronous Event
        Request. Completions of other commands stay queued for waitdone(). Waiting costs no CPU, other threads
        run meanwhile, and Ctrl-C interrupts it.

        Args:
            timeout: seconds, by default Controller.timeout and 20 s

        Returns:
            dword 0 of the event's completion, with the type in 2:0, information in 15:8, log page in 23:16

        Raises:
            TimeoutError: no event came within timeout
            RuntimeError: no Asynchronous Event Request is in flight

        Example:
            >>> nvme0.sanitize().waitdone()
            >>> with pytest.warns(UserWarning, match="AER notification"):
            ...     event = nvme0.wait_event(timeout=60)
            >>> event >> 16 & 0xff              # log page 81h: the sanitize operation has ended
            129
        """

    @property
    def cmdlog(self) -> LiveLog:
        """The log of the admin commands, a sequence of Command objects, which cmdlog() prints.

        cmdlog(count=0) prints the commands that were sent last with their completions and times, newest
        first. 0 prints all that the log holds. For each command it prints four labelled lines, which are the
        time of submission, the command, the time when its completion was reaped, and the completion. Times
        are local, to the microsecond. If fault rules of a virtual SSD fired on the command, a line for each
        says when, at which place, and the rule.

        As a sequence it begins with the oldest command that the log holds, as cmdlog_list() does, and is read
        anew at each use.

        Example:
            >>> nvme0.cmdlog(2)
            >>> nvme0.cmdlog[-1].status_name
            '00/00 Success'
            >>> for command in nvme0.cmdlog.failures:
            ...     print(command.name, command.fields, command.warnings)
        """

    def cmdlog_list(self, count: _Int = 0) -> CommandLog:
        """The admin commands that were sent last, with their completions, as a pynvme.trace.CommandLog.

        It begins with the oldest one. A command has its name, its fields by the specification's names, its
        times and latency in ns, its status and the name of that, the warnings that pynvme issued for it, the
        fault rules of a virtual SSD that fired on it, and its data if they were kept. The log can be
        filtered, and saved for Wireshark, Perfetto and numpy. It has the commands that pynvme sends itself,
        too.

        Args:
            count: how many commands. 0 returns all that the log holds, 4096 at least

        Example:
            >>> log = nvme0.cmdlog_list(100)
            >>> [command.latency_ns for command in log.filter(opcode=6, cns=1)]
            >>> log.save("admin.pcapng")
        """

    def cmdlog_keep(self, size: _Int = 4096, count: _Int = 64) -> None:
        """Keep the data of admin commands from now on, for cmdlog_list(). Drop what was kept before.

        By default pynvme keeps 4096 bytes of each of the last 64 admin commands that have transferred data.

        Args:
            size: how many bytes of each command. 0 keeps none
            count: of how many commands that have data, at least 1. size * count is at most 1 GiB

        Raises:
            AssertionError: size or count is out of range
            MemoryError: the machine has too little memory

        Example:
            >>> nvme0.cmdlog_keep(1 << 20, 16)
            >>> nvme0.getlogpage(7, buf, 4096).waitdone()
            >>> nvme0.cmdlog_list(1)[0].data[:4]
        """

    def cmdname(self, opcode: _Int) -> str:
        """The name of an admin opcode (8 bits, Base 5)."""

    def supports(self, opcode: _Int) -> bool:
        """Whether the drive supports an admin opcode (8 bits).

        It looks into the drive's Commands Supported and Effects log (LID 05h, Base 5.16), or into OACS if the
        drive does not have this log.

        Example:
            >>> nvme0.supports(0x80)            # Format NVM
        """

    def send_cmd(
        self,
        opcode: _Int,
        buf: Buffer | None = None,
        nsid: _Int = 0,
        cdw10: _Int = 0,
        cdw11: _Int = 0,
        cdw12: _Int = 0,
        cdw13: _Int = 0,
        cdw14: _Int = 0,
        cdw15: _Int = 0,
        cb: _Completed | None = None,
        *,
        cdw2: _Int = 0,
        cdw3: _Int = 0,
    ) -> Controller:
        """Send any admin command, vendor specific ones too (Base 3.3.3.1, 5).

        Args:
            opcode: bits 15:0 of dword 0, with the opcode in 7:0 and FUSE in 9:8
            buf: the data, from buf.offset on, at most buf.size bytes. None is no data
            nsid: 32 bits, 0 if the command uses none
            cdw10 ... cdw15: command dwords, 32 bits each
            cb: called at completion, see help(nvme)
            cdw2, cdw3: command dwords that few commands use, 32 bits each

        Raises:
            AssertionError: a value does not fit its field, or the queue is full

        Example:
            >>> nvme0.send_cmd(0xc0, buf, cdw10=len(buf) // 4).waitdone()
        """

    def abort(self, cid: _Int, sqid: _Int = 0, cb: _Completed | None = None) -> Controller:
        """Abort a command (Base 5.1). Bit 0 of dword 0 of the completion is 0 if the drive aborted it.

        The aborted command completes as well, so that a script has to wait for both.

        Args:
            cid: command identifier, 16 bits, see latest_cid
            sqid: the submission queue that the command was sent to, 0 for the admin queue
            cb: called at completion, see help(nvme)
        """

    def identify(
        self,
        buf: Buffer | None = None,
        nsid: _Int = 0,
        cns: _Int = 1,
        cntid: _Int = 0,
        csi: _Int = 0,
        nvmsetid: _Int = 0,
        cb: _Completed | None = None,
    ) -> Controller:
        """Send Identify, which returns a data structure of 4096 bytes (Base 5.17).

        Args:
            buf: where to, at least 4096 bytes. By default pynvme discards the data
            nsid: namespace, 32 bits
            cns: which structure, 8 bits. 0 is namespace, 1 controller, 2 list of active namespaces, ...
            cntid: controller, 16 bits, for some cns
            csi: command set, 8 bits, for some cns
            nvmsetid: bits 15:0 of dword 11, such as the NVM set of cns 4, the endurance group of cns 0x19,
                and the index of an LBA format of cns 9 and 0xa
            cb: called at completion, see help(nvme)

        Raises:
            AssertionError: a value does not fit its field, or the buffer is too short

        Example:
            >>> nvme0.identify(buf, nsid=1, cns=0).waitdone()
            >>> buf.data(7, 0)                  # NSZE
        """

    @overload
    def id_data(
        self,
        byte_end: _Int,
        byte_begin: _Int | None = None,
        type: type[int] = int,
        nsid: _Int = 0,
        cns: _Int = 1,
        cntid: _Int = 0,
        csi: _Int = 0,
        nvmsetid: _Int = 0,
    ) -> int:
        """Read one field of an Identify data structure, without a buffer or waitdone() (Base 5.17).

        Args:
            byte_end, byte_begin, type: the field, as in Buffer.data(). Here the order of the two bytes
                does not matter
            nsid, cns, cntid, csi, nvmsetid: as in identify()

        Returns:
            the field, an int or a str

        Raises:
            OSError: the drive fails the command. The text gives the status

        Example:
            >>> nvme0.id_data(63, 24, str)      # model number
            >>> nvme0.id_data(77)               # MDTS
        """

    @overload
    def id_data(
        self,
        byte_end: _Int,
        byte_begin: _Int | None = None,
        *,
        type: type[str],
        nsid: _Int = 0,
        cns: _Int = 1,
        cntid: _Int = 0,
        csi: _Int = 0,
        nvmsetid: _Int = 0,
    ) -> str: ...
    @overload
    def id_data(
        self,
        byte_end: _Int,
        byte_begin: _Int | None,
        type: type[str],
        nsid: _Int = 0,
        cns: _Int = 1,
        cntid: _Int = 0,
        csi: _Int = 0,
        nvmsetid: _Int = 0,
    ) -> str: ...
    def getfeatures(
        self,
        fid: _Int,
        sel: _Int = 0,
        buf: Buffer | None = None,
        cdw11: _Int = 0,
        cdw12: _Int = 0,
        cdw13: _Int = 0,
        cdw14: _Int = 0,
        cdw15: _Int = 0,
        cb: _Completed | None = None,
    ) -> Controller:
        """Get Features (Base 5.15). The value is dword 0 of the completion, which waitdone() returns.

        For features of a namespace (05h, 82h, 83h, 84h) it reads those of namespace 1. Use send_cmd() for
        another namespace.

        Args:
            fid: feature identifier, 8 bits
            sel: 3 bits, 0 current, 1 default, 2 saved value, 3 capabilities
            buf: for features that have a data structure
            cdw11 ... cdw15: dwords that the feature defines, 32 bits each
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.getfeatures(6).waitdone() & 1     # volatile write cache
        """

    def setfeatures(
        self,
        fid: _Int,
        sv: _Int = 0,
        buf: Buffer | int | None = None,
        cdw11: _Int = 0,
        cdw12: _Int = 0,
        cdw13: _Int = 0,
        cdw14: _Int = 0,
        cdw15: _Int = 0,
        cb: _Completed | None = None,
    ) -> Controller:
        """Set Features (Base 5.27).

        Features of a namespace (05h, 82h, 83h, 84h) are set for all namespaces.

        Args:
            fid: feature identifier, 8 bits
            sv: 1 makes the drive keep the value through resets and power cycles
            buf: for features that have a data structure
            cdw11 ... cdw15: the value, 32 bits each
            cb: called at completion, see help(nvme)

        Scripts for version 0.1 call setfeatures(fid, cdw11, cdw12, ...). pynvme assumes this form
        if the third argument is an int, or the second is neither 0 nor 1.

        Example:
            >>> nvme0.setfeatures(6, cdw11=0).waitdone()    # volatile write cache off
        """

    def getlogpage(
        self,
        lid: _Int,
        buf: Buffer,
        size: _Int | None = None,
        offset: _Int = 0,
        nsid: _Int = 0xFFFFFFFF,
        cb: _Completed | None = None,
    ) -> Controller:
        """Get Log Page (Base 5.16).

        pynvme reads a page above MDTS by several commands. It waits for all but the last one itself, so that
        one waitdone() is always enough.

        Args:
            lid: log page identifier, 8 bits
            buf: where to
            size: bytes, 4 to buf.size, in whole dwords, by default buf.size
            offset: bytes into the log page, 64 bits
            nsid: namespace, or 0xffffffff for the log of the controller
            cb: called at completion, see help(nvme)

        Raises:
            AssertionError: size is above that of the buffer
            OSError: the drive fails one of the commands that pynvme itself waits for

        Example:
            >>> nvme0.getlogpage(2, buf, 512).waitdone()
            >>> buf.data(2, 1) - 273            # temperature in degrees Celsius
        """

    def format(
        self,
        lbaf: _Int | None = 0,
        ses: _Int = 0,
        nsid: _Int = 1,
        cb: _Completed | None = None,
        *,
        mset: _Int = 0,
        pi: _Int = 0,
        pil: _Int = 0,
    ) -> Controller:
        """Format NVM (Base 5.14). If it takes longer than timeout, raise that, or use Namespace.format().

        Args:
            lbaf: LBA format, 0 to 15. None is the format of 512 bytes without metadata
            ses: secure erase, 3 bits, 0 none, 1 user data, 2 cryptographic
            nsid: namespace, or 0xffffffff for all
            cb: called at completion, see help(nvme)
            mset: 1 bit, 1 places the metadata behind the data of each LBA, 0 in a buffer of their own
            pi: type of protection information, 3 bits, 0 none
            pil: 1 bit, 1 places the protection information in the first bytes of the metadata, 0 in the last
        """

    def ns_create(
        self,
        nsze: _Int,
        ncap: _Int | None = None,
        flbas: _Int = 0,
        dps: _Int = 0,
        nmic: _Int = 0,
        anagrpid: _Int = 0,
        nvmsetid: _Int = 0,
        endgid: _Int = 0,
        csi: _Int = 0,
        cb: _Completed | None = None,
        *,
        rar: _Int = 0,
        ror: _Int = 0,
        rnumzrwa: _Int | None = None,
        lbstm: _Int = 0,
        phndls: Sequence[_Int] = (),
    ) -> Controller:
        """Namespace Management, create (Base 2.1, 5.1.21). waitdone() returns the NSID that the drive chose.

        The namespace is not attached to any controller. Its LBAs are unwritten: verification judges none
        before a script writes it.

        Args:
            nsze: size in LBAs, 64 bits. A Key Value namespace (csi=1) has a size in bytes
            ncap: capacity in LBAs. By default it is the size, as drives without thin provisioning require
            flbas: the LBA format in bits 3:0 and 6:5, and extended LBAs in bit 4
            dps: protection information, its type in bits 2:0
            nmic: 1 if several controllers can be attached
            anagrpid, nvmsetid, endgid: ANA group, NVM set, endurance group. For 0 the drive chooses
            csi: I/O command set, 8 bits: 0 NVM, 1 Key Value, 2 Zoned Namespace
            cb: called at completion, see help(nvme)
            rar, ror: of a zoned namespace, its active and open zones, 32 bits. For 0 the drive chooses
            rnumzrwa: of a zoned namespace, its random write areas, 32 bits. None: it has none
            lbstm: bits of the storage tag that are checked, 64 bits, if the LBA format has a storage tag and
                dps asks for protection information. 0 checks none of them
            phndls: of a drive with Flexible Data Placement, the reclaim unit handle of each placement handle
                of the namespace, 16 bits each, 128 at most. If there are none, the drive chooses one

        Example:
            >>> nsid = nvme0.ns_create(0x10000, phndls=[2, 5]).waitdone()
            >>> nvme0.ns_attach(nsid).waitdone()
            >>> ns = Namespace(nvme0, nsid)
        """

    def ns_delete(self, nsid: _Int, cb: _Completed | None = None) -> Controller:
        """Namespace Management, delete (Base 2.1, 5.1.21). Verification forgets the data of the namespace.

        Commands to the namespace fail from then on, and so do workers that use it. A Namespace object of it
        raises NamespaceCreationError at its next transfer.

        Args:
            nsid: namespace, or 0xffffffff for all of the subsystem, whether attached or not
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.ns_delete(2).waitdone()
        """

    def ns_attach(
        self,
        nsid: _Int,
        cntlid: _Int | list[int] | tuple[int, ...] | None = None,
        cb: _Completed | None = None,
    ) -> Controller:
        """Namespace Attachment, attach (Base 2.1, 5.1.20). Scripts can use the namespace afterwards.

        Args:
            nsid: namespace
            cntlid: the controllers, each 16 bits, in ascending order. By default it is this controller
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.ns_attach(2).waitdone()
        """

    def ns_detach(
        self,
        nsid: _Int,
        cntlid: _Int | list[int] | tuple[int, ...] | None = None,
        cb: _Completed | None = None,
    ) -> Controller:
        """Namespace Attachment, detach (Base 2.1, 5.1.20). The namespace keeps its data.

        Args:
            nsid: namespace
            cntlid: the controllers, each 16 bits, in ascending order. By default it is this controller
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.ns_detach(2).waitdone()
        """

    def sanitize(self, option: _Int = 2, pattern: _Int = 0, cb: _Completed | None = None) -> Controller:
        """Sanitize (Base 5.24). It completes when the operation has begun. Log page 81h shows the progress.

        Args:
            option: dword 10, with SANACT in 2:0 (1 exit failure mode, 2 block erase, 3 overwrite, 4 crypto
                erase, 5 exit media verification), AUSE in 3, OWPASS in 7:4, OIPBP in 8, No-Deallocate in 9,
                EMVS in 10 (enter media verification, after which the host reads the media until it ends
                that)
            pattern: the overwrite pattern, 32 bits
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.sanitize().waitdone()
            >>> nvme0.getlogpage(0x81, buf, 20).waitdone()
            >>> while buf.data(3, 2) & 7 == 2:  # in progress
            ...     time.sleep(1)
            ...     nvme0.getlogpage(0x81, buf, 20).waitdone()
        """

    def capacity_management(
        self, oper: _Int, elid: _Int = 0, cap: _Int = 0, cb: _Completed | None = None
    ) -> Controller:
        """Capacity Management (Base 5.1.3) of endurance groups and NVM sets.

        Dword 0 of the completion is the identifier of a new group or set. Deleting a group or a set deletes
        its namespaces, and pynvme discards their verification data.

        Args:
            oper: operation, 4 bits. 0 selects a capacity configuration, 1 creates an endurance group, 2
                deletes one, 3 creates an NVM set, 4 deletes one
            elid: identifier of the configuration, group or set, 16 bits
            cap: capacity of the new group or set, in bytes, 64 bits
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.capacity_management(1, cap=1 << 40).waitdone()
        """

    def virtualization_management(
        self, act: _Int, rt: _Int = 0, cntlid: _Int = 0, nr: _Int = 0, cb: _Completed | None = None
    ) -> Controller:
        """Virtualization Management (Base 2.1, 5.2.6): give resources to controllers, and switch them.

        A primary controller sends it. Its own share (act 1) changes at its next Controller Level Reset. A
        secondary controller needs resources, is offline while they change, and is brought online after that.
        Identify with CNS 14h tells what a primary controller has, and CNS 15h lists its secondary ones.

        Args:
            act: 1 sets the share of the primary controller, 7 takes a secondary controller offline, 8 assigns
                resources to a secondary controller, 9 brings it online; 4 bits
            rt: type of resources: 0 queues (VQ), 1 interrupts (VI); 3 bits
            cntlid: identifier of the controller, 16 bits
            nr: how many resources, 16 bits
            cb: called at completion, see help(nvme). Dword 0 has the number of resources that changed

        Examples:
            >>> from pynvme.spec import VirtualizationAction as Act
            >>> for rt in 0, 1:
            ...     nvme0.virtualization_management(Act.SECONDARY_ASSIGN, rt, cntlid=2, nr=2).waitdone()
            >>> nvme0.virtualization_management(Act.SECONDARY_ONLINE, cntlid=2).waitdone()
        """

    def keep_alive(self, cb: _Completed | None = None) -> Controller:
        """Keep Alive (Base 5.1.14): start the time of feature 0Fh, Keep Alive Timer, anew.

        A drive has the command if KAS of Identify Controller is not 0. If the time passes without one, the
        controller fails (CSTS.CFS), and needs a reset.

        Args:
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.setfeatures(0x0F, cdw11=5000).waitdone()  # 5 s
            >>> nvme0.keep_alive().waitdone()
        """

    def lockdown(
        self,
        ofi: _Int,
        scp: _Int = 0,
        prhbt: _Int = 1,
        ifc: _Int = 0,
        uidx: _Int = 0,
        cb: _Completed | None = None,
    ) -> Controller:
        """Lockdown (Base 5.1.15): prohibit an admin command or a feature, or allow it again.

        The drive fails what is prohibited with status 00/23 until it is allowed, or until a power cycle.

        Args:
            ofi: opcode of the command, or feature identifier; 8 bits
            scp: what ofi names: 0 an admin command, 2 a feature, 3 a Management Interface command, 4 a PCIe
                command of the Management Interface; 4 bits
            prhbt: 1 prohibits it, 0 allows it
            ifc: by which interface: 0 the admin queue, 1 also out of band, 2 only out of band; 2 bits
            uidx: index into the UUID list, for vendor specific opcodes and features; 7 bits
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.lockdown(0x80).waitdone()  # no Format NVM
            >>> with pytest.warns(UserWarning, match="ERROR status: 00/23"):
            ...     nvme0.format().waitdone()
        """

    def dst(self, stc: _Int = 1, nsid: _Int = 0xFFFFFFFF, cb: _Completed | None = None) -> Controller:
        """Device Self-test (Base 5.9). It runs in the background. Log page 06h has the results.

        Args:
            stc: self-test code, 4 bits, 1 short, 2 extended, 0xf abort
            nsid: 0 tests the controller alone, 0xffffffff all active namespaces too
            cb: called at completion, see help(nvme)
        """

    def fw_download(
        self, buf: Buffer, offset: _Int, size: _Int | None = None, cb: _Completed | None = None
    ) -> Controller:
        """Firmware Image Download of one piece of an image (Base 5.13).

        Args:
            buf: the piece
            offset: where it belongs in the image, in bytes. pynvme sends it in dwords
            size: bytes, 4 to buf.size, by default buf.size. pynvme sends it in dwords
            cb: called at completion, see help(nvme)

        Raises:
            AssertionError: size is above that of the buffer
        """

    def fw_commit(self, slot: _Int, action: _Int, cb: _Completed | None = None) -> Controller:
        """Firmware Commit (Base 5.12).

        Args:
            slot: 1 to 7, or 0 to let the drive choose
            action: 3 bits, 0 replace, 1 replace and activate at the next reset, 2 activate at the next
                reset, 3 activate now
            cb: called at completion, see help(nvme)
        """

    def downfw(self, filename: str | os.PathLike[str], slot: _Int = 0, action: _Int = 1) -> None:
        """Download a firmware image and commit it, and wait until both have completed.

        pynvme pads the last piece with zeros to the granularity of the drive (FWUG).
        pynvme.firmware.make() returns an image for the virtual SSD.

        Args:
            filename: the image
            slot, action: as in fw_commit()

        Raises:
            OSError: the file cannot be read
            ValueError: the file has more than 256 MiB, or is a device without an end
        """

    def aer(self, cb: _Completed | None = None) -> Controller:
        """Send another Asynchronous Event Request than that of the initialisation (Base 5.2).

        waitdone() does not count it. When an event completes it, pynvme issues the warning "AER notification
        is triggered", sends the request again with the same callback, and calls the callback. If the request
        is aborted, pynvme does not send it again, and calls its callback with that status.

        Args:
            cb: called at completion, see help(nvme)
        """

    def register_aer_cb(self, func: _Completed | None) -> None:
        """Set the callback of Asynchronous Event Requests that have none of their own.

        Args:
            func: waitdone() calls it at each event, as it calls cb of a command. None removes it

        Raises:
            TypeError: func is not callable

        Example:
            >>> nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
        """

    def mi_send(
        self,
        opcode: _Int,
        dword0: _Int = 0,
        dword1: _Int = 0,
        buf: Buffer | None = None,
        mtype: _Int = 1,
        cb: _Completed | None = None,
    ) -> Controller:
        """Send a management command in band, by NVMe-MI Send (Base 5.23).

        Args:
            opcode: of NVMe-MI
            dword0, dword1: NVMe management dwords of the request, 32 bits each
            buf: its data
            mtype: NVMe-MI message type, 4 bits. 1 is an MI command
            cb: called at completion, see help(nvme)
        """

    def mi_receive(
        self,
        opcode: _Int,
        dword0: _Int = 0,
        dword1: _Int = 0,
        buf: Buffer | None = None,
        mtype: _Int = 1,
        cb: _Completed | None = None,
    ) -> Controller:
        """Send a management command that returns data in band, by NVMe-MI Receive (Base 5.22).

        Args:
            opcode: of NVMe-MI
            dword0, dword1: NVMe management dwords of the request, 32 bits each
            buf: where its data go
            mtype: NVMe-MI message type, 4 bits. 1 is an MI command
            cb: called at completion, see help(nvme)
        """

    def get_lba_status(
        self,
        buf: Buffer,
        slba: _Int = 0,
        rl: _Int = 0,
        atype: _Int = 0x10,
        nsid: _Int = 1,
        cb: _Completed | None = None,
    ) -> Controller:
        """Get LBA Status (NVM 4.2.1): which LBAs cannot be read.

        Log page 0Eh (spec.LbaStatusLog) names the ranges that are worth asking for.

        Args:
            buf: where the list goes (spec.LbaStatusDescriptors). Its size is MNDW. The drive returns what
                fits, and sets CMPC to 1 if that is not all
            slba: the first LBA, 64 bits
            rl: how many LBAs, 16 bits; 0: up to the end of the namespace
            atype: 0x10: the drive scans the range, which may take long; 0x11: it returns what it knows
            nsid: namespace, 32 bits
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.get_lba_status(buf, atype=0x11).waitdone()
            >>> [(entry.dslba, entry.nlb) for entry in buf.decode(spec.LbaStatusDescriptors).descriptors]
        """

    def doorbell_buffer_config(self, buf: Buffer, cb: _Completed | None = None) -> Controller:
        """Doorbell Buffer Config (Base 5.2.5): the drive reads doorbells of I/O queues from memory.

        From now on the drive reads tails and heads from the first page of the buffer. Into the second one it
        writes, for each doorbell, the value beyond which the host must ring it (EventIdx). Both pages are
        laid out as the doorbell registers. They must stay allocated until the controller is reset. The
        driver's own queues do not use these pages; see enable_shadow_doorbells().

        Args:
            buf: at least 8192 bytes, and aligned to 4096: shadow doorbells and EventIdxs
            cb: called at completion, see help(nvme)
        """

    def directive_receive(
        self,
        doper: _Int,
        dtype: _Int = 0,
        dspec: _Int = 0,
        value: _Int = 0,
        buf: Buffer | None = None,
        nsid: _Int = 1,
        cb: _Completed | None = None,
    ) -> Controller:
        """Directive Receive (Base 5.1.6): the parameters of directives, open streams, resources of streams.

        Args:
            doper: operation, 8 bits. Of the Identify directive 1 returns the parameters
                (spec.Directives). Of Streams 1 returns the parameters (spec.StreamsParameters), 2 the open
                streams (spec.StreamsStatus), and 3 allocates resources, whose number is dword 0 of the
                completion
            dtype: directive, 8 bits, 0 Identify, 1 Streams, 2 Data Placement
            dspec: directive specific, 16 bits
            value: dword 12; of 3 of Streams, bits 15:0 are how many resources to allocate
            buf: where its data go. Its size is NUMD; without it, one dword
            nsid: namespace, 32 bits; 0xffffffff is the subsystem
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.directive_receive(1, buf=buf).waitdone()
            >>> buf.decode(spec.Directives).supported[0]
        """

    def directive_send(
        self,
        doper: _Int,
        dtype: _Int = 0,
        dspec: _Int = 0,
        value: _Int = 0,
        buf: Buffer | None = None,
        nsid: _Int = 1,
        cb: _Completed | None = None,
    ) -> Controller:
        """Directive Send (Base 5.1.7): enable a directive, release streams.

        Args:
            doper: operation, 8 bits. Of the Identify directive 1 enables or disables another one. Of Streams
                1 releases a stream, and 2 the resources of the namespace
            dtype: directive, 8 bits, 0 Identify, 1 Streams, 2 Data Placement
            dspec: directive specific, 16 bits; of 1 of Streams, the stream
            value: dword 12; of 1 of Identify, bit 0 enables, and bits 15:8 are the other directive
            buf: its data
            nsid: namespace, 32 bits; 0xffffffff enables a directive for all
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.directive_send(1, value=1 << 8 | 1).waitdone()  # Streams of namespace 1
            >>> nvme0n1.write(qpair, buf, 0, stream=5).waitdone()
            >>> nvme0.directive_send(1, dtype=1, dspec=5).waitdone()
        """

    def security_receive(
        self,
        buf: Buffer | None,
        spsp: _Int,
        secp: _Int = 1,
        nssf: _Int = 0,
        size: _Int | None = None,
        cb: _Completed | None = None,
    ) -> Controller:
        """Security Receive (Base 5.25).

        Args:
            buf: where to
            spsp: SP specific, 16 bits
            secp: security protocol, 8 bits. 0 is information, 1 to 6 TCG, 0xea NVMe (RPMB)
            nssf: NVMe security specific field, 8 bits
            size: allocation length in bytes, by default buf.size
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0.security_receive(buf, 1).waitdone()   # TCG level 0 discovery
        """

    def security_send(
        self,
        buf: Buffer | None,
        spsp: _Int,
        secp: _Int = 1,
        nssf: _Int = 0,
        size: _Int | None = None,
        cb: _Completed | None = None,
    ) -> Controller:
        """Security Send (Base 5.26).

        Args:
            buf: what to send
            spsp, secp, nssf: as in security_receive()
            size: transfer length in bytes, by default buf.size
            cb: called at completion, see help(nvme)
        """

    def enable_hmb(self) -> None:
        """Give the drive as much host memory as it prefers (HMPRE), by Set Features 0Dh (Base 5.27).

        The drive may use the memory until disable_hmb(), or until the Controller is freed. A second call
        replaces the memory. A reset silently disables the HMB. Call enable_hmb() again after it.

        Raises:
            NotImplementedError: HMPRE is 0
            MemoryError: the machine has too little memory
        """

    def enable_shadow_doorbells(self) -> None:
        """Let the drive read the doorbells of I/O queues from memory, by Doorbell Buffer Config (Base 5.2.5).

        Each new Qpair and worker stores its doorbells in memory, and rings a register only if the drive asks
        for it (EventIdx). Workers are slower with it. A reset ends it. Call it again after the reset, before
        the first Qpair.

        Raises:
            NotImplementedError: the drive has no such command, refuses it, or the engine has no such function
            RuntimeError: there is an I/O queue already

        Example:
            >>> nvme0.enable_shadow_doorbells()
            >>> qpair = d.Qpair(nvme0, 16)
        """

    def disable_hmb(self) -> None:
        """Take the host memory back from the drive, by Set Features 0Dh."""

class Qpair:
    """An IO submission queue and its completion queue.

    Args:
        nvme: the Controller
        depth: entries, 2 to the lesser of 1024 and CAP.MQES + 1. One command less can be in flight
        prio: QPRIO, 0 urgent to 3 low, if CC.AMS selects weighted round robin (Base 3.4.4)
        ien: whether the completion queue has interrupts enabled
        iv: interrupt vector. By default it is the vector with the number of the queue, or vector 0 if the
            drive has only one
        cmb_sq, cmb_cq: whether the submission queue, and the completion queue, are in the controller memory
            buffer (Base 8.5, CMBSZ.SQS and CQS)

    Raises:
        AssertionError: the depth is out of range
        QpairCreationError: the drive refuses (Base 5.4, 5.5), prio is not 0 while CC.AMS selects round robin,
            or the controller memory buffer is missing or does not support such queues
        NotImplementedError: iv names a vector, and the engine has no interrupts
        MemoryError: there is too little memory, or too little left in the controller memory buffer

    The queue gets the lowest free identifier. pynvme deletes it with the last reference to it. Sending more
    commands than fit raises AssertionError.

    Example:
        >>> qpair = Qpair(nvme0, 16)
        >>> nvme0n1.write(qpair, buf, 0)
        >>> nvme0n1.read(qpair, buf, 8)
        >>> qpair.waitdone(2)
    """

    def __init__(
        self,
        nvme: Controller,
        depth: _Int,
        prio: _Int = 0,
        ien: bool = True,
        iv: _Int = 0xFFFF,
        *,
        cmb_sq: bool = False,
        cmb_cq: bool = False,
    ) -> None: ...
    @property
    def sqid(self) -> int:
        """The identifier of the submission queue and of the completion queue."""

    @property
    def latest_cid(self) -> int:
        """The command identifier of the command that was sent last, known as soon as it is sent.

        Example:
            >>> nvme0n1.read(qpair, buf, 0)
            >>> nvme0.abort(qpair.latest_cid, qpair.sqid).waitdone()
            >>> qpair.waitdone()
        """

    @property
    def latest_latency(self) -> float:
        """The time from submission to completion, in us, of the command that waitdone() reaped last."""

    def waitdone(self, expected: _Int = 1) -> int:
        """Wait until `expected` commands of this queue have completed, and call their callbacks.

        It reaps exactly `expected` completions, and others stay queued for the next call. Other threads run
        meanwhile, and Ctrl-C interrupts it.

        Args:
            expected: how many. 0 returns at once

        Returns:
            dword 0 of the last completion

        Raises:
            TimeoutError: nothing is in flight any more, or not all have completed Controller.timeout + 20 s
                after the call
        """

    @property
    def cmdlog(self) -> LiveLog:
        """The log of this queue, a sequence of Command objects, which cmdlog() prints.

        cmdlog(count=0) prints the commands that were sent last, newest first, with the lines of
        Controller.cmdlog(). 0 prints all that the log holds.

        Example:
            >>> qpair.cmdlog(2)
            >>> max(command.latency_ns or 0 for command in qpair.cmdlog)
        """

    def cmdlog_list(self, count: _Int = 0) -> CommandLog:
        """The commands that were sent last, oldest first, as Controller.cmdlog_list() returns them.

        Args:
            count: how many commands. 0 returns all that the log holds, 4096 at least

        Example:
            >>> for c in qpair.cmdlog_list(100):
            ...     print(c.name, c.slba, c.lbas, c.status_name, c.latency_ns)
        """

    def cmdlog_keep(self, size: _Int = 4096, count: _Int = 64) -> None:
        """Keep the data of commands from now on, for cmdlog_list(). By default an IO queue keeps none.

        Args:
            size: how many bytes of each command. 0 keeps none
            count: of how many commands that have data, at least 1. size * count is at most 1 GiB

        Raises:
            AssertionError: size or count is out of range
            MemoryError: the machine has too little memory
        """

    def msix_isset(self) -> bool:
        """Tell whether the interrupt vector of this queue was raised since msix_clear().

        Queues with the same vector share the answer, and vector 0 also serves the admin queue. Unless the
        drive coalesces interrupts (features 08h and 09h), it is True once a completion was reaped. For a PCIe
        drive, False takes 20 ms, because the kernel may need so long to deliver an interrupt.

        If a drive has no MSI-X, pynvme uses MSI, or INTx as vector 0 of all queues. INTx is raised only while
        completions are unreaped, so call this before waitdone(). The environment variable PYNVME_IRQ (msix,
        msi, intx) selects the kind of interrupt when pynvme opens a PCIe drive.

        Raises:
            NotImplementedError: the drive has no such vector
            RuntimeError: the queue is deleted

        Example:
            >>> qpair.msix_clear()
            >>> nvme0n1.read(qpair, buf, 0).waitdone()
            >>> qpair.msix_isset()
            True
        """

    def msix_clear(self) -> None:
        """Clear the interrupts of this queue's vector that have arrived so far.

        With INTx, the interrupt comes again at once while completions are still unreaped. For a PCIe drive it
        waits 20 ms for interrupts that the kernel has yet to deliver, as msix_isset() does.

        Raises:
            NotImplementedError, RuntimeError: see msix_isset()
        """

    def msix_mask(self) -> None:
        """Mask this queue's vector, by its entry in the MSI-X table (PCIe 7.7.2).

        Meanwhile, the pending bit array holds interrupts of the drive. Deleting the last queue of the vector,
        or a reset, unmasks it. Without MSI-X, pynvme masks the vector in INTMS (Base 3.1.3.3), and reaping
        the completions clears a pending interrupt.

        Raises:
            NotImplementedError, RuntimeError: see msix_isset()
        """

    def msix_unmask(self) -> None:
        """Unmask this queue's vector. A pending interrupt comes at once.

        Raises:
            NotImplementedError, RuntimeError: see msix_isset()
        """

    def delete(self) -> None:
        """Delete both queues on the drive (Base 5.6, 5.7). A second call does nothing.

        Commands in flight complete with 00/08, and waitdone() can still reap them.

        Raises:
            QpairDeletionError: the drive refuses
        """

    def close(self) -> None:
        """The same as delete()."""

class Namespace:
    """A namespace, with its geometry, the IO command set, and the verification of data.

    Args:
        nvme: the Controller
        nsid: which namespace, 32 bits
        nlba_verify: verify the first nlba_verify LBAs only, or all if it is 0. pynvme keeps no verification
            data of the others. All objects of a namespace share the value of the newest one

    Raises:
        NamespaceCreationError: it is not active, or the drive refuses to identify it

    The object stays valid through resets, power cycles and formats, because it identifies the namespace again
    before its next command. The metadata of an LBA follow its data in buf (FLBAS bit 4 is 1), or lie in a
    Buffer of their own, which the commands take as meta. A command that would transfer metadata raises
    NotImplementedError without it.

    pynvme verifies what it reads. Each write() stamps the LBA number into the first 8 bytes of each LBA, and
    a unique token into the last 8, in the caller's buffer. pynvme keeps the CRC-32C of each written LBA in
    host memory. When a read completes, pynvme compares its data. If they are wrong, the read completes with
    the status 07/81, and the log names the first wrong LBA and its class:

        misdirected     the data of another LBA
        stale           an older write of this LBA
        corrupt         neither of these
        lost            zeros instead of the data

    Verification also follows commands that change data in other ways (Write Zeroes, Dataset Management,
    Format, Sanitize, ...). If the specification leaves the data open (commands that overlap in flight, failed
    writes, a power loss before a flush), the LBA is unknown, and pynvme does not compare it until it is
    written again. So there are no false alarms.

    Example:
        >>> nvme0n1 = Namespace(nvme0)
        >>> qpair = Qpair(nvme0, 16)
        >>> buf = Buffer(8 * 512)
        >>> nvme0n1.write(qpair, buf, 0, 8).waitdone()
        >>> nvme0n1.read(qpair, buf, 0, 8).waitdone()
    """

    def __init__(self, nvme: Controller, nsid: _Int = 1, nlba_verify: _Int = 0) -> None: ...
    @property
    def nsid(self) -> int:
        """The namespace identifier."""

    @property
    def capacity(self) -> int:
        """The capacity in bytes, from NVMCAP, or from NSZE and the LBA size if NVMCAP is 0 (NVM 4.1.5)."""

    @property
    def lba_size(self) -> int:
        """Bytes of data in an LBA, in the current LBA format (NVM 4.1.5.1, LBADS)."""

    @property
    def metadata_size(self) -> int:
        """Bytes of metadata of an LBA, in the current LBA format, or 0 (NVM 4.1.5.1, MS)."""

    @property
    def protection(self) -> Format | None:
        """How the namespace protects its LBAs, a Format of pynvme.protection, or None (NVM 4.1.5.1, DPS).

        Example:
            >>> nvme0n1.protection
            Format(type=1, metadata=8, guard=16, storage=0, first=False, extended=False, data=512)
        """

    @property
    def id_ns(self) -> IdentifyNamespace:
        """Identify Namespace (CNS 00h, NVM 4.1.5.1), each field by its acronym.

        pynvme sends Identify if the answer may have changed since it was read last: after a reset, a format,
        other commands such as Namespace Management, and an event that tells of a change. What you get is a
        copy, which stays as it is. id_data() sends Identify each time.

        Examples:
            >>> nvme0n1.id_ns.nsze                  # LBAs
            >>> nvme0n1.id_ns.lbaf[0].lbads         # log2 of the bytes of an LBA
            >>> print(nvme0n1.id_ns)                # all fields, with units

        """

    @property
    def fdp(self) -> Fdp:
        """Flexible Data Placement of this namespace and its endurance group (Base 8.1.10), by pynvme.fdp.Fdp.

        It reads log pages, features and reclaim unit handles when they are asked for.

        Example:
            >>> nvme0n1.fdp.status(qpair)[0].ruamw       # LBAs that the first handle's reclaim unit has left
            >>> nvme0n1.fdp.stats.hbmw
        """

    def cmdname(self, opcode: _Int) -> str:
        """The name of an IO opcode (8 bits, NVM 3)."""

    def supports(self, opcode: _Int) -> bool:
        """Whether the drive supports an IO opcode (8 bits).

        It looks into the drive's Commands Supported and Effects log (LID 05h, Base 5.16), or into ONCS if the
        drive does not have this log.
        """

    @overload
    def id_data(
        self,
        byte_end: _Int,
        byte_begin: _Int | None = None,
        type: type[int] = int,
        cns: _Int = 0,
        csi: _Int = 0,
        cntid: _Int = 0,
    ) -> int:
        """Read one field of an Identify data structure of this namespace (Base 5.17, NVM 4.1.5).

        Args:
            byte_end, byte_begin, type: the field, as in Buffer.data()
            cns, csi, cntid: as in Controller.identify()

        Returns:
            the field, an int or a str

        Raises:
            OSError: the drive fails the command. The text gives the status

        Example:
            >>> nvme0n1.id_data(7, 0)           # NSZE
        """

    @overload
    def id_data(
        self,
        byte_end: _Int,
        byte_begin: _Int | None = None,
        *,
        type: type[str],
        cns: _Int = 0,
        csi: _Int = 0,
        cntid: _Int = 0,
    ) -> str: ...
    @overload
    def id_data(
        self,
        byte_end: _Int,
        byte_begin: _Int | None,
        type: type[str],
        cns: _Int = 0,
        csi: _Int = 0,
        cntid: _Int = 0,
    ) -> str: ...
    def get_lba_format(self, data_size: _Int = 512, meta_size: _Int = 0) -> int | None:
        """Find the LBA format with these sizes (NVM 4.1.5).

        Args:
            data_size: bytes of data per LBA
            meta_size: bytes of metadata per LBA

        Returns:
            its number, 0 to 15, or None if there is no such format
        """

    def format(
        self,
        data_size: _Int = 512,
        meta_size: _Int = 0,
        ses: _Int = 0,
        *,
        mset: _Int = 0,
        pi: _Int = 0,
        pil: _Int = 0,
    ) -> int:
        """Format NVM, and wait up to 100 s, or Controller.timeout if that is longer (Base 5.14).

        Args:
            data_size, meta_size: the LBA format, as in get_lba_format()
            ses: secure erase, 3 bits, 0 none, 1 user data, 2 cryptographic
            mset, pi, pil: as of Controller.format()

        Returns:
            dword 0 of the completion

        Raises:
            AssertionError: there is no such LBA format

        Examples:
            >>> nvme0n1.format(4096)
            >>> nvme0n1.format(512, 8, mset=1, pi=1)    # extended LBAs, protection information of type 1
        """

    def verify_enable(self, enable: bool = True) -> Literal[True]:
        """Turn the verification of data on or off. It is on from the beginning.

        It is a switch of this Namespace object. Commands and workers of another object of the same namespace
        have the switch of that object.

        While it is off, reads are not compared. An IO worker that starts while it is off neither stamps nor
        tracks what it writes, so that its writes are as fast as its reads. Until the close() of this worker,
        pynvme verifies nothing in its region. Afterwards the LBAs that it may have written are unknown, and
        reads of them count as unverified until they are written again with verification on. pynvme tracks
        the commands of the script itself even while verification is off. Workers that are running keep the
        setting of their start.

        Args:
            enable: True turns it on, False off

        Returns:
            True

        Example:
            >>> nvme0n1.verify_enable(False)
            >>> nvme0n1.ioworker(io_size=8, read_percentage=0, time=10).start().close()   # full speed
            >>> nvme0n1.verify_enable()         # verifies what is written from now on
        """

    def verify_stats(self) -> DotDict:
        """Counts of the LBAs read from this namespace since the drive was opened, workers included.

        Returns:
            a DotDict of LBA counts. The keys are judged (compared, mismatches included), unverified (pynvme
            did not know their data), and mismatch
        """

    def verify_forget(self, lba: _Int = 0, lba_count: _Int | None = None) -> None:
        """Discard the verification data of these LBAs, so that they are unverified until written again.

        Call it when something that pynvme cannot see has changed the data, for example another host, or a
        command of another queue. pynvme does it by itself after commands whose effect on the data it cannot
        know, such as vendor specific ones (docs/design.md, Verification).

        Args:
            lba: the first LBA
            lba_count: how many LBAs, by default all from `lba` to the end of the namespace

        Raises:
            AssertionError: lba or lba_count does not fit into 64 bits
            RuntimeError: the drive is closed

        Example:
            >>> nvme0n1.verify_forget()         # the whole namespace
            >>> nvme0n1.verify_forget(0, 8)     # LBAs 0 to 7
        """

    def verify_save(self, file: str | os.PathLike[str]) -> int:
        """Save in a file what pynvme knows of this namespace, for verify_load() in a later process.

        pynvme writes a temporary file first, which then takes the place of the old one. The file has 8 bytes
        for each LBA that was ever touched, and names the drive. LBAs with a write in flight are not in it.

        The file stays true after this call. Before this process, or one of its workers, changes LBAs, pynvme
        appends a record to the file and waits until it is on the disk. So verify_load() leaves these LBAs
        out, however the process ends, even if the host loses its power. Call verify_save() again to have
        them in the file. A record may name neighbours too, and that of a worker names its whole region.

        The file does not know of writes that do not come from a process which has loaded or saved it.
        verify_load() finds them by the drive's counts of writes if the last process closed the drive.
        A copy of the file is not updated.

        Args:
            file: the name of the file. Its folder must be writable

        Returns:
            how many LBAs the file knows

        Raises:
            OSError: the file cannot be written. An existing one stays as it is
            RuntimeError: an IO worker that writes is running, or a command that changes unknown data, such as
                a format, is in flight

        Example:
            >>> nvme0n1.ioworker(io_size=8, read_percentage=0, region_end=10000, time=10).start().close()
            >>> nvme0n1.verify_save("drive.verify")     # and days later, in another script:
            >>> nvme0n1.verify_load("drive.verify")
            {'known': 10000, 'stale': 0, 'lost': 0}
            >>> nvme0n1.ioworker(io_size=8, lba_random=False, region_end=10000).start().close()  # is judged
        """

    def verify_load(self, file: str | os.PathLike[str], trust_counts: bool = False) -> DotDict:
        """Load a file of verify_save(), so that reads judge the data that an earlier process has written.

        Call it before the first command that changes data. LBAs that this process has changed already stay
        as it knows them. Data that were not flushed are judged if the drive was shut down normally or did not
        lose its power since, by its counts of power cycles and losses. From then on pynvme keeps the file
        true, as after verify_save().

        Args:
            file: the name of the file, which must be writable
            trust_counts: do not compare the drive's counts of writes. Only for a drive that counts writes
                which no host has sent

        Returns:
            a DotDict of LBA counts. The keys are known (reads judge them again), stale (they were changed, or
                may have been, after they were saved) and lost (they were not flushed before a loss of power).
                Reads of stale and lost LBAs count as unverified

        Raises:
            ValueError: the file is damaged, or of another version, or describes another drive, namespace or
                LBA format, or the drive has executed write commands that the file does not know. pynvme has
                loaded nothing then
            OSError: there is no such file, or it cannot be written
            RuntimeError: as of verify_save()
        """

    def close(self) -> None:
        """Do nothing. pynvme keeps its verification data until the drive is closed."""

    def read(
        self,
        qpair: Qpair,
        buf: Buffer | None,
        lba: _Int,
        lba_count: _Int = 1,
        io_flags: _Int = 0,
        dword13: int = 0,
        dword14: int = 0,
        dword15: int = 0,
        cb: _Completed | None = None,
        *,
        sgl: bool | Sgl | Descriptor | None = None,
        meta: Buffer | Sgl | Descriptor | None = None,
        pi: Pi | dict[str, Any] | bool | None = None,
    ) -> Qpair:
        """Read (NVM 3.2.4).

        Args:
            qpair: the queue to send it to
            buf: where to, from buf.offset on
            lba: the first LBA, 64 bits
            lba_count: how many, 1 to 65536
            io_flags: bits 31:16 of dword 12, LR 0x8000, FUA 0x4000, PRINFO 0x3c00. Or these bits in their
                place, as 1 << 31, which is a value above 16 bits whose low 16 bits are 0
            dword13, dword14, dword15: command dwords, 32 bits each
            cb: called at completion, see help(nvme)
            sgl: True describes buf by an SGL and not by PRPs, for drives that support SGLs. An Sgl or a
                Descriptor of pynvme.sgl is the data pointer itself, and buf is None. Verification does not
                judge such a command
            meta: a Buffer for the metadata, from its offset on, to which MPTR points. An Sgl or a Descriptor
                of pynvme.sgl describes them by an SGL, to which MPTR leads, and has the data described by
                one, too (PSDT 10b). Verification does not judge such metadata. A namespace that has them
                behind the data of each LBA takes none
            pi: what to ask of protection information, True for the defaults, or a Pi of pynvme.protection, or
                a dict of its names, such as {"pract": 1}. It sets PRINFO and the tags

        Raises:
            AssertionError: a value does not fit its field, the buffer is too short, or the queue is full

        Example:
            >>> nvme0n1.read(qpair, buf, 0, 8).waitdone()
        """

    def write(
        self,
        qpair: Qpair,
        buf: Buffer | None,
        lba: _Int,
        lba_count: _Int = 1,
        io_flags: _Int = 0,
        dword13: int = 0,
        dword14: int = 0,
        dword15: int = 0,
        cb: _Completed | None = None,
        *,
        sgl: bool | Sgl | Descriptor | None = None,
        meta: Buffer | Sgl | Descriptor | None = None,
        pi: Pi | dict[str, Any] | bool | None = None,
        placement: _Int | None = None,
        stream: _Int | None = None,
    ) -> Qpair:
        """Write (NVM 3.2.6).

        pynvme stamps buf. In each LBA, the first 8 bytes become the LBA number and the last 8 a token.
        send_cmd() with opcode 1 leaves buf as it is.

        Args:
            qpair: the queue to send it to
            buf: what to write, from buf.offset on
            lba: the first LBA, 64 bits
            lba_count: how many, 1 to 65536
            io_flags: bits 31:16 of dword 12, LR 0x8000, FUA 0x4000, PRINFO 0x3c00, DTYPE 0x00f0. Or these
                bits in their place, as 1 << 31
            dword13, dword14, dword15: command dwords, 32 bits each
            cb: called at completion, see help(nvme)
            sgl: as for read(). pynvme does not stamp the data of an Sgl, and they are unknown to verification
            meta: as for read(). An Sgl is sent as the script has filled it: pynvme makes no tuples in it
            pi: what to ask of protection information, True for the defaults, or a Pi of pynvme.protection, or
                a dict of its names, such as {"pract": 1}. It sets PRINFO and the tags
            placement: placement identifier, 16 bits, of Flexible Data Placement; DTYPE becomes 2, DSPEC this
            stream: stream identifier, 16 bits, of the Streams directive: DTYPE becomes 1, and DSPEC this

        Raises:
            AssertionError: a value does not fit its field, placement and stream exclude each other, or DTYPE
                or DSPEC, the buffer is too short, or the queue is full

        Example:
            >>> nvme0n1.write(qpair, buf, 0, 8, io_flags=0x4000).waitdone()     # FUA
        """

    def compare(
        self,
        qpair: Qpair,
        buf: Buffer | None,
        lba: _Int,
        lba_count: _Int = 1,
        io_flags: _Int = 0,
        cb: _Completed | None = None,
        *,
        sgl: bool | Sgl | Descriptor | None = None,
        meta: Buffer | Sgl | Descriptor | None = None,
        pi: Pi | dict[str, Any] | bool | None = None,
    ) -> Qpair:
        """Compare the LBAs with buf (NVM 3.2.1). If they differ, the drive returns the status 02/85.

        Args:
            qpair: the queue to send it to
            buf: what to compare with, from buf.offset on
            lba: the first LBA, 64 bits
            lba_count: how many, 1 to 65536
            io_flags: bits 31:16 of dword 12, or these bits in their place, as 1 << 31
            cb: called at completion, see help(nvme)
            sgl: as for read()
            meta: as for read()
            pi: what to ask of protection information, True for the defaults, or a Pi of pynvme.protection, or
                a dict of its names, such as {"pract": 1}. It sets PRINFO and the tags

        Raises:
            AssertionError: as for read()
        """

    def write_uncorrectable(
        self, qpair: Qpair, lba: _Int, lba_count: _Int = 1, cb: _Completed | None = None
    ) -> Qpair:
        """Make these LBAs fail when they are read, until they are written again (NVM 3.2.7).

        Args:
            qpair: the queue to send it to
            lba: the first LBA, 64 bits
            lba_count: how many, 1 to 65536
            cb: called at completion, see help(nvme)
        """

    def write_zeroes(
        self,
        qpair: Qpair,
        lba: _Int,
        lba_count: _Int = 1,
        io_flags: _Int = 0,
        cb: _Completed | None = None,
        *,
        pi: Pi | dict[str, Any] | bool | None = None,
    ) -> Qpair:
        """Write Zeroes (NVM 3.2.8). Verification expects zeros afterwards, with DEAC too.

        Args:
            qpair: the queue to send it to
            lba: the first LBA, 64 bits
            lba_count: how many, 1 to 65536
            io_flags: bits 31:16 of dword 12, FUA 0x4000, DEAC (deallocate) 0x0200. Or these bits in their
                place, as 1 << 31
            cb: called at completion, see help(nvme)
            pi: as for read(). By default the drive makes the protection information (PRACT)
        """

    def verify(
        self,
        qpair: Qpair,
        lba: _Int,
        lba_count: _Int = 1,
        io_flags: _Int = 0,
        cb: _Completed | None = None,
        *,
        pi: Pi | dict[str, Any] | bool | None = None,
    ) -> Qpair:
        """Verify: the drive reads the LBAs and transfers nothing (NVM 3.2.5).

        Args:
            qpair: the queue to send it to
            lba: the first LBA, 64 bits
            lba_count: how many, 1 to 65536
            io_flags: bits 31:16 of dword 12, or these bits in their place, as 1 << 31
            cb: called at completion, see help(nvme)
            pi: as for read()
        """

    def flush(self, qpair: Qpair, cb: _Completed | None = None) -> Qpair:
        """Flush, after which everything written before survives a power loss (Base 7.1).

        Args:
            qpair: the queue to send it to
            cb: called at completion, see help(nvme)
        """

    def cancel(
        self, qpair: Qpair, cid: _Int | None = None, nsid: _Int | None = None, cb: _Completed | None = None
    ) -> Qpair:
        """Cancel: abort commands of this queue (Base 2.1, 7.1).

        Bits 15:0 of dword 0 of the completion are how many commands the drive has aborted at once, and bits
        31:16 how many it may abort later. Aborted commands complete as well, with Command Abort Requested, so
        that a script has to wait for all of them.

        Args:
            qpair: the queue to send it to, whose commands are aborted
            cid: the command to abort, 16 bits, see Qpair.latest_cid. None: several
            nsid: the namespace whose commands are aborted, 32 bits; 0xffffffff: all. None: this one
            cb: called at completion, see help(nvme)

        Example:
            >>> for lba in range(100): nvme0n1.read(qpair, buf, lba)
            >>> nvme0n1.cancel(qpair)
            >>> qpair.waitdone(101)
        """

    def dsm(
        self,
        qpair: Qpair,
        buf: Buffer,
        range_count: _Int,
        attribute: _Int = 0x4,
        cb: _Completed | None = None,
    ) -> Qpair:
        """Dataset Management (NVM 3.2.3).

        Args:
            qpair: the queue to send it to
            buf: the ranges, see Buffer.set_dsm_range(). Its size is at most 4096 bytes
            range_count: how many ranges, 1 to 256
            attribute: dword 11, 4 deallocate (AD), 2 integral dataset for write, 1 for read
            cb: called at completion, see help(nvme)

        Raises:
            AssertionError: a value does not fit its field, or the buffer is above 4096 bytes

        Example:
            >>> buf.set_dsm_range(0, 0, 1024)
            >>> nvme0n1.dsm(qpair, buf, 1).waitdone()
        """

    def copy(
        self,
        qpair: Qpair,
        buf: Buffer,
        lba: _Int,
        range_count: _Int,
        format: _Int = 0,
        io_flags: _Int = 0,
        cb: _Completed | None = None,
        *,
        pi: Pi | dict[str, Any] | bool | None = None,
    ) -> Qpair:
        """Copy LBA ranges to one place, inside the drive (NVM 3.3.2).

        Verification then expects of the destination what it knows of the sources.

        Args:
            qpair: the queue to send it to
            buf: the source ranges, see Buffer.set_copy_range()
            lba: the first LBA to write, 64 bits
            range_count: how many source ranges, 1 to 256
            format: of the source ranges, 4 bits. 2 and 3 name a namespace in each range, which needs OCFS and
                that the host has allowed it (feature 16h, CDFE)
            io_flags: bits 31:16 of dword 12, with FUA in bit 14 of them
            cb: called at completion, see help(nvme). If a range cannot be copied, dword 0 is its number
            pi: as for read(), for the LBAs that are written. By default the drive strips the protection
                information of the sources, and makes that of the destination

        Raises:
            AssertionError: a value does not fit its field, or the buffer is too short

        Example:
            >>> buf.set_copy_range(0, 100, 8)
            >>> buf.set_copy_range(1, 200, 8)
            >>> nvme0n1.copy(qpair, buf, 1000, 2).waitdone()
        """

    def io_mgmt_receive(
        self, qpair: Qpair, buf: Buffer, mo: _Int = 1, mos: _Int = 0, cb: _Completed | None = None
    ) -> Qpair:
        """I/O Management Receive (Base 7.3). Namespace.fdp reads it for you.

        Args:
            qpair: the queue to send it to
            buf: where its data go, for spec.ReclaimUnitHandleStatusList. Its size is NUMD
            mo: management operation, 8 bits, 1 reclaim unit handle status
            mos: management operation specific, 16 bits
            cb: called at completion, see help(nvme)

        Raises:
            AssertionError: a value does not fit its field, or the buffer has no dword
        """

    def io_mgmt_send(
        self, qpair: Qpair, buf: Buffer, mo: _Int = 1, mos: _Int = 0, cb: _Completed | None = None
    ) -> Qpair:
        """I/O Management Send (Base 7.4). Namespace.fdp has it as update().

        Args:
            qpair: the queue to send it to
            buf: its data, placement identifiers of 16 bits
            mo: management operation, 8 bits, 1 reclaim unit handle update
            mos: management operation specific, 16 bits; of 1, how many identifiers, 0's based
            cb: called at completion, see help(nvme)

        Raises:
            AssertionError: a value does not fit its field
        """

    def zone_append(
        self,
        qpair: Qpair,
        buf: Buffer | None,
        lba: _Int,
        lba_count: _Int = 1,
        io_flags: _Int = 0,
        cb: _Completed | None = None,
        *,
        sgl: bool | Sgl | Descriptor | None = None,
        meta: Buffer | Sgl | Descriptor | None = None,
        pi: Pi | dict[str, Any] | bool | None = None,
    ) -> Qpair:
        """Append LBAs to a zone, at its write pointer (ZNS 3.4.1).

        The completion tells in dwords 0 and 1 which LBA was the first. Verification takes it from there, also
        if many appends are in flight. It cannot stamp LBA and token, so two appends of the same data are
        alike.

        Args:
            qpair: the queue to send it to
            buf: the data, from buf.offset on
            lba: the first LBA of the zone, 64 bits
            lba_count: how many LBAs to append, 1 to 65536. The drive limits it by ZASL
            io_flags: bits 31:16 of dword 12, with FUA in bit 14 of them
            cb: called at completion, see help(nvme)
            sgl, meta: as for read()
            pi: as for write(). In types 1 and 2, the tuples have the reference tags from the start of the
                zone on, and the drive replaces them by those of the LBAs (PIREMAP, ZNS 3.4.1.1)

        Raises:
            AssertionError: as for write()

        Example:
            >>> nvme0n1.zone_append(qpair, buf, zone, cb=lambda cpl: print("at LBA", cpl[0])).waitdone()
        """

    def zones(self, qpair: Qpair, slba: _Int = 0, state: _Int = 0) -> list[Zone]:
        """Report zones, by as many Zone Management Receive commands as it takes (ZNS 3.4.2).

        Args:
            qpair: the queue to send them to, on which nothing is in flight
            slba: an LBA of the first zone to report, 64 bits
            state: report only zones in this state, as ZRASF: 1 empty, 2 implicitly opened, 3 explicitly
                opened, 4 closed, 5 full, 6 read-only, 7 offline. 0 reports all zones

        Returns:
            A `pynvme.zone.Zone` for each, which tells its state and can be opened, closed, finished and reset

        Raises:
            AssertionError: a value does not fit its field
            RuntimeError: the drive refuses the report, such as that of a namespace without zones

        Example:
            >>> zone = nvme0n1.zones(qpair)[3]
            >>> zone.append(buf), zone.refresh().wp
        """

    def zns_mgmt_send(
        self,
        qpair: Qpair,
        buf: Buffer | None,
        slba: _Int = 0,
        action: _Int = 0,
        all: bool = False,
        cb: _Completed | None = None,
        *,
        zrwa: bool = False,
    ) -> Qpair:
        """Zone Management Send (ZNS 3.4.3).

        Args:
            qpair: the queue to send it to
            buf: the data of action 0x10, otherwise None
            slba: the first LBA of the zone, 64 bits
            action: 8 bits, 1 close, 2 finish, 3 open, 4 reset, 5 offline, 0x10 set zone descriptor extension,
                0x11 flush a zone random write area up to slba
            all: select all zones instead of that of slba
            cb: called at completion, see help(nvme)
            zrwa: open the zone with a random write area (ZRWAA, bit 9 of dword 13)

        If a zone is reset or goes offline, its LBAs become unverified. After a Zone Append (ZNS 3.4.1),
        verification takes the LBA from the completion.

        Example:
            >>> nvme0n1.zns_mgmt_send(qpair, None, slba=zone, action=4).waitdone()
        """

    def zns_mgmt_receive(
        self,
        qpair: Qpair,
        buf: Buffer,
        slba: _Int = 0,
        dwords: _Int | None = None,
        extended: bool = True,
        state: _Int = 0,
        partial: bool = True,
        cb: _Completed | None = None,
    ) -> Qpair:
        """Report zones by Zone Management Receive (ZNS 3.4.2).

        Args:
            qpair: the queue to send it to
            buf: where to
            slba: an LBA of the first zone to report, 64 bits
            dwords: how many to transfer, by default buf.size / 4
            extended: request the extended report
            state: report only zones in this state, 8 bits. 0 reports all zones
            partial: make the number of zones in the report's header count only those transferred
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0n1.zns_mgmt_receive(qpair, buf, extended=False).waitdone()
            >>> zones = buf.data(7, 0)
        """

    def reservation_register(
        self,
        qpair: Qpair,
        new_key: _Int = 0,
        key: _Int = 0,
        action: _Int = 0,
        ignore_key: bool = False,
        persist: _Int = 0,
        cb: _Completed | None = None,
    ) -> Qpair:
        """Register a key for the host, replace it, or end the registration (Base 2.1, 7.6).

        The host is identified by feature 81h, Host Identifier, of its controllers. Set it first, since two
        controllers without one belong to different hosts.

        Args:
            qpair: the queue to send it to
            new_key: the key to register (NRKEY), 64 bits
            key: the key that the host has (CRKEY), 64 bits, to unregister or replace it
            action: RREGA, 3 bits, 0 register, 1 unregister, 2 replace
            ignore_key: IEKEY, do not compare key with the one that the host has
            persist: CPTPL, 2 bits, 0 no change, 2 registrations end with a power loss, 3 they persist
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0n1.reservation_register(qpair, new_key=0x1234).waitdone()
            >>> nvme0n1.reservation_acquire(qpair, 1, key=0x1234).waitdone()
            >>> nvme0n1.reservation_release(qpair, 1, key=0x1234).waitdone()
            >>> nvme0n1.reservation_register(qpair, key=0x1234, action=1).waitdone()
        """

    def reservation_acquire(
        self,
        qpair: Qpair,
        rtype: _Int,
        key: _Int = 0,
        preempt_key: _Int = 0,
        action: _Int = 0,
        ignore_key: bool = False,
        cb: _Completed | None = None,
    ) -> Qpair:
        """Acquire a reservation, or take it from other registrants (Base 2.1, 7.5).

        Args:
            qpair: the queue to send it to
            rtype: the type, 8 bits, 1 write exclusive, 2 exclusive access, 3 and 4 the same but for
                registrants, 5 and 6 held by all registrants
            key: the key that the host has (CRKEY), 64 bits
            preempt_key: the key of the registrants to remove (PRKEY), 64 bits, for action 1 and 2
            action: RACQA, 3 bits, 0 acquire, 1 preempt, 2 preempt and abort their commands
            ignore_key: IEKEY, which a drive should refuse here
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0n1.reservation_acquire(qpair, 3, key=0x1234, preempt_key=0x5678, action=1).waitdone()
        """

    def reservation_release(
        self,
        qpair: Qpair,
        rtype: _Int = 0,
        key: _Int = 0,
        action: _Int = 0,
        ignore_key: bool = False,
        cb: _Completed | None = None,
    ) -> Qpair:
        """Release the reservation, or remove it with all registrations (Base 2.1, 7.7).

        Args:
            qpair: the queue to send it to
            rtype: the type of the reservation, 8 bits, for action 0
            key: the key that the host has (CRKEY), 64 bits
            action: RRELA, 3 bits, 0 release, 1 clear
            ignore_key: IEKEY, which a drive should refuse here
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0n1.reservation_release(qpair, key=0x1234, action=1).waitdone()
        """

    def reservation_report(
        self,
        qpair: Qpair,
        buf: Buffer,
        dwords: _Int | None = None,
        extended: bool = False,
        cb: _Completed | None = None,
    ) -> Qpair:
        """Report the reservation and the registered controllers (Base 2.1, 7.8).

        Args:
            qpair: the queue to send it to
            buf: where to. It begins with the structure "reservation status" of pynvme.spec
            dwords: how many to transfer, by default buf.size / 4
            extended: EDS, the form for hosts with identifiers of 128 bits
            cb: called at completion, see help(nvme)

        Example:
            >>> nvme0n1.reservation_report(qpair, buf, extended=True).waitdone()
            >>> print("registered controllers", buf.data(6, 5), "type", buf.data(4))
        """

    def send_cmd(
        self,
        opcode: _Int,
        qpair: Qpair,
        buf: Buffer | None = None,
        nsid: _Int = 1,
        cdw10: _Int = 0,
        cdw11: _Int = 0,
        cdw12: _Int = 0,
        cdw13: _Int = 0,
        cdw14: _Int = 0,
        cdw15: _Int = 0,
        cb: _Completed | None = None,
        *,
        sgl: bool | Sgl | Descriptor | None = None,
        cdw2: _Int = 0,
        cdw3: _Int = 0,
        meta: Buffer | Sgl | Descriptor | None = None,
    ) -> Qpair:
        """Send any IO command (Base 3.3.3.1, NVM 3). Verification tracks it, but does not stamp buf.

        Args:
            opcode: bits 15:0 of dword 0, with the opcode in 7:0 and FUSE in 9:8 (1 first, 2 second command)
            qpair: the queue to send it to
            buf: the data, from buf.offset on, at most buf.size bytes. None is no data
            nsid: 32 bits, default 1. It is not taken from this Namespace, so that a test can send a wrong one
            cdw10 ... cdw15: command dwords, 32 bits each
            cb: called at completion, see help(nvme)
            sgl: as for read()
            cdw2, cdw3: command dwords that few commands use, 32 bits each
            meta: as for read()

        Raises:
            AssertionError: a value does not fit its field, or the queue is full

        Example:
            >>> nvme0n1.send_cmd(5 | 1 << 8, qpair, old, cdw12=0)   # fused compare and write (Base 3.4.2)
            >>> nvme0n1.send_cmd(1 | 2 << 8, qpair, new, cdw12=0)
            >>> qpair.waitdone(2)
        """

    def ioworker(
        self,
        io_size: _Int | range | list[int] | tuple[int, ...] | dict[int, int] = 8,
        lba_step: _Int | None = None,
        lba_align: _Int | list[int] | tuple[int, ...] | None = None,
        lba_random: bool | _Int = True,
        read_percentage: _Int = 100,
        op_percentage: dict[int, int] | None = None,
        time: float = 0,
        qdepth: _Int = 64,
        region_start: _Int = 0,
        region_end: _Int = 0xFFFFFFFFFFFFFFFF,
        iops: float = 0,
        io_count: _Int = 0,
        lba_start: _Int = 0,
        qprio: _Int = 0,
        distribution: Sequence[int] | None = None,
        ptype: _Int = 0xBEEF,
        pvalue: _Int = 100,
        io_sequence: Iterable[tuple[int, int, int, int]] | CommandLog | str | os.PathLike[str] | None = None,
        fw_debug: bool = False,
        cpu_id: _Int | None = None,
        output_io_per_second: list[int] | None = None,
        output_percentile_latency: dict[int, Any] | dict[float, Any] | None = None,
        output_cmdlog_list: list[Any] | None = None,
        *,
        progress: bool = False,
        zipf: float | None = None,
        pareto: float | None = None,
        regions: Sequence[tuple[int, int]] | None = None,
        poisson: bool = False,
        think_time: float = 0,
        think_ios: _Int = 1,
        compress: _Int = 0,
        continue_on_error: bool = False,
        max_latency: float = 0,
        steady_state: _Int = 0,
        latency_target: float = 0,
        latency_percentile: float = 100,
        latency_window: float = 1,
        output_opcode_latency: dict[int, dict[float, Any]] | None = None,
        output_due_latency: dict[int, Any] | dict[float, Any] | None = None,
        output_latency_histograms: list[Any] | None = None,
        histogram_ms: _Int = 100,
        sgl_percentage: _Int = 0,
        pi: Pi | dict[str, Any] | bool | None = None,
        placement: Sequence[int] | dict[int, int] | _Int | None = None,
        placement_type: str = "fdp",
        placement_select: str = "roundrobin",
        zonemode: str | None = None,
        zone_append: _Int = 0,
        max_open_zones: _Int = 0,
        zone_reset_threshold: float = 0,
        zone_reset_frequency: float = 0,
        read_beyond_wp: bool = False,
        zoneskip: _Int = 0,
    ) -> IOWorker:
        """Make a process that sends IO to this namespace, and verifies it, on a queue pair of its own.

        The worker starts with start(), or by `with`. It ends after time, after io_count, or at the end of
        io_sequence, whichever comes first. At least one of them is needed, except for sequential IO of one
        size with a region_end. That goes through the region once, from lba_start to the end, and then from
        the beginning to lba_start.

        What the worker sends:
            io_size: LBAs per IO, 1 to 65536. It is one size, a list or range of sizes that are equally
                frequent, or {size: ratio}. A single size larger than the region is clipped to it. In a
                list each must be smaller. If a transfer is above MDTS, close() reports error -2
            read_percentage: reads, 0 to 100. The others are writes
            op_percentage: replaces read_percentage by {opcode: percentage}, the sum 100, of flush 0,
                write 1, read 2, write uncorrectable 4, compare 5, write zeroes 8, dsm 9, verify 0xc.
                close() replaces the percentages by numbers of IOs
            ptype, pvalue: the data of writes, as in Buffer
            compress: the last part of each LBA that is zeros, in percent, as fio's buffer_compress_percentage
            io_sequence: (time in us from the start, opcode, first LBA, LBAs) for each IO to replay. The
                worker sends them in order, none before its time. Or a command log, or the name of a trace:
                an iolog of fio, the text of blkparse, of Linux's trace event nvme_setup_cmd, or a file of
                CommandLog.save(). LBAs beyond the namespace are folded into it, and IOs above MDTS are
                split. pynvme.trace.sequence() has more options

        Where:
            lba_random: True, False, or the percentage of IOs at random LBAs, an int
            lba_align: each IO begins at a multiple of this number of LBAs, by default 1. A list has one
                number for each io_size
            lba_step: LBAs from the start of one sequential IO to the next, negative to go backwards, 0 to
                stay. By default IOs are contiguous. Past the end of the region, the worker starts again at
                the first LBA, or backwards at the last whole IO
            region_start, region_end: LBAs that the worker uses, the end not included
            lba_start: the first LBA, raised to region_start
            distribution: 100 ints, the sum 10000. Each is the share of random IO that goes to one
                hundredth of the region
            zipf, pareto: random IO prefers some blocks of the largest io_size, as fio's random_distribution.
                zipf is theta, above 0 and up to 5 but not 1: the block of rank k is as popular as k^-theta.
                pareto is h, between 0 and 1: a smaller h concentrates the IO on fewer blocks. Popular
                blocks are spread over the region, in the same way for all workers
            regions: a list of (first LBA, end) instead of one region, 64 at most. Random IO goes to all of
                them by their size, and sequential IO through one after the other. They must not overlap, and
                must be whole multiples of lba_align

            The worker cuts each IO at the end of the region. Sequential IO skips LBAs that are known to be
            uncorrectable. The worker cuts an IO before them and continues behind them. A flush does not
            advance the LBA.

        Where in the media:
            placement: placement identifiers that writes name: one, a list of up to 256, or
                {identifier: ratio}, whose ratios add up to at most 256
            placement_type: "fdp" for placement identifiers (Data Placement directive), "streams" for streams,
                which the script enables before, as fio's dataplacement
            placement_select: "roundrobin" names one after the other, "random" each at random, as fio's
                plid_select

        In zones, in fio's words:
            zonemode: "zbd" writes each zone of the region from its write pointer on, and reads below it. It
                resets a zone that is full before it writes to it again. Random IO chooses a zone at random.
                Sequential IO without time and io_count writes, or reads, each zone once. The region must
                consist of whole zones. If there is nothing to read, the worker writes, or ends. opcodes are
                then flush 0, write 1, read 2, verify 0xc, zone reset 0x79 (as fio's trim) and append 0x7d
            zone_append: the percentage of the writes that are Zone Appends. Several of them are in flight in
                a zone, but one write only, since a drive may reorder commands
            max_open_zones: zones that this worker has partly written at a time, as fio's job_max_open_zones.
                By default it is as many as the drive allows. All workers of a namespace together respect its
                limits of active and of open zones (MAR, MOR), and wait for each other
            zone_reset_threshold, zone_reset_frequency: if at least this part of the region's LBAs is written,
                the worker resets the zone of a write first, before that part of the writes. 0 to 1
            read_beyond_wp: reads anywhere in a zone. If DLFEAT promises zeros, unwritten LBAs are verified,
                once the worker has reset the zone
            zoneskip: LBAs, a multiple of the zone size, that sequential IO skips after each zone

        How fast, how long:
            qdepth: entries of its queue, 2 to the lesser of 1024 and CAP.MQES + 1. One IO less is in flight
            iops: IOs per second at most, or 0 for as fast as possible. IO number k, counted from 1, is due
                k/iops after the start, so that the worker sends iops * time in all. For 2 per second and
                5 s it sends 10, the first after half a second and the last at the end
            poisson: IOs arrive at random times, iops a second in the mean, as fio's rate_process=poisson
            think_time, think_ios: after each think_ios IOs, wait until they have completed, and then for
                think_time us
            sgl_percentage: of the IOs, those whose data SGLs describe, in equal distances. PRPs describe
                those of the others
            pi: what each IO asks of protection information, as for read(). fio's names are taken, such as
                {"pi_act": 1, "pi_chk": "GUARD,REFTAG"}. By default the drive checks nothing. The worker
                makes the metadata of its writes, and they are verified. Each IO names the same ref_tag
                for its first LBA. If the drive checks reference tags, reads then have to begin where
                writes began, by lba_align = io_size. Otherwise the drive fails them with 02/84
            time: seconds, 0 for no limit
            io_count: IOs, 0 for no limit
            qprio: SQ priority, as in Qpair
            cpu_id: the CPU to run on. By default it is the CPU with the fewest workers of this script, except
                for the lowest one, which is left to the virtual SSD and the script
            max_latency: us. An IO that takes longer ends the worker with error -9. The log shows the command
            continue_on_error: continue after IOs that fail or mismatch. io_count_failed counts them, and
                status is that of the first one
            steady_state: seconds of a round. The worker ends when its IOPS are steady by the rule of SNIA's
                Performance Test Specification: in the last 5 rounds the largest and the smallest differ by at
                most 20 % of their mean, and the slope of their best line is at most 10 % of it
            latency_target: us. The worker tries depths for latency_window seconds each, and ends when it has
                found the highest one at which latency_percentile percent of the IOs take no longer
            fw_debug: after an error, leave the queue and the commands in flight as they are, for a
                debugger of the firmware, until the next reset or the end of the script

        What close() fills in beside the result:
            output_io_per_second: a list, which gets the IOs completed in each whole second of time. If
                io_count ends the run, a last partial second of at least a half counts too
            output_percentile_latency: a dict {percentile: None}, whose values become the latency, in us
            output_cmdlog_list: a list of N entries, which become the last N commands (first LBA, LBAs,
                opcode), oldest first, preceded by zeros if there were fewer
            output_opcode_latency: a dict {opcode: {percentile: None}}, whose values become the latencies of
                the IOs of that opcode, in us
            output_due_latency: a dict {percentile: None}, whose values become the latencies in us, counted
                from the moment when each IO was due by iops, poisson or io_sequence. All other latencies
                count from the submission, and do not show how long an IO waited for a free entry
            output_latency_histograms: a list, which gets an array of numpy for each histogram_ms. Its rows
                are (latency in ns, how many IOs completed with it in this interval)

        What shows it while it runs:
            progress: show one line for all such workers, in a terminal or a notebook, with IOPS, MB/s, the
                99th percentile of the latency, the temperature, LBAs verified and the time left. Nothing is
                shown if the output is neither. The result then has `samples`, what the worker did over time

        Returns:
            an IOWorker, not started

        Raises:
            AssertionError: a value is out of range, the region is empty, the CPU does not exist, or the
                worker would not end

        Example:
            >>> r = nvme0n1.ioworker(io_size=8, qdepth=16, read_percentage=100, time=10).start().close()
            >>> r.io_count_read / r.mseconds    # thousands of IOs a second

            >>> with nvme0n1.ioworker(io_size=256, lba_random=False, read_percentage=0, time=10):
            ...     nvme0.getlogpage(2, buf, 512).waitdone()

            >>> latency = {50: None, 99.9: None}
            >>> with nvme0n1.ioworker(io_size={8: 3, 64: 1}, time=10, output_percentile_latency=latency):
            ...     pass
            >>> latency[99.9]                   # us

            >>> worker = nvme0n1.ioworker(zipf=1.2, latency_target=500, latency_percentile=99, time=60)
            >>> worker.start().close().latency_target_depth

            >>> zoned = nvme0n1.ioworker(zonemode="zbd", read_percentage=50, zone_append=100, time=10)
            >>> zoned.start().close().zone_resets
        """

class KeyValue:
    """A namespace of the Key Value Command Set, with its five commands and the verification of values.

    Args:
        nvme: the Controller, which enables all command sets (CC.CSS) if the drive has them
        nsid: which namespace, 32 bits

    Raises:
        NamespaceCreationError: it is not active, or has another command set

    The object stays valid through resets, power cycles and formats.

    A key has 1 to 16 bytes. pynvme keeps the CRC-32C and the length of the value of each key that it has
    stored or deleted, up to 2^24 keys, and compares when a Retrieve or an Exist completes. If the drive is
    wrong, the command completes with the status 07/81, and the log names the key and the class:

        lost            the drive says that a key does not exist that was stored
        stale           an older value, or a key that was deleted
        misdirected     the value of another key
        corrupt         none of these

    A Store or a Delete is compared, too, if the drive refuses it because the key exists, or does not. Of a
    value that is longer than the buffer of its Retrieve only the length is compared. If the specification
    leaves the value open (commands to a key that overlap in flight, failed commands, a power loss before a
    flush, a format), the key is unknown until it is stored or deleted again. So there are no false alarms.

    Example:
        >>> nvme0 = Controller("vssd:size=64M,namespaces=2,key_value=1")
        >>> kv, qpair, buf = KeyValue(nvme0, 2), Qpair(nvme0, 16), Buffer(4096)
        >>> kv.store(qpair, b"hello", buf).waitdone()
        >>> kv.retrieve(qpair, b"hello", buf).waitdone()
        4096
    """

    def __init__(self, nvme: Controller, nsid: _Int = 1) -> None: ...
    @property
    def nsid(self) -> int:
        """The namespace identifier."""

    @property
    def id_ns(self) -> IdentifyNamespaceKv:
        """Identify Namespace of the Key Value Command Set (CNS 05h, KV 4.1.5.1). It is read each time.

        Examples:
            >>> kv.id_ns.nuse                   # bytes that keys and values occupy
            >>> kv.id_ns.kvf[0].vml             # bytes of the longest value
        """

    def verify_enable(self, enable: bool = True) -> bool:
        """Enable or disable the comparison of values for this object. What is stored is followed in any case.

        Returns:
            True
        """

    def verify_stats(self) -> DotDict:
        """How many values were compared, by all processes since the drive was opened.

        Returns:
            judged: values and existences that were compared, mismatches included
            unverified: those whose expected value was unknown
            mismatch: those that were wrong
        """

    def verify_forget(self) -> None:
        """Make all keys unknown, after a change that pynvme cannot have seen."""

    def close(self) -> None:
        """Does nothing. pynvme keeps the verification data until the controller is closed."""

    def store(
        self,
        qpair: Qpair,
        key: bytes | bytearray | memoryview,
        buf: Buffer | None,
        length: _Int | None = None,
        options: _Int = 0,
        cb: _Completed | None = None,
        *,
        kl: _Int | None = None,
        sgl: bool | Sgl | Descriptor | None = None,
    ) -> Qpair:
        """Store: the key gets a value (KV 3.2.5).

        The drive refuses a longer value than VML with status 00/85 and a longer key than KML with 00/86. It
        fails with 00/81 if it has no room.

        Args:
            qpair: the queue to send it to
            key: 1 to 16 bytes
            buf: the value, from buf.offset on. None is a value of 0 bytes
            length: VS, bytes of the value, 32 bits, by default buf.size
            options: SO, 8 bits: 1 only if the key exists, 2 only if it does not, 4 not compressed
            cb: called at completion, see help(nvme)
            kl: KL, the length of the key to send, 8 bits, by default that of key
            sgl: as for Namespace.read()

        Raises:
            AssertionError: the key is longer than 16 bytes, or buf is shorter than length

        Example:
            >>> kv.store(qpair, b"hello", buf, 100, options=2).waitdone()
        """

    def retrieve(
        self,
        qpair: Qpair,
        key: bytes | bytearray | memoryview,
        buf: Buffer | None,
        length: _Int | None = None,
        options: _Int = 0,
        cb: _Completed | None = None,
        *,
        kl: _Int | None = None,
        sgl: bool | Sgl | Descriptor | None = None,
    ) -> Qpair:
        """Retrieve: the value of a key, or its first bytes (KV 3.2.4).

        waitdone() returns the length of the value, which may be more than the buffer holds. The drive fails
        the command with status 00/87 if the key does not exist.

        Args:
            qpair: the queue to send it to
            key: 1 to 16 bytes
            buf: where to, from buf.offset on. None asks for the length only
            length: HBS, the most bytes to transfer, 32 bits, by default buf.size
            options: RO, 8 bits: 1 not decompressed
            cb: called at completion, see help(nvme)
            kl: KL, the length of the key to send, 8 bits, by default that of key
            sgl: as for Namespace.read()

        Raises:
            AssertionError: the key is longer than 16 bytes, or buf is shorter than length

        Example:
            >>> size = kv.retrieve(qpair, b"hello", buf).waitdone()
            >>> buf[:size]
        """

    def list(
        self,
        qpair: Qpair,
        buf: Buffer,
        key: bytes | bytearray | memoryview = b"",
        length: _Int | None = None,
        cb: _Completed | None = None,
        *,
        kl: _Int | None = None,
        sgl: bool | Sgl | Descriptor | None = None,
    ) -> Qpair:
        """List: as many keys as fit, in the order of the drive (KV 3.2.3).

        keys() sends it as often as needed. pynvme.key_value.keys_of(buf) returns the keys in the data.

        Args:
            qpair: the queue to send it to
            buf: where to, from buf.offset on. It begins with the number of keys, in 4 bytes
            key: the key to begin at, or the one after it if it does not exist. b"" is the first one
            length: HBS, the most bytes to transfer, 32 bits, by default buf.size
            cb: called at completion, see help(nvme)
            kl: KL, the length of the key to send, 8 bits, by default that of key
            sgl: as for Namespace.read()

        Raises:
            AssertionError: the key is longer than 16 bytes, or buf is shorter than length
        """

    def delete(
        self,
        qpair: Qpair,
        key: bytes | bytearray | memoryview,
        cb: _Completed | None = None,
        *,
        kl: _Int | None = None,
    ) -> Qpair:
        """Delete a key and its value (KV 3.2.1). The drive fails it with 00/87 if the key does not exist.

        Args:
            qpair: the queue to send it to
            key: 1 to 16 bytes
            cb: called at completion, see help(nvme)
            kl: KL, the length of the key to send, 8 bits, by default that of key

        Raises:
            AssertionError: the key is longer than 16 bytes
        """

    def exist(
        self,
        qpair: Qpair,
        key: bytes | bytearray | memoryview,
        cb: _Completed | None = None,
        *,
        kl: _Int | None = None,
    ) -> Qpair:
        """Exist: whether a key exists (KV 3.2.2). If not, the drive fails the command with status 00/87.

        Args:
            qpair: the queue to send it to
            key: 1 to 16 bytes
            cb: called at completion, see help(nvme)
            kl: KL, the length of the key to send, 8 bits, by default that of key

        Raises:
            AssertionError: the key is longer than 16 bytes
        """

    def flush(self, qpair: Qpair, cb: _Completed | None = None) -> Qpair:
        """Flush: what was stored and deleted before survives a loss of power (Base 7.2).

        Args:
            qpair: the queue to send it to
            cb: called at completion, see help(nvme)
        """

    def keys(self, qpair: Qpair, start: bytes | bytearray | memoryview = b"") -> _Keys:
        """All keys of the drive, in its order, by List commands, up to the first one that fails.

        Args:
            qpair: the queue to send them to
            start: the key to begin at, by default the first one

        Example:
            >>> kv.keys(qpair)
            [b'hello']
        """

    def send_cmd(
        self,
        opcode: _Int,
        qpair: Qpair,
        buf: Buffer | None = None,
        nsid: _Int | None = None,
        cdw10: _Int = 0,
        cdw11: _Int = 0,
        cdw12: _Int = 0,
        cdw13: _Int = 0,
        cdw14: _Int = 0,
        cdw15: _Int = 0,
        cb: _Completed | None = None,
        *,
        sgl: bool | Sgl | Descriptor | None = None,
        cdw2: _Int = 0,
        cdw3: _Int = 0,
    ) -> Qpair:
        """Send any IO command to this namespace (Base 3.3.3.1, KV 3). Verification tracks it.

        Args:
            opcode: bits 15:0 of dword 0
            qpair: the queue to send it to
            buf: the data, from buf.offset on, at most buf.size bytes. None is no data
            nsid: 32 bits, by default that of this namespace
            cdw10 ... cdw15: command dwords, 32 bits each
            cb: called at completion, see help(nvme)
            sgl: as for Namespace.read()
            cdw2, cdw3: the first 8 bytes of the key, 32 bits each

        Raises:
            AssertionError: a value does not fit its field, or the queue is full
        """

class IOWorker:
    """A process that sends IO, made by Namespace.ioworker().

    Call start() and close(), or use `with`, which does both. An exception in the `with` block ends the
    worker early. If the controller is reset or loses power, the worker ends without an error.

    Example:
        >>> with nvme0n1.ioworker(io_size=8, time=10) as worker:
        ...     while worker.running:
        ...         print(worker.progress)
        ...         time.sleep(1)
        >>> worker.close().mseconds
    """

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn: ...
    def __enter__(self) -> IOWorker:
        """start()."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        """close(). After an exception the worker ends early."""

    def start(self) -> IOWorker:
        """Start the process. If that fails, close() reports it.

        Returns:
            the worker itself

        Raises:
            AssertionError: the worker was started already
        """

    def close(self) -> DotDict:
        """Wait until the worker has ended, fill in the requested outputs, and return the result.

        A second call returns the same result at once. Ctrl-C ends the worker.

        Returns:
            a DotDict with these keys:

            io_count_read           IOs of opcode 2
            io_count_write          IOs of opcode 1
            io_count_nonread        IOs of all other opcodes
            mseconds                the duration from the start to the last completion, in ms, rounded up. If
                                    time ended the run, it is at least time
            latency_max_us          the latency of the slowest IO
            latency_average_us      the mean latency, a float
            cpu_usage               the share of time in which the worker was busy, 0 to 1
            error                   0, or why it ended, see below
            status                  0, or SCT << 8 | SC of the first IO that failed
            lba_verified            LBAs read and compared
            lba_unverified          LBAs read whose data pynvme did not know
            lba_mismatch            LBAs with wrong data. The log names the first one
            ended_by                None if the worker has finished its work. Otherwise the cause, "reset",
                                    "power loss", "removal", "close" (of the drive), "stop" (an exception in
                                    the `with` block, or Ctrl-C) or "error"
            iops_consistency        the result of iops_consistency(), with output_io_per_second
            latency_distribution    how many IOs took 0, 1, ... 999999 us, with output_percentile_latency
            latency_percentile_ns   the same percentiles in ns, with output_percentile_latency
            samples                 a pynvme.samples.Samples, ten times a second, with progress
            latency_average_us_by_opcode, latency_percentile_ns_by_opcode
                                    the mean latency, and the percentiles in ns, of each opcode, with
                                    output_opcode_latency
            latency_due_percentile_ns  the latencies of output_due_latency, exactly
            io_count_failed         IOs that failed or mismatched, with continue_on_error
            io_count_append         Zone Appends, with zonemode
            zone_resets             zones that the worker has reset, with zonemode. If it did so of its own
                                    accord, that is not an IO
            steady_state            whether the IOPS became steady, with steady_state
            latency_target_depth    the highest depth that holds latency_target, 0 if none does, or None if
                                    the worker ended before it was found
            latency_target_windows  for each depth that was tried: (depth, IOPS, latency in us)

        For an error, pynvme issues the warning "ioworker host ERROR -6: io cmd error", and for a status the
        warning "ioworker device respond an ERROR status: 02/81 Unrecovered Read Error". The errors are:

            -1  the queue pair or the process could not be created
            -2  io_size is larger than MDTS, or than the 256 MiB that PRP lists describe
            -3  an IO took longer than Controller.timeout
            -4  the worker did not end in time
            -5  there is no memory for its buffers
            -6  an IO completed with an error, a read returned wrong data, or an append reported an LBA where
                it cannot have written
            -7  the process was killed
            -8  the drive is gone
            -9  an IO took longer than max_latency

        Raises:
            AssertionError: the worker was not started
        """

    @property
    def running(self) -> bool:
        """True from the beginning until the worker has ended, or has failed to start."""

    @property
    def progress(self) -> tuple[int, int, int]:
        """(queue identifier, IOs sent, IOs completed) so far. The identifier is 0 after close()."""

    def cmdlog_list(self, count: _Int = 0) -> CommandLog:
        """The commands that the worker sent last, oldest first, as Controller.cmdlog_list() returns them.

        It may be called while the worker runs.

        Args:
            count: how many commands. 0 returns all that the log holds. After close() it holds 4096 at most

        Example:
            >>> worker = nvme0n1.ioworker(io_size=8, io_count=1000).start()
            >>> worker.close()
            >>> worker.cmdlog_list(100).save("worker.pcapng")
        """

    def iops_consistency(self, slowest_percentage: float = 99.9) -> float:
        """How even the IOPS were from second to second. Call it after close().

        It sorts the counts of IOs in descending order, takes the one slowest_percentage of the way down, and
        divides it by their mean.

        Args:
            slowest_percentage: 0 to 100

        Returns:
            1.0 for a drive that is equally fast in each second, less for one that has slow seconds

        Raises:
            AssertionError: ioworker() was called without output_io_per_second, or it is empty

        Example:
            >>> counts = []
            >>> worker = nvme0n1.ioworker(time=60, output_io_per_second=counts).start()
            >>> worker.close()
            >>> worker.iops_consistency(99.9)
        """

class Subsystem:
    """The NVM subsystem of a drive, with its power, its shutdown, and its reset.

    Args:
        nvme: the Controller
        poweron_cb: switches the power on, for example by a power module. It is called without arguments
        poweroff_cb: switches the power off
        power: the power switch, instead of the callbacks. It is an object with the methods on() and off(), or
            a text, see pynvme.lab.switch: "labgrid:PLACE" is the power port of a place of labgrid that you
            have acquired, "quarch:USB:QTL1743-03-001" is a module of Quarch by quarchpy, and
            "http://switch/relay/0/{value}" is a URL that pynvme gets, with 1 or 0 for {value}

    Without callbacks and power, pynvme switches a virtual SSD itself. For a PCIe drive it uses the Power
    Controller of the slot. If the slot has none, power_cycle() suspends the machine to RAM and wakes it by
    the real-time clock, and the other methods are not supported. Both need root.

    While its slot is switched off, the kernel does not list the drive. When the drive is back, pynvme binds
    it again, and objects stay valid. The same happens with callbacks if the slot supports hot-plug.

    Call Controller.reset() after these methods. If you do not, the next command or Qpair initialises the
    controller.

    Raises:
        ValueError: power names no switch, or both power and callbacks are given
        TypeError: power is no text and has no on() and off()
        RuntimeError: the switch does not exist, or the package for it is not installed

    Example:
        >>> subsystem = Subsystem(nvme0)
        >>> subsystem.shutdown_notify()
        >>> subsystem.power_cycle(1)
        >>> nvme0.reset()
        >>> bench = Subsystem(nvme0, power="http://192.168.1.5/relay/0/{value}")
    """

    def __init__(
        self,
        nvme: Controller,
        poweron_cb: Callable[[], object] | None = None,
        poweroff_cb: Callable[[], object] | None = None,
        *,
        power: str | Power | None = None,
    ) -> None: ...
    def power_cycle(self, sec: float = 10) -> Literal[True]:
        """Switch the power off and on again.

        Without shutdown_notify() before it, this is a sudden power loss. Data that were not flushed may be
        lost, and verification takes that into account.

        Args:
            sec: how long the power is off, in seconds. A suspend takes at least 5

        Raises:
            NotImplementedError: nothing can switch the power, and there are no callbacks. The text names what
                is missing
            PermissionError: the script does not run as root
            TimeoutError: the drive is not back a minute after power-on
            OSError: the kernel does not switch the slot, or does not suspend the machine
        """

    def poweroff(self) -> Literal[True]:
        """Switch the power off. IO workers end, and commands in flight complete with 00/08.

        Until poweron(), registers cannot be read, and configuration space reads as ones.

        Raises:
            NotImplementedError: nothing can switch the power, or only a suspend can, for which there is
                power_cycle(). The text names what is missing
            PermissionError: the script does not run as root
            OSError: the kernel does not switch the slot
        """

    def poweron(self) -> Literal[True]:
        """Switch the power on, and wait until a PCIe drive is back. May be called again.

        Raises:
            NotImplementedError: nothing can switch the power. The text names what is missing
            NvmeEnumerateError: the drive is back, but something else uses it
            TimeoutError: the drive is not back a minute after power-on
            OSError: the kernel does not switch the slot
        """

    def shutdown_notify(self, abrupt: bool = False) -> Literal[True]:
        """Request a shutdown by CC.SHN, and wait until CSTS.SHST reports its end (Base 3.6.1).

        Args:
            abrupt: an abrupt shutdown (SHN 10b) instead of a normal one (01b)

        Raises:
            NvmeShutdownStatusTimeoutError: the drive does not finish in time
        """

    def reset(self) -> bool:
        """Reset the NVM subsystem by writing "NVMe" to NSSR (Base 3.7.1).

        Returns:
            True, or False if CAP.NSSRS is 0 and nothing was done
        """

class Tcp:
    """An NVMe/TCP drive. This version has no engine for it.

    Args:
        addr: host name or IP address
        port: TCP port

    Raises:
        NvmeEnumerateError: always
    """

    def __init__(self, addr: str, port: int = 4420) -> None: ...

def engines() -> list[Engine]:
    """The NVMe drivers that this build has. The environment variable PYNVME_ENGINE selects one by its name.

    Returns:
        A list of named tuples:

        name        "own" is pynvme's own driver and the default, "spdk" is SPDK's
        version     the version of the driver
        dpdk        the version of the DPDK that it uses
        selected    whether this process uses it
        pcie        what it withholds from PCIe drives: a dict of reasons by the name of the capability
        vfio_user   what it withholds from drives behind a vfio-user socket, virtual SSDs among them

        withheld(address) returns one of the two dicts.

    If a script needs what its engine withholds, it gets a NotImplementedError with the name of the capability
    as its attribute capability. docs/engines.md has a table of all capabilities.

    Example:
        >>> [engine.name for engine in engines() if engine.selected]
        ['own']
    """

def srand(seed: _Int) -> None:
    """Seed the random generators of IO workers and of data patterns, and Python's random module.

    Args:
        seed: any integer, 0 as well. The driver uses 64 bits of it

    Example:
        >>> srand(1)
    """
