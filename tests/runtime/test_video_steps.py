"""Frames are those that transformers chooses, in every form of a video; what is not a video is said to be none."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers.video_utils import VideoMetadata, default_sample_indices_fn

import tiny_videos
from edgewright_runtime import SampleError
from edgewright_runtime.errors import VideoWarning
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.samples import pack, unpack
from edgewright_runtime.steps import make_free_step


def frames_of(video: Any, frames: int = 4) -> list[Any]:
    made = make_free_step(StepSpec("load_video", {"frames": frames}))({"video": video})
    return [np.asarray(frame) for frame in made["frames"]]


def numbered(total: int) -> Any:
    """Frames whose brightness is their number."""
    return np.stack([np.full((16, 16, 3), 4 * index, dtype=np.uint8) for index in range(total)])


@pytest.mark.parametrize("total", [4, 5, 7, 29, 60])
@pytest.mark.parametrize("frames", [1, 3, 4])
def test_frames_that_transformers_chooses(total: int, frames: int) -> None:
    chosen = [int(frame[0, 0, 0]) // 4 for frame in frames_of(numbered(total), frames)]
    assert chosen == default_sample_indices_fn(VideoMetadata(total_num_frames=total, fps=10), frames).tolist()


def test_every_form_of_a_video(tmp_path: Path) -> None:
    video = tiny_videos.motion("left", np.random.default_rng(0), frames=12)
    expected = [video[index] for index in (0, 3, 6, 9)]
    folder = tiny_videos.write_frames(tmp_path / "frames", video)
    np.savez(tmp_path / "frames.npz", frames=video)
    arrays: dict[str, Any] = {}
    packed = pack(folder, "0", arrays, paths=False)
    exact = [video, list(video), {"frames": video}, folder, str(folder), tmp_path / "frames.npz"]
    for form in (*exact, unpack(packed, arrays, paths=False)):
        assert all(np.array_equal(one, other) for one, other in zip(frames_of(form), expected, strict=True))
    for suffix, codec in ((".mp4", "mpeg4"), (".avi", "mpeg4"), (".mkv", "mpeg2video")):
        path = tiny_videos.write_file(tmp_path / f"video{suffix}", video, codec=codec)
        for form in (path, str(path), path.read_bytes()):
            made = frames_of(form)
            # Noise is what codecs lose; the square is where it was.
            assert all(np.abs(one.astype(int) - two).mean() < 25 for one, two in zip(made, expected, strict=True))
            places = [[np.argwhere(one[:, :, 1] > 150).mean(axis=0) for one in part] for part in (made, expected)]
            assert np.abs(np.array(places[0]) - np.array(places[1])).max() < 1


def test_few_frames_are_repeated_and_that_is_said(tmp_path: Path) -> None:
    with pytest.warns(VideoWarning, match=r"has 2 frames, but the model takes 4: frames were repeated"):
        found = frames_of(numbered(2))
    assert [int(frame[0, 0, 0]) for frame in found] == [0, 0, 4, 4]
    path = tiny_videos.write_file(tmp_path / "one.mp4", numbered(1))
    with pytest.warns(VideoWarning, match="has 1 frames"):
        assert len(frames_of(path)) == 4


def test_what_is_no_video(tmp_path: Path) -> None:
    def refuses(video: Any, says: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VideoWarning)
            with pytest.raises(SampleError, match=says):
                frames_of(video)

    refuses(b"no video", "The video is not a video, or it cannot be read")
    refuses(tmp_path / "missing.mp4", "The video .*missing.mp4.* does not exist")
    refuses(3, "a file, a folder or frames; found int")
    (tmp_path / "empty").mkdir()
    refuses(tmp_path / "empty", "empty' has no frames")
    refuses(np.zeros((0, 8, 8, 3), np.uint8), "The video has no frames")
    refuses(np.zeros((5, 8, 8, 3), np.float32), "An image array must be uint8")
    (tmp_path / "empty" / "0.png").write_bytes(b"no picture")
    refuses(tmp_path / "empty", "is not an image")
    np.savez(tmp_path / "other.npz", x=np.zeros(3), y=np.zeros(3))
    refuses(tmp_path / "other.npz", "has no array 'frames' of the shape")
    (tmp_path / "cut.npz").write_bytes(b"PK")
    refuses(tmp_path / "cut.npz", "is not a readable .npz file")
    whole = tiny_videos.write_file(tmp_path / "whole.mp4", numbered(30)).read_bytes()
    for length in (0, 40, len(whole) // 2):
        refuses(whole[:length], r"not a video, or it cannot be read|has no frames")
    # Sound alone: a file of its kind, without a picture.
    import soundfile

    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(800), 8000, format="OGG")
    refuses(sound.getvalue(), "has no frames")
    # A playlist would make FFmpeg open what it names.
    playlist = f"ffconcat version 1.0\nfile '{tmp_path / 'whole.mp4'}'\n"
    refuses(playlist.encode(), "not a video, or it cannot be read")
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path / 'whole.mp4'}\n#EXT-X-ENDLIST\n"
    refuses(hls.encode(), "not a video, or it cannot be read")


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([{"step": "tokenize", "options": {}}], "'tokenize' is not a step of a frame"),
        ([], "makes no array"),
        ([{"step": "crop_image", "options": {"height": 4, "width": 4}}], "makes no array"),
    ],
)
def test_steps_of_frames_that_cannot_be(steps: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make_free_step(StepSpec("for_frames", {"steps": steps, "output": "x"}))
