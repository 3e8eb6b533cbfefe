"""Peers are given the job that numpy does, and what they answer is in the table, or why they do not."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import machine
from tests.benchmarks.data import federated, thesis_split
from tests.benchmarks.peers import ckks_page, with_paillier
from tests.benchmarks.peers.__main__ import LOCAL_STEPS, PEERS, ROUNDS, diabetes_job
from tests.benchmarks.peers.answer import Answer, NotRun, asked
from tests.benchmarks.peers.job import Job
from tests.benchmarks.peers.sizes import SIZES, MapFigures, job_of
from tests.benchmarks.peers.table import HEADS, NONE, table, versions
from tests.benchmarks.peers.ways import Ask, Way, linear_algebra, whole_job

KEY_BITS = 1024
"""Enough for the exponents that phe's floats gather in one round."""


@pytest.fixture(scope="module")
def job() -> Job:
    return diabetes_job()


def way(given: Answer | NotRun) -> Way:
    return Way("a way", "rows", "nothing", lambda: given)


def test_the_job_is_the_thesis_data_trained_as_numpy_trains_it(job):
    expected = federated(thesis_split(), rounds=ROUNDS, local_steps=LOCAL_STEPS)[-1]
    assert np.allclose(job.exact(), expected, rtol=0, atol=1e-9)


def test_a_trainers_steps_are_one_map(job):
    weights = np.random.default_rng(5).uniform(-400, 400, job.parameters)
    for trainer, one in enumerate(job.maps()):
        assert np.allclose(one.matrix @ weights + one.vector, job.local(trainer, weights), rtol=0, atol=1e-9)


def test_the_file_that_peers_read_holds_all_of_the_job(job, tmp_path):
    job.write(tmp_path / "job.npz")
    read = Job.read(tmp_path / "job.npz")
    assert (len(read.trainers), len(read.validators)) == (3, 2)
    assert (read.rounds, read.local_steps, read.step_size) == (job.rounds, job.local_steps, job.step_size)
    assert np.array_equal(read.exact(), job.exact())
    assert read.error(read.exact()) == job.error(job.exact())


@pytest.mark.parametrize("solve", [with_paillier.solve, with_paillier.solve_by_phe])
def test_encrypted_maps_end_at_the_exact_weights(job, solve):
    short = job._replace(trainers=job.trainers[:2], rounds=1)
    found = solve(short, key_bits=KEY_BITS)
    assert np.allclose(found.weights, short.exact(), rtol=0, atol=1e-7)
    assert found.processor_seconds > 0


def test_an_encrypted_map_of_another_size_has_figures():
    found = with_paillier.figures(job_of(5), key_bits=KEY_BITS, runs=1)
    assert found.model_bytes == found.result_bytes == 5 * 2 * KEY_BITS // 8
    assert found.error < 1e-8


def test_a_peer_without_its_package_says_so(job, tmp_path):
    job.write(tmp_path / "job.npz")
    found = asked(
        Path(sys.executable), "with_tenseal", str(tmp_path / "job.npz"), seconds=60, folder=tmp_path
    )
    assert found == NotRun("ModuleNotFoundError: No module named 'tenseal'")


def test_without_an_environment_no_peer_is_asked(job, tmp_path):
    ask = Ask(job, thesis_split(), tmp_path / "bin" / "python", tmp_path, KEY_BITS, 2)
    peers = [
        one for one in (*whole_job(ask), *linear_algebra(ask)) if one.title.startswith(("Flower", "MPyC"))
    ]
    assert len(peers) == 4
    for one in peers:
        assert "no environment" in one.answer().reason


def test_a_way_that_fails_is_a_row_with_the_reason(job):
    def fail():
        raise RuntimeError("two | lines\nof text")

    failing = Way("a way", "rows", "nothing", fail)
    *_, row = table(job, [(failing, failing.answer())])
    assert row.endswith("| rows | nothing | not run: RuntimeError: two \\| lines of text |")
    assert row.count(f"| {NONE} ") == 4


def test_a_row_tells_the_distance_from_the_exact_weights(job):
    answer = Answer((job.exact() + 0.002).tolist(), 1234.5, 0.25, {"some": "1.0"})
    lines = table(job, [(way(answer), answer)])
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|") == len(HEADS) + 1
    assert lines[2].startswith("| a way | 1,234.5 | 0.250 | 2e-03 | ")
    assert versions([(way(answer), answer)] * 2) == "some 1.0"


def test_the_ways_own_distance_is_taken_where_it_gives_one(job):
    answer = Answer(None, 1.0, 2.0, distance=3e-9, error=3300.04)
    assert "| 1.0 | 2.0 | 3e-09 | 3300.0 |" in table(job, [(way(answer), answer)])[-1]


def test_numpy_answers_exactly(job, tmp_path):
    ask = Ask(job, thesis_split(), tmp_path, tmp_path, KEY_BITS, 2)
    assert np.allclose(ask.plain().weights, job.exact(), rtol=0, atol=1e-9)


LEAKS = {
    "parameters": {"scale_bits": 40, "ring": 8192},
    "errors": {"results": 7, "noise": 1e-9, "error": 2e-9, "correlation": 0.5, "diagonal": 0.25},
    "error_of_large": 2.0**-25,
    "growth": {"1": 1e-9, "10": 1e-8},
    "repeated": {"sum": True, "product with a matrix": False},
    "keys": {"tried": 3, "recovered": 2},
}


def test_the_figures_of_ckks_say_what_was_found():
    costs = {size: MapFigures(12.0, 34_000, 56_000, 0, 7e-9) for size in SIZES}
    text = ckks_page.figures(machine.describe(), costs, costs, LEAKS)
    assert "| p = 31, CKKS | 12 | 34.0 | 56.0 | 0.0 | 7e-09 |" in text
    assert "two decrypted full vectors | 2 of 3 |" in text
    assert "sum: yes; product with a matrix: no" in text
    assert "| 40 bits | 2^15 | 2^75 | 230 bits | 16384 |" in text


def test_figures_stand_between_their_markers_and_nothing_else_changes():
    page = f"before\n{ckks_page.BEGIN}old\n{ckks_page.END}after\n"
    assert ckks_page.renewed(page, "new\n") == page.replace("old", "new")
    with pytest.raises(ValueError, match="begin: figures"):
        ckks_page.renewed("no markers", "new\n")


def test_the_kept_pages_are_those_of_the_commands(job, tmp_path):
    page = ckks_page.PAGE.read_text(encoding="utf-8")
    kept = page.partition(ckks_page.BEGIN)[2].partition(ckks_page.END)[0]
    costs = {size: MapFigures(1, 1, 1, 1, 1e-9) for size in SIZES}
    made = ckks_page.figures(machine.describe(), costs, costs, LEAKS)
    heads = [re.findall(r"^\|[^|]*", text, flags=re.MULTILINE)[:9] for text in (kept, made)]
    assert heads[0] == heads[1]
    ask = Ask(job, thesis_split(), tmp_path, tmp_path, KEY_BITS, 2)
    for one in (*whole_job(ask), *linear_algebra(ask)):
        row = rf"^\| {re.escape(one.title)} \|.*\| {re.escape(one.hides)} \| {re.escape(one.checks)} \|"
        assert re.search(row, PEERS.read_text(encoding="utf-8"), flags=re.MULTILINE), one.title
