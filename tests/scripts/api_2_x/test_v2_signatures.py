# SPDX-License-Identifier: BSD-3-Clause
"""Names, order and defaults of all parameters: scripts pass them by position and by keyword."""

import inspect
import operator

import nvme as d
import pytest

SIGNATURES = {
    "Buffer": "size=4096, name='buffer', pvalue=0, ptype=0",
    "Buffer.data": "byte_end, byte_begin=None, type=int",
    "Buffer.dump": "size=None",
    "Buffer.set_dsm_range": "index, lba, lba_count, attr=0",
    "Pcie": "addr, port=0",
    "Pcie.register": "offset, byte_count=4",
    "Pcie.cap_offset": "cap_id, extended=False",
    "Pcie.reset": "rst_fn=None",
    "Pcie.flr": "",
    "Pcie.close": "",
    "Controller": "addr, nvme_init_func=None",
    "Controller.init_adminq": "",
    "Controller.init_ns": "",
    "Controller.init_queues": "cdw0",
    "Controller.reset": "",
    "Controller.cmdname": "opcode",
    "Controller.supports": "opcode",
    "Controller.cmdlog": "count=0",
    "Controller.waitdone": "expected=1",
    "Controller.abort": "cid, sqid=0, cb=None",
    "Controller.identify": "buf=None, nsid=0, cns=1, cntid=0, csi=0, nvmsetid=0, cb=None",
    "Controller.id_data": "byte_end, byte_begin=None, type=int, nsid=0, cns=1, cntid=0, csi=0, nvmsetid=0",
    "Controller.getfeatures": "fid, sel=0, buf=None, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, cb=None",
    "Controller.setfeatures": "fid, sv=0, buf=None, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, cb=None",
    "Controller.getlogpage": "lid, buf, size=None, offset=0, nsid=4294967295, cb=None",
    "Controller.format": "lbaf=0, ses=0, nsid=1, cb=None",
    "Controller.sanitize": "option=2, pattern=0, cb=None",
    "Controller.dst": "stc=1, nsid=4294967295, cb=None",
    "Controller.fw_download": "buf, offset, size=None, cb=None",
    "Controller.fw_commit": "slot, action, cb=None",
    "Controller.downfw": "filename, slot=0, action=1",
    "Controller.aer": "cb=None",
    "Controller.register_aer_cb": "func",
    "Controller.mi_send": "opcode, dword0=0, dword1=0, buf=None, mtype=1, cb=None",
    "Controller.mi_receive": "opcode, dword0=0, dword1=0, buf=None, mtype=1, cb=None",
    "Controller.security_receive": "buf, spsp, secp=1, nssf=0, size=None, cb=None",
    "Controller.security_send": "buf, spsp, secp=1, nssf=0, size=None, cb=None",
    "Controller.send_cmd": (
        "opcode, buf=None, nsid=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, cb=None"
    ),
    "Controller.enable_hmb": "",
    "Controller.disable_hmb": "",
    "Qpair": "nvme, depth, prio=0, ien=True, iv=65535",
    "Qpair.cmdlog": "count=0",
    "Qpair.waitdone": "expected=1",
    "Qpair.delete": "",
    "Qpair.close": "",
    "Qpair.msix_isset": "",
    "Qpair.msix_clear": "",
    "Qpair.msix_mask": "",
    "Qpair.msix_unmask": "",
    "Namespace": "nvme, nsid=1, nlba_verify=0",
    "Namespace.cmdname": "opcode",
    "Namespace.supports": "opcode",
    "Namespace.id_data": "byte_end, byte_begin=None, type=int, cns=0, csi=0, cntid=0",
    "Namespace.get_lba_format": "data_size=512, meta_size=0",
    "Namespace.format": "data_size=512, meta_size=0, ses=0",
    "Namespace.verify_enable": "enable=True",
    "Namespace.close": "",
    "Namespace.read": "qpair, buf, lba, lba_count=1, io_flags=0, dword13=0, dword14=0, dword15=0, cb=None",
    "Namespace.write": "qpair, buf, lba, lba_count=1, io_flags=0, dword13=0, dword14=0, dword15=0, cb=None",
    "Namespace.compare": "qpair, buf, lba, lba_count=1, io_flags=0, cb=None",
    "Namespace.dsm": "qpair, buf, range_count, attribute=4, cb=None",
    "Namespace.flush": "qpair, cb=None",
    "Namespace.write_uncorrectable": "qpair, lba, lba_count=1, cb=None",
    "Namespace.write_zeroes": "qpair, lba, lba_count=1, io_flags=0, cb=None",
    "Namespace.verify": "qpair, lba, lba_count=1, io_flags=0, cb=None",
    "Namespace.send_cmd": (
        "opcode, qpair, buf=None, nsid=1, cdw10=0, cdw11=0, cdw12=0, cdw13=0, cdw14=0, cdw15=0, cb=None"
    ),
    "Namespace.zns_mgmt_send": "qpair, buf, slba=0, action=0, all=False, cb=None",
    "Namespace.zns_mgmt_receive": (
        "qpair, buf, slba=0, dwords=None, extended=True, state=0, partial=True, cb=None"
    ),
    "IOWorker.start": "",
    "IOWorker.close": "",
    "IOWorker.iops_consistency": "slowest_percentage=99.9",
    "Subsystem": "nvme, poweron_cb=None, poweroff_cb=None",
    "Subsystem.power_cycle": "sec=10",
    "Subsystem.poweroff": "",
    "Subsystem.poweron": "",
    "Subsystem.shutdown_notify": "abrupt=False",
    "Subsystem.reset": "",
    "Tcp": "addr, port=4420",
    "srand": "seed",
}


def as_text(function):
    """The parameters as they are written, without self, annotations, and what is ours: by keyword only."""
    parameters = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.name != "self" and p.kind is not p.KEYWORD_ONLY
    ]
    texts = []
    for p in parameters:
        default = (
            p.default.__name__
            if isinstance(p.default, type) and p.default is not p.empty
            else repr(p.default)
        )
        texts.append(p.name if p.default is p.empty else f"{p.name}={default}")
    return ", ".join(texts)


@pytest.mark.parametrize("name", SIGNATURES)
def test_parameters(name):
    assert as_text(operator.attrgetter(name)(d)) == SIGNATURES[name]


def test_parameters_of_a_worker():
    parameters = inspect.signature(d.Namespace.ioworker).parameters
    positional = {name: p for name, p in parameters.items() if p.kind is not p.KEYWORD_ONLY}
    defaults = {name: p.default for name, p in positional.items() if name != "self"}
    assert defaults == {
        "io_size": 8,
        "lba_step": None,
        "lba_align": None,
        "lba_random": True,
        "read_percentage": 100,
        "op_percentage": None,
        "time": 0,
        "qdepth": 64,
        "region_start": 0,
        "region_end": 0xFFFFFFFFFFFFFFFF,
        "iops": 0,
        "io_count": 0,
        "lba_start": 0,
        "qprio": 0,
        "distribution": None,
        "ptype": 0xBEEF,
        "pvalue": 100,
        "io_sequence": None,
        "fw_debug": False,
        "cpu_id": None,
        "output_io_per_second": None,
        "output_percentile_latency": None,
        "output_cmdlog_list": None,
    }


PROPERTIES = {
    d.Buffer: "phys_addr size offset data_head data_tail",
    d.Pcie: "aspm power_state",
    d.Controller: "cap mdts addr latest_cid latest_latency timeout pcie",
    d.Qpair: "sqid latest_cid latest_latency",
    d.Namespace: "nsid capacity",
    d.IOWorker: "running progress",
}


@pytest.mark.parametrize("owner, name", [(o, n) for o, names in PROPERTIES.items() for n in names.split()])
def test_property(owner, name):
    assert not callable(getattr(owner, name))


@pytest.mark.parametrize(
    "name",
    [
        "NvmeEnumerateError",
        "NvmeDeletionError",
        "NvmeShutdownStatusTimeoutError",
        "QpairCreationError",
        "QpairDeletionError",
        "NamespaceCreationError",
        "NamespaceDeletionError",
    ],
)
def test_exception(name):
    assert issubclass(getattr(d, name), Exception)
