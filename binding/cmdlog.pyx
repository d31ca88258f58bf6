# SPDX-License-Identifier: BSD-3-Clause
# The command log of a queue pair, printed and as objects (pynvme/trace).


_RANGED = frozenset((cspdk.NVME_IO_WRITE, cspdk.NVME_IO_READ, cspdk.NVME_IO_WRITE_UNCORRECTABLE,
                     cspdk.NVME_IO_COMPARE, cspdk.NVME_IO_WRITE_ZEROES, cspdk.NVME_IO_VERIFY))


cdef uint64_t _KEPT_LARGEST = 1 << 30


cdef str _moment(uint64_t ticks):
    ns = cspdk.pyn_ticks_to_realtime_ns(ticks)
    seconds, rest = divmod(ns, 1000000000)
    return f"{_time.strftime('%Y-%m-%d %H:%M:%S', _time.localtime(seconds))}.{rest // 1000:06d}"


cdef str _command_line(const cspdk.nvme_cmd *cmd, unsigned sqid, uint8_t csi=0):
    name = _text(cspdk.pyn_io_opcode_name(csi, cmd.opc) if sqid else cspdk.pyn_admin_opcode_name(cmd.opc))
    line = f"{name} ({cmd.opc:02x}) sqid:{sqid} cid:{cmd.cid} nsid:{cmd.nsid} " \
           f"cdw10:{cmd.cdw10:08x} cdw11:{cmd.cdw11:08x}"
    if sqid or cmd.cdw12 or cmd.cdw13 or cmd.cdw14 or cmd.cdw15:
        line += f" cdw12:{cmd.cdw12:08x}"
    if cmd.cdw13 or cmd.cdw14 or cmd.cdw15:
        line += f" cdw13:{cmd.cdw13:08x} cdw14:{cmd.cdw14:08x} cdw15:{cmd.cdw15:08x}"
    return line


cdef uint8_t _csi_of(const cspdk.pyn_cmdlog_entry *entry):
    """The command set of a command, which the log has for Key Value namespaces."""
    return <uint8_t>(entry.told >> 8) if entry.told_number == entry.number else 0


cdef str _lba_text(const cspdk.nvme_cmd *cmd, unsigned sqid):
    """The LBAs of an IO command that has them in its dwords."""
    if sqid == 0 or cmd.opc not in _RANGED:
        return ""
    slba = cspdk.nvme_get_field(cmd, cspdk.NVME_FIELD_READ_SLBA)
    nlb = cspdk.nvme_get_field(cmd, cspdk.NVME_FIELD_READ_NLB) + 1
    return f", LBA {slba:#x}" if nlb == 1 else f", LBA {slba:#x} to {slba + nlb - 1:#x}"


cdef str _completion_line(const cspdk.nvme_cpl *cpl):
    cdef unsigned status = cpl.status

    return (f"{_text(cspdk.pyn_status_name(cpl.status))} ({status >> 9 & 7:02x}/{status >> 1 & 0xff:02x}) "
            f"sqid:{cpl.sqid} cid:{cpl.cid} cdw0:{cpl.cdw0:x} sqhd:{cpl.sqhd:04x} "
            f"p:{status & 1} m:{status >> 14 & 1} dnr:{status >> 15 & 1}")


cdef list _fired_lines(list fired):
    return [f"fired at {_moment(ticks)}: {text}" for ticks, text in fired]


cdef object _sent_of(object fired, const cspdk.pyn_cmdlog_entry *entry):
    return fired.Sent(entry.submitted, entry.cmd.cid, entry.cmd.opc, entry.cmd.nsid,
                      entry.cmd.cdw10 | <uint64_t>entry.cmd.cdw11 << 32)


cdef object _print_cmdlog(_Device device, const cspdk.pyn_cmdlog *log, unsigned sqid, object count):
    """Print the last `count` commands, newest first, or all that the log holds if it is 0."""
    cdef cspdk.pyn_cmdlog_entry entry
    cdef uint64_t age = 0
    cdef uint64_t wanted = _field(count, 32, "count")
    cdef list blocks = []
    cdef list sent = []

    from pynvme import fired

    while (wanted == 0 or age < wanted) and cspdk.pyn_cmdlog_read(log, age, &entry):
        lines = [f"index {age}, {_moment(entry.submitted)}",
                 f"command sent: {_command_line(&entry.cmd, sqid, _csi_of(&entry))}"]
        if entry.completed:
            microseconds = cspdk.pyn_ticks_to_ns(entry.completed - entry.submitted) / 1000
            lines.append(f"index {age}, {_moment(entry.completed)}")
            lines.append(f"completion reaped {microseconds:.1f} us later: {_completion_line(&entry.cpl)}")
        else:
            lines.append(f"index {age}, not completed")
        blocks.append(lines)
        sent.append(_sent_of(fired, &entry))
        age += 1
    print(f"dump qpair {sqid}, latest tail in cmdlog: {log.count}")
    if not device._is_function():
        for index, rules in fired.of_commands(device.path, sqid, sent).items():
            blocks[index] += _fired_lines(rules)
    for lines in blocks:
        print("\n".join(lines))


cdef object _data_of(cspdk.pyn_inflight *inflight, uint64_t number, bytearray room):
    """The data that were kept of a command, or None."""
    cdef unsigned char *into = room
    cdef uint32_t length

    if len(room) == 0:
        return None
    length = cspdk.pyn_inflight_kept(inflight, number, into, <uint32_t>len(room))
    return bytes(room[:length]) if length else None


cdef bytearray _entries(const cspdk.pyn_cmdlog *log, object count):
    """The last `count` entries, or all that the log holds if it is 0, newest first."""
    cdef cspdk.pyn_cmdlog_entry entry
    cdef uint64_t age = 0, wanted = _field(count, 32, "count")
    cdef bytearray found = bytearray()

    while (wanted == 0 or age < wanted) and cspdk.pyn_cmdlog_read(log, age, &entry):
        found += (<char *>&entry)[:sizeof(entry)]
        age += 1
    return found


cdef object _list_entries(_Device device, bytearray entries, cspdk.pyn_inflight *inflight, unsigned qid):
    """Entries, newest first, as a CommandLog. inflight has the data that were kept; NULL: none were."""
    cdef const cspdk.pyn_cmdlog_entry *entry
    cdef unsigned char *first = entries
    cdef cspdk.pyn_cmdlog_record record
    cdef bytearray records = bytearray()
    cdef list sent = []
    cdef dict data = {}, faults = {}
    cdef bytearray room = bytearray(cspdk.pyn_inflight_kept_size(inflight) if inflight != NULL else 0)
    cdef Py_ssize_t index, count = len(entries) // sizeof(entry[0])

    from pynvme import fired
    from pynvme.trace import log as _trace

    for index in range(count):
        entry = <const cspdk.pyn_cmdlog_entry *>first + (count - 1 - index)
        cspdk.pyn_cmdlog_record_of(&record, entry, <uint16_t>qid)
        records += (<char *>&record)[:sizeof(record)]
        sent.append(_sent_of(fired, entry))
        kept = _data_of(inflight, entry.number, room)
        if kept is not None:
            data[index] = kept
    if not device._is_function():
        for index, rules in fired.of_commands(device.path, qid, sent).items():
            faults[index] = [(cspdk.pyn_ticks_to_realtime_ns(ticks), text) for ticks, text in rules]
    return _trace.from_records(bytes(records), device.path, faults, data)


cdef object _list_cmdlog(_Device device, cspdk.pyn_inflight *inflight, unsigned qid, object count):
    """The log of a queue of the script."""
    return _list_entries(device, _entries(cspdk.pyn_inflight_cmdlog(inflight), count), inflight, qid)


cdef int _keep(cspdk.pyn_inflight *inflight, object size, object count) except -1:
    """Keep the data of the commands of a queue from now on."""
    cdef cspdk.pyn_error err
    cdef uint64_t most = _field(size, 32, "size"), commands = _field(count, 32, "count")

    _check(commands >= 1, "count must be at least 1")
    _check(most * commands <= _KEPT_LARGEST,
           f"size * count must be at most 1 GiB, not {most} * {commands}")
    _ok(cspdk.pyn_inflight_keep(inflight, <uint32_t>most, <uint32_t>commands, &err), &err)
    return 0


class _Log:
    """The descriptor of cmdlog(). On an object it is a LiveLog, which prints when it is called."""

    def __init__(self, function):
        self._function = function

    def __get__(self, owner, kind=None):
        from pynvme.trace import LiveLog

        if owner is None:
            return self._function
        return LiveLog(lambda: owner.cmdlog_list(), lambda *args, **names: self._function(owner, *args, **names),
                       self.__doc__)

    @property
    def __doc__(self):
        return self._function.__doc__
