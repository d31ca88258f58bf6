# SPDX-License-Identifier: BSD-3-Clause
# Generated from spec/commands.py by `python -m tools.specgen`. Change it there. Docstrings are in nvme.pyi.

@_named
def abort(self, cid, sqid=0, cb=None):
    return self.send_cmd(
        0x08,
        cdw10=_field(sqid, 16, "sqid")
             | _field(cid, 16, "cid") << 16,
        cb=cb,
    )

@_named
def dst(self, stc=1, nsid=0xffffffff, cb=None):
    return self.send_cmd(
        0x14,
        nsid=nsid,
        cdw10=_field(stc, 4, "stc"),
        cb=cb,
    )

@_named
def keep_alive(self, cb=None):
    return self.send_cmd(
        0x18,
        cb=cb,
    )

@_named
def virtualization_management(self, act, rt=0, cntlid=0, nr=0, cb=None):
    return self.send_cmd(
        0x1c,
        cdw10=_field(act, 4, "act")
             | _field(rt, 3, "rt") << 8
             | _field(cntlid, 16, "cntlid") << 16,
        cdw11=_field(nr, 16, "nr"),
        cb=cb,
    )

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

@_named
def lockdown(self, ofi, scp=0, prhbt=1, ifc=0, uidx=0, cb=None):
    return self.send_cmd(
        0x24,
        cdw10=_field(ofi, 8, "ofi") << 8
             | _field(scp, 4, "scp")
             | _field(prhbt, 1, "prhbt") << 4
             | _field(ifc, 2, "ifc") << 5,
        cdw14=_field(uidx, 7, "uidx"),
        cb=cb,
    )
