# SPDX-License-Identifier: BSD-3-Clause
# IOWorker: from the parameters of Namespace.ioworker to a process, and from its end to a result.

cdef uint64_t _WHOLE = 0xffffffffffffffff
cdef uint32_t _GRACE_S = 10  # that a worker has to end in, beside its commands' timeout
cdef uint64_t _worker_number = 0
_HOST_ERRORS = {
    -1: "init fail in pyx",
    -2: "io_size is larger than MDTS",
    -3: "io timeout",
    -4: "ioworker timeout",
    -5: "buffer pool alloc fail",
    -6: "io cmd error",
    -7: "killed",
    -8: "drive is gone",
}
_WORKER_STATUS = "ioworker device respond an ERROR status: "
_MISMATCH = 0x781
_ENDS = {
    cspdk.PYN_END_RESET: "reset",
    cspdk.PYN_END_POWER: "power loss",
    cspdk.PYN_END_CLOSE: "close",
}
_OPCODES = tuple(opcode for opcode in range(256) if cspdk.pyn_worker_sends(opcode))


cdef int _parse_sizes(cspdk.pyn_workload_config *config, object io_size, object lba_align, uint64_t end) except -1:
    cdef uint64_t region = end - config.region_start
    cdef unsigned most = cspdk.PYN_WORKLOAD_SIZES
    cdef object align

    count = len(io_size) if isinstance(io_size, (dict, list, tuple, range)) else 1
    _check(1 <= count <= most, f"io_size names {count} sizes; 1 to {most} are possible")
    if isinstance(io_size, dict):
        sizes, weights = list(io_size.keys()), list(io_size.values())
    elif isinstance(io_size, (list, tuple, range)):
        sizes, weights = list(io_size), [1] * len(io_size)
    else:
        sizes, weights = [io_size], [1]
    if isinstance(lba_align, (list, tuple)):
        _check(len(lba_align) == len(sizes), f"lba_align has {len(lba_align)} entries, io_size {len(sizes)}")
        aligns = list(lba_align)
    else:
        aligns = [1 if lba_align is None else lba_align] * len(sizes)
    config.sizes = len(sizes)
    for i in range(len(sizes)):
        size = _integer(sizes[i], "io_size")
        if len(sizes) == 1 and size > region:
            size = region
        _check(1 <= size <= 65536, f"io_size must be from 1 to 65536 LBAs, not {size}")
        _check(len(sizes) == 1 or size < region, f"io_size {size} is not below the region of {region} LBAs")
        config.io_size[i] = size
        align = _field(aligns[i], 32, "lba_align") or 1
        _check((config.region_start + align - 1) // align * align < end,
               f"no LBA from {config.region_start} to {end - 1} is a multiple of lba_align {align}")
        config.lba_align[i] = align
        config.weight[i] = <uint32_t>_field(weights[i], 24, "the ratio of an io_size")
    _check(0 < sum(weights) < 1 << 32, f"the ratios of io_size sum up to {sum(weights)}")
    return 0


cdef int _parse_ops(cspdk.pyn_workload_config *config, object read_percentage, object op_percentage) except -1:
    if op_percentage is None:
        percentage = _integer(read_percentage, "read_percentage")
        _check(0 <= percentage <= 100, f"read_percentage must be from 0 to 100, not {percentage}")
        op_percentage = {opcode: share for opcode, share in ((2, percentage), (1, 100 - percentage)) if share}
    elif not isinstance(op_percentage, dict):
        raise TypeError("op_percentage must be a dict of opcodes and percentages, not "
                        f"{type(op_percentage).__name__}")
    _check(1 <= len(op_percentage) <= 16, f"op_percentage names {len(op_percentage)} opcodes; 1 to 16 are possible")
    _check(sum(op_percentage.values()) == 100, f"op_percentage sums up to {sum(op_percentage.values())}, not 100")
    config.ops = len(op_percentage)
    for i, (opcode, percentage) in enumerate(op_percentage.items()):
        _check(opcode in _OPCODES, f"an IO worker cannot send opcode {opcode:#x}")
        config.opcode[i] = opcode
        config.percentage[i] = <uint8_t>_field(percentage, 7, "a percentage")
    return 0


cdef int _parse_place(cspdk.pyn_workload_config *config, dict p) except -1:
    random = p["lba_random"]
    try:
        share = 100 if random is True else _integer(random, "lba_random")
    except TypeError:
        share = -1
    _check(0 <= share <= 100, f"lba_random must be a bool, or an int from 0 to 100, not {random!r}")
    config.random_percentage = share
    config.contiguous = p["lba_step"] is None
    step = _integer(p["lba_step"] or 0, "lba_step")
    _check(-(1 << 63) <= step < 1 << 63, f"lba_step must be from -2^63 to 2^63 - 1, not {step}")
    config.step = step
    config.region_start = _field(p["region_start"], 64, "region_start")
    config.region_end = _field(p["region_end"], 64, "region_end")
    config.lba_start = _field(p["lba_start"], 64, "lba_start")
    distribution = p["distribution"]
    config.has_distribution = distribution is not None
    if distribution is not None:
        if not hasattr(distribution, "__len__"):
            raise TypeError(f"distribution must be 100 numbers, not {type(distribution).__name__}")
        _check(len(distribution) == 100, f"distribution has {len(distribution)} parts, not 100")
        _check(sum(distribution) == 10000, f"distribution sums up to {sum(distribution)}, not 10000")
        for i in range(100):
            config.distribution[i] = <uint32_t>_field(distribution[i], 16, "a part of distribution")
    return 0


cdef int _parse_end(cspdk.pyn_worker_config *config, dict p) except -1:
    """When it ends; sequential IO of one size in a region that has an end fills it once."""
    cdef cspdk.pyn_workload_config *workload = &config.workload

    config.io_count = _field(p["io_count"], 64, "io_count")
    seconds = _number(p["time"], "time")
    _check(0 <= seconds < 1e9, f"time must be from 0 to 1e9 seconds, not {p['time']}")
    config.time_ns = <uint64_t>(seconds * 1e9)
    workload.fill = not (config.io_count or seconds or p["io_sequence"] is not None)
    if not workload.fill:
        return 0
    # Without LBAs (flushes alone), or always at the same ones, it never comes to an end.
    moves = workload.contiguous or workload.step != 0
    has_lbas = any(workload.opcode[i] and workload.percentage[i] for i in range(workload.ops))
    _check(workload.sizes == 1 and workload.random_percentage == 0 and workload.region_end != _WHOLE
           and moves and has_lbas,
           "a worker needs an end: time, io_count, io_sequence, or sequential IO of one size up to a region_end")
    return 0


cdef int _check_cpu(object cpu_id) except -1:
    """Whether this process may run there: asserted, where a worker could only ignore it."""
    cpu = _integer(cpu_id, "cpu_id")
    allowed = _os.sched_getaffinity(0)
    try:
        _os.sched_setaffinity(0, {cpu})
    except (OSError, ValueError, OverflowError):
        raise AssertionError(f"cpu_id {cpu_id}: there is no such CPU for this process, whose CPUs are "
                             f"{sorted(allowed)}") from None
    _os.sched_setaffinity(0, allowed)
    return cpu


cdef int _take_namespace(cspdk.pyn_worker_config *config, const cspdk.pyn_namespace *namespace) except -1:
    """What the namespace is now: a reset between ioworker() and start() may have changed it."""
    cdef cspdk.pyn_error err
    cdef cspdk.nvme_cmd cmd

    memset(&cmd, 0, sizeof(cmd))
    for i in range(config.workload.ops):
        cmd.opc = config.workload.opcode[i]
        if ((config.workload.percentage[i] or config.steps) and
                cspdk.pyn_namespace_lacks_metadata(namespace, &cmd)):
            cspdk.pyn_namespace_refuse_metadata(namespace, &err)
            raise _exception(&err)
    config.nsid = namespace.nsid
    config.lba_size = cspdk.pyn_namespace_lba_bytes(namespace, 0)
    config.nlba = namespace.nsze
    return 0


cdef object _make_worker(Namespace ns, dict p):
    """Check everything that can be checked now: mistakes are told at the call."""
    cdef IOWorker worker = IOWorker.__new__(IOWorker)
    cdef cspdk.pyn_worker_config *config = &worker._config
    cdef cspdk.pyn_namespace *namespace = ns._get()
    cdef unsigned most = min(1024, (cspdk.pyn_device_cap(ns._controller._device._device) & 0xffff) + 1)
    global _worker_number

    worker._namespace = ns
    worker._parameters = p
    worker._running = True
    worker._lock = _RLock()
    worker._pid = _os.getpid()
    _parse_ops(&config.workload, p["read_percentage"], p["op_percentage"])
    _parse_place(&config.workload, p)
    end = min(config.workload.region_end, namespace.nsze)
    _check(config.workload.region_start < end,
           f"region_start {p['region_start']} is not below the region's end, {p['region_end']}, in a namespace of "
           f"{namespace.nsze} LBAs")
    _parse_sizes(&config.workload, p["io_size"], p["lba_align"], end)
    qdepth = _integer(p["qdepth"], "qdepth")
    _check(2 <= qdepth <= most, f"qdepth must be from 2 to {most}, the lesser of 1024 and CAP.MQES + 1, not {qdepth}")
    config.qdepth = qdepth
    _parse_end(config, p)
    config.iops = _number(p["iops"], "iops")
    _check(config.iops >= 0, f"iops must be a rate of 0 or more, not {p['iops']}")
    config.priority = <uint8_t>_field(p["qprio"], 2, "qprio")
    config.ptype = <uint32_t>_field(p["ptype"], 32, "ptype")
    config.pvalue = <uint32_t>_field(p["pvalue"], 32, "pvalue")
    config.fw_debug = bool(p["fw_debug"])
    config.cpu = -1 if p["cpu_id"] is None else _check_cpu(p["cpu_id"])
    config.judge = config.track = namespace.verify_enabled
    _worker_number += 1
    config.seed = _seed + _worker_number if _is_seeded else cspdk.pyn_monotonic_ns()
    worker._parse_outputs()
    worker._parse_sequence()
    _take_namespace(config, namespace)
    return worker


cdef class IOWorker:
    cdef Namespace _namespace
    cdef dict _parameters
    cdef cspdk.pyn_worker_config _config
    cdef cspdk.pyn_worker *_worker
    cdef cspdk.pyn_workload_step *_steps
    cdef bint _started
    cdef bint _running
    cdef uint64_t _longest_pause_us  # between two IOs of a sequence
    cdef int _start_error
    cdef object _start_text
    cdef object _lock  # over start and close, by whichever threads
    cdef bint _collecting
    cdef bint _was_stopped  # by the script, before it was done
    cdef int _pid  # of the process that made it
    cdef object _result
    cdef uint64_t _closed_sent
    cdef uint64_t _closed_completed
    cdef object __weakref__

    def __init__(self, *args, **kwargs):
        raise TypeError("an IOWorker is made by Namespace.ioworker()")

    def __dealloc__(self):
        if self._worker != NULL:
            with nogil:
                cspdk.pyn_worker_free(self._worker)
        free(self._steps)

    def __repr__(self):
        if not self._started:
            return "<IOWorker, not started>"
        if self._worker == NULL:
            return "<IOWorker, closed>" if self._result is not None else f"<IOWorker, {self._start_text}>"
        _, sent, completed = self.progress
        return f"<IOWorker {cspdk.pyn_worker_pid(self._worker)}, {sent} sent, {completed} completed>"

    cdef int _parse_outputs(self) except -1:
        p = self._parameters
        for name, kind in (("output_io_per_second", list), ("output_cmdlog_list", list),
                           ("output_percentile_latency", dict)):
            _check(p[name] is None or isinstance(p[name], kind),
                   f"{name} must be a {kind.__name__}, not {type(p[name]).__name__}")
        for percentage in p["output_percentile_latency"] or ():
            if not isinstance(percentage, (int, float)):
                raise TypeError(f"a percentile is a number, not {percentage!r}")
            _check(0 <= percentage <= 100, f"a percentile is from 0 to 100, not {percentage}")
        if p["output_io_per_second"] is not None:
            # With an end by count alone nobody knows how long it takes: room for a day.
            self._config.seconds = <uint32_t>int(p["time"]) if p["time"] else 86400
        if p["output_cmdlog_list"] is not None:
            self._config.log_entries = <uint32_t>_field(len(p["output_cmdlog_list"]), 24,
                                                        "the length of output_cmdlog_list")
        return 0

    cdef int _parse_sequence(self) except -1:
        cdef cspdk.pyn_workload_step *steps
        sequence = self._parameters["io_sequence"]

        if sequence is None:
            return 0
        if not hasattr(sequence, "__iter__"):
            raise TypeError("io_sequence must be a list of (time_us, opcode, slba, nlb), not "
                            f"{type(sequence).__name__}")
        entries = list(sequence)
        _check(1 <= len(entries) < 1 << 31, "io_sequence is empty")
        steps = <cspdk.pyn_workload_step *>calloc(len(entries), sizeof(cspdk.pyn_workload_step))
        if steps == NULL:
            raise MemoryError(f"no memory for an io_sequence of {len(entries)} entries")
        self._steps = steps
        opcodes = {}
        before = 0
        for i, entry in enumerate(entries):
            if not isinstance(entry, (tuple, list)) or len(entry) != 4:
                raise TypeError(f"an io_sequence entry is (time_us, opcode, slba, nlb), not {entry!r}")
            time_us, opcode, slba, nlb = entry
            _check(opcode in _OPCODES, f"an IO worker cannot send opcode {opcode:#x}")
            steps[i].time_us = _field(time_us, 64, "the time of an io_sequence entry")
            self._longest_pause_us = max(self._longest_pause_us, steps[i].time_us - min(before, steps[i].time_us))
            before = max(before, steps[i].time_us)
            steps[i].opcode = opcode
            steps[i].slba = _field(slba, 64, "the slba of an io_sequence entry")
            steps[i].nlb = <uint32_t>_field(nlb, 17, "the nlb of an io_sequence entry")
            _check(nlb <= 65536 and (nlb > 0 or opcode == 0),  # a flush has none
                   f"an io_sequence entry has from 1 to 65536 LBAs, not {nlb}")
            opcodes[opcode] = True
        self._config.steps = len(entries)
        self._config.sequence = steps
        self._config.workload.ops = len(opcodes)
        for i, opcode in enumerate(opcodes):
            self._config.workload.opcode[i] = opcode
            self._config.workload.percentage[i] = 100 if i == 0 else 0
        return 0

    # -- life -------------------------------------------------------------------------------------------

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

        _take_namespace(&self._config, namespace)
        with nogil:
            rc = cspdk.pyn_worker_create(device, &self._config, namespace.verify, &worker, &self._start_error, &err)
            if rc == 0:
                rc = cspdk.pyn_worker_start(worker, &err)
                if rc < 0:
                    self._start_error = cspdk.PYN_WORKER_INIT
                    cspdk.pyn_worker_free(worker)
                    worker = NULL
        self._worker = worker
        if rc < 0:
            self._start_text = _text(err.text)
            _take_log()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, traceback):
        if self._pid != _os.getpid():
            return False  # a forked child leaves the block, too: the worker is its parent's
        if kind is not None and self._worker != NULL:
            # The script is on its way out: what the worker still had to do does not matter any more.
            cspdk.pyn_worker_stop(self._worker)
            self._was_stopped = True
        self.close()
        return False

    @property
    def running(self):
        cdef bint ended

        if self._running and self._worker != NULL:
            # With Python's lock, so that no other thread frees it meanwhile; this does not wait.
            ended = cspdk.pyn_worker_wait(self._worker, 0)
            if ended:
                self._running = False
        return self._running and self._start_text is None  # that is why it could not start

    @property
    def progress(self):
        if self._worker == NULL:
            return (0, self._closed_sent, self._closed_completed)
        shared = cspdk.pyn_worker_shared_block(self._worker)
        return (cspdk.pyn_worker_qid(self._worker), shared.sent, shared.completed)

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
                # Ctrl-C, or a worker that does not end: nothing of it may stay behind.
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
        """Stop it, and kill it where that takes longer than a moment."""
        with nogil:
            cspdk.pyn_worker_stop(self._worker)
            if not cspdk.pyn_worker_wait(self._worker, 300):
                cspdk.pyn_worker_kill(self._worker)
                cspdk.pyn_worker_wait(self._worker, 1000)

    cdef object _finish_unstarted(self):
        self._running = False
        self._result = DotDict(
            io_count_read=0, io_count_nonread=0, io_count_write=0, mseconds=0, latency_max_us=0,
            latency_average_us=0.0, cpu_usage=0.0, error=self._start_error,
            status=0x002 if self._start_error == cspdk.PYN_WORKER_MDTS else 0,
            lba_verified=0, lba_unverified=0, lba_mismatch=0, ended_by="error")
        if self._start_text:
            _log.error("ioworker: %s", self._start_text)
        self._fill_common({}, [])
        if self._parameters["output_percentile_latency"] is not None:
            import numpy

            self._parameters["output_percentile_latency"].update(
                dict.fromkeys(self._parameters["output_percentile_latency"], 0))
            self._result["latency_percentile_ns"] = dict(self._parameters["output_percentile_latency"])
            self._result["latency_distribution"] = numpy.zeros(1000000, dtype=numpy.uint64)
        if self._parameters["output_cmdlog_list"] is not None:
            self._pad_cmdlog([])
        return None

    cdef object _collect(self):
        """The result and the outputs; afterwards nothing of the worker is left."""
        cdef cspdk.pyn_worker_result raw
        cdef cspdk.pyn_worker *worker = self._worker

        self._collecting = True
        try:
            with nogil:
                cspdk.pyn_worker_finish(worker, &raw)
            self._running = False
            self._result = self._make_result(&raw)
            self._fill_outputs(&raw)
        finally:
            self._collecting = False
            shared = cspdk.pyn_worker_shared_block(worker)
            self._closed_sent = shared.sent
            self._closed_completed = shared.completed
            self._worker = NULL
            with nogil:
                cspdk.pyn_worker_free(worker)
        _take_log()

    cdef object _ended_by(self, cspdk.pyn_worker_result *raw, int error):
        """What ended it before it was done; None: nothing did."""
        if error:
            return "removal" if error == cspdk.PYN_WORKER_GONE else "error"
        if raw.ended_by:
            return _ENDS[raw.ended_by]
        return "stop" if self._was_stopped else None

    cdef object _make_result(self, cspdk.pyn_worker_result *raw):
        cdef char text[512]
        cdef const cspdk.pyn_histogram *latency = &cspdk.pyn_worker_shared_block(self._worker).latency
        counts = {self._config.workload.opcode[i]: raw.io_count[i] for i in range(self._config.workload.ops)}
        error = self._start_error or raw.error
        result = DotDict(
            io_count_read=counts.get(2, 0),
            io_count_nonread=sum(count for opcode, count in counts.items() if opcode != 2),
            io_count_write=counts.get(1, 0),
            mseconds=(cspdk.pyn_ticks_to_ns(raw.ticks) + 999999) // 1000000,
            latency_max_us=cspdk.pyn_ticks_to_ns(latency.max) // 1000,
            latency_average_us=cspdk.pyn_histogram_mean(latency) * 1e6 / cspdk.pyn_ticks_hz(),
            cpu_usage=min(<double>raw.busy_ticks / raw.ticks, 1.0) if raw.ticks else 0.0,
            error=error,
            status=raw.status,
            lba_verified=raw.verified.judged,
            lba_unverified=raw.verified.unverified,
            lba_mismatch=raw.verified.mismatch,
            ended_by=self._ended_by(raw, error),
        )
        if raw.signal:
            self._start_text = f"killed by signal {raw.signal}"
        if raw.mismatched_reads:
            cspdk.pyn_mismatch_text(&raw.mismatch, self._config.nsid, text, sizeof(text))
            _log.error("ioworker: %s", _text(text))
        return result

    cdef object _fill_common(self, dict counts, list per_second):
        p = self._parameters

        if isinstance(p["op_percentage"], dict):
            p["op_percentage"].update({**dict.fromkeys(p["op_percentage"], 0), **counts})
        if p["output_io_per_second"] is not None:
            p["output_io_per_second"][:] = per_second
            self._result["iops_consistency"] = self.iops_consistency() if per_second else 0.0

    cdef object _fill_outputs(self, cspdk.pyn_worker_result *raw):
        cdef const cspdk.pyn_histogram *latency = &cspdk.pyn_worker_shared_block(self._worker).latency
        cdef const uint32_t *seconds = cspdk.pyn_worker_per_second(self._worker)
        p = self._parameters

        self._fill_common(
            {self._config.workload.opcode[i]: raw.io_count[i] for i in range(self._config.workload.ops)},
            [seconds[i] for i in range(cspdk.pyn_worker_shared_block(self._worker).per_second_count)])
        if p["output_percentile_latency"] is not None:
            exact = {}
            for percentage in p["output_percentile_latency"]:
                exact[percentage] = cspdk.pyn_ticks_to_ns(cspdk.pyn_histogram_percentile(latency, percentage))
                p["output_percentile_latency"][percentage] = exact[percentage] // 1000
            self._result["latency_percentile_ns"] = exact
            self._result["latency_distribution"] = self._distribution(latency)
        if p["output_cmdlog_list"] is not None:
            self._fill_cmdlog(p["output_cmdlog_list"])

    cdef object _distribution(self, const cspdk.pyn_histogram *latency):
        import numpy

        counts = numpy.zeros(1000000, dtype=numpy.uint64)
        cdef uint64_t[::1] view = counts
        cspdk.pyn_histogram_to_us(latency, cspdk.pyn_ticks_hz(), &view[0], 1000000)
        return counts

    cdef object _fill_cmdlog(self, list out):
        cdef cspdk.pyn_cmdlog_entry entry
        cdef uint64_t age = 0

        newest_first = []
        while age < len(out) and cspdk.pyn_cmdlog_read(cspdk.pyn_worker_cmdlog(self._worker), age, &entry):
            if entry.nlb:
                newest_first.append((entry.slba, entry.nlb, entry.cmd.opc))
            else:
                newest_first.append((<uint64_t>entry.cmd.cdw11 << 32 | entry.cmd.cdw10,
                                     (entry.cmd.cdw12 & 0xffff) + 1, entry.cmd.opc))
            age += 1
        self._pad_cmdlog(newest_first[::-1])

    cdef object _pad_cmdlog(self, list oldest_first):
        out = self._parameters["output_cmdlog_list"]
        out[:] = [(0, 0, 0)] * (len(out) - len(oldest_first)) + oldest_first

    cdef object _warn_errors(self):
        error, status = self._result["error"], self._result.get("status", 0)
        mismatch = self._result.get("lba_mismatch", 0) > 0
        if error:
            text = _HOST_ERRORS.get(error, "unknown")
            if error == -7 and self._start_text:
                text = self._start_text
            _warn(_failures.WORKER, text, f"ioworker host ERROR {error}: {text}")
        if error == cspdk.PYN_WORKER_MDTS:  # no command was sent that could fail
            _warnings.warn(_WORKER_STATUS + "00/02", UserWarning, stacklevel=1)
        elif status:
            _warn_status(status, mismatch and status == _MISMATCH, _WORKER_STATUS)
        if mismatch and status != _MISMATCH:  # another command failed before
            _warn_status(_MISMATCH, True, _WORKER_STATUS)

    @_named
    def iops_consistency(self, slowest_percentage=99.9):
        counts = self._parameters["output_io_per_second"]
        slowest_percentage = _number(slowest_percentage, "slowest_percentage")
        _check(0 <= slowest_percentage <= 100,
               f"slowest_percentage must be from 0 to 100, not {slowest_percentage:g}")
        _check(counts is not None, "iops_consistency needs output_io_per_second")
        _check(len(counts) > 0, "iops_consistency needs at least one whole second")
        ordered = sorted(counts, reverse=True)
        # Rounded, because 29 * 100 / 100 may come out below 29.
        index = min(int(round(len(ordered) * slowest_percentage / 100, 9)), len(ordered) - 1)
        mean = sum(ordered) / len(ordered)
        return ordered[index] / mean if mean else 0.0
