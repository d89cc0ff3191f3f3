// A plain program that writes rows to PostgreSQL with pgx, as its users write it, without Kafka: see plain_store.py.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return value
}

// row is one to write: where a record would have been, and its value.
type row struct {
	partition int32
	offset    int64
}

func main() {
	ctx := context.Background()
	connection, err := pgx.Connect(ctx, os.Getenv("STORE_URL"))
	check(err)
	table, topic, write, most := os.Args[1], os.Args[2], os.Args[3], int(number(os.Args[4]))
	value := make([]byte, number(os.Args[5]))
	_, err = rand.Read(value)
	check(err)
	insert := "INSERT INTO " + table + ` (topic, partition, "offset", value) `
	if write != "copy" {
		_, err = connection.Prepare(ctx, "one", insert+"VALUES ($1, $2, $3, $4)")
		check(err)
		arrays := "SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[])"
		_, err = connection.Prepare(ctx, "many", insert+arrays)
		check(err)
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	for _, text := range os.Args[6:] {
		part := strings.Split(text, ":")
		partition, low, end := int32(number(part[0])), number(part[1]), number(part[2])
		for low < end {
			rows := []row{}
			for ; low < end && len(rows) < most; low++ {
				rows = append(rows, row{partition, low})
			}
			if write == "copy" {
				bulk(ctx, connection, table, topic, rows, value)
			} else {
				together(ctx, connection, topic, rows, value)
			}
		}
	}
	fmt.Println("done")
	connection.Close(ctx)
}

// together writes the rows in one transaction: a statement with an array for each column, as tandem does.
func together(ctx context.Context, connection *pgx.Conn, topic string, rows []row, value []byte) {
	if len(rows) == 1 {
		_, err := connection.Exec(ctx, "one", topic, rows[0].partition, rows[0].offset, value)
		check(err)
		return
	}
	topics, partitions := make([]string, len(rows)), make([]int32, len(rows))
	offsets, values := make([]int64, len(rows)), make([][]byte, len(rows))
	for i, row := range rows {
		topics[i], partitions[i], offsets[i], values[i] = topic, row.partition, row.offset, value
	}
	transaction, err := connection.Begin(ctx)
	check(err)
	_, err = transaction.Exec(ctx, "many", topics, partitions, offsets, values)
	check(err)
	check(transaction.Commit(ctx))
}

func bulk(ctx context.Context, connection *pgx.Conn, table, topic string, rows []row, value []byte) {
	name := pgx.Identifier{strings.ReplaceAll(strings.Trim(table, `"`), `""`, `"`)}
	columns := []string{"topic", "partition", "offset", "value"}
	next := func(i int) ([]any, error) { return []any{topic, rows[i].partition, rows[i].offset, value}, nil }
	_, err := connection.CopyFrom(ctx, name, columns, pgx.CopyFromSlice(len(rows), next))
	check(err)
}
