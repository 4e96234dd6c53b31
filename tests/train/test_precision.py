"""bfloat16 only where it pays, a word where it cannot, and Ctrl-C in a step that takes minutes."""

import os
import signal

import pytest
import torch

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig
from cyclegan.system.devices import computes_bfloat16
from cyclegan.train.__main__ import main
from cyclegan.train.build import prepare
from cyclegan.train.config import TrainingConfig
from cyclegan.train.loop import _stop_requests

SMALL = ["--generator", "mobile", "--width", "4", "--width-D", "4", "--blocks", "1", "--size", "32", "--steps", "1"]


@pytest.mark.parametrize(
    ("asked", "computes", "precision"),
    [
        ("auto", True, torch.bfloat16),
        ("auto", False, None),
        ("float32", True, None),
        ("bfloat16", False, torch.bfloat16),
    ],
)
def test_auto_goes_by_the_processor(monkeypatch, asked, computes, precision):
    monkeypatch.setattr("cyclegan.train.build.computes_bfloat16", lambda device: computes)
    game = CycleGAN(CycleGANConfig(generator="mobile", width=4, blocks=1), size=32)
    prepare(game, TrainingConfig(precision=asked))
    assert game.precision == precision


def test_a_processor_computes_bfloat16_with_either_instruction_set(monkeypatch):
    cpu = torch.device("cpu")
    for avx, amx in ((False, False), (True, False), (False, True)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda value=avx: value, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda value=amx: value, raising=False)
        assert computes_bfloat16(cpu) == (avx or amx)


@pytest.mark.parametrize("computes", [True, False])
def test_a_wish_that_cannot_pay_gets_a_line_before_the_first_step(monkeypatch, squares, tmp_path, capsys, computes):
    monkeypatch.setattr("cyclegan.train.build.computes_bfloat16", lambda device: computes)
    assert main([str(squares), "--runs", str(tmp_path), "--precision", "bfloat16", *SMALL]) == 0
    said = capsys.readouterr().out
    before, _, _ = said.partition("step 1/1")
    assert ("--precision float32" in before) != computes


def test_ctrl_c_before_the_first_step_is_done_does_not_wait():
    with pytest.raises(KeyboardInterrupt), _stop_requests(lambda: False):
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_later_waits_for_the_step_and_a_second_one_does_not(capfd):
    with pytest.raises(KeyboardInterrupt), _stop_requests(lambda: True) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop == [signal.SIGINT] and "Ctrl-C again" in capfd.readouterr().err
        os.kill(os.getpid(), signal.SIGINT)
