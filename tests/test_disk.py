"""Disks that fill, links, strange names, signals: a campaign stops with a line that says why, and goes on to the same
bytes; nothing of it is left behind in the process or the machine.
"""

import errno
import gc
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import test_standing
import test_state

from evo import Campaign
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.cli import main
from evo.files import DiskError
from evo.function_problem import fitness
from evo.problem_state import StoredStates
from evo.run import execute
from genomes.vector import Vector

SOURCE = """
import time

import evo
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from genomes.vector import Vector


@evo.fitness(minimize="cost"{batch})
def cost(x):
    time.sleep({seconds})
    return (x * x).sum({axis})


campaign = evo.Campaign(cost, Vector(2), MuPlusLambda(population=4), generations={generations}, seeds={seeds})
"""
APART = """
import time
from dataclasses import dataclass
from typing import ClassVar

import torch

import evo
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.outcome import outcomes_of
from evo.problem import Objective, Problem
from genomes.vector import Vector


@dataclass(frozen=True)
class Cost(Problem):
    name: ClassVar[str] = "cost"
    accepts: ClassVar[type] = torch.Tensor
    objectives: ClassVar[tuple] = (Objective("cost", maximize=False),)

    def evaluate(self, phenotypes, rng):
        time.sleep({seconds})
        return outcomes_of(phenotypes.square().sum(1, keepdim=True))


campaign = evo.Campaign(Cost(), Vector(2), MuPlusLambda(population=4), generations=12, seeds=(0, 1))
"""
RESULTS = ("journal.jsonl", "champion.json", "archive.json")
EVO = [sys.executable, "-m", "evo.cli"]


def user_file(folder: Path, batch=True, seconds=0.0, generations=6, seeds=(0,)) -> Path:
    path = folder / "mine.py"
    text = SOURCE.format(
        batch=", batch=True" if batch else "", axis=1 if batch else "", seconds=seconds, generations=generations,
        seeds=seeds,
    )  # fmt: skip
    path.write_text(text)
    return path


def apart_file(folder: Path, seconds=0.0) -> Path:
    """Return a campaign of two runs, which have processes of their own, on a class that only the file has."""
    path = folder / "mine.py"
    path.write_text(APART.format(seconds=seconds))
    return path


def results(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.name in RESULTS}


def leftovers(folder: Path) -> list[str]:
    """Return temporary files that somebody forgot."""
    return [path.name for path in folder.rglob(".*") if path.name != ".lock"]


class FillingDisk:
    """A folder with room for so many bytes: what is beyond fails as on a full disk, and the bytes before are written.

    `os.write` is the lowest that writes a campaign's files.
    """

    def __init__(self, monkeypatch, folder: Path, room: int, number: int = errno.ENOSPC) -> None:
        self.written = 0
        write = os.write

        def limited(handle, content):
            if not os.readlink(f"/proc/self/fd/{handle}").startswith(str(folder)):
                return write(handle, content)
            left = room - self.written
            if left <= 0:
                raise OSError(number, os.strerror(number))
            done = write(handle, content[:left])
            self.written += done
            return done

        monkeypatch.setattr(os, "write", limited)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Do not wait for the disk: nothing here is about power cuts."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the results of a campaign whose disk had room, its source, and how many bytes it wrote."""
    folder = tmp_path_factory.mktemp("whole")
    source = user_file(folder)
    with pytest.MonkeyPatch.context() as patch:
        disk = FillingDisk(patch, folder, 10**9)
        assert main(["run", str(source), "--out", str(folder / "run")]) == 0
    return results(folder / "run"), source, disk.written


def told(capsys, code: int) -> str:
    """Return the one line on standard error of a command that ended with a code other than 0."""
    assert code == 1
    said = capsys.readouterr().err
    assert said.startswith("evo: ")
    assert said.count("\n") == 1
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("share", [0.0, 0.2, 0.35, 0.45, 0.6, 0.75, 0.9, 0.999])
def test_a_disk_that_fills_anywhere_costs_nothing_but_time(share, whole, tmp_path, monkeypatch, capsys):
    expected, source, written = whole
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        FillingDisk(patch, tmp_path, int(share * written))
        said = told(capsys, main(["run", str(source), "--out", str(out)]))
    assert "No space left on device" in said
    assert str(out) in said
    assert "make room" in said
    assert leftovers(tmp_path) == []
    for name, content in results(out).items():
        assert name.endswith("journal.jsonl") or content == expected[name]
    for path in out.rglob("journal.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        last = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        assert expected["default/seed-0/journal.jsonl"].startswith(b"".join(lines) + last)
    again = ["resume", str(out)] if (out / "campaign.json").exists() else ["run", str(source), "--out", str(out)]
    assert main(again) == 0
    assert results(out) == expected


@pytest.mark.parametrize("number", [errno.EROFS, errno.EDQUOT, errno.EIO])
def test_other_faults_of_a_disk_are_told_likewise(number, whole, tmp_path, monkeypatch, capsys):
    expected, source, written = whole
    with monkeypatch.context() as patch:
        FillingDisk(patch, tmp_path, written // 2, number)
        assert os.strerror(number) in told(capsys, main(["run", str(source), "--out", str(tmp_path / "run")]))
    assert main(["resume", str(tmp_path / "run")]) == 0
    assert results(tmp_path / "run") == expected


def test_learned_rows_that_do_not_fit_on_the_disk_come_again(tmp_path, monkeypatch):
    run = test_state.RUN
    with monkeypatch.context() as patch:
        disk = FillingDisk(patch, tmp_path, 10**9)
        execute(run, tmp_path / "whole")
    for share in (0.3, 0.5, 0.7):
        folder = tmp_path / str(share)
        with monkeypatch.context() as patch:
            FillingDisk(patch, tmp_path, int(share * disk.written))
            with pytest.raises(DiskError, match="No space left on device"):
                execute(run, folder)
        assert leftovers(folder) == []
        execute(run, folder)
        assert results(folder) == results(tmp_path / "whole")


def test_where_a_search_stands_that_does_not_fit_on_the_disk_comes_again(tmp_path, monkeypatch):
    monkeypatch.setattr("evo.run.PAUSE", 0.0)
    monkeypatch.setattr(StoredStates, "due", True)
    with monkeypatch.context() as patch:
        disk = FillingDisk(patch, tmp_path, 10**9)
        expected = test_standing.run(tmp_path / "whole")
    assert list((tmp_path / "whole").rglob("search-*.state"))
    for share in (0.4, 0.8):
        folder = tmp_path / str(share)
        with monkeypatch.context() as patch:
            FillingDisk(patch, tmp_path, int(share * disk.written))
            with pytest.raises(DiskError, match="No space left on device"):
                test_standing.run(folder)
        assert leftovers(folder) == []
        assert test_standing.run(folder, resume=True) == expected


def small_files() -> None:
    """Let no file of a child grow beyond 2,500 bytes, as the machine itself enforces it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))


def test_runs_in_processes_of_their_own_tell_of_a_full_disk_and_go_on(tmp_path):
    source = apart_file(tmp_path)
    out = tmp_path / "run"
    limited = subprocess.run(
        [*EVO, "run", str(source), "--workers", "2", "--out", str(out)],
        preexec_fn=small_files, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert limited.returncode == 1, limited.stderr
    assert "File too large" in limited.stderr
    assert "Traceback" not in limited.stderr
    assert limited.stderr.count("\n") == 1
    assert leftovers(out) == []
    assert main(["resume", str(out)]) == 0
    assert main(["run", str(source), "--out", str(tmp_path / "whole")]) == 0
    assert results(out) == results(tmp_path / "whole")


def test_a_file_where_a_folder_should_be_is_told_in_one_line(whole, tmp_path, capsys):
    expected, source, _ = whole
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        assert str(tmp_path / "file") in told(capsys, main(["run", str(source), "--out", str(out)]))
    assert main(["run", str(source), "--out", str(tmp_path / "run")]) == 0
    shutil.rmtree(tmp_path / "run" / "default")
    (tmp_path / "run" / "default").write_text("mine")
    capsys.readouterr()
    assert str(tmp_path / "run" / "default") in told(capsys, main(["resume", str(tmp_path / "run")]))
    assert (tmp_path / "run" / "default").read_text() == "mine"
    (tmp_path / "run" / "default").unlink()
    assert main(["resume", str(tmp_path / "run")]) == 0
    assert results(tmp_path / "run") == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root; EROFS stands for it above")
def test_a_folder_that_may_not_be_written_is_told_in_one_line(whole, tmp_path, capsys):
    (tmp_path / "run").mkdir(mode=0o555)
    assert str(tmp_path / "run") in told(capsys, main(["run", str(whole[1]), "--out", str(tmp_path / "run")]))


def cut(folder: Path) -> Path:
    """Take the last line of a run's journal, and its champion, away; return its folder."""
    run = folder / "default" / "seed-0"
    lines = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (run / "journal.jsonl").write_bytes(b"".join(lines[:-1]))
    (run / "champion.json").unlink()
    return run


def test_a_campaigns_folder_may_be_reached_by_a_link(whole, tmp_path):
    expected, source, _ = whole
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    assert main(["run", str(source), "--out", str(tmp_path / "link")]) == 0
    cut(tmp_path / "link")
    assert main(["resume", str(tmp_path / "link")]) == 0
    assert results(tmp_path / "far") == expected
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["journal.jsonl", "progress.jsonl", "champion.json", "archive.json", ".lock"])
def test_no_link_in_a_campaigns_folder_is_written_through(name, whole, tmp_path, capsys):
    expected, source, _ = whole
    assert main(["run", str(source), "--out", str(tmp_path / "run")]) == 0
    place = (cut(tmp_path / "run") if name != ".lock" else tmp_path / "run") / name
    before = place.read_bytes() if place.exists() else b"mine"
    place.unlink(missing_ok=True)
    (tmp_path / "outside").write_bytes(before)
    place.symlink_to(tmp_path / "outside")
    capsys.readouterr()
    code = main(["resume", str(tmp_path / "run")])
    assert (tmp_path / "outside").read_bytes() == before
    if name in ("champion.json", "archive.json"):
        assert code == 0
        assert results(tmp_path / "run") == expected
        assert not place.is_symlink()
    else:
        assert f"{place} is a link to another file" in told(capsys, code)
        place.unlink()
        if name == "journal.jsonl":
            place.write_bytes(before)
        assert main(["resume", str(tmp_path / "run")]) == 0
        assert results(tmp_path / "run") == expected


@fitness(minimize="cost", batch=True)
def cost(x):
    return x.square().sum(1)


def campaign(**changes) -> Campaign:
    return Campaign(cost, Vector(2), MuPlusLambda(population=4), **{"generations": 2, **changes})


NAMES = {
    "../x": "-x", "/etc/passwd": "-etc-passwd", "": "cost", "-rf": "-rf", "a\nb": "a-b", "a\0b": "a-b", "a.": "a",
    "..": "campaign", "CON": "CON", "~": "-", "$HOME": "-HOME", "a b": "a-b", "größe": "größe", "\x1b[31m": "--31m",
    "x" * 300: "x" * 200, "漢" * 300: "漢" * 66,
}  # fmt: skip


@pytest.mark.parametrize(("name", "folder"), NAMES.items(), ids=lambda name: ascii(name)[:20])
def test_whatever_a_campaign_is_called_its_folder_is_one_in_runs(name, folder, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for expected in (folder, f"{folder}-2"):
        campaign(name=name).run(quiet=True)
        assert (tmp_path / "here" / "runs" / expected / "champion.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert [path.name for path in Path().iterdir()] == ["runs"]


@pytest.mark.parametrize("name", ["../x", "/etc", "", ".", "..", "a/b", "a\nb", "a\0b", "a b", "x" * 300])
def test_variants_that_would_be_no_folders_are_refused(name):
    with pytest.raises(ValueError, match="is named by letters, digits") as error:
        campaign(variants={name: {}})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["-rf", "CON", "a.", "größe", "...a"])
def test_variants_of_unusual_names_have_folders(name, tmp_path):
    campaign(variants={name: {}}).run(out=tmp_path / "run", quiet=True)
    assert (tmp_path / "run" / name / "seed-0" / "champion.json").is_file()
    assert main(["table", str(tmp_path / "run")]) in (0, 1)
    assert main(["best", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize(("name", "said"), [("a\0b", "null byte"), ("x" * 300, "File name too long")])
def test_folders_that_cannot_be_are_told_in_one_line(name, said, whole, tmp_path, capsys):
    assert said in told(capsys, main(["run", str(whole[1]), "--out", f"{tmp_path}/{name}"]))
    assert list(tmp_path.iterdir()) == []


def children(of: int) -> set[int]:
    """Return all processes that descend from one and are no zombies."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has just ended
            continue
        if state != "Z":
            parents[int(path.parent.name)] = int(parent)
    found, grown = set(), {of}
    while grown:
        grown = {process for process, parent in parents.items() if parent in grown}
        found |= grown
    return found


def begun(out: Path, process: subprocess.Popen, lines: int) -> None:
    """Wait until every run of a campaign has so many lines in its journal."""
    deadline = time.monotonic() + 120
    journals = []
    while not journals or any(path.read_bytes().count(b"\n") < lines for path in journals):
        assert time.monotonic() < deadline, "it never began"
        assert process.poll() is None, "it ended"
        time.sleep(0.02)
        journals = list(out.rglob("journal.jsonl"))


def heed_interrupts() -> None:
    """Heed Ctrl-C in a child even where the tests themselves run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(
    ("apart", "signals"),
    [(False, (signal.SIGINT, signal.SIGINT)), (True, (signal.SIGTERM,))],
    ids=["Ctrl-C twice, evaluations shared", "SIGTERM, runs apart"],
)
def test_a_campaign_told_to_end_leaves_no_process_and_goes_on_to_the_same_bytes(apart, signals, tmp_path):
    source = apart_file(tmp_path, 0.02) if apart else user_file(tmp_path, False, seconds=0.01, generations=14)
    out = tmp_path / "run"
    process = subprocess.Popen(
        [*EVO, "run", str(source), "--workers", "2", "--out", str(out)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts,
        start_new_session=True,
    )  # fmt: skip
    begun(out, process, 3)
    workers = children(process.pid)
    assert workers
    for number in signals:
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does: workers get it too
        else:
            process.send_signal(number)
        time.sleep(0.1)
    said = process.communicate(timeout=60)[1]
    assert process.returncode in (130, -signals[0])  # to a shell, 130 is -2
    assert said == "" or apart  # from SIGTERM, what keeps track of shared memory says that it tidies up
    assert "Traceback" not in said
    deadline = time.monotonic() + 60
    while any(map(alive, workers)) or shared({process.pid, *workers}):
        assert time.monotonic() < deadline, "workers outlive their parent, or something is left in shared memory"
        time.sleep(0.05)
    assert leftovers(out) == []
    assert main(["resume", str(out)]) == 0
    assert main(["run", str(source), "--out", str(tmp_path / "whole")]) == 0
    assert results(out) == results(tmp_path / "whole")


def shared(processes: set[int]) -> list[str]:
    """Return what some processes have in shared memory; names hold the number of who made it."""
    return sorted(one for one in os.listdir("/dev/shm") if processes & {int(part) for part in re.findall(r"\d+", one)})


def alive(process: int) -> bool:
    """Return whether a process is there and no zombie, which one stays where nobody waits for orphans."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def held() -> dict[str, object]:
    """Return what this process holds on to."""
    gc.collect()
    return {
        "files": sorted(filter(None, map(link, os.listdir("/proc/self/fd")))),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "children": children(os.getpid()),
        "shared memory": shared({os.getpid()}),
    }


def link(handle: str) -> str:
    """Return what an open file is, without numbers that say nothing; empty where it was the listing itself."""
    try:
        return re.sub(r"\d+", "", os.readlink(f"/proc/self/fd/{handle}"))
    except OSError:
        return ""


def test_fifty_campaigns_leave_a_process_as_it_was(tmp_path):
    from joblib.externals.loky import get_reusable_executor

    test = {"generations": 2, "seeds": (0, 1)}

    @fitness(minimize="cost")
    def alone(x):
        return float((x * x).sum())

    def run(number: int) -> None:
        out = tmp_path / str(number)
        if number % 25 == 0:  # with a pool of its own
            Campaign(alone, Vector(2), MuPlusLambda(population=4), **test).run(workers=2, out=out, quiet=True)
        else:
            campaign(**test).run(out=out, quiet=True)
        assert json.loads((out / "champion.json").read_text())["format"] == "evo.champion/1"

    try:
        run(0)
        before = held()
        for number in range(1, 51):
            run(number)
        assert held() == before
    finally:
        get_reusable_executor().shutdown(wait=True)
