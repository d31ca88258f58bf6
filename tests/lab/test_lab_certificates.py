# SPDX-License-Identifier: BSD-3-Clause
"""Certificates of a lab, and the rule that connections beyond this host need them."""

from __future__ import annotations

import os
import stat
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

pytest.importorskip("distributed")
pytest.importorskip("cryptography")

from cryptography import x509

from pynvme.lab import certificates

NEEDS = "can be reached from other hosts, and whoever reaches it can run programs here: use tls://"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("tls") / "lab"
    certificates.make(made, ["node1", "10.0.0.7"], 100)
    return made


def test_only_the_user_may_read_them_and_they_name_the_hosts(folder):
    names = {path.name for path in folder.iterdir()}
    roles = {"scheduler", "worker", "client"}
    assert names == {"ca.pem", *(f"{one}.pem" for one in roles), *(f"{one}-key.pem" for one in roles)}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found = x509.load_pem_x509_certificate((folder / "worker.pem").read_bytes())
    named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert named.get_values_for_type(x509.DNSName) == ["localhost", "node1"]
    assert [str(one) for one in named.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1", "10.0.0.7"]
    left = certificates.expiry(folder / "worker.pem") - datetime.now(timezone.utc)
    assert timedelta(days=99) < left <= timedelta(days=100)
    assert certificates.ends_soon(folder, "worker") == ""


@pytest.mark.parametrize("role", ["scheduler", "worker", "client"])
def test_openssl_accepts_them(folder, role):
    command = ["openssl", "verify", "-x509_strict", "-CAfile", folder / "ca.pem", folder / f"{role}.pem"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    assert done.returncode == 0, done.stderr


def test_nothing_is_overwritten(folder):
    before = (folder / "worker-key.pem").read_bytes()
    with pytest.raises(certificates.SecurityError, match=r"ca\.pem exists already, and hosts may use it"):
        certificates.make(folder)
    assert (folder / "worker-key.pem").read_bytes() == before


@pytest.mark.parametrize("days", [0, 3651])
def test_days_out_of_range(tmp_path, days):
    with pytest.raises(certificates.SecurityError, match=f"1 to 3650 days, not {days}"):
        certificates.make(tmp_path / "new", days=days)
    assert not (tmp_path / "new").exists()


def test_what_is_no_host_leaves_no_file(tmp_path):
    with pytest.raises(certificates.SecurityError, match="'a b' is neither the name of a host nor"):
        certificates.make(tmp_path / "new", ["a b"])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "127.0.0.1:8786", "tcp://[::1]:8786", "localhost:1"]
)
def test_this_host_needs_no_certificates(address):
    assert certificates.security(address, "worker", None) is None


@pytest.mark.parametrize(
    "address", ["tcp://10.1.2.3:8786", "tcp://0.0.0.0:8786", "tcp://:8786", "tcp://[::]:1"]
)
def test_other_hosts_need_them_unless_insecure_is_said(address):
    with pytest.raises(certificates.SecurityError, match=NEEDS):
        certificates.security(address, "worker", None)
    assert certificates.security(address, "worker", None, insecure=True) is None


def test_tls_needs_a_folder_and_a_folder_needs_tls(folder):
    with pytest.raises(certificates.SecurityError, match="needs certificates: give their folder with --tls"):
        certificates.security("tls://127.0.0.1:8786", "worker", None)
    with pytest.raises(certificates.SecurityError, match="is not encrypted, so --tls has no effect"):
        certificates.security("tcp://127.0.0.1:8786", "worker", str(folder))
    with pytest.raises(certificates.SecurityError, match="is no address of a scheduler"):
        certificates.security("http://127.0.0.1", "worker", None)
    found = certificates.security("tls://10.1.2.3:8786", "client", str(folder))
    assert found is not None and found.require_encryption
    assert found.tls_client_cert == str(folder / "client.pem")


def test_certificates_that_cannot_be_used(tmp_path):
    def said(folder: Path) -> str:
        with pytest.raises(certificates.SecurityError) as error:
            certificates.security("tls://a:1", "worker", str(folder))
        return str(error.value)

    assert f"there is no {tmp_path / 'ca.pem'}: `pynvme lab certificates" in said(tmp_path)
    folder = tmp_path / "lab"
    certificates.make(folder, days=1)
    assert certificates.ends_soon(folder, "worker").endswith("worker.pem expires in 0 days")
    os.chmod(folder / "worker-key.pem", 0o640)
    assert "others may read" in said(folder) and "`chmod 600" in said(folder)
    os.chmod(folder / "worker-key.pem", 0o600)
    (folder / "worker.pem").write_text("nothing")
    assert "is no certificate in PEM format" in said(folder)


def test_an_expired_certificate_is_refused_by_its_date(folder, monkeypatch):
    class Later(datetime):
        """A clock that is a year ahead."""

        @classmethod
        def now(cls, tz=None):
            """Tell the time."""
            return datetime.now(tz) + timedelta(days=365)

    monkeypatch.setattr(certificates.datetime, "datetime", Later)
    with pytest.raises(certificates.SecurityError, match=r"ca\.pem has expired on \d\d \w+ 20\d\d: make new"):
        certificates.security("tls://a:1", "worker", str(folder))


def test_a_deployer_of_dask_gets_the_certificates_of_all_roles(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.parent)
    security = certificates.cluster(folder.name)  # its workers run elsewhere
    for role in certificates.ROLES:
        told = security.get_tls_config_for_role(role)
        assert told["cert"] == str(folder.resolve() / f"{role}.pem")
        assert security.get_connection_args(role)["require_encryption"]
    with pytest.raises(certificates.SecurityError, match=r"there is no .*ca\.pem"):
        certificates.cluster(tmp_path)
