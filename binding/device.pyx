# SPDX-License-Identifier: BSD-3-Clause
# An open drive, shared by the Pcie and Controller objects of one address. Not public.

_open_devices = _weakref.WeakValueDictionary()
_IN_USE = (_errno.EBUSY, _errno.ETIMEDOUT)  # a vfio-user device that another client may have
_left = {}  # the commands and power cycles that a virtual SSD had counted when it was closed, by root


cdef class _Device:
    cdef cspdk.pyn_device *_device
    cdef readonly object address  # as the user gave it
    cdef cspdk.pyn_address _where  # the parsed address
    cdef readonly str path        # the same as text
    cdef readonly str root        # the path of the first controller of a virtual SSD; else the path
    cdef readonly bint private    # a virtual SSD of this process
    cdef readonly bint released   # it is closed for the kernel, while its power is off
    cdef object power_cycles      # of a private one, when it was opened
    cdef object used_before       # _usage before it was opened, if opening it sends commands
    cdef _Callbacks callbacks     # of the admin queue
    cdef object __weakref__

    def __cinit__(self):
        self.callbacks = _Callbacks()

    def __dealloc__(self):
        cdef cspdk.pyn_completed completed

        if self._device == NULL:
            return
        try:
            self._close()
        except Exception:  # the interpreter is exiting, so the drive will not be opened again
            pass
        while cspdk.pyn_admin_wait(self._device, &completed, 1, 0):
            pass  # there is no caller to report it to
        with nogil:
            cspdk.pyn_device_put(self._device)

    cdef int _open(self, bint keep) except -1:
        """Open the drive, if it is not open. If another client has a vfio-user device, wait some seconds for it."""
        cdef cspdk.pyn_error err
        cdef object waiting = None
        cdef int rc

        while True:
            if self.root in _left and _opening_sends_commands():
                self.used_before = _usage(self.path)
            with nogil:
                rc = cspdk.pyn_device_open(&self._where, keep, &self._device, &err)
            if rc == 0:
                return 0
            if err.number not in _IN_USE or self._where.kind != cspdk.PYN_ADDRESS_SOCKET:
                raise _exception(&err, NvmeEnumerateError)
            if waiting is None:
                from pynvme.clients import Waiting

                waiting = Waiting(self.path)
            if waiting.is_over(err.number == _errno.EBUSY):
                raise NvmeEnumerateError("; ".join(filter(None, (_text(err.text), waiting.reason))))

    def close(self):
        if self._device == NULL:
            return
        self._close()
        _take_log()

    cdef int _close(self) except -1:
        """Close the drive, if it is open. Keep the counts of a private drive for the next time that it is opened."""
        cdef bint was_open = cspdk.pyn_device_is_open(self._device)

        with nogil:
            cspdk.pyn_device_close(self._device)
        if was_open and self.private and not self._has_others():
            usage = _usage(self.path)
            if usage is not None and not cspdk.pyn_device_was_shut_down(self._device):
                usage = usage[0], self.power_cycles
            _left[self.root] = usage
        return 0

    cdef bint _has_others(self):
        """Whether this process has another controller of the same virtual SSD open."""
        for other in list(_open_devices.values()):
            if other is not self and (<_Device>other).root == self.root and (<_Device>other)._is_open():
                return True
        return False

    cdef bint _is_open(self):
        return cspdk.pyn_device_is_open(self._device)

    cdef bint _is_alive(self):
        cdef bint alive

        with nogil:
            alive = cspdk.pyn_device_alive(self._device)
        return alive

    cdef bint _is_function(self):
        """Whether it is a PCIe drive, and not a vfio-user device."""
        return self._where.kind == cspdk.PYN_ADDRESS_FUNCTION

    cdef int _release(self) except -1:
        cdef cspdk.pyn_error err

        with nogil:
            _ok(cspdk.pyn_device_release(self._device, &err), &err)
        self.released = True
        _take_log()
        return 0

    cdef int _reattach(self) except -1:
        cdef cspdk.pyn_error err

        if self._is_function():
            _take_function(self.path)
        with nogil:
            _ok(cspdk.pyn_device_reattach(self._device, &err), &err)
        self.released = False
        _take_log()
        return 0

    cdef uint64_t _register(self, uint32_t offset, uint32_t size) except? 0xdeadbeef:
        cdef cspdk.pyn_error err
        cdef uint64_t value = 0

        with nogil:
            _ok_by(cspdk.pyn_device_reg_read(self._device, offset, size, &value, &err), &err, "Controller[offset]")
        return value

    cdef int _reset(self, cspdk.pyn_device_reset_kind kind) except -1:
        cdef cspdk.pyn_error err

        with nogil:
            _ok(cspdk.pyn_device_reset(self._device, kind, &err), &err)
        _take_log()
        return 0

    cdef object _execute(self, cspdk.nvme_cmd *cmd, Buffer buffer):
        """Send an admin command of the driver itself. Return dword 0 of its completion, and raise if it fails."""
        cdef cspdk.pyn_error err
        cdef uint32_t cdw0 = 0

        cdef cspdk.pyn_buffer *data = buffer._get() if buffer is not None else NULL
        with nogil:
            _ok(cspdk.pyn_device_admin_execute(self._device, cmd, data, cspdk.PYN_ERROR_SYSTEM, &cdw0, &err), &err)
        return cdw0


cdef _Device _created(object owner, _Device device):
    """The drive of a Controller or a Pcie, or an exception if its __init__ was not called."""
    if device is None:
        raise _never_created(owner)
    return device


def _usage(path):
    """The counts of a virtual SSD, ((process, commands of all hosts), power cycles), or None if it has ended."""
    try:
        from pynvme import control

        pid, counters = control.info(path).pid, control.counters(path, of_all=True)
    except (ImportError, OSError, RuntimeError, ValueError):
        return None
    commands = (counters.commands_admin, counters.commands_read, counters.commands_write, counters.commands_other)
    return (pid, *commands), counters.power_cycles


cdef bint _opening_sends_commands():
    """Whether the engine initialises a controller when it opens it."""
    cdef cspdk.pyn_error err
    cdef const cspdk.pyn_engine *engine = cspdk.pyn_engine_select(&err)

    return engine != NULL and "bring-up" in _withheld_from(engine, cspdk.PYN_ADDRESS_SOCKET)


def _root_of(path):
    """The path of the first controller of a virtual SSD, given that of any of them; else the path itself."""
    from pynvme.address import root_of

    return root_of(path)


cdef int _look_who_used_it(_Device device) except -1:
    """Keep what is known of a private drive's data, unless another client used it, or cut its power, meanwhile."""
    known = device.root in _left
    before = _left.pop(device.root, None)

    if not known and not device.private:
        return 0
    now = device.used_before or _usage(device.path)
    device.power_cycles = None if now is None else now[1]
    if known and (before is None or now is None or now[0] != before[0]):
        cspdk.pyn_device_forget(device._device)
    elif known and now[1] != before[1]:
        cspdk.pyn_device_power_lost(device._device)
    return 0


def _address_text(address):
    if isinstance(address, bytes):
        return address.decode("utf-8", "replace")
    if isinstance(address, _os.PathLike):
        return _os.fspath(address)
    if isinstance(address, str):
        return address
    raise TypeError(f"addr must be an address, as bytes, str or a path, not {type(address).__name__}")


cdef int _parse_address(str text, cspdk.pyn_address *address) except -1:
    cdef cspdk.pyn_error err
    cdef bytes encoded = text.encode()
    cdef const char *characters = encoded

    if cspdk.pyn_address_parse(characters, address, &err) < 0:
        raise _exception(&err, NvmeEnumerateError)
    return 0


def _kind_of_address(text):
    """(kind, text) of an address, for a test that pynvme.address agrees."""
    cdef cspdk.pyn_address address

    _parse_address(text, &address)
    return address.kind, address.text.decode()


def _take_function(path):
    """Bind a PCIe drive for this process, unless it is in use."""
    from pynvme import pci

    try:
        pci.acquire(path)
    except (OSError, pci.DriveError) as error:
        raise NvmeEnumerateError(str(error)) from error


def _release_functions():
    pci = _sys.modules.get("pynvme.pci")
    if pci is not None:
        try:
            pci.release()
        except (OSError, pci.DriveError) as error:
            _log.error("a drive was not given back: %s", error)


def _open_device(address):
    """The drive at an address. If it is open already, return the same object."""
    cdef _Device device

    cdef cspdk.pyn_address where

    text = _address_text(address)
    is_new = False  # a virtual SSD was started for this call
    _parse_address(text, &where)
    private = where.kind == cspdk.PYN_ADDRESS_PRIVATE
    path = where.text.decode()
    if private:
        from pynvme import vssd

        try:
            is_new = not vssd.runs(text)
            path = vssd.private(text)
        except (OSError, ValueError, RuntimeError) as error:
            full = isinstance(error, OSError) and error.errno in (_errno.EMFILE, _errno.ENFILE)
            raise NvmeEnumerateError(vssd.no_descriptor() if full else str(error)) from error
    elif where.kind == cspdk.PYN_ADDRESS_SOCKET:
        path = _os.path.abspath(text)
    device = _open_devices.get(path)
    if device is not None and device._is_open() and device._is_alive():
        return device
    if device is not None:
        device.close()
    device = _Device.__new__(_Device)
    device.address = address
    device.path = path
    device.root = _root_of(path)
    device.private = private
    try:
        _parse_address(path, &device._where)
        if device._is_function():
            _take_function(path)
        device._open(private)
    except BaseException:
        if is_new:
            vssd.discard(text)
        raise
    _look_who_used_it(device)
    _take_log()
    _open_devices[path] = device
    return device
