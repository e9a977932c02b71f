"""Train a small Wav2Vec2 for CTC on the recordings of make_data.py and save an ordinary Hugging Face checkpoint.

Example:
    python train.py --data data --out checkpoints/prompts
"""

import argparse
import copy
import csv
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

# Nothing is fetched; and threads that wait sleep instead of spinning, which spares a machine with other work.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import jiwer
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)
from transformers.utils import logging

RATE = 8000
TOKENS = ("<pad>", "<unk>", "|", "'", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# The first convolution sees windows of 25 ms, 100 of them a second; the second halves their number.
WINDOW, HOP = RATE // 40, RATE // 100
BANDS = 40
BATCH_SECONDS = 16.0
Clip = tuple[NDArray[np.float32], str]


def read_split(table: Path) -> list[Clip]:
    """Waveforms and transcripts of a table."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    clips = []
    for row in rows:
        waveform, rate = soundfile.read(table.parent / row["audio"], dtype="float32")
        assert rate == RATE, f"{row['audio']} has {rate} samples a second"
        clips.append((waveform, row["text"]))
    return clips


def make_processor(folder: Path) -> Any:
    """What turns waveforms into the model's inputs, and its scores into texts."""
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({token: index for index, token in enumerate(TOKENS)}), encoding="utf-8")
    # No tokens for the beginning and the end: this model spells, and nothing else.
    tokenizer: Any = Wav2Vec2CTCTokenizer
    extractor: Any = Wav2Vec2FeatureExtractor
    return Wav2Vec2Processor(
        feature_extractor=extractor(sampling_rate=RATE, return_attention_mask=False),
        tokenizer=tokenizer(str(vocabulary), bos_token=None, eos_token=None),
    )


def make_model() -> Any:
    """A small Wav2Vec2 whose first convolution begins as a bank of filters.

    From ten minutes of speech a network cannot learn to hear from nothing. So each of the bands on the mel scale begins
    with a cosine and a sine, both ways up: what GELU lets through of the four adds up to how loud the band is.
    """
    config = Wav2Vec2Config(
        vocab_size=len(TOKENS),
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
        conv_dim=(4 * BANDS, 96, 96, 96),
        conv_kernel=(WINDOW, 3, 3, 3),
        conv_stride=(HOP, 2, 1, 1),
        num_feat_extract_layers=4,
        hidden_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=256,
        num_conv_pos_embeddings=24,
        num_conv_pos_embedding_groups=4,
        # Hidden frames and noise make up for other dropout, which would take a fifth of the time.
        hidden_dropout=0.05,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.05,
        final_dropout=0.05,
        layerdrop=0.0,
        do_stable_layer_norm=True,
        # A share of the frames is hidden in training, so that no word hangs on a single one of them.
        mask_time_prob=0.05,
        mask_time_length=5,
        mask_feature_prob=0.05,
        mask_feature_length=8,
        ctc_loss_reduction="mean",
        ctc_zero_infinity=True,
    )
    model: Any = Wav2Vec2ForCTC(config)
    mels = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 0.48 * RATE / 700), BANDS)
    hertz = 700 * (10 ** (mels / 2595) - 1)
    phase = 2 * np.pi * hertz[:, None] * np.arange(WINDOW) / RATE
    waves = np.stack([np.cos(phase), np.sin(phase), -np.cos(phase), -np.sin(phase)], axis=1)
    filters = waves.reshape(-1, 1, WINDOW) * np.hanning(WINDOW)
    filters /= np.sqrt((filters**2).sum(axis=-1, keepdims=True))
    first = model.wav2vec2.feature_extractor.conv_layers[0].conv
    with torch.no_grad():
        first.weight.copy_(torch.from_numpy(filters))
    return model


def batches(clips: list[Clip], random: np.random.Generator) -> list[list[int]]:
    """Indices of clips of like length, about `BATCH_SECONDS` of them together, in random order."""
    keys = [len(waveform) * random.uniform(0.9, 1.1) for waveform, _ in clips]
    made: list[list[int]] = [[]]
    for index in np.argsort(keys).tolist():
        longest = max(len(clips[other][0]) for other in [*made[-1], index])
        if made[-1] and longest * (len(made[-1]) + 1) > BATCH_SECONDS * RATE:
            made.append([])
        made[-1].append(index)
    random.shuffle(made)
    return made


def varied(waveform: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """A recording said a little faster or slower, and a little noisier."""
    speed = random.uniform(0.88, 1.14)
    places = np.arange(0, len(waveform) - 1, speed)
    made = np.interp(places, np.arange(len(waveform)), waveform)
    made += random.normal(size=len(made)) * made.std() * 10 ** random.uniform(-3, -1)
    return made.astype(np.float32)


def transcribe(model: Any, processor: Any, clips: list[Clip]) -> list[str]:
    """What the model hears."""
    model.eval()
    texts: list[str] = []
    with torch.no_grad():
        for waveform, _ in clips:
            feeds = processor(waveform, sampling_rate=RATE, return_tensors="pt")
            texts += processor.batch_decode(model(**feeds).logits.argmax(dim=-1))
    return texts


def train(model: Any, processor: Any, data: dict[str, list[Clip]], arguments: argparse.Namespace) -> None:
    """Train, and keep the state that is best on validation."""
    random = np.random.default_rng(arguments.seed)
    clips = data["train"]
    labels = [torch.tensor(processor.tokenizer(text).input_ids) for _, text in clips]
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.01)
    best, best_state = math.inf, copy.deepcopy(model.state_dict())
    for epoch in range(1, arguments.epochs + 1):
        model.train()
        # Up in the first twentieth of the epochs, then down to nothing.
        share = min(1.0, 20 * epoch / arguments.epochs, 1.02 - epoch / arguments.epochs)
        for group in optimizer.param_groups:
            group["lr"] = arguments.learning_rate * share
        losses = []
        for part in batches(clips, random):
            waveforms = [varied(clips[index][0], random) for index in part]
            feeds = processor(waveforms, sampling_rate=RATE, padding=True, return_tensors="pt")
            targets = torch.nn.utils.rnn.pad_sequence([labels[i] for i in part], batch_first=True, padding_value=-100)
            loss = model(**feeds, labels=targets).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(float(loss.detach()))
        if epoch % 5 == 0 or epoch == arguments.epochs:
            rate = jiwer.wer([text for _, text in data["validation"]], transcribe(model, processor, data["validation"]))
            print(f"epoch {epoch}: loss {np.mean(losses):.3f}, validation WER {rate:.3f}", flush=True)
            if rate < best:
                best, best_state = rate, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)


def main() -> None:
    """Train, test, and leave a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, validation.csv and test.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--clips", type=int, help="use so few of each split, to try things out")
    parser.add_argument("--learning-rate", type=float, default=2.5e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    if (arguments.out / "config.json").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(arguments.seed)
    # transformers draws its masks from this one.
    np.random.seed(arguments.seed)
    splits = ("train", "validation", "test")
    data = {split: read_split(arguments.data / f"{split}.csv")[: arguments.clips] for split in splits}
    # Train beside the target and rename at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    processor = make_processor(unfinished)
    model = make_model()
    print(f"{sum(weights.numel() for weights in model.parameters()):,} parameters")
    train(model, processor, data, arguments)
    truth, heard = [text for _, text in data["test"]], transcribe(model, processor, data["test"])
    model.save_pretrained(unfinished)
    processor.save_pretrained(unfinished)
    unfinished.rename(arguments.out)
    for spoken, written in list(zip(truth, heard, strict=True))[:3]:
        print(f"  {spoken}  ->  {written}")
    print(f"test WER {jiwer.wer(truth, heard):.3f}, CER {jiwer.cer(truth, heard):.3f}")


if __name__ == "__main__":
    main()
