"""Bundles that were made to mislead: whole, sealed, and wrong inside. And archives that hold no bundle."""

import hashlib
import io
import json
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

import predict
from tests.hostile.case import Case, written
from tests.hostile.studies import replaced
from tests.toys import ROOT

GOLDEN = ROOT / "tests/golden"
WEIGHTS = "mask/golden-trial1-fold0.safetensors"
Tensors = dict[str, torch.Tensor]
Manifest = dict[str, Any]


def cases() -> Iterator[Case]:
    """Yield bundles with other weights, other manifests, other files, and archives."""
    for name, change in weight_changes().items():
        yield Case(f"bundle/weights/{name}", partial(bundle, partial(with_weights, change)), voted)
    for name, file in {"empty": b"", "pickle": b"\x80\x04.", "text": b"hello", "header": b"\xff" * 8 + b"{}"}.items():
        yield Case(f"bundle/weights/{name}", partial(bundle, partial(with_file, WEIGHTS, file)), voted)
    for name, skeleton in skeletons().items():
        yield Case(f"bundle/skeleton/{name}", partial(bundle, partial(with_skeleton, skeleton)), voted)
    for name, edit in manifest_changes().items():
        yield Case(f"bundle/manifest/{name}", partial(bundle, partial(with_manifest, edit)), voted)
    for name, text in {"empty": "", "list": "[]", "deep": "[" * 100_000, "word": "hello", "number": "7"}.items():
        yield Case(f"bundle/manifest/{name}", partial(bundle, partial(with_text, text)), voted)
    for name in ("manifest.json", "manifest.sha256", WEIGHTS):
        for kind in ("pipe", "endless", "sparse"):
            yield Case(f"bundle/{name}/{kind}", partial(bundle, partial(replaced, name, kind)), voted)
    yield Case("bundle/strange_pipe", partial(bundle, partial(replaced, "mask/strange", "pipe")), voted)
    for name, content in archives().items():
        yield Case(f"archive/{name}.tar", written("sent.tar", content), voted)


def weight_changes() -> dict[str, Callable[[Tensors], Tensors]]:
    """Return what is done to the tensors of a model."""

    def each(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Tensors], Tensors]:
        return lambda tensors: {name: change(tensor).contiguous() for name, tensor in tensors.items()}

    return {
        "nan": each(lambda tensor: torch.full_like(tensor, float("nan")) if tensor.is_floating_point() else tensor),
        "infinite": each(
            lambda tensor: torch.full_like(tensor, float("inf")) if tensor.is_floating_point() else tensor
        ),
        "integers": each(lambda tensor: tensor.to(torch.int8)),
        "halves": each(lambda tensor: tensor.to(torch.float64) if tensor.is_floating_point() else tensor),
        "flat": each(torch.flatten),
        "longer": each(lambda tensor: torch.cat([tensor, tensor]) if tensor.dim() else tensor),
        "fewer": lambda tensors: dict(list(tensors.items())[1:]),
        "none": lambda tensors: {},
    }


def skeletons() -> dict[str, str | None]:
    """Return texts that stand where the order of tensors should."""
    return {
        "missing": None,
        "empty": "",
        "deep": "[" * 100_000,
        "number": "7",
        "list": "[1, 2, 3]",
        "unknown_tensor": '{"__keyed__": [["a", {"__tensor__": "999"}]]}',
        "no_pairs": '{"__keyed__": [[1, 2, 3]]}',
        "key_list": '{"__keyed__": [[["a"], 1]]}',
        "other_key": '{"hello": 1}',
        "tensor_list": '{"__tensor__": []}',
    }


def manifest_changes() -> dict[str, Callable[[Manifest], None]]:
    """Return what is done to a manifest; it is sealed afterwards."""

    def task(name: str, value: Any) -> Callable[[Manifest], None]:
        return lambda manifest: manifest["tasks"][0].update({name: value})

    def member(name: str, value: Any) -> Callable[[Manifest], None]:
        return lambda manifest: manifest["tasks"][0]["members"][0].update({name: value})

    def knob(name: str, value: Any) -> Callable[[Manifest], None]:
        return lambda manifest: manifest["tasks"][0]["members"][0]["classifier"].update({name: value})

    nan = float("nan")
    return {
        "no_deviation": member("std", [0.0, 0.0, 0.0]),
        "tiny_deviation": member("std", [1e-320, 1e-320, 1e-320]),
        "nan_deviation": member("std", [nan, nan, nan]),
        "nan_mean": member("mean", [nan, nan, nan]),
        "two_means": member("mean", [0.5, 0.5]),
        "cold": task("temperature", 1e-320),
        "hot": task("temperature", 1e300),
        "nan_temperature": task("temperature", nan),
        "infinite_class_weights": task("class_weights", [float("inf"), 1, 1]),
        "tiny_class_weights": task("class_weights", [5e-324, 0, 0]),
        "nan_weights": task("weights", [nan]),
        "no_members": task("members", []),
        "one_class": task("classes", ["wear"]),
        "more_classes": task("classes", ["wear", "incorrect", "normal", "other"]),
        "no_classes": task("classes", []),
        "class_twice": task("classes", ["wear", "wear", "normal"]),
        "unknown_rule": task("vote", "no such rule"),
        "rule_options": task("vote_options", {"no such option": 1}),
        "task_list": task("task", []),
        "unknown_backbone": knob("backbone", "no such backbone"),
        "huge_image": knob("image_size", 10**9),
        "image_text": knob("image_size", "large"),
        "unknown_head": knob("head", "no such head"),
        "number_head": knob("head", "regression"),
        "unknown_knob": knob("no such knob", 1),
        "no_classifier": member("classifier", {}),
        "leaves": member("weights", ["../../../../etc/passwd", "/etc/passwd"]),
        "no_weights": member("weights", []),
        "far_fold": member("folds", [10**9, 10**9 + 1]),
        "negative_fold": member("folds", [-1, 0]),
        "no_tasks": lambda manifest: manifest.update(tasks=[]),
        "task_twice": lambda manifest: manifest.update(tasks=manifest["tasks"] * 2),
        "files_list": lambda manifest: manifest.update(files=[]),
        "format_far": lambda manifest: manifest.update(format=10**400),
        "format_list": lambda manifest: manifest.update(format=[]),
    }


def archives() -> dict[str, bytes]:
    """Return archives that are no bundle, by what is wrong with them."""
    negative = bytearray(tarred("manifest.json", b"{}"))
    negative[124:136] = b"-0000001000\0"
    binary = bytearray(tarred("manifest.json", b"{}"))
    binary[124:136] = b"\xff" * 8 + (-512).to_bytes(4, "big", signed=True)
    return {
        "empty": b"",
        "zeros": bytes(10_240),
        "text": b"hello" * 1000,
        "negative_size": resealed(negative),
        "negative_binary_size": resealed(binary),
        "leaves": tarred("../../owned", b"x"),
        "absolute": tarred("/tmp/owned", b"x"),
        "link": tarred("manifest.json", b"", kind=tarfile.SYMTYPE, target="/etc/passwd"),
        "hard_link": tarred("manifest.json", b"", kind=tarfile.LNKTYPE, target="/etc/passwd"),
        "device": tarred("manifest.json", b"", kind=tarfile.CHRTYPE),
        "pipe": tarred("manifest.json", b"", kind=tarfile.FIFOTYPE),
        "sparse": tarred("manifest.json", b"", kind=tarfile.GNUTYPE_SPARSE),
        "long_name": tarred("manifest.json", b"x" * 1000, kind=tarfile.GNUTYPE_LONGNAME),
        "extended": tarred("manifest.json", b"30 path=/tmp/owned\n", kind=tarfile.XHDTYPE),
        "unsealed": tarred("manifest.json", b"{}"),
        "stranger": tarred("other.txt", b"x"),
    }


def voted(place: Path) -> int:
    """Vote with a bundle on three pictures, as `predict.py` does; a vote that is not finite counts as a fall."""
    out = place.parent / "votes.csv"
    before, sys.argv = (
        sys.argv,
        ["predict.py", "--bundle", str(place), "--images", str(GOLDEN / "images"), "--out", str(out)],
    )
    sys.argv += ["--plugin", str(GOLDEN / "tiny_net.py")]
    try:
        code = predict.main()
    finally:
        sys.argv = before
    if out.exists() and "nan" in out.read_text():
        raise RuntimeError("it voted nan")
    return code


def bundle(change: Callable[[Path], None], place: Path) -> Path:
    """Make a copy of a bundle of ours and change it; every hash is right afterwards."""
    folder = place / "sent"
    shutil.copytree(GOLDEN / "bundle", folder)
    change(folder)
    return folder


def sealed(folder: Path, edit: Callable[[Manifest], None] = lambda manifest: None) -> None:
    """Write a manifest's hashes anew, of what lies in the folder now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["files"]}
    edit(manifest)
    with_text(json.dumps(manifest), folder)


def with_text(text: str, folder: Path) -> None:
    (folder / "manifest.json").write_text(text)
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "manifest.sha256").write_text(digest + "\n")


def with_manifest(edit: Callable[[Manifest], None], folder: Path) -> None:
    sealed(folder, edit)


def with_file(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)
    sealed(folder)


def with_weights(change: Callable[[Tensors], Tensors], folder: Path) -> None:
    """Change tensors under the skeleton that they have."""
    path = folder / WEIGHTS
    save_file(change(load_file(path)), path, {"skeleton": skeleton_of(path)})
    sealed(folder)


def with_skeleton(skeleton: str | None, folder: Path) -> None:
    path = folder / WEIGHTS
    save_file(load_file(path), path, None if skeleton is None else {"skeleton": skeleton})
    sealed(folder)


def skeleton_of(path: Path) -> str:
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return str(header["__metadata__"]["skeleton"])


def tarred(name: str, content: bytes, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    """Return an archive of one member."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.size = kind, target, len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def resealed(archive: bytearray) -> bytes:
    """Return an archive whose first header has the checksum that it should have."""
    archive[148:156] = b" " * 8
    archive[148:156] = f"{sum(archive[:512]):06o}\0 ".encode()
    return bytes(archive)
