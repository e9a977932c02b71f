"""A task is described once in each room; the rooms must agree about which there are and what they take and give."""

from __future__ import annotations

import importlib

import pytest

from edgewright_benchmarks import tasks as meter
from edgewright_benchmarks.truth.ground_truth import TEXT_ITSELF
from edgewright_compiler import tasks as compiler
from edgewright_runtime.samples import FILE_INPUTS, input_names
from edgewright_runtime.steps import STEPS, step_class

NAMES = [task.name for task in compiler.TASKS]


def test_both_rooms_know_the_same_tasks() -> None:
    assert sorted(NAMES) == sorted(task.name for task in meter.TASKS)
    assert len(set(NAMES)) == len(NAMES)


def test_an_architecture_stands_for_one_task() -> None:
    heads = [(head, task) for task in compiler.TASKS for head in task.heads]
    assert len({head for head, _ in heads}) == len(heads)
    for head, task in heads:
        assert compiler.task_of_architectures([f"Tiny{head}"]) is task


@pytest.mark.parametrize("name", NAMES)
def test_what_a_task_names_is_there(name: str) -> None:
    task = compiler.find_task(name)
    steps = [step.step for step in task.pipeline(None, ("input",), task.outputs).steps]
    assert set(steps) <= set(STEPS)
    # A checkpoint goes through a processor; without a head of its own a task is asked for by name.
    assert task.processor is not None or not task.heads
    assert bool(task.model) or not task.heads
    if task.model:
        transformers = importlib.import_module("transformers")
        assert hasattr(transformers, task.model)
        assert task.outputs
    if task.processor is not None:
        # A column for each input, and none holds the ground truth, unless the input is the ground truth.
        truth = meter.find_task(name).truth
        assert truth is TEXT_ITSELF or truth.column not in input_names(task.input_name)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_there(step: str) -> None:
    assert callable(step_class(step))


def test_inputs_that_are_files_have_one_spelling() -> None:
    assert list(FILE_INPUTS) == sorted(FILE_INPUTS)
    assert input_names("*") == ()
    assert input_names("image+question") == ("image", "question")
