#!/usr/bin/env bash
# Makes models/speech-demo/model.pt: spoken sentences, then one training run on them.
#   models/speech-demo/build.sh FOLDER_OF_OPEN_TEXT [WORK_FOLDER]
# The folder holds zh_dialogue.txt.xz, en_dialogue.txt.xz and en_prose.txt.xz: plain sentences, one a line.
# Started again, it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/../.."
text=$1 work=${2:-build/speech-demo}
if [ ! -f "$work/pairs/done" ]; then
  OMP_NUM_THREADS=1 .venv/bin/python models/speech-demo/make_pairs.py "$work/pairs" --seed 3 \
    --zh "$text/zh_dialogue.txt.xz" --en "$text/en_dialogue.txt.xz" "$text/en_prose.txt.xz"
  touch "$work/pairs/done"
fi
# The shipped weights heard 4,532 h in 13 minutes of an H100. Two cores hear 330 h in two and a half hours.
how="--learning-rate 7e-4 --steps 15000"
if .venv/bin/python -c "import sys, torch; sys.exit(not torch.cuda.is_available())"; then how="--learning-rate 1.5e-3 --steps 8500"; fi
# shellcheck disable=SC2086  # two options
OMP_NUM_THREADS=1 .venv/bin/callanalysis train-speech "$work/pairs/train.jsonl" $how \
  --work "$work/run" --out models/speech-demo/model.pt
