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


def _guard(data, bits):
    """The guard of bytes, for pynvme.protection."""
    cdef const uint8_t[::1] view = data
    cdef const void *first = &view[0] if view.shape[0] else NULL

    if bits == 16:
        return cspdk.pyn_crc16(0, first, view.shape[0])
    if bits == 32:
        return cspdk.pyn_crc32c(0, first, view.shape[0])
    return cspdk.pyn_crc64(0, first, view.shape[0])


class Tcp:
    @_named
    def __init__(self, addr, port=4420):
        raise NvmeEnumerateError(f"NVMe/TCP to {addr}:{port}: this version has no engine for it")


@_named
def engines():
    cdef cspdk.pyn_error err
    cdef const cspdk.pyn_engine *selected = cspdk.pyn_engine_select(&err)
    cdef const cspdk.pyn_engine *engine
    cdef unsigned index = 0

    from pynvme.engines import Engine

    found = []
    engine = cspdk.pyn_engine_at(0)
    while engine != NULL:
        found.append(Engine(
            _text(cspdk.pyn_engine_name(engine)),
            _text(cspdk.pyn_engine_version(engine)) or __version__,
            _text(cspdk.pyn_engine_dpdk(engine)),
            engine == selected,
            _withheld_from(engine, cspdk.PYN_ADDRESS_FUNCTION),
            _withheld_from(engine, cspdk.PYN_ADDRESS_SOCKET),
        ))
        index += 1
        engine = cspdk.pyn_engine_at(index)
    return found


cdef dict _withheld_from(const cspdk.pyn_engine *engine, cspdk.pyn_address_kind kind):
    """Why an engine withholds capabilities from drives with such addresses, by the names of the capabilities."""
    cdef const char *reason
    cdef unsigned capability = 0

    found = {}
    while cspdk.pyn_capability_name(capability) != NULL:
        reason = cspdk.pyn_engine_withheld(engine, capability, kind)
        if reason != NULL:
            found[_text(cspdk.pyn_capability_name(capability))] = _text(reason)
        capability += 1
    return found


def _capabilities():
    """The titles of all capabilities by their names."""
    cdef unsigned capability = 0

    found = {}
    while cspdk.pyn_capability_name(capability) != NULL:
        found[_text(cspdk.pyn_capability_name(capability))] = _text(cspdk.pyn_capability_title(capability))
        capability += 1
    return found


def _dma_in_use():
    return cspdk.pyn_dma_in_use()


def _dma_lost():
    return cspdk.pyn_dma_lost()


def _capture_start(path, worker_most):
    """Begin to copy the command logs of this process to a file, for pynvme/trace/capture.py."""
    cdef cspdk.pyn_error err
    cdef bytes name = _os.fsencode(path)
    cdef const char *characters = name
    cdef uint64_t most = worker_most

    _ok(cspdk.pyn_capture_start(characters, most, &err), &err)


def _capture_stop():
    cdef cspdk.pyn_error err

    with nogil:
        _ok(cspdk.pyn_capture_stop(&err), &err)


__all__ = [
    "Buffer", "Controller", "DotDict", "IOWorker", "KeyValue", "Namespace", "NamespaceCreationError",
    "NamespaceDeletionError", "NvmeDeletionError", "NvmeEnumerateError", "NvmeShutdownStatusTimeoutError", "Pcie",
    "Qpair", "QpairCreationError", "QpairDeletionError", "Subsystem", "Tcp", "__version__", "engines", "srand",
]


def _close_all():
    """At exit, shut each open controller down, and rebind drives to the kernel's driver."""
    for device in list(_open_devices.values()):
        device.close()
    _release_functions()


_atexit.register(_close_all)
cspdk.pyn_log_keep()
