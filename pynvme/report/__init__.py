# SPDX-License-Identifier: BSD-3-Clause
"""Reports of test runs.

``pytest --nvme-report=DIR`` writes into a folder:

========================  ====================================================================
index.html                one self-contained page, for people
junit.xml                 JUnit XML with properties, for Jenkins, TestRail, Xray and Allure
ctrf.json                 Common Test Report Format
results.parquet           one row a test and one a worker, if pyarrow is installed
run.json                  everything, for ``pynvme report diff``
========================  ====================================================================

:mod:`pynvme.report.plugin` collects the results under pytest. :mod:`pynvme.report.run` is their form. The
other modules each write one of the files.
"""
