# SPDX-License-Identifier: BSD-3-Clause
"""The mistakes that `make mutate` plants, in all layers. They are mistakes that people make."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Mutant:
    """One mistake. It replaces `code`, which `file` has once, by `mistake`. One of `tests` must fail then.

    The search for `code` ignores spaces and line breaks.
    """

    name: str
    file: str
    code: str
    mistake: str
    tests: tuple[str, ...]

    def places(self, source: str) -> list[tuple[int, int]]:
        """Return the start and the end of each occurrence of `code` in the source."""
        return [found.span() for found in _pattern(self.code).finditer(source)]

    def plant(self, source: str) -> str:
        """Return the source with the mistake. Raise ValueError unless it has `code` exactly once."""
        places = self.places(source)
        if len(places) != 1:
            raise ValueError(f"{self.file} has the code of this mutant {len(places)} times, not once")
        ((begin, end),) = places
        return source[:begin] + self.mistake + source[end:]


def _pattern(code: str) -> re.Pattern[str]:
    pattern, before = "", ""
    for token in TOKEN.findall(code):
        if before:
            pattern += r"\s+" if is_word(before) and is_word(token) else r"\s*"
        if token in ")]}" and before != ",":
            pattern += r"(?:,\s*)?"  # a formatter adds a comma when it breaks the line
        pattern += re.escape(token)
        before = token
    pattern = (r"(?<!\w)" if is_word(code.strip()[0]) else "") + pattern
    return re.compile(pattern + (r"(?!\w)" if is_word(before) else ""))


def is_word(token: str) -> bool:
    return bool(re.match(r"\w", token))


MUTANTS = [
    Mutant(
        "an IO is cut one LBA past the region's end",
        "core/worker/workload.h",
        "uint64_t left = workload->end - io->slba;",
        "uint64_t left = workload->end - io->slba + 1;",
        ("tests/c/test_workload.c",),
    ),
    Mutant(
        "a rate sends its first IO at the start",
        "core/worker/worker_run.h",
        "* run->rate.per_tick >> 64);",
        "* run->rate.per_tick >> 64) + 1;",
        ("tests/c/test_worker_loop.c",),
    ),
    Mutant(
        "a stopped process is taken for a slow drive",
        "core/worker/worker_chores.c",
        "if (slot->number && run->clock.polled > slot->submitted && "
        "run->clock.polled - slot->submitted > allowed)",
        "if (slot->number && pyn_ticks() - slot->submitted > allowed)",
        ("tests/c/test_worker_loop.c",),
    ),
    Mutant(
        "a command completes that the device was not told of",
        "core/worker/worker_loop.c",
        "slot->number - 1 >= run->ios.announced)",
        "slot->number - 1 >= run->ios.sent)",
        ("tests/c/test_worker_loop.c",),
    ),
    Mutant(
        "a slot whose IO was cut stays cut",
        "core/worker/worker_loop.c",
        "slot->flags |= PYN_FLAG_DESCRIBE;",
        "slot->flags |= 0;",
        ("tests/api/test_worker_where.py",),
    ),
    Mutant(
        "the completion queue's phase never turns",
        "core/nvme/rings.h",
        "ring->phase ^= NVME_STATUS_P;",
        "ring->phase ^= 0;",
        ("tests/c/test_engine.c",),
    ),
    Mutant(
        "a PRP list's page leads on one entry too early",
        "core/nvme/prp.c",
        "left <= in_page ? (size_t)left",
        "left < in_page ? (size_t)left",
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
        "core/drive/inflight.c",
        "(inflight->outstanding || inflight->config.qid == 0) &&",
        "inflight->config.qid != UINT16_MAX &&",
        ("tests/c/test_inflight.c",),
    ),
    Mutant(
        "an event takes the completions before it out of the list",
        "core/drive/inflight.c",
        "inflight->slots[before].next = slot->next;",
        "inflight->ready_first = slot->next;",
        ("tests/c/test_inflight.c",),
    ),
    Mutant(
        "the second page of a long list is another IO's",
        "core/nvme/data_template.c",
        "if (described->length >= PYN_PRP_ENTRIES(page) * page)",
        "if (described->length > PYN_PRP_ENTRIES(page) * page * 2)",
        ("tests/c/test_data_template.c",),
    ),
    Mutant(
        "admin CIDs are given out in the order of their return",
        "core/drive/inflight.c",
        "if (inflight->config.highest_first)\n\t\twhile",
        "if (false)\n\t\twhile",
        ("tests/c/test_inflight.c",),
    ),
    Mutant(
        "the lowest free QID is passed over",
        "core/drive/io_qpair.c",
        "for (unsigned qid = 1; qid <= device->io.most; qid++)",
        "for (unsigned qid = 2; qid <= device->io.most; qid++)",
        ("tests/api/test_qpair.py",),
    ),
    Mutant(
        "a read is judged while a write is in flight",
        "core/verify/verify_check.c",
        "if (!(cell & PYN_CELL_BUSY) &&",
        "if (true &&",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "memory that a stopped device may write to is allocated again",
        "core/env/heap.c",
        "span->runs[at] |= KEPT;",
        "span->runs[at] |= 0;",
        ("tests/c/test_env.c",),
    ),
    Mutant(
        "what dead processes have left is cleared while a write is in flight",
        "core/verify/verify_cells.c",
        "!atomic_compare_exchange_strong(&verify->changers, &none, PYN_VERIFY_CLEARING))",
        "none)",
        ("tests/c/test_verify_locks.c",),
    ),
    Mutant(
        "a read does not look whether its cells have changed",
        "core/verify/verify_check.c",
        "cell == cells[i])",
        "true)",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "a power loss forgets what was flushed too",
        "core/verify/verify.c",
        "return now - age <= durable;",
        "return now - age < durable;",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the short way of judging does not look whether cells have changed",
        "core/verify/verify_table.h",
        "odd |= (cells[i] ^ snapshot[i]) | (",
        "odd |= (",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the short way of judging looks beyond the table",
        "core/verify/verify_table.h",
        "slba >= limit ||",
        "false ||",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the short way of judging does not look whether an LBA is held",
        "core/verify/verify_table.h",
        "memory_order_acquire) || slba >= limit ||",
        "memory_order_acquire) > 1000 || slba >= limit ||",
        ("tests/c/test_verify_limits.c",),
    ),
    Mutant(
        "a worker without verification holds nothing",
        "core/worker/worker.c",
        "pyn_verify_untracked_begin(worker->verify, &worker->untracked, from, region.past - from);",
        "pyn_verify_untracked_begin(worker->verify, &worker->untracked, from, 0);",
        ("tests/api/test_verify_off.py",),
    ),
    Mutant(
        "a node that was replaced is found before the one that replaces it",
        "core/verify/verify_nodes.c",
        "set_next(place, at);",
        "",
        ("tests/c/test_verify_model.c",),
    ),
    Mutant(
        "a chain that was split is not cut",
        "core/verify/verify_nodes.c",
        "		set_next(link, 0);",
        "		(void)link;",
        ("tests/c/test_verify_kills.c",),
    ),
    Mutant(
        "what a killed process had copied becomes valid where an LBA has no node",
        "core/verify/verify_dense.c",
        "span.cells ? pyn_cell_load(&span.cells[i]) : 0);",
        "pyn_cell_load(span.cells ? &span.cells[i] : &verify->dense.cells[lba + i]));",
        ("tests/c/test_verify_locks.c",),
    ),
    Mutant(
        "a page moves without the locks of its blocks",
        "core/verify/verify_dense.c",
        "		pyn_stripe_lock(verify, stripe, PYN_LOCK_SWEEP);",
        "",
        ("tests/c/test_verify_locks.c",),
    ),
    Mutant(
        "blocks move also when there is no memory for nodes",
        "core/verify/verify_dense.c",
        "return verify->dense.cells && !pyn_nodes_are_full(&verify->nodes);",
        "return verify->dense.cells;",
        ("tests/c/test_verify_locks.c",),
    ),
    Mutant(
        "what concerns the whole drive leaves out the blocks that have moved",
        "core/verify/verify_cells.c",
        "each_moved(verify, slba, past, change);",
        "each_moved(verify, slba, slba, change);",
        ("tests/c/test_verify_size.c",),
    ),
    Mutant(
        "a sweep by blocks looks for what has moved in its nodes",
        "core/verify/verify_cells.h",
        "if (pyn_dense_has(&verify->dense, lba >> PYN_BLOCK_SHIFT))",
        "if (pyn_dense_has(&verify->dense, lba >> PYN_BLOCK_SHIFT) && lba == 1)",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "what a killed process was splitting is not finished",
        "core/verify/verify_cells.c",
        "if (what & PYN_LOCK_SPLIT)",
        "if (what & PYN_LOCK_SPLIT && false)",
        ("tests/c/test_verify_locks.c",),
    ),
    Mutant(
        "stale data are called corrupt",
        "core/verify/verify_check.c",
        "? PYN_MISMATCH_CORRUPT : PYN_MISMATCH_STALE;",
        "? PYN_MISMATCH_STALE : PYN_MISMATCH_CORRUPT;",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "the CRC folds over the wrong distance",
        "core/util/crc32c.c",
        "the_folds[i][0] = power(128 * i + 63);",
        "the_folds[i][0] = power(128 * i + 64);",
        ("tests/c/test_crc32c.c",),
    ),
    Mutant(
        "a latency falls into the bucket beside its own",
        "core/data/histogram.c",
        "return (uint64_t)(index - (shift << PYN_HISTOGRAM_BITS)) << shift;",
        "return (uint64_t)(index + 1 - (shift << PYN_HISTOGRAM_BITS)) << shift;",
        ("tests/c/test_histogram.c",),
    ),
    Mutant(
        "the command log shows an entry that was overwritten",
        "core/data/cmdlog.c",
        "if (age >= count || age > log->last / sizeof(log->entries[0]))",
        "if (age > count)",
        ("tests/c/test_cmdlog.c",),
    ),
    Mutant(
        "a DSM command bears its attribute in the wrong dword",
        "binding/namespace.pyx",
        '_get().nsid, 0, _field(attribute, 32, "attribute"))',
        '_get().nsid, 0, 0, _field(attribute, 32, "attribute"))',
        ("tests/driver/test_golden_io.py",),
    ),
    Mutant(
        "a log page's offset has its halves swapped",
        "binding/controller.pyx",
        "cspdk.nvme_set_field(cmd, cspdk.NVME_FIELD_GET_LOG_PAGE_LPO, offset)",
        "cspdk.nvme_set_field(cmd, cspdk.NVME_FIELD_GET_LOG_PAGE_LPO, offset << 32 | offset >> 32)",
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
        "vssd/cmd/nvm.c",
        "return vssd_refuse(request, NVME_SC_LBA_OUT_OF_RANGE, VSSD_SLBA, VSSD_OWN);",
        "return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_SLBA, VSSD_OWN);",
        ("tests/vssd/test_ctrl_io.py",),
    ),
    Mutant(
        "what Verify reads is not counted",
        "vssd/cmd/nvm.c",
        "\tif (!status)\n\t\trequest->bytes = (uint32_t)extent.length;\n\treturn status;",
        "\treturn status;",
        ("tests/vssd/test_ctrl_counts.py",),
    ),
    Mutant(
        "a command is there in versions before it came",
        "vssd/cmd/table.c",
        "VSSD_NEEDS_MIGRATION) ? NVME_2_0 : known->since);",
        "VSSD_NEEDS_MIGRATION) ? NVME_2_0 : NVME_1_0);",
        ("tests/vssd/test_ctrl_versions.py",),
    ),
    Mutant(
        "a read goes the short way where LBAs that were never written are errors",
        "vssd/ctrl/plain.c",
        "ns->refuse || ns->dulbe || ns->metadata ||",
        "ns->refuse || ns->metadata ||",
        ("tests/vssd/test_ctrl_errors.py",),
    ),
    Mutant(
        "a refusal that was traced keeps the reason of the one before",
        "vssd/cmd/trace.c",
        ".field = request->failure.field,",
        ".field = refusals->entries[0].field,",
        ("tests/vssd/test_reasons.py",),
    ),
    Mutant(
        "one structure of a namespace does not tell how far a format is",
        "vssd/cmd/identify.c",
        "\tid->fpi = format_progress(ctrl, ns);\n\tid->nvmsetid",
        "\tid->nvmsetid",
        ("tests/vssd/test_ctrl_agreement.py",),
    ),
    Mutant(
        "the last LBA of a namespace is refused",
        "vssd/subsystem/namespace.h",
        "return slba <= ns->nsze && nlb <= ns->nsze - slba;",
        "return slba < ns->nsze && nlb < ns->nsze - slba;",
        ("tests/vssd/test_ctrl_io.py",),
    ),
    Mutant(
        "the volatile cache survives the power",
        "vssd/subsystem/fault.c",
        "vssd_store_lose(subsystem->store);",
        "vssd_store_flush(subsystem->store);",
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
        "vssd/ctrl/queue.h",
        "__atomic_store_n(&entry[0], first, __ATOMIC_RELAXED);\n"
        "\t__atomic_store_n(&entry[1], second, __ATOMIC_RELEASE);",
        "__atomic_store_n(&entry[1], second, __ATOMIC_RELAXED);\n"
        "\tif (first)\n"
        "\t\t__atomic_store_n(&entry[1], first, __ATOMIC_RELEASE);",
        ("tests/vssd/test_ctrl_queues.py",),
    ),
    Mutant(
        "a queue is deleted under the submission queue that uses it",
        "vssd/cmd/admin.c",
        "if (ctrl->queues.cq[qid].users > 0)",
        "if (ctrl->queues.cq[qid].users > 1)",
        ("tests/vssd/test_ctrl_queues.py",),
    ),
    Mutant(
        "an unmap cuts a mapping of host memory in two",
        "vssd/bus/dma.c",
        "size == 0 || last < iova || is_inside(map, iova)",
        "size == 0 || last < iova",
        ("tests/vssd/test_dma.py",),
    ),
    Mutant(
        "a host memory buffer mistakes a block of a null drive for another",
        "vssd/ctrl/hmb.c",
        "return ctrl->null_store ? (uint32_t)(block >> 32) : ctrl->store->current[block];",
        "return ctrl->null_store ? 0 : ctrl->store->current[block];",
        ("tests/vssd/test_ctrl_hmb.py",),
    ),
    Mutant(
        "a second Number of Queues is granted more than the first",
        "vssd/cmd/features.c",
        "if (!ctrl->queues.granted && !ctrl->options->grant_all) {",
        "ctrl->queues.num_sqs = ctrl->queues.num_cqs = ctrl->options->queues;\n"
        "\tif (!ctrl->options->grant_all) {",
        ("tests/vssd/test_ctrl_features.py",),
    ),
    Mutant(
        "a doorbell that repeats its value goes unnoticed in the page",
        "vssd/ctrl/doorbell.c",
        "\t\tarm(ctrl, index);\n",
        "",
        ("tests/vssd/test_ctrl_events.py",),
    ),
    Mutant(
        "a function level reset spares configuration space",
        "vssd/ctrl/config.c",
        "if (kind != VSSD_RESET_FUNCTION && kind != VSSD_RESET_CONVENTIONAL)",
        "if (kind != VSSD_RESET_CONVENTIONAL)",
        ("tests/vssd/test_ctrl_registers.py",),
    ),
    Mutant(
        "what nobody has read is not told again with bus mastering",
        "vssd/ctrl/function.c",
        "if (!mastered && ctrl->running)",
        "if (!mastered && !ctrl->running)",
        ("tests/vssd/test_ctrl_interrupts.py",),
    ),
    Mutant(
        "a buffer goes back while a command still uses it",
        "core/data/buffer.c",
        "if (!buffer || atomic_fetch_sub(&buffer->references, 1) != 1)",
        "if (!buffer || atomic_fetch_sub(&buffer->references, 1) > 2)",
        ("tests/c/test_buffer.c", "tests/c/test_track.c"),
    ),
    Mutant(
        "bytes side by side in a buffer are taken for the same",
        "core/data/buffer.c",
        "use->offset < past(offset, length) &&",
        "use->offset <= past(offset, length) &&",
        ("tests/c/test_buffer.c",),
    ),
    Mutant(
        "Write Zeroes with DEAC leaves what was there",
        "core/verify/track.c",
        "begin_change(track, cmd, PYN_CELL_ZEROES);",
        "begin_change(track, cmd, cmd->cdw12 & NVME_RW_DEAC ? PYN_CELL_DEALLOCATED : PYN_CELL_ZEROES);",
        ("tests/c/test_track.c",),
    ),
    Mutant(
        "data that a view of a buffer changed in flight are believed",
        "core/verify/track.c",
        "&& own && same;",
        "&& own;",
        ("tests/c/test_track.c", "tests/api/test_verify_others.py"),
    ),
    Mutant(
        "a write is durable that was sent before the cache was off",
        "core/verify/verify_table.h",
        "return submitted >= atomic_load_explicit(",
        "return UINT64_MAX > atomic_load_explicit(",
        ("tests/c/test_verify.c",),
    ),
    Mutant(
        "a namespace is not identified again after a reset",
        "core/drive/device_reset.c",
        "atomic_fetch_add(&device->identify_changes, 1);",
        "",
        ("tests/driver/test_changed_namespaces.py",),
    ),
]
