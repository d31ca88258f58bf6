# SPDX-License-Identifier: BSD-3-Clause
"""``make test-distros``: build and run pynvme in minimal roots of other Debian releases.

mmdebstrap makes each root once, in build/distros, with only make and Python in it. There the Makefile sets up
the rest, runs the demonstration and tests/api, and makes a wheel and an sdist. Both are tried in a root of
the same release without a compiler. There pip has to install the wheel, and a test has to pass. The sdist has
to name all missing packages in one message.

``python tools/distros.py [--only RELEASE] [--fresh] [--quick] [--whole]`` needs root, and some ten minutes
per release. With ``--whole`` it runs all of `make test` in each root, which takes as long again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ROOTS = ROOT / "build" / "distros"
RELEASES = ("bullseye", "bookworm", "trixie", "testing")
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
WITH = {"full": "ca-certificates,make,python3", "bare": "ca-certificates,python3,python3-pip,python3-venv"}
LIMIT = 3000
"""Time limit of a step, in seconds."""

# The root sees the kernel's file systems and this machine's network names, and nothing else of the machine.
ENTER = r"""
set -e
root=$1
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir -p "$root/dev/shm" "$root/dev/pts"
for name in null zero full random urandom tty; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
exec chroot "$root" sh -c "cd /src && $2"
"""

VERSIONS = (
    "echo DPDK $(pkg-config --modversion libdpdk), $(.venv/bin/python -V), $(gcc --version | head -n 1)"
)
PYTEST = ".venv/bin/python -m pytest tests/api -q"
# As in `make test`: what a load of the machine made fail runs again, alone.
API = f"make .venv/.test-packages && {PYTEST} --beside=build/later-api && {PYTEST} --alone=build/later-api"
FRESH = "rm -rf /venv && python3 -m venv /venv && /venv/bin/pip install -q"
SDIST = f"{FRESH} dist/*.tar.gz && cd / && /venv/bin/python -c 'import nvme; print(nvme.__file__)'"
WHEEL = (
    f"{FRESH} *.whl && /venv/bin/pynvme run --seconds 3 && /venv/bin/python -m pytest -q -p no:cacheprovider"
)
TEST = """
def test_a_read_gives_what_was_written(nvme0n1, qpair, buf):
    buf[8:12] = b"pynv"
    nvme0n1.write(qpair, buf, 0).waitdone()
    buf[8:12] = bytes(4)
    nvme0n1.read(qpair, buf, 0).waitdone()
    assert buf[8:12] == b"pynv"
"""


PACKAGES = ("gcc", "libc6-dev", "make", "pkg-config", "libdpdk-dev", "python3-dev")
"""The packages that the sdist has to name in one message if there is no compiler."""
ASK = (
    f"if {FRESH} *.tar.gz >/tmp/said 2>&1; then echo it was built without a compiler; exit 1; fi; "
    "cat /tmp/said; "
    f"line=$(grep 'apt-get install' /tmp/said | head -n 1); for name in {' '.join(PACKAGES)}; do "
    'case " $line " in *" $name "*) ;; *) echo "$name is not named"; exit 1;; esac; done; echo "$line"'
)


class Step(NamedTuple):
    """A step that ran for a release, and the last line that it printed."""

    release: str
    name: str
    good: bool
    seconds: float
    told: str


class Distro:
    """A release and its roots. ``full`` builds pynvme, ``bare`` has no compiler."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.steps: list[Step] = []

    def run(self, fresh: bool, quick: bool, whole: bool) -> None:
        """Run all steps. If a step fails whose result later steps need, stop."""
        if not self.make_root("full", fresh):
            return
        self.copy_checkout()
        if not self.inside("full", "build", "make build"):
            return
        self.inside("full", "versions", VERSIONS)
        self.inside("full", "demo", "make run ARGS='--seconds 3'")
        if whole or not quick:
            self.inside("full", "tests", "make test" if whole else API)
        packed = self.inside("full", "wheel", "rm -rf dist && make wheel && ls dist/*.whl")
        packed &= self.inside("full", "sdist", ".venv/bin/python setup.py -q sdist && ls dist/*.tar.gz")
        if packed:
            self.inside("full", "sdist builds", SDIST)
        if packed and self.make_root("bare", fresh):
            self.hand_over()
            self.inside("bare", "wheel runs", WHEEL)
            self.inside("bare", "sdist says", ASK)

    def root(self, kind: str) -> Path:
        return ROOTS / f"{self.release}-{kind}"

    def make_root(self, kind: str, fresh: bool) -> bool:
        """Make a root, unless an earlier run has made it."""
        root = self.root(kind)
        if fresh or not (root / ".made").exists():
            shutil.rmtree(root, ignore_errors=True)
            options = ["--variant=apt", "--mode=root", f"--include={WITH[kind]}"]
            options += ["--aptopt=Acquire::Check-Valid-Until false"]
            if not self.step(f"root {kind}", ["mmdebstrap", *options, self.release, str(root), MIRROR]):
                return False
            (root / ".made").touch()
        for file in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
            if Path(file).exists():
                shutil.copy(file, f"{root}{file}")
        (root / "src").mkdir(exist_ok=True)
        return True

    def copy_checkout(self) -> None:
        """Copy the files that changed since the last run, so that only they are compiled again."""
        git = ["git", "ls-files", "-coz", "--exclude-standard"]
        names = subprocess.run(git, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.split(
            "\0"
        )
        wanted = {name for name in names if name and (ROOT / name).is_file()}
        target, noted = self.root("full") / "src", self.root("full") / ".copied"
        for name in set(noted.read_text().splitlines() if noted.exists() else []) - wanted:
            (target / name).unlink(missing_ok=True)
        for name in wanted:
            source, copy = ROOT / name, target / name
            if not copy.exists() or copy.read_bytes() != source.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)
        noted.write_text("\n".join(sorted(wanted)))

    def hand_over(self) -> None:
        """Copy the wheel and the sdist from the full root to the bare one, and write a test."""
        source, target = self.root("full") / "src" / "dist", self.root("bare") / "src"
        shutil.rmtree(target)
        shutil.copytree(source, target)
        (target / "test_it.py").write_text(TEST)

    def inside(self, kind: str, name: str, command: str) -> bool:
        """Run a command in a root, in its own namespaces, so that no process or mount of it remains."""
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh"]
        return self.step(name, [*enter, str(self.root(kind)), command])

    def step(self, name: str, command: list[str]) -> bool:
        """Run a command with its output in a log, and record the result."""
        print(f"  {self.release}: {name} … ", end="", flush=True)
        start = time.monotonic()
        path = ROOTS / f"{self.release}-{name.replace(' ', '-')}.log"
        with path.open("w") as log:
            try:
                code = subprocess.run(
                    command,
                    cwd=ROOT,
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=LIMIT,
                ).returncode
            except subprocess.TimeoutExpired:
                code = -1
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
        told = lines[-1] if lines else ""
        self.steps.append(Step(self.release, name, code == 0, time.monotonic() - start, told))
        print("good" if code == 0 else f"FAILED, see {path.relative_to(ROOT)}")
        return code == 0


def environment() -> dict[str, str]:
    """A plain environment, with this machine's settings of pip's index."""
    kept = ("PIP_INDEX_URL", "PIP_CERT", "PYNVME_HUGE", "http_proxy", "https_proxy", "no_proxy")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND": "noninteractive",
    }


def ready() -> None:
    """Exit if this machine cannot make roots."""
    if os.geteuid() != 0:
        sys.exit("make test-distros needs root, since it mounts folders and uses chroot")
    for program, package in (("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux"), ("git", "git")):
        if not shutil.which(program):
            sys.exit(f"{program} is missing; as root: apt-get install {package}")


def show(steps: list[Step]) -> int:
    """Print one table of all releases, and return the exit code."""
    print(f"\n{'release':10} {'step':13} {'':6} {'s':>5}  last line")
    for step in steps:
        line = f"{step.release:10} {step.name:13} {'good' if step.good else 'FAILED'} {step.seconds:5.0f}"
        print(f"{line:37}  {step.told[:90]}")
    bad = sum(not step.good for step in steps)
    print(f"{len(steps) - bad} passed, {bad} failed")
    return int(bad > 0)


def main() -> int:
    """Read the command line, and test one release after the other."""
    parser = argparse.ArgumentParser(description="Try pynvme in minimal roots of Debian releases.")
    parser.add_argument("--only", choices=RELEASES, help="this release alone")
    parser.add_argument("--fresh", action="store_true", help="make the roots anew")
    parser.add_argument("--quick", action="store_true", help="leave tests/api out")
    parser.add_argument("--whole", action="store_true", help="run make test, and not only tests/api")
    words = parser.parse_args()
    ready()
    # A shell starts background jobs with SIGINT ignored, which would break the tests of Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ROOTS.mkdir(parents=True, exist_ok=True)
    steps: list[Step] = []
    for release in [words.only] if words.only else RELEASES:
        distro = Distro(release)
        distro.run(words.fresh, words.quick, words.whole)
        steps += distro.steps
    return show(steps)


if __name__ == "__main__":
    sys.exit(main())
