# Shared by the demo, ./dev run and the benchmarks: an installation in a scratch folder, and its officers. To be sourced.
# Wants BUILD (absolute). world_new sets WORLD and its PATH, and on exit ends the server and what started with it.

world_new() { # world_new FOLDER
	WORLD=$1
	mkdir -p "$WORLD" && cd "$WORLD" || exit 1
	export PATH="$BUILD/src/programs:$PATH"
	export XDG_CONFIG_HOME="$WORLD/config" # settings of the command line: server and root, and nothing of this person's
	world_pids=
	trap world_end EXIT
	trap 'exit 130' INT TERM
}

world_end() {
	local pid
	trap - EXIT INT TERM
	for pid in $world_pids; do kill -TERM "$pid" 2>/dev/null; done
	for pid in $world_pids; do wait "$pid" 2>/dev/null; done
	if [ -z "${WORLD_KEEP:-}" ]; then cd / && rm -rf "$WORLD"; fi
}

world_softhsm() { # world_softhsm LABEL PIN: a token in software, private to this folder
	mkdir -p tokens
	cat >softhsm2.conf <<-TXT
	directories.tokendir = $WORLD/tokens
	objectstore.backend = file
	log.level = ERROR
	TXT
	export SOFTHSM2_CONF="$WORLD/softhsm2.conf"
	softhsm2-util --init-token --free --label "$1" --pin "$2" --so-pin "$2" >/dev/null
	(umask 077 && echo "$2" >hsm.pin)
}

world_port() { # a port that is free now
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

world_softhsm_module() {
	local f
	for f in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do [ -e "$f" ] && echo "$f" && return; done
}

world_settings() { # world_settings TLS_ADDRESS: what the command line uses where nothing else is said
	mkdir -p config/chancery
	printf '[cli]\nserver = https://%s\nca = %s/server/root.pem\n' "$1" "$WORLD" >config/chancery/cli.ini
}

world_serve() { # starts the server and waits until it answers
	local plain=$1 n
	chancery serve --config server/chancery.ini >server.log 2>&1 &
	world_pids="$! $world_pids"
	for n in $(seq 100); do
		curl -sf "http://$plain/readyz" >/dev/null && return 0
		kill -0 "${world_pids%% *}" 2>/dev/null || break
		sleep 0.1
	done
	echo "the server did not start:" >&2
	tail -20 server.log >&2
	return 1
}

# An officer's words on the command line. who NAME [SECOND]: who acts, and who signs with them in the same step.
who() {
	printf -- '--officer %s.p12 --pin-file %s.pin' "$1" "$1"
	[ $# = 1 ] || printf -- ' --co-officer %s.p12 --co-pin-file %s.pin' "$2" "$2"
}

world_pin() { # world_pin NAME PIN
	(umask 077 && echo "$2" >"$1.pin")
}
