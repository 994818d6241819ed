#!/bin/sh
# Makes the certificates of the tests: for a hundred years, and for nothing but tests. Their keys are public.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
mkdir issued
touch index
cat > config <<EOF
[ca]
default_ca = ca
database = index
new_certs_dir = issued
rand_serial = yes
default_md = sha256
policy = policy
[policy]
commonName = supplied
[alone]
basicConstraints = critical, CA:TRUE
subjectAltName = DNS:localhost, IP:127.0.0.1
[authority]
basicConstraints = critical, CA:TRUE
[localhost]
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[elsewhere]
subjectAltName = DNS:elsewhere.example
EOF

# certify NAME EXTENSIONS SIGNING...
certify() {
  name=$1 extensions=$2
  shift 2
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$name-key.pem"
  openssl req -new -key "$name-key.pem" -subj "/CN=Postern test $name, trust it nowhere" -out request
  openssl ca -batch -notext -config config -extensions "$extensions" -in request -out "$name.pem" \
    -startdate 20200101000000Z -enddate 21200101000000Z "$@"
}

certify authority authority -selfsign -keyfile authority-key.pem
certify stranger authority -selfsign -keyfile stranger-key.pem
certify alone alone -selfsign -keyfile alone-key.pem
certify localhost localhost -cert authority.pem -keyfile authority-key.pem
certify elsewhere elsewhere -cert authority.pem -keyfile authority-key.pem
# The keys of those who sign stay behind.
chmod 644 ./*.pem
cp authority.pem stranger.pem alone.pem alone-key.pem localhost.pem localhost-key.pem elsewhere.pem elsewhere-key.pem "$folder"
