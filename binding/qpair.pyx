# SPDX-License-Identifier: BSD-3-Clause
# Qpair: an IO submission and completion queue.

cdef unsigned _MAX_DEPTH = 1024


cdef class Qpair(_Queue):
    cdef Controller _controller
    cdef cspdk.pyn_io_qpair *_queue

    def __init__(self, *args, **names):
        Qpair._construct(self, *args, **names)

    @_named
    def _construct(self, nvme, depth, prio=0, ien=True, iv=0xffff, *, cmb_sq=False, cmb_cq=False):
        cdef cspdk.pyn_io_qpair_config config
        cdef cspdk.pyn_error err
        cdef Controller controller
        cdef object entries = _integer(depth, "depth")
        cdef unsigned most

        if not isinstance(nvme, Controller):
            raise TypeError(f"nvme must be a Controller, not {type(nvme).__name__}")
        _check(self._queue == NULL, "this Qpair exists already")
        controller = <Controller>nvme
        _created(controller, controller._device)
        most = min(_MAX_DEPTH, (cspdk.pyn_device_cap(controller._device._device) & 0xffff) + 1)
        _check(2 <= entries <= most, f"depth must be from 2 to {most}, the lesser of {_MAX_DEPTH} and CAP.MQES + 1, "
                                     f"not {depth}")
        config.depth = entries
        config.priority = _field(prio, 2, "prio")
        config.interrupts = bool(ien)
        config.vector = _field(iv, 16, "iv")
        config.for_worker = False
        config.cmb_sq = bool(cmb_sq)
        config.cmb_cq = bool(cmb_cq)
        controller._ensure()
        with nogil:
            _ok(cspdk.pyn_io_qpair_create(controller._device._device, &config, &self._queue, &err),
                &err, cspdk.PYN_ERROR_CREATE)
        self._callbacks = _Callbacks()
        self._controller = controller
        _take_log()

    def __dealloc__(self):
        cdef cspdk.pyn_error err

        if self._queue == NULL:
            return
        with nogil:
            cspdk.pyn_io_qpair_delete(self._queue, &err)
        self._drop()
        with nogil:
            cspdk.pyn_io_qpair_free(self._queue)

    def __repr__(self):
        if self._queue == NULL:
            return "<Qpair, not created>"
        state = f"{cspdk.pyn_inflight_outstanding(self._queue.inflight)} in flight"
        if not cspdk.pyn_io_qpair_exists(self._queue):
            state = "deleted"
        return f"<Qpair {self._queue.qid}, depth {self._queue.depth}, {state}>"

    cdef cspdk.pyn_io_qpair *_get(self) except NULL:
        if self._queue == NULL:
            raise _never_created(self)
        return self._queue

    cdef unsigned _wait(self, cspdk.pyn_completed *completed, unsigned max, uint64_t budget_us) noexcept nogil:
        return cspdk.pyn_io_wait(self._queue, completed, max, budget_us)

    cdef unsigned _id(self):
        return self._queue.qid

    cdef object _path(self):
        return self._controller._device.path

    cdef bint _is_empty(self):
        return cspdk.pyn_inflight_outstanding(self._queue.inflight) == 0

    cdef uint32_t _timeout_ms(self):
        return cspdk.pyn_device_timeout_ms(self._controller._device._device)[0]

    cdef uint32_t _process(self) except? 0:
        return self._queue.process

    @property
    def sqid(self):
        return self._get().qid

    @property
    def latest_cid(self):
        self._get()
        return self._latest_cid

    @property
    def latest_latency(self):
        self._get()
        return self._latest_latency_ns / 1000

    @_named
    def waitdone(self, expected=1):
        if not cspdk.pyn_io_qpair_exists(self._get()):
            # Fetch the commands that were in flight. No others will ever complete.
            if expected > self._count + cspdk.pyn_inflight_outstanding(self._queue.inflight):
                raise RuntimeError(f"Qpair {self._queue.qid} is deleted")
        return self._waitdone(expected)

    @_Log
    @_named
    def cmdlog(self, count=0):
        inflight = self._get().inflight
        _print_cmdlog(self._controller._device, cspdk.pyn_inflight_cmdlog(inflight), self._queue.qid, count)

    @_named
    def cmdlog_list(self, count=0):
        inflight = self._get().inflight
        return _list_cmdlog(self._controller._device, inflight, self._queue.qid, count)

    @_named
    def cmdlog_keep(self, size=4096, count=64):
        _keep(self._get().inflight, size, count)

    @_named
    def msix_isset(self):
        cdef cspdk.pyn_error err
        cdef bint is_set = False
        cdef cspdk.bool c_is_set = False

        self._get()
        with nogil:
            _ok(cspdk.pyn_io_qpair_interrupted(self._queue, &c_is_set, &err), &err)
        is_set = c_is_set
        return is_set

    @_named
    def msix_clear(self):
        cdef cspdk.pyn_error err

        self._get()
        with nogil:
            _ok(cspdk.pyn_io_qpair_interrupt_clear(self._queue, &err), &err)

    cdef int _mask(self, bint masked) except -1:
        cdef cspdk.pyn_error err

        self._get()
        with nogil:
            _ok(cspdk.pyn_io_qpair_interrupt_mask(self._queue, masked, &err), &err)
        return 0

    @_named
    def msix_mask(self):
        self._mask(True)

    @_named
    def msix_unmask(self):
        self._mask(False)

    @_named
    def delete(self):
        cdef cspdk.pyn_error err

        self._get()
        with nogil:
            _ok(cspdk.pyn_io_qpair_delete(self._queue, &err), &err, cspdk.PYN_ERROR_DELETE)

    @_named
    def close(self):
        self.delete()
