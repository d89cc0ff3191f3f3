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
	insert   string
	use      storeUse
}

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
	s := &store{order: order, config: config,
		insert: fmt.Sprintf(`INSERT INTO %s (topic, partition, "offset", value) VALUES ($1, $2, $3, $4)`, order.Table)}
	s.transact = s.insertRows
	switch order.Write {
	case "insert":
	case "copy":
		s.transact = s.copyRows
	case "upsert":
		s.insert += ` ON CONFLICT (topic, partition, "offset") DO UPDATE SET value = EXCLUDED.value`
	default:
		return nil, fmt.Errorf("this worker writes by insert, upsert and copy, not by %s", order.Write)
	}
	return s, s.connect()
}

func (s *store) connect() (err error) {
	s.conn, err = pgx.ConnectConfig(context.Background(), s.config)
	return err
}

func (s *store) isConnected() bool {
	return s.conn != nil && !s.conn.IsClosed()
}

// write stores records in a transaction: all of them, or none and says why.
func (s *store) write(records []*kgo.Record) error {
	if !s.isConnected() {
		if err := s.connect(); err != nil {
			return err
		}
	}
	if err := s.transact(context.Background(), records); err != nil {
		return err
	}
	s.use.Transactions++
	s.use.Rows += int64(len(records))
	return nil
}

func (s *store) copyRows(ctx context.Context, records []*kgo.Record) error {
	row := func(index int) ([]any, error) { return rowOf(records[index]), nil }
	_, err := s.conn.CopyFrom(ctx, pgx.Identifier{unquoted(s.order.Table)}, columns, pgx.CopyFromSlice(len(records), row))
	return err
}

// insertRows prepares the statement on first use, and sends all rows before it waits for answers.
func (s *store) insertRows(ctx context.Context, records []*kgo.Record) error {
	if len(records) == 1 {
		_, err := s.conn.Exec(ctx, s.insert, rowOf(records[0])...)
		return err
	}
	return pgx.BeginFunc(ctx, s.conn, func(transaction pgx.Tx) error {
		rows := new(pgx.Batch)
		for _, record := range records {
			rows.Queue(s.insert, rowOf(record)...)
		}
		return transaction.SendBatch(ctx, rows).Close()
	})
}

// rowOf is the row of a record. One without a value is stored with an empty one.
func rowOf(record *kgo.Record) []any {
	value := record.Value
	if value == nil {
		value = []byte{}
	}
	return []any{record.Topic, record.Partition, record.Offset, value}
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
