"""YAML of other people: said once, and no more than fits."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from storage.safe_yaml import RefusedYaml, load_yaml

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read(value: object) -> None:
    assert load_yaml(yaml.safe_dump(value)) == value


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\nb: {c: 1,\n  c: 2}\n", "has 'c' twice", 2),
        ("a: 1\na: 1\n", "has 'a' twice", 1),
        ("a: " + "[" * 400 + "]" * 400, "is nested deeper than 50 levels", 0),
        ("a: &a [*a]\n", "is nested deeper than 50 levels", 0),
        (
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
                for before, name in zip("abcdef", "bcdefg", strict=True)
            ),
            "spells more than 100000 values",
            4,
        ),
    ],
)
def test_what_nobody_means_is_refused_by_its_line(text: str, problem: str, line: int) -> None:
    with pytest.raises(RefusedYaml) as refused:
        load_yaml(text)
    assert refused.value.problem == problem
    assert refused.value.problem_mark is not None
    assert refused.value.problem_mark.line == line


def test_a_document_nested_beyond_the_stack_is_refused() -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml("[" * 100_000)


def test_anchors_that_people_use_are_read() -> None:
    assert load_yaml("a: &rate {low: 1}\nb: *rate\n") == {"a": {"low": 1}, "b": {"low": 1}}
    assert load_yaml("") is None
