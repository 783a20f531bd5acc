"""What a user plugs in is found, checked and run like what is built in, and nothing runs that was not named."""

import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import Field

from analysis import export_config
from analysis.tracking.feed import Feed
from analysis.tracking.tracker import TRACKERS
from datasets.augmentations import AUGMENTATIONS
from datasets.numbers import Number
from datasets.options import SplitOptions
from datasets.preparation import PreparedData
from datasets.sources.opening import SOURCES, data_options, open_source
from datasets.transforms import augment, make_transform
from launch.listeners import LISTENERS, check_listeners, listening
from plugins import REGISTRIES, PluginError
from plugins.loading import load_plugin, load_plugins, unload_plugin
from plugins.registry import Registry, arguments_for, checked_options, options_of
from plugins.sources import copy_source, find_plugin, plugin_at
from plugins.trust import is_trusted, trust
from schedulers.samplers.registry import SAMPLERS, check_sampler
from schedulers.search_settings import make_strategy
from schedulers.strategies import STRATEGIES
from search_spaces import SpaceError, load_space
from search_spaces.reading import plugin_names
from studies.errors import StudyError
from studies.identity import Identity
from studies.metrics import METRICS
from studies.study import Study, begin_or_continue
from studies.study_folder import StudyFolder
from tests.toys import ROOT
from tests.toys.plugins import examples, written_together
from tests.toys.search import ToyDriver, toy_space
from tests.toys.training import TINY
from trainables.config import TrainConfig, configured, train_config
from trainables.knobs.table import knob_table
from trainables.training.heads.head import Targets, make_head
from trainables.training.heads.registry import HEADS
from trainables.training.heads.task import Task
from trainables.training.losses import LOSSES
from trainables.training.models import BACKBONES, make_model
from voting.bundle.named_plugins import load_named_plugins
from voting.bundle.specs import BundleError, BundleManifest, PluginSpec
from voting.rules.vote import VOTE_RULES, Rule

KINDS = {
    "A loss": (LOSSES, "generalized_cross_entropy"),
    "A head": (HEADS, "brier"),
    "An augmentation": (AUGMENTATIONS, "grey"),
    "A backbone": (BACKBONES, "three_layers"),
    "A data source": (SOURCES, "json_lines"),
    "A sampler": (SAMPLERS, "near_the_best"),
    "A strategy": (STRATEGIES, "late_looks"),
    "A vote rule": (VOTE_RULES, "trimmed"),
    "A metric": (METRICS, "kappa"),
    "A listener": (LISTENERS, "best_score"),
    "A tracking tool": (TRACKERS, "csv_rows"),
}

UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Path]:
    """All examples of docs/extending.md, loaded as one plugin."""
    (tmp_path / "beside").mkdir()
    file = written_together(tmp_path / "beside")
    load_plugins(["my_parts"], file.parent)
    yield file
    unload_plugin("my_parts")


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Path]:
    """A file `mine.py` to be written by the test."""
    yield tmp_path / "mine.py"
    unload_plugin("mine")


def test_every_kind_has_an_example_and_every_example_registers_one_item() -> None:
    assert list(examples()) == list(KINDS)
    assert [registry.kind for registry, _ in KINDS.values()] == [registry.kind for registry in REGISTRIES]


def test_a_tracking_tool_of_ones_own_is_told_every_fold_epoch_once(parts: Path, tmp_path: Path) -> None:
    folder, toy = StudyFolder(tmp_path / "toy"), toy_space(trials=4)
    folder.path.mkdir()
    begin_or_continue(folder, Identity(toy, {"classes": ["a", "b"]}, {"digest": "s"}), {})
    driver = ToyDriver(folder.record, toy).start()
    driver.finish()
    state = driver.run.state
    for _ in range(2):
        Feed(Study.existing(folder), "csv_rows", TRACKERS["csv_rows"](folder, "macro_f1")).rest()
    assert len((folder.path / "rows.csv").read_text().splitlines()) == state.fold_epochs


def test_a_trial_that_was_exported_finds_the_plugins_of_its_study_beside_its_space(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, toy = StudyFolder(tmp_path / "toy"), toy_space(trials=4).model_copy(update={"plugins": ["my_parts"]})
    folder.path.mkdir()
    copy_source(plugin_at(parts), folder.plugins)
    digests = {"my_parts": plugin_at(parts).digest}
    begin_or_continue(folder, Identity(toy, {"classes": ["a", "b"]}, {"digest": "s"}, plugins=digests), {})
    ToyDriver(folder.record, toy).start().finish()
    out = tmp_path / "elsewhere/winner.yaml"
    out.parent.mkdir()

    def exported() -> int:
        monkeypatch.setattr("sys.argv", ["export_config", str(folder.path), "1", "--out", str(out)])
        return export_config.main()

    assert exported() == 0
    unload_plugin("my_parts")
    (loaded,) = load_plugins(plugin_names(str(out), []), out.parent)
    assert loaded.digest == digests["my_parts"]
    assert exported() == 0, "what is the same already stays"
    loaded.path.write_text(loaded.path.read_text() + "# changed\n")
    assert exported() == 2
    assert "is another plugin than the study's" in capsys.readouterr().out


@pytest.mark.parametrize("heading", KINDS)
def test_an_example_registers_under_its_name_and_is_forgotten_again(heading: str, plugin: Path) -> None:
    registry, name = KINDS[heading]
    plugin.write_text(examples()[heading])
    before = list(registry)
    load_plugin(plugin_at(plugin))
    assert list(registry) == [*before, name]
    assert registry.plugin_of(name) == "mine"
    assert registry.plugin_of(before[0]) is None if before else True
    unload_plugin("mine")
    assert list(registry) == before


def test_a_loss_built_in_or_not_gives_one_finite_value_per_image_and_its_gradient_points_to_the_target(
    parts: Path,
) -> None:
    for name in LOSSES:
        logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
        targets = torch.eye(4)[[0, 1, 2, 3, 0, 1]] * 0.8 + 0.05
        loss = LOSSES[name](logits, targets, **arguments_for(LOSSES[name], train_config()(loss=name)))
        assert loss.shape == (6,), name
        assert bool(torch.isfinite(loss).all()), name
        loss.sum().backward()
        assert logits.grad is not None
        assert bool(((logits.grad * (targets - logits.detach().softmax(dim=1))).sum(dim=1) < 0).all()), name


def test_a_head_built_in_or_not_learns_gives_probabilities_and_takes_mixed_targets(parts: Path) -> None:
    number = Number.of(range(18, 71), (30.0, 60.0))
    years = torch.tensor([[20.0], [40.0], [65.0], [33.0]])
    classes = torch.eye(3)[[0, 1, 2, 1]]
    targets = Targets(classes, years, torch.ones(4, 1)).mixed(torch.tensor([1, 0, 3, 2]), 0.25)
    assert torch.allclose(targets.classes.sum(dim=1), torch.ones(4))
    for name in HEADS:
        head = make_head(Task(3, number), train_config()(head=name, label_smoothing=0.0))
        outputs = torch.zeros(4, head.outputs, requires_grad=True)
        optimizer = torch.optim.Adam([outputs], 0.05)
        before = head.loss(outputs, targets)
        assert before.shape == (4,), name
        for _ in range(400):
            optimizer.zero_grad()
            head.loss(outputs, targets).sum().backward()
            optimizer.step()
        assert bool((head.loss(outputs, targets) < before).all()), name
        for given in (outputs.detach(), torch.randn(50, head.outputs) * 5):
            probabilities = head.probabilities(given)
            assert torch.allclose(probabilities.sum(dim=1), torch.ones(len(given)), atol=1e-5), name
            assert bool((probabilities >= 0).all()), name
        assert head.probabilities(outputs.detach()).argmax(dim=1).tolist()[:2] == [0, 1], name
        predicted = head.number(outputs.detach())
        assert (predicted is None) == (name in ("classification", "ordinal", "brier")), name
        if predicted is not None:
            assert 18 <= float(predicted.min()) <= float(predicted.max()) <= 70, name


def test_an_augmentation_built_in_or_not_keeps_the_shape_and_repeats_with_its_seed(
    parts: Path, faces: PreparedData
) -> None:
    images = np.array(faces.cache.open()[:8])
    for name in AUGMENTATIONS:
        knobs = arguments_for(AUGMENTATIONS[name], train_config()(augmentation=name))
        one, same = (augment(images, make_transform(name, **knobs), 3) for _ in range(2))
        assert one.shape == images.shape, name
        assert np.array_equal(one, same), name


def test_a_backbone_of_ones_own_is_built_by_its_knobs_and_gives_one_logit_per_class(parts: Path) -> None:
    for name in BACKBONES:
        config = train_config()(backbone=name, width=24, weights="none")
        model = make_model(config, 5)
        assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
        assert config.classifier()["width"] == 24
        assert sum(weight.numel() for weight in model.parameters()) > 24 * 24 * 9


def test_a_data_source_built_in_or_not_has_options_that_say_how_it_is_split(parts: Path, tmp_path: Path) -> None:
    schema = data_options().json_schema()["discriminator"]["mapping"]
    assert set(schema) == set(SOURCES)
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    rows = pd.DataFrame({"path": [f"{n}.png" for n in range(6)], "label": list("ababab"), "person": list("112233")})
    rows.to_json(tmp_path / "faces.jsonl", orient="records", lines=True)
    options = data_options().validate_python({"source": "json_lines", "file": str(tmp_path / "faces.jsonl")})
    assert isinstance(options, SplitOptions)
    table = open_source(options)
    assert table.classes == {"label": ("a", "b")}
    assert table.frame["person"].tolist() == list("112233")


def test_a_sampler_of_ones_own_searches_and_its_options_are_checked(parts: Path, tmp_path: Path) -> None:
    space = toy_space(sampler="near_the_best", sampler_options={"best": 2}, trials=8)
    check_sampler(space)
    driver = ToyDriver(tmp_path / "record.jsonl", space).start().finish()
    assert len(driver.run.state.trials) == 8
    assert {trial.origin for trial in driver.run.state.trials.values()} <= {"recipe", "near_the_best", "random"}
    with pytest.raises(SpaceError, match=r"near_the_best has no such option; did you mean best\?"):
        check_sampler(toy_space(sampler="near_the_best", sampler_options={"bst": 2}))


def test_a_strategy_of_ones_own_takes_its_settings_from_the_space(parts: Path, tmp_path: Path) -> None:
    space = toy_space(scheduler="late_looks", scheduler_options={"spacing": 2})
    assert make_strategy(space).epoch_rungs == (5, 7)
    driver = ToyDriver(tmp_path / "record.jsonl", space).start().finish()
    assert sum(trial.fold_epochs == 27 for trial in driver.run.state.trials.values()) >= 2
    for options, wrong in (({"spacin": 2}, "spacin: no such option"), ({"spacing": "far"}, "valid integer")):
        with pytest.raises(SpaceError, match=rf"search\.scheduler_options: .*{wrong}"):
            make_strategy(toy_space(scheduler="late_looks", scheduler_options=options))
    with pytest.raises(SpaceError, match=r"looks: is a setting of its own; say search\.looks"):
        make_strategy(toy_space(scheduler="late_looks", scheduler_options={"looks": 2}))


def test_a_vote_rule_built_in_or_not_gives_probabilities_and_does_not_care_for_the_order_of_members(
    parts: Path,
) -> None:
    members = list(np.random.default_rng(0).dirichlet(np.ones(3), (5, 20)))
    for name in VOTE_RULES:
        votes = Rule(name)(members)
        assert votes.shape == (20, 3), name
        assert np.allclose(votes.sum(axis=1), 1), name
        assert np.allclose(votes, Rule(name)(members[::-1])), name
        assert (Rule(name)(members[:1]).argmax(axis=1) == members[0].argmax(axis=1)).all(), name
    assert not np.allclose(Rule("trimmed", {"trim": "2"})(members), Rule("trimmed", {"trim": 0})(members))
    with pytest.raises(PluginError, match=r"trim: no such option"):
        Rule("soft", {"trim": 1})


def test_a_metric_built_in_or_not_ranks_the_truth_above_its_opposite(parts: Path) -> None:
    targets = np.array([0, 1, 2, 0, 1, 2])
    right = np.eye(3, dtype=np.float32)[targets] * 0.8 + 0.066
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.score(targets, right) > metric.score((targets + 1) % 3, right), name
        assert metric.range[0] <= metric.measure(targets, right) <= metric.range[1]


def test_a_listener_built_in_or_not_hears_every_event_and_one_that_fails_costs_no_search(
    parts: Path, tmp_path: Path, plugin: Path
) -> None:
    plugin.write_text(
        "from contextlib import contextmanager\nfrom plugins import LISTENERS\n"
        "@LISTENERS.register('broken')\n@contextmanager\ndef broken(folder, run):\n    yield lambda event: 1 / 0\n"
    )
    load_plugin(plugin_at(plugin))
    space = toy_space(trials=4, listeners={"best_score": {"file": "best.txt"}, "broken": {}})
    check_listeners(space)
    driver = ToyDriver(tmp_path / "record.jsonl", space).start()
    with listening(StudyFolder(tmp_path), driver.run):
        driver.finish()
    best = max(epoch.score for trial in driver.run.state.trials.values() for epoch in trial.epochs)
    assert (tmp_path / "best.txt").read_text().endswith(f"{best:.3f}\n")
    assert (tmp_path / "optuna.journal").is_file(), "the built-in listeners heard it, too"
    with pytest.raises(SpaceError, match=r"search\.listeners\.best_score: fiel: no such option; did you mean file\?"):
        check_listeners(toy_space(listeners={"best_score": {"fiel": "x"}}))
    with pytest.raises(SpaceError, match=r"there is no listener 'best_scor'; did you mean best_score\?"):
        check_listeners(toy_space(listeners={"best_scor": {}}))


def test_a_knob_that_a_plugin_brings_is_checked_drawn_shown_and_stored_like_a_built_in_one(
    parts: Path, tmp_path: Path
) -> None:
    space = {
        "task": "mask",
        "data": {"source": "sample_faces"},
        "plugins": ["my_parts"],
        "constants": {"loss": "generalized_cross_entropy"},
        "parameters": {"loss_exponent": {"low": 0.3, "high": 0.9}},
    }
    file = tmp_path / "own.yaml"
    file.write_text(str(space))
    loaded = load_space(str(file), knobs=train_config(), data_options=data_options(), metrics=METRICS)
    assert loaded.recipe()["loss_exponent"] == 0.7
    assert configured({**loaded.recipe(), "loss_exponent": 0.4}).effective()["loss_exponent"] == 0.4
    assert "| `loss_exponent` | above 0 to 1 | 0.7 |" in knob_table()
    for value, wrong in ((2, "less than or equal to 1"), ("x", "valid number")):
        file.write_text(str({**space, "parameters": {"loss_exponent": {"low": 0.3, "high": value}}}))
        with pytest.raises(SpaceError, match=rf"parameters\.loss_exponent\.high: .*{wrong}"):
            load_space(str(file), knobs=train_config())


def test_a_knob_does_nothing_unless_the_item_that_takes_it_is_chosen(parts: Path) -> None:
    plain = train_config()(**TINY, loss_exponent=0.4, width=99)
    assert {"loss_exponent", "width", "grey_probability"}.isdisjoint(plain.effective())
    assert plain.digest == TrainConfig(**TINY).digest, "a knob that does nothing changes no hash"
    chosen = train_config()(**TINY, loss="generalized_cross_entropy", loss_exponent=0.4)
    assert chosen.digest != train_config()(**TINY, loss="generalized_cross_entropy").digest


def test_a_stored_configuration_that_lacks_a_knob_has_it_at_its_baseline(plugin: Path) -> None:
    before = configured(TINY)
    plugin.write_text(
        "from typing import Annotated\nfrom pydantic import Field\nfrom plugins import LOSSES\n"
        "@LOSSES.register('mine')\ndef mine(logits, targets, *,\n"
        "  new_knob: Annotated[int, Field(json_schema_extra={'baseline': 1})] = 5): ...\n"
    )
    load_plugin(plugin_at(plugin))
    after = configured({**TINY, "loss": "mine"})
    assert after.new_knob == 1  # type: ignore[attr-defined]
    assert train_config()(loss="mine").new_knob == 5  # type: ignore[attr-defined]
    assert configured(TINY).digest == before.digest
    assert after.digest == train_config()(**TINY, loss="mine", new_knob=1, last_batch="short").digest, (
        "as trials were then"
    )


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import nowhere_at_all", r"plugin mine: .*mine\.py:1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1\ny = (", r"plugin mine: .*mine\.py:2: SyntaxError"),
        ("import sys\nsys.exit(0)", r"plugin mine: .*mine\.py:2: SystemExit: 0"),
        ("raise RuntimeError('no')", r"plugin mine: .*mine\.py:1: RuntimeError: no"),
        (
            "from plugins import LOSSES\n@LOSSES.register('focal')\ndef f(logits, targets): ...",
            r"plugin mine: .*mine\.py: loss 'focal' is registered already; give yours another name",
        ),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_with_file_line_and_way_out(
    source: str, complaint: str, plugin: Path
) -> None:
    plugin.write_text(source)
    with pytest.raises(PluginError, match=complaint):
        load_plugins(["mine"], plugin.parent)
    plugin.write_text("")
    load_plugins(["mine"], plugin.parent)  # mended, it loads


def test_a_plugin_is_found_beside_the_space_first_then_on_the_python_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, path = tmp_path / "beside", tmp_path / "path"
    for folder in (beside, path):
        folder.mkdir()
        (folder / "twice.py").write_text(f"# {folder.name}")
    (path / "package").mkdir()
    (path / "package" / "__init__.py").write_text("from package.inner import x")
    (path / "package" / "inner.py").write_text("x = 1")
    monkeypatch.syspath_prepend(path)
    assert find_plugin("twice", beside).path == beside / "twice.py"
    assert find_plugin("package", beside).path == path / "package"
    load_plugins(["package"], beside)
    unload_plugin("package")
    before = find_plugin("package", beside).digest
    (path / "package" / "inner.py").write_text("x = 2")
    assert find_plugin("package", beside).digest != before, "the hash is over all of its files"
    for name, wrong in (("nowhere_plugin", r"there is no nowhere_plugin\.py"), ("../twice", "name of one module")):
        with pytest.raises(PluginError, match=wrong):
            find_plugin(name, beside)
    for taken in ("json", "timm", "antigravity"):  # of the standard library, installed, and never imported
        (beside / f"{taken}.py").write_text("")
        with pytest.raises(PluginError, match="has the name of another module; rename the file"):
            load_plugins([taken], beside)
    copied = copy_source(find_plugin("twice", beside), tmp_path / "study")
    load_plugin(plugin_at(copied))  # another one of that name lies on the path: the study's own is taken
    unload_plugin("twice")


def test_a_copy_of_a_plugin_is_the_same_source(parts: Path, tmp_path: Path) -> None:
    copied = copy_source(plugin_at(parts), tmp_path / "study" / "plugins")
    assert plugin_at(copied).digest == plugin_at(parts).digest
    assert load_plugin(plugin_at(copied)) == plugin_at(copied), "already loaded: nothing registers twice"


def test_a_study_keeps_its_plugins_and_refuses_changed_ones(plugin: Path, tmp_path: Path) -> None:
    plugin.write_text("x = 1")
    mine = plugin_at(plugin)
    folder = StudyFolder(tmp_path / "toy")
    data: dict[str, Any] = {"images": "a", "labels": "l"}
    identity = Identity(toy_space(), data, {"digest": "s"}, plugins={"mine": mine.digest})
    copy_source(mine, folder.plugins)
    trust(mine)
    begin_or_continue(folder, identity, {})
    Study.existing(folder).load_plugins()
    Study.existing(folder).refuse_another(identity)
    plugin.write_text("x = 2")
    changed = Identity(toy_space(), data, {"digest": "s"}, plugins={"mine": plugin_at(plugin).digest})
    with pytest.raises(StudyError, match=r"holds another study:\n  plugins\.mine"):
        Study.existing(folder).refuse_another(changed)
    (folder.plugins / "mine.py").write_text("x = 3")
    with pytest.raises(StudyError, match=r"mine\.py: was changed since the study began; restore it"):
        Study.existing(folder).load_plugins()


def test_two_knobs_of_one_name_are_refused_and_one_without_a_default_is_shared(plugin: Path) -> None:
    head = "from plugins import LOSSES\n@LOSSES.register('mine')\ndef mine(logits, targets, *, "
    plugin.write_text(f"{head}focal_gamma: float = 3.0): ...")
    load_plugin(plugin_at(plugin))
    with pytest.raises(PluginError, match=r"loss mine: there is a knob 'focal_gamma' already; rename it, or leave"):
        train_config()
    unload_plugin("mine")
    plugin.write_text(f"{head}focal_gamma: float): ...")
    load_plugin(plugin_at(plugin))
    assert train_config()(loss="mine", focal_gamma=3.0).effective()["focal_gamma"] == 3.0
    assert "focal_gamma" not in train_config()().effective()


def test_a_built_in_knob_that_a_plugin_takes_keeps_its_meaning_elsewhere(plugin: Path) -> None:
    before = {rate: TrainConfig(drop_rate=rate, last_batch="short").digest for rate in (0.3, 0.5)}
    plugin.write_text(
        "from plugins import BACKBONES\n"
        "@BACKBONES.register('net')\ndef net(outputs, *, image_size: int, drop_rate: float): ...\n"
        "@BACKBONES.register('plain')\ndef plain(outputs): ...\n"
    )
    load_plugin(plugin_at(plugin))
    assert {rate: configured({"drop_rate": rate}).digest for rate in (0.3, 0.5)} == before
    taken, ignored = (
        len({configured({"backbone": name, "drop_rate": r}).digest for r in (0.3, 0.5)}) for name in ("net", "plain")
    )
    assert (taken, ignored) == (2, 1)


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("typo_knob: float", "there is no knob 'typo_knob'; give it a default"),
        ("digest=1.0", "cannot be called 'digest'"),
    ],
)
def test_a_knob_that_cannot_be_is_refused_before_a_search(argument: str, complaint: str, plugin: Path) -> None:
    plugin.write_text(f"from plugins import LOSSES\n@LOSSES.register('mine')\ndef mine(a, b, *, {argument}): ...")
    load_plugin(plugin_at(plugin))
    with pytest.raises(PluginError, match=complaint):
        train_config()


def test_a_package_is_copied_and_hashed_with_its_data_and_a_stale_copy_goes(tmp_path: Path) -> None:
    package = tmp_path / "kit"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "data" / "names.txt").write_text("a")
    before = plugin_at(package)
    (tmp_path / "study" / "kit").mkdir(parents=True)
    (tmp_path / "study" / "kit" / "stale.py").write_text("")
    copied = copy_source(before, tmp_path / "study")
    assert sorted(path.name for path in copied.rglob("*") if path.is_file()) == ["__init__.py", "names.txt"]
    (package / "data" / "names.txt").write_text("b")
    assert plugin_at(package).digest != before.digest
    with pytest.raises(PluginError, match="was changed while this ran; start again"):
        copy_source(before, tmp_path / "study")


def test_a_listener_that_cannot_begin_or_end_costs_no_search(plugin: Path, tmp_path: Path) -> None:
    plugin.write_text(
        "from contextlib import contextmanager\nfrom plugins import LISTENERS\n"
        "@LISTENERS.register('late')\n@contextmanager\ndef late(folder, run):\n    yield lambda event: None\n    1 / 0\n"
        "@LISTENERS.register('early')\n@contextmanager\ndef early(folder, run):\n    1 / 0\n    yield print\n"
    )
    load_plugin(plugin_at(plugin))
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=2, finalists=1, listeners={"late": {}, "early": {}}))
    with listening(StudyFolder(tmp_path), driver.run):
        driver.start().finish()
    assert len(driver.run.state.trials) == 2


def test_options_are_the_keyword_only_arguments_with_their_types() -> None:
    def item(first: int, *, share: Annotated[float, Field(le=1)] = 0.5, name: str) -> None: ...

    assert [*options_of(item)] == ["share", "name"]
    assert checked_options(item, {"share": "0.25", "name": "x"}) == {"share": 0.25, "name": "x"}
    with pytest.raises(PluginError, match=r"less than or equal to 1 \(got 2\)"):
        checked_options(item, {"share": 2, "name": "x"})
    with pytest.raises(PluginError, match="name: is missing; state it"):
        checked_options(item, {})
    registry: Registry[Any] = Registry("thing", knob="thing")
    registry.add("later", "plugins.names:name_hint")
    assert registry["later"]("a", ["a"]) == "did you mean a? Valid: a"


def test_the_driver_knows_all_names_without_torch() -> None:
    script = "import sys, trainables.config, launch.resolve; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_a_bundles_code_runs_only_where_it_is_named_and_is_the_code_that_was_exported(
    plugin: Path, tmp_path: Path
) -> None:
    plugin.write_text("from plugins import VOTE_RULES\n@VOTE_RULES.register('first')\ndef first(members): ...")
    spec = PluginSpec(name="mine", source="plugins/mine.py", digest=plugin_at(plugin).digest)
    manifest = BundleManifest(name="b", created="now", tasks=(), plugins=(spec,), provenance={}, files={})
    bundle, other = tmp_path / "b", tmp_path / "other.py"
    other.write_text("raise SystemExit('this must not run')")
    with pytest.raises(
        BundleError, match=r"needs the plugin mine, which is code that runs here; .*--plugin .*mine\.py"
    ):
        load_named_plugins(bundle, manifest, [])
    with pytest.raises(BundleError, match=r"--plugin other: .* needs mine; leave it out"):
        load_named_plugins(bundle, manifest, [str(plugin), str(other)])
    assert "first" not in VOTE_RULES
    load_named_plugins(bundle, manifest, [str(plugin)])
    assert VOTE_RULES.plugin_of("first") == "mine"
    plugin.write_text("raise SystemExit('this must not run')")
    with pytest.raises(
        BundleError, match=r"mine\.py: differs from the one that .* was exported with; take .*plugins/mine"
    ):
        load_named_plugins(bundle, manifest, [str(plugin)])


def test_a_compiled_file_beside_a_plugin_is_never_run(tmp_path: Path) -> None:
    """Of a bundle from somebody else, a harmless source beside a foreign .pyc ran the .pyc."""
    package = tmp_path / "harmless"
    package.mkdir()
    for name in ("__init__", "inner"):
        source = package / f"{name}.py"
        source.write_text("FOUND = 'foreign'\n")
        compiled = Path(py_compile.compile(str(source), doraise=True, invalidation_mode=UNCHECKED))
        assert compiled.is_file()
        source.write_text(
            "from harmless import inner\nFOUND = 'source'\n" if name == "__init__" else "FOUND = 'source'\n"
        )
    hashed = plugin_at(package)
    shutil.copy(package / "__pycache__" / f"inner.{sys.implementation.cache_tag}.pyc", package / "inner.pyc")
    shutil.copy(package / "inner.pyc", package / "planted.pyc")
    assert plugin_at(package).digest == hashed.digest, "they are no source"
    try:
        load_plugin(hashed)
        assert sys.modules["harmless"].FOUND == sys.modules["harmless.inner"].FOUND == "source"
        for unhashed in ("harmless.planted", "harmless.__pycache__"):
            with pytest.raises(ModuleNotFoundError, match="among the hashed files"):
                import_module(unhashed)
    finally:
        unload_plugin("harmless")


def test_a_plugin_that_changes_between_its_hash_and_its_import_is_not_run(tmp_path: Path) -> None:
    source = tmp_path / "changing.py"
    source.write_text("FOUND = 1\n")
    hashed = plugin_at(source)
    source.write_text("raise SystemExit('ran')\n")
    with pytest.raises(PluginError, match="was changed while this ran; start again"):
        load_plugin(hashed)
    assert "changing" not in sys.modules


def test_a_study_from_somebody_else_runs_none_of_its_code_until_that_is_named(
    plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at a study of others, or exports it, ran what they had put into it."""
    monkeypatch.setenv("FOLDRACE_CACHE", str(tmp_path / "nothing launched here"))
    plugin.write_text("from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\n")
    folder = StudyFolder(tmp_path / "results/foreign")
    copied = copy_source(plugin_at(plugin), folder.plugins)
    identity = Identity(
        toy_space(), {"classes": ["a", "b"]}, {"digest": "s"}, plugins={"mine": plugin_at(plugin).digest}
    )
    begin_or_continue(folder, identity, {})
    ran = copied.with_suffix(".ran")
    with pytest.raises(StudyError, match=r"needs its plugin mine, code that no launch of yours .*--plugin .*mine\.py"):
        Study.existing(folder).load_plugins()
    assert not ran.exists()
    load_plugin(plugin_at(copied))  # as --plugin does
    Study.existing(folder).load_plugins()
    unload_plugin("mine")
    ran.unlink()
    trust(plugin_at(copied))  # as a launch does
    Study.existing(folder).load_plugins()
    assert ran.exists()


def test_a_compiled_file_in_the_place_of_an_extension_module_is_never_run(tmp_path: Path) -> None:
    """Beside an extension that no Python here loads, a .pyc of its name ran, although nobody had hashed it."""
    package = tmp_path / "harmless_too"
    package.mkdir()
    (package / "__init__.py").write_text("from harmless_too import fast\n")
    (package / "fast.cpython-99-x86_64-linux-gnu.so").write_bytes(b"no extension")
    source = tmp_path / "fast.py"
    source.write_text("raise SystemExit('this must not run')\n")
    py_compile.compile(str(source), cfile=str(package / "fast.pyc"), doraise=True)
    try:
        with pytest.raises(PluginError, match="cannot import name 'fast' from 'harmless_too'"):
            load_plugin(plugin_at(package))
    finally:
        unload_plugin("harmless_too")


@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_a_plugin_holds_regular_files_alone(kind: str, tmp_path: Path) -> None:
    package = tmp_path / "odd"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "again").symlink_to(package)  # a folder that lies in itself
    plugin_at(package)
    os.mkfifo(package / "odd") if kind == "pipe" else (package / "odd").symlink_to("/dev/zero")
    with pytest.raises(PluginError, match="is no regular file; take it out of the plugin"):
        plugin_at(package)


def test_a_mark_of_trust_that_somebody_else_left_is_none(monkeypatch: pytest.MonkeyPatch, plugin: Path) -> None:
    """A group may share the cache in which marks lie."""
    plugin.write_text("")
    trust(plugin_at(plugin))
    assert is_trusted(plugin_at(plugin).digest)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert not is_trusted(plugin_at(plugin).digest)


def test_the_option_that_a_bundle_asks_for_is_quoted(tmp_path: Path) -> None:
    """Whoever copies it from the terminal must not run what a bundle's names say."""
    spec = PluginSpec(name="mine", source="plugins/x;touch owned #.py", digest="0")
    manifest = BundleManifest(name="b", created="now", tasks=(), plugins=(spec,), provenance={}, files={})
    with pytest.raises(BundleError) as raised:
        load_named_plugins(tmp_path / "my bundle", manifest, [])
    assert f"--plugin '{tmp_path}/my bundle/plugins/x;touch owned #.py'" in str(raised.value)
