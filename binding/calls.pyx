# SPDX-License-Identifier: BSD-3-Clause
# Calls that are wrong: the exception names the class or the method, the parameter, what was given and what is wanted.
#
# Cython parses arguments before any line of ours runs, and its messages name neither class nor parameter. So each
# public function and constructor is called through a hook, which does nothing but look at a failure.

cdef extern from *:
    """
    static PyObject *pyn_calls_explain;

    /* Have pyn_calls_explain rewrite the text of the exception that is set. Its own failures change nothing. */
    static void pyn_calls_failed(PyObject *called, PyObject *args, PyObject *names)
    {
        PyObject *type, *value, *trace, *done;

        if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_AssertionError) &&
            !PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_LookupError) &&
            !PyErr_ExceptionMatches(PyExc_OverflowError))
            return;
        PyErr_Fetch(&type, &value, &trace);
        PyErr_NormalizeException(&type, &value, &trace);
        if (trace)
            PyException_SetTraceback(value, trace);
        done = args ? PyObject_CallFunctionObjArgs(pyn_calls_explain, called, value, args, names ? names : Py_None,
                                                   NULL)
                    : NULL;
        if (!done)
            PyErr_Clear();
        Py_XDECREF(done);
        PyErr_Restore(type, value, trace);
    }

    static PyObject *pyn_calls_tuple(PyObject *const *args, Py_ssize_t count)
    {
        PyObject *tuple = PyTuple_New(count);

        for (Py_ssize_t i = 0; tuple && i < count; i++) {
            Py_INCREF(args[i]);
            PyTuple_SET_ITEM(tuple, i, args[i]);
        }
        return tuple;
    }

    /* Functions: what calls them is replaced, one hook for each of the few ways that there are. */
    #define PYN_CALLS_WAYS 6
    static vectorcallfunc pyn_calls_way[PYN_CALLS_WAYS];

    static PyObject *pyn_calls_function(unsigned way, PyObject *called, PyObject *const *args, size_t flags,
                                        PyObject *names)
    {
        PyObject *result = pyn_calls_way[way](called, args, flags, names);
        PyObject *given;

        if (__builtin_expect(result != NULL, 1))
            return result;
        given = NULL;
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
            PyObject *type, *value, *trace;

            PyErr_Fetch(&type, &value, &trace);
            given = pyn_calls_tuple(args, PyVectorcall_NARGS(flags));
            PyErr_Restore(type, value, trace);
            pyn_calls_failed(called, given, names);
            Py_XDECREF(given);
        }
        return NULL;
    }

    #define PYN_CALLS_HOOK(n)                                                                                       \\
        static PyObject *pyn_calls_hook_##n(PyObject *called, PyObject *const *args, size_t flags, PyObject *names) \\
        {                                                                                                           \\
            return pyn_calls_function(n, called, args, flags, names);                                              \\
        }
    PYN_CALLS_HOOK(0)
    PYN_CALLS_HOOK(1)
    PYN_CALLS_HOOK(2)
    PYN_CALLS_HOOK(3)
    PYN_CALLS_HOOK(4)
    PYN_CALLS_HOOK(5)
    static const vectorcallfunc pyn_calls_hooks[PYN_CALLS_WAYS] = {
        pyn_calls_hook_0, pyn_calls_hook_1, pyn_calls_hook_2, pyn_calls_hook_3, pyn_calls_hook_4, pyn_calls_hook_5,
    };

    static int pyn_calls_hook_function(PyObject *function)
    {
        Py_ssize_t offset = Py_TYPE(function)->tp_vectorcall_offset;
        vectorcallfunc *at = (vectorcallfunc *)((char *)function + offset);

        if (offset <= 0 || !*at)
            return 0;
        for (unsigned way = 0; way < PYN_CALLS_WAYS; way++) {
            if (*at == pyn_calls_hooks[way])
                return 1;
            if (pyn_calls_way[way] && pyn_calls_way[way] != *at)
                continue;
            pyn_calls_way[way] = *at;
            *at = pyn_calls_hooks[way];
            return 1;
        }
        return 0;
    }

    /* Constructors: the slot, and the method __init__ by which subclasses call it. */
    #define PYN_CALLS_CLASSES 16
    static struct {
        PyTypeObject *type;
        initproc init;
    } pyn_calls_classes[PYN_CALLS_CLASSES];

    static int pyn_calls_init(PyObject *self, PyObject *args, PyObject *keywords)
    {
        unsigned i = 0;

        while (!PyObject_TypeCheck(self, pyn_calls_classes[i].type))
            i++;
        if (pyn_calls_classes[i].init(self, args, keywords) == 0)
            return 0;
        pyn_calls_failed((PyObject *)pyn_calls_classes[i].type, args, keywords);
        return -1;
    }

    static int pyn_calls_hook_class(PyObject *object)
    {
        PyTypeObject *type = (PyTypeObject *)object;
        PyObject *method = PyObject_GetAttrString(object, "__init__");
        unsigned i = 0;

        while (i < PYN_CALLS_CLASSES - 1 && pyn_calls_classes[i].type)
            i++;
        if (!method || pyn_calls_classes[i].type || !Py_IS_TYPE(method, &PyWrapperDescr_Type)) {
            PyErr_Clear();
            Py_XDECREF(method);
            return 0;
        }
        pyn_calls_classes[i].type = type;
        pyn_calls_classes[i].init = type->tp_init;
        type->tp_init = pyn_calls_init;
        type->tp_vectorcall = NULL; /* which would call the slot's old value */
        ((PyWrapperDescrObject *)method)->d_wrapped = (void *)pyn_calls_init;
        Py_DECREF(method);
        return 1;
    }

    static void pyn_calls_set_explain(PyObject *function)
    {
        Py_INCREF(function);
        pyn_calls_explain = function;
    }
    """
    bint _hook_function "pyn_calls_hook_function" (object function)
    bint _hook_class "pyn_calls_hook_class" (object cls)
    void _set_explain "pyn_calls_set_explain" (object function)


def _explain(called, error, args, names):
    from pynvme import calls  # here, because most scripts never need it

    calls.explain(called, error, args, names)


def _name_wrong_calls():
    _set_explain(_explain)
    for name in __all__:
        thing = globals()[name]
        if isinstance(thing, type) and not issubclass(thing, BaseException):
            if "__init__" in vars(thing):  # and not one that it inherits, from dict
                _hook_class(thing)
            for member in list(vars(thing).values()):
                if type(member) is type(_explain):
                    _hook_function(member)
        elif type(thing) is type(_explain):
            _hook_function(thing)


_name_wrong_calls()
