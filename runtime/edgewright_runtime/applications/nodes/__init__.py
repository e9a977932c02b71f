"""Nodes: steps of an application that call no model. Adding one is a file with a class, and an entry here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from edgewright_runtime.steps.options import check_options
from edgewright_runtime.steps.values import NamedValues

# A node is called with its inputs by name, and gives its value.
Node = Callable[[NamedValues], Any]
# In `gives`: the type of what it is given.
SAME = "same"


@dataclass(frozen=True, kw_only=True)
class NodeKind:
    """What is known of a node by its name.

    Attributes:
        place: `module:class` below this package.
        gives: Type of its value.
        takes: Name -> types that it may have, of inputs that have to be there.
        others: Types that inputs of any other name may have; empty where there are none.
        least: How many of these it needs.
        optional: Names of `takes` that may be left out.
        takes_missing: It is called although values are missing; else it is left out with them.
        whole_labels: It needs the scores of all labels, and not only of the best.
        libraries: Modules beyond numpy that it imports.
    """

    place: str
    gives: str
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    least: int = 0
    optional: tuple[str, ...] = ()
    takes_missing: bool = False
    whole_labels: bool = False
    libraries: tuple[str, ...] = ()


NODES = {
    "template": NodeKind(
        place="template:Template",
        gives="text",
        takes={"choice": ("text",)},
        optional=("choice",),
        others=("text", "number"),
    ),
    "join": NodeKind(place="join:Join", gives="text", takes={"texts": ("text[]",)}),
    "crop": NodeKind(
        place="crop:Crop", gives="image", takes={"image": ("image",), "box": ("box",)}, libraries=("PIL",)
    ),
    "clip": NodeKind(
        place="clip:Clip",
        gives="audio",
        takes={"audio": ("audio",), "segment": ("segment",)},
        libraries=("soundfile",),
    ),
    "fuse": NodeKind(
        place="fuse:Fuse",
        gives="labels",
        takes={"context": ("text",)},
        optional=("context",),
        others=("labels",),
        least=1,
        whole_labels=True,
    ),
    "texts": NodeKind(place="texts:Texts", gives="text[]"),
    "nearest": NodeKind(
        place="nearest:Nearest",
        gives="passage",
        takes={"vector": ("vector",), "vectors": ("vector[]",), "texts": ("text[]",)},
    ),
    "first": NodeKind(place="first:First", gives=SAME, others=("any",), least=1, takes_missing=True),
}


def make_node(name: str, options: Mapping[str, object]) -> Node:
    """The node called `name`.

    Raises:
        ValueError, TypeError: It does not take these options; the message says why.
    """
    module, _, class_name = NODES[name].place.partition(":")
    kind = cast("type", getattr(importlib.import_module(f"{__name__}.{module}"), class_name))
    check_options(kind, options)
    made: Node = kind(**options)
    return made
