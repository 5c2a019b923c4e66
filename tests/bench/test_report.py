"""What is made of the times: verdicts, the peers that are left out, the page of results."""

import json
import platform

import numpy as np
import pytest

from minilearn import bench
from minilearn.bench import coordinator, ratios, report


def test_a_ratio_that_varies_is_unsure():
    assert ratios.timing([[1], [1], [2], [2]], [[1], [1], [1], [1]], "mygrad")["unsure"]
    assert not ratios.timing([[1.0], [1.02], [1.01]], [[1], [1], [1]], "mygrad")["unsure"]


def test_others_at_work_make_a_ratio_unsure(monkeypatch):
    monkeypatch.setattr(ratios.os, "cpu_count", lambda: 4)
    for busy, wanted in ((3.9, False), (4.1, True)):
        monkeypatch.setattr(ratios, "load", lambda busy=busy: busy)
        assert ratios.overloaded(threads=1) is wanted
    monkeypatch.setattr(ratios, "load", lambda: None)
    assert not ratios.overloaded(threads=1)


def test_the_geometric_mean_treats_faster_and_slower_alike():
    assert ratios.geometric_mean([0.25, 4.0]) == pytest.approx(1.0)
    assert ratios.geometric_mean([1.0, 8.0, 8.0]) == pytest.approx(4.0)


# ---------------------------------------------------------------- peers


def test_a_peer_that_is_not_there_is_skipped_with_a_line(monkeypatch):
    monkeypatch.setattr(coordinator, "find_spec", lambda name: name == "torch" or None)
    lines = []
    assert coordinator._installed(["tinygrad", "torch", "mygrad"], lines.append) == ["torch"]
    assert lines == ["tinygrad is not installed, and skipped.",
                     "mygrad is not installed, and skipped."]
    with pytest.raises(ImportError, match="none of mygrad is installed"):
        coordinator._installed(["mygrad"], lines.append)


def test_what_a_peer_does_not_run_or_fails_at_is_skipped_with_a_line(monkeypatch):
    def fails(*arguments):
        raise RuntimeError("bench: it failed:\nTraceback\nKeyError: 'conv'")

    monkeypatch.setattr(coordinator, "find_spec", lambda name: True)
    monkeypatch.setattr(coordinator, "compare", fails)
    lines = []
    result = bench.run(["dataloader", "autograd-overhead"], against="mygrad", echo=lines.append)
    assert result["workloads"] == []
    assert "mygrad does not run this workload" in lines[1]
    assert lines[2].endswith("skipped: KeyError: 'conv'")
    with pytest.raises(RuntimeError, match="it failed"):
        bench.run("dataloader", echo=lines.append)


def test_peers_are_asked_for_what_their_source_has():
    for rival in coordinator.RIVALS:
        assert coordinator._has(rival, "resnet-mnist-64") and coordinator._has(rival, "gru")
        assert coordinator._has(rival, "generator") == (rival == "torch")
        assert coordinator._has(rival, "autograd-overhead") == (rival != "tinygrad")
        assert coordinator._has(rival, "second-order") == (rival in ("torch", "autograd"))


# ---------------------------------------------------------------- the page of results


def row(name, ratio, unsure=False, against="torch"):
    """A row as `compare` makes it."""
    return {"name": name, "against": against, "ratio": ratio, "ratio_spread": [ratio, ratio],
            "unsure": unsure, "ours_ms": ratio, f"{against}_ms": 1.0, "ours_mib": 3.0,
            f"{against}_mib": 4.0, "ratio_memory": 0.75, "threads": 1}


def measured(*rows):
    """A result as `run` returns it."""
    return {"workloads": rows, "machine": report.machine(), "threads": 1, "device": "numpy"}


def test_the_summary_has_a_mean_for_each_rival_and_says_what_is_unsure():
    rows = [row("gru", 0.5), row("unet-64", 2.0, unsure=True), row("gru", 0.1, against="mygrad")]
    torch, mygrad, unsure = report.summary(rows)
    assert torch.startswith("geometric mean of 2 against torch: 1.00 (")
    assert mygrad.startswith("geometric mean of 1 against mygrad: 0.10 (")
    assert unsure == report.UNSURE
    assert "?" in report.line(rows[1]) and "?" not in report.line(rows[0])
    (both,) = report.summary([row("gru", 2.0), row("dataloader", 0.02)])
    assert "of 2 against torch: 0.20 " in both and both.endswith("without the dataloader: 2.00")


def test_another_number_of_threads_is_shown_beside_the_first(tmp_path):
    page, two = tmp_path / "RESULTS.md", row("gru", 1.5)
    two["beside"] = row("gru", 0.75, unsure=True)
    assert report.header(4).endswith("4 threads: ratio") and report.header() == report.HEADER
    assert report.line(two).endswith("0.75? (0.75-0.75)")
    report.record(measured(two) | {"beside": 4}, page)
    lines = page.read_text().splitlines()
    head = next(line for line in lines if line.startswith("| workload"))
    assert head.endswith("| 4 threads: ratio |")
    columns = {line.count("|") for line in lines if line.startswith("|")}
    assert columns == {9} and "| 0.75? (0.75-0.75) |" in page.read_text()


def test_the_newest_run_stands_first_on_the_page(tmp_path):
    page = tmp_path / "RESULTS.md"
    for ratio in (1.25, 0.75):
        report.record(measured(row("gru", ratio)), page)
    text = page.read_text()
    assert text.startswith("# How fast it is") and text.count("# How fast it is") == 1
    assert text.count("\n## ") == 2 and text.index("**0.75**") < text.index("**1.25**")
    assert f"numpy {np.__version__}" in text


def test_the_page_names_no_host_and_no_path(tmp_path):
    page = tmp_path / "RESULTS.md"
    report.record(measured(row("gru", 1.0)), page)
    for text in (page.read_text(), json.dumps(report.machine())):
        assert platform.node() not in text and str(tmp_path) not in text and "/home" not in text
