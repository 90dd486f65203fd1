#!/usr/bin/env bash
# Makes models/speech-demo/model.pt: two sets of spoken sentences, then one training run on both.
#   models/speech-demo/build.sh FOLDER_OF_OPEN_TEXT [WORK_FOLDER]
# The folder holds zh_dialogue.txt.xz, en_dialogue.txt.xz and en_prose.txt.xz: plain sentences, one a line.
# Started again, it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/../.."
text=$1 work=${2:-build/speech-demo}
pairs() {
  [ -f "$1/done" ] && return
  .venv/bin/python models/speech-demo/make_pairs.py "$@" --zh "$text/zh_dialogue.txt.xz" \
    --en "$text/en_dialogue.txt.xz" "$text/en_prose.txt.xz"
  touch "$1/done"
}
pairs "$work/open" --open 10000 --templates 7000 --no-corpus --seed 1
pairs "$work/calls" --open 4000 --templates 1500 --copies 2 --seed 2
.venv/bin/callanalysis train-speech "$work/open/train.jsonl" "$work/calls/train.jsonl" \
  --work "$work/run" --out models/speech-demo/model.pt
