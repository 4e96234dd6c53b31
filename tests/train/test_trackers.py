"""Trackers beside TensorBoard, offline and for real where their packages are installed."""

import sys

import pytest
from PIL import Image

from cyclegan.system.errors import MissingPackage
from cyclegan.train.trackers import Lenient, open_tracker

RECORDS = [
    {"step": 1, "losses": {"cycle_A": 0.5}},
    {"step": 2, "losses": {"cycle_A": 0.25}, "metrics": {"KID x G_AB": 0.1}},
]


def track(name, folder, records):
    folder.mkdir(exist_ok=True)
    said = []
    tracker = open_tracker(name, folder, 1, {"dataset": "horses", "model": {"width": 8}}, said.append)
    for record in records:
        tracker.add(record)
    tracker.add_sample(Image.new("RGB", (8, 8)), records[-1]["step"])
    tracker.close()
    assert not said


def test_mlflow_writes_one_run_into_a_folder(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="MLflow comes with the extra: mlflow")
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    for record in RECORDS:  # stopped, and gone on
        track("mlflow", tmp_path / "mine", [record])
    client = mlflow.MlflowClient((tmp_path / "mlruns").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("cyclegan").experiment_id])
    assert run.info.run_name == "mine" and run.info.status == "FINISHED"
    assert run.data.params == {"dataset": "horses", "model.width": "8"}
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss/cycle_A")] == [
        (1, 0.5),
        (2, 0.25),
    ]
    assert run.data.metrics["metrics/KID/x/G_AB"] == 0.1
    assert len(client.list_artifacts(run.info.run_id, "samples")) == 2


def test_wandb_writes_one_run_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="Weights & Biases comes with the extra: wandb")
    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}.items():
        monkeypatch.setenv(name, value)
    for record in RECORDS:
        track("wandb", tmp_path / "mine", [record])
    name = (tmp_path / "mine" / "wandb_id").read_text().strip()
    written = list((tmp_path / "mine" / "wandb").glob(f"offline-run-*-{name}/run-{name}.wandb"))
    assert written and b"loss/cycle_A" in b"".join(path.read_bytes() for path in written)


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_missing_package_is_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPackage, match=rf"--track {name} needs the package {name}: pip install .*\[{name}\]"):
        open_tracker(name, tmp_path, 1, {}, print)


def test_a_run_outlives_its_tracker():
    class Gone:
        def add(self, record):
            raise ConnectionError("no route\nto it")

        add_sample = close = add

    said = []
    tracker = Lenient(Gone(), "mlflow", said.append)
    tracker.add({})
    tracker.close()
    assert said == ["--track mlflow failed (no route): nothing more is sent; the run goes on."]
