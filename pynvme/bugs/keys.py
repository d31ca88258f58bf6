# SPDX-License-Identifier: BSD-3-Clause
"""K: keys and values."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

DELETE = "KV 1.1, 3.2.1 Delete"
EXIST = "KV 1.1, 3.2.2 Exist"
LIST = "KV 1.1, 3.2.3 List"
RETRIEVE = "KV 1.1, 3.2.4 Retrieve"
STORE = "KV 1.1, 3.2.5 Store"

DRIVE: dict[str, str | int] = {"size": "64M", "namespaces": 2, "key_value": 1, "kv_keys": 500}


def _bug(number: int, name: str, title: str, inside: str, clause: str, *rules: str) -> Bug:
    return Bug(f"K{number}", name, title, inside, clause, rules, options=DRIVE, areas=("key_value",))


BUGS = (
    _bug(
        1,
        "key-compared-in-part",
        "Two keys that differ in their last bytes are one",
        "The index compares the first 12 bytes of a key.",
        STORE,
        *(f"queue=io opcode={opcode} nsid=2 do set cdw15=0" for opcode in (1, 2, 0x10, 0x14)),
    ),
    _bug(
        2,
        "key-delete-lost",
        "A deleted key is still there",
        "The tombstone of a key is dropped if the table of keys is being written.",
        DELETE,
        "queue=io opcode=0x10 nsid=2 every=3 do skip",
    ),
    _bug(
        3,
        "key-store-lost",
        "A new value of a key is not stored",
        "The entry of the old value wins a race in the hash bucket.",
        STORE,
        "queue=io opcode=1 nsid=2 every=4 do skip",
    ),
    _bug(
        4,
        "key-value-corrupt",
        "A long value comes back with a wrong bit",
        "The last page of a value of several pages is moved without its ECC.",
        RETRIEVE,
        "queue=io opcode=2 nsid=2 cdw10>8192 every=3 do flip byte=5000 bit=1",
    ),
    _bug(
        5,
        "key-options-ignored",
        "Store overwrites a key that exists although it must not",
        "The options are looked up before the key is, and forgotten.",
        STORE,
        "queue=io opcode=1 nsid=2 do set cdw11[15:8]=0",
    ),
    _bug(
        6,
        "key-size-unchecked",
        "A key of more than KML bytes is taken",
        "KL is cut to four bits.",
        STORE,
        *(
            f"queue=io opcode={opcode} nsid=2 cdw11[7:0]>16 do set cdw11[7:0]=1"
            for opcode in (1, 2, 0x10, 0x14)
        ),
    ),
    _bug(
        7,
        "key-flush-lies",
        "A flushed key is lost with the power",
        "Flush writes the values back, and not the table of keys.",
        "Base 2.1, 7.2 Flush",
        "opcode=flush nsid=2 do skip",
    ),
    _bug(
        8,
        "key-retrieve-size",
        "Retrieve tells the length that it has transferred, and not that of the value",
        "Dword 0 is filled in from the descriptor of the transfer.",
        RETRIEVE,
        "queue=io opcode=2 nsid=2 cdw10<=4096 do set cqe.result=512",
    ),
    _bug(
        9,
        "key-exist-says-yes",
        "Exist succeeds for a key that does not exist",
        "A Bloom filter answers the command.",
        EXIST,
        "queue=io opcode=0x14 nsid=2 every=5 do skip",
    ),
    _bug(
        10,
        "key-list-short",
        "A list that begins at a key begins behind it",
        "The iterator is advanced before the first key is returned.",
        LIST,
        "queue=io opcode=6 nsid=2 cdw11[7:0]=1..15 do add cdw11[7:0]=1",
    ),
)
