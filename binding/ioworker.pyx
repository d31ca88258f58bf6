# SPDX-License-Identifier: BSD-3-Clause
# IOWorker turns the parameters of Namespace.ioworker() into a process, and what that did into a result.

cdef uint32_t _GRACE_S = 10  # in which a worker has to end, in addition to the timeout of its commands
cdef uint64_t _LOGGED = 4096  # commands of a log that are searched for one that failed
cdef uint64_t _worker_number = 0
_WORKER_STATUS = "ioworker device respond an ERROR status: "
_MISMATCH = 0x781
_ENDS = {
    cspdk.PYN_END_RESET: "reset",
    cspdk.PYN_END_POWER: "power loss",
    cspdk.PYN_END_CLOSE: "close",
}
_OPCODES = tuple(opcode for opcode in range(256) if cspdk.pyn_worker_sends(opcode))


cdef int _fill_config(cspdk.pyn_worker_config *config, object workload) except -1:
    """Convert a pynvme.worker.Workload to the driver's structure, without the steps, whose memory the worker owns."""
    cdef cspdk.pyn_workload_config *places = &config.workload

    places.ops = len(workload.operations)
    for i, (opcode, percentage) in enumerate(workload.operations.items()):
        places.opcode[i] = opcode & 0xff
        places.percentage[i] = percentage
    places.sizes = len(workload.sizes)
    for i, size in enumerate(workload.sizes):
        places.io_size[i] = size.lbas
        places.lba_align[i] = size.align
        places.weight[i] = size.weight
    places.random_percentage = workload.random_percentage
    places.contiguous = workload.contiguous
    places.step = workload.step
    places.region_start = workload.region_start
    places.region_end = workload.region_end
    places.lba_start = workload.lba_start
    places.fill = workload.fill
    places.has_distribution = workload.distribution is not None
    for i, part in enumerate(workload.distribution or ()):
        places.distribution[i] = part
    config.qdepth = workload.qdepth
    config.io_count = workload.io_count
    config.time_ns = <uint64_t>(<double>workload.seconds * 1e9)
    config.iops = workload.iops
    config.priority = workload.priority
    config.ptype = workload.ptype
    config.pvalue = workload.pvalue
    config.fw_debug = workload.fw_debug
    config.cpu = workload.cpu
    config.seconds = workload.counted_seconds
    config.log_entries = workload.log_entries
    _fill_extra(config, workload.extra)
    _fill_zones(&config.zones, workload.zones)
    return 0


cdef int _fill_zones(cspdk.pyn_zones_config *places, object zones) except -1:
    places.on = zones is not None
    if zones is None:
        return 0
    places.max_open = zones.max_open
    places.drive_active = zones.limits.active
    places.drive_open = zones.limits.open
    places.variable = zones.limits.variable
    places.read_beyond_wp = zones.read_beyond_wp
    places.skip = zones.skip
    places.reset_threshold = zones.reset_threshold
    places.reset_frequency = zones.reset_frequency
    return 0


cdef int _fill_extra(cspdk.pyn_worker_config *config, object extra) except -1:
    """The same for what a worker does only on request."""
    cdef cspdk.pyn_extra_config *places = &config.extra

    config.workload.skew = <cspdk.pyn_skew_kind><int>extra.skew
    config.workload.skew_parameter = extra.skew_parameter
    places.poisson = extra.poisson
    places.by_opcode = extra.by_opcode
    places.from_due = extra.from_due
    places.continue_on_error = extra.continue_on_error
    places.think_ns = extra.think_ns
    places.think_ios = extra.think_ios
    places.max_latency_ns = extra.max_latency_ns
    places.history_ns = extra.history_ns
    places.history_words = extra.history_words
    places.steady_seconds = extra.steady_seconds
    places.target_ns = extra.target_ns
    places.target_window_ns = extra.target_window_ns
    places.target_percentage = extra.target_percentage
    places.compress = extra.compress
    places.sgl_percentage = extra.sgl_percentage
    places.directive = extra.directive
    places.placement_random = extra.placement_random
    places.placements = len(extra.placements)
    for i, dspec in enumerate(extra.placements):
        places.placement[i] = dspec
    places.regions = len(extra.regions)
    for i, (start, past) in enumerate(extra.regions):
        places.region[i].start = start
        places.region[i].past = past
    return 0


cdef int _take_namespace(cspdk.pyn_worker_config *config, Namespace ns, object pi) except -1:
    """The current namespace, which a reset between ioworker() and start() may have changed."""
    cdef const cspdk.pyn_namespace *namespace = ns._namespace

    memset(&config.metadata, 0, sizeof(config.metadata))
    config.metadata.layout = namespace.layout
    config.metadata.data_size = namespace.lba_size
    _take_protection(&config.metadata, ns, pi)
    config.nsid = namespace.nsid
    config.lba_size = cspdk.pyn_namespace_lba_bytes(namespace, config.metadata.prinfo)
    config.nlba = namespace.nsze
    config.zones.size = namespace.zone_size
    return 0


cdef int _take_protection(cspdk.pyn_worker_metadata *metadata, Namespace ns, object pi) except -1:
    """What each IO asks of protection information. By default it checks nothing, and writes have right tuples."""
    import dataclasses

    from pynvme.protection import Pi

    wanted = Pi.of(pi)
    fmt = ns._protection(ns._namespace)
    if fmt is None:
        _check(wanted is None,
               f"namespace {ns._namespace.nsid} has no protection information (DPS bits 2:0 are 0): leave out pi")
        return 0
    wanted = wanted or Pi(prchk=0)
    prinfo, cdw2, cdw3, cdw14, cdw15 = wanted.dwords(fmt, cspdk.NVME_IO_WRITE, 0)
    metadata.prinfo = prinfo
    metadata.cdw2, metadata.cdw3, metadata.cdw14, metadata.cdw15 = cdw2, cdw3, cdw14, cdw15
    metadata.prinfo_of_zeroes = Pi().dwords(fmt, cspdk.NVME_IO_WRITE_ZEROES, 0)[0]
    metadata.counts_lbas = wanted.ref_tag is None and fmt.type != 3
    if fmt.type == 2 and wanted.ref_tag is not None and wanted.remap is None:
        # Reads name the same reference tag, which the drive must not replace.
        wanted = dataclasses.replace(wanted, remap=False)
    metadata.prinfo_of_append = wanted.dwords(fmt, cspdk.NVME_IO_ZONE_APPEND, 0)[0]
    return 0


cdef object _make_worker(Namespace ns, dict given):
    """Check everything that can be checked now, so that the call itself reports mistakes."""
    from pynvme import worker as _worker  # here, because it takes as long as importing nvme
    from pynvme import zone as _zone

    cdef IOWorker made = IOWorker.__new__(IOWorker)
    cdef cspdk.pyn_namespace *namespace = ns._get()
    cdef unsigned most = min(1024, (cspdk.pyn_device_cap(ns._controller._device._device) & 0xffff) + 1)
    cdef unsigned lba_size
    global _worker_number

    made._namespace = ns
    made._running = True
    made._lock = _RLock()
    made._pid = _os.getpid()
    made._parameters = _worker.Parameters(**given)
    _take_namespace(&made._config, ns, made._parameters.pi)
    lba_size = made._config.lba_size
    zones = None
    if made._parameters.zonemode == "zbd" and namespace.zone_size:
        zones = _zone.limits(ns, cspdk.pyn_device_cap(ns._controller._device._device))
    workload = _worker.workload(
        made._parameters, namespace.nsze,
        _worker.Limits(entries=most, sizes=cspdk.PYN_WORKLOAD_SIZES, opcodes=_OPCODES, lba_size=lba_size,
                       largest=min(65536, (ns._controller.mdts or 1 << 28) // lba_size),
                       regions=cspdk.PYN_REGIONS, placements=cspdk.PYN_PLACEMENTS, zones=zones))
    _fill_config(&made._config, workload)
    made._opcodes = list(workload.operations)
    made._config.check = made._config.track = namespace.verify_enabled
    _worker_number += 1
    made._config.seed = _seed + _worker_number if _is_seeded else cspdk.pyn_monotonic_ns()
    if workload.steps is not None:
        made._take_steps(workload.steps)
    return made


def _latency_edges():
    """The lowest latency of each bucket of IOWorker._sample(), in ns, and the end of the last one."""
    import numpy

    lowest = [cspdk.pyn_histogram_lowest(i) for i in range(cspdk.PYN_HISTOGRAM_BUCKETS)]
    return numpy.array([*lowest, 2.0 ** 64]) * (1e9 / cspdk.pyn_ticks_hz())


def _percentiles(latencies, percentages):
    """Percentiles of latencies in ns, in ns, as a worker computes them. For a test that others do so, too."""
    cdef cspdk.pyn_histogram *histogram = <cspdk.pyn_histogram *>malloc(sizeof(cspdk.pyn_histogram))

    if histogram == NULL:
        raise MemoryError
    try:
        cspdk.pyn_histogram_init(histogram)
        for latency in latencies:
            cspdk.pyn_histogram_record(histogram, cspdk.pyn_ns_to_ticks(latency))
        return [cspdk.pyn_ticks_to_ns(cspdk.pyn_histogram_percentile(histogram, one)) for one in percentages]
    finally:
        free(histogram)


cdef class IOWorker:
    cdef Namespace _namespace
    cdef object _parameters  # pynvme.worker.Parameters
    cdef cspdk.pyn_worker_config _config
    cdef cspdk.pyn_worker *_worker
    cdef bytes _steps  # the memory of an io_sequence
    cdef list _opcodes  # what the driver counts, in its order
    cdef bint _started
    cdef bint _running
    cdef uint64_t _longest_pause_us  # between two IOs of a sequence
    cdef int _start_error
    cdef object _start_text
    cdef object _lock  # serialises start() and close() of all threads
    cdef bint _collecting
    cdef bint _was_stopped  # by the script, before it had finished
    cdef int _pid  # of the process that made it
    cdef bint _is_watched  # pynvme.worker.watchers look at it until it is closed
    cdef object _result
    cdef uint64_t _closed_sent
    cdef uint64_t _closed_completed
    cdef bytearray _closed_log  # its last commands, newest first
    cdef unsigned _closed_qid
    cdef object __weakref__

    def __init__(self, *args, **kwargs):
        raise TypeError("an IOWorker is made by Namespace.ioworker()")

    def __dealloc__(self):
        if self._worker != NULL:
            with nogil:
                cspdk.pyn_worker_free(self._worker)

    def __repr__(self):
        if not self._started:
            return "<IOWorker, not started>"
        if self._worker == NULL:
            return "<IOWorker, closed>" if self._result is not None else f"<IOWorker, {self._start_text}>"
        _, sent, completed = self.progress
        return f"<IOWorker {cspdk.pyn_worker_pid(self._worker)}, {sent} sent, {completed} completed>"

    cdef int _take_steps(self, object steps) except -1:
        """Set an io_sequence. Its opcodes replace those of the workload."""
        self._steps = steps.packed
        self._longest_pause_us = steps.longest_pause_us
        self._config.steps = steps.count
        self._config.sequence = <const cspdk.pyn_workload_step *><char *>self._steps
        self._config.workload.ops = len(steps.opcodes)
        self._opcodes = list(steps.opcodes)
        for i, opcode in enumerate(steps.opcodes):
            self._config.workload.opcode[i] = opcode
            self._config.workload.percentage[i] = 100 if i == 0 else 0
        return 0

    # -- start and end ----------------------------------------------------------------------------------

    @_named
    def start(self):
        self._check_process()
        with self._lock:
            _check(not self._started, "this IOWorker was started already")
            self._started = True
            self._start()
        return self

    cdef int _check_process(self) except -1:
        if self._namespace is None:
            raise RuntimeError("an IOWorker is made by Namespace.ioworker()")
        if self._pid != _os.getpid():
            raise RuntimeError(f"this IOWorker belongs to process {self._pid}, from which this one was forked")
        return 0

    cdef object _start(self):
        cdef cspdk.pyn_error err
        cdef cspdk.pyn_namespace *namespace = self._namespace._get()
        cdef cspdk.pyn_device *device = self._namespace._controller._device._device
        cdef cspdk.pyn_worker *worker = NULL
        cdef int rc

        _take_namespace(&self._config, self._namespace, self._parameters.pi)
        with nogil:
            rc = cspdk.pyn_worker_create(device, &self._config, namespace.verify, &worker, &self._start_error, &err)
            if rc == 0:
                rc = cspdk.pyn_worker_start(worker, &err)
                if rc < 0:
                    self._start_error = cspdk.PYN_WORKER_INIT
                    cspdk.pyn_worker_free(worker)
                    worker = NULL
        self._worker = worker
        if rc < 0 and err.kind == cspdk.PYN_ERROR_WITHHELD:
            raise _exception(&err)
        if rc < 0:
            self._start_text = _text(err.text)
            _take_log()
        else:
            self._watch()

    cdef object _watch(self):
        from pynvme import worker as _worker

        self._is_watched = _worker.started(self, self._namespace, self._namespace._controller, self._parameters,
                                           self._config.lba_size, self._steps)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, traceback):
        if self._pid != _os.getpid():
            return False  # a forked child leaves the block too, but its parent owns the worker
        if kind is not None and self._worker != NULL:
            # The script leaves by an exception, so do not wait for the rest of the worker's IO.
            cspdk.pyn_worker_stop(self._worker)
            self._was_stopped = True
        self.close()
        return False

    @property
    def running(self):
        cdef bint ended

        if self._running and self._worker != NULL:
            # With Python's lock, so that no other thread frees it meanwhile. This does not wait.
            ended = cspdk.pyn_worker_wait(self._worker, 0)
            if ended:
                self._running = False
        return self._running and self._start_text is None  # _start_text: why it could not start

    @property
    def progress(self):
        if self._worker == NULL:
            return (0, self._closed_sent, self._closed_completed)
        shared = cspdk.pyn_worker_shared_block(self._worker)
        return (cspdk.pyn_worker_qid(self._worker), shared.sent, shared.completed)

    def _sample(self):
        """(monotonic time in ns, IOs completed, counts of latencies by bucket) of now, or None once it is closed."""
        cdef uint64_t[::1] view
        cdef const cspdk.pyn_worker_shared *shared

        import numpy

        counts = numpy.empty(cspdk.PYN_HISTOGRAM_BUCKETS, dtype=numpy.uint64)
        if self._worker == NULL:
            return None
        shared = cspdk.pyn_worker_shared_block(self._worker)
        view = counts
        memcpy(&view[0], shared.latency.buckets, sizeof(shared.latency.buckets))
        return cspdk.pyn_monotonic_ns(), shared.completed, counts

    @_named
    def close(self):
        if self._result is not None:
            return self._result
        self._check_process()
        _check(self._started, "this IOWorker was not started")
        with self._lock:
            if self._result is None:
                self._close()
        return self._result

    cdef object _close(self):
        if self._collecting:
            raise RuntimeError("close() is called by something that close() itself has called")
        if self._worker == NULL:
            self._finish_unstarted()
        else:
            try:
                self._wait_for_end()
            except BaseException:
                # After Ctrl-C, or if the worker does not end, nothing of it may remain.
                if self._worker != NULL:
                    self._was_stopped = True
                    self._make_it_end()
                    self._collect()
                raise
            if self._worker == NULL:
                return None  # a signal handler has closed it meanwhile
            self._collect()
        self._warn_errors()

    cdef object _wait_for_end(self):
        cdef _Device device = self._namespace._controller._device
        cdef uint64_t started = cspdk.pyn_monotonic_ns()
        cdef uint64_t last_progress = started, completed = 0, now, patience
        cdef bint ended = False

        patience = (<uint64_t>cspdk.pyn_device_timeout_ms(device._device)[0] + _GRACE_S * 1000) * 1000000
        if self._config.iops:
            patience += <uint64_t>min(1e9 / self._config.iops, 1e18) + 1000000000
        patience += <uint64_t>min(self._longest_pause_us * 1e3, 1e18)
        patience += self._config.extra.think_ns
        if self._config.extra.poisson:
            patience += <uint64_t>min(50e9 / self._config.iops, 1e18)  # a longer pause has a chance of e^-50
        while True:
            with nogil:
                ended = cspdk.pyn_worker_wait(self._worker, 50)
            if ended:
                return
            PyErr_CheckSignals()
            if self._worker == NULL:
                return None  # a signal handler has closed it meanwhile
            now = cspdk.pyn_monotonic_ns()
            shared = cspdk.pyn_worker_shared_block(self._worker)
            if shared.completed != completed:
                completed = shared.completed
                last_progress = now
            if not device._is_alive():
                self._start_error = cspdk.PYN_WORKER_GONE
                self._make_it_end()
                return
            if now - last_progress > patience:
                self._start_error = cspdk.PYN_WORKER_TIMEOUT
                self._make_it_end()
                return

    cdef void _make_it_end(self):
        """Stop the worker, and kill it if that takes longer than a moment."""
        with nogil:
            cspdk.pyn_worker_stop(self._worker)
            if not cspdk.pyn_worker_wait(self._worker, 300):
                cspdk.pyn_worker_kill(self._worker)
                cspdk.pyn_worker_wait(self._worker, 1000)

    cdef object _finish_unstarted(self):
        from pynvme import worker as _worker

        self._running = False
        outcome = _worker.unstarted(self._start_error)
        if self._start_text:
            _log.error("ioworker: %s", self._start_text)
        self._result = DotDict(_worker.result(outcome))
        _worker.fill(self._parameters, outcome, self._result)

    cdef object _collect(self):
        """Make the result and the outputs, and free the worker."""
        from pynvme import worker as _worker

        cdef cspdk.pyn_worker_result raw
        cdef cspdk.pyn_worker *worker = self._worker

        self._collecting = True
        try:
            with nogil:
                cspdk.pyn_worker_finish(worker, &raw)
            self._running = False
            self._log_failure(&raw)
            outcome = self._outcome(&raw)
            self._result = DotDict(_worker.result(outcome))
            _worker.fill(self._parameters, outcome, self._result)
            if self._is_watched:
                _worker.ended(self, self._result)
        finally:
            self._collecting = False
            self._closed_log = _entries(cspdk.pyn_worker_cmdlog(worker), _LOGGED)
            self._closed_qid = cspdk.pyn_worker_qid(worker)
            shared = cspdk.pyn_worker_shared_block(worker)
            self._closed_sent = shared.sent
            self._closed_completed = shared.completed
            self._worker = NULL
            with nogil:
                cspdk.pyn_worker_free(worker)
        _take_log()

    cdef object _log_failure(self, cspdk.pyn_worker_result *raw):
        """Log the command that ended the worker with an error: the oldest one that failed, or did not complete."""
        cdef cspdk.pyn_cmdlog_entry entry
        cdef uint64_t age = 0
        cdef unsigned qid = cspdk.pyn_worker_qid(self._worker)
        cdef str failed = ""

        if not raw.error or raw.mismatched_reads:
            return
        while age < _LOGGED and cspdk.pyn_cmdlog_read(cspdk.pyn_worker_cmdlog(self._worker), age, &entry):
            age += 1
            if entry.completed == 0:
                end = "no completion"
            elif entry.cpl.status >> 1 & 0x7ff:
                end = _completion_line(&entry.cpl)
            elif raw.error == cspdk.PYN_WORKER_TOO_SLOW and self._is_too_slow(&entry):
                end = f"{cspdk.pyn_ticks_to_ns(entry.completed - entry.submitted) / 1000:.3f} us for " \
                      f"{_completion_line(&entry.cpl)}"
            else:
                continue
            failed = f"{end} of {_command_line(&entry.cmd, qid)}{_lba_text(&entry.cmd, qid)}"
        _log.error("ioworker: error %d: %s; queue %d of the drive at %s", raw.error, failed or "no command failed",
                   qid, self._namespace._controller._device.path)

    cdef bint _is_too_slow(self, const cspdk.pyn_cmdlog_entry *entry):
        return cspdk.pyn_ticks_to_ns(entry.completed - entry.submitted) > self._config.extra.max_latency_ns

    cdef object _ended_by(self, cspdk.pyn_worker_result *raw, int error):
        """What ended the worker early, or None."""
        if error:
            return "removal" if error == cspdk.PYN_WORKER_GONE else "error"
        if raw.ended_by:
            return _ENDS[raw.ended_by]
        return "stop" if self._was_stopped else None

    cdef object _outcome(self, cspdk.pyn_worker_result *raw):
        """A pynvme.worker.Outcome of the worker, without the outputs that the script has not requested."""
        from pynvme import worker as _worker

        cdef char text[512]
        cdef const cspdk.pyn_worker_shared *shared = cspdk.pyn_worker_shared_block(self._worker)
        cdef const cspdk.pyn_histogram *latency = &shared.latency
        cdef const uint32_t *seconds = cspdk.pyn_worker_per_second(self._worker)
        wanted = self._parameters.output_percentile_latency
        error = self._start_error or raw.error

        if raw.signal:
            self._start_text = f"killed by signal {raw.signal}"
        if raw.mismatched_reads:
            cspdk.pyn_mismatch_text(&raw.mismatch, self._config.nsid, text, sizeof(text))
            _log.error("ioworker: %s; queue %d of the drive at %s", _text(text),
                       cspdk.pyn_worker_qid(self._worker), self._namespace._controller._device.path)
        return _worker.Outcome(
            error=error,
            status=raw.status,
            ended_by=self._ended_by(raw, error),
            counts={opcode: raw.io_count[i] for i, opcode in enumerate(self._opcodes)},
            mseconds=(cspdk.pyn_ticks_to_ns(raw.ticks) + 999999) // 1000000,
            latency_max_us=cspdk.pyn_ticks_to_ns(latency.max) // 1000,
            latency_average_us=cspdk.pyn_histogram_mean(latency) * 1e6 / cspdk.pyn_ticks_hz(),
            cpu_usage=min(<double>raw.busy_ticks / raw.ticks, 1.0) if raw.ticks else 0.0,
            verified=raw.verified.checked,
            unverified=raw.verified.unverified,
            mismatch=raw.verified.mismatch,
            per_second=[seconds[i] for i in range(shared.per_second_count if self._config.seconds else 0)],
            percentiles_ns={percentage: cspdk.pyn_ticks_to_ns(cspdk.pyn_histogram_percentile(latency, percentage))
                            for percentage in wanted or ()},
            distribution=None if wanted is None else self._distribution(latency),
            log=self._sent(),
            opcode_means_ns=self._means_by_opcode(),
            failed_ios=raw.failed_ios,
            opcode_percentiles_ns=self._by_opcode(),
            due_ns=self._from_due(),
            histograms=self._histograms(),
            is_steady=raw.found.is_steady,
            depth=raw.found.depth if raw.found.is_depth_found else None,
            windows=[self._window(&raw.found.window[i]) for i in range(raw.found.windows)],
        )

    cdef tuple _window(self, const cspdk.pyn_found_window *window):
        """A try of the search for a depth: depth, IOPS, and latency in us."""
        return (window.depth, window.ios * 1e9 / max(cspdk.pyn_ticks_to_ns(window.ticks), 1),
                cspdk.pyn_ticks_to_ns(window.latency) / 1000)

    cdef dict _by_opcode(self):
        """The percentiles of each opcode, in ns, that the script has requested."""
        cdef const cspdk.pyn_histogram *latencies = cspdk.pyn_worker_by_opcode(self._worker)
        cdef dict found = {}

        if latencies == NULL:
            return found
        for i, opcode in enumerate(self._opcodes):
            found[opcode] = {
                percentage: cspdk.pyn_ticks_to_ns(cspdk.pyn_histogram_percentile(&latencies[i], percentage))
                for percentage in self._parameters.output_opcode_latency.get(opcode, ())}
        return found

    cdef dict _from_due(self):
        """The percentiles of the latency from the due time, in ns, that the script has requested."""
        cdef const cspdk.pyn_histogram *latency = cspdk.pyn_worker_shared_block(self._worker).from_due

        if latency == NULL:
            return {}
        return {percentage: cspdk.pyn_ticks_to_ns(cspdk.pyn_histogram_percentile(latency, percentage))
                for percentage in self._parameters.output_due_latency}

    cdef dict _means_by_opcode(self):
        """The mean latency of each opcode in ns, if the script has requested latencies by opcode."""
        cdef const cspdk.pyn_histogram *latencies = cspdk.pyn_worker_by_opcode(self._worker)
        cdef double ns_per_tick = 1e9 / cspdk.pyn_ticks_hz()

        if latencies == NULL:
            return {}
        return {opcode: cspdk.pyn_histogram_mean(&latencies[i]) * ns_per_tick
                for i, opcode in enumerate(self._opcodes)}

    cdef list _histograms(self):
        """The histogram of each interval, an array with rows of (latency in ns, number of IOs)."""
        cdef const cspdk.pyn_history *history = cspdk.pyn_worker_history(self._worker)
        cdef const uint64_t *words
        cdef uint64_t at = 0, count, word
        cdef list found = []

        if history == NULL:
            return found
        import numpy

        words = cspdk.pyn_history_words(history)

        if history.is_full:
            _log.warning("ioworker: there was no room for the histograms after %d intervals", history.intervals)
        for _ in range(history.intervals):
            count = words[at]
            rows = numpy.empty((count, 2), dtype=numpy.uint64)
            for row in range(count):
                word = words[at + 1 + row]
                rows[row, 0] = cspdk.pyn_ticks_to_ns(cspdk.pyn_histogram_highest(<uint32_t>(word >> 32)))
                rows[row, 1] = word & 0xffffffff
            found.append(rows)
            at += count + 1
        return found

    cdef object _distribution(self, const cspdk.pyn_histogram *latency):
        import numpy

        counts = numpy.zeros(1000000, dtype=numpy.uint64)
        cdef uint64_t[::1] view = counts
        cspdk.pyn_histogram_to_us(latency, cspdk.pyn_ticks_hz(), &view[0], 1000000)
        return counts

    cdef list _sent(self):
        """The last IOs, as many as the script requested, oldest first, as (slba, nlb, opcode)."""
        cdef cspdk.pyn_cmdlog_entry entry
        cdef uint64_t age = 0
        cdef list newest_first = []

        while age < self._config.log_entries and cspdk.pyn_cmdlog_read(cspdk.pyn_worker_cmdlog(self._worker), age,
                                                                       &entry):
            if entry.nlb:
                newest_first.append((entry.slba, entry.nlb, entry.cmd.opc))
            else:
                newest_first.append((cspdk.nvme_get_field(&entry.cmd, cspdk.NVME_FIELD_READ_SLBA),
                                     _nlb(&entry.cmd), entry.cmd.opc))
            age += 1
        return newest_first[::-1]

    cdef object _warn_errors(self):
        from pynvme import worker as _worker

        error, status = self._result["error"], self._result.get("status", 0)
        mismatch = self._result.get("lba_mismatch", 0) > 0
        if error:
            text = _worker.HOST_ERRORS.get(error, "unknown")
            if error == -7 and self._start_text:
                text = self._start_text
            _warn(_failures.WORKER, text, f"ioworker host ERROR {error}: {text}")
        if error == cspdk.PYN_WORKER_MDTS:  # no command was sent
            _issue(UserWarning(_WORKER_STATUS + _failures.status(0x002)))
        elif status:
            _warn_status(status, mismatch and status == _MISMATCH, _WORKER_STATUS)
        if mismatch and status != _MISMATCH:  # another command failed before
            _warn_status(_MISMATCH, True, _WORKER_STATUS)

    @_named
    def cmdlog_list(self, count=0):
        cdef _Device device
        cdef uint64_t wanted = _field(count, 32, "count")

        self._check_process()
        device = self._namespace._controller._device
        with self._lock:
            if self._worker != NULL:
                return _list_entries(device, _entries(cspdk.pyn_worker_cmdlog(self._worker), wanted), NULL,
                                     cspdk.pyn_worker_qid(self._worker))
            kept = self._closed_log or bytearray()
            if wanted:
                kept = kept[:wanted * sizeof(cspdk.pyn_cmdlog_entry)]
            return _list_entries(device, kept, NULL, self._closed_qid)

    @_named
    def iops_consistency(self, slowest_percentage=99.9):
        from pynvme import worker as _worker

        return _worker.consistency(self._parameters.output_io_per_second, slowest_percentage)
