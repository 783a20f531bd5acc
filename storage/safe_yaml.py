"""YAML that somebody else wrote: no code, no key twice, and no more than fits, however a few aliases multiply it."""

from typing import Any

import yaml

MOST_VALUES = 100_000  # that a document spells, aliases written out
DEEPEST = 50  # levels
Seen = dict[int, int]  # values of every node that was counted


class RefusedYaml(yaml.MarkedYAMLError):
    """YAML that nobody means; `problem` says what is wrong with it."""


def load_yaml(text: str) -> Any:
    """Return what a document spells.

    Raises:
        RefusedYaml: it has a key twice in one mapping, or is nested or multiplied beyond all use.
        yaml.YAMLError: it is no YAML.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {}, 0)
        return loader.construct_document(node)
    except (
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
        OverflowError,
    ) as error:  # of a value under a tag of its own
        raise RefusedYaml(problem=f"holds a value that is none of its kind ({error!r})") from None
    except ValueError as error:
        if isinstance(error, yaml.YAMLError):
            raise
        raise RefusedYaml(problem=f"holds a value that is none of its kind ({error})") from None
    except RecursionError:
        raise RefusedYaml(problem=f"is nested deeper than {DEEPEST} levels") from None
    finally:
        loader.dispose()


def _count(node: yaml.Node, seen: Seen, depth: int) -> int:
    """Return how many values a node spells, and refuse what nobody means."""
    if depth > DEEPEST:  # or an alias of what it stands in
        raise RefusedYaml(problem=f"is nested deeper than {DEEPEST} levels", problem_mark=node.start_mark)
    if id(node) in seen:
        return seen[id(node)]
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        _refuse_twice(node)
        inner = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    seen[id(node)] = 1 + sum(_count(part, seen, depth + 1) for part in inner)
    if seen[id(node)] > MOST_VALUES:
        raise RefusedYaml(problem=f"spells more than {MOST_VALUES} values", problem_mark=node.start_mark)
    return seen[id(node)]


def _refuse_twice(node: yaml.MappingNode) -> None:
    known = set[tuple[str, str]]()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in known:
                raise RefusedYaml(problem=f"has {key.value!r} twice", problem_mark=key.start_mark)
            known.add((key.tag, key.value))
