# SPDX-License-Identifier: BSD-3-Clause
"""``lockdown`` prohibits commands and features, and ``lockdown-log`` lists them."""

from __future__ import annotations

import click

from pynvme.cli import options
from pynvme.cli.drive import opened
from pynvme.cli.identify import raw, show
from pynvme.cli.send import completion, report

LOCKDOWN, LOG = 0x24, 0x14
CONTENTS = {"supported": 0, "prohibited": 1, "out-of-band": 2}


@click.command(epilog="Example: pynvme lockdown 01:00.0 --ofi 0x80 --prhbt 1")
@options.pciaddr
@options.number("-o", "--ofi", bits=8, text="The opcode, or the feature.")
@options.number("-s", "--scp", bits=4, text="What it is: 0 opcode, 2 feature, 3 of NVMe-MI, 4 of PCIe.")
@options.number("-p", "--prhbt", bits=1, text="1 prohibits it, 0 allows it again.")
@options.number("-f", "--ifc", bits=2, text="0 the admin queue, 1 out of band too, 2 out of band only.")
@options.number("-U", "--uuid", "uidx", bits=7, text="UUID index.")
@options.as_json
@options.words("[ADDRESS]")
def lockdown(pciaddr: str | None, as_json: bool, words: tuple[str, ...], **fields: int) -> None:
    """Prohibit an admin command or a feature until the next power cycle, or allow it again.

    Base 2.1, section 5.1.15.
    """
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        done = completion(nvme0, lambda cb: nvme0.lockdown(**fields, cb=cb))
        report(nvme0, address, LOCKDOWN, done, as_json, "prohibited" if fields["prhbt"] else "allowed")


@click.command("lockdown-log", epilog="Example: pynvme lockdown-log 01:00.0 --contents prohibited")
@options.pciaddr
@options.number("-s", "--scp", bits=4, text="0 opcodes, 2 features, 3 of NVMe-MI, 4 of PCIe.")
@click.option(
    *("-c", "--contents"),
    type=click.Choice(list(CONTENTS)),
    default="supported",
    show_default=True,
    help="What can be prohibited, or is on the admin queue, or out of band.",
)
@options.as_json
@raw
@options.words("[ADDRESS]")
def lockdown_log(
    pciaddr: str | None, scp: int, contents: str, as_json: bool, raw_binary: bool, words: tuple[str, ...]
) -> None:
    """List what Lockdown can prohibit, or has prohibited (log page 14h).

    Base 2.1, section 5.1.12.1.21.
    """
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = nvme0.log(LOG, lsp=CONTENTS[contents] << 4 | scp)
        show(found, {"address": address, "lid": LOG}, as_json, raw_binary)
