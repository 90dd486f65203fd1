#!/usr/bin/env bash
# Makes models/speech-demo/model.pt again: two sets of spoken sentences, then training in two stretches.
#   models/speech-demo/build.sh FOLDER_OF_OPEN_TEXT [WORK_FOLDER]
# The folder holds zh_dialogue.txt.xz, en_dialogue.txt.xz and en_prose.txt.xz: plain sentences, one a line. About two and
# a half hours on two cores; started again, it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/../.."
text=$1 work=${2:-build/speech-demo}
pairs() {
  [ -f "$1/test.jsonl.done" ] && return
  .venv/bin/python models/speech-demo/make_pairs.py "$@" --zh "$text/zh_dialogue.txt.xz" \
    --en "$text/en_dialogue.txt.xz" "$text/en_prose.txt.xz"
  touch "$1/test.jsonl.done"
}
train() { .venv/bin/callanalysis train-speech "$@" --steps STEPS --work "$work/run" --out "$work/model.pt"; }
pairs "$work/open" --open 10000 --templates 7000 --no-corpus --seed 1
pairs "$work/calls" --open 8000 --templates 4000 --copies 3 --seed 2
train "$work/open/train.jsonl" --until UNTIL
train "$work/open/train.jsonl" "$work/calls/train.jsonl"
cp "$work/model.pt" models/speech-demo/model.pt
