# cython: language_level=3, boundscheck=False, wraparound=False, nonecheck=True
# SPDX-License-Identifier: BSD-3-Clause
# The module that users import includes its parts. Docstrings are in nvme.pyi, and the build carries them in here.

cimport cspdk
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals, PyErr_Fetch, PyErr_NormalizeException, PyErr_Restore
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyObject_GenericGetAttr
from cpython.pystate cimport PyInterpreterState, PyThreadState
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import atexit as _atexit
import errno as _errno
import logging as _logging
import os as _os
import sys as _sys
import time as _time
import warnings as _warnings
import weakref as _weakref
from types import FunctionType as _FunctionType, MethodType as _MethodType
from _thread import RLock as _RLock
from contextlib import suppress as _suppress

from pynvme import failures as _failures, values as _values
from pynvme.values import integer as _integer, number as _number

include "binding/errors.pyx"
include "binding/calls.pyx"
include "binding/dotdict.pyx"
include "binding/buffer.pyx"
include "binding/callback.pyx"
include "binding/device.pyx"
include "binding/command.pyx"
include "binding/cmdlog.pyx"
include "binding/completion.pyx"
include "binding/pcie.pyx"
include "binding/controller.pyx"
include "binding/qpair.pyx"
include "binding/namespace.pyx"
include "binding/key_value.pyx"
include "binding/subsystem.pyx"
include "binding/ioworker.pyx"
include "binding/module.pyx"
