# SPDX-License-Identifier: BSD-3-Clause
"""`make docs` makes the documentation in build/site.

The pages are README, CHANGELOG and docs/, as they are, and a reference that is generated: of the module from
nvme.pyi (`interface`), of structures, commands and statuses from pynvme.spec (`book`), and of options from
the programs that have them (`options`). Sphinx, with MyST and furo, makes HTML of them.
"""
