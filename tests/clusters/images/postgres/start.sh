#!/bin/sh
# The first start makes the database cluster with the password of the environment; every start serves it to the other containers.
set -eu
umask 077
export PGDATA=/var/lib/postgresql/data
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    initdb --username=postgres --pwfile=/tmp/password --auth-local=peer --auth-host=scram-sha-256 > /dev/null
    rm /tmp/password
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
unset POSTGRES_PASSWORD
exec postgres -c 'listen_addresses=*' -c unix_socket_directories=/run/postgresql
