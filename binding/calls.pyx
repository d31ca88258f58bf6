# SPDX-License-Identifier: BSD-3-Clause
# Makes the exception of a wrong call name the class or the method, the parameter, the given and the expected value.
#
# Cython parses arguments before any line of ours runs, and its messages name neither class nor parameter. So public
# functions are decorated with @_named. The object that scripts then call is a try and except around the function. It
# is a type in C that forwards a call without touching its arguments, since a read from Python takes only 100 ns.

cdef extern from *:
    """
    typedef struct {
        PyObject_HEAD
        vectorcallfunc call;  /* pyn_named_call(): what Python calls */
        vectorcallfunc wrapped;
        PyObject *function;
        PyObject *label;  /* that an exception's text names */
    } pyn_named;

    static void (*pyn_named_failed)(PyObject *label, PyObject *function, PyObject **args, Py_ssize_t count,
                                    PyObject *names);

    static PyObject *pyn_named_call(PyObject *self, PyObject *const *args, size_t flags, PyObject *names)
    {
        pyn_named *named = (pyn_named *)self;
        PyObject *result = named->wrapped(named->function, args, flags, names);

        if (__builtin_expect(!result, 0))
            pyn_named_failed(named->label, named->function, (PyObject **)args, PyVectorcall_NARGS(flags),
                             names ? names : Py_None);
        return result;
    }

    static PyObject *pyn_named_bind(PyObject *self, PyObject *object, PyObject *type)
    {
        if (object && object != Py_None)
            return PyMethod_New(self, object);
        Py_INCREF(self);
        return self;
    }

    /* Whoever asks, be it help() or inspect, is told of the function. */
    static PyObject *pyn_named_attribute(PyObject *self, PyObject *name)
    {
        return PyObject_GetAttr(((pyn_named *)self)->function, name);
    }

    static PyObject *pyn_named_doc(PyObject *self, void *closure)
    {
        return PyObject_GetAttrString(((pyn_named *)self)->function, "__doc__");
    }

    /* help() asks past pyn_named_attribute(). */
    static PyGetSetDef pyn_named_members[] = {
        {"__doc__", pyn_named_doc},
        {NULL},
    };

    static PyObject *pyn_named_repr(PyObject *self)
    {
        return PyObject_Repr(((pyn_named *)self)->function);
    }

    static void pyn_named_dealloc(PyObject *self)
    {
        Py_DECREF(((pyn_named *)self)->function);
        Py_DECREF(((pyn_named *)self)->label);
        PyObject_Free(self);
    }

    static PyTypeObject pyn_named_type = {
        PyVarObject_HEAD_INIT(NULL, 0)
        .tp_name = "nvme.function",
        .tp_basicsize = sizeof(pyn_named),
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
        .tp_call = PyVectorcall_Call,
        .tp_vectorcall_offset = offsetof(pyn_named, call),
        .tp_descr_get = pyn_named_bind,
        .tp_getattro = pyn_named_attribute,
        .tp_getset = pyn_named_members,
        .tp_repr = pyn_named_repr,
        .tp_dealloc = pyn_named_dealloc,
    };

    static PyObject *pyn_named_new(PyObject *function, PyObject *label)
    {
        pyn_named *named = PyType_Ready(&pyn_named_type) == 0 ? PyObject_New(pyn_named, &pyn_named_type) : NULL;

        if (!named)
            return NULL;
        named->call = pyn_named_call;
        named->wrapped = PyVectorcall_Function(function);
        Py_INCREF(named->function = function);
        Py_INCREF(named->label = label);
        return (PyObject *)named;
    }
    """
    object _new_named "pyn_named_new" (object function, object label)
    void (*_named_failed "pyn_named_failed")(object, object, PyObject **, Py_ssize_t, object) noexcept


cdef void _failed(object label, object function, PyObject **args, Py_ssize_t count, object names) noexcept:
    """Make the current exception explain what was wrong with the call."""
    cdef PyObject *kind
    cdef PyObject *error
    cdef PyObject *trace

    PyErr_Fetch(&kind, &error, &trace)
    PyErr_NormalizeException(&kind, &error, &trace)
    try:
        if trace != NULL:
            (<object>error).__traceback__ = <object>trace
        if isinstance(<object>error, (TypeError, AssertionError, ValueError, LookupError, OverflowError,
                                      NotImplementedError)):
            from pynvme import calls  # here, since most scripts never need it

            calls.explain(label, function, <object>error, [<object>args[i] for i in range(count)], names)
    except Exception:
        pass  # the exception stays as it is
    PyErr_Restore(kind, error, trace)


_named_failed = _failed


cdef object _named(object function):
    """The decorator of public functions and methods, and of _construct(), which gets the arguments of __init__()."""
    return _new_named(function, function.__qualname__.replace(".__init__", "").replace("._construct", ""))
