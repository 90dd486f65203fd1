"""Speech to text: checkpoints, windows, engines and training; it knows no labels and no store."""
