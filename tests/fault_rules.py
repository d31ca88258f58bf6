# SPDX-License-Identifier: BSD-3-Clause
"""Makes fault rules from what the virtual SSD says of its words, so that new ones are used at once."""

from __future__ import annotations

import functools
import random
import re
from typing import Any

from pynvme.vssd import executable
from tools.fault_words import words

Word = dict[str, Any]

# What selects a place.
WHERE = {
    "command": ["opcode=read", "opcode=write", "opcode=flush", "queue=io", "queue=admin", "opcode=identify"],
    "data": ["opcode=read", "opcode=write", "log=02h", "cns=1", "opcode=dataset-management"],
    "completion": ["opcode=read", "opcode=write", "queue=io", "queue=admin", "opcode=delete-io-sq"],
    "register": ["register=CSTS", "register=CAP", "register=CC access=write", "register=CC access=read"],
    "config": ["config=4", "config=0", "config=6 access=read"],
    "doorbell": ["on=doorbell", "on=doorbell ring=cq", "on=doorbell ring=sq queue=1"],
    "interrupt": ["on=interrupt", "on=interrupt vector=1"],
    "event": ["on=event"],
    "reset": ["on=enable", "on=disable", "on=reset", "on=shutdown", "on=flr"],
    "power": ["on=power-loss"],
}
OCCASIONS = ["", "nth=2", "every=3", "chance=0.3 seed=5", "after=write", "since=reset nth=2", "writes>=2"]
VALUES = {
    "no value": [""],
    "a number": ["0", "1", "7", "512", "65535", "4294967295"],
    "a signed number": ["1", "-1", "1000000"],
    "milliseconds": ["0", "1", "50us", "1..20", "400"],
}


@functools.cache
def language() -> dict[str, list[Word]]:
    """All words of the language."""
    return words(executable())


def actions() -> list[str]:
    """The names of all actions."""
    return [one["name"] for one in language()["actions"]]


def language_examples() -> list[str]:
    """The examples of all actions, as their help has them."""
    return [one["example"] for one in language()["actions"]]


def examples() -> list[str]:
    """A rule for each action, at each of its places that are known, after the example of its help."""
    rules = []
    for one in language()["actions"]:
        action = one["example"].partition("do ")[2].replace("count=1", "").strip()
        places = [place for place in one["places"] if place in WHERE]
        if len(places) > 6:
            places = ["command", "reset", "doorbell"]
        rules.append(one["example"])
        rules += [f"{WHERE[place][0]} do {action}" for place in places]
    return list(dict.fromkeys(rules))


def value(word: Word, rng: random.Random) -> str:
    """A value of a word, or one that its example has."""
    takes = word["takes"]
    for kind, values in VALUES.items():
        if takes.startswith(kind):
            return rng.choice(values)
    listed = re.split(r", | or ", takes)
    return rng.choice(listed).split()[0] if len(listed) > 1 else rng.choice(VALUES["a number"])


def _assigned(name: str, text: str) -> str:
    return f"{name}={text}" if text else name


def random_rule(rng: random.Random) -> str:
    """A rule that is likely to be valid: the virtual SSD refuses the others."""
    found = language()
    one = rng.choice(found["actions"])
    place = rng.choice([place for place in one["places"] if place in WHERE] or ["command"])
    keys = {word["name"]: word for word in found["words"]}
    given = re.match(r"\S+", one["example"].partition("do ")[2])
    assert given is not None
    action = given[0]
    if "=" in action and rng.random() < 0.5:
        action = _assigned(one["name"], value(one, rng))
    after = []
    for name in one["words"]:
        if name not in keys:
            field = rng.choice(found["fields"])
            after.append(f"{field['name']}={rng.choice(('0', '1', '0x7f', '0xffff', '3'))}")
        elif rng.random() < 0.4:
            after.append(_assigned(name, value(keys[name], rng)))
    count = rng.choice(["", "count=1", "count=3"])
    return " ".join(
        filter(None, [rng.choice(WHERE[place]), rng.choice(OCCASIONS), "do", action, *after, count])
    )
