"""All hostile files, by name."""

from tests.hostile import bundles, pictures, spaces, studies, tables

CASES = {case.name: case for kind in (pictures, tables, spaces, studies, bundles) for case in kind.cases()}
