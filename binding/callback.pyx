# SPDX-License-Identifier: BSD-3-Clause
# Callbacks of commands, with the form of their calls, and with their references while commands are in flight.

cdef enum _Shape:
    SHAPE_COMPLETION  # cb(cpl)
    SHAPE_STATUS      # cb(cdw0, status1)
    SHAPE_OTHER


cdef class _Callback:
    """A callable, with the shape of its signature."""
    cdef object function
    cdef _Shape shape


cdef _Shape _shape_of(object function):
    """The form of its call, from the number of arguments that it needs."""
    import inspect  # here, because it would double the time of importing nvme

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return SHAPE_COMPLETION
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in positional)
    if any(p.kind == p.KEYWORD_ONLY and p.default is p.empty for p in parameters) or needed > 2:
        return SHAPE_OTHER
    if needed == 2:
        return SHAPE_STATUS
    if needed == 1 or positional or any(p.kind == p.VAR_POSITIONAL for p in parameters):
        return SHAPE_COMPLETION
    return SHAPE_OTHER


_shapes = _weakref.WeakKeyDictionary()
_method_shapes = _weakref.WeakKeyDictionary()  # by the function of a bound method, which is a new object each time


cdef _Shape _known_shape(object function):
    """The form of its call, which is found only once for each function."""
    cdef object known = _shapes, key = function

    if isinstance(function, _MethodType):
        known, key = _method_shapes, function.__func__
    try:
        shape = known.get(key)
        if shape is None:
            shape = known[key] = <int>_shape_of(function)
    except TypeError:  # not hashable, or not weakly referable
        shape = <int>_shape_of(function)
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
