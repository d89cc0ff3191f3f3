# shellcheck shell=bash
# Lets the many short-lived Java programs of the tests share one archive of loaded classes (JEP 350), which halves the
# time that a broker takes to start. Sourced by scripts/test.

# Makes the archive once in the target folder, and puts it into JAVA_TOOL_OPTIONS. Where Kafka has not been fetched yet,
# or the archive cannot be made, Java goes without: it is only slower.
share_kafka_classes() {
    local version libraries key archive
    # A test of the evidence scripts holds this version to the one that tandem runs by default.
    version=$(sed -n 's/^KAFKA = "\(.*\)"$/\1/p' scripts/evidence/broker.py)
    libraries=${KAFKA_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem/kafka/$version}/libs
    [[ -d $libraries ]] || return 0
    # An archive is of one Java and one Kafka.
    key=$(cksum <<<"$libraries $("$(java_program)" -version 2>&1)")
    archive=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/kafka-classes-${key% *}.jsa
    [[ -s $archive ]] || make_archive "$libraries" "$archive" || return 0
    # Programs with another class path, such as older brokers, would warn on their standard output.
    JAVA_TOOL_OPTIONS+=" -XX:SharedArchiveFile=$archive -Xlog:disable -Xlog:all=error:stderr"
}

# make_archive LIBRARIES ARCHIVE: archives the classes that a broker has loaded when it ends.
make_archive() {
    local folder port broker java
    java=$(java_program)
    folder=$(mktemp -d)
    port=$((20000 + RANDOM % 10000))
    printf '%s\n' process.roles=broker,controller node.id=1 "log.dirs=$folder/data" controller.listener.names=CONTROLLER \
        "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))" \
        "controller.quorum.voters=1@127.0.0.1:$((port + 1))" >"$folder/server.properties"
    "$java" -cp "$1/*" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAA -c "$folder/server.properties" >/dev/null 2>&1
    timeout 60 "$java" -XX:ArchiveClassesAtExit="$2" -Xmx256m -cp "$1/*" kafka.Kafka "$folder/server.properties" >/dev/null 2>&1 &
    broker=$!
    for _ in {1..300}; do
        ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
        sleep 0.1
    done
    kill "$broker" 2>/dev/null
    wait "$broker" || true
    rm -rf "$folder"
    [[ -s $2 ]]
}
