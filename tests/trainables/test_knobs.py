"""Every knob changes what it says, and nothing else: steps, weights, orders and votes on a tiny net."""

from argparse import Namespace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from timm.data.mixup import mixup_target
from torch.optim.lr_scheduler import OneCycleLR

from storage.tensors import load_state, save_state
from tests.toys.training import TINY
from trainables.config import TrainConfig, configured
from trainables.training.classifier import Classifier, Normalisation
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.heads.head import Targets, make_head
from trainables.training.heads.task import Task
from trainables.training.images.batches import TrainingBatches
from trainables.training.images.fold_data import FoldData, load_fold_data
from trainables.training.images.mixing import kept_share, mix, mixes, mixup
from trainables.training.images.sampling import batches_per_epoch, epoch_order
from trainables.training.losses import (
    balanced_weights,
    class_weights,
    cross_entropy,
    effective_weights,
    focal,
    mixture,
    smooth,
    soft_macro_f1,
)
from trainables.training.models import ModelError, classifier_name, make_model
from trainables.training.optimization.freezing import layers_of
from trainables.training.optimization.optimizers import make_optimizer
from trainables.training.optimization.schedules import make_schedule
from trainables.training.optimization.steps import step_sizes
from trainables.training.weights.file import WeightsError, sealed
from trainables.training.weights.users_own import read_weights

soft_targets = st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=2, max_size=6)


@pytest.fixture
def data(study: Path) -> FoldData:
    return load_fold_data(study)


def config(**knobs: Any) -> TrainConfig:
    return TrainConfig(**{**TINY, "augmentation": "none", **knobs})


def learner(data: FoldData, **knobs: Any) -> FoldLearner:
    made = config(**knobs)
    return FoldLearner(made, data, 0, 0, place(made, Resources()))


def trained(data: FoldData, passes: int = 1, **knobs: Any) -> FoldLearner:
    one = learner(data, **knobs)
    for epoch in range(passes):
        one.train_epoch(epoch)
        one.judge_epoch(lambda judged: float(judged.probabilities[0, 0]))
    return one


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# Model


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet", "test_efficientnet"])
def test_a_backbone_is_built_at_the_image_size_and_a_hidden_layer_widens_its_head(backbone: str) -> None:
    model = make_model(config(backbone=backbone, head_hidden=24, image_size=48), 3)
    assert model(torch.zeros(2, 3, 48, 48)).shape == (2, 3)
    head = model.get_submodule(classifier_name(model) or "")
    assert [type(layer).__name__ for layer in head.children()] == ["Linear", "GELU", "Dropout", "Linear"]
    assert head[0].out_features == 24  # type: ignore[index, union-attr]


def test_drop_path_drops_whole_blocks_while_training_and_only_then() -> None:
    images = torch.rand(4, 3, 32, 32)
    torch.manual_seed(0)
    model = make_model(config(backbone="test_vit", drop_path_rate=0.5, drop_rate=0.0), 3)
    rates = [module.drop_prob for module in model.modules() if type(module).__name__ == "DropPath"]
    assert rates
    assert max(rates) > 0
    first, second = model(images), model(images)
    assert not torch.equal(first, second), "other blocks are dropped each time"
    model.eval()
    assert torch.equal(model(images), model(images))


def test_what_a_backbone_cannot_do_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # else it tries for most of a minute
    with pytest.raises(ModelError, match="densenet121 knows no drop_path_rate; leave it at its default"):
        make_model(config(backbone="densenet121", drop_path_rate=0.1), 3)
    with pytest.raises(ModelError, match=r"set constants\.weights=none, name a file of yours, or take a backbone"):
        make_model(config(backbone="test_vit", weights="imagenet"), 3)


def test_the_pooling_is_the_one_that_was_asked_for() -> None:
    pooled = {name: make_model(config(global_pool=name), 3).global_pool.pool_type for name in ("avg", "max")}  # type: ignore[union-attr]
    assert pooled == {"avg": "avg", "max": "max"}


@pytest.mark.parametrize("classes", [3, 5])
def test_weights_of_a_file_are_loaded_but_for_the_classifier(
    classes: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(1)
    source = make_model(config(), classes)
    files = tmp_path / "own.safetensors", tmp_path / "own.pth"
    save_file(source.state_dict(), files[0])
    torch.save({"state_dict": {f"module.{name}": value for name, value in source.state_dict().items()}}, files[1])
    for file in files:
        caplog.clear()
        loaded = make_model(config(weights=str(file)), 3).state_dict()
        given = source.state_dict()
        assert all(torch.equal(loaded[name], given[name]) for name in given if not name.startswith("classifier."))
        assert not torch.equal(loaded["classifier.weight"], given["classifier.weight"][:3])
        assert f"{len(given) - 2} tensors loaded from {file.name}; fresh: the classifier\n" in caplog.text


def test_the_content_of_a_weights_file_is_part_of_the_hash_and_its_place_is_not(tmp_path: Path) -> None:
    for name, value in (("a", 0.0), ("b", 0.0), ("c", 1.0)):
        save_file({"x": torch.full((2,), value)}, tmp_path / f"{name}.safetensors")
    digests = [config(weights=str(tmp_path / f"{name}.safetensors")).digest for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    stored = config(weights=str(tmp_path / "a.safetensors")).weights
    (tmp_path / "a.safetensors").write_bytes(b"changed")
    with pytest.raises(WeightsError, match="is missing or was changed since the study began; bring it back"):
        make_model(config(weights=stored), 3)


def test_weights_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for backbone, other in (("resnet10t", "resnet14t"), ("resnet14t", "resnet10t"), ("test_vit", "test_resnet")):
        torch.save(make_model(config(backbone=backbone), 3).state_dict(), tmp_path / "other.pth")
        with pytest.raises(
            WeightsError, match=rf"is of another backbone than {other}: it lacks .* name that backbone, or"
        ):
            make_model(config(backbone=other, weights=str(tmp_path / "other.pth")), 3)
    broken = make_model(config(), 3).state_dict()
    broken["conv_stem.weight"] = torch.full_like(broken["conv_stem.weight"], float("nan"))
    torch.save(broken, tmp_path / "nan.pth")
    with pytest.raises(WeightsError, match=r"conv_stem\.weight holds what is no number"):
        make_model(config(weights=str(tmp_path / "nan.pth")), 3)
    torch.save({1: torch.zeros(2)}, tmp_path / "numbered.pth")
    with pytest.raises(WeightsError, match="is no state_dict"):
        make_model(config(weights=str(tmp_path / "numbered.pth")), 3)
    (tmp_path / "damaged.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(WeightsError, match="is damaged"):
        sealed(str(tmp_path / "damaged.safetensors"))
    (tmp_path / "damaged.pth").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="cannot be read"):
        make_model(config(weights=str(tmp_path / "damaged.pth")), 3)
    with pytest.raises(WeightsError, match=r"there is no file .*nowhere\.pth; say imagenet, none, or"):
        sealed(str(tmp_path / "nowhere.pth"))


def test_weights_of_a_transformer_fit_another_image_size_by_resampled_positions(tmp_path: Path) -> None:
    torch.save(make_model(config(backbone="test_vit", image_size=64), 3).state_dict(), tmp_path / "larger.pth")
    model = make_model(config(backbone="test_vit", image_size=32, weights=str(tmp_path / "larger.pth")), 3)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3)


def test_a_path_may_have_any_character(tmp_path: Path) -> None:
    (tmp_path / "a#b").mkdir()
    torch.save(make_model(config(), 3).state_dict(), tmp_path / "a#b" / "own.pth")
    assert "#b/own.pth#" in config(weights=str(tmp_path / "a#b" / "own.pth")).weights


def test_pretrained_of_an_older_version_is_weights_by_now() -> None:
    assert configured({**TINY, "pretrained": False}).weights == "none"
    assert configured({"pretrained": True}).weights == "imagenet"


def test_flips_at_test_time_are_the_mean_over_both_sides(data: FoldData) -> None:
    torch.manual_seed(0)
    plain = config()
    model = make_model(plain, 3)
    normalised = Normalisation.of((0.5,) * 3, (0.5,) * 3, torch.device("cpu"))
    images = np.ascontiguousarray(data.images[:6])
    mirrored = np.ascontiguousarray(images[:, :, ::-1])

    def judged(pixels: np.ndarray, **knobs: Any) -> np.ndarray:
        head = make_head(Task(3), config(**knobs))
        return Classifier(model, head, normalised).judge(pixels).probabilities

    both = judged(images, test_flip=True)
    assert np.allclose(both, (judged(images) + judged(mirrored)) / 2, atol=1e-6)
    assert np.allclose(both, judged(mirrored, test_flip=True), atol=1e-6)
    assert config(test_flip=True).classifier()["test_flip"] is True


# Losses


@given(soft_targets, st.floats(0, 4))
@settings(max_examples=30, deadline=None)
def test_losses_take_any_soft_target_and_their_gradients_are_those_of_differences(
    rows: list[list[float]], gamma: float
) -> None:
    targets = torch.tensor(rows, dtype=torch.float64)
    targets = targets / targets.sum(dim=1, keepdim=True)
    logits = torch.linspace(-1, 1, targets.numel(), dtype=torch.float64).reshape(targets.shape).requires_grad_()
    losses = {
        "cross entropy": lambda given: cross_entropy(given, targets),
        "focal": lambda given: focal(given, targets, focal_gamma=gamma),
        "macro F1": lambda given: soft_macro_f1(given, targets, label_smoothing=0.0),
        "mixture": lambda given: mixture(
            given, targets, focal_gamma=gamma, mixture_focal=0.4, mixture_macro_f1=0.3, label_smoothing=0.0
        ),
    }
    for loss in losses.values():
        gradient = torch.autograd.grad(loss(logits).sum(), logits)[0]
        step = 1e-3
        for cell in ((0, 0), (len(rows) - 1, 2)):
            moved = torch.zeros_like(logits)
            moved[cell] = step
            with torch.no_grad():
                difference = (loss(logits + moved).sum() - loss(logits - moved).sum()) / (2 * step)
            assert float(gradient[cell]) == pytest.approx(float(difference), abs=2e-3)


def test_soft_macro_f1_of_certain_votes_is_one_minus_the_macro_f1() -> None:
    targets = torch.eye(2)[[0, 0, 1, 1]]
    votes = torch.tensor([[40.0, 0], [40, 0], [0, 40], [40, 0]])  # the second class: 1 of 2 found, none too many
    loss = soft_macro_f1(votes, targets, label_smoothing=0.0)
    assert loss[0].item() == pytest.approx(1 - (0.8 + 2 / 3) / 2, abs=1e-5)
    assert loss.shape == (4,)


def test_soft_macro_f1_counts_only_classes_that_a_batch_shows_whatever_is_smoothed() -> None:
    targets = torch.eye(10)[[0, 0, 1, 1]]
    votes = (targets * 40).requires_grad_()
    assert soft_macro_f1(votes, targets, label_smoothing=0.0)[0].item() == pytest.approx(0, abs=1e-4)
    smoothed = soft_macro_f1(votes, smooth(targets, 0.1), label_smoothing=0.1)
    assert smoothed[0].item() < 0.06, "eight classes of nothing but smoothing would cost 0.8"
    far = torch.tensor([[200.0, 0, -200]] * 2).requires_grad_()
    soft_macro_f1(far, torch.eye(3)[[0, 0]], label_smoothing=0.0).sum().backward()
    assert far.grad is not None
    assert bool(torch.isfinite(far.grad).all())


def test_a_mixture_is_its_shares_of_the_losses() -> None:
    logits, targets = torch.randn(5, 3), torch.eye(3)[[0, 1, 2, 0, 1]]
    shares = {"focal_gamma": 2.0, "mixture_focal": 0.3, "mixture_macro_f1": 0.2, "label_smoothing": 0.0}
    one_by_one = 0.7 * cross_entropy(logits, targets) + 0.3 * focal(logits, targets, focal_gamma=2.0)
    by_hand = 0.8 * one_by_one + 0.2 * soft_macro_f1(logits, targets, label_smoothing=0.0)
    assert torch.allclose(mixture(logits, targets, **shares), by_hand)
    only = mixture(logits, targets, **{**shares, "mixture_focal": 1.0, "mixture_macro_f1": 1.0})
    assert torch.allclose(only, soft_macro_f1(logits, targets, label_smoothing=0.0)), "no share is ever negative"


def test_effective_weights_lie_between_none_and_balanced() -> None:
    counts = torch.tensor([900, 90, 10, 0])
    by_hand = torch.tensor([(1 - 0.99) / (1 - 0.99 ** float(n)) for n in (900, 90, 10)])
    weights = effective_weights(counts, 0.99)
    assert torch.allclose(weights[:3] / weights[0], by_hand / by_hand[0], rtol=1e-4)
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1)
    assert weights[3] == 0
    assert torch.allclose(effective_weights(counts, 0.0)[:3], torch.ones(3))
    close = effective_weights(counts, 0.999999)
    assert torch.allclose(close[:3] / close[0], balanced_weights(counts)[:3] / balanced_weights(counts)[0], rtol=1e-2)
    targets = torch.repeat_interleave(torch.arange(3), counts[:3])
    chosen = class_weights(config(class_weights="effective", effective_beta=0.99), targets, 4)
    assert chosen is not None
    assert torch.allclose(chosen, weights)


# Mixing


@given(st.floats(0.05, 0.95), st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_the_kept_share_is_the_one_that_was_asked_for(kept: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    assert kept_share(config(cutmix_lambda="half", cutmix_kept=kept), generator) == 0.5
    assert kept_share(config(cutmix_lambda="fixed", cutmix_kept=kept), generator) == kept
    banded = kept_share(config(cutmix_lambda="uniform", cutmix_kept=kept, cutmix_band=0.04), generator)
    assert abs(banded - kept) <= 0.04 + 1e-9
    assert 0 <= kept_share(config(cutmix_lambda="beta"), generator) <= 1


def test_mixup_blends_images_and_targets_by_the_same_share_as_timm_blends() -> None:
    images, targets = torch.rand(6, 3, 8, 8), Targets(torch.eye(3)[[0, 1, 2, 0, 1, 2]])
    mixed, soft = mixup(images, targets, 0.4, np.random.default_rng(3))
    generator = np.random.default_rng(3)
    kept, partner = generator.beta(0.4, 0.4), generator.permutation(6)
    assert torch.allclose(mixed, images * kept + images[partner] * (1 - kept))
    assert torch.allclose(soft.classes, targets.classes * kept + targets.classes[partner] * (1 - kept))
    theirs = mixup_target(torch.tensor([0, 1, 2, 0, 1, 2]), 3, lam=kept)  # timm's partner is the image at the other end
    ours = targets.mixed(torch.arange(5, -1, -1), 1 - kept).classes
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_numbers_are_mixed_by_the_same_shares_as_classes() -> None:
    years = torch.tensor([[20.0], [60.0]])
    targets = Targets(torch.eye(2), years, torch.ones(2, 1)).mixed(torch.tensor([1, 0]), 0.25)
    assert targets.numbers is not None
    assert targets.shares is not None
    assert (targets.numbers * targets.shares).sum(dim=1).tolist() == [30.0, 50.0]
    assert targets.classes.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_mixing_happens_as_often_as_configured_and_not_in_the_last_epochs() -> None:
    images, targets, generator = torch.rand(2, 3, 8, 8), Targets(torch.eye(2)), np.random.default_rng(0)
    wide, narrow = (
        np.std([kept_share(config(cutmix_lambda="beta", cutmix_alpha=alpha), generator) for _ in range(400)])
        for alpha in (0.2, 8.0)
    )
    assert wide > 2 * narrow
    assert not torch.equal(*(mixup(images, targets, alpha, np.random.default_rng(0))[0] for alpha in (0.2, 8.0)))
    often = config(cutmix_probability=0.5, mixup_probability=0.5)
    untouched = sum(mix(images, targets, often, generator)[0] is images for _ in range(2000))
    assert 420 <= untouched <= 580, "half are cut-mixed, half of the rest mixed up"
    assert [mixes(config(epochs=4, unmixed_epochs=1), epoch) for epoch in range(4)] == [True, True, True, False]


def test_epochs_without_mixing_train_as_if_there_were_none(data: FoldData) -> None:
    plain = trained(data).weights()
    assert same(trained(data, cutmix_probability=1.0, unmixed_epochs=2).weights(), plain)
    assert not same(trained(data, cutmix_probability=1.0, unmixed_epochs=1).weights(), plain)


# Sampling


def test_class_weighted_sampling_shows_classes_and_persons_equally_often() -> None:
    groups = np.array([0] * 80 + [1] * 15 + [2] * 5)
    for sampling in ("class_weighted", "person_balanced"):
        drawn = np.concatenate(
            [epoch_order(config(sampling=sampling), groups, np.random.default_rng(seed), 100) for seed in range(40)]
        )
        shares = np.bincount(groups[drawn]) / len(drawn)
        assert np.allclose(shares, 1 / 3, atol=0.03)
    plain = epoch_order(config(), None, np.random.default_rng(0), 100)
    assert sorted(plain) == list(range(100))


def test_persons_are_what_person_balanced_sampling_evens_out(data: FoldData) -> None:
    keep = np.concatenate([np.flatnonzero(data.persons == 0)[:1], np.flatnonzero(data.persons != 0)])
    batches = TrainingBatches(data, keep, config(sampling="person_balanced"), (0, 0, 0))
    shown = np.concatenate(
        [batches[epoch, number][1].numpy() for epoch in range(60) for number in range(batches.per_epoch)]
    )
    counts = np.bincount(data.persons[shown])
    assert counts[0] == pytest.approx(counts.mean(), rel=0.5), (
        "one image of a person counts as much as seven of another"
    )


# Optimization


def test_one_cycle_is_torchs() -> None:
    steps = 40
    ours, theirs = (torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1) for _ in range(2))
    schedule = make_schedule(ours, config(schedule="one_cycle", epochs=4, learning_rate=0.1), 10)
    reference = OneCycleLR(theirs, 0.1, total_steps=steps, cycle_momentum=False)
    for step in range(steps):
        schedule.step_update(step)
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-6)
        theirs.step()
        if step < steps - 1:
            reference.step()


def test_a_step_schedule_falls_by_its_rate_and_a_constant_one_stays() -> None:
    def rates(**knobs: Any) -> list[float]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
        schedule = make_schedule(optimizer, config(epochs=4, learning_rate=1.0, warmup_epochs=0, **knobs), 10)
        seen = []
        for step in range(0, 40, 10):
            schedule.step_update(step)
            seen.append(round(optimizer.param_groups[0]["lr"], 6))
        return seen

    assert rates(schedule="step", decay_epochs=2.0, decay_rate=0.1) == [1.0, 1.0, 0.1, 0.1]
    assert rates(schedule="constant") == [1.0] * 4


def test_layer_decay_lowers_the_rate_towards_the_input_by_a_constant_factor() -> None:
    model = make_model(config(), 3)
    optimizer = make_optimizer(model, config(layer_decay=0.5))
    scales = sorted({group["lr_scale"] for group in optimizer.param_groups})
    assert scales[-1] == 1.0
    assert all(high / low == pytest.approx(2.0) for low, high in pairwise(scales))
    assert all("lr_scale" not in group for group in make_optimizer(model, config()).param_groups)


def test_accumulated_batches_make_the_step_of_one_large_batch(data: FoldData) -> None:
    plain = {"drop_rate": 0.0, "backbone": "test_vit", "optimizer": "sgd", "warmup_epochs": 0.0, "schedule": "constant"}
    whole = trained(data, batch_size=16, **plain).weights()
    halves = trained(data, batch_size=8, accumulation=2, **plain).weights()
    assert all(torch.allclose(whole[name], halves[name], atol=1e-4) for name in whole)
    uneven = trained(data, batch_size=24, **plain).weights()
    parts = trained(data, batch_size=12, accumulation=2, **plain).weights()
    assert all(torch.allclose(uneven[name], parts[name], atol=1e-4) for name in uneven), (
        "an image counts as much as another"
    )
    assert step_sizes(7, 3) == [3, 3, 1]
    assert step_sizes(4, 1) == [1] * 4


def test_a_gradient_longer_than_the_clip_is_shortened(data: FoldData) -> None:
    short = {"optimizer": "momentum", "clip_gradient": 1e-4, "warmup_epochs": 0.0, "momentum": 0.0, "weight_decay": 0.0}
    before = learner(data, **short)
    start = {name: value.clone() for name, value in before.model.named_parameters()}
    before.train_epoch(0)
    moved = sum(float((value - start[name]).square().sum()) for name, value in before.model.named_parameters()) ** 0.5
    assert moved <= 1e-3 * 1e-4 * before._sizes.__len__() * 1.01


def test_frozen_layers_stay_as_they_were_and_move_afterwards(data: FoldData) -> None:
    frozen = learner(data, frozen_share=0.5, frozen_epochs=1, epochs=2)
    before = {name: value.clone() for name, value in frozen.model.state_dict().items()}
    layers = layers_of(frozen.model)
    still = {name for layer in layers[: round(0.5 * (len(layers) - 1))] for name in layer}
    frozen.train_epoch(0)
    after = frozen.model.state_dict()
    assert still
    assert all(torch.equal(after[name], before[name]) for name in still)
    assert any(not torch.equal(after[name], before[name]) for layer in layers for name in layer if name not in still)
    statistics = [
        name for name in before if name.endswith("running_mean") and name.replace("running_mean", "weight") in still
    ]
    assert statistics
    assert all(torch.equal(after[name], before[name]) for name in statistics), "batch norm's statistics rest, too"
    frozen.train_epoch(1)
    assert any(not torch.equal(frozen.model.state_dict()[name], before[name]) for name in still)


def test_a_moving_average_is_what_its_decay_says_and_nothing_of_what_training_began_with(data: FoldData) -> None:
    last, averaged = learner(data), learner(data, kept_weights="ema", ema_decay=0.5)
    name = "conv_stem.weight"
    steps: list[torch.Tensor] = []
    kept_step = last._steps.step

    def recorded() -> None:
        kept_step()
        steps.append(last.model.state_dict()[name].clone())

    last._steps.step = recorded  # type: ignore[method-assign]
    last.train_epoch(0)
    averaged.train_epoch(0)
    shares = [0.5 ** (len(steps) - step) for step in range(len(steps))]
    mean = torch.stack([share / sum(shares) * weights for share, weights in zip(shares, steps, strict=True)]).sum(dim=0)
    assert torch.allclose(averaged.weights()[name], mean, atol=1e-6)
    assert torch.equal(averaged.model.state_dict()[name], last.model.state_dict()[name]), "training itself is unchanged"


def test_stochastic_weight_averaging_is_the_mean_over_the_last_epochs(data: FoldData) -> None:
    plain = learner(data, epochs=3)
    ends = []
    for epoch in range(3):
        plain.train_epoch(epoch)
        ends.append({name: value.clone() for name, value in plain.model.state_dict().items()})
    knobs = {"epochs": 3, "kept_weights": "swa", "swa_epochs": 2}
    averaged = trained(data, 3, **knobs, swa_statistics="averaged").weights()
    for name in ("conv_stem.weight", "bn1.running_mean"):
        assert torch.allclose(averaged[name], (ends[1][name] + ends[2][name]) / 2, atol=1e-6)
    estimated = trained(data, 3, **knobs)
    assert torch.equal(estimated.weights()["conv_stem.weight"], averaged["conv_stem.weight"])
    stem = estimated._kept.kept().get_submodule("conv_stem")
    seen = [
        stem(estimated._normalised(images)).detach().mean(dim=(0, 2, 3)) for images, _ in estimated._loader.epoch(2)
    ]
    mean = estimated.weights()["bn1.running_mean"]
    assert torch.allclose(mean, torch.stack(seen).mean(dim=0), atol=1e-4), "of the averaged weights, on training images"
    assert not torch.allclose(mean, averaged["bn1.running_mean"], atol=1e-3)


def test_the_best_epoch_is_kept_and_the_judgement_with_it(data: FoldData) -> None:
    scores = iter([0.2, 0.9, 0.5])
    best = learner(data, epochs=3, kept_weights="best")
    judged = []
    for epoch in range(3):
        best.train_epoch(epoch)
        judged.append(best.judge_epoch(lambda judged: next(scores)).probabilities)
    second = trained(data, 2, epochs=3)
    assert same(best.weights(), second.weights())
    assert np.array_equal(judged[1], judged[2])
    assert not np.array_equal(judged[0], judged[1])


@pytest.mark.parametrize(
    "knobs",
    [
        {"kept_weights": "ema"},
        {"kept_weights": "swa", "swa_epochs": 2},
        {"kept_weights": "best"},
        {"frozen_share": 0.5, "frozen_epochs": 1},
        {"sampling": "class_weighted", "mixup_probability": 0.5, "accumulation": 2},
        {"schedule": "one_cycle", "layer_decay": 0.8},
    ],
)
@pytest.mark.parametrize("done", [1, 2])
def test_what_is_stopped_and_goes_on_ends_at_the_same_digit(
    done: int, knobs: dict[str, Any], data: FoldData, tmp_path: Path
) -> None:
    through = trained(data, 3, epochs=3, **knobs)
    first = trained(data, done, epochs=3, **knobs)
    save_state(first.state(), tmp_path / "state")
    resumed = learner(data, epochs=3, **knobs)
    resumed.load_state(load_state(tmp_path / "state"))
    for epoch in range(done, 3):
        resumed.train_epoch(epoch)
        resumed.judge_epoch(lambda judged: float(judged.probabilities[0, 0]))
    assert same(through.weights(), resumed.weights())


# What a rest makes


def test_a_few_images_that_are_left_join_the_batch_before_and_many_make_one() -> None:
    assert [batches_per_epoch(images, 32) for images in (129, 130, 135, 136, 160, 3)] == [4, 4, 4, 5, 5, 1]
    assert [batches_per_epoch(images, 32, "short") for images in (129, 130, 160)] == [4, 5, 5], "as trials did before"
    assert [batches_per_epoch(images, 2) for images in (4, 5)] == [2, 2], "batch norm needs two"


def test_a_few_batches_that_are_left_join_the_step_before_and_more_make_one() -> None:
    assert step_sizes(33, 16) == [16, 17]
    assert step_sizes(36, 16) == [16, 16, 4]
    assert step_sizes(33, 16, "short") == [16, 16, 1]
    assert step_sizes(32, 16) == [16, 16]
    assert step_sizes(3, 16) == [3]
    assert step_sizes(5, 1) == [1] * 5


def test_classes_that_are_drawn_equally_often_are_not_weighted_besides() -> None:
    targets = torch.tensor([0, 0, 0, 1])
    for weights in ("balanced", "effective"):
        assert class_weights(config(class_weights=weights, sampling="class_weighted"), targets, 2) is None
        assert class_weights(config(class_weights=weights), targets, 2) is not None


def test_averaged_weights_of_a_timm_checkpoint_come_before_the_last_ones(tmp_path: Path) -> None:
    """timm's training script writes its options, too, which an unpickler that runs no code does not know."""
    model = make_model(config(backbone="tf_efficientnet_lite0", weights="none"), 3)
    averaged = {name: value + 1 if value.is_floating_point() else value for name, value in model.state_dict().items()}
    path = tmp_path / "model_best.pth.tar"
    saved = {"arch": "tf_efficientnet_lite0", "args": Namespace(lr=0.1, aa="rand"), "state_dict": model.state_dict()}
    torch.save({**saved, "state_dict_ema": averaged}, path)
    assert torch.equal(read_weights(path)["conv_stem.weight"], averaged["conv_stem.weight"])
    torch.save({**saved, "state_dict_ema": None}, path)
    assert torch.equal(read_weights(path)["conv_stem.weight"], model.state_dict()["conv_stem.weight"])


def test_balanced_weights_are_one_over_the_share_of_a_class_and_an_absent_class_has_none() -> None:
    counts = torch.tensor([6, 1, 0, 1])
    weights = balanced_weights(counts)
    assert weights.tolist() == pytest.approx([8 / (3 * 6), 8 / 3, 0.0, 8 / 3])
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1.0)


def test_effective_weights_are_those_of_the_paper() -> None:
    """Cui et al., 2019: the effective number of n images is (1 - beta^n) / (1 - beta)."""
    counts, beta = torch.tensor([10, 3, 0]), 0.9
    numbers = [(1 - beta**n) / (1 - beta) for n in (10, 3)]
    images = 10 / numbers[0] + 3 / numbers[1]
    expected = [13 / (number * images) for number in numbers]
    assert effective_weights(counts, beta).tolist() == pytest.approx([*expected, 0.0])
