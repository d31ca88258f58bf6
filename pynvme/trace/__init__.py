# SPDX-License-Identifier: BSD-3-Clause
"""Command logs as objects, their files, and traces to replay.

log = qpair.cmdlog_list(100)            # a CommandLog, oldest command first
log.filter(opcode=2, status=0).to_numpy()["latency_ns"].mean()
log.save("reads.pcapng")                # Wireshark opens it as NVMe

from pynvme import trace
trace.load("reads.trace")               # the log again
"""

from __future__ import annotations

from pynvme.trace.capture import capture
from pynvme.trace.command import Command, Fault
from pynvme.trace.files import load
from pynvme.trace.log import CommandLog, LiveLog
from pynvme.trace.replay import sequence

__all__ = ["Command", "CommandLog", "Fault", "LiveLog", "capture", "load", "sequence"]
