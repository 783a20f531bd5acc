"""A registry: the items of one kind by name, with the knobs that they bring.

An item's knobs are its keyword-only arguments. An argument that is annotated and has a default is a new knob; one
without a default names a knob that exists already:

    @LOSSES.register("bi_tempered")
    def bi_tempered(logits, targets, *, temperature: Annotated[float, Field(ge=1, le=4)] = 1.5):
        ...
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter, isclass, signature, unwrap
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from plugins.names import name_hint

Item = TypeVar("Item")
_loading: ContextVar[str | None] = ContextVar("loading", default=None)  # the plugin whose module is being imported


class PluginError(ValueError):
    """A plugin that cannot be found, loaded or used; the message names it and the way out."""


@dataclass(frozen=True, eq=False)
class Knob:
    """A knob that a registered item brings: a setting of its own, checked like a built-in one."""

    name: str
    annotation: Any
    default: Any
    item: str  # under this name
    chosen_by: str  # the knob that chooses among the items of this kind


class Registry(Mapping[str, Item], Generic[Item]):
    """The items of one kind. `knob` is the configuration's knob that chooses one of them, if a knob does."""

    def __init__(self, kind: str, knob: str | None = None) -> None:
        self.kind, self.knob = kind, knob
        self._items: dict[str, Item | str] = {}
        self._plugins: dict[str, str] = {}
        self._options: dict[str, tuple[str, ...]] = {}
        self._knobs: dict[str, tuple[Knob, ...]] = {}

    def register(self, name: str) -> Callable[[Item], Item]:
        """Return a decorator that registers a function or class under a name."""

        def registered(item: Item) -> Item:
            self.add(name, item)
            return item

        return registered

    def add(self, name: str, item: Item | str) -> None:
        """Register an item, or where it is defined ('package.module:name', imported when it is first used).

        Raises:
            PluginError: the name is taken.
        """
        if name in self._items:
            raise PluginError(f"{self.kind} {name!r} is registered already; give yours another name")
        self._items[name] = item
        if self.knob and callable(item):
            self._options[name] = tuple(options_of(item))
            self._knobs[name] = tuple(_new_knobs(name, item, self.knob))
        plugin = _loading.get()
        if plugin is not None and plugin == _registering_module().partition(".")[0]:
            self._plugins[name] = plugin

    def __getitem__(self, name: str) -> Item:
        try:
            item = self._items[name]
        except KeyError:
            raise PluginError(self.unknown(name)) from None
        if isinstance(item, str):
            module, _, attribute = item.partition(":")
            item = self._items[name] = cast(Item, getattr(import_module(module), attribute))
        return item

    def get(self, name: str, default: Any = None) -> Any:
        """Return an item, or a default where there is none."""
        return self[name] if name in self._items else default

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def unknown(self, name: object) -> str:
        """Return the sentence that refuses a name."""
        return f"there is no {self.kind} {name!r}; {name_hint(name, self._items)}"

    def checked(self, name: str) -> str:
        """Return the name of an item, for a field of a pydantic model.

        Raises:
            PluginError: there is none of that name; lists those that exist.
        """
        if name not in self._items:
            raise PluginError(self.unknown(name))
        return name

    def plugin_of(self, name: str) -> str | None:
        """Return the plugin that brought an item, None for what is built in."""
        return self._plugins.get(name)

    def forget(self, plugin: str) -> None:
        """Let go of the items of a plugin."""
        for name in [name for name, brought in self._plugins.items() if brought == plugin]:
            for of_items in (self._items, self._plugins, self._options, self._knobs):
                of_items.pop(name, None)

    def knobs(self) -> Iterator[Knob]:
        """Yield the knobs that items bring; none for a kind that no knob chooses."""
        for brought in self._knobs.values():
            yield from brought

    def options(self) -> dict[str, tuple[str, ...]]:
        """Return which knobs every item takes, its own or others'; not of items that were never imported."""
        return dict(self._options)


def _new_knobs(item_name: str, item: Callable[..., Any], chosen_by: str) -> Iterator[Knob]:
    for name, (annotation, default) in options_of(item).items():
        if default is not Parameter.empty:
            yield Knob(name, annotation, default, item_name, chosen_by)


def options_of(item: Any) -> dict[str, tuple[Any, Any]]:
    """Return the keyword-only arguments of a function, or of a class: name to (annotation, default).

    `Parameter.empty` stands for an argument without a default; the type of its default for one without an annotation.
    """
    target = unwrap(item.__init__ if isclass(item) else item)
    return {
        name: (_annotation(target, argument), argument.default)
        for name, argument in signature(target).parameters.items()
        if argument.kind is Parameter.KEYWORD_ONLY
    }


def _annotation(function: Any, argument: Parameter) -> Any:
    """Return an argument's annotation, which `from __future__ import annotations` may have left as text."""
    if argument.annotation is Parameter.empty:
        return Any if argument.default is Parameter.empty else type(argument.default)
    text = argument.annotation
    return eval(text, function.__globals__) if isinstance(text, str) else text


def arguments_for(item: Any, values: object) -> dict[str, Any]:
    """Return the values of an item's keyword-only arguments, taken from the attributes of a configuration."""
    return {name: getattr(values, name) for name in options_of(item)}


def checked_options(item: Any, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that were stated for an item, each as the type of its keyword-only argument.

    Raises:
        PluginError: there is no such option, one is missing, or a value does not fit it.
    """
    known = options_of(item)
    for name in stated:
        if name not in known:
            raise PluginError(f"{name}: no such option; {name_hint(name, known)}")
    for name, (_, default) in known.items():
        if default is Parameter.empty and name not in stated:
            raise PluginError(f"{name}: is missing; state it")
    return {name: _checked(name, known[name][0], value) for name, value in stated.items()}


def _checked(name: str, annotation: Any, value: Any) -> Any:
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        raise PluginError(f"{name}: {error.errors()[0]['msg']} (got {value!r})") from None


def _registering_module() -> str:
    """Return the name of the module that is registering: a plugin may be the first to import one of ours."""
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"] == __name__:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


@contextmanager
def registering(plugin: str) -> Iterator[None]:
    """Have everything that is registered in this block belong to a plugin."""
    token = _loading.set(plugin)
    try:
        yield
    finally:
        _loading.reset(token)
