#!/bin/bash
# A server to play with, in the foreground: ./dev run [FOLDER]. Without a folder a scratch one, gone at the end; a folder
# is kept, and used again the next time.
set -eu
BUILD=${CHANCERY_BUILD:?run this by ./dev run}
. "$(dirname "$0")/world.sh"
if [ $# -gt 0 ]; then
	WORLD_KEEP=1
	folder=$(realpath -m "$1")
else
	folder=$(mktemp -d "${TMPDIR:-/tmp}/chancery-run.XXXXXX")
fi
world_new "$folder"
if [ ! -f server/chancery.ini ]; then
	https=127.0.0.1:$(world_port) http=127.0.0.1:$(world_port)
	world_softhsm "Example HSM" 1234
	chancery setup server --organisation Example --tls "$https" --plain "$http" \
		--pkcs11 "hsm=$(world_softhsm_module),$WORLD/hsm.pin" 2>setup.log >&2 || { cat setup.log >&2; exit 1; }
	for n in 1 2; do cp "server/officers/boot-$n.p12" "server/officers/boot-$n.pin" .; done
	world_settings "$https"
	echo "$http" >plain
fi
export SOFTHSM2_CONF="$WORLD/softhsm2.conf"
world_serve "$(cat plain)"
cat <<TXT
Chancery runs. Everything is in $WORLD

  export PATH="$BUILD/src/programs:\$PATH" XDG_CONFIG_HOME="$WORLD/config"
  cd $WORLD
  chancery whoami --officer boot-1.p12 --pin-file boot-1.pin
  chancery help

  $(sed -n 's/^server = //p' config/chancery/cli.ini)/api/openapi.json   REST, with an officer's TLS client certificate
  http://$(cat plain)/metrics

  the HSM: pkcs11:token=Example%20HSM (PIN in hsm.pin); the log: server.log
  The demo (./dev demo) shows what to do next. Ctrl-C ends it$([ -n "${WORLD_KEEP:-}" ] && echo "; ./dev run $folder goes on." || echo " and removes the folder.")
TXT
wait "${world_pids%% *}" || true
