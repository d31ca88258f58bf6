# SPDX-License-Identifier: BSD-3-Clause
"""TLS of a lab: who may connect, and the certificates for it.

A scheduler of Dask runs whatever a client sends it. So pynvme talks to one beyond this host only by TLS,
where each side proves by a certificate that it belongs to the lab. :func:`security` is the rule, and
:func:`make` makes the certificates.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from distributed import Security

ROLES = ("scheduler", "worker", "client")
"""Each has a certificate of its own, signed by the authority of the lab."""

AUTHORITY = "ca"

DAYS = 365
"""For how many days the certificates are valid by default."""

_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")

SOON = datetime.timedelta(days=30)

COMMAND = "pynvme lab certificates"


class SecurityError(RuntimeError):
    """A connection would not be safe, or a certificate cannot be used. The text says why, and what to do."""


# The rule


def is_loopback(address: str) -> bool:
    """Whether an address, such as ``tcp://127.0.0.1:8786``, can only be reached from this host.

    A name counts if all its addresses are loopback ones. An empty host and 0.0.0.0 mean all interfaces.
    """
    host = urlsplit(address if "://" in address else f"tcp://{address}").hostname
    if not host:
        return False
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in found)


def security(address: str, role: str, folder: str | None, insecure: bool = False) -> Security | None:
    """The TLS for a scheduler's address, or None where plain TCP is allowed.

    Args:
        address: the address of the scheduler, ``tls://…`` or ``tcp://…``
        role: scheduler, worker or client, which is the certificate to use
        folder: the folder of the certificates (``--tls``), or None
        insecure: whether plain TCP beyond this host was asked for (``--insecure``)

    Raises:
        SecurityError: the address is beyond this host and there is no TLS, or a certificate is missing,
            has expired or may be read by others
    """
    scheme = address.partition("://")[0] if "://" in address else "tcp"
    if scheme not in ("tcp", "tls"):
        raise SecurityError(f"{address} is no address of a scheduler: tls://HOST:PORT, or tcp://HOST:PORT")
    if scheme == "tls":
        if folder is None:
            raise SecurityError(
                f"{address} needs certificates: give their folder with --tls. `{COMMAND} DIR` makes them"
            )
        return _security(Path(folder), [role])
    if folder is not None:
        raise SecurityError(f"{address} is not encrypted, so --tls has no effect: write tls:// instead")
    if not insecure and not is_loopback(address):
        raise SecurityError(
            f"{address} can be reached from other hosts, and whoever reaches it can run programs here: use "
            f"tls:// and --tls DIR (`{COMMAND} DIR` makes the certificates), or say --insecure"
        )
    return None


def cluster(folder: str | os.PathLike[str]) -> Security:
    """The TLS for a deployer of Dask, which is scheduler and client, and passes the files on to its workers.

    Args:
        folder: the folder of the certificates, at the same path on all hosts

    Raises:
        SecurityError: a certificate is missing, has expired or may be read by others
    """
    return _security(Path(folder).resolve(), ROLES)


def _security(folder: Path, roles: Sequence[str]) -> Security:
    from distributed import Security

    authority = folder / "ca.pem"
    files: dict[str, Any] = {}
    for role in roles:
        own, key = folder / f"{role}.pem", folder / f"{role}-key.pem"
        for path in (authority, own, key):
            if not path.is_file():
                raise SecurityError(
                    f"there is no {path}: `{COMMAND} {folder}` makes it, on one host of the lab"
                )
        if key.stat().st_mode & 0o077:
            raise SecurityError(f"others may read {key}, the key of the {role}: `chmod 600 {key}`")
        for path in (authority, own):
            _refuse_expired(path)
        files |= {f"tls_{role}_cert": str(own), f"tls_{role}_key": str(key)}
    return Security(tls_ca_file=str(authority), require_encryption=True, **files)


def _refuse_expired(path: Path) -> None:
    end = expiry(path)
    now = datetime.datetime.now(datetime.timezone.utc)
    if end < now:
        raise SecurityError(
            f"{path} has expired on {end:%d %B %Y}: make new certificates in a new folder with `{COMMAND}`, "
            "and copy them to all hosts of the lab"
        )


def expiry(path: Path) -> datetime.datetime:
    """When a certificate expires (UTC). SecurityError if the file is no certificate."""
    x509 = _cryptography().x509
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise SecurityError(f"{path} is no certificate in PEM format ({error})") from None
    if hasattr(found, "not_valid_after_utc"):
        end: datetime.datetime = found.not_valid_after_utc
        return end
    end = found.not_valid_after  # cryptography before 42
    return end.replace(tzinfo=datetime.timezone.utc)


def ends_soon(folder: Path, role: str) -> str:
    """A sentence if the certificate of a role expires within 30 days, or ""."""
    path = folder / f"{role}.pem"
    left = expiry(path) - datetime.datetime.now(datetime.timezone.utc)
    return f"{path} expires in {left.days} days" if left < SOON else ""


def scheduler_command(folder: str | os.PathLike[str]) -> str:
    """The command that starts a scheduler of Dask with the certificates of a folder."""
    path = Path(folder)
    return (
        f"dask scheduler --dashboard-address 127.0.0.1:8787 --protocol tls --tls-ca-file {path / 'ca.pem'} "
        f"--tls-cert {path / 'scheduler.pem'} --tls-key {path / 'scheduler-key.pem'}"
    )


# The certificates


def make(folder: str | os.PathLike[str], hosts: Sequence[str] = (), days: int = DAYS) -> list[Path]:
    """Make the authority of a lab, and a certificate for each role, all in a folder.

    Args:
        folder: is made if it is missing. Its files are ``ca.pem``, and ``ROLE.pem`` and ``ROLE-key.pem`` for
            scheduler, worker and client. Only the user may read them
        hosts: names or IP addresses of the hosts of the lab, which the certificates name beside localhost
        days: for how many days they are valid, 1 to 3650

    Returns:
        The files

    Raises:
        SecurityError: a file exists already, the days are out of range, or cryptography is not installed
    """
    if not 1 <= days <= 3650:
        raise SecurityError(f"certificates can be valid for 1 to 3650 days, not {days}")
    path = Path(folder)
    names = ["ca", *(name for role in ROLES for name in (role, f"{role}-key"))]
    files = [path / f"{name}.pem" for name in names]
    existing = [str(file) for file in files if file.exists()]
    if existing:
        raise SecurityError(
            f"{existing[0]} exists already, and hosts may use it: name a new folder, or remove the old one"
        )
    texts = _texts(hosts, days)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in files:
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as out:
            out.write(texts[file.stem])
    return files


def _cryptography() -> Any:
    try:
        import cryptography.x509
    except ImportError as error:
        raise SecurityError(
            f"certificates need the package cryptography ({error}): pip install 'pynvme[lab]'"
        ) from None
    return cryptography


def _texts(hosts: Sequence[str], days: int) -> dict[str, bytes]:
    """The contents of the files. The key of the authority is not kept, so nobody can sign a further one."""
    x509 = _cryptography().x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.timezone.utc)

    def name(role: str) -> Any:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"pynvme lab {role}")])

    def new(role: str, key: Any) -> Any:
        # an hour ago, since clocks of hosts differ
        builder = x509.CertificateBuilder().subject_name(name(role)).issuer_name(name(AUTHORITY))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
        is_authority = role == AUTHORITY
        constraints = x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None)
        return builder.not_valid_after(now + datetime.timedelta(days=days)).add_extension(constraints, True)

    def pem(thing: Any) -> bytes:
        data: bytes = thing.public_bytes(serialization.Encoding.PEM)
        return data

    signer = ec.generate_private_key(ec.SECP256R1())
    root = new(AUTHORITY, signer)
    root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), False)
    root = root.add_extension(_signs_only(x509), True)
    texts = {AUTHORITY: pem(root.sign(signer, hashes.SHA256()))}
    alternatives = x509.SubjectAlternativeName([_general_name(x509, host) for host in _all_names(hosts)])
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    for role in ROLES:
        key = ec.generate_private_key(ec.SECP256R1())
        own = new(role, key).add_extension(alternatives, False).add_extension(signed_by, False)
        texts[role] = pem(own.sign(signer, hashes.SHA256()))
        texts[f"{role}-key"] = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    return texts


def _all_names(hosts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(["localhost", "127.0.0.1", "::1", *hosts]))


def _general_name(x509: Any, host: str) -> Any:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not _HOST.fullmatch(host):
        raise SecurityError(f"{host!r} is neither the name of a host nor an IP address")
    return x509.DNSName(host)


def _signs_only(x509: Any) -> Any:
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage)
