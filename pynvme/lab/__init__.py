# SPDX-License-Identifier: BSD-3-Clause
"""Campaigns: many tests on many drives of many hosts, from one plan (docs/how-to/lab.md).

``pynvme campaign PLAN.toml`` runs one. The parts are modules, which are imported when they are used, since
most of them need packages of the extra ``lab``:

- :mod:`pynvme.lab.plan` reads a plan and tells all its mistakes, :mod:`pynvme.lab.inventory` finds drives
- :mod:`pynvme.lab.journal` records what began and ended, which is what ``--resume`` goes by
- :mod:`pynvme.lab.job` runs one pytest process, :mod:`pynvme.lab.health` tells whether a drive is fit
- :mod:`pynvme.lab.engine` has Dask run jobs where the drives are, :mod:`pynvme.lab.campaign` decides which
"""
