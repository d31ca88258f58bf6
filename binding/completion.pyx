# SPDX-License-Identifier: BSD-3-Clause
# Passes completions to the script, by warnings, callbacks and waitdone(). Controller (the admin queue) and Qpair
# inherit from it.

cdef extern from "Python.h":
    PyInterpreterState *PyInterpreterState_Get()
    PyThreadState *PyInterpreterState_ThreadHead(PyInterpreterState *interpreter)
    PyThreadState *PyThreadState_Next(PyThreadState *thread)

DEF BATCH = 32
cdef uint64_t _SLICE_US = 10000  # between two checks for Ctrl-C
cdef uint64_t _ALONE_US = 20     # with Python's lock, if no other thread would take it


cdef inline bint _is_the_only_thread():
    # Threads start and end under Python's lock, which this thread holds.
    return PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Get())) == NULL


cdef class _Queue:
    # Completions that were fetched and not yet passed to the script, so that an exception in between loses none.
    cdef cspdk.pyn_completed _fetched[BATCH]
    cdef unsigned _first
    cdef unsigned _count
    cdef unsigned _expected  # room that waiting threads have reserved
    cdef uint16_t _latest_cid
    cdef uint64_t _latest_latency_ns
    cdef _Callbacks _callbacks
    cdef object __weakref__

    # -- differences of the two kinds ---------------------------------------------------------------------

    cdef unsigned _wait(self, cspdk.pyn_completed *completed, unsigned max, uint64_t budget_us) noexcept nogil:
        return 0

    cdef unsigned _id(self):
        return 0

    cdef uint32_t _timeout_ms(self):
        return 10000

    cdef uint32_t _process(self) except? 0:
        """The pyn_process_number of the process that owns the queue."""
        return 0

    cdef object _path(self):
        """The address of the drive."""
        return ""

    cdef bint _is_empty(self):
        """Whether no command is in flight that could end a wait."""
        return False

    cdef object _asynchronous(self, cspdk.pyn_completed *completed, _Callback callback):
        return None

    # -- the common part ----------------------------------------------------------------------------------

    cdef int _fetch(self, unsigned wanted, uint64_t budget_us) except -1:
        cdef cspdk.pyn_completed batch[BATCH]
        cdef unsigned count, i, room = BATCH - self._count - self._expected

        if wanted > room:
            wanted = room
        if self._count == 0 and _is_the_only_thread():
            self._first = 0
            self._count = self._wait(self._fetched, wanted, _ALONE_US)
            if self._count:
                return self._count
        self._expected += wanted
        with nogil:
            count = self._wait(batch, wanted, budget_us)
        self._expected -= wanted
        for i in range(count):
            memcpy(&self._fetched[(self._first + self._count) % BATCH], &batch[i], sizeof(batch[i]))
            self._count += 1
        return count

    cdef object _call(self, _Callback callback, cspdk.pyn_completed *completed):
        cdef cspdk.nvme_cpl cpl = completed.cpl
        cdef uint32_t *dwords = <uint32_t *>&cpl

        try:
            if callback.shape == SHAPE_COMPLETION:
                callback.function((dwords[0], dwords[1], dwords[2], dwords[3]))
            elif callback.shape == SHAPE_STATUS:
                callback.function(cpl.cdw0, cpl.status)
            else:
                _warn(_failures.CALLBACK, "wrong shape",
                      f"callback: {callback.function!r} takes neither (cpl) nor (cdw0, status)")
        except AssertionError as error:
            text = _assertion_text(error)
            _warn(_failures.ASSERTION, text, f"ASSERT: {text}")
        except Exception as error:
            _note(error, "in the callback of " + _command_line(&completed.cmd, self._id(), completed.csi))
            raise

    cdef object _tell(self, cspdk.pyn_completed *completed):
        """Log failures, and warn about them."""
        cdef char text[512]
        cdef unsigned status = completed.cpl.status >> 1

        if completed.mismatch:
            cspdk.pyn_mismatch_text(&completed.found, completed.cmd.nsid, text, sizeof(text))
            _log.error("%s; %s", _text(text), self._where(completed))
        elif completed.timed_out:
            _log.error("no completion within %d ms of %s", self._timeout_ms(), self._where(completed))
        elif _log.isEnabledFor(_logging.INFO):
            _log.info("%s of %s", _completion_line(&completed.cpl), self._where(completed))
        try:
            if completed.timed_out:
                _warn(_failures.TIMEOUT, "time-out",
                      f"drive timeout: qpair: {self._id()}, cid: {completed.cmd.cid}")
            elif status & 0x7ff:
                _warn_status(status & 0x7ff, completed.mismatch, "ERROR status: ")
        except UserWarning as error:  # the script turns warnings into errors
            _note(error, _command_line(&completed.cmd, self._id(), completed.csi))
            _note(error, _completion_line(&completed.cpl))
            raise

    cdef str _where(self, const cspdk.pyn_completed *completed):
        """A command, with its queue, its LBAs and the drive."""
        lbas = "" if completed.csi else _lba_text(&completed.cmd, self._id())
        return f"{_command_line(&completed.cmd, self._id(), completed.csi)}{lbas} on the drive at {self._path()}"

    cdef bint _deliver(self) except? True:
        """Pass the oldest fetched completion to the script. Return whether waitdone() counts it."""
        cdef cspdk.pyn_completed *oldest = &self._fetched[self._first]
        cdef cspdk.pyn_completed completed
        cdef _Callback callback

        # The state is consistent again before a warning or a callback may raise.
        self._first = (self._first + 1) % BATCH
        self._count -= 1
        if oldest.user == NULL and not (oldest.asynchronous or oldest.timed_out or oldest.cpl.status >> 1 & 0x7ff):
            self._latest_latency_ns = oldest.latency_ns
            return True  # no callback, and no failure
        completed = oldest[0]
        callback = self._callbacks.take(completed.user)
        if completed.asynchronous:
            self._asynchronous(&completed, callback)
            return False
        self._latest_latency_ns = completed.latency_ns
        if completed.timed_out or completed.cpl.status >> 1 & 0x7ff:
            try:
                self._tell(&completed)
            finally:
                if callback is not None:
                    self._call(callback, &completed)
        elif callback is not None:
            self._call(callback, &completed)
        return True

    cdef object _waitdone(self, object expected):
        cdef uint64_t wanted = _field(expected, 32, "expected")
        cdef uint64_t done = 0
        cdef uint64_t started = 0, patience = 0
        cdef uint32_t cdw0 = 0

        if wanted and self._process() != cspdk.pyn_process_number():
            raise RuntimeError(f"queue {self._id()} belongs to another process, from which this one was forked")
        while done < wanted:
            if self._count == 0 and self._fetch(<unsigned>min(wanted - done, <uint64_t>BATCH), _SLICE_US) == 0:
                PyErr_CheckSignals()
                _take_log()
                if started == 0:
                    started = cspdk.pyn_monotonic_ns()
                    patience = (<uint64_t>self._timeout_ms() + 20000) * 1000000
                if self._count == 0 and (self._is_empty() or cspdk.pyn_monotonic_ns() - started > patience):
                    # Not a note, since scripts compare the whole text of the exception.
                    _log.log(_logging.DEBUG if self._is_empty() else _logging.ERROR,
                             "waitdone: %d of %d completions came: %s", done, wanted, repr(self))
                    raise TimeoutError("pynvme timeout in driver")
                continue
            cdw0 = self._fetched[self._first].cpl.cdw0
            if self._deliver():
                done += 1
        return cdw0

    cdef bint _take_fetched_event(self, cspdk.pyn_completed *event):
        """Take an event out of the fetched completions. The others keep their order."""
        cdef unsigned left = self._count
        cdef bint found = False

        for _ in range(left):
            oldest = self._fetched[self._first]
            self._first = (self._first + 1) % BATCH
            self._count -= 1
            if oldest.asynchronous and not found:
                event[0] = oldest
                found = True
                continue
            self._fetched[(self._first + self._count) % BATCH] = oldest
            self._count += 1
        return found

    cdef void _drop_fetched(self) noexcept:
        # The garbage collector may have cleared it already.
        while self._count and self._callbacks is not None:
            self._callbacks.take(self._fetched[self._first].user)
            self._first = (self._first + 1) % BATCH
            self._count -= 1

    cdef void _drop(self) noexcept:
        """Fetch and drop completions. Their callbacks are freed with their container."""
        while True:
            self._first = 0
            self._count = self._wait(self._fetched, BATCH, 0)
            if self._count == 0:
                return
