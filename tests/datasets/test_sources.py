"""Every source yields one table; bad data is one clear error with file and row."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.errors import DataError
from datasets.numbers import names_of
from datasets.preparation import PreparedData, prepare
from datasets.sources.competition import read_competition
from datasets.sources.opening import data_options, guess_source, open_source
from datasets.sources.sample_faces import sample_faces_root
from datasets.sources.sample_faces.people import draw_people
from datasets.splits import make_splits
from datasets.table import Table
from search_spaces import SpaceError, load_space
from trainables.config import TrainConfig


def draw(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 10, 3), value, np.uint8)).save(path)


def competition(root: Path, people: list[tuple[str, str, str, str]]) -> Path:
    """Write a competition folder of (id, gender, age, folder)."""
    lines = ["id,gender,race,age,path"]
    for number, gender, age, folder in people:
        lines.append(f"{number},{gender},Asian,{age},{folder}")
        for stem in ("mask1", "mask2", "mask3", "mask4", "mask5"):
            draw(root / "train/images" / folder / f"{stem}.jpg")
        draw(root / "train/images" / folder / "incorrect_mask.png", 90)
        draw(root / "train/images" / folder / "normal.jpeg", 180)
    (root / "train/train.csv").write_text("\n".join(lines) + "\n")
    return root


def open_csv(file: Path, **options: object) -> Table:
    return open_source(data_options().validate_python({"source": "csv", "file": str(file), **options}))


def labelled(folder: Path, rows: list[str], header: str = "path,label,person") -> Path:
    for number in range(8):
        draw(folder / f"{number}.png", 20 * number)
    file = folder / "labels.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


GOOD = [f"{number}.png,{'cat' if number % 2 else 'dog'},p{number // 2}" for number in range(8)]


def test_sample_faces_are_the_same_for_the_same_seed_and_others_for_another(tmp_path: Path) -> None:
    folders = [
        sample_faces_root(tmp_path / str(run), 10, seed, "balanced", 0.125) for run, seed in enumerate((0, 0, 1))
    ]
    one, same, other = ({path.name: path.read_bytes() for path in sorted(root.rglob("*.jpg"))} for root in folders)
    assert one == same
    assert one != other


def test_sample_faces_meet_the_shares_of_ages_and_genders() -> None:
    balanced = draw_people(150, 0, "balanced")
    groups = [sum(low <= person.years <= high for person in balanced) for low, high in ((18, 29), (30, 59), (60, 60))]
    assert groups == [60, 60, 30]
    assert sum(person.male for person in balanced) == 75
    real = draw_people(2700, 0, "competition")
    assert sum(person.years == 60 for person in real) == 192
    assert sum(person.male for person in real) == 1042


def test_sample_faces_have_five_masks_one_incorrect_one_normal_a_person(faces: PreparedData) -> None:
    counts = faces.table.frame.groupby("person")["mask"].value_counts().unstack()
    assert counts.to_numpy().tolist() == [[5, 1, 1]] * 20


def test_a_person_is_a_folder_for_an_id_may_name_two(tmp_path: Path) -> None:
    people = [("003397", "male", "20", "003397_male_Asian_20"), ("003397", "female", "60", "003397_female_Asian_60")]
    table = read_competition(competition(tmp_path, people), ())
    assert table.frame["person"].nunique() == 2
    assert sorted(table.frame["age"].unique()) == [0, 2]


def test_hidden_files_are_skipped_and_whole_stems_matched(tmp_path: Path) -> None:
    root = competition(tmp_path, [("000001", "male", "29", "000001_male_Asian_29")])
    (root / "train/images/000001_male_Asian_29/._mask1.jpg").write_bytes(b"no image")
    table = read_competition(root, ())
    assert len(table.frame) == 7
    masks = dict(zip((Path(name).stem for name in table.frame["id"]), table.frame["mask"], strict=True))
    assert masks["incorrect_mask"] == 1
    assert masks["mask1"] == 0


def test_corrections_are_off_or_on_by_name_and_reported(tmp_path: Path) -> None:
    people = [("006359", "female", "20", "006359_female_Asian_20"), ("000020", "male", "40", "000020_male_Asian_40")]
    root = competition(tmp_path, people)
    plain, corrected = read_competition(root, ()), read_competition(root, ("core",))
    assert plain.notes == ()
    assert corrected.notes == ("corrections 'core': 9 images of 2 persons relabelled",)
    assert corrected.frame["gender"].sum() == 0
    swapped = corrected.frame.set_index("id")["mask"].filter(like="000020").filter(like="normal")
    assert swapped.tolist() == [1]


def test_an_unknown_or_repeated_list_of_corrections_is_refused(tmp_path: Path) -> None:
    root = competition(tmp_path, [("000001", "male", "29", "000001_male_Asian_29")])
    with pytest.raises(DataError, match="there are: core, less_certain"):
        read_competition(root, ("corr",))
    with pytest.raises(DataError, match="exactly once"):
        read_competition(root, ("core", "core"))


def test_a_csv_yields_tasks_classes_and_persons(tmp_path: Path) -> None:
    table = open_csv(labelled(tmp_path, GOOD), person_column="person")
    assert table.classes == {"label": ("cat", "dog")}
    assert table.frame["person"].nunique() == 4
    assert table.frame.loc[0, ["id", "label"]].tolist() == ["0.png", 1]


def test_class_folders_yield_one_task(tmp_path: Path) -> None:
    for number in range(4):
        draw(tmp_path / ("cat" if number % 2 else "dog") / f"{number}.png")
    table = open_source(
        data_options().validate_python({"source": "folder", "root": str(tmp_path), "split": "by_image"})
    )
    assert table.classes == {"label": ("cat", "dog")}
    assert table.frame["id"].tolist() == ["cat/1.png", "cat/3.png", "dog/0.png", "dog/2.png"]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["9.png,cat,p1"], r"labels\.csv: row 2: there is no file .*9\.png"),
        ([*GOOD, "../outside.png,cat,p1"], r"row 10: the path '\.\./outside\.png' leaves"),
        ([*GOOD, "0.png,cat,p1"], r"row 10: the path '0\.png' is listed twice \(also in row 2\)"),
        ([*GOOD[:3], "3.png,,p1"], r"row 5: the cell in column 'label' is empty"),
        ([*GOOD, "x/../0.png,cat,p1"], r"row 10: the path '0\.png' is listed twice"),
        ([*GOOD[:3], "3.png,cat, "], r"row 5: the cell in column 'person' is empty"),
        ([], "the table is empty"),
        (["0.png,cat,p0"], "the single class 'cat'"),
    ],
)
def test_a_bad_row_is_one_error_with_file_and_row(tmp_path: Path, rows: list[str], complaint: str) -> None:
    draw(tmp_path.parent / "outside.png")
    with pytest.raises(DataError, match=complaint):
        open_csv(labelled(tmp_path, rows), person_column="person")


def test_a_missing_column_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no column 'who' \(person_column\); it has path, label, person; name yours with"
    ):
        open_csv(labelled(tmp_path, GOOD), person_column="who")


def test_a_csv_without_the_label_says_what_to_type(tmp_path: Path) -> None:
    file = labelled(tmp_path, GOOD, header="path,animal,person")
    with pytest.raises(DataError, match=r"no column 'label'; .* --set data\.labels=animal --set task=animal"):
        open_csv(file, person_column="person")
    assert list(open_csv(file, person_column="person", labels="animal").classes) == ["animal"]


def test_who_names_a_person_column_gets_folds_by_person(tmp_path: Path) -> None:
    file = labelled(tmp_path, GOOD)
    space = load_space(
        "classify.yaml",
        knobs=TrainConfig,
        data_options=data_options(),
        data=guess_source(str(file)),
        overrides=["data.person_column=person"],
    )
    options = data_options().validate_python(space.data)
    splits = make_splits(open_source(options), options, 2)
    assert splits.split == "by_person"
    assert {person for fold in (splits.holdout, *splits.folds) for person in fold} == {"p0", "p1", "p2", "p3"}
    plain = data_options().validate_python({**space.data, "person_column": None})
    assert make_splits(open_source(plain), plain, 2).split == "by_image", "and who names none is told so at launch"


def test_a_person_column_beside_a_split_by_image_is_refused(tmp_path: Path) -> None:
    data = guess_source(str(labelled(tmp_path, GOOD)))
    with pytest.raises(
        SpaceError, match=r"data: split is by_image, but person_column names 'person': .*drop person_column"
    ):
        load_space(
            "classify.yaml",
            knobs=TrainConfig,
            data_options=data_options(),
            data=data,
            overrides=["data.person_column=person", "data.split=by_image"],
        )


def test_data_without_persons_must_say_by_image(tmp_path: Path) -> None:
    file = labelled(tmp_path, GOOD)
    with pytest.raises(DataError, match=r"person_column, or say data\.split=by_image"):
        open_csv(file)
    assert not open_csv(file, split="by_image").has_persons


def test_a_task_that_does_not_exist_lists_those_that_do(faces: PreparedData) -> None:
    with pytest.raises(DataError, match="no task 'hat'; it has: mask, gender, age"):
        faces.table.classes_of("hat")


def test_an_unknown_gender_or_a_folder_that_is_missing_names_the_row(tmp_path: Path) -> None:
    root = competition(tmp_path, [("000001", "male", "29", "000001_male_Asian_29")])
    table = root / "train/train.csv"
    good = table.read_text()
    table.write_text(good + "000002,mael,Asian,30,000002\n")
    with pytest.raises(DataError, match="row 3: unknown gender 'mael'"):
        read_competition(root, ())
    table.write_text(good + "000002,male,Asian,30,000002\n")
    with pytest.raises(DataError, match="row 3: there is no folder"):
        read_competition(root, ())
    table.write_text(good + "000002,male,Asian,30,../..\n")
    with pytest.raises(DataError, match="leaves"):
        read_competition(root, ())


def test_all_unreadable_images_are_listed_at_once_or_left_out_and_counted(tmp_path: Path) -> None:
    file = labelled(tmp_path, GOOD)
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "6.png").write_bytes(b"")
    options = {"source": "csv", "file": str(file), "split": "by_image", "holdout": 0}
    with pytest.raises(DataError, match=r"2 of 8 images cannot be read:\n.*1\.png.*\n.*6\.png"):
        prepare(data_options().validate_python(options), "label", 2, 16)
    data = prepare(data_options().validate_python({**options, "skip_unreadable": True}), "label", 2, 16)
    assert data.table.notes == ("2 unreadable images left out",)
    assert data.rows == (0, 2, 3, 4, 5, 7)
    assert len(data.samples()) == 6


def test_data_is_guessed_from_what_it_looks_like(tmp_path: Path) -> None:
    competition(tmp_path / "c", [("000001", "male", "29", "000001_male_Asian_29")])
    assert guess_source("sample_faces") == {"source": "sample_faces"}
    assert guess_source(str(tmp_path / "c"))["source"] == "competition"
    assert guess_source(str(tmp_path / "c/train"))["source"] == "competition"
    assert guess_source(str(tmp_path / "c/train/train.csv"))["source"] == "csv"
    table = tmp_path / "c/train/train.csv"
    table.write_text("\ufeff" + table.read_text(), encoding="utf-8")
    assert guess_source(str(tmp_path / "c"))["source"] == "competition", "behind a byte-order mark, too"
    assert len(read_competition(tmp_path / "c", ()).frame) == 7
    assert guess_source(str(tmp_path / "c/train/images"))["source"] == "folder"
    with pytest.raises(DataError, match="no such file or folder"):
        guess_source(str(tmp_path / "nowhere"))


def test_a_killed_drawing_leaves_no_half_written_folder(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_faces_root(tmp_path, 10, 0, "balanced", 0.125, stop)
    assert [path for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []
    shutil.rmtree(tmp_path)


def test_a_column_of_numbers_is_cut_into_classes_and_keeps_its_numbers(tmp_path: Path) -> None:
    widths = [1.5, 2.0, 2.5, 3.0, 9.0, 2.99]
    for number in range(6):
        draw(tmp_path / f"{number}.png", number)
    rows = [f"{number}.png,{width},{'ab'[number % 2]}" for number, width in enumerate(widths)]
    (tmp_path / "own.csv").write_text("path,width,grade\n" + "\n".join(rows) + "\n")
    section = {"source": "csv", "file": str(tmp_path / "own.csv"), "split": "by_image", "labels": ["width", "grade"]}
    options = data_options().validate_python({**section, "bins": {"width": [2, 3]}, "ordered": {"grade": ["b", "a"]}})
    table = open_source(options)
    assert table.classes["width"] == ("under 2", "2 to under 3", "3 and over")
    assert table.frame["width"].tolist() == [0, 1, 1, 2, 2, 1]
    assert table.frame[table.numbers["width"].column].tolist() == widths
    assert table.ordered == ("grade",)
    assert table.classes["grade"] == ("b", "a"), "in the order stated, not the alphabet's"
    data = prepare(options.model_copy(update={"holdout": 0.0}), "grade", 2, 16)
    assert data.facts()["ordered"] is True
    assert data.number is None
    for wrong, complaint in (
        ({"bins": {"depth": [1]}}, "'depth', which is none of labels: width, grade"),
        ({"bins": {"width": [3, 2]}}, r"bins\.width must be one or more rising numbers"),
        ({"bins": {"width": [3, float("inf")]}}, r"bins\.width must be one or more rising numbers"),
    ):
        with pytest.raises(ValueError, match=complaint):
            data_options().validate_python({**section, **wrong})
    for cell in ("wide", "nan", "inf"):
        (tmp_path / "own.csv").write_text(f"path,width,grade\n0.png,{cell},a\n1.png,2,b\n")
        with pytest.raises(
            DataError, match=rf"own\.csv: row 2: '{cell}' in column 'width' is no number; fix it, or drop data\.bins"
        ):
            open_source(options)
    (tmp_path / "own.csv").write_text("path,width,grade\n0.png,1,a\n1.png,2,c\n")
    with pytest.raises(DataError, match=r"column 'grade' holds a, c; data\.ordered\.grade must list exactly these"):
        open_source(options)


def test_the_names_of_classes_between_borders_differ_however_large_the_borders_are() -> None:
    assert names_of([1_000_000.0, 1_000_001.0])[1] == "1000000 to under 1000001"
    assert names_of([0.5]) == ("under 0.5", "0.5 and over")
