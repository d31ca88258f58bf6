# SPDX-License-Identifier: BSD-3-Clause
"""The layers of docs/design.md: an #include only points down, and files stay small."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_C_FILE = 800
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SPDX = "SPDX-License-Identifier: BSD-3-Clause"

# Bottom to top. A file may include its own layer, those before it, and what `ALSO` adds.
HOST = [
    "core/util",
    "core/env",
    "core/pci",
    "core/nvme",
    "core/engine",
    "spdk",
    "core/data",
    "core/verify",
    "core/drive",
    "core/worker",
    "driver",
]
TESTER = HOST[HOST.index("core/data") : HOST.index("driver")]
SPDK = "spdk"
SSD = [
    [
        "vssd/bus",
        "vssd/store",
        "vssd/tcg",
        "vssd/control_protocol.h",
        "vssd/options.h",
        "vssd/options.c",
        "vssd/options_check.c",
        "vssd/options_namespaces.c",
    ],
    ["vssd/fault"],
    ["vssd/subsystem"],
    ["vssd/ctrl"],
    ["vssd/cmd"],
    ["vssd/drive"],
    ["vssd/server"],
    ["vssd/main.c"],
]
SPEC = "spec"
# They use engines only through the seam: its table, its rings, and the names of statuses.
SEEN_BY_TESTER = {
    "core/engine/engine.h",
    "core/nvme/types.h",
    "core/nvme/rings.h",
    "core/nvme/status.h",
}


class Include(NamedTuple):
    """One #include line of a file."""

    path: str
    name: str
    local: bool

    def __str__(self) -> str:
        return f"{self.path} includes {self.name}"


def c_files(*folders: str) -> list[Path]:
    """All C files and headers of this repository below the folders."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.[ch]")]
    return sorted(found)


def includes(paths: list[Path], root: Path = ROOT) -> Iterator[Include]:
    for path in paths:
        for bracket, name in INCLUDE.findall(path.read_text()):
            yield Include(str(path.relative_to(root)), name, bracket == '"')


def layer_of(name: str) -> str:
    """The layer that a path belongs to: `core/env` of core/env/env.h, `driver` of driver.h."""
    if name == "driver.h":
        return "driver"
    for level in SSD:
        for layer in level:
            if name == layer or name.startswith(f"{layer}/"):
                return layer
    return "/".join(name.split("/")[: 2 if name.startswith("core/") else 1])


def may_include(path: str, name: str) -> bool:
    """Whether a file of ours may include another of ours."""
    layer, other = layer_of(path), layer_of(name)
    if other == SPEC:
        return True
    if other == SPDK:
        return layer == SPDK
    if layer in HOST:
        if layer in TESTER and other in ("core/engine", "core/nvme", "core/pci"):
            return name in SEEN_BY_TESTER
        return other in HOST and HOST.index(other) <= HOST.index(layer)
    levels = {name: number for number, level in enumerate(SSD) for name in level}
    if layer in levels:
        return other == "core/util" or (other in levels and levels[other] <= levels[layer])
    return False


def wrong_includes(found: list[Include]) -> list[str]:
    return [str(line) for line in found if line.local and not may_include(line.path, line.name)]


HOST_AND_SSD = ["core", "spdk", "vssd", "spec"]


def sources() -> list[Path]:
    return [*c_files(*HOST_AND_SSD), ROOT / "driver.h"]


def test_includes_point_down() -> None:
    found = list(includes(sources()))
    assert len(found) > 100, "the sources were not found"
    assert wrong_includes(found) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("core/util/error.c", "core/env/env.h"),
        ("core/env/env.c", "core/pci/pci.h"),
        ("core/nvme/queue.h", "core/engine/engine.h"),
        ("core/pci/pci.c", "core/engine/engine.h"),
        ("core/engine/engine_own.c", "core/verify/verify.h"),
        ("core/worker/worker.c", "core/nvme/ctrlr.h"),
        ("core/worker/worker.c", "core/pci/pci.h"),
        ("core/worker/worker.c", "driver.h"),
        ("core/pci/pci.c", "vssd/control_protocol.h"),
        ("vssd/ctrl/ctrl.c", "vssd/server/server.h"),
        ("vssd/bus/dma.c", "vssd/ctrl/ctrl.h"),
        ("vssd/server/server.c", "core/env/env.h"),
        ("core/data/buffer.c", "core/verify/verify.h"),
        ("core/verify/track.c", "core/drive/inflight.h"),
        ("core/drive/inflight.c", "core/worker/worker.h"),
        ("vssd/ctrl/ctrl.c", "core/data/pattern.h"),
        ("spec/nvme_cmd.h", "core/util/error.h"),
        ("core/drive/device.c", "spdk/private.h"),
        ("core/engine/engine.c", "spdk/private.h"),
        ("spdk/queue.c", "core/drive/inflight.h"),
    ],
)
def test_an_include_that_points_up_is_found(path: str, name: str) -> None:
    assert wrong_includes([Include(path, name, True)]) == [f"{path} includes {name}"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("core/env/env.c", "core/util/error.h"),
        ("core/worker/worker.c", "core/nvme/rings.h"),
        ("core/worker/worker.c", "core/engine/engine.h"),
        ("core/engine/engine_own.c", "core/pci/pci.h"),
        ("core/engine/engine.h", "core/nvme/types.h"),
        ("spdk/queue.c", "core/engine/engine.h"),
        ("spdk/function.c", "core/pci/config.h"),
        ("driver.h", "core/worker/worker.h"),
        ("vssd/main.c", "vssd/server/server.h"),
        ("vssd/ctrl/ctrl.c", "vssd/store/store.h"),
        ("vssd/ctrl/ctrl.c", "core/util/clock.h"),
        ("vssd/server/server.c", "spec/vfio_user.h"),
    ],
)
def test_an_include_that_points_down_is_allowed(path: str, name: str) -> None:
    assert may_include(path, name)


def test_includes_are_written_from_the_root() -> None:
    missing = [str(line) for line in includes(sources()) if line.local and not (ROOT / line.name).is_file()]
    assert missing == []


def test_the_specification_holds_only_the_c_library_beside_itself() -> None:
    allowed = {"stdint.h", "stddef.h", "stdbool.h", "assert.h"}
    found = includes(c_files("spec"))
    assert [str(line) for line in found if not line.local and line.name not in allowed] == []


def test_only_core_env_knows_dpdk() -> None:
    found = includes(sources())
    wrong = [
        str(line) for line in found if line.name.startswith("rte_") and layer_of(line.path) != "core/env"
    ]
    assert wrong == []


def test_no_header_includes_intrinsics() -> None:
    """They are 47,000 lines, and most files would parse them: that took three quarters of a build."""
    found = includes(c_files("core", "spec", "spdk", "vssd", "tests/c"))
    assert [str(one) for one in found if one.path.endswith(".h") and one.name.endswith("intrin.h")] == []


def test_only_the_folder_spdk_knows_spdk() -> None:
    found = includes(sources())
    wrong = [
        str(line)
        for line in found
        if line.name.startswith("spdk/") and not line.local and line.path[:5] != "spdk/"
    ]
    assert wrong == []


def test_cython_knows_c_through_driver_h_only() -> None:
    named = []
    for path in [*ROOT.glob("*.p[yx][xd]"), *(ROOT / "binding").glob("*.p[yx][xd]")]:
        headers = re.findall(r'cdef\s+extern\s+from\s+[<"\']+([^>"\']+)', path.read_text())
        named += [f"{path.name}: {header}" for header in headers]
    ours = [line for line in named if not re.search(r": (std\w+|string|Python|errno)\.h$", line)]
    assert ours and set(ours) == {"cspdk.pxd: driver.h"}


def test_c_files_are_not_too_long() -> None:
    paths = sources() + c_files("tests")
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    assert {path: lines for path, lines in long.items() if lines > LONGEST_C_FILE} == {}


def guard_of(path: str) -> str:
    """The include guard of a header: its path in capitals, with `PYN` for core/."""
    return re.sub(r"\W", "_", path.replace("core/", "pyn/", 1)).upper()


def test_an_include_guard_is_the_path_of_its_header() -> None:
    headers = [path.relative_to(ROOT) for path in c_files("core", "vssd") if path.suffix == ".h"]
    assert len(headers) > 80
    wrong = []
    for header in headers:
        found = re.search(r"^#ifndef (\w+)\n#define (\w+)$", (ROOT / header).read_text(), re.MULTILINE)
        if not found or set(found.groups()) != {guard_of(str(header))}:
            wrong.append(str(header))
    assert wrong == []


def tracked_sources() -> list[Path]:
    """The files that carry the licence's line, whether or not git knows them yet."""
    patterns = ["*.[ch]", "*.py", "*.pyi", "*.pyx", "*.pxd", "*.mk", "*.map"]
    folders = ["core", "vssd", "spec", "spdk", "binding", "pynvme", "tests", "tools", "docs"]
    found = {path for folder in folders for pattern in patterns for path in (ROOT / folder).rglob(pattern)}
    found |= {path for pattern in patterns for path in ROOT.glob(pattern)}
    found |= {ROOT / name for name in ("Makefile", "pyproject.toml", ".ci/run")}
    found |= {path for path in (ROOT / "tools").iterdir() if path.is_file()}
    return sorted(found)


def test_every_source_names_its_licence() -> None:
    paths = tracked_sources()
    assert len(paths) > 50
    assert [str(path.relative_to(ROOT)) for path in paths if SPDX not in path.read_text()[:200]] == []


def exported(shared_object: Path) -> list[str]:
    """The symbols that a shared object defines for others."""
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(shared_object)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [line.split()[0] for line in done.stdout.splitlines()]


def test_the_module_exports_its_entry_alone() -> None:
    import nvme

    assert exported(Path(nvme.__file__)) == ["PyInit_nvme"]


def defined(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """The symbols that object files define for other files, each with its object file."""
    command = ["nm", "--print-file-name", "--extern-only", "--defined-only", "--format=posix"]
    done = subprocess.run([*command, *map(str, paths)], check=True, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        name, _, rest = line.partition(": ")
        yield Path(name), rest.split()[0]


def test_c_symbols_say_whose_they_are() -> None:
    objects = ROOT / "build/release/obj"
    paths = sorted(objects.rglob("*.o"))
    if not paths:
        pytest.skip("no object files here: the module was not built in this checkout")
    current = [path for path in paths if (ROOT / path.relative_to(objects)).with_suffix(".c").exists()]
    found = [(path.relative_to(objects), symbol) for path, symbol in defined(current)]
    assert len({name for name, _ in found}) > 100 and "pyn_arena_map" in {symbol for _, symbol in found}
    wrong = []
    for name, symbol in found:
        # __wrap_ is how the linker calls a stand-in
        prefix = {"vssd": "vssd_", "spec": "spec_"}.get(name.parts[0], "pyn_")
        if not symbol.startswith((prefix, "main", "__wrap_")):
            wrong.append(f"{name}: {symbol}")
    assert wrong == []
