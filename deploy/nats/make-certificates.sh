#!/usr/bin/env bash
# Makes an authority of your own and a certificate of the NATS server that it vouches for.
#   ./make-certificates.sh NAME...      names and addresses that clients call the server by, such as nats.example 10.0.0.5
# Writes certificates/: ca.pem goes to every client, server.pem and server-key.pem to the server, ca-key.pem to nobody.
# An authority that is there already is used again, so that clients need nothing new when the server's certificate is renewed.
set -euo pipefail
umask 077
if [ $# -eq 0 ]; then
  echo "usage: $0 NAME... (names and addresses that clients call the server by)" >&2
  exit 2
fi
cd "$(dirname "$0")"
mkdir -p certificates
cd certificates

alternatives=""
for name in "$@"; do
  case "$name" in
    *[!A-Za-z0-9.:*-]*)
      echo "$name is no name or address of a server" >&2
      exit 2
      ;;
    *:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) kind=IP ;;
    *) kind=DNS ;;
  esac
  alternatives="$alternatives${alternatives:+,}$kind:$name"
done

key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
if [ ! -e ca-key.pem ]; then
  openssl req -x509 -new "${key[@]}" -keyout ca-key.pem -out ca.pem -days 3650 -sha256 \
    -subj "/CN=Lookahead NATS authority" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign"
fi
openssl req -new "${key[@]}" -keyout server-key.pem.part -out server.csr -subj "/CN=$1"
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out server.pem.part -days 397 -sha256 \
  -extfile <(printf '%s\n' "subjectAltName=$alternatives" "extendedKeyUsage=serverAuth" "keyUsage=critical,digitalSignature")
mv server-key.pem.part server-key.pem
mv server.pem.part server.pem
rm server.csr
chmod 644 ca.pem server.pem
echo "certificates/server.pem is valid until $(openssl x509 -in server.pem -noout -enddate | cut -d= -f2) for $alternatives"
