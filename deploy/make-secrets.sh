#!/bin/sh
# Makes the passwords that compose.yaml needs: .env and secrets/. Keeps every one that is there already.
set -eu
umask 077
cd "$(dirname "$0")"

# A letter first: nats-server takes what looks like a number for one.
random() { printf 'x%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; }

if [ ! -e .env ]; then
  while IFS= read -r line; do
    case "$line" in
      *=) echo "$line$(random)" ;;
      *) echo "$line" ;;
    esac
  done <.env.example >.env.part
  mv .env.part .env
fi

# Each is shown to one container, whose user is not ours, so the files are readable and the folder is not.
mkdir -p secrets
chmod 700 secrets
keep() {
  [ -e "secrets/$1" ] && return
  printf '%s\n' "$2" >"secrets/$1"
  chmod 644 "secrets/$1"
}
keep lookahead-password "$(random)"
keep grafana-password "$(random)"
keep lookahead-token "$(sed -n 's/^LOOKAHEAD_TOKEN=//p' .env)"
echo "The dashboard's password is in $PWD/secrets/lookahead-password, that of Grafana's admin in $PWD/secrets/grafana-password."
