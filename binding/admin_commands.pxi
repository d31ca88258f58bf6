# SPDX-License-Identifier: BSD-3-Clause
# Made from spec/commands.py by `python -m tools.specgen`: change it there. The docstrings are in nvme.pyi.

@_named
def capacity_management(self, oper, elid=0, cap=0, cb=None):
    return self.send_cmd(
        0x20,
        cdw10=_field(oper, 4, "oper")
             | _field(elid, 16, "elid") << 16,
        cdw11=_field(cap, 64, "cap") & 0xffffffff,
        cdw12=_field(cap, 64, "cap") >> 32,
        cb=cb,
    )
