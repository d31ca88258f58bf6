# SPDX-License-Identifier: BSD-3-Clause
"""The code in README and the how-to pages runs unchanged."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nvme
import pytest

from tests.fix_engines import skip_if_told

ROOT = Path(__file__).parents[2]
FILES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]


def blocks(name):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)


def test_the_script_of_the_readme_runs_and_prints_what_it_says(python):
    script, test = blocks("README.md")[:2]
    done = python(script.replace("time=5", "time=1"))
    assert done.returncode == 0 and done.stderr == ""
    assert "b'hello world'" in done.stdout
    assert "READ (02)" in done.stdout and "WRITE (01)" in done.stdout
    assert test.startswith("def test_")


def test_the_tests_of_the_readme_and_of_the_page_about_tests_pass(pytester, run):
    page = blocks("docs/how-to/tests.md") + blocks("docs/how-to/report.md")
    tests = [block for block in page if "def test_" in block]
    pytester.makepyfile("import pytest\n" + "\n".join([*tests, blocks("README.md")[1]]))
    for conftest in ["", *(block for block in page if block.startswith("# conftest.py"))]:
        pytester.makeconftest(conftest)
        result = run("-p", "no:cacheprovider", "--nvme-errors=fail")
        assert result.ret == 0, result.stdout.str()
        assert result.parseoutcomes()["passed"] >= len(tests)


@pytest.mark.parametrize("name", FILES)
def test_links_lead_to_files(name):
    text = (ROOT / name).read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"


def places():
    """Each file that a row of `Where to look` names, with the names that follow it in parentheses."""
    section = (ROOT / "docs/design.md").read_text().partition("## Where to look\n")[2].partition("\n## ")[0]
    found = re.findall(r"`([\w/]+\.\w+)`(?: \(((?:`\w+`(?:, )?)+)\))?", section)
    return [(path, re.findall(r"\w+", names)) for path, names in found]


def test_the_places_of_the_design_exist():
    assert len(places()) > 40
    for path, names in places():
        text = (ROOT / path).read_text()
        for name in names:
            function = rf"^(?:[a-z].*|    cdef \w+ )\b{name}\("
            assert re.search(rf"{function}|^{name} = ", text, re.MULTILINE), f"{path}: {name}"


@pytest.mark.parametrize("name", FILES)
def test_a_page_says_something(name):
    text = (ROOT / name).read_text()
    assert text.startswith("# ") and len(text.split()) > 50


IN_PYTEST = re.compile(r"^def test_|^# conftest.py", re.MULTILINE)
PAGES_WITH_SCRIPTS = [
    "docs/tutorial.md",
    *(
        f"docs/how-to/{name}.md"
        for name in (
            "command-line",
            "debugging",
            "errors",
            "key-value",
            "live",
            "plots",
            "many-drives",
            "metadata",
            "management",
            "placement",
            "queues-by-hand",
            "recipes",
            "security",
            "structures",
            "traces",
            "vendor",
            "verification",
            "virtual-ssd",
            "workers",
            "zones",
        )
    ),
]


def scripts(name):
    """Each script of a page that is no test, with the lines that the page says it prints."""
    page = (ROOT / name).read_text()
    for script in blocks(name):
        if not IN_PYTEST.search(script):
            shown = re.match(r"\n((?: {4}.*\n)*)", page.partition(f"```python\n{script}```\n")[2])
            yield script, [line.strip() for line in shown[1].splitlines()]


@pytest.mark.parametrize("name", PAGES_WITH_SCRIPTS)
def test_the_scripts_of_a_page_print_what_it_says(python, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)  # some write files
    with ThreadPoolExecutor(2) as pool:  # each script is a process, which mostly waits
        runs = [(expected, pool.submit(python, script)) for script, expected in scripts(name)]
    for expected, run in runs:
        done = run.result()
        skip_if_told(done.stderr, "vssd")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("bug", [False, True])
def test_the_test_of_the_tutorial_finds_the_bug(pytester, run, bug):
    pytester.makepyfile(next(one for one in blocks("docs/tutorial.md") if IN_PYTEST.search(one)))
    result = run("-p", "no:cacheprovider", *(["--pciaddr=vssd:bug=flush-does-nothing"] if bug else []))
    assert result.parseoutcomes().get("failed" if bug else "passed") == 1


def test_no_script_of_a_page_is_left_out():
    """A page whose scripts need a drive or a name from outside of the page shows them without `python`."""
    others = {
        "README.md",
        "docs/how-to/tests.md",
        "docs/how-to/report.md",
        "docs/faults.md",
        "docs/engines.md",
        "docs/how-to-add.md",
        "docs/how-to/check.md",
    }
    with_code = {name for name in FILES if blocks(name)}
    assert with_code - others == set(PAGES_WITH_SCRIPTS)


def test_the_page_about_errors_has_each_exception_and_each_error_of_a_worker():
    page = (ROOT / "docs/how-to/errors.md").read_text()
    for name in nvme.__all__:
        kind = getattr(nvme, name)
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert f"`{name}`" in page
    errors = re.findall(r"^ +(-\d)  \w", nvme.IOWorker.close.__doc__ or "", re.MULTILINE)
    assert len(errors) == 9
    for number in errors:
        assert f"\n| {number} | " in page
