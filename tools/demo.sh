#!/bin/bash
# The main job, told step by step: ./dev demo. Everything happens in a scratch folder, which is gone at the end
# (CHANCERY_DEMO_KEEP=1 keeps it). Where a step fails, the demo ends there with status 1.
set -eu -o pipefail
BUILD=${CHANCERY_BUILD:?run this by ./dev demo}
. "$(dirname "$0")/world.sh"
[ -z "${CHANCERY_DEMO_KEEP:-}" ] || WORLD_KEEP=1

bold= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
number=0

step() {
	number=$((number + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$number" "$1" "$plain"
	shift
	[ $# = 0 ] || printf '%s\n' "$*" | fold -s -w 100
	echo
}

shown() { # a command line as a person would type it
	local word out=
	for word; do
		case $word in *[!A-Za-z0-9_./:=@%,+-]* | '') out+=" '$word'" ;; *) out+=" $word" ;; esac
	done
	printf '  $%s\n' "$out"
}

run() { # shows a command, runs it, shows what it says
	shown "$@"
	"$@" 2>&1 | sed '/ chancery-[a-z]* info /d; s/^/    /'
}

refused() { # the same for a command that must fail
	shown "$@"
	if "$@" >out.txt 2>&1; then
		cat out.txt
		echo "this should have been refused" >&2
		exit 1
	fi
	if [ "$(wc -l <out.txt)" -le 8 ]; then
		sed 's/^/    /' out.txt
	else
		sed -n '1,4s/^/    /p' out.txt
		echo "    ... ($(($(wc -l <out.txt) - 5)) more)"
		tail -1 out.txt | sed 's/^/    /'
	fi
}

ends_with() { # ends_with TEXT: the last command's output in out.txt has it
	grep -q -- "$1" out.txt || { echo "missing: $1" >&2; cat out.txt >&2; exit 1; }
}

checked() { # checked TEXT COMMAND...: shows, runs, and wants TEXT in what it says
	local text=$1
	shift
	shown "$@"
	"$@" >out.txt 2>&1 || { cat out.txt >&2; exit 1; }
	sed 's/^/    /' out.txt
	ends_with "$text"
}

sha256_of() {
	openssl x509 -in "$1" -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1
}

id_in() { # the id of the request that a command told of
	sed -n 's/^Request \([0-9]*\).*/\1/p' out.txt | head -1
}

new_officer() { # new_officer FILE NAME PROFILE: key, certificate and document, on the word of both boot officers
	world_pin "$1" "pin of $1"
	run chancery officer keygen --out "$1.key" --pin-file "$1.pin" --subject "CN=$2,O=Example" --request "$1.csr"
	run chancery certificate issue $(who boot-1) --procedure Officer "$1.csr" --out "$1.pem"
	run chancery officer p12 --key "$1.key" --pin-file "$1.pin" --certificate "$1.pem" --out "$1.p12"
	run chancery officer create $(who boot-1 boot-2) --name "$2" --profile "$3" \
		--certificate-sha256 "$(sha256_of "$1.pem")"
}

authority_file() { # authority_file NAME FILE
	local id
	id=$(chancery authority list $(who anna) --json | /usr/bin/python3 -c \
		'import json, sys; print([a["id"] for a in json.load(sys.stdin) if a["name"] == sys.argv[1]][0])' "$1")
	run curl -sf -o "$2" "http://$http/api/v1/authorities/$id/certificate"
}

appears() { # appears FILE: waits until it is there
	local n
	for n in $(seq 100); do
		[ ! -e "$1" ] || return 0
		sleep 0.1
	done
	echo "$1 does not come" >&2
	exit 1
}

ask_gnutls() { # ask_gnutls CERTIFICATE TEXT: of its long answer, what counts
	set -- "$2" ocsptool --ask="http://$http/ocsp" --load-cert "$1" --load-issuer issuing.pem --load-trust issuing.pem
	shown "${@:2}"
	"${@:2}" >out.txt 2>&1 || { cat out.txt >&2; exit 1; }
	sed -n 's/^[[:space:]]*\(Certificate Status\|Revocation time\|Verifying OCSP Response\)/    \1/p' out.txt
	ends_with "$1"
	ends_with "Verifying OCSP Response: Success"
}

listed() { # listed CERTIFICATE: fetches the revocation list into issuing.crl until the certificate stands on it
	local n serial
	serial=$(openssl x509 -in "$1" -noout -serial | cut -d= -f2)
	shown curl -sf -o issuing.crl "http://$http/crl/issuing.crl"
	for n in $(seq 100); do
		if curl -sf -o issuing.crl "http://$http/crl/issuing.crl" &&
			openssl crl -inform DER -in issuing.crl -noout -text | grep -q "Serial Number: $serial"; then
			return 0
		fi
		sleep 0.1
	done
	echo "$1 is not on the list" >&2
	exit 1
}

cat <<TXT
${bold}Chancery: two officers sign a token procedure; certificates are issued by it, published and revoked.$plain
Every command below is real, and so is every key, signature and check. PINs come from files, because nobody sits here;
a person is asked on the terminal.
TXT

world_new "$(mktemp -d "${TMPDIR:-/tmp}/chancery-demo.XXXXXX")"
https=127.0.0.1:$(world_port) http=127.0.0.1:$(world_port)

step "Set up" "A hardware security module, here one in software, gets a token for the CA's keys. Then the" \
	"boot ceremony: the system's own keys, and two boot officers who may make the first real ones."
world_softhsm "Example HSM" 1234
run chancery setup server --organisation Example --tls "$https" --plain "$http" \
	--pkcs11 "hsm=$(world_softhsm_module),$WORLD/hsm.pin"
for n in 1 2; do cp "server/officers/boot-$n.p12" "server/officers/boot-$n.pin" .; done
mkdir published
printf '\n[distributor]\nfolders = %s\n' "$WORLD/published" >>server/chancery.ini
world_settings "$https"
echo '  $ chancery serve --config server/chancery.ini &'
world_serve "$http"
run chancery whoami $(who boot-1)

step "Three officers" "Anna and Bert administer, Carl registers. Each makes a key of their own; the private key never" \
	"leaves their file. What an officer does is a document signed with that key, so nobody can deny or forge it."
new_officer anna "Anna Andersson" "Administration officer"
new_officer bert "Bert Berg" "Administration officer"
new_officer carl "Carl Carlsson" "Registration officer"

step "The boot officers are closed" "Their work is done, and what they know opens nothing any more."
run chancery officer close $(who anna bert) "Boot officer 1"
run chancery officer close $(who anna bert) "Boot officer 2"
refused chancery whoami $(who boot-1)

step "A root and an issuing CA, keys in the HSM" "The signer makes them there and uses them there; no other program sees" \
	"the token's PIN."
for ca in Root Issuing; do
	run chancery ca-key create $(who anna bert) --name "$ca key" --algorithm p-256 --place pkcs11 \
		--pkcs11-uri "pkcs11:token=Example%20HSM"
done
run chancery authority create $(who anna bert) --name "Example Root" --type root --ca-key "Root key" \
	--subject "CN=Example Root,O=Example" --format "CA certificate" --validity P20Y
run chancery authority create $(who anna bert) --name "Example Issuing CA" --type subordinate \
	--issuing-authority "Example Root" --ca-key "Issuing key" --subject "CN=Example Issuing CA,O=Example" \
	--format "CA certificate" --validity P10Y --path-length 0 --ca-issuers-urls "http://$http/ca/issuing.cer" \
	--ocsp --ocsp-urls "http://$http/ocsp"

step "What others will ask" "A revocation list every day, at an address that stands in the certificates; who wants to know at" \
	"once asks by OCSP. And a folder, which may be a web server's, where certificates are published."
run chancery crl-procedure create $(who anna bert) --name "Issuing CRL" --authority "Example Issuing CA" \
	--interval P1D --overlap P1D --distribution-points "http://$http/crl/issuing.crl" --include
run chancery distribution-rule create $(who anna bert) --name "Web folder" --protocol file \
	--folder "$WORLD/published" --file-name "{cn}.pem"
run chancery publication-procedure create $(who anna bert) --name "Web" --format pem \
	--distribution-rules "Web folder"

step "How certificates for servers look" "A certificate procedure says who issues, for what use and for how long."
run chancery certificate-procedure create $(who anna bert) --name "TLS server" --authority "Example Issuing CA" \
	--format "TLS server" --key-usage digitalSignature --extended-key-usage serverAuth --validity P90D

step "Anna creates a token procedure" "It says what a registration officer may make: here a certificate for a request" \
	"that came as PKCS#10. Nothing is in force yet, it waits for a second officer."
checked waiting chancery token-procedure create $(who anna) --name "Web server" --storage-profile pkcs10 \
	--certificate-procedures "TLS server"
request=$(id_in)
refused chancery request sign $(who anna) --yes "$request"

step "Bert reads it, and signs it too" "Anna could not: two officers are two people. Bert sees what would change, taken" \
	"from the very bytes that he signs."
checked done chancery request sign $(who bert) --yes "$request"

step "A request made by openssl" "Made by somebody else's tool, as requests are."
run openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web.key -out web.csr \
	-subj /CN=www.example.org -addext subjectAltName=DNS:www.example.org
run chancery certificate issue $(who carl) --procedure "Web server" web.csr --out web.pem

step "A request made by GnuTLS"
cat >mail.cfg <<-TXT
	cn = mail.example.org
	dns_name = mail.example.org
TXT
run certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile mail.key
run certtool --generate-request --load-privkey mail.key --template mail.cfg --outfile mail.csr
run chancery certificate issue $(who carl) --procedure "Web server" mail.csr --out mail.pem

step "What is refused" "A key that is too short: the refusal has a number that stays the same, and names field and rule."
run openssl req -new -newkey rsa:1024 -nodes -keyout weak.key -out weak.csr -subj /CN=weak.example.org \
	-addext subjectAltName=DNS:weak.example.org
refused chancery certificate issue $(who carl) --procedure "Web server" weak.csr --out weak.pem

step "Verified by openssl, GnuTLS and NSS" "By programs that owe us nothing."
authority_file "Example Root" root.pem
authority_file "Example Issuing CA" issuing.pem
for cert in web mail; do
	checked "$cert.pem: OK" openssl verify -x509_strict -purpose sslserver -CAfile root.pem -untrusted issuing.pem \
		-verify_hostname "$([ $cert = web ] && echo www || echo mail).example.org" $cert.pem
done
cat web.pem issuing.pem root.pem >chain.pem
checked "Chain verification output: Verified" certtool --verify --load-ca-certificate root.pem --infile chain.pem
mkdir nss
run certutil -N -d sql:nss --empty-password
run certutil -A -d sql:nss -n root -t C,, -a -i root.pem
run certutil -A -d sql:nss -n issuing -t ,, -a -i issuing.pem
run certutil -A -d sql:nss -n web -t ,, -a -i web.pem
checked "certificate is valid" certutil -V -d sql:nss -n web -u V -e

step "Published" "Carl publishes both; the distributor, a process of its own, delivers them."
run chancery certificate publish $(who carl) --procedure Web web.pem mail.pem
appears published/www.example.org.pem
appears published/mail.example.org.pem
checked "CN = www.example.org" openssl x509 -in published/www.example.org.pem -noout -subject -serial

step "Revoked" "The web server's key may be known to others. One reason, one signature, and it is final."
run chancery certificate revoke $(who carl) --reason key-compromise web.pem

step "What others see of it" "OpenSSL and GnuTLS ask by OCSP, at the address that stands in the certificate, and read" \
	"the revocation list. It is built anew at once because Anna may ask for that."
checked "web.pem: revoked" openssl ocsp -issuer issuing.pem -cert web.pem -CAfile root.pem -verify_other issuing.pem \
	-url "http://$http/ocsp"
checked "mail.pem: good" openssl ocsp -issuer issuing.pem -cert mail.pem -CAfile root.pem -verify_other issuing.pem \
	-url "http://$http/ocsp"
ask_gnutls web.pem "Certificate Status: revoked"
ask_gnutls mail.pem "Certificate Status: good"
run chancery crl build $(who anna) "Issuing CRL"
listed web.pem
run openssl crl -inform DER -in issuing.crl -out issuing-crl.pem
refused openssl verify -crl_check -partial_chain -trusted issuing.pem -CRLfile issuing-crl.pem web.pem
checked "mail.pem: OK" openssl verify -crl_check -partial_chain -trusted issuing.pem -CRLfile issuing-crl.pem mail.pem

step "How the certificate came about" "Which procedure was chosen and why, by which versions of which documents, on whose" \
	"signature, and what the judges said."
sleep 2 # the auditor judges a second or two later
run chancery explain $(who anna) web.pem

step "The journal" "Everything that happened is in one hash tree. The whole of it is verified, first the server's, then an" \
	"export that needs nothing but the system's root certificate: no server, no database."
checked "Everything holds" chancery journal verify $(who anna) --root server/root.pem
run chancery journal export $(who anna) --out journal.jsonl
checked "Everything holds" chancery journal verify --file journal.jsonl --root server/root.pem
echo
echo "  And where one name in the export was altered:"
/usr/bin/python3 - journal.jsonl altered.jsonl <<'PY'
import sys
text = open(sys.argv[1], encoding="utf-8").read()
altered = text.replace("Carl Carlsson", "Karl Carlsson")
assert altered != text
open(sys.argv[2], "w", encoding="utf-8").write(altered)
PY
refused chancery journal verify --file altered.jsonl --root server/root.pem

step "Done" "The server stops. ./dev run gives you one to play with."
