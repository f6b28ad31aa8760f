#!/bin/sh
# Makes the corpora of fuzz_cms and fuzz_judge with the openssl command. They are checked in; run it again only to add to
# them: keys and signatures differ each time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
mkdir -p "$here/corpus/cms" "$here/corpus/judge"
printf '{"act":"domain.create","body":{"name":"x"}}' >text

key() { # name, openssl genpkey options
	name=$1
	shift
	openssl genpkey "$@" -out "$name.key" 2>/dev/null
	openssl req -x509 -new -key "$name.key" -out "$name.pem" -days 9000 -subj "/C=DE/O=Chancery/CN=$name" \
	    -addext "keyUsage=critical,digitalSignature" -addext "subjectAltName=email:a@b.test,DNS:x.test" \
	    -addext "certificatePolicies=1.2.3.4" -addext "crlDistributionPoints=URI:http://x.test/c"
	openssl x509 -in "$name.pem" -outform DER -out "$here/corpus/judge/$name.der"
	openssl pkey -in "$name.key" -pubout -outform DER -out "$here/corpus/judge/$name-key.der"
}
sign() { # name, signer, openssl cms options
	name=$1
	signer=$2
	shift 2
	openssl cms -sign -in text -binary -outform DER -nosmimecap -signer "$signer.pem" -inkey "$signer.key" \
	    -out "$here/corpus/cms/$name.der" "$@"
}
key p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
key p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
key rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
key ed25519 -algorithm ED25519
key ed448 -algorithm ED448
openssl pkey -in p256.key -pubout -ec_conv_form compressed -outform DER -out "$here/corpus/judge/p256-compressed.der"
openssl pkey -in p256.key -pubout -ec_param_enc explicit -outform DER -out "$here/corpus/judge/p256-explicit.der"

sign p256 p256 -nodetach -cades -md sha256
sign p384 p384 -nodetach -cades -md sha384
sign rsa rsa -nodetach -cades -md sha512
sign pss rsa -nodetach -cades -md sha256 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest
sign keyid p256 -nodetach -cades -keyid
sign detached p256 -cades
sign bare p256 -nodetach
sign noattr p256 -nodetach -noattr
sign nocerts p256 -nodetach -cades -nocerts
sign two p256 -nodetach -cades -signer p384.pem -inkey p384.key
sign more p256 -nodetach -cades -certfile rsa.pem
sign stream p256 -nodetach -cades -stream
