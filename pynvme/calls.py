# SPDX-License-Identifier: BSD-3-Clause
"""Makes the exception of a wrong call name the function, the parameter, and the given and expected values.

The driver's functions and constructors pass each exception of a call to this module, before the script sees
it (``binding/calls.pyx``).
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable
from typing import Any, Callable

from pynvme import near

_KINDS = (TypeError, AssertionError, ValueError, IndexError, OverflowError)
_PACKAGE = os.path.dirname(__file__) + os.sep
_PREFIX = "_pynvme_prefix"
"""Attribute of an exception with the prefix of its text, which an outer call replaces."""

_WANTED = {
    "addr": "an address",
    "buf": "a Buffer",
    "file": "the name of a file",
    "filename": "the name of a file",
    "func": "a function",
    "lba": "an LBA",
    "nvme": "a Controller",
    "qpair": "a Qpair",
    "structure": "a structure of pynvme.spec, or its name",
}


def explain(
    label: str, called: Callable[..., Any], error: BaseException, args: list[Any], names: Iterable[str] | None
) -> None:
    """Make an exception's text name the class or function that was called with wrong arguments.

    ``label`` is the name in the text, such as `Namespace.read`, and ``names`` are those of keyword arguments.
    If the script's own code raised the exception, in a callback or in an ``__index__``, it is not changed.
    """
    name = called.__name__
    text = str(error)
    before = getattr(error, _PREFIX, "")
    if type(error) is TypeError and not before and text.startswith(f"{name}() "):
        text = _wrong_call(called, label, args, list(names or ())) or label + text[len(name) :]
        before, prefix = "", ""
    elif (
        (type(error) in _KINDS or hasattr(error, "capability"))
        and _is_the_drivers(error)
        and text.startswith(before)
    ):
        prefix = f"{label}(): "
    else:
        return
    error.args = (prefix + text[len(before) :],)
    setattr(error, _PREFIX, prefix)


def named(error: BaseException, call: str) -> BaseException:
    """Let the exception of a capability that the engine withholds name the call. Return the exception."""
    if hasattr(error, "capability"):
        prefix = f"{call}: "
        error.args = (f"{prefix}{error}",)
        setattr(error, _PREFIX, prefix)
    return error


def _is_the_drivers(error: BaseException) -> bool:
    """Whether only code of Cython (.pyx) and of this package was running, and none of the script."""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.endswith(".pyx") and not file.startswith(_PACKAGE):
            return False
        trace = trace.tb_next
    return True


def _wrong_call(called: Callable[..., Any], label: str, args: list[Any], names: list[str]) -> str | None:
    """What is wrong with the arguments of a call. Cython itself reports only their number."""
    parameters = list(inspect.signature(called).parameters.values())
    if parameters and parameters[0].name == "self":
        if not args:
            return f"{label}() was called without the object that it belongs to"
        parameters, args = parameters[1:], args[1:]
    positional = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    by_name_only = [at for at, one in enumerate(parameters) if one.kind is one.KEYWORD_ONLY]
    written = [*map(_written, parameters)]
    if by_name_only:
        written.insert(by_name_only[0], "*")
    signature = f"{label}({', '.join(written)})"
    wrong = (
        _unknown(label, names, [one.name for one in parameters])
        or _twice(label, names, positional[: len(args)])
        or _too_many(label, len(args), len(positional))
        or _missing(label, parameters, positional[: len(args)] + names)
    )
    return wrong and f"{wrong}{'' if wrong.endswith('?') else '.'} It is {signature}"


def _unknown(label: str, names: list[str], known: list[str]) -> str | None:
    for name in names:
        if name not in known:
            return f"{label}() has no parameter {name!r}{near.hint(name, known)}"
    return None


def _twice(label: str, names: list[str], by_position: list[str]) -> str | None:
    both = [name for name in names if name in by_position]
    return f"{label}() was given {both[0]} twice, by its position and by its name" if both else None


def _too_many(label: str, given: int, most: int) -> str | None:
    if given <= most:
        return None
    limit = "no argument" if most == 0 else f"at most {most} argument{'s' * (most != 1)} by position"
    return f"{label}() takes {limit}, and was given {given}"


def _missing(label: str, parameters: list[inspect.Parameter], given: list[str]) -> str | None:
    missing = [one.name for one in parameters if one.default is one.empty and one.name not in given]
    if not missing:
        return None
    wanted = [f"{_WANTED[name]} ({name})" if name in _WANTED else name for name in missing]
    rest = f"{', '.join(wanted[:-1])} and {wanted[-1]}" if len(wanted) > 1 else wanted[0]
    return f"{label}() needs {rest}, and was given " + (f"only {', '.join(given)}" if given else "nothing")


def _written(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return parameter.name
    default = parameter.default
    return f"{parameter.name}={default.__name__ if isinstance(default, type) else repr(default)}"
