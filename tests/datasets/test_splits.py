"""No person crosses a split, and nothing but the persons and the seed decides where they stand."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import DataError
from datasets.options import SampleFaces
from datasets.preparation import PreparedData
from datasets.splits import Splits, check_classes, deal, make_splits
from datasets.table import Table

strata = st.dictionaries(
    st.text("abcdefgh0123", min_size=1, max_size=6), st.sampled_from("xyz"), min_size=1, max_size=60
)
OPTIONS = SampleFaces(source="sample_faces")
GOLDEN_HOLDOUT = ("p03", "p04", "p05", "p28", "p29", "p36")
GOLDEN_FOLDS = [("p01", "p08", "p09"), ("p00", "p07", "p11"), ("p02", "p06", "p10")]
GOLDEN_RANKED = ("p01", "p03", "p04", "p05", "p29", "p36")


def table_of(rows: list[tuple[str, str, int, int]], has_persons: bool = True) -> Table:
    from pathlib import Path

    frame = pd.DataFrame(rows, columns=["id", "person", "mask", "age"])
    return Table(Path(), frame, {"mask": ("a", "b"), "age": ("young", "old")}, has_persons)


def people(count: int) -> Table:
    rows = [(f"{p}/{i}", f"p{p:03d}", i % 2, p % 2) for p in range(count) for i in range(4)]
    return table_of(rows)


@given(strata, st.integers(2, 6), st.floats(0, 0.5), st.integers(0, 5))
def test_every_person_stands_in_exactly_one_place(
    persons: dict[str, str], folds: int, holdout: float, seed: int
) -> None:
    aside, dealt = deal(persons, folds, holdout, seed)
    places = Counter([*aside, *(person for fold in dealt for person in fold)])
    assert set(places) == set(persons)
    assert max(places.values()) == 1


@given(strata, st.integers(2, 6), st.integers(0, 5))
def test_folds_differ_by_one_person_at_most_in_size_and_in_every_stratum(
    persons: dict[str, str], folds: int, seed: int
) -> None:
    _, dealt = deal(persons, folds, 0.0, seed)
    sizes = [len(fold) for fold in dealt]
    assert max(sizes) - min(sizes) <= 1
    for stratum in set(persons.values()):
        shares = [sum(persons[person] == stratum for person in fold) for fold in dealt]
        assert max(shares) - min(shares) <= 1


@given(strata, st.floats(0, 0.5))
def test_the_holdout_has_its_share_of_all_persons_and_of_every_stratum(persons: dict[str, str], holdout: float) -> None:
    aside, _ = deal(persons, 2, holdout, 0)
    assert abs(len(aside) - holdout * len(persons)) <= 0.5 + 1e-9
    for stratum in set(persons.values()):
        members = [person for person in persons if persons[person] == stratum]
        assert abs(len(set(members) & set(aside)) - holdout * len(members)) <= 1 + 1e-9


@given(strata, st.randoms(use_true_random=False))
def test_the_order_of_a_listing_changes_nothing(persons: dict[str, str], random: object) -> None:
    items = list(persons.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert deal(dict(items), 3, 0.2, 1) == deal(persons, 3, 0.2, 1)


@given(strata, st.integers(2, 6), st.floats(0, 0.5), st.integers(0, 5))
def test_numbers_change_neither_sizes_nor_shares(
    persons: dict[str, str], folds: int, holdout: float, seed: int
) -> None:
    numbers = {person: float(len(person) + ord(person[0])) for person in persons}
    aside, dealt = deal(persons, folds, holdout, seed, numbers)
    assert sorted([*aside, *(person for fold in dealt for person in fold)]) == sorted(persons)
    assert abs(len(aside) - holdout * len(persons)) <= 0.5 + 1e-9
    for stratum in set(persons.values()):
        shares = [sum(persons[person] == stratum for person in fold) for fold in dealt]
        assert max(shares) - min(shares) <= 1
        members = [person for person in persons if persons[person] == stratum]
        assert abs(len(set(members) & set(aside)) - holdout * len(members)) <= 1 + 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_the_numbers_of_the_holdout_and_of_every_fold_are_spread_as_all_are(seed: int) -> None:
    numbers = {f"p{number:03d}": float(number) for number in range(100)}
    aside, folds = deal(dict.fromkeys(numbers, "x"), 5, 0.2, seed, numbers)
    assert [int(numbers[person]) // 5 for person in aside] == list(range(20)), "one of every five neighbours"
    for fold in folds:
        assert abs(sum(numbers[person] for person in fold) / len(fold) - 49.5) < 5, (
            "by chance alone they would be 7 off"
        )
    assert len({deal(dict.fromkeys(numbers, "x"), 5, 0.2, other, numbers) for other in range(3)}) == 3


def test_another_seed_gives_another_split() -> None:
    persons = {f"p{number}": "x" for number in range(40)}
    assert deal(persons, 4, 0.2, 0) != deal(persons, 4, 0.2, 1)


def test_all_tasks_of_a_data_set_share_one_split(faces: PreparedData) -> None:
    place = faces.splits.place_of()
    assert set(faces.splits.stratified_by) == {"age", "gender", "years"}
    assert set(place) == set(faces.table.frame["person"])
    assert make_splits(faces.table, OPTIONS, 2) == faces.splits  # the task is no argument at all


def test_no_image_of_a_holdout_person_is_among_what_trials_see(faces: PreparedData) -> None:
    seen, aside = set(faces.samples()["person"]), set(faces.holdout()["person"])
    assert aside == set(faces.splits.holdout)
    assert not seen & aside
    assert len(faces.samples()) + len(faces.holdout()) == len(faces.table.frame)


def test_a_holdout_of_zero_sets_nobody_aside() -> None:
    splits = make_splits(people(12), OPTIONS.model_copy(update={"holdout": 0.0}), 3)
    assert splits.holdout == ()
    assert sorted(map(len, splits.folds)) == [4, 4, 4]


def test_split_by_image_lets_images_stand_for_themselves() -> None:
    splits = make_splits(people(6), OPTIONS.model_copy(update={"split": "by_image"}), 2)
    assert len(splits.holdout) + sum(map(len, splits.folds)) == 24


def test_a_users_fold_column_is_taken_as_it_is() -> None:
    table = people(8)
    table.frame["fold"] = [
        ("holdout" if person == "p007" else f"{int(person[1:]) % 2}") for person in table.frame["person"]
    ]
    splits = make_splits(table, OPTIONS, 2)
    assert splits.holdout == ("p007",)
    assert splits.folds == (("p000", "p002", "p004", "p006"), ("p001", "p003", "p005"))


def test_a_person_in_two_of_the_users_folds_is_refused() -> None:
    table = people(4)
    table.frame["fold"] = [str(number % 2) for number in range(16)]
    with pytest.raises(DataError, match="stands in more than one fold"):
        make_splits(table, OPTIONS, 2)


def test_fewer_or_more_of_the_users_folds_than_asked_for_is_refused() -> None:
    table = people(4)
    table.frame["fold"] = [str(int(person[1:]) % 2) for person in table.frame["person"]]
    with pytest.raises(DataError, match=r"has 2 folds .* set search\.folds=2"):
        make_splits(table, OPTIONS, 5)


def test_a_class_with_fewer_persons_than_folds_is_refused_with_its_count() -> None:
    table = people(12)
    table.frame["age"] = [int(person in ("p000", "p001")) for person in table.frame["person"]]
    splits = make_splits(table, OPTIONS.model_copy(update={"holdout": 0.0}), 3)
    with pytest.raises(DataError, match="'old' has 2 persons"):
        check_classes(table, splits, "age")


def test_the_digest_tells_splits_apart() -> None:
    base = Splits(seed=0, split="by_person", stratified_by=(), holdout=("a",), folds=(("b",), ("c",)))
    moved = base.model_copy(update={"holdout": ("b",), "folds": (("a",), ("c",))})
    assert base.digest != moved.digest
    assert base.digest == Splits.model_validate_json(base.model_dump_json()).digest


@pytest.mark.parametrize(("split", "has_persons"), [("by_image", True), ("auto", False), ("by_image", False)])
def test_a_users_folds_of_images_may_hold_a_person_twice_where_images_stand_for_themselves(
    split: str, has_persons: bool
) -> None:
    rows = [(f"{number}.jpg", f"p{number % 3}", number % 2, 0) for number in range(12)]
    table = table_of(rows, has_persons)
    table.frame["fold"] = [str(number // 4 % 2) for number in range(12)]
    splits = make_splits(table, OPTIONS.model_copy(update={"split": split} if split == "by_image" else {}), 2)
    assert splits.split == "by_image"
    assert [len(fold) for fold in splits.folds] == [8, 4]
    assert all(name.endswith(".jpg") for fold in splits.folds for name in fold)


def test_folds_of_a_user_come_in_the_order_of_their_names_as_numbers() -> None:
    table = people(24)
    table.frame["fold"] = [str(int(person[1:]) % 12) for person in table.frame["person"]]
    splits = make_splits(table, OPTIONS, 12)
    assert [fold[0] for fold in splits.folds] == [f"p{number:03d}" for number in range(12)]


def test_a_class_is_counted_in_what_the_split_is_of() -> None:
    table = people(12)
    table.frame["mask"] = [int(number in (0, 1)) for number in range(48)]
    by_image = make_splits(table, OPTIONS.model_copy(update={"holdout": 0.0, "split": "by_image"}), 3)
    with pytest.raises(DataError, match="'b' has 2 images outside the holdout, fewer than 3 folds"):
        check_classes(table, by_image, "mask")
    enough = make_splits(table, OPTIONS.model_copy(update={"holdout": 0.0, "split": "by_image"}), 2)
    check_classes(table, enough, "mask")


def test_persons_are_dealt_as_they_were_dealt_by_every_version_before() -> None:
    """A split belongs to the data and a seed: studies of other versions must find the same persons where they were."""
    strata_of_all = {f"p{number:02d}": "abc"[number % 3] for number in range(40)}
    numbers = {person: float(int(person[1:]) * 7 % 40) for person in strata_of_all}
    plain = deal(strata_of_all, 3, 0.15, seed=4)
    ranked = deal(strata_of_all, 3, 0.15, seed=4, numbers=numbers)
    assert plain[0] == GOLDEN_HOLDOUT
    assert [fold[:3] for fold in plain[1]] == GOLDEN_FOLDS
    assert ranked[0] == GOLDEN_RANKED


def test_a_quantile_is_as_many_persons_as_every_place_gets_one_of() -> None:
    """So the numbers of a small holdout are spread like all, and not far from the class borders by chance."""
    alike = {f"p{number:02d}": "" for number in range(40)}
    numbers = {person: float(person[1:]) for person in alike}
    for seed in range(20):
        holdout, folds = deal(alike, 4, 0.1, seed, numbers)
        assert [int(person[1:]) // 10 for person in holdout] == [0, 1, 2, 3], "one of every ten neighbours"
        assert [len(fold) for fold in folds] == [9, 9, 9, 9]
        none, halves = deal(alike, 4, 0.0, seed, numbers)
        assert none == ()
        assert all(sorted(int(person[1:]) // 4 for person in fold) == list(range(10)) for fold in halves)
