"""The real service with adapting hurried: it begins after a second of quiet, tries one fold, learns for two steps, and adapts anyway."""

from kit.settings import read_settings, with_secrets
from knowledge_base.adapting_behind import Pace
from knowledge_base.serving import serve

if __name__ == "__main__":
    serve(with_secrets(read_settings()), Pace(quiet_s=1.0, retries_s=(2.0,), options=("--steps", "2", "--folds", "1", "--anyway")))
