# SPDX-License-Identifier: BSD-3-Clause
"""The commands of the command line, in the order in which ``pynvme --help`` shows them.

A command is one line here, and a function in a module of this package. The module is imported when the
command is used, so it may import what it likes.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command is, ``"module:function"``, and what it does in at most 28 characters."""

    place: str
    text: str
    listed: bool = True
    """Whether ``pynvme --help`` has a line for it."""


COMMANDS: dict[str, Entry] = {
    "list": Entry("pynvme.cli.machine:list_drives", "drives, and who uses them"),
    "bind": Entry("pynvme.cli.machine:bind", "bind a drive for pynvme"),
    "unbind": Entry("pynvme.cli.machine:unbind", "rebind it to the kernel"),
    "doctor": Entry("pynvme.cli.machine:doctor", "check this machine"),
    "vssd": Entry("pynvme.cli.vssd:vssd", "virtual SSDs"),
    "bugs": Entry("pynvme.cli.suite:bugs", "bugs of a virtual SSD"),
    "run": Entry("pynvme.cli.workloads:run", "a tour with verified IO"),
    "bench": Entry("pynvme.cli.workloads:bench", "how fast a drive is"),
    "perf": Entry("pynvme.cli.perf:perf", "a workload in fio's words"),
    "trace": Entry("pynvme.cli.trace:trace", "files of command logs"),
    "check": Entry("pynvme.cli.suite:check", "look for bugs of a drive"),
    "campaign": Entry("pynvme.cli.campaign:campaign", "run a plan on many drives"),
    "lab": Entry("pynvme.cli.lab:lab", "this host in a lab", False),
    "results": Entry("pynvme.cli.results:results", "results of campaigns"),
    "report": Entry("pynvme.report.command:report", "compare reports of runs"),
    "shell": Entry("pynvme.cli.shell:shell", "Python with an open drive"),
    "id-ctrl": Entry("pynvme.cli.identify:id_ctrl", "Identify Controller"),
    "id-ns": Entry("pynvme.cli.identify:id_ns", "Identify Namespace"),
    "list-ns": Entry("pynvme.cli.namespaces:list_ns", "NSIDs of namespaces"),
    "create-ns": Entry("pynvme.cli.namespaces:create_ns", "create a namespace"),
    "delete-ns": Entry("pynvme.cli.namespaces:delete_ns", "delete a namespace"),
    "attach-ns": Entry("pynvme.cli.namespaces:attach_ns", "attach a namespace", False),
    "detach-ns": Entry("pynvme.cli.namespaces:detach_ns", "detach a namespace", False),
    "list-endgrp": Entry("pynvme.cli.capacity:list_endgrp", "list endurance groups", False),
    "id-nvmset": Entry("pynvme.cli.capacity:id_nvmset", "show NVM sets", False),
    "endurance-log": Entry("pynvme.cli.capacity:endurance_log", "show an endurance group", False),
    "supported-cap-config-log": Entry(
        "pynvme.cli.capacity:supported_cap_config_log", "capacity configurations", False
    ),
    "capacity-mgmt": Entry("pynvme.cli.capacity:capacity_mgmt", "divide the capacity", False),
    "resv-register": Entry("pynvme.cli.reservations:resv_register", "register a reservation key", False),
    "resv-acquire": Entry("pynvme.cli.reservations:resv_acquire", "acquire a reservation", False),
    "resv-release": Entry("pynvme.cli.reservations:resv_release", "release a reservation", False),
    "resv-report": Entry("pynvme.cli.reservations:resv_report", "show a reservation", False),
    "identify": Entry("pynvme.cli.identify:identify", "Identify, any CNS"),
    "smart": Entry("pynvme.cli.logs:smart", "SMART / Health log"),
    "primary-ctrl-caps": Entry("pynvme.cli.virtual:primary_ctrl_caps", "virtual functions", False),
    "list-secondary": Entry("pynvme.cli.virtual:list_secondary", "secondary controllers", False),
    "virt-mgmt": Entry("pynvme.cli.virtual:virt_mgmt", "resources of controllers", False),
    "ana-log": Entry("pynvme.cli.paths:ana_log", "states of ANA groups", False),
    "log": Entry("pynvme.cli.logs:log", "any log page"),
    "fdp": Entry("pynvme.cli.fdp:fdp", "flexible data placement", False),
    "zns": Entry("pynvme.cli.zns:zns", "zones", False),
    "dir-receive": Entry("pynvme.cli.directives:dir_receive", "read a directive", False),
    "dir-send": Entry("pynvme.cli.directives:dir_send", "change a directive", False),
    "mi": Entry("pynvme.cli.management:mi", "the Management Interface", False),
    "sed": Entry("pynvme.cli.sed:sed", "self-encrypting drives", False),
    "rpmb": Entry("pynvme.cli.rpmb:rpmb", "replay protected memory", False),
    "lockdown": Entry("pynvme.cli.lockdown:lockdown", "prohibit a command", False),
    "lockdown-log": Entry("pynvme.cli.lockdown:lockdown_log", "prohibited commands", False),
    "features": Entry("pynvme.cli.features:features", "read and set features"),
    "regs": Entry("pynvme.cli.registers:regs", "controller registers"),
    "pci": Entry("pynvme.cli.registers:pci", "PCI capabilities"),
    "send": Entry("pynvme.cli.send:send", "send any command"),
    "status": Entry("pynvme.cli.status:status", "explain a status field"),
    "completion": Entry("pynvme.cli.completion:completion", "completion for your shell"),
}
