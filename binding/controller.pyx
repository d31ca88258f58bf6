# SPDX-License-Identifier: BSD-3-Clause
# Controller: registers, bring-up, admin commands.

include "binding/features.pxi"

_NVME_MI_MESSAGE = 4  # MCTP's type of messages of NVMe-MI
_CSTS, _CSTS_RDY = 0x1c, 1
_READ_SMART = 127 << 16 | 1 << 15 | 2  # dword 10 of Get Log Page: 512 bytes, RAE, log page 02h


cdef class Controller(_Queue):
    cdef _Device _device
    cdef object _init_function
    cdef object _aer_function
    cdef bint _initialising
    cdef tuple _hmb  # the buffers of the host memory buffer

    def __init__(self, *args, **names):
        Controller._construct(self, *args, **names)

    @_named
    def _construct(self, addr, nvme_init_func=None, *, memory_page_size=None):
        cdef cspdk.pyn_error err
        cdef uint32_t page = 0 if memory_page_size is None else _field(memory_page_size, 32, "memory_page_size")

        _check(self._device is None, "this Controller exists already")
        if isinstance(addr, Pcie):
            self._device = _created(addr, (<Pcie>addr)._device)
        else:
            self._device = _open_device(addr)
        self._callbacks = self._device.callbacks
        if nvme_init_func is not None and nvme_init_func is not True and not callable(nvme_init_func):
            raise TypeError("nvme_init_func must be None, True or a function of the controller")
        if page:
            with nogil:
                _ok_by(cspdk.pyn_device_choose_page(self._device._device, page, &err), &err, "memory_page_size")
        self._init_function = nvme_init_func
        self._init()

    def __dealloc__(self):
        self._drop_fetched()

    def __getattribute__(self, name):
        return _attribute(self, name, self._device is not None)

    def __repr__(self):
        if self._device is None:
            return "<Controller, not created>"
        if not self._device._is_open():
            return f"<Controller {self._device.address!r}, closed>"
        state = "initialised" if cspdk.pyn_device_initialised(self._device._device) else "not initialised"
        return f"<Controller {self._device.address!r}, {state}>"

    # -- as a queue -------------------------------------------------------------------------------------

    cdef unsigned _wait(self, cspdk.pyn_completed *completed, unsigned max, uint64_t budget_us) noexcept nogil:
        return cspdk.pyn_admin_wait(self._device._device, completed, max, budget_us)

    cdef object _path(self):
        return self._device.path

    cdef uint32_t _timeout_ms(self):
        return cspdk.pyn_device_timeout_ms(self._device._device)[0]

    cdef uint32_t _process(self) except? 0:
        return cspdk.pyn_device_process(self._device._device)

    cdef object _asynchronous(self, cspdk.pyn_completed *completed, _Callback callback):
        """Handle the completion of an Asynchronous Event Request, and send the request again."""
        cdef unsigned status = completed.cpl.status >> 1 & 0x7ff

        if status == 0x008:
            return
        if status:
            try:
                self._tell(completed)
            finally:
                if callback is not None:
                    self._call(callback, completed)
            return
        # A request from before a reset is not sent again, since the initialisation has sent its own.
        if completed.aborts == cspdk.pyn_inflight_aborts(cspdk.pyn_device_admin(self._device._device)):
            self._send_aer(callback)
        if callback is None and self._aer_function is not None:
            callback = _callback(self._aer_function)
        try:
            _issue(UserWarning(f"AER notification is triggered: 0x{completed.cpl.cdw0:x}"))
        finally:
            if callback is not None:
                self._call(callback, completed)

    # -- bring-up ---------------------------------------------------------------------------------------

    cdef int _ensure(self) except -1:
        """Initialise the controller before the next command after a reset, as scripts of the 0.1 API expect."""
        if self._initialising or cspdk.pyn_device_initialised(self._device._device) or self._init_function is True:
            return 0
        if not self._device._is_open():
            raise RuntimeError(f"the drive at {self._device.path} is closed")
        self._init()
        return 0

    cdef int _init(self) except -1:
        cdef cspdk.pyn_error err

        self._initialising = True
        try:
            if self._init_function is None:
                with nogil:
                    _ok(cspdk.pyn_device_init(self._device._device, &err), &err, cspdk.PYN_ERROR_ENUMERATE)
                self._send_aer(None)
            elif self._init_function is not True:
                # It may begin with registers, which are off after a power cycle or a reset of the link.
                pcie = self.pcie
                pcie[4] = pcie[4] | 2
                self._init_function(self)
        finally:
            self._initialising = False
        _take_log()
        return 0

    @_named
    def init_adminq(self):
        cdef cspdk.pyn_error err

        with nogil:
            _ok(cspdk.pyn_device_init_adminq(self._device._device, &err), &err, cspdk.PYN_ERROR_ENUMERATE)
        return 0

    @_named
    def init_ns(self):
        cdef cspdk.pyn_error err
        cdef int found

        with nogil:
            found = _ok(cspdk.pyn_device_init_ns(self._device._device, &err), &err, cspdk.PYN_ERROR_ENUMERATE)
        return found

    @_named
    def init_queues(self, cdw0):
        cspdk.pyn_device_init_queues(self._device._device, <uint32_t>_field(cdw0, 32, "cdw0"))

    @_named
    def reset(self):
        self._device._reset(cspdk.PYN_DEVICE_RESET_CONTROLLER)
        self._init()
        return True

    # -- registers and properties -----------------------------------------------------------------------

    cdef uint32_t _offset(self, object key) except? 0xffffffff:
        if isinstance(key, (bool, float)):
            raise TypeError(f"a register is named by its offset, an int, not {type(key).__name__}")
        offset = _integer(key, "a register's offset")
        if not 0 <= offset < 1 << 31 or offset % 4:
            raise IndexError(f"registers are at multiples of 4, not at {offset:#x}")
        return offset

    def __getitem__(self, key):
        cdef uint64_t value = _created(self, self._device)._register(self._offset(key), 4)

        if value == 0xffffffff:
            raise SystemError(f"register {key:#x} reads all ones: the drive at {self._device.path} is gone, or its "
                              f"memory space is disabled")
        return value

    def __setitem__(self, key, value):
        cdef cspdk.pyn_error err
        cdef uint32_t offset = self._offset(key)
        cdef uint64_t raw = _field(value, 32, "a register's value")

        _created(self, self._device)
        with nogil:
            _ok_by(cspdk.pyn_device_reg_write(self._device._device, offset, 4, raw, &err), &err,
                   "Controller[offset] = value")

    @property
    def cap(self):
        return self._device._register(0, 8)

    @property
    def id_ctrl(self):
        cdef bytes data = PyBytes_FromStringAndSize(NULL, 4096)
        cdef char *place = data
        cdef cspdk.pyn_error err
        cdef int rc

        from pynvme import spec

        self._ensure()
        with nogil:
            rc = cspdk.pyn_device_identify_now(self._device._device, place, &err)
        if rc < 0:
            raise _exception(&err)
        return spec.IdentifyController(data)

    def _ask(self, opcode, Buffer buf, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0):
        """Send an admin command and wait for it, beside those of the script. Returns dword 0 of its completion."""
        cdef cspdk.pyn_command command

        self._ensure()
        _fill_command(&command, opcode, None, nsid, cdw10, cdw11, cdw12, cdw13, cdw14)
        return self._device._execute(&command.cmd, buf)

    def _read_smart_beside(self, Buffer buf):
        """Read SMART into buf, from a thread beside the script. Return False, without a command, if the controller is
        not initialised, or if the script has an admin command in flight."""
        cdef cspdk.pyn_command command
        cdef cspdk.pyn_inflight *admin = cspdk.pyn_device_admin(self._device._device)

        if not cspdk.pyn_device_initialised(self._device._device):
            return False
        if cspdk.pyn_inflight_outstanding(admin) != cspdk.pyn_inflight_events(admin):
            return False
        if not self._device._register(_CSTS, 4) & _CSTS_RDY:
            return False
        _fill_command(&command, cspdk.NVME_ADMIN_GET_LOG_PAGE, None, 0xffffffff, _READ_SMART)
        self._device._execute(&command.cmd, buf)
        return True

    @property
    def smart(self):
        from pynvme import decode

        return decode.smart(self)

    @_named
    def log(self, lid, nsid=0xffffffff, *, lsp=None, lsi=0, csi=0, uuid=None, size=None, rae=True, as_=None):
        from pynvme import decode

        return decode.log(self, _field(lid, 8, "lid"), _field(nsid, 32, "nsid"),
                          lsp=None if lsp is None else _field(lsp, 7, "lsp"), lsi=_field(lsi, 16, "lsi"),
                          csi=_field(csi, 8, "csi"), uuid=None if uuid is None else _field(uuid, 7, "uuid"),
                          size=None if size is None else _integer(size, "size"), rae=bool(rae), as_=as_)

    @_named
    def ana_log(self, groups_only=False, *, rae=True):
        from pynvme import spec

        return self.log(spec.LogId.ANA, lsp=1 if groups_only else 0, rae=rae)

    @property
    def features(self):
        from pynvme import decode

        return decode.Features(self)

    @property
    def regs(self):
        from pynvme import decode

        return decode.Registers(self._register)

    def _register(self, offset):
        return self._device._register(offset, 4)

    @property
    def max_qpairs(self):
        self._ensure()
        return cspdk.pyn_device_max_qpairs(self._device._device)

    @property
    def memory_page_size(self):
        return cspdk.pyn_device_page(self._device._device)

    @property
    def mdts(self):
        return cspdk.pyn_device_mdts(self._device._device)

    @property
    def cmb(self):
        cdef cspdk.pyn_cmb_info info
        cdef cspdk.pyn_error err

        with nogil:
            _ok_by(cspdk.pyn_device_cmb_info(self._device._device, &info, &err), &err, "Controller.cmb")
        if info.size == 0:
            return None
        return DotDict(size=info.size, submission_queues=bool(info.submission_queues),
                       completion_queues=bool(info.completion_queues), lists=bool(info.lists),
                       reads=bool(info.reads), writes=bool(info.writes))

    @property
    def addr(self):
        return self._device.address

    @property
    def pcie(self):
        pcie = Pcie.__new__(Pcie)
        (<Pcie>pcie)._device = self._device
        return pcie

    @property
    def timeout(self):
        return self._timeout_ms()

    @timeout.setter
    def timeout(self, value):
        _created(self, self._device)
        cspdk.pyn_device_timeout_ms(self._device._device)[0] = <uint32_t>_field(value, 32, "Controller.timeout")

    @property
    def latest_cid(self):
        return self._latest_cid

    @property
    def latest_latency(self):
        return self._latest_latency_ns / 1000

    @_named
    def waitdone(self, expected=1):
        if (_field(expected, 32, "expected") and self._process() == cspdk.pyn_process_number()
                and not self._device._is_open() and self._count == 0):
            # Fetch the commands that the close has completed. No others will ever complete.
            if self._fetch(BATCH, 0) == 0:
                raise RuntimeError(f"the drive at {self._device.path} is closed")
        return self._waitdone(expected)

    cdef bint _take_event(self, cspdk.pyn_completed *event) except -1:
        """Wait a moment for an asynchronous event. Other completions stay queued."""
        cdef bint found

        if self._take_fetched_event(event):
            return True
        with nogil:
            found = cspdk.pyn_admin_wait_event(self._device._device, event, _SLICE_US)
        return found

    @_named
    def wait_event(self, timeout=None):
        cdef cspdk.pyn_completed event
        cdef double seconds = (self._timeout_ms() + 20000) / 1000 if timeout is None else _number(timeout, "timeout")
        cdef double end = _time.monotonic() + seconds

        _check(seconds >= 0, f"timeout must be a number of seconds, not {timeout}")
        if self._process() != cspdk.pyn_process_number():
            raise RuntimeError("queue 0 belongs to another process, from which this one was forked")
        self._ensure()
        while True:
            if self._take_event(&event):
                self._asynchronous(&event, self._callbacks.take(event.user))
                if event.cpl.status >> 1 & 0x7ff == 0:
                    return event.cpl.cdw0
                continue
            PyErr_CheckSignals()
            _take_log()
            if cspdk.pyn_inflight_events(cspdk.pyn_device_admin(self._device._device)) == 0:
                raise RuntimeError("no Asynchronous Event Request is in flight: send one with aer()")
            if _time.monotonic() >= end:
                raise TimeoutError(f"no asynchronous event within {seconds:g} s")

    @_Log
    @_named
    def cmdlog(self, count=0):
        _print_cmdlog(self._device, cspdk.pyn_inflight_cmdlog(cspdk.pyn_device_admin(self._device._device)), 0, count)

    @_named
    def cmdlog_list(self, count=0):
        return _list_cmdlog(self._device, cspdk.pyn_device_admin(self._device._device), 0, count)

    @_named
    def cmdlog_keep(self, size=4096, count=64):
        _keep(cspdk.pyn_device_admin(self._device._device), size, count)

    @_named
    def cmdname(self, opcode):
        return _text(cspdk.pyn_admin_opcode_name(<uint8_t>_field(opcode, 8, "opcode")))

    cdef object _supports(self, unsigned opcode, bint io):
        cdef cspdk.pyn_error err
        cdef int found

        self._ensure()
        with nogil:
            found = _ok(cspdk.pyn_device_supports(self._device._device, <uint8_t>opcode, io, &err), &err)
        return found == 1

    @_named
    def supports(self, opcode):
        return self._supports(_field(opcode, 8, "opcode"), False)

    # -- admin commands ---------------------------------------------------------------------------------

    cdef Controller _submit(self, cspdk.pyn_command *command, object cb):
        cdef cspdk.pyn_error err
        cdef _Callback callback = None if cb is None else _callback(cb)
        cdef int rc

        self._ensure()
        if cspdk.pyn_device_admin_is_unknown(command.cmd.opc):
            self._ask_effects()
        command.stamp = False
        command.user = self._callbacks.hold(callback)
        rc = cspdk.pyn_admin_submit(self._device._device, command, &self._latest_cid, &err)
        if rc < 0:
            self._callbacks.take(command.user)
            error = _exception(&err)
            _note(error, "not sent: " + _command_line(&command.cmd, 0))
            raise error
        return self

    cdef int _ask_effects(self) except -1:
        """Prepare for a command whose opcode pynvme does not know."""
        with nogil:
            cspdk.pyn_device_ask_effects(self._device._device)
        return 0

    cdef int _send_aer(self, _Callback callback) except -1:
        cdef cspdk.pyn_command command
        cdef cspdk.pyn_error err
        cdef uint16_t cid

        memset(&command, 0, sizeof(command))
        command.cmd.opc = cspdk.NVME_ADMIN_ASYNC_EVENT
        command.user = self._callbacks.hold(callback)
        if cspdk.pyn_admin_submit(self._device._device, &command, &cid, &err) < 0:
            self._callbacks.take(command.user)
            raise _exception(&err)
        return 0

    @_named
    def send_cmd(self, opcode, buf=None, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, cb=None, *,
                 cdw2=0, cdw3=0):
        cdef cspdk.pyn_command command

        _fill_command(&command, opcode, buf, nsid, cdw10, cdw11, cdw12, cdw13, cdw14, cdw15, cdw2, cdw3)
        return self._submit(&command, cb)

    @_named
    def identify(self, buf=None, nsid=0, cns=1, cntid=0, csi=0, nvmsetid=0, cb=None):
        cdef cspdk.pyn_command command

        if buf is None:
            buf = Buffer(4096, "identify")
        _fill_command(&command, cspdk.NVME_ADMIN_IDENTIFY, buf, nsid)
        self._what_to_identify(&command.cmd, cns, cntid, csi, nvmsetid)
        _check_room(&command, buf, 4096, "identify")
        return self._submit(&command, cb)

    cdef int _what_to_identify(self, cspdk.nvme_cmd *cmd, object cns, object cntid, object csi,
                               object nvmsetid) except -1:
        _put(cmd, cspdk.NVME_FIELD_IDENTIFY_CNS, cns, "cns")
        _put(cmd, cspdk.NVME_FIELD_IDENTIFY_CNTID, cntid, "cntid")
        _put(cmd, cspdk.NVME_FIELD_IDENTIFY_CNSSID, nvmsetid, "nvmsetid")
        _put(cmd, cspdk.NVME_FIELD_IDENTIFY_CSI, csi, "csi")
        return 0

    cdef Buffer _identified(self, object nsid, object cns, object cntid, object csi, object nvmsetid):
        """The data of an Identify command that the driver sends itself."""
        cdef cspdk.pyn_command command
        cdef Buffer buf = Buffer(4096, "identify")

        self._ensure()
        _fill_command(&command, cspdk.NVME_ADMIN_IDENTIFY, None, nsid)
        self._what_to_identify(&command.cmd, cns, cntid, csi, nvmsetid)
        self._device._execute(&command.cmd, buf)
        return buf

    @_named
    def id_data(self, byte_end, byte_begin=None, type=int, nsid=0, cns=1, cntid=0, csi=0, nvmsetid=0):
        byte_end = _integer(byte_end, "byte_end")
        byte_begin = None if byte_begin is None else _integer(byte_begin, "byte_begin")
        buf = self._identified(nsid, cns, cntid, csi, nvmsetid)
        if byte_begin is not None and byte_begin > byte_end:
            # The 0.1 API's example passes them in this order.
            byte_end, byte_begin = byte_begin, byte_end
        return buf.data(byte_end, byte_begin, type)

    @_named
    def getfeatures(self, fid, sel=0, buf=None, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, cb=None):
        cdef cspdk.pyn_command command

        _fill_command(&command, cspdk.NVME_ADMIN_GET_FEATURES, buf, 0, 0, cdw11, cdw12, cdw13, cdw14, cdw15)
        _put(&command.cmd, cspdk.NVME_FIELD_GET_FEATURES_FID, fid, "fid")
        _put(&command.cmd, cspdk.NVME_FIELD_GET_FEATURES_SEL, sel, "sel")
        fid = cspdk.nvme_get_field(&command.cmd, cspdk.NVME_FIELD_GET_FEATURES_FID)
        command.cmd.nsid = 1 if fid in _NAMESPACE_FEATURES else 0
        return self._submit(&command, cb)

    @_named
    def setfeatures(self, fid, sv=0, buf=None, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, cb=None):
        cdef cspdk.pyn_command command

        sv = _field(sv, 32, "sv, or cdw11 of the 0.1 API,")
        if isinstance(buf, int) or sv not in (0, 1):
            # The 0.1 API's form: setfeatures(fid, cdw11, cdw12, …).
            sv, buf, cdw11, cdw12, cdw13, cdw14, cdw15 = 0, None, sv, buf or 0, cdw11, cdw12, cdw13
        _fill_command(&command, cspdk.NVME_ADMIN_SET_FEATURES, buf, 0, 0, cdw11, cdw12, cdw13, cdw14, cdw15)
        _put(&command.cmd, cspdk.NVME_FIELD_SET_FEATURES_FID, fid, "fid")
        _put(&command.cmd, cspdk.NVME_FIELD_SET_FEATURES_SV, sv, "sv")
        fid = cspdk.nvme_get_field(&command.cmd, cspdk.NVME_FIELD_SET_FEATURES_FID)
        command.cmd.nsid = 0xffffffff if fid in _NAMESPACE_FEATURES else 0
        return self._submit(&command, cb)

    cdef int _log_part(self, cspdk.nvme_cmd *cmd, uint64_t offset, uint64_t length) except -1:
        cdef uint32_t dwords = <uint32_t>((length + 3) // 4 - 1)

        cspdk.nvme_set_field(cmd, cspdk.NVME_FIELD_GET_LOG_PAGE_NUMDL, dwords)
        cspdk.nvme_set_field(cmd, cspdk.NVME_FIELD_GET_LOG_PAGE_NUMDU, dwords >> 16)
        cspdk.nvme_set_field(cmd, cspdk.NVME_FIELD_GET_LOG_PAGE_LPO, offset)
        return 0

    @_named
    def getlogpage(self, lid, buf, size=None, offset=0, nsid=0xffffffff, cb=None):
        cdef cspdk.pyn_command command
        cdef Buffer piece
        cdef uint32_t room
        cdef uint64_t start = _field(offset, 64, "offset"), done = 0, most

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_ADMIN_GET_LOG_PAGE, buf, nsid)
        _put(&command.cmd, cspdk.NVME_FIELD_GET_LOG_PAGE_LID, lid, "lid")
        room = command.length
        length = room if size is None else _integer(size, "size")
        _check(4 <= length < 1 << 34, f"size must be from 4 to 2^34 - 1 bytes, not {length}")
        _check_room(&command, buf, length, "getlogpage")
        most = self.mdts or length
        # The driver waits for all parts but the last itself, so that the script waits for one completion.
        while length - done > most:
            piece = Buffer(most, "log page")
            self._log_part(&command.cmd, start + done, most)
            self._device._execute(&command.cmd, piece)
            if done < room:
                memcpy(command.buffer.data + command.offset + done, piece._buffer.data, min(most, room - done))
            done += most
        self._log_part(&command.cmd, start + done, length - done)
        command.offset += <uint32_t>min(done, room)
        command.length = <uint32_t>(room - min(done, room))
        return self._submit(&command, cb)

    @_named
    def format(self, lbaf=0, ses=0, nsid=1, cb=None, *, mset=0, pi=0, pil=0):
        cdef cspdk.pyn_command command

        if lbaf is None:
            from pynvme import lba_format, spec

            first = 1 if nsid == 0xffffffff else nsid
            formats = spec.IdentifyNamespace(self._identified(first, 0, 0, 0, 0))
            lbaf = lba_format.find(formats, 512, 0)
            _check(lbaf is not None, f"namespace {first} has no LBA format of 512 bytes")
        _fill_command(&command, cspdk.NVME_ADMIN_FORMAT_NVM, None, nsid)
        _put(&command.cmd, cspdk.NVME_FIELD_FORMAT_NVM_LBAFL, lbaf, "lbaf")
        _put(&command.cmd, cspdk.NVME_FIELD_FORMAT_NVM_SES, ses, "ses")
        _put(&command.cmd, cspdk.NVME_FIELD_FORMAT_NVM_MSET, mset, "mset")
        _put(&command.cmd, cspdk.NVME_FIELD_FORMAT_NVM_PI, pi, "pi")
        _put(&command.cmd, cspdk.NVME_FIELD_FORMAT_NVM_PIL, pil, "pil")
        return self._submit(&command, cb)

    @_named
    def ns_create(self, nsze, ncap=None, flbas=0, dps=0, nmic=0, anagrpid=0, nvmsetid=0, endgid=0, csi=0, cb=None,
                  *, rar=0, ror=0, rnumzrwa=None, lbstm=0, phndls=()):
        from pynvme import namespace_data

        cdef cspdk.pyn_command command
        cdef Buffer buf = Buffer(namespace_data.SIZE, "ns_create")

        buf[:] = namespace_data.creation(nsze, ncap, flbas, dps, nmic, anagrpid, nvmsetid, endgid, csi, rar=rar,
                                         ror=ror, rnumzrwa=rnumzrwa, lbstm=lbstm, phndls=phndls)[1]
        _fill_command(&command, cspdk.NVME_ADMIN_NS_MANAGEMENT, buf, 0)
        _put(&command.cmd, cspdk.NVME_FIELD_NS_MANAGEMENT_SEL, cspdk.NVME_NS_CREATE, "sel")
        _put(&command.cmd, cspdk.NVME_FIELD_NS_MANAGEMENT_CSI, csi, "csi")
        return self._submit(&command, cb)

    @_named
    def ns_delete(self, nsid, cb=None):
        cdef cspdk.pyn_command command

        _fill_command(&command, cspdk.NVME_ADMIN_NS_MANAGEMENT, None, nsid)
        _put(&command.cmd, cspdk.NVME_FIELD_NS_MANAGEMENT_SEL, cspdk.NVME_NS_DELETE, "sel")
        return self._submit(&command, cb)

    cdef object _ns_attachment(self, object nsid, object cntlid, object sel, object cb):
        from pynvme import namespace_data

        cdef cspdk.pyn_command command
        cdef Buffer buf = Buffer(namespace_data.SIZE, "controller list")

        buf[:] = namespace_data.controller_list(self.id_ctrl.cntlid if cntlid is None else cntlid)
        _fill_command(&command, cspdk.NVME_ADMIN_NS_ATTACHMENT, buf, nsid)
        _put(&command.cmd, cspdk.NVME_FIELD_NS_ATTACHMENT_SEL, sel, "sel")
        return self._submit(&command, cb)

    @_named
    def ns_attach(self, nsid, cntlid=None, cb=None):
        return self._ns_attachment(nsid, cntlid, cspdk.NVME_NS_ATTACH, cb)

    @_named
    def ns_detach(self, nsid, cntlid=None, cb=None):
        return self._ns_attachment(nsid, cntlid, cspdk.NVME_NS_DETACH, cb)

    @_named
    def sanitize(self, option=2, pattern=0, cb=None):
        cdef cspdk.pyn_command command

        _fill_command(&command, cspdk.NVME_ADMIN_SANITIZE, None, 0, _field(option, 32, "option"))
        _put(&command.cmd, cspdk.NVME_FIELD_SANITIZE_OVRPAT, pattern, "pattern")
        return self._submit(&command, cb)

    @_named
    def fw_download(self, buf, offset, size=None, cb=None):
        cdef cspdk.pyn_command command

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_ADMIN_FW_DOWNLOAD, buf, 0)
        length = command.length if size is None else _integer(size, "size")
        _check(4 <= length < 1 << 34, f"size must be from 4 to 2^34 - 1 bytes, not {length}")
        _check_room(&command, buf, length, "fw_download")
        _put(&command.cmd, cspdk.NVME_FIELD_FW_DOWNLOAD_NUMD, length // 4 - 1, "size")
        _put(&command.cmd, cspdk.NVME_FIELD_FW_DOWNLOAD_OFST, _field(offset, 34, "offset") // 4, "offset")
        return self._submit(&command, cb)

    @_named
    def fw_commit(self, slot, action, cb=None):
        cdef cspdk.pyn_command command

        _fill_command(&command, cspdk.NVME_ADMIN_FW_COMMIT, None, 0)
        _put(&command.cmd, cspdk.NVME_FIELD_FW_COMMIT_FS, slot, "slot")
        _put(&command.cmd, cspdk.NVME_FIELD_FW_COMMIT_CA, action, "action")
        return self._submit(&command, cb)

    @_named
    def downfw(self, filename, slot=0, action=1):
        from pynvme import firmware

        firmware.download(self, filename, slot, action)

    @_named
    def aer(self, cb=None):
        return self.send_cmd(cspdk.NVME_ADMIN_ASYNC_EVENT, cb=cb)

    @_named
    def register_aer_cb(self, func):
        if func is not None and not callable(func):
            raise TypeError(f"func must be callable, not {type(func).__name__}")
        self._aer_function = func

    include "binding/admin_commands.pxi"

    cdef Controller _management(self, unsigned opc, object opcode, object dword0, object dword1, object buf,
                                object mtype, object cb):
        cdef cspdk.pyn_command command

        _fill_command(&command, opc, buf, 0, 0, _field(opcode, 32, "opcode"), _field(dword0, 32, "dword0"),
                      _field(dword1, 32, "dword1"))
        _put(&command.cmd, cspdk.NVME_FIELD_MI_SEND_MT, _NVME_MI_MESSAGE, "message type")
        _put(&command.cmd, cspdk.NVME_FIELD_MI_SEND_NMIMT, mtype, "mtype")
        return self._submit(&command, cb)

    @_named
    def mi_send(self, opcode, dword0=0, dword1=0, buf=None, mtype=1, cb=None):
        return self._management(cspdk.NVME_ADMIN_MI_SEND, opcode, dword0, dword1, buf, mtype, cb)

    @_named
    def mi_receive(self, opcode, dword0=0, dword1=0, buf=None, mtype=1, cb=None):
        return self._management(cspdk.NVME_ADMIN_MI_RECEIVE, opcode, dword0, dword1, buf, mtype, cb)

    cdef Controller _directive(self, unsigned opcode, object buf, object doper, object dtype, object dspec,
                               object value, object nsid, object cb):
        cdef cspdk.pyn_command command

        _fill_command(&command, opcode, buf, _field(nsid, 32, "nsid"))
        _put(&command.cmd, cspdk.NVME_FIELD_DIRECTIVE_SEND_DOPER, doper, "doper")
        _put(&command.cmd, cspdk.NVME_FIELD_DIRECTIVE_SEND_DTYPE, dtype, "dtype")
        _put(&command.cmd, cspdk.NVME_FIELD_DIRECTIVE_SEND_DSPEC, dspec, "dspec")
        _put(&command.cmd, cspdk.NVME_FIELD_DIRECTIVE_SEND_VALUE, value, "value")
        _put(&command.cmd, cspdk.NVME_FIELD_DIRECTIVE_SEND_NUMD, max(1, command.length // 4) - 1, "buf")
        return self._submit(&command, cb)

    @_named
    def directive_receive(self, doper, dtype=0, dspec=0, value=0, buf=None, nsid=1, cb=None):
        return self._directive(cspdk.NVME_ADMIN_DIRECTIVE_RECEIVE, buf, doper, dtype, dspec, value, nsid, cb)

    @_named
    def directive_send(self, doper, dtype=0, dspec=0, value=0, buf=None, nsid=1, cb=None):
        return self._directive(cspdk.NVME_ADMIN_DIRECTIVE_SEND, buf, doper, dtype, dspec, value, nsid, cb)

    @_named
    def get_lba_status(self, buf, slba=0, rl=0, atype=0x10, nsid=1, cb=None):
        cdef cspdk.pyn_command command

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_ADMIN_GET_LBA_STATUS, buf, _field(nsid, 32, "nsid"))
        _put(&command.cmd, cspdk.NVME_FIELD_GET_LBA_STATUS_SLBA, slba, "slba")
        _put(&command.cmd, cspdk.NVME_FIELD_GET_LBA_STATUS_MNDW, max(1, command.length // 4) - 1, "buf")
        _put(&command.cmd, cspdk.NVME_FIELD_GET_LBA_STATUS_RL, rl, "rl")
        _put(&command.cmd, cspdk.NVME_FIELD_GET_LBA_STATUS_ATYPE, atype, "atype")
        return self._submit(&command, cb)

    @_named
    def doorbell_buffer_config(self, buf, cb=None):
        cdef cspdk.pyn_command command

        _check_buffer(buf)
        _fill_command(&command, cspdk.NVME_ADMIN_DOORBELL_BUFFER_CONFIG, buf, 0)
        _check_room(&command, buf, 2 * self.memory_page_size, "doorbell_buffer_config")
        return self._submit(&command, cb)

    cdef Controller _security(self, unsigned opcode, object buf, object spsp, object secp, object nssf, object size,
                              object cb):
        cdef cspdk.pyn_command command

        _fill_command(&command, opcode, buf, 0)
        _put(&command.cmd, cspdk.NVME_FIELD_SECURITY_SEND_SECP, secp, "secp")
        _put(&command.cmd, cspdk.NVME_FIELD_SECURITY_SEND_SPSP, spsp, "spsp")
        _put(&command.cmd, cspdk.NVME_FIELD_SECURITY_SEND_NSSF, nssf, "nssf")
        _put(&command.cmd, cspdk.NVME_FIELD_SECURITY_SEND_TL, command.length if size is None else size, "size")
        if buf is not None:
            _check_room(&command, buf, cspdk.nvme_get_field(&command.cmd, cspdk.NVME_FIELD_SECURITY_SEND_TL),
                        self.cmdname(opcode))
        return self._submit(&command, cb)

    @_named
    def security_receive(self, buf, spsp, secp=1, nssf=0, size=None, cb=None):
        return self._security(cspdk.NVME_ADMIN_SECURITY_RECEIVE, buf, spsp, secp, nssf, size, cb)

    @_named
    def security_send(self, buf, spsp, secp=1, nssf=0, size=None, cb=None):
        return self._security(cspdk.NVME_ADMIN_SECURITY_SEND, buf, spsp, secp, nssf, size, cb)

    @_named
    def enable_hmb(self):
        from pynvme import hmb

        if self._hmb is not None:
            # The buffers must not be freed before the drive knows that they are no longer available.
            self.disable_hmb()
        self._hmb = hmb.lend(self)

    @_named
    def enable_shadow_doorbells(self):
        cdef cspdk.pyn_error err

        self._ensure()
        with nogil:
            _ok(cspdk.pyn_device_use_shadow_doorbells(self._device._device, &err), &err)

    @_named
    def disable_hmb(self):
        from pynvme import hmb

        hmb.take_back(self)
        self._hmb = None
