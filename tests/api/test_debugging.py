# SPDX-License-Identifier: BSD-3-Clause
"""A breakpoint of debugpy while workers run, --pdb, and the configurations of PyCharm and VS Code."""

import json
import os
import re
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from xml.etree import ElementTree

import nvme as d
import pytest

from pynvme import debugging
from tests.ports import free_port

ROOT = Path(__file__).parents[2]

SCRIPT = """\
import nvme as d

def test_it(nvme0n1):
    try:
        with nvme0n1.ioworker(time=60, region_end=1 << 12) as worker:
            here = worker.progress
            raise KeyError("end the worker early")
    except KeyError:
        print("ended by", worker.close().ended_by, "error", worker.close().error)

if __name__ == "__main__":
    test_it(d.Namespace(d.Controller("vssd"), 1))
"""


class Client:
    """As much of the Debug Adapter Protocol as a breakpoint needs."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.socket.makefile("rb")
        self.sequence = 0
        self.held = []

    def send(self, command, **arguments):
        """Send a request. Returns its number."""
        self.sequence += 1
        message = {"seq": self.sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self.sequence

    def receive(self):
        length = 0
        while (line := self.file.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.file.read(length))

    def wait(self, fits):
        """The next message that fits. Others are held for later."""
        for message in self.held:
            if fits(message):
                self.held.remove(message)
                return message
        while not fits(message := self.receive()):
            self.held.append(message)
        return message

    def event(self, name):
        return self.wait(lambda message: message.get("event") == name)

    def ask(self, command, **arguments):
        number = self.send(command, **arguments)
        answer = self.wait(lambda message: message.get("request_seq") == number)
        assert answer["success"], answer
        return answer.get("body", {})


def connected(process, port):
    """A client, once the debugger listens."""
    for _ in range(300):
        try:
            return Client(port)
        except ConnectionRefusedError:
            assert process.poll() is None
            time.sleep(0.05)
    raise AssertionError("the debugger does not listen")


def launched(name, script):
    """What a configuration of VS Code runs, with its choices made."""
    found = configurations()[name]
    words = ["-m", found["module"], *found["args"]] if "module" in found else [found["program"]]
    return [word.replace("${file}", str(script)).replace("${input:address}", "vssd") for word in words]


@pytest.mark.parametrize(
    "name", ["this script", pytest.param("the tests of this file", marks=pytest.mark.slow)]
)
def test_a_breakpoint_stops_the_script_and_not_its_workers(environment, tmp_path, name):
    pytest.importorskip("debugpy")
    script = tmp_path / "test_script.py"
    script.write_text(SCRIPT)
    line = next(i for i, text in enumerate(SCRIPT.splitlines(), 1) if "raise KeyError" in text)
    port = free_port()
    debugger = ["-Xfrozen_modules=off", "-m", "debugpy", "--listen", str(port), "--wait-for-client"]
    words = [sys.executable, *debugger, *launched(name, script)]
    words += ["-s", "--rootdir", str(tmp_path)] if "pytest" in words else []
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        client = connected(process, port)
        client.ask("initialize", adapterID="pynvme")
        attach = client.send("attach", justMyCode=True)
        client.event("initialized")
        client.ask("setBreakpoints", source={"path": str(script)}, breakpoints=[{"line": line}])
        client.ask("configurationDone")
        client.wait(lambda message: message.get("request_seq") == attach)
        stopped = client.event("stopped")["body"]
        assert stopped["reason"] == "breakpoint"
        frame = client.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"][0]
        done = []
        while len(done) < 2 or (done[-1] == done[0] and len(done) < 200):
            shown = client.ask("evaluate", expression="worker.progress[2]", frameId=frame["id"])
            done.append(int(shown["result"]))
        assert done[-1] > done[0], "the worker goes on while the script stands"
        client.ask("continue", threadId=stopped["threadId"])
        client.event("terminated")
        client.ask("disconnect")
        client.file.close()
        client.socket.close()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "ended by stop error 0\n" in out
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_the_prompt_of_pdb_has_the_last_commands(pytester, terminal):
    pytester.makepyfile(
        test_it=textwrap.dedent("""
        def test_read(nvme0n1, qpair, buf):
            nvme0n1.read(qpair, buf, 0x77, 5).waitdone()
            assert buf[0] == 300
        """)
    )
    arguments = ["-m", "pytest", "-p", "pynvme.plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    shown = terminal(*arguments, "--pdb", str(pytester.path / "test_it.py"), columns=150)
    text = shown.read_until("(Pdb)")
    assert re.search(
        r"queue pair 1, the newest first\s+\S+  Read \(02\) .* LBA 0x77 to 0x7b: 00/00 Success", text
    )
    type_in(shown, "cmdlog 1\n")
    again = shown.read_until("admin queue of vssd, the newest first", 10).rpartition("(Pdb)")
    assert "cmdlog" in again[0] + again[2]
    type_in(shown, "cmdlog many\n")
    shown.read_until("'many' is no number")
    type_in(shown, "q\n")
    assert shown.ended(20)


def type_in(terminal, text):
    os.write(terminal.master, text.encode())


def test_any_debugger_shows_the_last_commands(nvme0, nvme0n1, qpair, buf, capsys):
    nvme0n1.write(qpair, buf, 0x123).waitdone()
    with pytest.warns(UserWarning, match="00/80"):
        nvme0n1.read(qpair, buf, 1 << 40).waitdone()
    debugging.cmdlog(2)
    lines = capsys.readouterr().out.splitlines()
    start = lines.index(f"queue pair {qpair.sqid}, the newest first")
    assert "00/80 LBA Out of Range" in lines[start + 1] and "LBA 0x123" in lines[start + 2]
    assert debugging.text(1, since=4e9) == ""
    assert isinstance(nvme0, d.Controller)


def configurations():
    """Name, module or script, and arguments of each configuration of VS Code."""
    text = re.sub(r"^\s*//.*$", "", (ROOT / ".vscode/launch.json").read_text(), flags=re.MULTILINE)
    return {one["name"]: one for one in json.loads(text)["configurations"]}


def test_both_editors_have_the_same_configurations():
    vs_code = configurations()
    pycharm = {}
    for path in (ROOT / ".run").glob("*.run.xml"):
        (configuration,) = ElementTree.parse(path).getroot()
        assert f"{configuration.get('name')}.run.xml" == path.name
        pycharm[configuration.get("name")] = {
            option.get("name"): option.get("value") for option in configuration.iter("option")
        }
    assert set(pycharm) == {name for name in vs_code if not name.startswith("attach")}
    for options in pycharm.values():
        assert options["SDK_HOME"] == "$PROJECT_DIR$/.venv/bin/python"
        assert options["SCRIPT_NAME"] in ("$FilePath$", "pytest", "pynvme")
        assert (options["MODULE_MODE"] == "true") == (options["SCRIPT_NAME"] != "$FilePath$")
    assert '"$FilePath$"' in pycharm["the tests of this file"]["PARAMETERS"]
    check = vs_code["look for bugs (pynvme check)"]
    assert check["module"] == pycharm["look for bugs (pynvme check)"]["SCRIPT_NAME"] == "pynvme"
    assert check["args"][0] == "check" and pycharm["look for bugs (pynvme check)"]["PARAMETERS"].startswith(
        "check "
    )
    assert vs_code["the tests of this file"]["module"] == "pytest"
