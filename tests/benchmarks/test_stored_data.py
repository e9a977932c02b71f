"""Parquet and folders of `datasets`: the same samples as folders and tables give, and errors with their places."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

import tiny_segmenters
from edgewright_benchmarks.data import Dataset, _stored, _table, read_dataset
from edgewright_benchmarks.truth.masks import read_mask
from edgewright_targets import InputError
from photos import write_kinds
from tiny_speech import sound

datasets = pytest.importorskip("datasets")
LABELS = ("green", "red")


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> None:
    datasets.disable_progress_bars()


def _read(path: Path, task: str = "image-classification", takes: str = "image") -> Dataset:
    return read_dataset(path, task=task, input_name=takes, class_names=LABELS if "class" in task else ())


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Any]:
    """Files of many kinds, and a data set of them whose classes are in another order than the model's."""
    files = [file for file in write_kinds(tmp_path_factory.mktemp("kinds")) if file.suffix != ".ppm"]
    columns: dict[str, list[Any]] = {
        "image": [{"bytes": file.read_bytes(), "path": file.name} for file in files],
        "label": [index % 2 for index in range(len(files))],
        "unused": list(range(len(files))),
    }
    names = datasets.ClassLabel(names=["red", "green"])
    features = {"image": datasets.Image(), "label": names, "unused": datasets.Value("int64")}
    return files, datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def _check(found: Dataset, files: list[Path]) -> None:
    assert [sample.read_bytes() for sample in found.samples] == [file.read_bytes() for file in files]
    assert [sample.suffix for sample in found.samples] == [file.suffix for file in files]
    assert found.labels == tuple((index + 1) % 2 for index in range(len(files)))


def test_pictures_of_a_parquet_file(tmp_path: Path, pictures: tuple[list[Path], Any]) -> None:
    pictures[1].to_parquet(tmp_path / "all.parquet")
    found = _read(tmp_path / "all.parquet")
    _check(found, pictures[0])
    assert found.name == "all.parquet"
    assert found.digest == _read(tmp_path / "all.parquet").digest
    pictures[1].select(range(5)).to_parquet(tmp_path / "all.parquet")
    assert found.digest != _read(tmp_path / "all.parquet").digest


def test_pictures_saved_to_disk(tmp_path: Path, pictures: tuple[list[Path], Any]) -> None:
    pictures[1].save_to_disk(str(tmp_path / "saved"), num_shards=3)
    found = _read(tmp_path / "saved")
    _check(found, pictures[0])
    state = json.loads((tmp_path / "saved" / "state.json").read_text())
    (tmp_path / "saved" / state["_data_files"][1]["filename"]).unlink()
    with pytest.raises(InputError, match=r"lacks its file 'data-00001-of-00003\.arrow'"):
        _read(tmp_path / "saved")
    state["_data_files"][1]["filename"] = "../secret.arrow"
    (tmp_path / "saved" / "state.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match="outside its folder"):
        _read(tmp_path / "saved")


def test_splits_are_named_behind_their_folder(tmp_path: Path, pictures: tuple[list[Path], Any]) -> None:
    (tmp_path / "hub" / "data").mkdir(parents=True)
    for index in range(2):
        shard = pictures[1].shard(2, index, contiguous=True)
        shard.to_parquet(tmp_path / "hub" / "data" / f"train-0000{index}-of-00002.parquet")
    _check(_read(tmp_path / "hub"), pictures[0])
    pictures[1].select([0]).to_parquet(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet")
    _check(_read(tmp_path / "hub" / "train"), pictures[0])
    assert len(_read(tmp_path / "hub" / "test").samples) == 1
    for wrong in (tmp_path / "hub", tmp_path / "hub" / "validation"):
        with pytest.raises(InputError, match="several splits: test, train") as caught:
            _read(wrong)
        assert caught.value.hint.endswith("hub/test")
    (tmp_path / "hub" / "data" / "train-00000-of-00002.parquet").unlink()
    with pytest.raises(InputError, match=r"1 of 2 shards are missing, the first is train-00000-of-00002\.parquet"):
        _read(tmp_path / "hub" / "train")
    datasets.DatasetDict(train=pictures[1], test=pictures[1]).save_to_disk(str(tmp_path / "dict"))
    with pytest.raises(InputError, match="several splits: test, train"):
        _read(tmp_path / "dict")
    _check(_read(tmp_path / "dict" / "train"), pictures[0])


def test_sounds_and_their_transcripts(tmp_path: Path) -> None:
    files = [tmp_path / f"{index}.flac" for index in range(3)]
    for index, file in enumerate(files):
        soundfile.write(file, sound(index), 16_000)
    columns = {
        "audio": [{"bytes": files[0].read_bytes(), "path": None}, {"bytes": None, "path": files[1].name}, None],
        "text": ["one", "two", "three"],
    }
    audio = datasets.Features({"audio": datasets.Audio(), "text": datasets.Value("string")})
    table = pa.table(columns, schema=audio.arrow_schema)
    pq.write_table(table.slice(0, 2), tmp_path / "clips.parquet")
    found = _read(tmp_path / "clips.parquet", "automatic-speech-recognition", "audio")
    assert [sample.read_bytes() for sample in found.samples] == [file.read_bytes() for file in files[:2]]
    assert found.labels == ("one", "two")
    pq.write_table(table, tmp_path / "clips.parquet")
    with pytest.raises(InputError, match=r"clips\.parquet', row 3: the column 'audio' holds nothing"):
        _read(tmp_path / "clips.parquet", "automatic-speech-recognition", "audio")
    files[1].unlink()
    with pytest.raises(InputError, match="row 2: the column 'audio' names a file that is not there"):
        _read(tmp_path / "clips.parquet", "automatic-speech-recognition", "audio")


def test_texts_and_lists_of_classes(tmp_path: Path) -> None:
    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-room"]))
    features = datasets.Features({"text": datasets.Value("string"), "tags": tags})
    made = datasets.Dataset.from_dict({"text": ["the kitchen", "on"], "tags": [[0, 1], [0]]}, features=features)
    made.to_parquet(tmp_path / "slots.parquet")
    found = read_dataset(
        tmp_path / "slots.parquet", task="token-classification", input_name="text", class_names=("B-room", "O")
    )
    assert found.samples == ("the kitchen", "on")
    assert found.labels == (("O", "B-room"), ("O",))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"sentence": ["play"], "label": ["red"]}, "has no column 'text'; its columns are: sentence, label"),
        ({"text": ["play", "stop"], "label": ["red", "blue"]}, "row 2: unknown label 'blue'"),
        ({"text": ["play", " "], "label": ["red", "red"]}, "row 2: the text is empty"),
        ({"text": ["play", None], "label": ["red", "red"]}, "row 2: the text is empty"),
        ({"text": [7], "label": ["red"]}, "row 1: the column 'text' holds int; this model takes a text"),
        ({"text": pa.array([], pa.string())}, "has no samples"),
    ],
)
def test_wrong_rows(tmp_path: Path, columns: dict[str, Any], says: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "data.parquet")
    with pytest.raises(InputError, match=says):
        _read(tmp_path / "data.parquet", "text-classification", "text")


def test_wrong_files(tmp_path: Path, pictures: tuple[list[Path], Any]) -> None:
    whole = tmp_path / "whole.parquet"
    pictures[1].to_parquet(whole)
    for name, content in {"cut": whole.read_bytes()[:-9], "text": b"text,label\n", "empty": b""}.items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"{name}\.parquet' is not a readable Parquet file"):
            _read(path)
    path = tmp_path / "spoiled.parquet"
    spoiled = bytearray(whole.read_bytes())
    spoiled[4:40] = b"\xff" * 36
    path.write_bytes(spoiled)
    with pytest.raises(InputError, match=r"spoiled\.parquet' cannot be read: "):
        _read(path)
    (tmp_path / "shards").mkdir()
    pictures[1].to_parquet(tmp_path / "shards" / "0000.parquet")
    pictures[1].remove_columns("unused").to_parquet(tmp_path / "shards" / "0001.parquet")
    with pytest.raises(InputError, match=r"0001\.parquet' has other columns than '0000\.parquet'"):
        _read(tmp_path / "shards")


def test_a_data_set_larger_than_memory_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, rows = np.random.default_rng(0).bytes(1 << 18), 400
    # One group of rows, the worst case for a reader in parts.
    pq.write_table(pa.table({"image": pa.array([content] * rows, pa.binary())}), tmp_path / "big.parquet")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    usual, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        found = _read(tmp_path / "big.parquet")
        peak = tracemalloc.get_traced_memory()[1] + pool.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)
    assert len(found.samples) == rows
    assert peak < rows * len(content) / 4
    # The files aside go with the data set, a part of it included.
    part, folder = found.part(3), found.samples[0].parents[1]
    del found
    assert all(sample.is_file() for sample in part.samples)
    del part
    assert not folder.exists()


def test_masks_are_read_like_files(tmp_path: Path) -> None:
    scenes = tiny_segmenters.write_scenes(tmp_path / "scenes", count=3)
    columns = {
        name: [{"bytes": file.read_bytes(), "path": None} for file in sorted((scenes / folder).iterdir())]
        for name, folder in (("image", "images"), ("mask", "masks"))
    }
    features = datasets.Features(dict.fromkeys(columns, datasets.Image()))
    stored = datasets.Dataset.from_dict(columns, features=features)
    stored.to_parquet(tmp_path / "scenes.parquet")
    stored.save_to_disk(tmp_path / "saved")
    whole: Any = {"task": "image-segmentation", "input_name": "image", "class_names": tiny_segmenters.LABELS}
    expected = read_dataset(scenes, **whole)
    for path in (tmp_path / "scenes.parquet", tmp_path / "saved"):
        found = read_dataset(path, **whole)
        assert [file.read_bytes() for file in found.samples] == [file.read_bytes() for file in expected.samples]
        assert [read_mask(file).tolist() for file in found.labels or ()] == [
            read_mask(file).tolist() for file in expected.labels or ()
        ]
    torn = stored.map(lambda row: {"mask": None}, features=features)
    torn.to_parquet(tmp_path / "torn.parquet")
    with pytest.raises(InputError, match=r"row 1: the column 'mask' holds nothing; expected the bytes of a file"):
        read_dataset(tmp_path / "torn.parquet", **whole)


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """A table of texts in two shards of five groups of rows each."""
    for shard in range(2):
        rows = range(50 * shard, 50 * shard + 50)
        columns = {"text": [f"text {row} {'x' * 200}" for row in rows], "label": [LABELS[row % 2] for row in rows]}
        name = tmp_path / f"train-0000{shard}-of-00002.parquet"
        pq.write_table(pa.table(columns), name, row_group_size=10, compression="none", use_dictionary=False)
    return tmp_path


def _texts(path: Path, most: int | None = None) -> Dataset:
    return read_dataset(path, task="text-classification", input_name="text", class_names=LABELS, most=most)


@pytest.mark.parametrize("saved", [False, True], ids=["parquet", "saved"])
@pytest.mark.parametrize("count", [1, 7, 99, 100, 500])
def test_a_part_is_that_of_the_whole(groups: Path, tmp_path: Path, count: int, saved: bool) -> None:
    path = groups
    if saved:
        path = tmp_path / "saved"
        datasets.Dataset.from_parquet([str(file) for file in sorted(groups.glob("*.parquet"))]).save_to_disk(str(path))
    whole, part = _texts(path).part(count), _texts(path, count)
    assert (part.samples, part.labels, part.digest) == (whole.samples, whole.labels, whole.digest)


def test_only_groups_with_wanted_rows_are_read(groups: Path) -> None:
    """What is not wanted may be anything: it is not unpacked."""
    wanted = {int(text.split()[1]) // 10 for text in _texts(groups, 3).samples}
    for shard, path in enumerate(sorted(groups.glob("*.parquet"))):
        content = bytearray(path.read_bytes())
        for index in range(5):
            column = pq.read_metadata(path).row_group(index).column(0)
            if 5 * shard + index not in wanted:
                start = column.data_page_offset
                content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
        path.write_bytes(content)
    assert {int(text.split()[1]) // 10 for text in _texts(groups, 3).samples} == wanted
    with pytest.raises(InputError, match="cannot be read"):
        _texts(groups)


def test_texts_beyond_what_is_kept_are_refused_before_they_are_read(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_stored, "MOST_CHARACTERS", 10_000)
    monkeypatch.setattr(_stored, "samples_of_rows", None)
    with pytest.raises(InputError, match="bytes of text, too many") as caught:
        _texts(groups)
    assert "--samples" in caught.value.hint


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_texts_are_counted_as_they_come(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One long text said for every row takes some kilobytes of a Parquet file, and gigabytes of memory."""
    path = tmp_path / f"data.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"text": ["x" * 10_000] * 1_000}), path)
        assert path.stat().st_size < 100_000
    else:
        line = json.dumps({"text": "x" * 10_000}) if kind == "jsonl" else "x" * 10_000
        path.write_text("\n".join(["text"] * (kind == "csv") + [line] * 1_000))
    monkeypatch.setattr(_table, "MOST_CHARACTERS", 1_000_000)
    with pytest.raises(InputError, match="more than 1,000,000 characters"):
        _texts(path)
    assert len(_texts(path, 50).samples) == 50
