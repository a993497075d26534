"""The benchmark reports match the measurements; the measurements themselves are not tested."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu, machine, page, results
from benchmarks.comparison import Comparison, Contender, Target
from benchmarks.comparisons import COMPARISONS, FLOOR_CONFIGS
from benchmarks.ours.pieces import WITHOUT
from benchmarks.ours.predict_large import bytes_read
from benchmarks.ratios import Spread, figures, ratios
from benchmarks.running import Settings, UnmeasuredError, command, figures_of, rounds
from imgcls.config import reader

ROOT = Path(__file__).parent.parent
ROUNDS: list[list[dict[str, Any]]] = [
    [{"images_per_second": 300.0, "precision": "float32"}, {"images_per_second": 100.0}],
    [{"images_per_second": 150.0, "precision": "float32"}, {"images_per_second": 75.0}],
    [{"images_per_second": 500.0, "precision": "float32"}, {"images_per_second": 200.0}],
]


def made_up(units: list[str], measured: dict[str, Any], date: str = "2026-01-01") -> dict[str, Any]:
    described = {
        "processor": "Example 9000",
        "cores": 2,
        "units": units,
        "memory_bytes": 2**34,
        "load": 0.25,
        "versions": {"tensorflow": "2.21.0"},
    }
    said = "python -m benchmarks --times 3"
    return {"date": date, "command": said, "machine": described, "measured": measured}


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| `{name}`: "))
    return [each.strip() for each in line.strip("|").split("|")]


def test_the_list_names_each_comparison():
    """
    Users who want one figure must not have to wait hours for all of them.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert [each.name for each in COMPARISONS] == [
        line.split()[0] for line in done.stdout.splitlines()
    ]
    assert len(COMPARISONS) == len({each.name for each in COMPARISONS})


def test_a_ratio_is_taken_within_its_round():
    """
    If the machine slows down for a minute, both contenders do; separate medians would ignore that.
    """
    assert Spread(2.5, 2.0, 3.0) == ratios(ROUNDS, "images_per_second", 1)
    assert Spread(100.0, 75.0, 200.0) == figures(ROUNDS, "images_per_second", 1)


def test_a_target_knows_which_way_is_better():
    """
    Twice the speed is a success; twice the memory is not.
    """
    assert Target(2.0).is_met(2.0)
    assert not Target(2.0).is_met(1.99)
    assert Target(1.0, at_most=True).is_met(1.0)
    assert not Target(1.0, at_most=True).is_met(1.01)


def test_the_page_has_the_column_of_the_machine_it_was_measured_on():
    """
    A figure in the wrong column would mislead, and so would a missed target not marked as such.
    """
    result = made_up([], {"tutorial": {"rounds": ROUNDS}, "eight": {"rounds": ROUNDS[1:2]}})
    slow = made_up([], {"random_layers": {"rounds": [[*ROUNDS[0][1:], ROUNDS[0][0]]]}})

    text = page.render([result, slow])

    assert ["at least 3", "not measured here", "at least 2", "2.50 (2.00 to 3.00), met"] == row(
        text, "tutorial"
    )[1:]
    assert "0.33 (0.33 to 0.33), **missed** (22% of it)" == row(text, "random_layers")[4]
    assert "not measured here" == row(text, "photos")[4]
    assert "`python -m benchmarks --times 3` on 2 cores of Example 9000 (no bfloat16 units)" in text
    assert "| `tutorial` | imgcls, float32 | 300 (150 to 500) images/s |" in text
    assert "no GPU was at hand" in text


def test_a_result_from_the_other_kind_of_machine_fills_its_own_column():
    """
    One page shows both kinds of machines, each measured separately.
    """
    here = made_up([], {"tutorial": {"rounds": ROUNDS}})
    there = made_up(["amx_bf16"], {"tutorial": {"rounds": ROUNDS[:1]}})

    cells = row(page.render([here, there]), "tutorial")

    assert "3.00 (3.00 to 3.00), met" == cells[2]
    assert "2.50 (2.00 to 3.00), met" == cells[4]


def test_a_comparison_that_could_not_run_does_not_hide_one_that_did():
    """
    Running one benchmark without PyTorch must not erase what was measured with it.
    """
    measured = made_up([], {"torch_relu": {"rounds": ROUNDS}})
    passed_over = made_up([], {"torch_relu": {"reason": "no | torch"}}, "2026-01-02")

    assert "2.50" in row(page.render([measured, passed_over]), "torch_relu")[4]
    assert "not measured here: no / torch" == row(page.render([passed_over]), "torch_relu")[4]


def test_a_figure_alone_is_held_against_its_target_itself():
    """
    The help command has nothing to be compared with; its limit is in seconds.
    """
    found = made_up([], {"help": {"rounds": [[{"seconds": 0.1}], [{"seconds": 0.3}]]}})

    assert "0.20 (0.10 to 0.30), met" == row(page.render([found]), "help")[4]


def test_the_gpu_table_has_what_was_measured():
    """
    The percentage is relative to the steps alone: what is missing to 100% is the cost of input.
    """
    rows = [
        {"config": "a.yaml", "precision": "float32", "xla": True, "training": 90.0, "step": 100.0},
        {"config": "b.yaml", "precision": "bfloat16", "xla": False, "reason": "memory"},
    ]
    feeds = [{"config": "a.yaml", "place": "on the GPU", "training": 90.0}]
    measured = {"device": "Example GPU", "goal": None, "rows": rows, "feeds": feeds}
    found = made_up([], {}) | {"gpu": measured}

    text = page.render([found])

    assert "| a.yaml | float32 | on | 90 | 100 | 90% |" in text
    assert "| b.yaml | bfloat16 | off | not measured: memory | | |" in text
    assert "| a.yaml | on the GPU | 90 |" in text
    assert "no GPU was at hand" not in text


def test_results_are_read_back_as_they_were_kept(tmp_path):
    """
    The page is regenerated from the results months later.
    """
    one, two = made_up([], {"help": {"reason": "none"}}), made_up([], {}, "2026-01-02")
    results.save(two, tmp_path)
    results.save(one, tmp_path)

    assert [one, two] == results.load(tmp_path)
    assert results.load(tmp_path / "nothing") == []


def test_contenders_run_in_turns_each_in_a_process_of_its_own(tmp_path):
    """
    In a shared process, one contender would benefit from what another has warmed up.
    """
    script = "import json, os, sys\nprint('noise')\nprint(json.dumps({'n': 1, 'pid': os.getpid()}))"
    (tmp_path / "contender.py").write_text(script, encoding="utf-8")
    both = tuple(Contender(name, ("contender",)) for name in "ab")
    told: list[str] = []
    settings = Settings("float32", root=tmp_path)

    found = rounds(Comparison("x", "x", both, "n", "apples"), settings, 2, told.append)

    assert ["a", "b", "a", "b"] == [line.split(": ")[1] for line in told]
    assert 4 == len({figures["pid"] for each in found for figures in each})


def test_what_a_contender_needs_and_what_it_says_when_it_fails_is_told(tmp_path):
    """
    "Not measured" without a reason does not help the user.
    """
    (tmp_path / "broken.py").write_text("raise SystemExit('no such data')", encoding="utf-8")
    settings = Settings("bfloat16", root=tmp_path)
    photos, torch = Contender("p", ("m", "{photos}")), Contender("t", ("m",), "torch")

    with pytest.raises(UnmeasuredError, match="--photos"):
        command(photos, settings)
    with pytest.raises(UnmeasuredError, match="--torch"):
        command(torch, settings)
    with pytest.raises(UnmeasuredError, match="broken ended with 1: no such data"):
        figures_of(Contender("broken", ("broken",)), settings)

    asked = "import json, os; print(json.dumps({'n': os.environ['ASKED']}))"
    (tmp_path / "asked.py").write_text(asked, encoding="utf-8")
    given = Contender("a", ("asked",), environment={"ASKED": "3"})
    assert {"n": "3"} == figures_of(given, settings)
    precise = command(Contender("k", ("m", "--precision", "{precision}")), settings)
    assert ["-m", "m", "--precision", "bfloat16"] == precise[1:]


def test_the_kind_of_machine_is_what_its_processor_says(tmp_path):
    """
    Targets differ by up to a factor of two between the kinds of machines.
    """
    flags = "model name : Example 9000\nflags : fpu {} avx2\n\nmodel name : other\n"
    with_units, without = tmp_path / "with", tmp_path / "without"
    with_units.write_text(flags.format("avx512_bf16"), encoding="utf-8")
    without.write_text(flags.format("avx512f"), encoding="utf-8")

    assert ("Example 9000", ("avx512_bf16",)) == (
        machine.look(with_units).processor,
        machine.look(with_units).units,
    )
    assert ("bfloat16", "float32") == tuple(
        machine.kind(machine.look(path).units) for path in (with_units, without)
    )


@pytest.mark.parametrize("config", sorted((ROOT / "benchmarks/configs").glob("*.yaml")), ids=str)
def test_every_config_of_the_benchmarks_is_right(config):
    """
    They are run manually, now and then; an outdated one would be noticed hours too late.
    """
    assert config.stem == reader.read(config).name


def test_every_shipped_config_has_a_floor():
    """
    If training is not compared with its steps alone, it may wait for input unnoticed.
    """
    shipped = {f"configs/{path.name}" for path in (ROOT / "configs").glob("*.yaml")}

    assert shipped - {"configs/smoke.yaml"} == {
        each for each in FLOOR_CONFIGS if each.startswith("configs/")
    }


def test_a_step_is_shown_operation_by_operation():
    """
    Before optimizing, developers read here how much a step could gain, and where.
    """
    row = {"name": "conv2d", "operations": 2e9, "bytes": 1e7, "seconds": 0.02}
    rows = [row | {"floor_seconds": 0.01}, row | {"name": "Adam", "floor_seconds": 0.02}]
    peaks = {"operations_per_second": 2e11, "bytes_per_second": 1e10}
    found = {"config": "a.yaml", "peaks": peaks, "idle_seconds": 3e-4, "rows": rows}

    text = page.render([made_up([], {}) | {"operations": found}])

    assert "| conv2d | 20.00 | 100.0 | 0.5 | 10.00 | 50% |" in text
    assert "| all | 40.00 | | | 30.00 | 75% |" in text
    assert "at most 200 GFLOP/s" in text
    assert "computes nothing takes 0.30 ms" in text


def test_every_piece_can_be_taken_out():
    """
    A piece that no comparison names would never be measured.
    """
    named = {each.name.removeprefix("piece_") for each in COMPARISONS if "piece_" in each.name}

    assert named == set(WITHOUT) - {"resident", "device"}  # those are measured by benchmarks.gpu


def test_bytes_are_counted_of_the_files_of_a_folder_alone():
    """
    Calls that the log splits in two, and memory-mapped files, must be counted as well.
    """
    log = """\
7  read(3</tmp/run/model.json>, "{\\n \\"classes\\"", 4096) = 312
7  read(4</usr/lib/python3/os.py>, "import"..., 9000) = 9000
8  pread64(5</tmp/run/checkpoints/step-1/model.safetensors>,  <unfinished ...>
7  read(3</tmp/run/model.json>, "", 4096) = 0
8  <... pread64 resumed>"\\1\\2 = 9"..., 1000, 64) = 1000
7  mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 6</tmp/run/config.yaml>, 0) = 0x7f2a00
7  mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f2b00
7  read(3</tmp/run-002/model.json>, "{", 4096) = 99
7  read(3</tmp/run/model.json>, 0x7ffc, 4096) = -1 EIO (Input/output error)
"""

    assert 312 + 1000 + 8192 == bytes_read(log, Path("/tmp/run"))  # noqa: S108  # no such file


def test_the_quick_look_at_a_gpu_needs_no_download_and_few_processes():
    """
    A GPU machine may be available only for minutes, often without a network.
    """
    rows, feeds = gpu.plan(quick=True)

    assert {"configs/digits.yaml"} == {each[0] for each in [*rows, *feeds]}
    assert 2 * len(rows) + len(feeds) <= 12  # each starts TensorFlow, 10 to 20 s


def test_a_gpu_is_measured_with_every_shipped_config():
    """
    What the quick run leaves out must be measured by the full one.
    """
    rows, feeds = gpu.plan(quick=False)

    assert set(itertools.product(FLOOR_CONFIGS, gpu.PRECISIONS, (False, True))) == set(rows)
    assert set(itertools.product(gpu.FED, gpu.FEEDS)) == set(feeds)
