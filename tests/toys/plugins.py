"""The plugins that docs/extending.md shows, each as a file of its own."""

import re
from pathlib import Path

from tests.toys import ROOT

PAGE = ROOT / "docs/extending.md"


def examples() -> dict[str, str]:
    """Return the source of every example on the page, by its heading."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    code = {section.partition("\n")[0]: re.search(r"```python\n(.*?)```", section, re.DOTALL) for section in sections}
    return {heading: found[1] for heading, found in code.items() if found}


def written_together(folder: Path, name: str = "my_parts") -> Path:
    """Write all examples as one plugin and return its file."""
    file = folder / f"{name}.py"
    file.write_text("\n\n".join(examples().values()))
    return file
