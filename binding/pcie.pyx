# SPDX-License-Identifier: BSD-3-Clause
# Pcie: configuration space, and resets of the link and the function.

cdef unsigned _CONFIG_SIZE = 4096
cdef unsigned _CAP_PM = 0x01
cdef unsigned _CAP_PCIE = 0x10


cdef class Pcie:
    cdef _Device _device
    cdef object __weakref__

    def __init__(self, *args, **names):
        Pcie._construct(self, *args, **names)

    @_named
    def _construct(self, addr, port=0):
        _check(self._device is None, "this Pcie exists already")
        _field(port, 16, "port")
        if isinstance(addr, Controller):
            self._device = _created(addr, (<Controller>addr)._device)
        else:
            self._device = _open_device(addr)

    def __getattribute__(self, name):
        return _attribute(self, name, self._device is not None)

    def __repr__(self):
        if self._device is None:
            return "<Pcie, not created>"
        if not self._device._is_open():
            return f"<Pcie {self._device.address!r}, closed>"
        return f"<Pcie {self._device.address!r} {self.register(0, 2):04x}:{self.register(2, 2):04x}>"

    cdef object _read(self, uint32_t offset, uint32_t count):
        cdef cspdk.pyn_error err
        cdef bytes data = PyBytes_FromStringAndSize(NULL, count)
        cdef char *raw = data

        with nogil:
            _ok_by(cspdk.pyn_device_config_read(self._device._device, offset, raw, count, &err), &err, "Pcie[offset]")
        return data

    cdef object _write(self, uint32_t offset, bytes data):
        cdef cspdk.pyn_error err
        cdef const char *raw = data
        cdef uint32_t count = len(data)

        with nogil:
            _ok_by(cspdk.pyn_device_config_write(self._device._device, offset, raw, count, &err), &err,
                   "Pcie[offset] = value")

    cdef uint32_t _offset(self, object key) except? 0xffffffff:
        cdef object offset = _integer(key, "offset")

        if not 0 <= offset < _CONFIG_SIZE:
            raise IndexError(f"offset must be from 0 to {_CONFIG_SIZE - 1:#x}, in configuration space, "
                             f"not {offset:#x}")
        return offset

    def __getitem__(self, key):
        _created(self, self._device)
        if isinstance(key, slice):
            start, stop, step = key.indices(_CONFIG_SIZE)
            return list(self._read(start, max(stop - start, 0)))[::step] if stop > start else []
        return self._read(self._offset(key), 1)[0]

    def __setitem__(self, key, value):
        _created(self, self._device)
        if isinstance(key, slice):
            start, stop, step = key.indices(_CONFIG_SIZE)
            data = bytes(value)
            if step != 1 or len(data) != stop - start:
                raise ValueError(f"{len(data)} bytes for {stop - start} of configuration space")
            for i, byte in enumerate(data):
                self._write(start + i, bytes([byte]))
            return
        self._write(self._offset(key), bytes([_field(value, 8, "a byte")]))

    @_named
    def register(self, offset, byte_count=4):
        cdef uint32_t at = self._offset(offset)
        cdef object count = _integer(byte_count, "byte_count")

        _check(1 <= count <= 8 and at + count <= _CONFIG_SIZE,
               f"byte_count must be from 1 to 8, up to the end of configuration space: {count} bytes from {at:#x} on "
               f"are not a register")
        return int.from_bytes(self._read(at, count), "little")

    @_named
    def cap_offset(self, cap_id, extended=False):
        cap_id = _field(cap_id, 16, "cap_id")
        seen = set()
        if extended:
            offset = 0x100
            while offset >= 0x100 and offset not in seen:
                seen.add(offset)
                header = self.register(offset)
                if header in (0, 0xffffffff):
                    return None
                if header & 0xffff == cap_id:
                    return offset
                offset = header >> 20 & 0xffc
            return None
        if not self.register(6, 2) & 0x10:
            return None
        offset = self[0x34] & 0xfc
        # If the list loops, stop at the second visit.
        while offset and offset not in seen:
            seen.add(offset)
            if self[offset] == cap_id:
                return offset
            offset = self[offset + 1] & 0xfc
        return None

    def _config(self, offset, count):
        return self._read(offset, count)

    @property
    def caps(self):
        from pynvme import capabilities

        return capabilities.Capabilities(self._config)

    cdef uint32_t _capability(self, unsigned cap_id, str name) except 0:
        offset = self.cap_offset(cap_id)
        if offset is None:
            raise NotImplementedError(f"{self._device.address!r} has no {name} capability")
        return offset

    @_named
    def reset(self, rst_fn=None):
        _check_callable(rst_fn, "rst_fn")
        if rst_fn is None:
            self._device._reset(cspdk.PYN_DEVICE_RESET_HOT)
        else:
            rst_fn()
            self._device._reset(cspdk.PYN_DEVICE_RESET_CONTROLLER)
        return True

    @_named
    def flr(self):
        self._device._reset(cspdk.PYN_DEVICE_RESET_FUNCTION)
        return True

    @property
    def aspm(self):
        return self[self._capability(_CAP_PCIE, "PCI Express") + 0x10] & 3

    @aspm.setter
    def aspm(self, value):
        _created(self, self._device)
        wanted = _field(value, 2, "Pcie.aspm")
        offset = self._capability(_CAP_PCIE, "PCI Express") + 0x10
        if self._device._is_function():
            from pynvme import power

            power.Link(self._device.path).set_aspm(wanted)
        else:
            self[offset] = self[offset] & ~3 | wanted

    @property
    def power_state(self):
        return self[self._capability(_CAP_PM, "Power Management") + 4] & 3

    @power_state.setter
    def power_state(self, value):
        _created(self, self._device)
        wanted = _field(value, 2, "Pcie.power_state")
        offset = self._capability(_CAP_PM, "Power Management") + 4
        self[offset] = self[offset] & ~3 | wanted

    @_named
    def close(self):
        self._device.close()
