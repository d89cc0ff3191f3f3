"""The store that records end in: a connection to PostgreSQL, and what a user of psycopg writes through it."""

import time

import psycopg
from psycopg import conninfo

from client import Refusal

# Classes of SQLSTATE that pass: connections, resources, an operator's intervention, and transactions that collided.
PASSING = ("08", "53", "57", "40")
ANSWER_S, LOOK_S = 5, 0.1
SILENCE = f"the store did not answer within {ANSWER_S} s"
COLUMNS = 'topic, partition, "offset", value'
TYPES = ["text", "int4", "int8", "bytea"]


class Store:
    """A connection that one thread writes through. `order` is the `store` of the protocol's `prepare`."""

    def __init__(self, order, client_id):
        self.rows, self._does_retry = order["rows"], order["on_error"] == "retry"
        self._writer, self._statements = writer(order["write"], order["table"])
        self._url, self._client_id = order["url"], client_id
        self._transactions = self._stored = self._retries = 0
        # Whether what was written last may be there although that failed: its commit was not answered.
        self.may_be_there = self._is_committing = False
        try:
            conninfo.conninfo_to_dict(self._url)
            self._connection = self._connected()
        except psycopg.ProgrammingError:
            # Its words may repeat the URL, and with it the password.
            raise Refusal("cannot prepare the work: the URL of the store is not one that libpq reads") from None
        except psycopg.Error as failure:
            raise Refusal(f"cannot prepare the work: {cause(failure)}") from None

    def _connected(self):
        return Connection.connect(self._url, autocommit=True, application_name=self._client_id, connect_timeout=ANSWER_S)

    def write(self, records):
        """Stores records in a transaction: all of them and returns None, or none and returns why it may be tried again.
        What may not be tried again is a Refusal."""
        self.may_be_there = self._is_committing = False
        rows = [(record.topic(), record.partition(), record.offset(), record.value() or b"") for record in records]
        try:
            if self._connection.closed:
                self._connection = self._connected()
            self._writer(self._connection, self._statements, rows, self._committing)
        except psycopg.Error as failure:
            self.may_be_there = self._is_committing and is_unanswered(failure)
            # Whatever state it is in, the next attempt begins with a new one.
            self._connection.close()
            if not self._does_retry or not is_passing(failure):
                raise Refusal(f"the work failed: {cause(failure)}") from None
            self._retries += 1
            return cause(failure)
        self._transactions += 1
        self._stored += len(rows)
        return None

    def _committing(self):
        self._is_committing = True

    def use(self):
        """As the protocol has it."""
        return {"transactions": self._transactions, "rows": self._stored, "retries": self._retries}

    def close(self):
        self._connection.close()


def writer(write, table):
    """A function that writes rows in one transaction, and its statements: of one row and of any number. It calls its last
    argument before it commits."""
    # In a statement with parameters, psycopg reads % as the beginning of one.
    into = f"INSERT INTO {table.replace('%', '%%')} ({COLUMNS})"
    inserts = [f"{into} VALUES (%s, %s, %s, %s)",
               f"{into} SELECT * FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bytea[])"]
    if write == "insert":
        return inserted, inserts
    if write == "upsert":
        conflict = ' ON CONFLICT (topic, partition, "offset") DO UPDATE SET value = EXCLUDED.value'
        return inserted, [insert + conflict for insert in inserts]
    if write == "copy":
        return copied, f"COPY {table} ({COLUMNS}) FROM STDIN (FORMAT BINARY)"
    raise Refusal(f"cannot prepare the work: this worker writes by insert, upsert and copy, not by {write}")


def inserted(connection, statements, rows, committing):
    one, many = statements
    if len(rows) == 1:
        committing()
        connection.execute(one, rows[0], prepare=True)
        return
    with connection.transaction():
        # One statement, with the rows as an array for each column.
        connection.execute(many, [list(column) for column in zip(*rows)], prepare=True)
        committing()


def copied(connection, statement, rows, committing):
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)
        committing()


class Connection(psycopg.Connection):
    """A connection that gives up when its server is silent, which libpq does not."""

    def wait(self, gen, interval=LOOK_S):
        return super().wait(self._limited(gen), interval)

    def _limited(self, gen):
        """What `gen` yields and returns. It is told every `interval` that nothing came."""
        try:
            awaited, until = next(gen), time.monotonic() + ANSWER_S
            while True:
                ready = yield awaited
                if ready:
                    until = time.monotonic() + ANSWER_S
                elif time.monotonic() > until:
                    # What follows, such as a rollback, need not wait as well.
                    self.close()
                    raise psycopg.OperationalError(SILENCE)
                awaited = gen.send(ready)
        except StopIteration as done:
            return done.value


def is_passing(failure):
    """Whether the failure passes by itself. What has no SQLSTATE came of the connection."""
    if failure.sqlstate:
        return failure.sqlstate[:2] in PASSING
    return isinstance(failure, psycopg.OperationalError)


def is_unanswered(failure):
    """Whether the failure does not say what became of the transaction: the connection was lost, or the session ended."""
    if failure.sqlstate:
        return failure.sqlstate.startswith(("08", "57P"))
    return is_passing(failure)


def cause(failure):
    """What the server said, or else the client, in one line."""
    if failure.sqlstate:
        return f"{failure.diag.severity}: {failure.diag.message_primary} (SQLSTATE {failure.sqlstate})"
    if isinstance(failure, psycopg.errors.ConnectionTimeout):
        return SILENCE
    return " ".join(str(failure).split())
