#!/usr/bin/env bash
# A bootstrap action of EMR: puts the lake's bundle (`make bundle`) onto a node. Arguments: where the bundle is on S3, the folder it is unpacked into,
# and, where the ledger's database asks for a password, where the file with it is (PGPASSFILE's format).
set -euo pipefail
bundle=$1 home=$2 pgpass=${3:-}
archive=$(mktemp)
trap 'rm -f "$archive"' EXIT

sudo install -d -o "$(id -un)" "$home"
aws s3 cp --only-show-errors "$bundle" "$archive"
python3 -m zipfile -e "$archive" "$home"
if [ -n "$pgpass" ]; then
    (umask 077 && aws s3 cp --only-show-errors "$pgpass" "$home/pgpass")
fi
