# SPDX-License-Identifier: BSD-3-Clause
# KeyValue: a namespace of the Key Value Command Set.


cdef bytes _key_bytes(object key, str name="key"):
    """A key of up to 16 bytes, from bytes or the like."""
    if not isinstance(key, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be bytes, not {type(key).__name__}")
    found = bytes(key)
    _check(len(found) <= 16, f"{name} must have at most 16 bytes, not {len(found)}")
    return found


cdef class KeyValue:
    cdef Namespace _space
    cdef object __weakref__

    def __init__(self, *args, **names):
        KeyValue._construct(self, *args, **names)

    @_named
    def _construct(self, nvme, nsid=1):
        cdef cspdk.pyn_error err
        cdef Controller controller
        cdef Namespace space
        cdef uint32_t number = _field(nsid, 32, "nsid")

        if not isinstance(nvme, Controller):
            raise TypeError(f"nvme must be a Controller, not {type(nvme).__name__}")
        _check(self._space is None, "this KeyValue exists already")
        controller = <Controller>nvme
        _created(controller, controller._device)
        controller._ensure()
        space = Namespace.__new__(Namespace)
        with nogil:
            _ok(cspdk.pyn_namespace_open_keys(controller._device._device, number, &space._namespace, &err),
                &err, cspdk.PYN_ERROR_NAMESPACE)
        space._controller = controller
        self._space = space

    def __repr__(self):
        if self._space is None:
            return "<KeyValue, not created>"
        return f"<KeyValue {self.nsid} of {self._space._controller._device.address!r}>"

    cdef Namespace _get(self):
        if self._space is None:
            raise _never_created(self)
        self._space._get()
        return self._space

    # -- properties -------------------------------------------------------------------------------------

    @property
    def nsid(self):
        if self._space is None:
            raise _never_created(self)
        return self._space.nsid

    @property
    def id_ns(self):
        from pynvme import spec

        space = self._get()
        buf = space._controller._identified(space.nsid, 5, 0, 1, 0)
        return spec.IdentifyNamespaceKv(bytes(buf))

    # -- verification -----------------------------------------------------------------------------------

    @_named
    def verify_enable(self, enable=True):
        return self._get().verify_enable(enable)

    @_named
    def verify_stats(self):
        return self._get().verify_stats()

    @_named
    def verify_forget(self):
        self._get().verify_forget()

    @_named
    def close(self):
        pass  # the drive keeps the verification data, and the last reference frees the rest

    # -- commands ---------------------------------------------------------------------------------------

    cdef Qpair _send(self, unsigned opcode, object qpair, object key, object kl, object buf, object length,
                     object options, object cb, object sgl):
        """Send a command with a key. length: that of its data, by default that of buf; options: bits 15:8 of dword
        11."""
        cdef cspdk.pyn_command command
        cdef bytes name = _key_bytes(key)
        cdef bytes words = name.ljust(16, b"\0")
        cdef const unsigned char *at = words
        cdef Namespace space
        cdef _Named _buffers
        cdef uint64_t size

        memset(&command, 0, sizeof(command))
        _take_buffer(&command, buf)
        command.cmd.opc = <uint8_t>opcode
        memcpy(&command.cmd.cdw2, at, 8)
        memcpy(&command.cmd.cdw14, at + 8, 8)
        size = _field(command.length if length is None else length, 32, "length")
        command.cmd.cdw10 = <uint32_t>size
        command.cmd.cdw11 = <uint32_t>(_field(len(name) if kl is None else kl, 8, "kl")
                                       | _field(options, 8, "options") << 8)
        space = self._get()
        command.cmd.nsid = space._namespace.nsid
        _buffers = _take_sgl(&command, buf, sgl)
        _check(buf is not None or _buffers is not None or size == 0,
               f"length must be 0 if buf is None, not {size}")
        if size and _buffers is None:
            _check_room(&command, buf, size, _text(cspdk.pyn_io_opcode_name(1, <uint8_t>opcode)))
        if size == 0 and length is not None:
            command.buffer = NULL
            command.length = command.offset = 0
        return space._send(qpair, &command, cb)

    @_named
    def store(self, qpair, key, buf, length=None, options=0, cb=None, *, kl=None, sgl=None):
        return self._send(cspdk.NVME_KV_STORE, qpair, key, kl, buf, length, options, cb, sgl)

    @_named
    def retrieve(self, qpair, key, buf, length=None, options=0, cb=None, *, kl=None, sgl=None):
        return self._send(cspdk.NVME_KV_RETRIEVE, qpair, key, kl, buf, length, options, cb, sgl)

    @_named
    def list(self, qpair, buf, key=b"", length=None, cb=None, *, kl=None, sgl=None):
        if sgl is None:
            _check_buffer(buf)
        return self._send(cspdk.NVME_KV_LIST, qpair, key, kl, buf, length, 0, cb, sgl)

    @_named
    def delete(self, qpair, key, cb=None, *, kl=None):
        return self._send(cspdk.NVME_KV_DELETE, qpair, key, kl, None, None, 0, cb, None)

    @_named
    def exist(self, qpair, key, cb=None, *, kl=None):
        return self._send(cspdk.NVME_KV_EXIST, qpair, key, kl, None, None, 0, cb, None)

    @_named
    def flush(self, qpair, cb=None):
        return self._get().flush(qpair, cb)

    @_named
    def send_cmd(self, opcode, qpair, buf=None, nsid=None, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0,
                 cb=None, *, sgl=None, cdw2=0, cdw3=0):
        space = self._get()
        return space.send_cmd(opcode, qpair, buf, space.nsid if nsid is None else nsid, cdw10, cdw11, cdw12, cdw13,
                              cdw14, cdw15, cb, sgl=sgl, cdw2=cdw2, cdw3=cdw3)

    @_named
    def keys(self, qpair, start=b""):
        from pynvme import key_value

        return key_value.every_key(self, qpair, _key_bytes(start, "start"), self._get()._controller.mdts)
