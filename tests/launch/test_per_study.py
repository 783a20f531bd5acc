"""One command for several studies: what of it is for which."""

import argparse
from pathlib import Path

import pytest

from launch.per_study import named, study_options
from search_spaces import SpaceError


def options(*spaces: str, study: tuple[str, ...] = (), settings: tuple[str, ...] = ()) -> argparse.Namespace:
    return argparse.Namespace(space=list(spaces), study=list(study), set=list(settings), trials="5")


def test_a_setting_is_for_all_spaces_or_for_the_one_before_its_colon() -> None:
    settings = ("drop_rate.high=0.3", "age:learning_rate={low: 1e-3, high: 1e-2}", "mask:epochs=3")
    mask, age = study_options(options("mask.yaml", "age", settings=settings))
    assert mask.set == ["drop_rate.high=0.3", "epochs=3"]
    assert age.set == ["drop_rate.high=0.3", "learning_rate={low: 1e-3, high: 1e-2}"]
    assert (mask.study, age.study, mask.trials, age.trials) == ("mask", "age", "5", "5")


def test_one_space_needs_no_name_before_its_settings() -> None:
    (age,) = study_options(options("age.yaml", study=("wide",), settings=("age:epochs=3", "augmentation=none")))
    assert (age.study, age.set) == ("wide", ["augmentation=none", "epochs=3"])
    (again,) = study_options(options("age.yaml", study=("first", "age:second")))
    assert again.study == "second", "the last and nearest counts"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            options("age.yaml", "age"),
            "--space: age: two spaces have this name, and each names its study; rename one file",
        ),
        (
            options("age", "mask", study=("wide",)),
            "--study: wide: say of which space it is the study, such as age:wide",
        ),
        (options("age", "mask", study=("mask:age",)), "--study: age: two spaces would write into this study"),
        (
            options("age", "mask", settings=("aeg:epochs=3",)),
            "there is no space 'aeg' in this command; did you mean age",
        ),
        (options("age", "mask", study=("gender:x",)), "there is no space 'gender' in this command; Valid: age, mask"),
        (options("age", "hat.yaml"), "hat.yaml: no such space file"),
        (options("age", study=("",)), "--study: '': is empty; give a value"),
        (options("age", study=("age:",)), "--study: 'age:': is empty; give a value"),
        (
            options("age", "mask", settings=("age:plugins=[mine]",)),
            "age and mask: plugins: are not the same, and a process",
        ),
    ],
)
def test_what_is_for_no_study_or_for_two_is_one_line_with_the_way_out(given: argparse.Namespace, message: str) -> None:
    with pytest.raises(SpaceError) as raised:
        study_options(given)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_lines_of_one_study_among_several_begin_with_its_name(tmp_path: Path) -> None:
    said: list[str] = []
    named(lambda *lines: said.extend(lines), "age")("one", "two")
    assert said == ["age: one", "age: two"]
