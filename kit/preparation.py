"""Setting up: both virtual environments, the embedding model as ONNX, the index, the trained Rasa model."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kit import interpreters
from kit.interpreters import Interpreter, Need
from kit.programs import BOT_PYTHON, WEB_PYTHON, bot_half, web_half
from kit.settings import ROOT, Settings
from kit.steps import Step, fingerprint, is_done, run_steps

Say = Callable[[str], None]

REQUIREMENTS, CONSTRAINTS = ROOT / "requirements.txt", ROOT / "constraints.txt"
BOT_ONLY, WEB_ONLY = '< "3.11"', '>= "3.11"'
RASA_MODEL = "touchdesk"


def prepare(settings: Settings, say: Say, *, for_tests: bool = False) -> dict[str, float]:
    """Set up whatever is not; gives back the seconds each step took. ``settings`` have their secrets.

    Raises `InterpreterMissing` or `StepFailed`. Only one set-up of this checkout works at a time; another one waits for it.
    """
    with only_one_set_up(say):
        steps = [*environment_steps(), *data_steps(settings), *(bytecode_steps() if for_tests else [])]
        return run_steps(steps, settings.var / "log", say)


@contextmanager
def only_one_set_up(say: Say) -> Iterator[None]:
    """Hold the set-up of this checkout. The lock lies on a file that is there anyway and goes with the process that holds it."""
    with open(REQUIREMENTS, encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Another set-up of this checkout is under way; waiting for it ...")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def environment_steps() -> list[Step]:
    """Both virtual environments. Raises `InterpreterMissing` before anything is installed."""
    halves = [(interpreters.WEB, WEB_PYTHON.parent.parent), (interpreters.BOT, BOT_PYTHON.parent.parent)]
    return [_environment_step(need, folder, interpreters.find(need)) for need, folder in halves]


def _environment_step(need: Need, folder: Path, python: Interpreter) -> Step:
    # Bytecode is made when a module is first imported: making all of it now took 40 of 100 s of processor time for Rasa's half.
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--no-input"]
    stamp = folder / "set-up.stamp"
    return Step(
        name=f"{need.half}-environment",
        says=f"{folder.name}, the virtual environment on Python {python.version}",
        commands=[[str(python.path), "-m", "venv", str(folder)], [*pip, "-r", str(REQUIREMENTS), "-c", str(CONSTRAINTS)]],
        inputs=lambda: fingerprint(python.version, *named_for(need)),
        stamp=stamp,
        outputs=(folder / "bin" / "python",),
        prepare=partial(remove_unless_whole, folder, stamp, python),
        environment={"PYTHONWARNINGS": "ignore"},
    )


def bytecode_steps() -> list[Step]:
    """All bytecode of both environments, for the tests: there a warning is an error, and some modules warn while they are compiled."""
    # Politely: export and training, for which all else waits, go first.
    compile_all = "import compileall, os, sysconfig; os.nice(15); compileall.compile_dir(sysconfig.get_path('purelib'), quiet=2, workers=0)"
    return [
        Step(
            name=f"{need.half}-bytecode",
            says=f"Bytecode for {python.parent.parent.name}",
            commands=[[str(python), "-W", "ignore", "-c", compile_all]],
            inputs=partial(_pins, need),
            stamp=python.parent.parent / "bytecode.stamp",
            after=(f"{need.half}-environment",),
        )
        for need, python in ((interpreters.WEB, WEB_PYTHON), (interpreters.BOT, BOT_PYTHON))
    ]


def _pins(need: Need) -> str:
    return fingerprint(*named_for(need))


def named_for(need: Need) -> list[str]:
    """Lines of requirements and constraints that concern one half, comments left out."""
    other = WEB_ONLY if need is interpreters.BOT else BOT_ONLY
    lines = [line.strip() for path in (REQUIREMENTS, CONSTRAINTS) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#") and not line.endswith(other)]


def remove_unless_whole(folder: Path, stamp: Path, python: Interpreter) -> None:
    """Take away an environment whose installation was cut off, or whose Python is another one or gone; a whole one is only brought up to date.

    Begun anew rather than mended, because pip cannot tell half a package from a whole one.
    """
    own = interpreters.ask(str(folder / "bin" / "python"))
    if folder.exists() and (not stamp.exists() or own is None or own.version != python.version):
        shutil.rmtree(folder)


def data_steps(settings: Settings) -> list[Step]:
    """What is made from the repository and kept in the var folder. Rasa is trained on the exported model's vectors, so the export comes first."""
    var, stamps = settings.var, settings.var / "stamps"
    knowledge = ROOT / "knowledge_base"
    embedding = var / "embedding" / "manifest.json"
    web = web_half(settings)
    model = Path(settings.model)
    wanted = str((settings.no_answer_share, settings.answers_right))
    return [
        Step(
            name="export",
            says="The embedding model, for serving",
            commands=[[str(WEB_PYTHON), "-m", "knowledge_base", "export"]],
            inputs=lambda: fingerprint(
                *(knowledge / name for name in ("export.py", "quantising.py", "embedding.py", "low_rank.py", "support_adapter.npz")),
                settings.model,
                *([model] if model.is_dir() else []),
            ),
            stamp=stamps / "export",
            outputs=(embedding, var / "embedding" / "sentence.onnx", var / "embedding" / "tokenizer.json"),
            after=("web-environment",),
            environment=web,
            limit_s=600,
        ),
        Step(
            name="index",
            says="The index over the articles",
            commands=[[str(WEB_PYTHON), "-m", "knowledge_base", "build"]],
            # Not the articles: the service itself brings the index up to them, and does so in a moment where only some have changed.
            inputs=lambda: fingerprint(str(settings.articles), *_sources(knowledge), embedding, wanted),
            stamp=stamps / "index",
            outputs=(settings.index / "current",),
            after=("web-environment", "export"),
            environment=web,
            limit_s=600,
        ),
        Step(
            name="train",
            says="The training of the dialogue model",
            commands=[training_command(var)],
            inputs=lambda: fingerprint(*(ROOT / name for name in ("bot/data", "bot/components", "config.yml", "domain.yml")), embedding),
            stamp=stamps / "train",
            outputs=(var / "rasa" / "models" / f"{RASA_MODEL}.tar.gz",),
            after=("bot-environment", "export"),
            environment=bot_half(settings),
            limit_s=600,
        ),
    ]


def training_command(var: Path) -> list[str]:
    """How Rasa learns from bot/data, config.yml and domain.yml; the model goes into the var folder under one fixed name."""
    out = ["--out", str(var / "rasa" / "models"), "--fixed-model-name", RASA_MODEL]
    return [str(BOT_PYTHON), "-m", "bot.rasa_cli", "train", "--data", "bot/data", "--config", "config.yml", "--domain", "domain.yml", *out]


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def forget(settings: Settings, names: list[str]) -> None:
    """Have these steps of `data_steps` done again the next time."""
    for step in data_steps(settings):
        if step.name in names:
            step.stamp.unlink(missing_ok=True)


def is_prepared(settings: Settings) -> bool:
    """True if nothing is left to set up in the var folder."""
    return all(is_done(step) for step in data_steps(settings))


def clean(settings: Settings) -> list[Path]:
    """Take away all that the set-up can make again; gives back what went. Database, secrets and logs stay."""
    made = [WEB_PYTHON.parent.parent, BOT_PYTHON.parent.parent, ROOT / "tests" / "var"]
    made += [settings.var / name for name in ("embedding", "index", "rasa", "stamps")]
    made += [ROOT / name for name in (".pytest_cache", ".mypy_cache", ".ruff_cache", ".rasa")]
    there = [path for path in made if path.exists()]
    for path in there:
        shutil.rmtree(path)
    return there


def apt_can_install() -> bool:
    """True on a Debian or its like, as root."""
    return os.getuid() == 0 and shutil.which("apt-get") is not None


def apt_install(package: str) -> bool:
    """Install one package; True if that went well. Its index is fetched first, since a fresh machine has none."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = [["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "--no-install-recommends", package]]
    return all(subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, timeout=900).returncode == 0 for command in commands)
