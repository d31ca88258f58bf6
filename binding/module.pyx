# SPDX-License-Identifier: BSD-3-Clause
# Functions of the module itself.

from pynvme import __version__

cdef uint64_t _seed = 0
cdef bint _is_seeded = False


@_named
def srand(seed):
    global _seed, _is_seeded, _worker_number
    import random

    number = _integer(seed, "seed")
    _seed = number & 0xffffffffffffffff
    _is_seeded = True
    _worker_number = 0
    random.seed(number)
    cspdk.pyn_seed(_seed)


class Tcp:
    @_named
    def __init__(self, addr, port=4420):
        raise NvmeEnumerateError(f"NVMe/TCP to {addr}:{port}: this version has no engine for it")


def _dma_in_use():
    return cspdk.pyn_dma_in_use()


__all__ = [
    "Buffer", "Controller", "DotDict", "IOWorker", "Namespace", "NamespaceCreationError", "NamespaceDeletionError",
    "NvmeDeletionError", "NvmeEnumerateError", "NvmeShutdownStatusTimeoutError", "Pcie", "Qpair",
    "QpairCreationError", "QpairDeletionError", "Subsystem", "Tcp", "__version__", "srand",
]


def _close_all():
    """At exit, shut each open controller down, and rebind drives to the kernel's driver."""
    for device in list(_open_devices.values()):
        device.close()
    _release_functions()


_atexit.register(_close_all)
cspdk.pyn_log_keep()
