# Private PostgreSQL servers from Debian's package, for a script that sources
# this: nothing that runs is touched and no port is opened, servers listen on
# sockets in a folder of their own, which is removed at the end.
.ci/need '/usr/lib/postgresql/*/bin/initdb' postgresql
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)

dir=$(mktemp -d /tmp/causeway-pg.XXXXXX)
# A server refuses to run as root.
if [ "$(id -u)" = 0 ]; then
	chown postgres "$dir"
	as() { runuser -u postgres -- "$@"; }
	asword="runuser -u postgres --"
else
	as() { "$@"; }
	asword=""
fi
stop() {
	for d in single primary standby; do
		[ -f "$dir/$d/postmaster.pid" ] && as "$bin/pg_ctl" -D "$dir/$d" -m immediate stop >/dev/null 2>&1
	done
	rm -rf "$dir"
	return 0
}
trap stop EXIT

init() { as "$bin/initdb" -D "$dir/$1" -U postgres -A trust -E UTF8 --no-locale >/dev/null; }

# start NAME PORT [SETTING...]: the port only names the socket.
start() {
	local name=$1 port=$2
	shift 2
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$dir'"
		echo "port = $port"
		printf '%s\n' "$@"
	} | as tee -a "$dir/$name/postgresql.conf" >/dev/null
	as "$bin/pg_ctl" -D "$dir/$name" -l "$dir/$name.log" -w start >/dev/null || { cat "$dir/$name.log" >&2; exit 1; }
}

# servers prints the processor time in seconds of the server named single and
# of all the processes it ever had.
servers() {
	local main=$(head -1 "$dir/single/postmaster.pid")
	local all=$(pgrep -P "$main" | sed 's|.*|/proc/&/stat|')
	sed 's/([^)]*)/x/' "/proc/$main/stat" $all | awk -v main="$main" -v hz="$(getconf CLK_TCK)" '{s += $14 + $15} $1 == main {s += $16 + $17} END {print int(s / hz)}'
}
