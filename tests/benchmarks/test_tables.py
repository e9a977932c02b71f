"""Tables as people save them: each form gives the same samples, what is unusual is said, and doubt is refused."""

import csv
import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgewright_benchmarks.data import Dataset, DataWarning, read_dataset
from edgewright_targets import InputError

LABELS = ("bad", "good", "neutral")
ROWS = [("a good day", "good"), ("rain, again", "bad"), ('so "nice"', "good"), ("it; is", "neutral"), ("a\nb", "bad")]


def _table(
    rows: Sequence[Sequence[object]],
    header: Sequence[str] = ("text", "label"),
    separator: str = ",",
    encoding: str = "utf-8",
    end: str = "\n",
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def _read(path: Path, task: str = "text-classification", names: tuple[str, ...] = LABELS) -> Dataset:
    return read_dataset(path, task=task, input_name="text", class_names=names)


def _silent(path: Path, content: bytes) -> Dataset:
    """As read without any warning."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return _read(path)


@pytest.fixture
def expected(tmp_path: Path) -> Dataset:
    found = _silent(tmp_path / "plain.csv", _table(ROWS))
    assert found.samples == tuple(text for text, _ in ROWS)
    assert found.labels == tuple(LABELS.index(label) for _, label in ROWS)
    return found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mark.csv", _table(ROWS, encoding="utf-8-sig")),
        ("dos.csv", _table(ROWS, end="\r\n")),
        ("mac.csv", _table(ROWS, end="\r")),
        ("tabs.tsv", _table(ROWS, separator="\t")),
        ("CAPITALS.CSV", _table(ROWS)),
        ("more.csv", _table([(7, *row, "x") for row in ROWS], header=("", "text", "label", "note"))),
    ],
)
def test_forms_that_need_no_word(tmp_path: Path, expected: Dataset, name: str, content: bytes) -> None:
    found = _silent(tmp_path / name, content)
    assert (found.samples, found.labels) == (expected.samples, expected.labels)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("semicolons.csv", _table(ROWS, separator=";"), "is read with semicolons between its columns"),
        ("tabs.csv", _table(ROWS, separator="\t"), "is read with tabulators between its columns"),
        ("bars.csv", _table(ROWS, separator="|"), "is read with vertical bars between its columns"),
        ("commas.tsv", _table(ROWS), "is read with commas between its columns"),
        ("utf16.csv", _table(ROWS, encoding="utf-16"), "is read as UTF-16."),
        ("utf32.csv", _table(ROWS, encoding="utf-32"), "is read as UTF-32."),
        ("both.csv", _table(ROWS, separator="\t", encoding="utf-16"), "is read as UTF-16 and with tabulators"),
        (
            "index.csv",
            _table([(text, LABELS.index(label)) for text, label in ROWS]),
            "indices of the model: 0 is",
        ),
        ("float.csv", _table([(text, f"{LABELS.index(label)}.0") for text, label in ROWS]), "1 is 'good'"),
        (
            "index.jsonl",
            "\n".join(json.dumps({"text": t, "label": LABELS.index(c)}) for t, c in ROWS).encode(),
            "2 is 'neutral'",
        ),
        (
            "utf16.jsonl",
            "\n".join(json.dumps({"text": t, "label": c}) for t, c in ROWS).encode("utf-16"),
            "is read as UTF-16.",
        ),
    ],
)
def test_forms_that_are_said(tmp_path: Path, expected: Dataset, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.warns(DataWarning) as caught:
        found = _read(path)
    assert (found.samples, found.labels) == (expected.samples, expected.labels)
    (message,) = {str(one.message) for one in caught}
    assert str(path) in message
    assert says in message


def test_a_table_beside_shards(tmp_path: Path, expected: Dataset) -> None:
    """The folder's shards are other data, even where their split could not be read."""
    for name in ("train.parquet", "test.parquet"):
        (tmp_path / name).write_bytes(b"PAR1")
    found = _silent(tmp_path / "mine.csv", _table(ROWS))
    assert found.samples == expected.samples
    with pytest.raises(InputError, match=r"no data file '.*none\.csv'"):
        _read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="has several splits: test, train"):
        _read(tmp_path / "validation")


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x00"])
@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_what_ends_no_line_of_a_table(tmp_path: Path, sign: str, ending: str) -> None:
    """Other line separators of Unicode are characters of a cell, quoted or not."""
    rows = [("one", "good"), (f"two{sign}halves", "bad"), ("three", "good")]
    content = _table(rows)
    if ending == ".jsonl":
        lines = [json.dumps({"text": text, "label": label}, ensure_ascii=sign < " ") for text, label in rows]
        content = "\n".join(lines).encode()
    found = _silent(tmp_path / f"data{ending}", content)
    assert found.samples == tuple(text for text, _ in rows)


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(_table([("one\u2028half", "good"), ("two", "god")]))
    with pytest.raises(InputError, match="line 3: unknown label 'god'"):
        _read(path)


def test_names_that_are_numbers_are_no_indices(tmp_path: Path) -> None:
    """Stars from 1 to 5: an index 1 would be the second class, and the name is that of the first."""
    stars = ("1", "2", "3", "4", "5")
    path = tmp_path / "stars.csv"
    path.write_bytes(_table([("fine", "1"), ("great", "5")]))
    assert _read(path, names=stars).labels == (0, 4)
    path.write_bytes(_table([("fine", "1"), ("awful", "0")]))
    with pytest.raises(InputError, match="line 3: unknown label '0'"):
        _read(path, names=stars)
    path.write_bytes(_table([("fine", "2.0")]))
    with pytest.raises(InputError, match=r"unknown label '2\.0'"):
        _read(path, names=stars)


def test_folders_named_by_indices(tmp_path: Path) -> None:
    for name in ("0", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").touch()
    with pytest.warns(DataWarning, match="its folders are named by class indices of the model: 0 is 'bad'"):
        found = read_dataset(tmp_path, task="image-classification", input_name="image", class_names=LABELS)
    assert found.labels == (0, 2)


def test_tags_may_be_indices(tmp_path: Path) -> None:
    path = tmp_path / "tags.jsonl"
    path.write_text('{"text": "to Rome now", "tags": [0, 1, 0]}\n', encoding="utf-8")
    with pytest.warns(DataWarning, match="'tags' holds class indices of the model: 0 is 'O'"):
        found = _read(path, "token-classification", ("O", "B-LOC"))
    assert found.labels == (("O", "B-LOC", "O"),)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"Text,Label\na,good\n", "no column 'text'.*Did you mean 'Text'. Rename that column to 'text'"),
        ("a.csv", b"TEXT;label\na;good\n", "no column 'text'.*Did you mean 'TEXT'"),
        ("a.csv", b"text,Label\na,good\n", "has a column 'Label', but the ground truth is read from 'label'"),
        ("a.csv", b"text,LABEL,note\na,good,x\n", "has a column 'LABEL'"),
        ("a.jsonl", b'{"text": "a", "Label": "good"}\n', "has a column 'Label'"),
        ("a.jsonl", b'{"Text": "a", "label": "good"}\n', "Did you mean 'Text'"),
        ("a.csv", b"text,label\na,GOOD\n", "line 2: unknown label 'GOOD'.*Did you mean 'good'"),
        ("a.csv", b"text,label\na,Goof\n", "line 2: unknown label 'Goof'.*Did you mean 'good'"),
        ("a.csv", b"text,label\na,3\n", "line 2: there is no class 3.*with indices from 0 to 2"),
        ("a.csv", b"text,label\na,-1\n", "unknown label '-1'"),
        ("a.csv", b"text,label\na,0.5\n", r"unknown label '0\.5'"),
        ("a.csv", b"text,label\na,99999999999999999999\n", "unknown label '9"),
        ("a.jsonl", b'{"text": "a", "label": true}\n', "unknown label 'True'"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "b", "label": "good"}\n', "line 2: 'label' is present, but the first"),
        ("a.jsonl", b'{"text": "a", "label": "good"}\n{"text": "b"}\n', "line 2: 'label' is missing"),
        ("a.jsonl", b'{"text": "a", "text": "b", "label": "good"}\n', "not valid JSON: the key 'text' appears 2"),
        ("a.csv", "text,label\na,good\n".encode("utf-16")[:-1], "is not UTF-16: byte 36 cannot be decoded"),
        ("a.csv", b"\xff\xfe\x00\x00t\x00\x00\x00\xff\xff\xff\xff", "is not UTF-32: byte 8 cannot be decoded"),
        ("a.csv", b"\xef\xbb\xbftext,label\ncaf\xe9,good\n", "is not UTF-8: byte 17"),
        ("a.csv", b"text,label\n" + b"a,good\n" * 200_000 + b"caf\xe9,good\n", "is not UTF-8: byte 1400014"),
        ("a.csv", b'text,label\n"a,good\n', "not valid CSV"),
        ("a.csv", b'"te"x"t,label\na,good\n', "line 1: not valid CSV"),
        ("a.csv", b"text;label\na;good\nb,good\n", "line 3: 1 cells; the header has 2"),
        ("a.tsv", b"words\tlabel\na\tgood\n", "no column 'text'; its columns are: words, label"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::edgewright_benchmarks.data.DataWarning")
def test_doubt_is_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"(?s){says}"):
        _read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("header.csv", b"text,label," + b"x" * 200),
        ("row.csv", b"text,label\na,good\n" + b"x" * 200),
        ("tabs.tsv", b"text\tlabel\na\tgood\n" + b"x" * 200),
        ("holes.csv", b"text,label\na,good\n" + b"\0" * 200),
        ("row.jsonl", b'{"text": "a", "label": "good"}\n{"text": "' + b"x" * 200 + b'"}\n'),
    ],
)
def test_a_line_that_no_memory_is_for(
    tmp_path: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgewright_benchmarks.data._lines._LINE_LIMIT", 100)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="has a line of more than 100 characters"):
        _read(tmp_path / name)


CHINESE = "打开客厅的灯，把空调调到二十五度。播放音乐"
TRADITIONAL = "打開客廳的燈，把冷氣調到二十五度。播放音樂"
JAPANESE = "リビングの電気をつけて、エアコンを二十五度にしてください。"
KOREAN = "거실의 불을 켜 주세요, 에어컨을 이십오 도로 해 주세요."


@pytest.mark.parametrize(
    ("encoding", "text", "says"),
    [
        ("gb18030", CHINESE, "It seems to be GB18030 (Chinese). Save it as UTF-8, for example with: iconv -f GB18030 "),
        ("big5", TRADITIONAL, "It seems to be Big5 (Chinese). "),
        ("shift_jis", JAPANESE, "It seems to be SHIFT_JIS (Japanese). "),
        ("euc_jp", JAPANESE, "It seems to be EUC-JP (Japanese). "),
        # The bytes of common Korean syllables are those of common Chinese characters.
        ("euc_kr", KOREAN, "It seems to be GB18030 (Chinese) or EUC-KR (Korean). "),
        ("latin1", "Müßig, schön, é à ô", "Save it as UTF-8, for example with: iconv -f latin1 "),
        ("cp1251", "Включи свет на кухне", "Save it as UTF-8, for example with: iconv -f latin1 "),
    ],
)
def test_the_encoding_of_a_table_is_named(tmp_path: Path, encoding: str, text: str, says: str) -> None:
    path = tmp_path / "commands.csv"
    # Far behind the beginning, and longer than what is looked at.
    rows = "turn on,good\n" * 1000 + f'"{text}",good\n' * 1000
    path.write_bytes(f"text,label\n{rows}".encode(encoding))
    with pytest.raises(InputError, match=r"is not UTF-8: byte \d+ cannot be decoded") as raised:
        _read(path)
    assert raised.value.hint.startswith(says)
    assert raised.value.hint.endswith("-t utf-8 commands.csv -o commands-utf8.csv")


def test_a_table_of_utf8_with_one_broken_byte_is_of_no_other_encoding(tmp_path: Path) -> None:
    path = tmp_path / "commands.csv"
    path.write_bytes(f"text,label\n{CHINESE},good\n{CHINESE},good\n".encode().replace("客".encode(), b"\xe5\xae", 1))
    with pytest.raises(InputError, match="is not UTF-8") as raised:
        _read(path)
    assert raised.value.hint.startswith("Save it as UTF-8")


def test_chinese_after_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "commands.csv"
    found = _silent(path, f"text,label\n{CHINESE},good\n".encode("utf-8-sig"))
    assert list(found.samples) == [CHINESE]
