"""The real service with adapting hurried: begun after a second of quiet, one fold, two steps, adapted anyway, on a busy machine too."""

from kit.settings import read_settings, with_secrets
from knowledge_base.adapting_behind import Pace
from knowledge_base.serving import serve

if __name__ == "__main__":
    serve(with_secrets(read_settings()), Pace(quiet_s=1.0, retries_s=(2.0,), niceness=1, options=("--steps", "2", "--folds", "1", "--anyway")))
