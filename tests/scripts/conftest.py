# SPDX-License-Identifier: BSD-3-Clause
"""Scripts as test engineers write them, for both generations of the API, on one drive and in their order.

    pytest tests/scripts                        # a virtual SSD of this process
    pytest tests/scripts --pciaddr=/tmp/ssd     # one that runs already, or a drive in a slot

They destroy what is on the drive. A warning of the driver that a script does not expect fails it.
"""

import pathlib

import pytest


def pytest_collection_modifyitems(items):
    """Turn the driver's warnings into failures, except where a script asks for them with pytest.warns."""
    for item in items:
        if pathlib.Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("error::UserWarning"))
