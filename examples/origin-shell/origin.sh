#!/bin/sh
# Registers a service that is already running with a Sluice gateway and keeps it registered until TERM or INT.
# Needs a POSIX shell, sed and curl.
set -u
: "${SLUICE_URL:?base URL of the gateway, for example http://127.0.0.1:8787}"
: "${SLUICE_TOKEN:?REGISTRAR_TOKEN of the gateway}"
: "${SERVICE:?a service that the configuration of the gateway declares}"
: "${ORIGIN_ID:?id of this origin, not shared with another one that runs}"
: "${ORIGIN_URL:?where the gateway reaches the service, for example http://127.0.0.1:3000}"
: "${VERSION:=}"

say() { echo "sluice: $SERVICE/$ORIGIN_ID $*" >&2; }

# Nothing is escaped below, in JSON or in the address.
case $SERVICE$ORIGIN_ID$VERSION in *[!A-Za-z0-9._-]*) say "names may hold letters, digits, '.', '_' and '-' only"; exit 2 ;; esac
case $ORIGIN_URL in *[\"\\]* | *[[:space:]]*) say "ORIGIN_URL is not a URL"; exit 2 ;; esac

address=${SLUICE_URL%/}/_sluice/v1/services/$SERVICE/origins/$ORIGIN_ID
registration="{\"url\":\"$ORIGIN_URL\"${VERSION:+,\"version\":\"$VERSION\"}}"

# call METHOD ACTION [BODY]: sets $status (000: no answer) and $answer. The token goes through standard input, since
# everybody on the machine can read the arguments of a command.
call() {
  answer=$(printf 'header = "authorization: Bearer %s"\n' "$SLUICE_TOKEN" |
    curl -sS -K - -m 5 -X "$1" -w '\n%{http_code}' ${3:+-H 'content-type: application/json' -d "$3"} "$address$2")
  status=$(printf '%s\n' "$answer" | sed -n '$p')
  answer=$(printf '%s\n' "$answer" | sed '$d')
}

# text NAME, whole NAME: a member of the answer, as text and as a number without its fraction.
text() { printf '%s' "$answer" | sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p"; }
whole() { printf '%s' "$answer" | sed -n "s/.*\"$1\" *: *\\([0-9][0-9]*\\).*/\\1/p"; }

# A trap runs only between commands: a wait is cut short by the signal, a sleep is not.
sleeping=
pause() {
  sleep "$1" &
  sleeping=$!
  wait "$sleeping"
  sleeping=
}

stop() {
  trap '' TERM INT
  [ -z "$sleeping" ] || kill "$sleeping" 2>/dev/null
  call DELETE ''
  if [ "$status" = 204 ]; then say 'is deregistered'; else say "could not deregister ($status), its lease will expire"; fi
  exit 0
}
trap stop TERM INT

lease=
known= # set once a registration has succeeded: a refusal before that is final, later ones are tried again
retry=1
while :; do
  if [ -z "$lease" ]; then call PUT '' "$registration"; else call POST /heartbeat "{\"leaseId\":\"$lease\"}"; fi
  code=$(text code)
  heartbeat=$(whole heartbeatSeconds)
  case $status:$code:$heartbeat:$known in
    20[01]::?*)
      [ -n "$lease" ] || say "is registered at $SLUICE_URL"
      lease=${lease:-$(text leaseId)}
      known=yes
      retry=1
      [ "$heartbeat" -ge 1 ] || heartbeat=1
      pause "$heartbeat"
      continue
      ;;
    404:lease_not_found:*)
      say 'has lost its lease and registers again'
      lease=
      continue
      ;;
    404:service_unknown:* | 40[89]:* | 429:*) ;;
    4??:*:)
      say "is NOT registered, the gateway refused it: HTTP $status $code $(text detail)"
      exit 1
      ;;
  esac
  say "has no answer that helps: HTTP $status $code; next try in $retry s"
  pause "$retry"
  retry=$((retry * 2))
  [ "$retry" -le 30 ] || retry=30
done
