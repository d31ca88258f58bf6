# SPDX-License-Identifier: BSD-3-Clause
"""``regs`` and ``pci`` show registers, without an initialisation of the controller."""

from __future__ import annotations

from typing import Any

import click

from pynvme.address import normal
from pynvme.cli import options, output
from pynvme.cli.drive import opened


@click.command(epilog="Example: pynvme regs 01:00.0 csts")
@options.pciaddr
@options.as_json
@options.words("[ADDRESS] [REGISTER]")
def regs(pciaddr: str | None, as_json: bool, words: tuple[str, ...]) -> None:
    """Show the controller's registers, or one of them: cap, vs, cc, csts, aqa, cmbsz …

    It reads them as they are, and does not initialise the controller. Base 2.1, section 3.1.4.
    """
    from pynvme import spec

    address, rest = options.drive_of(pciaddr, words, most=1)
    with opened(address, initialise=False) as nvme0:
        found = dict(nvme0.regs) if not rest else {rest[0].lower(): _register(nvme0, rest[0])}
        if as_json:
            records = [
                {
                    "name": name,
                    "offset": int(spec.Register[name.upper()]),
                    "value": int(value),
                    "value_bits": value.to_dict() if value.BITS else None,
                }
                for name, value in found.items()
            ]
            output.json({"address": address, "registers": records})
        else:
            for name, value in found.items():
                click.echo(f"{name:<8} {spec.Register[name.upper()]:#06x}  {value!r}")


def _register(nvme0: Any, name: str) -> Any:
    try:
        return getattr(nvme0.regs, name.lower())
    except AttributeError as error:
        raise click.UsageError(str(error)) from None


@click.command(epilog="Example: pynvme pci 01:00.0 exp --json | jq .capabilities[0].data.pxls_bits.nlw")
@options.pciaddr
@click.option("-x", "--dump", is_flag=True, help="Dump configuration space, as lspci -F reads it.")
@options.as_json
@options.words("[ADDRESS] [CAPABILITY]")
def pci(pciaddr: str | None, dump: bool, as_json: bool, words: tuple[str, ...]) -> None:
    """Show the PCI header and the capabilities, or one of them: pm, msi, msix, exp, aer, dsn, sriov …

    exp is PCI Express: device, link, and their controls. It does not initialise the controller.
    """
    address, rest = options.drive_of(pciaddr, words, most=1)
    with opened(address, initialise=False) as nvme0:
        pcie = nvme0.pcie
        caps = pcie.caps
        if dump:
            click.echo(dump_of(normal(address) or "0000:01:00.0", bytes(pcie[0:4096])))
            return
        if rest and rest[0] not in ("header", *caps):
            raise click.UsageError(
                f"the function has no capability {rest[0]}: it has header, {', '.join(caps)}"
            )
        names = rest or list(caps)
        found = [(name, caps.offset(name), caps[name]) for name in names if name != "header"]
        header = caps.header if not rest or rest == ["header"] else None
        if as_json:
            records = [{"name": name, "offset": at, **output.structure(one)} for name, at, one in found]
            head = {} if header is None else {"header": output.structure(header)}
            output.json({"address": address, **head, "capabilities": records})
            return
        if header is not None:
            click.echo(repr(header))
        for name, at, one in found:
            click.echo(f"{at:03X}h {name}: {one!r}")


def dump_of(bdf: str, data: bytes) -> str:
    """Configuration space as the text that lspci -F reads."""
    rows = [f"{at:02x}: {data[at : at + 16].hex(' ')}" for at in range(0, len(data), 16)]
    return "\n".join([f"{bdf} Non-Volatile memory controller", *rows])
