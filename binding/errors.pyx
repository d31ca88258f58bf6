# SPDX-License-Identifier: BSD-3-Clause
# How a failure of the driver becomes an exception: one table. And how its log reaches Python's.


class _Brief(type):
    """A class without inherited names in its list, so that help() does not show all of Exception or dict again."""
    def __dir__(cls):
        return [name for name in vars(cls) if not name.startswith("__")]


class NvmeEnumerateError(Exception, metaclass=_Brief):
    pass


class NvmeDeletionError(Exception, metaclass=_Brief):
    pass


class NvmeShutdownStatusTimeoutError(Exception, metaclass=_Brief):
    pass


class QpairCreationError(Exception, metaclass=_Brief):
    pass


class QpairDeletionError(Exception, metaclass=_Brief):
    pass


class NamespaceCreationError(Exception, metaclass=_Brief):
    pass


class NamespaceDeletionError(Exception, metaclass=_Brief):
    pass


_EXCEPTIONS = {
    cspdk.PYN_ERROR_ARGUMENT: AssertionError,
    cspdk.PYN_ERROR_MEMORY: MemoryError,
    cspdk.PYN_ERROR_ENUMERATE: NvmeEnumerateError,
    cspdk.PYN_ERROR_GONE: SystemError,
    cspdk.PYN_ERROR_TIMEOUT: TimeoutError,
    cspdk.PYN_ERROR_CREATE: QpairCreationError,
    cspdk.PYN_ERROR_DELETE: QpairDeletionError,
    cspdk.PYN_ERROR_SHUTDOWN: NvmeShutdownStatusTimeoutError,
    cspdk.PYN_ERROR_NAMESPACE: NamespaceCreationError,
    cspdk.PYN_ERROR_STATE: RuntimeError,
    cspdk.PYN_ERROR_UNSUPPORTED: NotImplementedError,
    cspdk.PYN_ERROR_SYSTEM: OSError,
}

# What a constructor says, whatever failed below it; the caller's own mistakes stay what they are.
_OWN_MISTAKES = (AssertionError, MemoryError, KeyboardInterrupt)

# Modules of pure Python that send commands for a method of ours.
_HELPERS = {"pynvme.firmware", "pynvme.hmb"}

_log = _logging.getLogger("nvme")


cdef str _text(const char *text):
    return text.decode("utf-8", "replace")


cdef object _exception(cspdk.pyn_error *err, object constructing=None):
    """The exception for *err; constructing: the class that a failing constructor raises."""
    cdef object kind = _EXCEPTIONS.get(err.kind, SystemError)

    _take_log()
    if constructing is not None and not issubclass(kind, _OWN_MISTAKES):
        kind = constructing
    text = _text(err.text)
    if err.number in (_errno.EMFILE, _errno.ENFILE):
        from pynvme import vssd

        text += f": {vssd.no_descriptor()}"
    if kind is OSError:
        return OSError(err.number, text)
    return kind(text)


cdef int _ok(int rc, cspdk.pyn_error *err, int constructing=-1) except -1 nogil:
    """What a call of the driver returned, if that is no error; constructing: the kind that a constructor says."""
    if rc < 0:
        with gil:
            raise _exception(err, None if constructing < 0 else _EXCEPTIONS[constructing])
    return rc


cdef int _check(bint good, str text) except -1:
    """Like assert, but also under python -O."""
    if not good:
        raise AssertionError(text)
    return 0


cdef int _check_callable(object function, str name) except -1:
    """None, or a function."""
    if function is not None and not callable(function):
        raise TypeError(f"{name} must be callable, not {type(function).__name__}")
    return 0


cdef inline uint64_t _field(object value, unsigned bits, str name) except? 0xdeadbeef:
    """A value for a field of so many bits: asserted, because nothing else would reach the drive as it was meant."""
    cdef long long raw
    cdef int beyond = 0

    # What nearly every argument of every command is.
    if PyLong_CheckExact(value):
        raw = PyLong_AsLongLongAndOverflow(value, &beyond)
        if not beyond and raw >= 0 and (bits > 63 or not raw >> bits):
            return <uint64_t>raw
    return _any_field(value, bits, name)


cdef uint64_t _any_field(object value, unsigned bits, str name) except? 0xdeadbeef:
    # Apart, so that what nearly every argument is stays inline.
    return _values.field(value, bits, name)


cdef object _never_created(object thing):
    """The error of using an object whose __init__ was not called, by __new__ or in a subclass."""
    return RuntimeError(f"this {type(thing).__name__} was never created: its __init__ has to be called")


cdef object _attribute(object thing, object name, bint created):
    """An attribute of an object, which may be looked at before it is created, but not used."""
    if not created and not name.startswith("__"):
        raise _never_created(thing)
    return PyObject_GenericGetAttr(thing, name)


cdef object _note(object error, str text):
    """Say below an exception's text what it was about; before Python 3.11 there is no place for that."""
    if hasattr(error, "add_note"):
        error.add_note(text)


cdef void _take_log():
    cdef char text[512]
    cdef int level

    while True:
        level = cspdk.pyn_log_take(text, sizeof(text))
        if level == 0:
            return
        _log.log(level, "%s", _text(text))


cdef object _issue(object message):
    """Warn about the script's line: Cython has no frames, and the helpers of this package are not the script."""
    frame = _sys._getframe()
    level = 1
    while frame is not None and frame.f_globals.get("__name__") in _HELPERS:
        frame = frame.f_back
        level += 1
    _warnings.warn(message, stacklevel=level)


cdef object _warn(str kind, str name, str text):
    """Count a failure, then warn: the count does not depend on the script's warning filters."""
    failure = _failures.count(kind, name)
    message = UserWarning(text)
    _issue(message)
    _failures.issued(failure, message)


cdef object _warn_status(unsigned number, bint mismatch, str before):
    """Warn about an error status, SCT << 8 | SC."""
    name = _failures.status(number, _text(cspdk.pyn_status_name(<uint16_t>(number << 1))))
    _warn(_failures.MISMATCH if mismatch else _failures.STATUS, name,
          "%s%02x/%02x" % (before, number >> 8 & 7, number & 0xff))


cdef str _assertion_text(object error):
    """What an AssertionError says, and where it was raised: not by the driver, nor by a helper that hides."""
    frame = None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.endswith(".pyx") and not trace.tb_frame.f_locals.get("__tracebackhide__"):
            frame = (code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    if frame is None:
        return str(error)
    import linecache

    first, newline, rest = (str(error) or linecache.getline(*frame).strip()).partition("\n")
    return f"{first} ({frame[0]}:{frame[1]}){newline}{rest}"
