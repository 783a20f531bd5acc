"""Mixing two images: which part of one is replaced, how much that is, and that the targets say the same."""

import numpy as np
import pytest

from trainables.config import TrainConfig
from trainables.training.images.mixing import cut_box, kept_share, mixes

SEEDS = range(400)


def boxes(height: int, width: int, kept: float, shape: str) -> np.ndarray:
    return np.array([cut_box(height, width, kept, shape, np.random.default_rng(seed)) for seed in SEEDS])


def test_a_vertical_cut_is_a_side_of_full_height_and_the_width_that_is_not_kept() -> None:
    found = {tuple(box) for box in boxes(16, 20, 0.7, "vertical_half").tolist()}
    assert found == {(0, 16, 0, 6), (0, 16, 14, 20)}
    sides = boxes(16, 20, 0.7, "vertical_half")[:, 2] == 0
    assert 0.4 < sides.mean() < 0.6, "each side as often as the other"


@pytest.mark.parametrize("kept", [0.25, 0.5, 0.75])
def test_a_box_has_the_shape_of_the_image_and_the_area_that_is_not_kept_where_no_border_cuts_it_off(
    kept: float,
) -> None:
    top, bottom, left, right = boxes(100, 200, kept, "box").T
    whole = (top > 0) & (bottom < 100) & (left > 0) & (right < 200)
    assert whole.any()
    assert (bottom - top)[whole] == pytest.approx(100 * np.sqrt(1 - kept), abs=1)
    assert (right - left)[whole] == pytest.approx(200 * np.sqrt(1 - kept), abs=1)


def test_boxes_are_centred_anywhere_and_cut_off_at_every_border() -> None:
    top, bottom, left, right = boxes(20, 30, 0.5, "box").T
    assert (top.min(), bottom.max(), left.min(), right.max()) == (0, 20, 0, 30)
    assert (top <= bottom).all()
    assert (left <= right).all()
    middles = ((top + bottom) / 2)[(top > 0) & (bottom < 20)]
    assert middles.min() <= 8
    assert middles.max() >= 12


def test_the_share_that_is_kept_is_what_the_knob_says() -> None:
    def shares(**knobs: object) -> np.ndarray:
        config = TrainConfig.model_validate({"cutmix_probability": 1.0, **knobs})
        return np.array([kept_share(config, np.random.default_rng(seed)) for seed in SEEDS])

    assert set(shares(cutmix_lambda="half")) == {0.5}
    assert set(shares(cutmix_lambda="fixed", cutmix_kept=0.8)) == {0.8}
    around = shares(cutmix_lambda="uniform", cutmix_kept=0.7, cutmix_band=0.2)
    assert 0.5 <= around.min() < 0.51
    assert 0.89 < around.max() <= 0.9
    capped = shares(cutmix_lambda="uniform", cutmix_kept=0.95, cutmix_band=0.2)
    assert capped.max() == 1.0
    beta = shares(cutmix_lambda="beta", cutmix_alpha=8.0)
    assert beta.mean() == pytest.approx(0.5, abs=0.02)
    assert beta.std() == pytest.approx(np.sqrt(1 / (4 * 17)), abs=0.02), "of a Beta distribution of 8 and 8"


def test_the_last_epochs_are_mixed_no_more() -> None:
    config = TrainConfig.model_validate({"cutmix_probability": 0.5, "epochs": 5, "unmixed_epochs": 2})
    assert [mixes(config, epoch) for epoch in range(5)] == [True, True, True, False, False]
