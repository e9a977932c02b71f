"""The strict reader: what it takes, and the words in which it refuses everything else."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from edgewright_targets.record import RecordError, added_in, read_record, write_record


@dataclass(frozen=True)
class Wheel:
    inches: float


@dataclass(frozen=True, kw_only=True)
class Bicycle:
    name: str
    gears: int = 1
    electric: bool = False
    kind: Literal["road", "cargo"] = "road"
    front: Wheel | None = None
    wheels: tuple[Wheel, ...] = ()
    parts: dict[str, int] = field(default_factory=dict)
    note: Any = None
    tags: dict[str, object] = field(default_factory=dict)


FULL = {
    "name": "Anna",
    "gears": 7,
    "electric": True,
    "kind": "cargo",
    "front": {"inches": 20},
    "wheels": [{"inches": 20.0}, {"inches": 26.5}],
    "parts": {"bell": 1},
    "note": [1, "two"],
    "tags": {"new": True, "year": 2026},
}


def test_reads_every_kind_of_field() -> None:
    bicycle = read_record(Bicycle, FULL, "a.toml")
    assert bicycle == Bicycle(
        name="Anna",
        gears=7,
        electric=True,
        kind="cargo",
        front=Wheel(20.0),
        wheels=(Wheel(20.0), Wheel(26.5)),
        parts={"bell": 1},
        note=[1, "two"],
        tags={"new": True, "year": 2026},
    )
    assert bicycle.front is not None
    assert isinstance(bicycle.front.inches, float)


def test_defaults_stand_in() -> None:
    assert read_record(Bicycle, {"name": "Anna"}, "a.toml") == Bicycle(name="Anna")


@dataclass(frozen=True)
class Ride:
    minutes: float
    rain: bool | None


def test_a_value_that_is_left_out_because_it_is_none_is_none_again() -> None:
    for ride in (Ride(20.0, rain=True), Ride(20.0, rain=None)):
        assert read_record(Ride, json.loads(json.dumps(write_record(ride))), "a.toml") == ride
    with pytest.raises(RecordError, match=r"a.toml: the key 'minutes' is missing"):
        read_record(Ride, {"rain": True}, "a.toml")


@dataclass(frozen=True)
class Trip:
    """A record that got fields."""

    days: int = 1
    stops: tuple[str, ...] = field(default=(), metadata=added_in(3))
    by_night: bool = field(default=False, metadata=added_in(3))


def test_a_field_that_older_readers_do_not_know_is_written_where_it_says_something() -> None:
    assert write_record(Trip()) == {"days": 1}
    full = Trip(stops=("Bern",), by_night=True)
    assert write_record(full) == {"days": 1, "stops": ["Bern"], "by_night": True}
    assert all(read_record(Trip, write_record(trip), "a.toml") == trip for trip in (Trip(), full))


def test_writes_what_it_reads() -> None:
    bicycle = read_record(Bicycle, FULL, "a.toml")
    data = json.loads(json.dumps(write_record(bicycle)))
    assert data == FULL
    assert read_record(Bicycle, data, "a.json") == bicycle
    assert "front" not in write_record(Bicycle(name="Anna"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gear": 3}, r"a\.toml: unknown key 'gear'\.\nDid you mean 'gears'\?"),
        ({"gears": True}, r"a\.toml: gears: expected int, found bool True\."),
        ({"gears": 10**400}, r"gears: the number is too large\."),
        ({"gears": -(2**64)}, r"gears: the number is too large\."),
        ({"parts": {"bell": 2**63}}, r"parts\.bell: the number is too large\."),
        ({"gears": 1.0}, r"gears: expected int, found float 1\.0\."),
        ({"electric": 1}, r"electric: expected bool, found int 1\."),
        ({"name": None}, r"name: expected str, found nothing\."),
        ({"kind": "folding"}, r"kind: 'folding' is not allowed\. Allowed: 'road', 'cargo'\."),
        ({"front": {"inches": True}}, r"a\.toml: front: inches: expected float, found bool True\."),
        ({"front": {}}, r"a\.toml: front: the key 'inches' is missing\."),
        ({"front": 20}, r"front: expected a table of Wheel fields, found int 20\."),
        ({"wheels": {"inches": 20}}, r"wheels: expected a list"),
        ({"wheels": [{"inches": 20}, {"inch": 20}]}, r"a\.toml: wheels\[1\]: unknown key 'inch'\."),
        ({"parts": ["bell"]}, r"parts: expected a table"),
        ({"parts": {"bell": "loud"}}, r"a\.toml: parts\.bell: expected int, found str 'loud'\."),
    ],
)
def test_refuses(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_record(Bicycle, FULL | change, "a.toml")
    assert caught.match(message)


def test_refuses_what_is_no_table_and_shortens_what_it_quotes() -> None:
    with pytest.raises(
        RecordError, match=r"^a\.toml: expected a table of Bicycle fields, found list \[0, 1, .*\.\.\.\.$"
    ):
        read_record(Bicycle, list(range(100)), "a.toml")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(RecordError, match=r"^a\.toml: the key 'name' is missing\.$"):
        read_record(Bicycle, {}, "a.toml")
