"""How cost grows: the sizes, the sentence, the figure; one place of it is really measured."""

import json

import pytest

from minilearn import bench, viz
from minilearn.bench import coordinator, growth, workloads


def test_the_sizes_go_from_one_to_1024():
    assert min(workloads.SCALING["batch"]) == 1 and max(workloads.SCALING["batch"]) == 1024
    assert workloads.function_and_arguments("batch=64") == ("unet", (8, 28, 64))
    assert workloads.function_and_arguments("pixels=4096") == ("unet", (8, 64, 1))
    assert workloads.function_and_arguments("gru") == workloads.WORKLOADS["gru"]


def rows(power):
    return [{"along": "batch", "size": n, "ours_best": 3.0 * n**power, "torch_best": 1.0 + n}
            for n in (1, 2, 4, 8)]


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_power_of_the_growth_is_found(power):
    assert growth.power(rows(power), "batch") == pytest.approx(power)
    assert f"power {power:.2f}" in growth.sentence("batch", rows(power))
    assert "From 4 to 8 (batch)" in growth.sentence("batch", rows(power))


def test_the_command_measures_every_size_and_writes_both_files(tmp_path, monkeypatch):
    small = {"batch": dict.fromkeys((1, 2, 4, 8)), "pixels": dict.fromkeys((64, 256, 1024))}
    asked = []

    def compare(name, threads, rounds, seconds, device):
        asked.append(name)
        assert (threads, device) == (2, "torch:cpu")
        size = float(name.partition("=")[2])
        return {"name": name, "against": "torch", "ours_ms": size, "torch_ms": size / 2,
                "ours_best": size, "torch_best": size / 2,
                "ratio": 2.0, "ratio_spread": [2.0, 2.0], "unsure": False, "ours_mib": 1.0,
                "torch_mib": 2.0, "ratio_memory": 0.5, "threads": threads}

    monkeypatch.setattr(growth, "SCALING", small)
    monkeypatch.setattr(growth, "compare", compare)
    lines = []
    bench.scaling(tmp_path / "out", threads=2, device="torch:cpu", echo=lines.append)
    assert asked == [f"{along}={size}" for along, sizes in small.items() for size in sizes]
    written = json.loads((tmp_path / "out" / "scaling.json").read_text())
    assert [row["size"] for row in written["rows"]] == [1, 2, 4, 8, 64, 256, 1024]
    assert written["threads"] == 2 and "cores" in written["machine"]
    assert (tmp_path / "out" / "scaling.png").stat().st_size > 10_000
    assert sum("power 1.00" in line for line in lines) == 2


def test_a_place_is_measured_as_any_workload():
    row = coordinator.compare("batch=2", 1, 1, 0.01)
    assert row["name"] == "batch=2" and row["ours_ms"] > 0 and row["torch_ms"] > 0


def test_the_figure_says_what_it_shows():
    figure = viz.scaling(rows(1) + [{**row, "along": "pixels"} for row in rows(1)])
    assert len(figure.axes) == 2 and "from 3 ms at 1 to 24 ms at 8" in figure.get_label()
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["minilearn", "torch", "in proportion to the size"]
    with pytest.raises(ValueError, match="measure first"):
        viz.scaling([])
