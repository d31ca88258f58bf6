# SPDX-License-Identifier: BSD-3-Clause
"""What the NVMe specifications say, as plain data: commands, structures, statuses, enumerations.

`python -m tools.specgen` writes the C headers of this folder and `pynvme/spec` from it. schema.py says what an entry
is made of; each other module holds one kind of entries. There is no code here, and nothing is imported at run time.
"""

# The modules that the generator reads. Each may have HEADERS, the C headers that it describes; what a module defines
# by a public name becomes part of the module of the same name in pynvme/spec.
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
)
