"""A search with parts of the user's own, from the space to a vote, with real processes."""

import json
from pathlib import Path

import pytest

from tests.toys.commands import SPACE, run, search
from tests.toys.plugins import written_together

pytestmark = pytest.mark.slow
OWN = """
plugins: [my_parts]
metric: kappa
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    space = SPACE.replace("backbone: test_efficientnet", "backbone: three_layers, loss: generalized_cross_entropy")
    space = space.replace("optimizer:     {choice: [adamw, sgd]}", "width: {choice: [8, 16]}")
    space = space.replace("trials: 5", "trials: 2, listeners: {best_score: {}}, sampler: near_the_best")
    (tmp_path / "toy.yaml").write_text(space + OWN)
    written_together(tmp_path)
    return tmp_path


def test_parts_of_ones_own_are_searched_exported_and_vote_only_where_they_are_named(place: Path) -> None:
    out = search(place)
    assert "Cohen's kappa" in out
    assert (place / "results/toy/best_score.txt").read_text().startswith("trial")
    assert "holds another study:\n  plugins.my_parts" in changed_and_searched_again(place)
    run(place, "export_best.py", "--vote", "trimmed", "--vote-option", "trim=1")
    bundle = place / "ensembles/mask"
    images = json.loads((place / "results/toy/data.json").read_text())["root"]
    named = bundle / "plugins/my_parts.py"
    refused = run(place, "predict.py", "--images", images, "--bundle", str(bundle), code=2)
    assert (
        f"needs the plugin my_parts, which is code that runs here; read {named}, then name it: --plugin {named}"
        in refused
    )
    run(place, "predict.py", "--images", images, "--bundle", str(bundle), "--plugin", str(named))
    assert len((place / "votes.csv").read_text().splitlines()) == 20 * 7 + 1


def changed_and_searched_again(place: Path) -> str:
    """Launch again with a plugin that has another comment, then put it back."""
    file = place / "my_parts.py"
    before = file.read_text()
    file.write_text(before + "\n# changed\n")
    try:
        return search(place, code=2)
    finally:
        file.write_text(before)
