# SPDX-License-Identifier: BSD-3-Clause
# Turns failures of the driver into exceptions, by one table, and passes its log to Python's.


class _Brief(type):
    """A class that does not list inherited names, so that help() does not repeat all of Exception or dict."""
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
    cspdk.PYN_ERROR_WITHHELD: NotImplementedError,
    cspdk.PYN_ERROR_SYSTEM: OSError,
    cspdk.PYN_ERROR_CONTENT: ValueError,
}

# The exceptions that constructors raise, whatever failed below. Mistakes of the caller keep their own exceptions,
# and so does what the engine withholds.
_OWN_MISTAKES = (AssertionError, MemoryError, KeyboardInterrupt)

# Modules in pure Python that send commands for a method of the binding.
_HELPERS = {"pynvme.firmware", "pynvme.hmb", "pynvme.metamode"}

_log = _logging.getLogger("nvme")


cdef str _text(const char *text):
    return text.decode("utf-8", "replace")


cdef object _exception(cspdk.pyn_error *err, object constructing=None):
    """The exception for *err. `constructing` is the class that a failing constructor raises."""
    cdef object kind = _EXCEPTIONS.get(err.kind, SystemError)

    _take_log()
    text = _text(err.text)
    if err.kind == cspdk.PYN_ERROR_WITHHELD:
        return _withheld(kind(text), err.capability)
    if constructing is not None and not issubclass(kind, _OWN_MISTAKES):
        kind = constructing
    if err.number in (_errno.EMFILE, _errno.ENFILE):
        from pynvme import vssd

        text += f": {vssd.no_descriptor()}"
    if kind is OSError:
        return OSError(err.number, text)
    return kind(text)


cdef object _withheld(object error, unsigned capability):
    """Put into an exception which capability the engine withholds."""
    error.capability = _text(cspdk.pyn_capability_name(capability))
    return error


cdef int _ok_by(int rc, cspdk.pyn_error *err, const char *call) except -1 nogil:
    """Like _ok(), for a subscript or a property, whose name @_named does not know."""
    if rc < 0:
        with gil:
            from pynvme import calls

            raise calls.named(_exception(err), _text(call))
    return rc


cdef int _ok(int rc, cspdk.pyn_error *err, int constructing=-1) except -1 nogil:
    """The result of a call of the driver. Raise if it is an error. For `constructing`, see _exception()."""
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
    """A value for a field of `bits` bits. AssertionError if it does not fit, as the drive would get another value."""
    cdef long long raw
    cdef int beyond = 0

    # Nearly every argument of every command is an int.
    if PyLong_CheckExact(value):
        raw = PyLong_AsLongLongAndOverflow(value, &beyond)
        if not beyond and raw >= 0 and (bits > 63 or not raw >> bits):
            return <uint64_t>raw
    return _any_field(value, bits, name)


cdef uint64_t _any_field(object value, unsigned bits, str name) except? 0xdeadbeef:
    # A separate function, so that the usual case stays inline.
    return _values.field(value, bits, name)


cdef object _never_created(object thing):
    """The error of using an object whose __init__ was not called, by __new__ or in a subclass."""
    return RuntimeError(f"this {type(thing).__name__} was never created: its __init__ has to be called")


cdef object _attribute(object thing, object name, bint created):
    """An attribute of an object that may not have been created. It may be inspected, but not used."""
    if not created and not name.startswith("__"):
        raise _never_created(thing)
    return PyObject_GenericGetAttr(thing, name)


cdef object _note(object error, str text):
    """Add a note to an exception. Python before 3.11 has no notes, so do nothing there."""
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
    """Warn with the script's line. Cython has no frames, and frames of this package are skipped."""
    frame = _sys._getframe()
    level = 1
    while frame is not None and frame.f_globals.get("__name__") in _HELPERS:
        frame = frame.f_back
        level += 1
    _warnings.warn(message, stacklevel=level)


cdef object _warn(str kind, str name, str text):
    """Count a failure, then warn, so that the count does not depend on the script's warning filters."""
    failure = _failures.count(kind, name)
    message = UserWarning(text)
    _issue(message)
    _failures.issued(failure, message)


cdef object _warn_status(unsigned number, bint mismatch, str before):
    """Warn about an error status, SCT << 8 | SC."""
    name = _failures.status(number, _text(cspdk.pyn_status_name(<uint16_t>(number << 1))))
    _warn(_failures.MISMATCH if mismatch else _failures.STATUS, name,
          before + name)


cdef str _assertion_text(object error):
    """The text of an AssertionError, and the line that raised it, without frames of the driver or hidden helpers."""
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
