package main

// The store that records end in: a connection to PostgreSQL, and what a user of pgx writes through it.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The server must send something within it while an answer is awaited.
const answerLimit = 5 * time.Second

// Classes of SQLSTATE that pass: connections, resources, an operator's intervention, and transactions that collided.
var passing = []string{"08", "53", "57", "40"}

// What the server says of a COPY that pgx broke off, because a row does not fit the table. The class of its code passes,
// as it does where somebody cancelled the statement.
const brokenOff = "COPY from stdin failed"

var columns = []string{"topic", "partition", "offset", "value"}

// storeUse is what a member wrote, as the protocol has it.
type storeUse struct {
	Transactions int64 `json:"transactions"`
	Rows         int64 `json:"rows"`
	Retries      int64 `json:"retries"`
}

// A store is a connection that one goroutine writes through.
type store struct {
	order  *storeOrder
	config *pgx.ConnConfig
	conn   *pgx.Conn
	// Writes rows in one transaction.
	transact func(context.Context, []*kgo.Record) error
	// The statements of one row and of any number, by their names. None to copy.
	prepared map[string]string
	// The commit of the transaction is sent, or about to be.
	isCommitting bool
	use          storeUse
}

const (
	insertOne  = "one"
	insertMany = "many"
)

func openStore(order *storeOrder, clientID string) (*store, error) {
	if order == nil {
		return nil, errors.New("the order has no store")
	}
	config, err := pgx.ParseConfig(order.URL)
	if err != nil {
		// Its words may repeat parts of the URL.
		return nil, errors.New("the URL of the store is not one that pgx reads")
	}
	config.RuntimeParams["application_name"] = clientID
	config.ConnectTimeout = answerLimit
	config.DialFunc = dialAnswering
	s := &store{order: order, config: config}
	s.transact = s.insertRows
	switch order.Write {
	case "insert":
		s.prepared = inserts(order.Table, "")
	case "copy":
		s.transact = s.copyRows
	case "upsert":
		s.prepared = inserts(order.Table, ` ON CONFLICT (topic, partition, "offset") DO UPDATE SET value = EXCLUDED.value`)
	default:
		return nil, fmt.Errorf("this worker writes by insert, upsert and copy, not by %s", order.Write)
	}
	return s, s.connect()
}

// inserts are the statements that add rows: of a transaction with several, each parameter is the array of a column.
func inserts(table, conflict string) map[string]string {
	into := fmt.Sprintf(`INSERT INTO %s (topic, partition, "offset", value) `, table)
	return map[string]string{
		insertOne:  into + "VALUES ($1, $2, $3, $4)" + conflict,
		insertMany: into + "SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[])" + conflict,
	}
}

func (s *store) connect() (err error) {
	if s.conn, err = pgx.ConnectConfig(context.Background(), s.config); err != nil {
		return err
	}
	for name, statement := range s.prepared {
		if _, err := s.conn.Prepare(context.Background(), name, statement); err != nil {
			s.close()
			return err
		}
	}
	return nil
}

func (s *store) isConnected() bool {
	return s.conn != nil && !s.conn.IsClosed()
}

// write stores records in a transaction: all of them, or none and says why. If the commit was sent and not answered, they
// may be there all the same.
func (s *store) write(records []*kgo.Record) (mayBeThere bool, err error) {
	if !s.isConnected() {
		if err := s.connect(); err != nil {
			return false, err
		}
	}
	s.isCommitting = false
	if err := s.transact(context.Background(), records); err != nil {
		return s.isCommitting && isUnanswered(err), err
	}
	s.use.Transactions++
	s.use.Rows += int64(len(records))
	return false, nil
}

// isUnanswered is true of an error that does not say what became of the transaction: a lost or silent connection, or a
// session that was ended.
func isUnanswered(err error) bool {
	if refused := new(pgconn.PgError); errors.As(err, &refused) {
		return strings.HasPrefix(refused.Code, "08") || strings.HasPrefix(refused.Code, "57P")
	}
	return !pgconn.SafeToRetry(err)
}

func (s *store) copyRows(ctx context.Context, records []*kgo.Record) error {
	row := func(index int) ([]any, error) {
		// What follows the last row is the end of the COPY, which is its commit.
		s.isCommitting = index == len(records)-1
		return rowOf(records[index]), nil
	}
	_, err := s.conn.CopyFrom(ctx, pgx.Identifier{unquoted(s.order.Table)}, columns, pgx.CopyFromSlice(len(records), row))
	return err
}

// insertRows sends one statement, however many rows there are. A single row is a transaction by itself.
func (s *store) insertRows(ctx context.Context, records []*kgo.Record) error {
	if len(records) == 1 {
		s.isCommitting = true
		_, err := s.conn.Exec(ctx, insertOne, rowOf(records[0])...)
		return err
	}
	return pgx.BeginFunc(ctx, s.conn, func(transaction pgx.Tx) error {
		_, err := transaction.Exec(ctx, insertMany, columnsOf(records)...)
		s.isCommitting = err == nil
		return err
	})
}

// columnsOf are the rows of records as an array for each column.
func columnsOf(records []*kgo.Record) []any {
	topics, partitions := make([]string, len(records)), make([]int32, len(records))
	offsets, values := make([]int64, len(records)), make([][]byte, len(records))
	for index, record := range records {
		topics[index], partitions[index], offsets[index] = record.Topic, record.Partition, record.Offset
		values[index] = valueOf(record)
	}
	return []any{topics, partitions, offsets, values}
}

// rowOf is the row of a record.
func rowOf(record *kgo.Record) []any {
	return []any{record.Topic, record.Partition, record.Offset, valueOf(record)}
}

// valueOf is the value of a record. One without a value is stored with an empty one.
func valueOf(record *kgo.Record) []byte {
	if record.Value == nil {
		return []byte{}
	}
	return record.Value
}

// maySucceed says whether a transaction that failed so may be tried again.
func (s *store) maySucceed(err error) bool {
	if s.order.OnError != "retry" {
		return false
	}
	if refused := new(pgconn.PgError); errors.As(err, &refused) {
		if s.order.Write == "copy" && strings.HasPrefix(refused.Message, brokenOff) {
			return false
		}
		return slices.ContainsFunc(passing, func(class string) bool { return strings.HasPrefix(refused.Code, class) })
	}
	return !s.isConnected()
}

func (s *store) close() {
	if s.isConnected() {
		// There is nothing left that could be lost.
		_ = s.conn.Close(context.Background())
	}
}

// causeOf is what the server said, or else the client, in one line.
func causeOf(err error) string {
	if refused := new(pgconn.PgError); errors.As(err, &refused) {
		return refused.Error()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("the store did not answer within %d s", answerLimit/time.Second)
	}
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	// pgx tries with and without TLS, which fails in the same way.
	return strings.Join(slices.Compact(lines), " ")
}

// unquoted is an identifier without its quotation marks.
func unquoted(identifier string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(identifier, `"`), `"`), `""`, `"`)
}

// answering is a connection that gives up when its server is silent.
type answering struct {
	net.Conn
	limit time.Duration
}

func dialAnswering(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return answering{conn, answerLimit}, nil
}

// Write begins to wait for an answer.
func (a answering) Write(from []byte) (int, error) {
	if err := a.SetDeadline(time.Now().Add(a.limit)); err != nil {
		return 0, err
	}
	return a.Conn.Write(from)
}

// Read waits longer as long as something comes. It sets no deadline first: pgx reads again after a read in the background
// that timed out.
func (a answering) Read(into []byte) (int, error) {
	count, err := a.Conn.Read(into)
	if err == nil {
		err = a.SetReadDeadline(time.Now().Add(a.limit))
	}
	return count, err
}
