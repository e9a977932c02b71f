"""Words spoken by synthetic voices: eSpeak NG out of a wheel, for keywords that no recording at hand has."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from fetched import wheel_files

_RATE = 16_000
# Of espeak-ng/speak_lib.h: give the samples to a callback at once; texts are UTF-8; the parameter of words a minute.
_SYNCHRONOUS, _UTF8, _SPEED = 2, 1, 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_heard: list[Any] = []


def _hear(samples: Any, count: int, events: Any) -> int:
    del events
    if samples and count:
        _heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
    return 0


# Kept for as long as the library may call it.
_CALLED = _CALLBACK(_hear)


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    folder = wheel_files("espeakng-loader") / "espeakng_loader"
    library = ctypes.CDLL(str(folder / "libespeak-ng.so"))
    rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, str(folder / "espeak-ng-data").encode(), 0))
    assert rate > 0
    library.espeak_SetSynthCallback(_CALLED)
    return library, rate


def spoken(text: str, voice: str, words_a_minute: int) -> Any:
    """What a voice says, float32 [samples] at 16 kHz."""
    import soxr

    library, rate = _library()
    assert library.espeak_SetVoiceByName(voice.encode()) == 0
    library.espeak_SetParameter(_SPEED, words_a_minute, 0)
    _heard.clear()
    data = text.encode()
    assert library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None) == 0
    library.espeak_Synchronize()
    return soxr.resample(np.concatenate(_heard).astype(np.float32) / 2**15, rate, _RATE)
