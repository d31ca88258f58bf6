# SPDX-License-Identifier: BSD-3-Clause
# Namespace: IO commands, and the verification of reads.

cdef inline unsigned _lba_count(object value) except 0:
    cdef long long count
    cdef int beyond = 0

    if PyLong_CheckExact(value):
        count = PyLong_AsLongLongAndOverflow(value, &beyond)
        if 1 <= count <= 65536:
            return <unsigned>count
    return _any_lba_count(value)


cdef unsigned _any_lba_count(object value) except 0:
    cdef object count = _integer(value, "lba_count")

    _check(1 <= count <= 65536, f"lba_count must be from 1 to 65536, not {value}")
    return count


cdef inline uint32_t _io_flags(object value) except? 0xffff:
    """Bits 31:16 of dword 12, from a value that is either these 16 bits, or has them in their place, as 1 << 31."""
    cdef long long flags
    cdef int beyond = 0

    if PyLong_CheckExact(value):
        flags = PyLong_AsLongLongAndOverflow(value, &beyond)
        if 0 <= flags <= 0xffff:
            return <uint32_t>flags << 16
    return _any_io_flags(value)


cdef uint32_t _any_io_flags(object value) except? 0xffff:
    cdef object flags = _integer(value, "io_flags")

    if 0 <= flags <= 0xffff:
        return <uint32_t>flags << 16
    if 0xffff < flags <= 0xffffffff and flags & 0xffff == 0:
        return <uint32_t>flags
    raise AssertionError("io_flags are bits 31:16 of dword 12: up to 0xffff, or a dword whose low 16 bits are 0, "
                         f"not {flags:#x}")


cdef inline uint64_t _nlb(const cspdk.nvme_cmd *cmd) noexcept:
    """How many LBAs a command names."""
    return cspdk.nvme_get_field(cmd, cspdk.NVME_FIELD_READ_NLB) + 1


cdef tuple _with_directive(object io_flags, object dword13, object placement, object stream):
    """io_flags and dword13 of a write that names a placement identifier or a stream."""
    cdef uint32_t flags = _io_flags(io_flags)
    cdef uint64_t low = _field(dword13, 32, "dword13")

    _check(placement is None or stream is None, "placement and stream exclude each other")
    _check(not flags & 0xf00000 and low <= 0xffff,
           "placement and stream set DTYPE and DSPEC, bits 7:4 of io_flags and 31:16 of dword13, which must be 0")
    if stream is not None:
        return flags | 1 << 20, low | _field(stream, 16, "stream") << 16
    return flags | 2 << 20, low | _field(placement, 16, "placement") << 16


cdef bytes _path(object file):
    """The name of a file for C."""
    cdef bytes path

    if not isinstance(file, (str, bytes, _os.PathLike)):
        raise TypeError(f"file must be the name of a file, not {type(file).__name__}")
    path = _os.fsencode(file)
    _check(path and b"\0" not in path, f"file must be the name of a file, not {file!r}")
    return path


cdef object _of_file(object error, object file):
    """Put the name of a file into an exception."""
    if isinstance(error, OSError):
        error.filename = file
    elif isinstance(error, ValueError):
        error.args = (f"{error}: {_os.fspath(file)}",)
    return error


cdef class Namespace:
    cdef Controller _controller
    cdef cspdk.pyn_namespace *_namespace
    cdef object __weakref__

    def __init__(self, *args, **names):
        Namespace._construct(self, *args, **names)

    @_named
    def _construct(self, nvme, nsid=1, nlba_verify=0):
        cdef cspdk.pyn_error err
        cdef Controller controller
        cdef uint32_t number = _field(nsid, 32, "nsid")
        cdef uint64_t limit = _field(nlba_verify, 64, "nlba_verify")

        if not isinstance(nvme, Controller):
            raise TypeError(f"nvme must be a Controller, not {type(nvme).__name__}")
        _check(self._namespace == NULL, "this Namespace exists already")
        controller = <Controller>nvme
        _created(controller, controller._device)
        controller._ensure()
        with nogil:
            _ok(cspdk.pyn_namespace_open(controller._device._device, number, limit, &self._namespace, &err),
                &err, cspdk.PYN_ERROR_NAMESPACE)
        self._controller = controller

    def __dealloc__(self):
        if self._namespace != NULL:
            with nogil:
                cspdk.pyn_namespace_free(self._namespace)

    def __repr__(self):
        if self._namespace == NULL:
            return "<Namespace, not created>"
        if (cspdk.pyn_device_initialised(self._controller._device._device)
                and not cspdk.pyn_namespace_is_current(self._namespace)):
            with _suppress(Exception):  # otherwise with the last known data
                self._identify_again()
        return (f"<Namespace {self._namespace.nsid} of {self._controller._device.address!r}, "
                f"{self._namespace.nsze} LBAs of {self._namespace.lba_size} bytes>")

    cdef cspdk.pyn_namespace *_get(self) except NULL:
        """The current namespace, which is identified again after a reset or a format."""
        if self._namespace == NULL:
            raise _never_created(self)
        if not cspdk.pyn_device_initialised(self._controller._device._device):
            self._controller._ensure()
        if not cspdk.pyn_namespace_is_current(self._namespace):
            self._identify_again()
        return self._namespace

    cdef int _identify_again(self) except -1:
        cdef cspdk.pyn_namespace_answer answer
        cdef cspdk.pyn_error err
        cdef int rc

        with nogil:
            rc = cspdk.pyn_namespace_ask(self._namespace, &answer, &err)
        # Other threads use it with Python's lock.
        if rc == 0:
            rc = cspdk.pyn_namespace_take(self._namespace, &answer, &err)
        if rc < 0:
            raise _exception(&err)
        return 0

    # -- properties -------------------------------------------------------------------------------------

    @property
    def nsid(self):
        if self._namespace == NULL:
            raise _never_created(self)
        return self._namespace.nsid

    @property
    def capacity(self):
        return self._get().capacity

    @property
    def lba_size(self):
        return self._get().lba_size

    @property
    def metadata_size(self):
        from pynvme import lba_format

        return lba_format.in_use(self.id_ns).ms

    @property
    def protection(self):
        return self._protection(self._get())

    cdef object _protection(self, const cspdk.pyn_namespace *namespace):
        cdef const cspdk.pyn_protection *of = &namespace.layout.protection

        if of.type == 0:
            return None
        from pynvme.protection import Format

        return Format(of.type, of.ms, 16 << of.guard, of.sts, of.first, namespace.layout.extended,
                      namespace.lba_size)

    @property
    def id_ns(self):
        from pynvme import spec

        return spec.IdentifyNamespace(PyBytes_FromStringAndSize(
            <const char *>cspdk.pyn_namespace_identify(self._get()), 4096))

    @property
    def fdp(self):
        from pynvme.fdp import Fdp

        self._get()
        return Fdp(self._controller, self)

    @_named
    def cmdname(self, opcode):
        return _text(cspdk.pyn_io_opcode_name(0, <uint8_t>_field(opcode, 8, "opcode")))

    @_named
    def supports(self, opcode):
        self._get()
        return self._controller._supports(_field(opcode, 8, "opcode"), True)

    @_named
    def id_data(self, byte_end, byte_begin=None, type=int, cns=0, csi=0, cntid=0):
        return self._controller.id_data(byte_end, byte_begin, type, self._get().nsid, cns, cntid, csi)

    @_named
    def get_lba_format(self, data_size=512, meta_size=0):
        from pynvme import lba_format

        return lba_format.find(self.id_ns, _field(data_size, 32, "data_size"), _field(meta_size, 32, "meta_size"))

    @_named
    def format(self, data_size=512, meta_size=0, ses=0, *, mset=0, pi=0, pil=0):
        lbaf = self.get_lba_format(data_size, meta_size)
        _check(lbaf is not None, f"namespace {self.nsid} has no LBA format of data_size {data_size} and meta_size "
                                 f"{meta_size} bytes")
        before = self._controller.timeout
        self._controller.timeout = max(before, 100000)
        try:
            return self._controller.format(lbaf, ses, self.nsid, mset=mset, pi=pi, pil=pil).waitdone()
        finally:
            self._controller.timeout = before

    # -- verification -----------------------------------------------------------------------------------

    @_named
    def verify_enable(self, enable=True):
        self._get().verify_enabled = bool(enable)
        return True

    @_named
    def verify_stats(self):
        cdef cspdk.pyn_verify_counts counts

        cspdk.pyn_verify_get_counts(self._get().verify, &counts)
        return DotDict(judged=counts.checked, unverified=counts.unverified, mismatch=counts.mismatch)

    @_named
    def verify_forget(self, lba=0, lba_count=None):
        cdef uint64_t first = _field(lba, 64, "lba")
        cdef uint64_t count = 0xffffffffffffffff if lba_count is None else _field(lba_count, 64, "lba_count")

        cspdk.pyn_verify_forget(self._get().verify, first, count)

    @_named
    def verify_save(self, file):
        cdef bytes path = _path(file)
        cdef const char *name = path
        cdef cspdk.pyn_namespace *namespace = self._get()
        cdef cspdk.pyn_saved saved
        cdef cspdk.pyn_error err

        cdef int rc

        with nogil:
            rc = cspdk.pyn_namespace_save(namespace, name, &saved, &err)
        if rc < 0:
            raise _of_file(_exception(&err), file)
        _take_log()
        return saved.known

    @_named
    def verify_load(self, file, trust_counts=False):
        cdef bytes path = _path(file)
        cdef const char *name = path
        cdef cspdk.pyn_namespace *namespace = self._get()
        cdef cspdk.pyn_saved saved
        cdef cspdk.pyn_error err
        cdef bint trust = bool(trust_counts)

        # With Python's lock: no other thread of the script uses the namespace meanwhile.
        if cspdk.pyn_namespace_load(namespace, name, trust, &saved, &err) < 0:
            raise _of_file(_exception(&err), file)
        return DotDict(known=saved.known, stale=saved.stale, lost=saved.lost)

    @_named
    def close(self):
        pass  # the drive keeps the verification data, and the last reference frees the rest

    # -- commands ---------------------------------------------------------------------------------------

    cdef Qpair _send(self, object qpair, cspdk.pyn_command *command, object cb):
        cdef cspdk.pyn_error err
        cdef _Callback callback
        cdef Qpair queue
        cdef int rc

        if not isinstance(qpair, Qpair):
            raise TypeError(f"qpair must be a Qpair, not {type(qpair).__name__}")
        queue = <Qpair>qpair
        queue._get()
        if not self._namespace.keys and cspdk.pyn_track_is_unknown(command.cmd.opc):
            self._controller._ask_effects()
        if command.cmd.nsid != self._namespace.nsid:
            self._check_other(command)
        callback = None if cb is None else _callback(cb)
        command.user = NULL if callback is None else queue._callbacks.hold(callback)
        rc = cspdk.pyn_io_submit(queue._queue, self._namespace, command, &queue._latest_cid, &err)
        if rc < 0:
            queue._callbacks.take(command.user)
            error = _exception(&err)
            _note(error, "not sent: " + _command_line(&command.cmd, queue._id()))
            raise error
        return queue

    cdef int _check_other(self, cspdk.pyn_command *command) except -1:
        """Prepare for a command to another namespace."""
        cdef cspdk.pyn_error err
        cdef int rc

        with nogil:
            rc = cspdk.pyn_namespace_check_other(self._namespace, &command.cmd, &command.metadata, &err)
        if rc < 0:
            raise _exception(&err)
        return 0

    cdef int _range(self, cspdk.nvme_cmd *cmd, unsigned opcode, object lba, object lba_count,
                    object io_flags) except -1:
        cdef uint64_t slba = _field(lba, 64, "lba")
        cdef unsigned nlb = _lba_count(lba_count)

        memset(cmd, 0, sizeof(cmd[0]))
        cmd.opc = <uint8_t>opcode
        cmd.cdw12 = _io_flags(io_flags)
        cspdk.nvme_set_field(cmd, cspdk.NVME_FIELD_READ_SLBA, slba)
        cspdk.nvme_set_field(cmd, cspdk.NVME_FIELD_READ_NLB, nlb - 1)
        return 0

    cdef int _data(self, cspdk.pyn_command *command, object buf, uint64_t length) except -1:
        """The part of buf that a command transfers. AssertionError if buf is too short."""
        if buf is None:
            raise TypeError(f"buf must be a Buffer, not None: {self.cmdname(command.cmd.opc)} transfers data")
        _take_buffer(command, buf)
        if length > command.length and not command.meant:
            slba = cspdk.nvme_get_field(&command.cmd, cspdk.NVME_FIELD_READ_SLBA)
            _check_room(command, buf, length, f"{self.cmdname(command.cmd.opc)} of {_nlb(&command.cmd)} LBAs from "
                        f"{slba:#x} on")
        return 0

    cdef int _take_meta(self, cspdk.pyn_command *command, object meta) except -1:
        """The buffer of the metadata of a read, write or compare."""
        if meta is None:
            return 0
        _take_metadata(command, meta)
        _check(self._namespace.layout.protection.ms,
               f"namespace {self._namespace.nsid} has no metadata (MS of its LBA format is 0): leave out meta")
        _check(not self._namespace.layout.extended,
               f"the metadata of namespace {self._namespace.nsid} follow the data of each LBA (FLBAS bit 4 is 1): "
               f"put them into buf, and leave out meta")
        return 0

    cdef int _take_pi(self, cspdk.pyn_command *command, object pi) except -1:
        """What the script asks of protection information."""
        cdef cspdk.nvme_cmd *cmd = &command.cmd

        if pi is None or pi is False:
            return 0
        from pynvme.protection import Pi

        wanted = Pi.of(pi)
        fmt = self._protection(self._namespace)
        _check(fmt is not None,
               f"namespace {self._namespace.nsid} has no protection information (DPS bits 2:0 are 0): leave out pi")
        _check(not (cmd.cdw14 or cmd.cdw15), "the tags are in pi, or in dword14 and dword15, not in both")
        dwords = wanted.dwords(fmt, cmd.opc, cspdk.nvme_get_field(cmd, cspdk.NVME_FIELD_READ_SLBA))
        cmd.cdw12 |= <uint32_t>dwords[0]
        cmd.cdw2, cmd.cdw3, cmd.cdw14, cmd.cdw15 = dwords[1], dwords[2], dwords[3], dwords[4]
        command.metadata.protects = (wanted.make and cmd.opc in (cspdk.NVME_IO_WRITE, cspdk.NVME_IO_ZONE_APPEND)
                                     and not dwords[0] & 1 << 29 and not command.metadata.own)
        return 0

    cdef Qpair _transfer(self, unsigned opcode, object qpair, object buf, object lba, object lba_count,
                         object io_flags, object dword13, object dword14, object dword15, object cb, object sgl,
                         object meta, object pi):
        cdef cspdk.pyn_command command
        cdef cspdk.pyn_namespace *namespace
        cdef _Named _buffers

        memset(&command, 0, sizeof(command))
        self._range(&command.cmd, opcode, lba, lba_count, io_flags)
        command.cmd.cdw13 = <uint32_t>_field(dword13, 32, "dword13")
        command.cmd.cdw14 = <uint32_t>_field(dword14, 32, "dword14")
        command.cmd.cdw15 = <uint32_t>_field(dword15, 32, "dword15")
        namespace = self._get()  # after all code of arguments has run, which might format it
        command.cmd.nsid = namespace.nsid
        self._take_meta(&command, meta)
        self._take_pi(&command, pi)
        _buffers = _take_sgl(&command, buf, sgl, meta)
        if sgl is None or isinstance(sgl, bool):
            self._data(&command, buf,
                       _nlb(&command.cmd) * cspdk.pyn_namespace_lba_bytes(namespace, command.cmd.cdw12))
        command.stamp = opcode == 1
        return self._send(qpair, &command, cb)

    cdef Qpair _mark(self, unsigned opcode, object qpair, object lba, object lba_count, object io_flags, object cb,
                     object pi):
        cdef cspdk.pyn_command command

        memset(&command, 0, sizeof(command))
        self._range(&command.cmd, opcode, lba, lba_count, io_flags)
        command.cmd.nsid = self._get().nsid
        self._take_pi(&command, pi)
        return self._send(qpair, &command, cb)

    @_named
    def read(self, qpair, buf, lba, lba_count=1, io_flags=0, dword13=0, dword14=0, dword15=0, cb=None, *, sgl=None,
             meta=None, pi=None):
        return self._transfer(cspdk.NVME_IO_READ, qpair, buf, lba, lba_count, io_flags, dword13, dword14, dword15,
                              cb, sgl, meta, pi)

    @_named
    def write(self, qpair, buf, lba, lba_count=1, io_flags=0, dword13=0, dword14=0, dword15=0, cb=None, *, sgl=None,
              meta=None, pi=None, placement=None, stream=None):
        if placement is not None or stream is not None:
            io_flags, dword13 = _with_directive(io_flags, dword13, placement, stream)
        return self._transfer(cspdk.NVME_IO_WRITE, qpair, buf, lba, lba_count, io_flags, dword13, dword14, dword15,
                              cb, sgl, meta, pi)

    @_named
    def compare(self, qpair, buf, lba, lba_count=1, io_flags=0, cb=None, *, sgl=None, meta=None, pi=None):
        return self._transfer(cspdk.NVME_IO_COMPARE, qpair, buf, lba, lba_count, io_flags, 0, 0, 0, cb, sgl, meta, pi)

    @_named
    def write_uncorrectable(self, qpair, lba, lba_count=1, cb=None):
        return self._mark(cspdk.NVME_IO_WRITE_UNCORRECTABLE, qpair, lba, lba_count, 0, cb, None)

    @_named
    def write_zeroes(self, qpair, lba, lba_count=1, io_flags=0, cb=None, *, pi=None):
        return self._mark(cspdk.NVME_IO_WRITE_ZEROES, qpair, lba, lba_count, io_flags, cb, pi)

    @_named
    def verify(self, qpair, lba, lba_count=1, io_flags=0, cb=None, *, pi=None):
        return self._mark(cspdk.NVME_IO_VERIFY, qpair, lba, lba_count, io_flags, cb, pi)

    @_named
    def flush(self, qpair, cb=None):
        return self.send_cmd(cspdk.NVME_IO_FLUSH, qpair, None, self._get().nsid, cb=cb)

    @_named
    def cancel(self, qpair, cid=None, nsid=None, cb=None):
        if not isinstance(qpair, Qpair):
            raise TypeError(f"qpair must be a Qpair, not {type(qpair).__name__}")
        several = cid is None
        return self.send_cmd(cspdk.NVME_IO_CANCEL, qpair, None, self._get().nsid if nsid is None else nsid,
                             (0xFFFF if several else _field(cid, 16, "cid")) << 16 | qpair.sqid, several, cb=cb)

    @_named
    def dsm(self, qpair, buf, range_count, attribute=0x4, cb=None):
        cdef cspdk.pyn_command command
        cdef object count = _integer(range_count, "range_count")

        _check(1 <= count <= 256, f"range_count must be from 1 to 256, not {range_count}")
        _check(isinstance(buf, Buffer), f"buf must be a Buffer, not {type(buf).__name__}")
        _check(buf.size <= 4096, f"buf must be a Buffer of at most 4096 bytes for Dataset Management, not {buf.size}")
        _fill_command(&command, cspdk.NVME_IO_DSM, buf, self._get().nsid, 0, _field(attribute, 32, "attribute"))
        _put(&command.cmd, cspdk.NVME_FIELD_DSM_NR, count - 1, "range_count")
        _check_room(&command, buf, count * 16, f"dsm of {count} ranges")
        return self._send(qpair, &command, cb)

    @_named
    def copy(self, qpair, buf, lba, range_count, format=0, io_flags=0, cb=None, *, pi=None):
        cdef cspdk.pyn_command command
        cdef object count = _integer(range_count, "range_count")

        _check(1 <= count <= 256, f"range_count must be from 1 to 256, not {range_count}")
        _check(isinstance(buf, Buffer), f"buf must be a Buffer, not {type(buf).__name__}")
        _fill_command(&command, cspdk.NVME_IO_COPY, buf, self._get().nsid, 0, 0, _io_flags(io_flags))
        _put(&command.cmd, cspdk.NVME_FIELD_COPY_SDLBA, lba, "lba")
        _put(&command.cmd, cspdk.NVME_FIELD_COPY_NR, count - 1, "range_count")
        _put(&command.cmd, cspdk.NVME_FIELD_COPY_CDFMT, format, "format")
        _check_room(&command, buf, count * (40 if format in (1, 3) else 32), f"copy of {count} ranges")
        self._take_pi(&command, pi)
        return self._send(qpair, &command, cb)

    @_named
    def io_mgmt_receive(self, qpair, buf, mo=1, mos=0, cb=None):
        cdef cspdk.pyn_command command

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_IO_MANAGEMENT_RECEIVE, buf, self._get().nsid)
        _check(command.length >= 4, f"buf must have at least 4 bytes, not {command.length}")
        _put(&command.cmd, cspdk.NVME_FIELD_MANAGEMENT_RECEIVE_MO, mo, "mo")
        _put(&command.cmd, cspdk.NVME_FIELD_MANAGEMENT_RECEIVE_MOS, mos, "mos")
        _put(&command.cmd, cspdk.NVME_FIELD_MANAGEMENT_RECEIVE_NUMD, command.length // 4 - 1, "buf")
        return self._send(qpair, &command, cb)

    @_named
    def io_mgmt_send(self, qpair, buf, mo=1, mos=0, cb=None):
        cdef cspdk.pyn_command command

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_IO_MANAGEMENT_SEND, buf, self._get().nsid)
        _put(&command.cmd, cspdk.NVME_FIELD_MANAGEMENT_SEND_MO, mo, "mo")
        _put(&command.cmd, cspdk.NVME_FIELD_MANAGEMENT_SEND_MOS, mos, "mos")
        return self._send(qpair, &command, cb)

    @_named
    def zone_append(self, qpair, buf, lba, lba_count=1, io_flags=0, cb=None, *, sgl=None, meta=None, pi=None):
        return self._transfer(cspdk.NVME_IO_ZONE_APPEND, qpair, buf, lba, lba_count, io_flags, 0, 0, 0, cb, sgl, meta,
                              pi)

    @_named
    def zones(self, qpair, slba=0, state=0):
        self._get()
        from pynvme import zone

        return zone.report(self, qpair, _field(slba, 64, "slba"), _field(state, 8, "state"), self._controller.mdts)

    @_named
    def zns_mgmt_send(self, qpair, buf, slba=0, action=0, all=False, cb=None, *, zrwa=False):
        cdef cspdk.pyn_command command

        _fill_command(&command, cspdk.NVME_IO_ZONE_MGMT_SEND, buf, self._get().nsid)
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_SEND_SLBA, slba, "slba")
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_SEND_ZSA, action, "action")
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_SEND_SELECTALL, bool(all), "all")
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_SEND_ZSASO, bool(zrwa), "zrwa")
        return self._send(qpair, &command, cb)

    @_named
    def zns_mgmt_receive(self, qpair, buf, slba=0, dwords=None, extended=True, state=0, partial=True, cb=None):
        cdef cspdk.pyn_command command

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_IO_ZONE_MGMT_RECEIVE, buf, self._get().nsid)
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_RECEIVE_SLBA, slba, "slba")
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_RECEIVE_ZRA, bool(extended), "extended")
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_RECEIVE_ZRASF, state, "state")
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_RECEIVE_PARTIAL, bool(partial), "partial")
        wanted = command.length // 4 if dwords is None else _integer(dwords, "dwords")
        _check(1 <= wanted <= 1 << 32, f"dwords must be from 1 to 2^32, not {wanted}")
        _check_room(&command, buf, wanted * 4, "zns_mgmt_receive")
        _put(&command.cmd, cspdk.NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD, wanted - 1, "dwords")
        return self._send(qpair, &command, cb)

    cdef Buffer _fill_reservation(self, cspdk.pyn_command *command, unsigned opcode, dict keys):
        """Fill a command whose data are one or two reservation keys, by the names of their parameters.

        The caller must keep the returned Buffer until the command is sent.
        """
        cdef Buffer buf = Buffer(8 * len(keys), "reservation keys")

        buf[:] = b"".join(_field(key, 64, name).to_bytes(8, "little") for name, key in keys.items())
        _fill_command(command, opcode, buf, self._get().nsid)
        return buf

    @_named
    def reservation_register(self, qpair, new_key=0, key=0, action=0, ignore_key=False, persist=0, cb=None):
        cdef cspdk.pyn_command command
        cdef Buffer _data

        _data = self._fill_reservation(&command, cspdk.NVME_IO_RESERVATION_REGISTER, {"key": key, "new_key": new_key})
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_REGISTER_RREGA, action, "action")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_REGISTER_IEKEY, bool(ignore_key), "ignore_key")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_REGISTER_CPTPL, persist, "persist")
        return self._send(qpair, &command, cb)

    @_named
    def reservation_acquire(self, qpair, rtype, key=0, preempt_key=0, action=0, ignore_key=False, cb=None):
        cdef cspdk.pyn_command command
        cdef Buffer _data

        _data = self._fill_reservation(&command, cspdk.NVME_IO_RESERVATION_ACQUIRE,
                                       {"key": key, "preempt_key": preempt_key})
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_ACQUIRE_RACQA, action, "action")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_ACQUIRE_IEKEY, bool(ignore_key), "ignore_key")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_ACQUIRE_RTYPE, rtype, "rtype")
        return self._send(qpair, &command, cb)

    @_named
    def reservation_release(self, qpair, rtype=0, key=0, action=0, ignore_key=False, cb=None):
        cdef cspdk.pyn_command command
        cdef Buffer _data

        _data = self._fill_reservation(&command, cspdk.NVME_IO_RESERVATION_RELEASE, {"key": key})
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_RELEASE_RRELA, action, "action")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_RELEASE_IEKEY, bool(ignore_key), "ignore_key")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_RELEASE_RTYPE, rtype, "rtype")
        return self._send(qpair, &command, cb)

    @_named
    def reservation_report(self, qpair, buf, dwords=None, extended=False, cb=None):
        cdef cspdk.pyn_command command

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_IO_RESERVATION_REPORT, buf, self._get().nsid)
        wanted = command.length // 4 if dwords is None else _integer(dwords, "dwords")
        _check(1 <= wanted <= 1 << 32, f"dwords must be from 1 to 2^32, not {wanted}")
        _check_room(&command, buf, wanted * 4, "reservation_report")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_REPORT_NUMD, wanted - 1, "dwords")
        _put(&command.cmd, cspdk.NVME_FIELD_RESERVATION_REPORT_EDS, bool(extended), "extended")
        return self._send(qpair, &command, cb)

    @_named
    def send_cmd(self, opcode, qpair, buf=None, nsid=1, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0,
                 cb=None, *, sgl=None, cdw2=0, cdw3=0, meta=None):
        cdef cspdk.pyn_command command
        cdef _Named _buffers

        self._get()
        _fill_command(&command, opcode, buf, nsid, cdw10, cdw11, cdw12, cdw13, cdw14, cdw15, cdw2, cdw3)
        if meta is not None:
            _take_metadata(&command, meta)
        _buffers = _take_sgl(&command, buf, sgl, meta)
        return self._send(qpair, &command, cb)

    @_named
    def ioworker(self, io_size=8, lba_step=None, lba_align=None, lba_random=True, read_percentage=100,
                 op_percentage=None, time=0, qdepth=64, region_start=0, region_end=0xffffffffffffffff, iops=0,
                 io_count=0, lba_start=0, qprio=0, distribution=None, ptype=0xbeef, pvalue=100, io_sequence=None,
                 fw_debug=False, cpu_id=None, output_io_per_second=None, output_percentile_latency=None,
                 output_cmdlog_list=None, *, progress=False, zipf=None, pareto=None, regions=None, poisson=False,
                 think_time=0, think_ios=1, compress=0, continue_on_error=False, max_latency=0, steady_state=0,
                 latency_target=0, latency_percentile=100, latency_window=1, output_opcode_latency=None,
                 output_due_latency=None, output_latency_histograms=None, histogram_ms=100, sgl_percentage=0,
                 pi=None, placement=None, placement_type="fdp", placement_select="roundrobin", zonemode=None,
                 zone_append=0, max_open_zones=0, zone_reset_threshold=0, zone_reset_frequency=0,
                 read_beyond_wp=False, zoneskip=0):
        given = locals()
        del given["self"]
        return _make_worker(self, given)
