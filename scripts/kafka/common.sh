# Sourced by broker and cluster: the jars, one cluster id, one node started and waited for.
POM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/pom.xml
VERSION=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$POM")
JARS="${XDG_CACHE_HOME:-$HOME/.cache}/registro/kafka-$VERSION"
START_SECONDS=60
JAVA=(java -Xms128m "-Xmx${KAFKA_HEAP:-512m}" -XX:TieredStopAtLevel=1 -cp "$JARS/*"
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)

fetch_jars() {
  # A copy that was cut short is not taken for whole: the mark comes last.
  if [ ! -e "$JARS/.complete" ]; then
    mkdir -p "$JARS"
    timeout 300 mvn --batch-mode --quiet --file "$POM" dependency:copy-dependencies \
      -DoutputDirectory="$JARS" -DincludeScope=runtime >&2
    touch "$JARS/.complete"
  fi
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

cluster_id() {
  python3 -c 'import base64, uuid; print(base64.urlsafe_b64encode(uuid.uuid1().bytes).decode().rstrip("="))'
}

format_node() {
  # FOLDER with its server.properties, and the id of the cluster, which may begin with a dash.
  "${JAVA[@]}" kafka.tools.StorageTool format --config "$1/server.properties" \
    "--cluster-id=$2" >"$1/format.log" 2>&1
}

launch_node() {
  # FOLDER: start it beside, do not wait.
  setsid "${JAVA[@]}" kafka.Kafka "$1/server.properties" >>"$1/log" 2>&1 </dev/null &
  echo $! >"$1/pid"
}

await_node() {
  # FOLDER PORT: until it listens; a process that ended is told at once.
  for _ in $(seq $((START_SECONDS * 5))); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then
      return 0
    fi
    if ! kill -0 "$(cat "$1/pid")" 2>/dev/null; then
      break
    fi
    sleep 0.2
  done
  echo "the Kafka broker in $1 did not start; its log:" >&2
  tail -20 "$1/log" >&2
  kill -9 "$(cat "$1/pid")" 2>/dev/null || true
  return 1
}
