"""Documents that stay true: links lead somewhere, commands parse, and no file names a place of one machine."""

import argparse
import ast
import importlib
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgewright_cli import EPILOG, VERBS, make_parser

ROOT = Path(__file__).resolve().parent.parent


def files(*suffixes: str) -> list[Path]:
    """Files that are in version control or about to be, with one of the suffixes."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("Not a git checkout, so it cannot be told which files belong to it.")
    paths = (ROOT / line for line in listed.stdout.splitlines())
    return sorted(path for path in paths if path.suffix in suffixes and path.is_file())


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+\s+(.+?)\s*#*$", _prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _prose(document: Path) -> str:
    """A document without its code, which may hold brackets and hashes of its own."""
    text = document.read_text(encoding="utf-8")
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def test_relative_links_resolve() -> None:
    broken = []
    for document in files(".md"):
        for link in re.findall(r"\]\(\s*<?([^)\s>]+)", _prose(document)):
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve() if path else document
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                broken.append(f"{document.relative_to(ROOT)}: {link}")
    assert not broken, broken


def test_no_paths_of_one_machine() -> None:
    place = re.compile(r"(?<![\w.<}/-])/(?:tmp|root|home|Users)/")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files(".md", ".py", ".toml")
        if "tests" not in path.relative_to(ROOT).parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if place.search(line)
    ]
    assert not found, found


def blocks(document: Path, language: str) -> list[str]:
    """The fenced code of one language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The lines that call `edgewright`, in words; continued lines joined, comments and redirections left out."""
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines()]
    found = [shlex.split(line, comments=True) for line in lines if line.startswith("edgewright ")]
    return [words[: words.index("<")] if "<" in words else words for words in found]


def inline_code(document: Path) -> Iterator[str]:
    """The code inside the sentences of a document."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for line in re.findall(r"`([^`]+)`", text):
        yield " ".join(line.split())


def options_of(verb: str) -> set[str]:
    """All option names that a verb takes."""
    parser = make_parser(verb)
    (verbs,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {name for action in verbs.choices[verb]._actions for name in action.option_strings}


def parses(words: list[str]) -> bool:
    """Whether the command line takes these words, options in full; nothing runs."""
    if words[1] not in VERBS or not {word for word in words if word.startswith("--")} <= options_of(words[1]):
        return False
    try:
        make_parser(words[1]).parse_args(words[1:])
    except SystemExit:
        return False
    return True


def test_commands_in_documents_parse(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        (document.relative_to(ROOT), words)
        for document in files(".md")
        for block in blocks(document, "sh")
        for words in commands(block)
    ]
    wrong = [f"{place}: {shlex.join(words)}" for place, words in found if not parses(words)]
    assert not wrong, (wrong, capsys.readouterr().err)
    in_readme = {words[1] for place, words in found if str(place) == "README.md"}
    assert in_readme == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_that_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = commands(importlib.import_module(f"edgewright_cli.{verb}").EPILOG)
    assert verb in [words[1] for words in examples]
    wrong = [shlex.join(words) for words in (*examples, *commands(EPILOG)) if not parses(words)]
    assert not wrong, (wrong, capsys.readouterr().err)


def test_an_example_that_does_not_parse_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands("  edgewright bench p \\\n  --dat x  # so\n") == [["edgewright", "bench", "p", "--dat", "x"]]
    assert parses(["edgewright", "bench", "p", "--data", "x"])
    assert not parses(["edgewright", "bench", "p", "--dat", "x"])
    assert not parses(["edgewright", "bench", "p"])
    assert not parses(["edgewright", "bnech", "p"])
    capsys.readouterr()


def test_options_in_sentences_exist() -> None:
    known = {verb: options_of(verb) for verb in VERBS}
    anywhere = set().union(*known.values())
    wrong = []
    for document in files(".md"):
        if document.is_relative_to(ROOT / "examples"):
            continue  # its scripts have options of their own
        for code in inline_code(document):
            words = code.split()
            if words[0] == "edgewright":
                bad = words[1] not in VERBS and not words[1].startswith("-")
                allowed = known.get(words[1], {"--help", "--version"})
            else:
                bad, allowed = False, anywhere
            if bad or not {word for word in words if re.match(r"--\w", word)} <= allowed:
                wrong.append(f"{document.relative_to(ROOT)}: {code}")
    assert not wrong, wrong


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        (str(document.relative_to(ROOT)), name)
        for document in files(".md")
        for code in ("\n".join(blocks(document, "sh")), *inline_code(document))
        for name in re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)
    }
    assert {name for _, name in named} >= {"demo", "test"}
    assert not {(place, name) for place, name in named if name not in targets}


def test_python_in_documents_imports_what_is_there() -> None:
    checked = 0
    for document in files(".md"):
        for block in blocks(document, "python"):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom):
                    module = importlib.import_module(str(node.module))
                    assert all(hasattr(module, alias.name) for alias in node.names), f"{document}: {ast.unparse(node)}"
                    checked += 1
    assert checked


def test_readme_lists_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", text.partition("| extra |")[2].partition("\n\n")[0], re.MULTILINE))
    assert listed == set(project["optional-dependencies"])
