# SPDX-License-Identifier: BSD-3-Clause
# Callbacks of commands, with the form of their calls, and with their references while commands are in flight.

cdef enum:
    CO_VARARGS = 4  # flag of a code object with *args


cdef enum _Shape:
    SHAPE_COMPLETION  # cb(cpl)
    SHAPE_STATUS      # cb(cdw0, status1)
    SHAPE_OTHER


cdef class _Callback:
    """A callable, with the shape of its signature."""
    cdef object function
    cdef _Shape shape


cdef _Shape _shape(Py_ssize_t needed, bint takes_one, bint needs_keyword):
    """The form of a call, from the number of arguments that it needs."""
    if needs_keyword or needed > 2:
        return SHAPE_OTHER
    if needed == 2:
        return SHAPE_STATUS
    return SHAPE_COMPLETION if needed == 1 or takes_one else SHAPE_OTHER


cdef _Shape _shape_of_function(object function, Py_ssize_t bound):
    """The form of a function of Python, some of whose arguments are bound. A lambda of a loop is new for each
    command, and inspect takes 20 us for it: longer than the command."""
    cdef object code = function.__code__
    cdef Py_ssize_t most = code.co_argcount - bound, past = code.co_argcount + code.co_kwonlyargcount
    cdef Py_ssize_t needed = most - len(function.__defaults__ or ())
    cdef object given = function.__kwdefaults__ or ()

    return _shape(
        needed if needed > 0 else 0,
        most > 0 or (code.co_flags & CO_VARARGS) != 0,
        any([name not in given for name in code.co_varnames[code.co_argcount : past]]),
    )


cdef _Shape _shape_of(object function):
    """The form of a call of anything else, which inspect finds."""
    import inspect  # here, because it would double the time of importing nvme

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return SHAPE_COMPLETION
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return _shape(
        sum(p.default is p.empty for p in positional),
        bool(positional) or any(p.kind == p.VAR_POSITIONAL for p in parameters),
        any(p.kind == p.KEYWORD_ONLY and p.default is p.empty for p in parameters),
    )


cdef bint _has_own_signature(object function) except -1:
    """Whether it says what its arguments are, or is a wrapper of another."""
    return hasattr(function, "__wrapped__") or hasattr(function, "__signature__")


_shapes = _weakref.WeakKeyDictionary()  # of what is no function of Python


cdef _Shape _known_shape(object called):
    cdef object function = called
    cdef Py_ssize_t bound = 0

    if isinstance(called, _MethodType):
        function, bound = called.__func__, 1
    if type(function) is _FunctionType and function.__code__.co_argcount >= bound:
        if not _has_own_signature(function):
            return _shape_of_function(function, bound)
    try:
        shape = _shapes.get(called)
        if shape is None:
            shape = _shapes[called] = <int>_shape_of(called)
    except TypeError:  # not hashable, or not weakly referable
        shape = <int>_shape_of(called)
    return shape


cdef _Callback _callback(object function):
    cdef _Callback callback

    if function is None:
        return None
    if not callable(function):
        raise TypeError(f"cb must be callable, not {type(function).__name__}")
    callback = _Callback.__new__(_Callback)
    callback.function = function
    callback.shape = _known_shape(function)
    return callback


cdef class _Callbacks:
    """The callbacks of a queue's commands in flight. A command has the number of its callback and no reference, so
    that the garbage collector sees all references, and frees a Qpair to which only its own callbacks refer."""
    cdef list _held
    cdef list _free  # numbers

    def __cinit__(self):
        self._held = [None]  # a command without a callback has number 0
        self._free = []

    cdef void *hold(self, _Callback callback) except? NULL:
        cdef size_t number

        if callback is None:
            return NULL
        if self._free:
            number = self._free.pop()
            self._held[number] = callback
        else:
            number = len(self._held)
            self._held.append(callback)
        return <void *>number

    cdef _Callback take(self, void *user):
        cdef size_t number = <size_t>user

        if number == 0:
            return None
        callback = <_Callback>self._held[number]
        self._held[number] = None
        self._free.append(number)
        return callback
