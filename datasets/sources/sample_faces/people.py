"""Who stands before the camera: what a person keeps over all photographs.

Age and gender show in many weak, overlapping signs. Each sign is the truth plus its own noise, and
some signs lie on purpose (dyed hair, a long-haired man), so that no classifier can be perfect.
"""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]  # red, green, blue; 0 to 255

AGE_GROUPS = ((18, 29), (30, 59), (60, 60))  # the competition's people are 60 at most
SHARES = {"balanced": (0.40, 0.40, 0.20), "competition": (1281 / 2700, 1227 / 2700, 192 / 2700)}
MALE_SHARE = {"balanced": 0.5, "competition": 1042 / 2700}
RACE = "Asian"  # the layout has the column; the drawings know no race


@dataclass(frozen=True)
class Person:
    """Everything that stays the same from image to image; signs run from 0 to 1."""

    years: int
    male: bool
    face_width: float
    jaw_width: float
    chin: float
    skin: Colour
    hair: Colour
    iris: Colour
    clothes: Colour
    eye_size: float
    eye_gap: float
    nose_width: float
    lip_red: float
    brow_thickness: float
    hair_length: float
    hair_volume: float
    parting: float
    beard: float
    glasses: bool
    grey: float
    receding: float
    wrinkles: float
    sag: float
    texture: float
    texture_seed: int

    @property
    def folder(self) -> str:
        """Return the part of the person's folder name after the id."""
        return f"{'male' if self.male else 'female'}_{RACE}_{self.years}"


def draw_people(count: int, seed: int, shares: str) -> list[Person]:
    """Return `count` people, the shares of age group and gender met exactly up to rounding."""
    generator = np.random.default_rng([seed, count])
    groups = generator.permutation(_dealt(count, SHARES[shares]))
    men = MALE_SHARE[shares]
    males = generator.permutation(_dealt(count, (men, 1 - men))) == 0
    return [
        _draw_person(np.random.default_rng([seed, index]), int(groups[index]), bool(males[index]))
        for index in range(count)
    ]


def _dealt(count: int, shares: tuple[float, ...]) -> np.ndarray:
    """Return `count` group numbers in the given shares."""
    ends = np.round(np.cumsum(shares) * count).astype(int)
    return np.searchsorted(ends, np.arange(count), side="right").clip(max=len(shares) - 1)


_HAIR = np.array([[28, 22, 20], [58, 38, 26], [96, 62, 36], [140, 100, 58]])  # black to fair


def _draw_person(generator: np.random.Generator, group: int, male: bool) -> Person:
    years = int(generator.integers(AGE_GROUPS[group][0], AGE_GROUPS[group][1] + 1))
    looks = (years + generator.normal(0, 3.0) - 18) / 42  # 0 at eighteen, 1 at sixty

    def age_sign(start: float, noise: float = 0.12) -> float:
        return float(np.clip((looks - start) / (1 - start) + generator.normal(0, noise), 0, 1))

    def male_sign(noise: float = 0.2) -> float:
        return float(np.clip((0.85 if male else 0.15) + generator.normal(0, noise), 0, 1))

    skin = np.array([232, 190, 160]) * generator.uniform(0.62, 1.05) + generator.normal(0, 5, 3)
    hair = _HAIR[generator.choice(4, p=[0.5, 0.25, 0.15, 0.1])]
    long_hair = generator.random() < (0.06 if male else 0.9)
    return Person(
        years=years,
        male=male,
        face_width=0.69 + 0.07 * male_sign() + generator.normal(0, 0.025),
        jaw_width=0.40 + 0.22 * male_sign() + generator.normal(0, 0.02),
        chin=generator.normal(0, 0.03),
        skin=_colour(skin),
        hair=_colour(hair + generator.normal(0, 6, 3)),
        iris=_colour(np.array([70, 50, 35]) + generator.normal(0, 14, 3)),
        clothes=_colour(generator.uniform(30, 225, 3)),
        eye_size=1.10 - 0.18 * male_sign() - 0.10 * age_sign(0.3) + generator.normal(0, 0.05),
        eye_gap=0.33 + generator.normal(0, 0.015),
        nose_width=0.13 + 0.05 * male_sign() + generator.normal(0, 0.012),
        lip_red=1 - male_sign(),
        brow_thickness=0.35 + 1.0 * male_sign(),
        hair_length=float(np.clip((0.8 if long_hair else 0.12) + generator.normal(0, 0.14), 0, 1)),
        hair_volume=float(generator.uniform(0.05, 0.2)),
        parting=float(generator.uniform(-0.5, 0.5)),
        beard=float(generator.uniform(0.2, 1.0)) if male and generator.random() < 0.45 else 0.0,
        glasses=bool(generator.random() < 0.22 + 0.2 * age_sign(0.2)),
        grey=0.0 if generator.random() < 0.15 else age_sign(0.35),
        receding=age_sign(0.25) * (1.0 if male else 0.35),
        wrinkles=age_sign(0.2),
        sag=age_sign(0.3),
        texture=age_sign(0.1, 0.16),
        texture_seed=int(generator.integers(2**31)),
    )


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = np.clip(values, 8, 248)
    return float(red), float(green), float(blue)
