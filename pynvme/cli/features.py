# SPDX-License-Identifier: BSD-3-Clause
"""``features`` reads and sets the features of a drive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pynvme.cli import options, output
from pynvme.cli.drive import opened
from pynvme.structure import Word

if TYPE_CHECKING:
    from pynvme.decode import FeatureState

SELECT = {"current": 0, "default": 1, "saved": 2, "supported": 3}


@click.command(
    epilog="Example: pynvme features 01:00.0 power --set 3 --save",
)
@options.pciaddr
@click.option("--sel", type=click.Choice(list(SELECT)), default="current", help="Which value to read.")
@click.option(
    "-n", "--nsid", type=options.Number(32), metavar="N", help="The namespace (default: 1, or none)."
)
@click.option("--cdw11", type=options.Number(32), default=0, metavar="N", help="What selects a part of it.")
@click.option("--set", "value", type=options.Number(32), metavar="N", help="Set the feature to this number.")
@click.option(
    "--data", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="Set it with these data."
)
@click.option("--save", is_flag=True, help="Keep what is set over power cycles.")
@options.as_json
@options.words("[ADDRESS] [FEATURE]")
def features(
    pciaddr: str | None,
    sel: str,
    nsid: int | None,
    cdw11: int,
    value: int | None,
    data: str | None,
    save: bool,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Show all features of a drive, or show or set one.

    FEATURE is a number (4, 10h) or a name: power, temperature, vwc, queues, hctm, timestamp … or that
    of its structure, such as volatile_write_cache. Base 2.1, section 5.1.25.
    """
    from pynvme import decode

    address, rest = options.drive_of(pciaddr, words, most=1)
    setting = value is not None or data is not None
    if (setting or save) and not rest:
        raise click.UsageError("Name the feature to set.")
    if save and not setting:
        raise click.UsageError("--save needs --set or --data.")
    fid = options.number_or_name(rest[0], decode.feature_numbers(), "feature", 8) if rest else None
    with opened(address) as nvme0:
        known = nvme0.features
        if fid is None:
            found = [*known.all(SELECT[sel])]
        else:
            if setting:
                payload = Path(data).read_bytes() if data is not None else None
                known.set(fid, value or 0, save=save, nsid=nsid, cdw11=cdw11, data=payload)
            found = [known.get(fid, SELECT[sel], nsid, cdw11)]
        if as_json:
            output.json({"address": address, "select": sel, "features": [_record(one) for one in found]})
        else:
            click.echo("\n".join(map(repr, found)))


def _record(state: FeatureState) -> dict[str, Any]:
    bits = state.word.to_dict() if isinstance(state.word, Word) and state.word.BITS else None
    found = state.data
    return {
        "fid": state.fid,
        "name": state.name.lower(),
        "word": int(state.word),
        "word_bits": bits,
        **({"structure": None, "data": None} if found is None else output.structure(found)),
    }
