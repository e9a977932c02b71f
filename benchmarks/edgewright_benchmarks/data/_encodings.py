"""What a text that is not UTF-8 may be written in: older encodings of East Asia, told by their common letters."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# So many bytes tell: some thousand letters.
_READ = 2**14
# Share of the letters that are common ones. Read in another encoding, letters become any of some ten thousand.
_LEAST = 0.9


@dataclass(frozen=True, kw_only=True)
class _Encoding:
    """An encoding of one or two bytes a letter.

    Attributes:
        name: As `iconv` takes it.
        language: What is written in it.
        codec: Its name in Python.
        leads: First bytes of signs and of common letters: each standard begins with its common ones.
        least_second: Of a common letter's second byte.
        told_by: What one letter in ten is at least, and in other encodings hardly any.
    """

    name: str
    language: str
    codec: str
    leads: tuple[range, ...]
    least_second: int
    told_by: Callable[[bytes], bool] = bool

    def fits(self, text: str) -> bool:
        """Whether the letters of a text are those that texts in this encoding consist of."""
        codes = [letter.encode(self.codec) for letter in text if not letter.isascii()]
        common = [code for code in codes if len(code) == 2 and self._common(*code)]
        told = sum(map(self.told_by, codes))
        return len(codes) > 1 and len(common) >= _LEAST * len(codes) and 10 * told >= len(codes)

    def _common(self, first: int, second: int) -> bool:
        return any(first in lead for lead in self.leads) and second >= self.least_second


_ENCODINGS = (
    # The first level of GB 2312: 3,755 characters, in nearly all of which texts of today are written.
    _Encoding(
        name="GB18030",
        language="Chinese",
        codec="gb18030",
        leads=(range(0xA1, 0xA4), range(0xB0, 0xD8)),
        least_second=0xA1,
    ),
    _Encoding(
        name="Big5",
        language="Chinese",
        codec="cp950",
        leads=(range(0xA1, 0xC7),),
        least_second=0x40,
        told_by=lambda code: code[-1] < 0xA1,
    ),
    # Signs and kana, and the first level of JIS X 0208.
    _Encoding(
        name="SHIFT_JIS",
        language="Japanese",
        codec="cp932",
        leads=(range(0x81, 0x84), range(0x88, 0x98)),
        least_second=0x40,
    ),
    _Encoding(
        name="EUC-JP",
        language="Japanese",
        codec="euc_jp",
        leads=(range(0xA1, 0xA2), range(0xA4, 0xA6), range(0xB0, 0xD0)),
        least_second=0xA1,
        told_by=lambda code: code[0] in (0xA4, 0xA5),
    ),
    _Encoding(
        name="EUC-KR",
        language="Korean",
        codec="cp949",
        leads=(range(0xA1, 0xA4), range(0xB0, 0xC9)),
        least_second=0xA1,
    ),
)


def likely_encodings(path: Path, begin: int) -> list[tuple[str, str]]:
    """The encodings of East Asia that a file may be in, each with its language; none where it is of somewhere else.

    A few words may be of several: what is read in them are common letters of each.

    Args:
        path: The file.
        begin: The first byte that is not UTF-8.
    """
    with path.open("rb") as file:
        file.seek(begin)
        data = file.read(_READ)
    return [(one.name, one.language) for one in _ENCODINGS if _fits(one, data)]


def _fits(encoding: _Encoding, data: bytes) -> bool:
    try:
        # What was read may end inside of a letter.
        return encoding.fits(codecs.getincrementaldecoder(encoding.codec)().decode(data))
    except UnicodeError:
        return False
