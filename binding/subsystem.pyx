# SPDX-License-Identifier: BSD-3-Clause
# Subsystem: power, shutdown and reset of the whole NVM subsystem.

cdef uint32_t _NSSR = 0x20
cdef uint32_t _NSSR_VALUE = 0x4e564d65  # "NVMe"


cdef class Subsystem:
    cdef Controller _controller
    cdef object _poweron_cb
    cdef object _poweroff_cb

    def __init__(self, *args, **names):
        Subsystem._construct(self, *args, **names)

    @_named
    def _construct(self, nvme, poweron_cb=None, poweroff_cb=None, *, power=None):
        if not isinstance(nvme, Controller):
            raise TypeError(f"nvme must be a Controller, not {type(nvme).__name__}")
        if power is not None:
            from pynvme.lab import switch

            if poweron_cb is not None or poweroff_cb is not None:
                raise ValueError("give either power, or poweron_cb and poweroff_cb")
            found = switch.switch(power)
            poweron_cb, poweroff_cb = found.on, found.off
        _check_callable(poweron_cb, "poweron_cb")
        _check_callable(poweroff_cb, "poweroff_cb")
        _created(nvme, (<Controller>nvme)._device)
        self._controller = <Controller>nvme
        self._poweron_cb = poweron_cb
        self._poweroff_cb = poweroff_cb

    def __getattribute__(self, name):
        return _attribute(self, name, self._controller is not None)

    def __repr__(self):
        if self._controller is None:
            return "<Subsystem, not created>"
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
                f"nothing here can switch the power of {path}: give Subsystem power=… ({error})") from error

    cdef int _slot_off(self) except -1:
        """Switch the power of the slot. The kernel can remove a drive from its list only if it is closed."""
        from pynvme import power

        cdef _Device device = self._controller._device
        host = power.Host()
        if device.released:
            return 0
        host.check_slot(device.path)
        device._release()
        try:
            host.slot_power(device.path, False)
        except BaseException:
            device._reattach()
            raise
        return 0

    cdef int _after_callback(self) except -1:
        """Close the drive, so that a kernel with hot-plug can remove it from its list while it has no power."""
        from pynvme import power

        cdef _Device device = self._controller._device
        if not device._is_function() or device.released or power.Host().slot(device.path) is None:
            return 0
        end = _time.monotonic() + power.NOTICE
        while device._is_alive():
            if _time.monotonic() > end:
                return 0
            _time.sleep(0.01)
        device._release()
        return 0

    cdef int _suspend(self, double sec) except -1:
        from pynvme import power

        cdef _Device device = self._controller._device
        # Stop workers, which must not see the clock start again. Their commands stay in flight.
        with nogil:
            cspdk.pyn_device_stop(device._device)
        power.Host().suspend(sec)
        device._reset(cspdk.PYN_DEVICE_RESET_DONE)
        with nogil:
            cspdk.pyn_device_power_lost(device._device)
        return 0

    cdef bint _is_suspend(self):
        from pynvme import power

        cdef _Device device = self._controller._device
        if self._poweroff_cb is not None or self._poweron_cb is not None or not device._is_function():
            return False
        return not device.released and power.Host().is_suspend(device.path)

    cdef int _check_open(self) except -1:
        if not self._controller._device._is_open():
            raise RuntimeError(f"the drive at {self._controller._device.path} is closed")
        return 0

    @_named
    def poweroff(self):
        self._check_open()
        if self._poweroff_cb is not None:
            self._poweroff_cb()
            self._controller._device._reset(cspdk.PYN_DEVICE_RESET_DONE)
            self._after_callback()
        elif self._controller._device._is_function():
            self._slot_off()
        else:
            self._switch(False)
            self._controller._device._reset(cspdk.PYN_DEVICE_RESET_DONE)
        with nogil:
            cspdk.pyn_device_power_lost(self._controller._device._device)
        return True

    @_named
    def poweron(self):
        from pynvme import power

        cdef _Device device = self._controller._device
        if self._poweron_cb is not None:
            self._poweron_cb()
        elif not device._is_function():
            self._switch(True)
        elif device.released:
            power.Host().slot_power(device.path, True)
        else:
            power.Host().check_slot(device.path)
        if device.released:
            power.Host().wait_for(device.path)
            device._reattach()
        return True

    @_named
    def power_cycle(self, sec=10):
        sec = _number(sec, "sec")
        _check(0 <= sec <= 86400, f"sec must be from 0 to 86400, not {sec:g}")
        end = _time.monotonic() + sec
        self._check_open()
        if self._is_suspend():
            self._suspend(sec)
            return True
        try:
            self.poweroff()
            while (left := end - _time.monotonic()) > 0:
                _time.sleep(min(left, 0.1))
        except BaseException:
            self.poweron()  # after Ctrl-C, for example, do not leave the drive without power
            raise
        return self.poweron()

    @_named
    def shutdown_notify(self, abrupt=False):
        cdef cspdk.pyn_error err
        cdef bint c_abrupt = abrupt

        with nogil:
            _ok(cspdk.pyn_device_shutdown(self._controller._device._device, c_abrupt, &err),
                &err, cspdk.PYN_ERROR_SHUTDOWN)
        return True

    @_named
    def reset(self):
        if not self._controller.cap >> 36 & 1:
            return False
        self._controller[_NSSR] = _NSSR_VALUE
        self._controller._device._reset(cspdk.PYN_DEVICE_RESET_CONTROLLER)
        return True
