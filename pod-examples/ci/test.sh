#!/usr/bin/env bash
# A CI job: the tests of one pod against the database of another. It exits with the code of the test that failed, leaves a
# JUnit report, and takes both pods away, also when it is cancelled.
#
#   pod-examples/ci/test.sh [REPORT]               report.xml, unless another file is named
#
# To use it, copy this folder, and write your database into db.yaml and your tests into test.yaml. Jobs that share an engine
# need a namespace each (`podctl -n job-17`, every time); the database is then found as db.job-17.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
report=${1:-report.xml}

# bash hears of a signal only after the command in the foreground, but at once while it waits for one in the background.
step() {
  "$@" &
  wait $!
}

finish() {
  local code=$?
  trap '' HUP INT TERM
  # What podctl was at is ended in order, wherever it was.
  kill -TERM $(jobs -p) 2>/dev/null && wait
  # Runners cancel twice: a signal that ends one `down` is answered by the next.
  for _ in 1 2 3; do
    podctl down -q "$here/test.yaml" "$here/db.yaml" && break
  done
  exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# What is left of a job that was killed: its data would be in the way.
podctl down -q "$here/test.yaml" "$here/db.yaml"

# `up --wait` comes back as soon as the probes call the database ready; when they do not in time it fails, and shows whose fault it
# is. Without a supervisor nobody starts the database again after that, which is right for a job: tests that went on with a fresh, empty
# database would say nothing; and nothing but images stays on the engine. Where a pod is to be kept alive, leave `--no-supervisor` away.
step podctl up --wait --timeout 2m --no-supervisor "$here/db.yaml"

step podctl run --junit "$report" --timeout 10m "$here/test.yaml" || {
  code=$?
  echo "the tests failed; the database's last words:" >&2
  podctl logs --tail 20 "$here/db.yaml" >&2 || true
  exit "$code"
}
