"""Print the annotated tree of the project, every file with the first line of its docstring.

python docs/annotated_tree.py            # what stands in docs/architecture.md; a test keeps it there
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    *("search_spaces", "datasets", "trainables", "schedulers", "launch"),
    *("voting", "analysis", "studies", "storage", "plugins", "benchmarks"),
)
SCRIPTS = ("launch_search.py", "export_best.py", "predict.py")
_WIDTH = 34


def tree() -> str:
    """Return the tree as text."""
    lines = [_line(name, 0, ROOT / name) for name in SCRIPTS]
    for package in PACKAGES:
        lines += _folder(ROOT / package, 0)
    return "\n".join(lines)


def _folder(folder: Path, depth: int) -> list[str]:
    lines = [_line(f"{folder.name}/", depth, folder / "__init__.py")]
    files = [
        path for path in sorted(folder.iterdir()) if path.suffix in (".py", ".yaml") and path.name != "__init__.py"
    ]
    lines += [_line(path.name, depth + 1, path) for path in files]
    for inner in sorted(path for path in folder.iterdir() if (path / "__init__.py").is_file()):
        lines += _folder(inner, depth + 1)
    return lines


def _line(name: str, depth: int, file: Path) -> str:
    return f"{'  ' * depth}{name}".ljust(_WIDTH) + f" {_first_line(file)}"


def _first_line(file: Path) -> str:
    """Return what a file says of itself first: a docstring's line, or a YAML's opening comment."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".yaml":
        return text.splitlines()[0].removeprefix("#").strip()
    return (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]


if __name__ == "__main__":
    print(tree())
