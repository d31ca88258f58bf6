# SPDX-License-Identifier: BSD-3-Clause
"""The mistakes that `make mutate` plants: such as people make, all over the layers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One mistake: in file, code (which is there once) becomes mistake; one of tests must fail."""

    name: str
    file: str
    code: str
    mistake: str
    tests: tuple[str, ...]


MUTANTS = [
    Mutant(
        "an IO is cut one LBA past the region's end",
        "core/io/workload.h",
        "uint64_t left = workload->end - io->slba;",
        "uint64_t left = workload->end - io->slba + 1;",
        ("tests/c/test_workload.c",),
    ),
    Mutant(
        "a rate sends its first IO at the start",
        "core/io/worker_run.h",
        "* run->rate >> 64);",
        "* run->rate >> 64) + 1;",
        ("tests/c/test_worker_loop.c",),
    ),
    Mutant(
        "a stopped process is taken for a slow drive",
        "core/io/worker_run.c",
        "if (slot->number && run->polled > slot->submitted && run->polled - slot->submitted > allowed)",
        "if (slot->number && pyn_ticks() - slot->submitted > allowed)",
        ("tests/c/test_worker_loop.c",),
    ),
    Mutant(
        "a command completes that the device was not told of",
        "core/io/worker_loop.c",
        "slot->number - 1 >= run->announced)",
        "slot->number - 1 >= run->sent)",
        ("tests/c/test_worker_loop.c",),
    ),
    Mutant(
        "a slot whose IO was cut stays cut",
        "core/io/worker_loop.c",
        "slot->duty |= PYN_DUTY_DESCRIBE;",
        "slot->duty |= 0;",
        ("tests/api/test_worker_where.py",),
    ),
    Mutant(
        "the completion queue's phase never turns",
        "core/nvme/ring.h",
        "ring->phase ^= NVME_STATUS_P;",
        "ring->phase ^= 0;",
        ("tests/c/test_engine.c",),
    ),
    Mutant(
        "a PRP list's page leads on one entry too early",
        "core/nvme/prp.c",
        "left <= PYN_PRP_ENTRIES ? (size_t)left",
        "left < PYN_PRP_ENTRIES ? (size_t)left",
        ("tests/c/test_prp.c",),
    ),
    Mutant(
        "what is transferred beyond a buffer goes to the pages behind it",
        "core/nvme/prp.c",
        "if (page >= source->end)",
        "if (!page)",
        ("tests/c/test_prp.c",),
    ),
    Mutant(
        "an I/O queue with nothing in flight is waited for",
        "core/io/qpair.c",
        "(qpair->outstanding || qpair->config.qid == 0) &&",
        "qpair->config.qid != UINT16_MAX &&",
        ("tests/c/test_qpair.c",),
    ),
    Mutant(
        "an event takes the completions before it out of the list",
        "core/io/qpair.c",
        "qpair->slots[before].next = slot->next;",
        "qpair->ready_first = slot->next;",
        ("tests/c/test_qpair.c",),
    ),
    Mutant(
        "the second page of a long list is another IO's",
        "core/io/worker_loop.c",
        "if (length >= PYN_PRP_ENTRIES * PYN_PAGE)",
        "if (length > (PYN_PRP_ENTRIES + 1) * PYN_PAGE * 2)",
        ("tests/api/test_worker_where.py",),
    ),
    Mutant(
        "admin CIDs are given out in the order of their return",
        "core/io/qpair.c",
        "if (qpair->config.highest_first)\n\t\twhile",
        "if (false)\n\t\twhile",
        ("tests/c/test_qpair.c",),
    ),
    Mutant(
        "the lowest free QID is passed over",
        "core/io/io_queue.c",
        "for (unsigned qid = 1; qid <= device->max_queues; qid++)",
        "for (unsigned qid = 2; qid <= device->max_queues; qid++)",
        ("tests/api/test_qpair.py",),
    ),
    Mutant(
        "a read is judged while a write is in flight",
        "core/io/verify_judge.c",
        "if (!(cell & PYN_CELL_BUSY) &&",
        "if (true &&",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "a read does not look whether its cells have changed",
        "core/io/verify_judge.c",
        "cell == cells[i])",
        "true)",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "a power loss forgets what was flushed too",
        "core/io/verify.c",
        "return now - age <= durable;",
        "return now - age < durable;",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the short way of judging does not look whether cells have changed",
        "core/io/verify_table.h",
        "odd |= (cells[i] ^ snapshot[i]) | (",
        "odd |= (",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the short way of judging looks beyond the table",
        "core/io/verify_table.h",
        "slba >= limit ||",
        "false ||",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the short way of judging does not look whether an LBA is held",
        "core/io/verify_table.h",
        "memory_order_acquire) || slba >= limit ||",
        "memory_order_acquire) > 1000 || slba >= limit ||",
        ("tests/c/test_verify_limits.c",),
    ),
    Mutant(
        "a worker without verification holds nothing",
        "core/io/worker.c",
        "pyn_verify_untracked_begin(worker->verify, &worker->untracked, from, region.past - from);",
        "pyn_verify_untracked_begin(worker->verify, &worker->untracked, from, 0);",
        ("tests/api/test_verify_off.py",),
    ),
    Mutant(
        "a node that was replaced is found before the one that replaces it",
        "core/io/verify_nodes.c",
        "set_next(place, at);",
        "",
        ("tests/c/test_verify_model.c",),
    ),
    Mutant(
        "a chain that was split is not cut",
        "core/io/verify_nodes.c",
        "		set_next(link, 0);",
        "		(void)link;",
        ("tests/c/test_verify_kills.c",),
    ),
    Mutant(
        "what a killed process was splitting is not finished",
        "core/io/verify_cells.c",
        "if (what & PYN_LOCK_SPLIT)",
        "if (what & PYN_LOCK_SPLIT && false)",
        ("tests/c/test_verify_locks.c",),
    ),
    Mutant(
        "stale data are called corrupt",
        "core/io/verify_judge.c",
        "? PYN_MISMATCH_CORRUPT : PYN_MISMATCH_STALE;",
        "? PYN_MISMATCH_STALE : PYN_MISMATCH_CORRUPT;",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the CRC folds over the wrong distance",
        "core/io/crc32c.c",
        "the_folds[i][0] = power(128 * i + 63);",
        "the_folds[i][0] = power(128 * i + 64);",
        ("tests/c/test_crc32c.c",),
    ),
    Mutant(
        "a latency falls into the bucket beside its own",
        "core/io/histogram.c",
        "return (uint64_t)(index - (shift << PYN_HISTOGRAM_BITS)) << shift;",
        "return (uint64_t)(index + 1 - (shift << PYN_HISTOGRAM_BITS)) << shift;",
        ("tests/c/test_histogram.c",),
    ),
    Mutant(
        "the command log shows an entry that was overwritten",
        "core/io/cmdlog.c",
        "if (age >= count || age > log->last / sizeof(log->entries[0]))",
        "if (age > count)",
        ("tests/c/test_cmdlog.c",),
    ),
    Mutant(
        "a DSM command bears its attribute in the wrong dword",
        "binding/namespace.pyx",
        "_fill_command(&command, 9, buf, self._get().nsid, count - 1, attribute, 0, 0, 0, 0)",
        "_fill_command(&command, 9, buf, self._get().nsid, count - 1, 0, attribute, 0, 0, 0)",
        ("tests/driver/test_golden_io.py",),
    ),
    Mutant(
        "a log page's offset has its halves swapped",
        "binding/controller.pyx",
        "cmd.cdw12 = <uint32_t>offset\n        cmd.cdw13 = <uint32_t>(offset >> 32)",
        "cmd.cdw13 = <uint32_t>offset\n        cmd.cdw12 = <uint32_t>(offset >> 32)",
        ("tests/driver/test_golden_admin.py",),
    ),
    Mutant(
        "a feature is saved where it was not asked for",
        "binding/controller.pyx",
        "sv, buf, cdw11, cdw12, cdw13, cdw14, cdw15 = 0, None, sv, buf or 0, cdw11, cdw12, cdw13",
        "sv, buf, cdw11, cdw12, cdw13, cdw14, cdw15 = 1, None, sv, buf or 0, cdw11, cdw12, cdw13",
        ("tests/driver/test_golden_admin.py",),
    ),
    Mutant(
        "an LBA past the end has the wrong status",
        "vssd/ctrl/io.c",
        "if (!vssd_range_fits(ns, slba, nlb))\n\t\treturn NVME_SC_LBA_OUT_OF_RANGE;",
        "if (!vssd_range_fits(ns, slba, nlb))\n\t\treturn NVME_SC_INVALID_FIELD;",
        ("tests/vssd/test_ctrl_io.py",),
    ),
    Mutant(
        "what Verify reads is not counted",
        "vssd/ctrl/io.c",
        "\tif (!status)\n\t\tctrl->nv->sectors_read += extent.length / VSSD_SECTOR_SIZE;\n\treturn status;",
        "\treturn status;",
        ("tests/vssd/test_ctrl_counts.py",),
    ),
    Mutant(
        "a command is there in versions before it came",
        "vssd/ctrl/admin.c",
        "return commands[opcode].execute && vssd_since(ctrl, commands[opcode].since);",
        "return commands[opcode].execute;",
        ("tests/vssd/test_ctrl_versions.py",),
    ),
    Mutant(
        "one structure of a namespace does not tell how far a format is",
        "vssd/ctrl/identify.c",
        "\tid->fpi = format_progress(ctrl, ns);\n\tid->nstat = 1;",
        "\tid->nstat = 1;",
        ("tests/vssd/test_ctrl_agreement.py",),
    ),
    Mutant(
        "the last LBA of a namespace is refused",
        "vssd/ctrl/device.h",
        "return slba <= ns->nsze && nlb <= ns->nsze - slba;",
        "return slba < ns->nsze && nlb < ns->nsze - slba;",
        ("tests/vssd/test_ctrl_io.py",),
    ),
    Mutant(
        "the volatile cache survives the power",
        "vssd/ctrl/ctrl.c",
        "vssd_store_lose(ctrl->store);",
        "vssd_store_flush(ctrl->store);",
        ("tests/vssd/test_ctrl_power.py",),
    ),
    Mutant(
        "an event is reported again before its log was read",
        "vssd/ctrl/event.c",
        "queue->masked |= 1u << events[i].type;",
        "queue->masked |= 0;",
        ("tests/vssd/test_ctrl_events.py",),
    ),
    Mutant(
        "a completion shows its phase before its other half",
        "vssd/ctrl/device.h",
        "__atomic_store_n(&entry[0], first, __ATOMIC_RELAXED);\n"
        "\t__atomic_store_n(&entry[1], second, __ATOMIC_RELEASE);",
        "__atomic_store_n(&entry[1], second, __ATOMIC_RELAXED);\n"
        "\tif (first)\n"
        "\t\t__atomic_store_n(&entry[1], first, __ATOMIC_RELEASE);",
        ("tests/vssd/test_ctrl_queues.py",),
    ),
    Mutant(
        "a queue is deleted under the submission queue that uses it",
        "vssd/ctrl/admin.c",
        "if (ctrl->cq[qid].users > 0)",
        "if (ctrl->cq[qid].users > 1)",
        ("tests/vssd/test_ctrl_queues.py",),
    ),
    Mutant(
        "a buffer goes back while a command still uses it",
        "core/io/buffer.c",
        "if (!buffer || atomic_fetch_sub(&buffer->references, 1) != 1)",
        "if (!buffer || atomic_fetch_sub(&buffer->references, 1) > 2)",
        ("tests/c/test_buffer.c", "tests/c/test_track.c"),
    ),
    Mutant(
        "bytes side by side in a buffer are taken for the same",
        "core/io/buffer.c",
        "use->offset < past(offset, length) &&",
        "use->offset <= past(offset, length) &&",
        ("tests/c/test_buffer.c",),
    ),
    Mutant(
        "Write Zeroes with DEAC leaves what was there",
        "core/io/track.c",
        "begin_change(track, PYN_CELL_ZEROES);",
        "begin_change(track, cmd->cdw12 & NVME_RW_DEAC ? PYN_CELL_DEALLOCATED : PYN_CELL_ZEROES);",
        ("tests/c/test_track.c",),
    ),
    Mutant(
        "data that a view of a buffer changed in flight are believed",
        "core/io/track.c",
        "own = own && same;",
        "",
        ("tests/c/test_track.c", "tests/api/test_verify_others.py"),
    ),
    Mutant(
        "a write is durable that was sent before the cache was off",
        "core/io/verify_table.h",
        "return submitted >= atomic_load_explicit(",
        "return UINT64_MAX > atomic_load_explicit(",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "a namespace is not identified again after a reset",
        "core/io/device_reset.c",
        "atomic_fetch_add(&device->namespace_generation, 1);",
        "",
        ("tests/driver/test_changed_namespaces.py",),
    ),
]
