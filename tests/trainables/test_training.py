"""Loss, mixing, models, learner: checked by hand, against torch and timm, and to the last digit."""

from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
import torch
from timm.loss import LabelSmoothingCrossEntropy
from torch.nn.functional import cross_entropy, one_hot

from datasets.augmentations import AUGMENTATIONS
from datasets.images import Pixels
from datasets.preparation import PreparedData
from datasets.transforms import augment, make_transform
from plugins.registry import arguments_for
from storage.tensors import load_state, save_state
from studies.metrics import macro_f1
from tests.toys import ROOT
from trainables.config import TrainConfig
from trainables.knobs.table import knob_table
from trainables.training.classifier import exact_float32
from trainables.training.devices import DeviceError, Resources, memory_share, place, unknown_architecture
from trainables.training.fold_learner import FoldLearner, NotFinite, mean_loss, parts_of
from trainables.training.heads.head import Targets as HeadTargets
from trainables.training.heads.head import make_head
from trainables.training.heads.task import Task
from trainables.training.images.batches import BatchLoader, TrainingBatches, batches_per_epoch
from trainables.training.images.fold_data import FoldData, load_fold_data
from trainables.training.images.mixing import cut_box, cutmix, mix
from trainables.training.losses import balanced_weights, class_loss, class_weights, focal, smooth
from trainables.training.losses import cross_entropy as per_image
from trainables.training.models import ModelError, make_model, normalisation
from trainables.training.optimization import optimizers
from trainables.training.optimization.freezing import Freezing, LayerError, check_layers
from trainables.training.optimization.optimizers import OptimizerError, check_optimizer, has_fused_variant
from trainables.training.optimization.steps import Steps
from trainables.training.seeds import derived_generator, derived_seed
from trainables.training.weights.packaged import packaged_weights

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]])
TARGETS = one_hot(torch.tensor([0, 2]), 3).float()


@pytest.fixture
def data(study: object) -> FoldData:
    return load_fold_data(study)  # type: ignore[arg-type]


def learner(config: TrainConfig, data: FoldData, fold: int = 0, trial: int = 0) -> FoldLearner:
    return FoldLearner(config, data, trial, fold, place(config, Resources()))


def weighted(config: TrainConfig, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the loss of a batch whose classes have weights, as a step takes it."""
    task = Task(targets.shape[1])
    steps = Steps(torch.nn.Linear(1, 1), torch.optim.SGD([torch.zeros(1)], 1), config, place(config, Resources()))
    return steps.loss(lambda given: given, make_head(task, config), logits, HeadTargets(targets), weights)


def test_the_loss_without_gamma_is_torchs_cross_entropy() -> None:
    mixed = TARGETS * 0.3 + TARGETS.flip(0) * 0.7
    for targets in (TARGETS, mixed):
        assert torch.allclose(per_image(LOGITS, targets).mean(), cross_entropy(LOGITS, targets))


def test_class_weights_weigh_whole_images_by_the_shares_of_their_targets() -> None:
    weights, mixed = torch.tensor([0.5, 1.0, 2.0]), TARGETS * 0.3 + TARGETS.flip(0) * 0.7
    plain = TrainConfig(label_smoothing=0.0)
    assert torch.allclose(weighted(plain, LOGITS, TARGETS, weights), cross_entropy(LOGITS, TARGETS, weights))
    each = torch.stack([cross_entropy(LOGITS[row], smooth(mixed, 0.1)[row]) for row in range(2)])
    by_hand = (each * torch.tensor([0.3 * 0.5 + 0.7 * 2.0, 0.3 * 2.0 + 0.7 * 0.5])).mean()
    assert torch.allclose(weighted(TrainConfig(label_smoothing=0.1), LOGITS, mixed, weights), by_hand)


@pytest.mark.parametrize("loss", ["cross_entropy", "focal"])
def test_balanced_weights_with_smoothing_leave_every_class_its_images(loss: str) -> None:
    weights = balanced_weights(torch.tensor([700, 330, 20]))
    logits = torch.zeros(3, 3, requires_grad=True)  # of one image of every class, free to move
    optimizer = torch.optim.Adam([logits], 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        config = TrainConfig(loss=loss, class_weights="balanced", label_smoothing=0.1)  # type: ignore[arg-type]
        weighted(config, logits, torch.eye(3), weights).backward()
        optimizer.step()
    assert logits.argmax(dim=1).tolist() == [0, 1, 2]
    if loss == "cross_entropy":
        assert torch.allclose(logits.softmax(dim=1), smooth(torch.eye(3), 0.1), atol=1e-2)


def test_a_class_absent_from_training_has_no_weight() -> None:
    weights = balanced_weights(torch.tensor([60, 0, 20]))
    assert torch.allclose(weights, torch.tensor([80 / 120, 0.0, 80 / 40]))


def test_smoothing_is_torchs_and_timms() -> None:
    ours = per_image(LOGITS, smooth(TARGETS, 0.1)).mean()
    assert torch.allclose(ours, cross_entropy(LOGITS, torch.tensor([0, 2]), label_smoothing=0.1))
    assert torch.allclose(ours, LabelSmoothingCrossEntropy(0.1)(LOGITS, torch.tensor([0, 2])))


def test_focal_loss_is_what_a_hand_computes() -> None:
    probability = 0.8
    logits = torch.tensor([[np.log(probability / (1 - probability)), 0.0]])
    by_hand = -((1 - probability) ** 2) * np.log(probability)
    assert focal(logits, torch.tensor([[1.0, 0.0]]), focal_gamma=2.0).item() == pytest.approx(by_hand, rel=1e-5)


def test_balanced_weights_are_inverse_to_counts_and_weigh_an_image_one_on_average() -> None:
    counts = torch.tensor([60, 30, 10])
    weights = balanced_weights(counts)
    assert torch.allclose(weights, torch.tensor([100 / 180, 100 / 90, 100 / 30]))
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1)
    assert class_weights(TrainConfig(), torch.tensor([0, 1]), 2) is None


def test_the_configured_loss_uses_gamma_with_focal_only() -> None:
    plain = class_loss(TrainConfig(loss="cross_entropy", focal_gamma=2, label_smoothing=0), LOGITS, TARGETS).mean()
    focused = class_loss(TrainConfig(loss="focal", focal_gamma=2, label_smoothing=0), LOGITS, TARGETS).mean()
    assert plain == per_image(LOGITS, TARGETS).mean()
    assert focused == focal(LOGITS, TARGETS, focal_gamma=2).mean()
    assert focused < plain


@pytest.mark.parametrize("shape", ["box", "vertical_half"])
@pytest.mark.parametrize("cut_lambda", ["half", "beta"])
def test_targets_follow_the_area_that_was_replaced(shape: str, cut_lambda: str) -> None:
    images = torch.stack([torch.full((3, 16, 20), float(number)) for number in range(4)])
    config = TrainConfig(cutmix_probability=1, cutmix_shape=shape, cutmix_lambda=cut_lambda)  # type: ignore[arg-type]
    for seed in range(20):
        mixed, targets = cutmix(images, HeadTargets(torch.eye(4)), config, np.random.default_rng(seed))
        shares = torch.stack([(mixed == float(number)).float().mean(dim=(1, 2, 3)) for number in range(4)], dim=1)
        assert torch.allclose(shares, targets.classes, atol=1e-6)
    assert torch.equal(images[2], torch.full((3, 16, 20), 2.0)), "the input is left as it is"


def test_a_vertical_half_is_one_side_at_full_height() -> None:
    boxes = {cut_box(16, 20, 0.5, "vertical_half", np.random.default_rng(seed)) for seed in range(20)}
    assert boxes == {(0, 16, 0, 10), (0, 16, 10, 20)}


def test_cutmix_happens_as_often_as_configured() -> None:
    generator = np.random.default_rng(0)
    images, targets = torch.rand(2, 3, 8, 8), HeadTargets(torch.eye(2))
    config = TrainConfig(cutmix_probability=0.3)
    untouched = sum(mix(images, targets, config, generator)[0] is images for _ in range(1000))
    assert 650 <= untouched <= 750


def test_packaged_imagenet_weights_fit_timms_model_exactly() -> None:
    model = make_model(TrainConfig(), 3)
    weights = packaged_weights("tf_efficientnet_lite0")
    own = model.state_dict()
    assert set(own) == set(weights)
    assert all(torch.equal(own[name], weights[name]) for name in own if not name.startswith("classifier."))
    assert own["classifier.weight"].shape == (3, 1280)
    assert normalisation("tf_efficientnet_lite0") == ((0.5,) * 3, (0.5,) * 3)


def test_an_unknown_backbone_names_those_near_it() -> None:
    with pytest.raises(ModelError, match=r"no model 'tf_efficientnet_lit0'; near it are: .*tf_efficientnet_lite0"):
        make_model(TrainConfig(backbone="tf_efficientnet_lit0"), 2)


def test_a_model_is_made_anew_for_every_fold_and_alike_for_the_same_trial(tiny: TrainConfig, data: FoldData) -> None:
    first, same, other_fold = learner(tiny, data), learner(tiny, data), learner(tiny, data, fold=1)
    name = "classifier.weight"
    assert torch.equal(first.weights()[name], same.weights()[name])
    assert not torch.equal(first.weights()[name], other_fold.weights()[name])


def test_training_and_validation_never_share_a_person(data: FoldData) -> None:
    person = np.array([name.split("/")[1] for name in data.ids])
    for fold in range(data.fold_count):
        assert not set(person[data.training(fold)]) & set(person[data.validation(fold)])
        assert len(data.training(fold)) + len(data.validation(fold)) == len(data.ids)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "radam", "adam", "adamp"])
def test_going_on_in_the_middle_of_a_fold_gives_the_same_to_the_last_digit(
    optimizer: str, tiny: TrainConfig, data: FoldData, tmp_path: object
) -> None:
    from pathlib import Path

    from storage.tensors import load_state, save_state

    config = tiny.model_copy(
        update={"optimizer": optimizer, "drop_rate": 0.3, "cutmix_probability": 0.5, "augmentation": "strong"}
    )
    through = learner(config, data)
    through.train_epoch(0)
    save_state(through.state(), Path(str(tmp_path)) / "state.safetensors")
    resumed = learner(config, data)
    resumed.load_state(load_state(Path(str(tmp_path)) / "state.safetensors"))
    loss = through.train_epoch(1).loss
    torch.rand(7)  # what another trial draws in between must not matter
    assert resumed.train_epoch(1).loss == loss
    assert np.array_equal(through.judge_validation().probabilities, resumed.judge_validation().probabilities)


def test_training_learns(tiny: TrainConfig, data: FoldData) -> None:
    config = tiny.model_copy(
        update={"epochs": 8, "augmentation": "none", "learning_rate": 5e-3, "label_smoothing": 0.0}
    )
    model = learner(config, data)
    losses = [model.train_epoch(epoch).loss for epoch in range(8)]
    assert losses[-1] < 0.6 * losses[0]


def test_the_schedule_is_stepped_every_batch_and_ends_at_zero(tiny: TrainConfig, data: FoldData) -> None:
    model = learner(tiny.model_copy(update={"warmup_epochs": 0.5}), data)
    rates = []
    step = model._schedule.step_update
    model._schedule.step_update = lambda number: (step(number), rates.append(model._optimizer.param_groups[0]["lr"]))
    for epoch in range(2):
        model.train_epoch(epoch)
    assert len(rates) == 2 * batches_per_epoch(len(data.training(0)), tiny.batch_size)
    assert max(rates) <= 1e-3
    assert rates[0] < max(rates) > 20 * rates[-1]


def test_a_loss_that_is_no_number_is_a_failure_of_its_own_class(tiny: TrainConfig, data: FoldData) -> None:
    model = learner(tiny.model_copy(update={"learning_rate": 10.0, "optimizer": "sgd", "clip_gradient": 1e30}), data)
    with torch.no_grad():
        next(iter(model.model.parameters())).fill_(float("nan"))
    with pytest.raises(NotFinite, match="the training loss of epoch 1 is nan"):
        model.train_epoch(0)


def test_the_same_batches_come_from_any_number_of_workers_and_closing_ends_them(
    tiny: TrainConfig, data: FoldData
) -> None:
    batches = TrainingBatches(data, data.training(0), tiny.model_copy(update={"augmentation": "strong"}), (0, 1, 0))
    alone, helped = (BatchLoader(batches, workers, pinned=False) for workers in (0, 2))
    for epoch in range(2):
        for (images, classes), (other_images, other_classes) in zip(
            alone.epoch(epoch), helped.epoch(epoch), strict=True
        ):
            assert torch.equal(images, other_images)
            assert torch.equal(classes, other_classes)
    assert len(active_children()) == 2  # the same two for both epochs
    helped.close()
    assert not active_children()


@pytest.mark.parametrize(
    ("images", "size", "batches"), [(64, 32, 2), (65, 32, 2), (66, 2, 33), (20, 32, 1), (1, 32, 1)]
)
def test_no_batch_holds_a_single_image_of_many(images: int, size: int, batches: int) -> None:
    assert batches_per_epoch(images, size) == batches


def test_an_epoch_shows_every_training_image_once(tiny: TrainConfig, data: FoldData) -> None:
    positions = data.training(1)
    batches = TrainingBatches(data, positions, tiny, (0, 0, 1))
    seen = torch.cat([batches[0, number][1] for number in range(batches.per_epoch)])
    assert len(seen) == len(positions)
    assert torch.equal(seen.sort().values, torch.from_numpy(positions))


@pytest.mark.parametrize("strength", [name for name in AUGMENTATIONS if AUGMENTATIONS.plugin_of(name) is None])
def test_augmentation_is_reproducible_and_keeps_the_shape(strength: str, faces: PreparedData) -> None:
    images = np.array(faces.cache.open()[:24])
    knobs = arguments_for(AUGMENTATIONS[strength], TrainConfig())
    one, same = (augment(images, make_transform(strength, **knobs), 5) for _ in range(2))
    assert np.array_equal(one, same)
    assert (one.shape, one.dtype) == (images.shape, np.uint8)
    assert np.array_equal(one, images) == (strength == "none")
    if strength != "none":
        assert not np.array_equal(one, augment(images, make_transform(strength, **knobs), 6))


def mirrored_share(images: Pixels, augmented: Pixels) -> float:
    return float(np.mean([np.array_equal(one[:, ::-1], other) for one, other in zip(images, augmented, strict=True)]))


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.0, 0.0), (0.5, 0.25, 0.75), (1.0, 1.0, 1.0)])
def test_as_many_images_are_mirrored_as_the_knob_says(
    share: float, low: float, high: float, faces: PreparedData
) -> None:
    images = np.array(faces.cache.open()[:40])
    augmented = augment(images, make_transform("light", horizontal_flip=share), 5)
    assert low <= mirrored_share(images, augmented) <= high


@pytest.mark.parametrize("strength", ["medium", "strong"])
def test_stronger_augmentation_mirrors_nothing_either_where_the_knob_is_zero(strength: str) -> None:
    kinds = [type(one).__name__ for one in make_transform(strength, horizontal_flip=0.0).transforms]
    assert kinds
    assert "HorizontalFlip" not in kinds


def test_light_augmentation_without_mirror_images_is_none() -> None:
    nothing = TrainConfig(augmentation="none")
    assert TrainConfig(augmentation="light", horizontal_flip=0.0).effective() == nothing.effective()
    assert TrainConfig(augmentation="light", horizontal_flip=0.3).effective() != nothing.effective()
    assert "horizontal_flip" not in nothing.effective()


def test_streams_of_randomness_are_apart() -> None:
    draws = {derived_seed(*parts) for parts in [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]}
    assert len(draws) == 5
    assert derived_generator(1, 2).random() == derived_generator(1, 2).random()


def test_macro_f1_is_pooled_over_all_images_and_counts_absent_classes() -> None:
    targets = np.array([0, 0, 1, 1])
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 1, 1]]
    assert macro_f1(targets, probabilities) == pytest.approx((2 / 3 + 0.8 + 0) / 3)


def test_configurations_that_train_alike_have_one_digest() -> None:
    assert TrainConfig(optimizer="adamw", momentum=0.8).digest == TrainConfig(optimizer="adamw", momentum=0.9).digest
    assert TrainConfig(optimizer="sgd", momentum=0.8).digest != TrainConfig(optimizer="sgd", momentum=0.9).digest
    assert TrainConfig(cutmix_alpha=0.3).digest == TrainConfig(cutmix_alpha=2.0).digest
    assert TrainConfig(focal_gamma=1.0).digest == TrainConfig(focal_gamma=2.0).digest


def test_every_knob_has_a_meaning() -> None:
    assert all(knob.description for knob in TrainConfig.model_fields.values())
    page = (ROOT / "docs/knobs.md").read_text(encoding="utf-8")
    assert knob_table() in page, "python -m trainables.config says what it must be"


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_a_precision_can_be_chosen_on_a_cpu(precision: str, tiny: TrainConfig, data: FoldData) -> None:
    model = learner(tiny.model_copy(update={"precision": precision}), data)
    assert np.isfinite(model.train_epoch(0).loss)
    assert model.judge_validation().probabilities.dtype == np.float32


def test_what_is_judged_is_float32_whatever_the_training_was(tiny: TrainConfig, data: FoldData) -> None:
    half, whole = (learner(tiny.model_copy(update={"precision": name}), data) for name in ("bfloat16", "float32"))
    half.train_epoch(0)
    whole.model.load_state_dict(half.model.state_dict())
    assert np.array_equal(half.judge_validation().probabilities, whole.judge_validation().probabilities)


def test_float32_is_exact_while_it_is_judged_and_as_the_user_set_it_afterwards() -> None:
    before = torch.backends.cudnn.conv.fp32_precision
    with exact_float32():
        assert torch.backends.cudnn.conv.fp32_precision == torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert torch.backends.cudnn.conv.fp32_precision == before


@pytest.mark.parametrize("name", ["adamw", "sgd", "adam"])
def test_the_fused_optimizer_steps_as_the_plain_one_also_after_a_new_start(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fused kernel that runs through tensors of different layouts pairs the wrong numbers and says nothing."""

    def trained() -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = torch.nn.Conv2d(3, 8, 5).to(memory_format=torch.channels_last)
        for start in range(3):
            optimizer = optimizers.make_optimizer(model, TrainConfig(optimizer=name))
            if start:
                optimizers.load_optimizer(optimizer, load_state(tmp_path / "state"))
            for parameter in model.parameters():
                parameter.grad = torch.randn_like(parameter)
            optimizer.step()
            save_state(optimizer.state_dict(), tmp_path / "state")
        return [parameter.detach().clone() for parameter in model.parameters()]

    fused = trained()
    monkeypatch.setattr(optimizers, "has_fused_variant", lambda name: False)
    for ours, plain in zip(fused, trained(), strict=True):
        assert torch.allclose(ours, plain, atol=1e-6)


def test_an_optimizer_that_does_not_run_here_is_refused_with_the_reason() -> None:
    with pytest.raises(OptimizerError, match="optimizer: bnbadam cannot be used here"):
        check_optimizer(TrainConfig(optimizer="bnbadam"))
    assert [name for name in ("adam", "adamw", "sgd", "lamb", "radam") if has_fused_variant(name)] == [
        "adam",
        "adamw",
        "sgd",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("adafactorbv", "adafactorbvc", "cadafactorbv", "cadafactorbvc", "adahessian"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("kron", "kronc", "kronw")),  # they compile first
    ],
)
def test_an_optimizer_that_cannot_step_or_go_on_is_refused_at_launch(name: str) -> None:
    with pytest.raises(OptimizerError, match=f"optimizer: {name} cannot be used here: .*; take another, such as adamw"):
        check_optimizer(TrainConfig(optimizer=name))


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "radam", "adamp", "lamb", "lion", "nadamw", "adopt", "muon"])
def test_an_optimizer_that_goes_on_to_the_same_digit_passes_the_launch_check(name: str) -> None:
    check_optimizer(TrainConfig(optimizer=name))


def test_the_log_says_once_which_settings_a_device_got(caplog: pytest.LogCaptureFixture, tiny: TrainConfig) -> None:
    resources = Resources(cpus=3)  # no other test asks for three
    with caplog.at_level("INFO", logger="trainables"):
        place(tiny, resources)
        place(tiny, resources)
    torch.set_num_threads(1)
    (told,) = caplog.messages
    assert told.startswith("Device settings 'cpu' with 3 threads: float32")


def test_trials_that_share_a_gpu_leave_room_for_their_contexts() -> None:
    share = memory_share(0.25, 80 * 2**30)
    assert 4 * (share * 80 * 2**30 + 600 * 2**20) <= 80 * 2**30
    assert memory_share(0.25, 2**30) == 0.125, "a small one is shared all the same"


def test_evaluation_takes_larger_batches_for_smaller_images(tiny: TrainConfig, data: FoldData) -> None:
    seen: list[int] = []
    model = learner(tiny, data)
    model.model.register_forward_hook(lambda module, images, output: seen.append(len(output)))
    images = len(data.ids)
    together = model.judge(data).probabilities
    assert seen == [images], "140 images of 32 pixels are few"
    fewer = replace(model.placement, evaluation_pixels=32 * 32 * 7)
    model = FoldLearner(tiny, data, 0, 0, fewer)
    model.model.register_forward_hook(lambda module, images, output: seen.append(len(output)))
    assert np.allclose(model.judge(data).probabilities, together, atol=1e-5)
    assert set(seen[1:]) == {7}


@pytest.mark.slow
def test_a_compiled_model_trains_as_the_plain_one(
    tiny: TrainConfig, data: FoldData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    plain = learner(tiny, data)
    compiled = FoldLearner(tiny, data, 0, 0, place(tiny, Resources(compile="kernels")))
    assert compiled.train_epoch(0).loss == pytest.approx(plain.train_epoch(0).loss, rel=1e-3)
    assert list(tmp_path.rglob("*.so")), "kernels that the next trial finds"
    assert compiled.weights().keys() == plain.weights().keys()


def test_a_trial_that_draws_the_random_numbers_of_another_trains_what_that_one_did(
    tiny: TrainConfig, data: FoldData
) -> None:
    def trained(trial: int, **knobs: object) -> list[bytes]:
        made = FoldLearner(tiny.model_copy(update=knobs), data, trial, 0, place(tiny, Resources()))
        made.train_epoch(0)
        return [weights.numpy().tobytes() for weights in made.model.state_dict().values()]

    assert trained(0, as_trial=3) == trained(3)
    assert trained(0) != trained(3)


class TooLarge(torch.nn.Module):
    """A model that has no memory for more than so many images at a time, as a GPU's allocator says it."""

    def __init__(self, model: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.model, self.most, self.seen = model, most, list[int]()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(images))
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        outputs: torch.Tensor = self.model(images)
        return outputs


def test_prediction_halves_its_chunk_until_it_fits_and_remembers_it(tiny: TrainConfig, data: FoldData) -> None:
    learner = FoldLearner(tiny, data, 0, 0, place(tiny, Resources()))
    whole = learner.judge(data).probabilities
    small = TooLarge(learner.model, 9)
    judged = learner._judge(small, np.arange(len(data.ids)))
    assert np.allclose(judged.probabilities, whole, atol=1e-6)
    tries = len(small.seen)
    learner._judge(small, np.arange(len(data.ids)))
    assert max(small.seen[tries:]) <= 9, "the second time it begins with what fits"
    with pytest.raises(torch.OutOfMemoryError):
        learner._judge(TooLarge(learner.model, 0), np.arange(4))


@pytest.mark.parametrize(
    ("images", "parts", "sizes"), [(16, 1, [16]), (16, 4, [4] * 4), (17, 4, [4, 4, 4, 5]), (5, 4, [2, 3]), (3, 8, [3])]
)
def test_parts_of_a_batch_have_two_images_or_more(images: int, parts: int, sizes: list[int]) -> None:
    found = parts_of(images, parts)
    assert [one.stop - one.start for one in found] == sizes
    assert (found[0].start, found[-1].stop) == (0, images)


def test_a_batch_in_parts_has_the_gradients_of_the_whole(tiny: TrainConfig, data: FoldData) -> None:
    """With batch norm as it is evaluated, which sees no other image, all digits but the last agree."""
    gradients = []
    for parts in (1, 4):
        learner = FoldLearner(tiny, data, 0, 0, place(tiny, Resources()), micro_batches=parts)
        learner.model.eval()
        pixels, rows = torch.from_numpy(np.array(data.images[:16])), torch.arange(16)
        learner._train_batch(pixels, rows, 0, np.random.default_rng(0), 1.0)
        gradients.append([one.grad.clone() for one in learner.model.parameters() if one.grad is not None])
    assert len(gradients[0]) > 10
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_few_batches_that_overflow_in_float16_are_left_out_of_the_mean_and_many_are_refused() -> None:
    assert mean_loss(90.0, 10.0, 100, 0) == 1.0
    with pytest.raises(NotFinite, match="12% of epoch 3 overflowed in float16; precision=float32"):
        mean_loss(88.0, 12.0, 100, 2)
    with pytest.raises(NotFinite, match="the training loss of epoch 1 is nan"):
        mean_loss(float("nan"), 0.0, 100, 0)


@pytest.mark.parametrize(
    ("capability", "known", "fits"),
    [
        ((8, 0), ["sm_75", "sm_80"], True),
        ((8, 9), ["sm_75", "sm_80"], True),  # a binary of the major version
        ((7, 0), ["sm_75", "sm_80"], False),  # a V100
        ((9, 0), ["sm_80"], False),
        ((9, 0), ["sm_80", "compute_80"], True),  # compiled by the driver
        ((12, 0), ["sm_100", "sm_120"], True),
        ((10, 0), ["sm_90a"], False),
    ],
)
def test_a_gpu_that_torch_was_not_built_for_is_told_before_it_is_used(
    capability: tuple[int, int], known: list[str], fits: bool
) -> None:
    reason = unknown_architecture(capability, known)
    assert (reason is None) == fits
    wheel = "torch's wheel for CUDA 12.6" if capability < (8, 0) else "a newer wheel of torch"
    assert fits or f"install {wheel}" in str(reason)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_trial_that_was_given_a_gpu_never_trains_on_the_cpu_in_silence(tiny: TrainConfig) -> None:
    with pytest.raises(
        DeviceError, match=r"torch .* cannot use the GPU: .*; update the driver, or search with --profile cpu"
    ):
        place(tiny, Resources(1, 0.5))


def test_a_model_that_does_not_know_its_layers_trains_where_none_is_frozen(tiny: TrainConfig) -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    check_layers(model, tiny)
    Freezing(model, tiny).apply(0)
    for knob, value in (("frozen_share", 0.5), ("layer_decay", 0.9)):
        with pytest.raises(
            LayerError, match=f"cannot say which layers it has, so {knob} does not work with it; --set {knob}"
        ):
            check_layers(model, tiny.model_copy(update={knob: value}))
