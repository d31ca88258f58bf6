# SPDX-License-Identifier: BSD-3-Clause
# Subsystem: power, shutdown and reset of the whole NVM subsystem.

cdef uint32_t _NSSR = 0x20
cdef uint32_t _NSSR_VALUE = 0x4e564d65  # "NVMe"


cdef class Subsystem:
    cdef Controller _controller
    cdef object _poweron_cb
    cdef object _poweroff_cb

    def __init__(self, nvme, poweron_cb=None, poweroff_cb=None):
        if not isinstance(nvme, Controller):
            raise TypeError(f"nvme must be a Controller, not {type(nvme).__name__}")
        self._controller = <Controller>nvme
        self._poweron_cb = poweron_cb
        self._poweroff_cb = poweroff_cb

    def __repr__(self):
        return f"<Subsystem of {self._controller!r}>"

    cdef object _switch(self, bint on):
        """The power switch of a virtual SSD."""
        from pynvme import vssd

        path = self._controller._device.path
        try:
            with vssd.VirtualSsd.attach(path) as drive:
                drive.power(on)
        except (OSError, RuntimeError, ValueError) as error:
            raise NotImplementedError(
                f"nothing here can switch the power of {path}: give Subsystem a poweron_cb and a poweroff_cb "
                f"({error})") from error

    cdef int _check_open(self) except -1:
        if not self._controller._device._is_open():
            raise RuntimeError(f"the drive at {self._controller._device.path} is closed")
        return 0

    def poweroff(self):
        self._check_open()
        if self._poweroff_cb is not None:
            self._poweroff_cb()
        else:
            self._switch(False)
        self._controller._device._reset(cspdk.PYN_DEVICE_RESET_DONE)
        with nogil:
            cspdk.pyn_device_power_lost(self._controller._device._device)
        return True

    def poweron(self):
        if self._poweron_cb is not None:
            self._poweron_cb()
        else:
            self._switch(True)
        return True

    def power_cycle(self, sec=10):
        end = _time.monotonic() + sec
        self._check_open()
        try:
            self.poweroff()
            while (left := end - _time.monotonic()) > 0:
                _time.sleep(min(left, 0.1))
        except BaseException:
            self.poweron()  # Ctrl-C, say: a drive without power helps nobody
            raise
        return self.poweron()

    def shutdown_notify(self, abrupt=False):
        cdef cspdk.pyn_error err
        cdef bint c_abrupt = abrupt
        cdef int rc

        with nogil:
            rc = cspdk.pyn_device_shutdown(self._controller._device._device, c_abrupt, &err)
        if rc < 0:
            raise _exception(&err, NvmeShutdownStatusTimeoutError)
        return True

    def reset(self):
        if not self._controller.cap >> 36 & 1:
            return False
        self._controller[_NSSR] = _NSSR_VALUE
        self._controller._device._reset(cspdk.PYN_DEVICE_RESET_CONTROLLER)
        return True
