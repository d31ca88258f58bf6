# SPDX-License-Identifier: BSD-3-Clause
"""The commands, structures, statuses and enumerations of the NVMe specifications, as plain data.

`python -m tools.specgen` writes the C headers of this folder and `pynvme/spec` from it. schema.py defines the entries,
and each other module holds one kind of entries. There is no code here, and nothing is imported at run time.
"""

# The modules that the generator reads. A module may have HEADERS, the C headers that it describes. Its public names
# become part of the module of the same name in pynvme/spec.
MODULES = (
    "enums",
    "status",
    "commands",
    "identify",
    "logs",
    "features",
    "registers",
    "descriptors",
    "mi",
    "ocp",
    "pci",
    "rpmb",
)
