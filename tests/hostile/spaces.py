"""Spaces that ask for what no search can do."""

from collections.abc import Iterator
from pathlib import Path

from datasets.sources.opening import data_options
from search_spaces import load_space
from studies.metrics import METRICS
from tests.hostile.case import Case, written
from trainables.config import TrainConfig

HEAD = "task: mask\ndata: {source: sample_faces}\n"
KNOB = "parameters: {learning_rate: {low: 1e-4, high: 1e-2, log: true}}\n"
NINES = "9" * 400


def cases() -> Iterator[Case]:
    """Yield texts of spaces."""
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    texts: dict[str, bytes | str] = {
        "empty": "",
        "list": "- a\n- b\n",
        "text": "hello",
        "binary": bytes(range(256)),
        "utf16": (HEAD + KNOB).encode("utf-16"),
        "tabs": "task:\tmask\n\tdata: x\n",
        "aliases": HEAD + KNOB + bomb,
        "cycle": HEAD + "parameters: &p {learning_rate: *p}\n",
        "deep": HEAD + "parameters: " + "{a: " * 2_000 + "1" + "}" * 2_000 + "\n",
        "python": HEAD + "parameters: !!python/object/apply:os.system ['touch owned']\n",
        "key_twice": HEAD + KNOB + KNOB,
        "keys_no_text": HEAD + KNOB + "search: {1: 2, null: 3, [a, b]: 4}\n",
        "parameter_no_text": HEAD + "parameters: {1: {low: 0, high: 1}}\n",
        "many_trials": HEAD + KNOB + f"search: {{trials: {NINES}}}\n",
        "more_trials": HEAD + KNOB + "search: {trials: 999999999999}\n",
        "true_scale": "task: mask\ndata: {source: sample_faces, scale: true}\n" + KNOB,
        "maybe_trials": HEAD + KNOB + "search: {trials: !!bool maybe}\n",
        "no_number": HEAD + KNOB + "search: {trials: !!int ''}\n",
        "no_time": HEAD + KNOB + "search: {trials: !!timestamp x}\n",
        "no_date": HEAD + KNOB + "search: {trials: 2024-99-99}\n",
        "true_trials": HEAD + KNOB + "search: {trials: true}\n",
        "many_folds": HEAD + KNOB + "search: {folds: 999999999999}\n",
        "many_epochs": HEAD + KNOB + "constants: {epochs: 999999999999}\n",
        "negative_folds": HEAD + KNOB + "search: {folds: -1}\n",
        "nan_range": HEAD + "parameters: {learning_rate: {low: .nan, high: 1e-2}}\n",
        "infinite_range": HEAD + "parameters: {learning_rate: {low: 1e-4, high: .inf}}\n",
        "empty_range": HEAD + "parameters: {learning_rate: {low: 1e-2, high: 1e-4}}\n",
        "log_of_zero": HEAD + "parameters: {weight_decay: {low: 0, high: 1e-2, log: true}}\n",
        "many_people": "task: mask\ndata: {source: sample_faces, people: 99999999999}\n" + KNOB,
        "fine_steps": HEAD + "parameters: {batch_size: {low: 1, high: 64, step: 1.0e-300}}\n",
        "weights_of_choice": HEAD + "parameters: {optimizer: {choice: [adamw, sgd], weights: [.nan, 1]}}\n",
        "many_choices": HEAD + f"parameters: {{batch_size: {{choice: [{', '.join(map(str, range(2, 90_000)))}]}}}}\n",
        "huge_image": HEAD + KNOB + "constants: {image_size: 1000000}\n",
        "secret_file": HEAD + KNOB + "constants: {weights: /dev/zero}\n",
        "unknown_knob": HEAD + "parameters: {learnig_rate: {low: 1, high: 2}}\n",
        "condition_on_itself": HEAD
        + "parameters: {learning_rate: {low: 1e-4, high: 1e-2, when: {learning_rate: 1}}}\n",
        "time_budget": HEAD + KNOB + f"search: {{time_budget: {NINES}d}}\n",
        "disk_budget": HEAD + KNOB + f"search: {{disk_budget: {NINES}TB}}\n",
        "escape": HEAD + 'parameters: {"\\e[2J": {low: 1, high: 2}}\n',
        "secret_of_others": HEAD + KNOB + "portfolio: /etc/shadow\n",
    }
    yield from (Case(f"space/{name}.yaml", written("space.yaml", text), loaded) for name, text in texts.items())


def loaded(space: Path) -> object:
    """Load a space as a launch does."""
    return load_space(str(space), knobs=TrainConfig, data_options=data_options(), metrics=METRICS)
