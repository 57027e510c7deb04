#!/usr/bin/env bash
# Trains the bundled model further for some minutes on a machine that is lent for no longer, and writes what it got to.
#
#   scripts/train_lease.sh MATERIAL OUTPUT MINUTES [CONTENTS]
#
# Starts from the weights that ship. Renders on all cores first. OUTPUT gets the model, the curves and the samples.
set -euo pipefail
material=$1 output=$2 minutes=$3 contents=${4:-400}
work=$(mktemp -d)
python=${PYTHON:-.venv/bin/python}
train() {
    "$python" -m style_a_video.cli train bundled --work "$work" --material "$material" --output "$output/bundled" \
        --start src/style_a_video/models/bundled --workers "$(nproc)" --budget contents="$contents" \
        --budget text_embedding_steps=0 --budget unet_pictures=0 --budget critic_pictures="$1"
}
timeout --signal=INT "$((minutes * 60))" bash -c "$(declare -f train); work='$work' python='$python' output='$output' \
    material='$material' contents='$contents' train 100000000" || true
# With less than it has seen it ends at once: the averaged weights of the last checkpoint are written.
train 0
cp "$work"/curves.png "$work"/samples.png "$work"/*.jsonl "$output"
