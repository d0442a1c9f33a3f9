#!/usr/bin/env bash
# Forecasts with nothing but the `nats` command line and jq. The first word says what to do:
#   act      as the other subscribers: unknown, clear or caution     live     every forecast as it comes
#   last     the last forecast, as it is stored                      states   cameras as they are and as they change
#   since    what came of forecasts in the last 10m, 2h, 3d          ask      a question in words
set -euo pipefail
usage='nats-cli.sh act|live|last|states|since TIME|ask QUESTION [SERVER SITE CAMERA]'
what=${1:?$usage}
shift
case $what in since | ask) told=${1:?$usage} && shift ;; esac
server=${1:-nats://127.0.0.1:4222} site=${2:-home} camera=${3:-yard-1}
subject=lookahead.v1.$site.$camera
hear() { nats --server "$server" subscribe --raw "$@"; }
request() { nats --server "$server" --timeout "$1" request --raw --no-templates "${@:2}"; }
# From the stream itself, without a consumer: whoever may only read may do this too.
last() { request 2s "\$JS.API.DIRECT.GET.LOOKAHEAD_${site}_forecast.$subject.forecast" '' | grep '^{'; }

# The comparisons are written so that a missing or broken value is unknown or caution.
judge='(try ((.validUntil[:19] + "Z" | fromdate) + (.validUntil[20:23] | tonumber) / 1000) catch 0) as $until
  | if $state == "" then "unknown: no heartbeat"
    elif $state != "online" then "unknown: the camera is \($state)"
    elif now < $until | not then "unknown: the forecast is stale"
    elif .calibrated != true then "unknown: the forecast is not calibrated"
    elif .quality == "corrupt" then "unknown: the picture is corrupt"
    else (if ((.nothing | numbers) // 0) >= 0.5 then "clear: " else "caution: " end)
      + ([.events[] | "\(.label) \(.confidence * 100 | round) %"] | join(", ")) end'

case $what in
  live) hear "$subject.forecast" | jq --unbuffered -c '{issuedAt, validUntil, calibrated, nothing, events: [.events[] | {"label": .label, confidence}]}' ;;
  last) last | jq . ;;
  states) hear "lookahead.v1.$site.*.state" --stream "LOOKAHEAD_${site}_state" --last-per-subject |
    jq --unbuffered -r '"\(.since) \(.camera) \(.state): \(.why)"' ;;
  since) hear "$subject.outcome" --stream "LOOKAHEAD_${site}_outcome" --since "$told" --terminate-at-end |
    jq -r '"\(.decidedAt) \(.verdict): \(.observed), most likely was \(.predicted)"' ;;
  ask) request 30s --replies 0 --reply-timeout 3s "lookahead.v1.$site.svc.ask" \
    "$(jq -nc --arg camera "$camera" --arg question "$told" '$ARGS.named')" | jq --unbuffered -j '.text // .message' ;;
  act)
    for (( ; ; )); do
      # One heartbeat within three seconds, or nothing is known.
      state=$(hear "lookahead.v1.$site.heartbeat" --count 1 --wait 3s 2>/dev/null |
        jq -r --arg camera "$camera" '.cameras[$camera] // "not watched"') || { state='' && sleep 0.5; }
      forecast=$(last 2>/dev/null) || forecast=null
      line=$(jq -r --arg state "$state" "$judge" <<<"$forecast") || line='unknown: not readable'
      [ "${line%%:*}" = "${before-}" ] || echo "$(date -u +%FT%TZ) $line"
      before=${line%%:*}
    done ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac
