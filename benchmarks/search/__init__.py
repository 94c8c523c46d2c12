"""How well search answers, measured: sets, figures with intervals, ablation, pictures."""
