package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestASilentServerIsAnErrorAndABusyOrIdleOneIsNone(t *testing.T) {
	client, server := net.Pipe()
	a := answering{client, 100 * time.Millisecond}
	go func() {
		var asked [1]byte
		for _, answers := range []int{3, 1, 0} {
			_, _ = server.Read(asked[:])
			for range answers {
				time.Sleep(60 * time.Millisecond)
				_, _ = server.Write(asked[:])
			}
		}
	}()
	ask := func(answers int) {
		t.Helper()
		asked := []byte("x")
		if _, err := a.Write(asked); err != nil {
			t.Fatal(err)
		}
		for range answers {
			if _, err := a.Read(asked); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask(3)
	time.Sleep(150 * time.Millisecond)
	ask(1)
	ask(0)
	for range 2 {
		fromNs := nowNs()
		_, err := a.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || nowNs()-fromNs > 150_000_000 {
			t.Errorf("%v after %d ns", err, nowNs()-fromNs)
		}
		if said := causeOf(fmt.Errorf("receive message failed: %w", err)); said != "the store did not answer within 5 s" {
			t.Error(said)
		}
	}
}

func TestOnlyWhatPassesIsTriedAgainAndOnlyWhereThatIsAsked(t *testing.T) {
	retrying, failing := &store{order: &storeOrder{OnError: "retry"}}, &store{order: &storeOrder{OnError: "fail"}}
	for code, passes := range map[string]bool{"08006": true, "53300": true, "57P01": true, "40001": true, "28P01": false,
		"42P01": false, "42703": false, "22021": false, "23505": false} {
		err := fmt.Errorf("failed to connect: %w", &pgconn.PgError{Severity: "FATAL", Code: code, Message: "no"})
		if retrying.maySucceed(err) != passes || failing.maySucceed(err) {
			t.Errorf("%s: %v", code, passes)
		}
		if said := causeOf(err); said != "FATAL: no (SQLSTATE "+code+")" {
			t.Error(said)
		}
	}
	copying := &store{order: &storeOrder{OnError: "retry", Write: "copy"}}
	if copying.maySucceed(&pgconn.PgError{Code: "57014", Message: brokenOff + ": cannot encode"}) {
		t.Error("a row that does not fit the table will never fit")
	}
	if !copying.maySucceed(&pgconn.PgError{Code: "57014", Message: "canceling statement due to user request"}) {
		t.Error("who cancelled a statement may let the next one go on")
	}
	if !retrying.maySucceed(errors.New("connection refused")) {
		t.Error("it has no connection and may have one later")
	}
}

func TestAnErrorOfTheTransactionAnswersItsCommitAndALostConnectionDoesNot(t *testing.T) {
	for code, unanswered := range map[string]bool{"08006": true, "57P01": true, "40001": false, "53100": false, "57014": false} {
		if isUnanswered(fmt.Errorf("commit: %w", &pgconn.PgError{Code: code})) != unanswered {
			t.Errorf("%s: %v", code, !unanswered)
		}
	}
	if !isUnanswered(io.ErrUnexpectedEOF) || !isUnanswered(os.ErrDeadlineExceeded) {
		t.Error("nobody knows what became of it")
	}
}

func TestWhatWasNotAnsweredIsReportedByPartition(t *testing.T) {
	m := storingMember(commitOrder{kind: "none"})
	m.await(polled([]int64{5, 6}, []int64{5, 7}))
	if got := fmt.Sprint(m.spans(m.waiting)); got != "[{{0 0} 5 7} {{0 1} 5 6} {{0 1} 7 8}]" {
		t.Error(got)
	}
	line, _ := json.Marshal(m.spans(m.waiting[:1]))
	if got := string(line); got != `[{"topic":0,"partition":0,"first":5,"end":6}]` {
		t.Error(got)
	}
}

func TestAStoreThatCannotBeOpenedIsSaidWithoutItsPassword(t *testing.T) {
	for want, order := range map[string]*storeOrder{
		"the order has no store":                                      nil,
		"the URL of the store is not one that pgx reads":              {URL: "postgresql://u:secret@h:port/d", Write: "insert"},
		"this worker writes by insert, upsert and copy, not by merge": {URL: "postgresql://u:secret@h/d", Write: "merge"},
	} {
		if _, err := openStore(order, "c"); err == nil || err.Error() != want {
			t.Errorf("%v instead of %s", err, want)
		}
	}
	if unquoted(`"a ""b"" c"`) != `a "b" c` {
		t.Error(unquoted(`"a ""b"" c"`))
	}
}

func TestWhereAnOwnerBeginsIsSaidOnceAndBeforeItsRecordsAreStored(t *testing.T) {
	m, said := storingMember(commitOrder{kind: "none"}), &listener{}
	m.host = said
	m.await(polled([]int64{5, 6}, []int64{7}))
	m.begin(m.waiting)
	m.begin(m.waiting[1:])
	m.account("t", 0).beginEpoch()
	m.begin(m.waiting[1:])
	if got := fmt.Sprint(said.beginnings); got != "[0:5 1:7 0:6]" {
		t.Error(got)
	}
}

// A listener notes where owners begin.
type listener struct {
	host
	beginnings []string
}

func (l *listener) began(_ int, a *account, offset int64) {
	l.beginnings = append(l.beginnings, fmt.Sprintf("%d:%d", a.Partition, offset))
}

func TestAMemberThatReadsAgainReportsLowerPositionsAndOneThatLostThePartitionIsSilent(t *testing.T) {
	one, other := storingMember(commitOrder{kind: "none"}), storingMember(commitOrder{kind: "none"})
	w := &worker{members: []*member{one, other}, reported: map[*account]int64{}}
	for _, m := range w.members {
		if err := json.Unmarshal([]byte(`{"topics": [{"name": "t"}]}`), m.order); err != nil {
			t.Fatal(err)
		}
	}
	reports := func(m *member, offset int64, want string) {
		t.Helper()
		m.account("t", 0).position.Store(offset)
		if got := fmt.Sprint(w.moved()); got != want {
			t.Error(got)
		}
	}
	reports(one, 7, "[{{0 0} 7}]")
	reports(other, 6, "[{{0 0} 6}]")
	reports(other, 6, "[]")
	reports(one, 5, "[{{0 0} 5}]")
}

func storingMember(commit commitOrder) *member {
	m := &member{order: &prepare{Commit: commit, Store: &storeOrder{Rows: 10}}, accounts: map[string][]*account{}}
	for partition := range int32(2) {
		a := newAccount(place{0, partition}, "t", span{5, 8})
		a.beginEpoch()
		m.accounts["t"] = append(m.accounts["t"], a)
	}
	return m
}

func polled(offsets ...[]int64) kgo.Fetches {
	var partitions []kgo.FetchPartition
	for partition, of := range offsets {
		var records []*kgo.Record
		for _, offset := range of {
			records = append(records, &kgo.Record{Topic: "t", Partition: int32(partition), Offset: offset})
		}
		partitions = append(partitions, kgo.FetchPartition{Partition: int32(partition), Records: records})
	}
	return kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "t", Partitions: partitions}}}}
}

func (m *member) awaited() (awaited []string) {
	for _, record := range m.waiting {
		awaited = append(awaited, fmt.Sprintf("%d:%d", record.Partition, record.Offset))
	}
	return awaited
}

func TestOnlyRecordsOfTheTrialThatAreHeldAreStored(t *testing.T) {
	m := storingMember(commitOrder{kind: "none"})
	passed := m.await(polled([]int64{4, 5, 6}, []int64{7, 8, 9}))
	if got := fmt.Sprint(m.awaited()); got != "[0:5 0:6 1:7]" {
		t.Error(got)
	}
	if epoch, isPassed := passed[m.account("t", 1)]; len(passed) != 1 || !isPassed || epoch != 1 {
		t.Errorf("%+v", passed)
	}
	m.account("t", 0).held = false
	m.dropRevoked()
	if got := fmt.Sprint(m.awaited()); got != "[1:7]" {
		t.Error(got)
	}
}

func TestATransactionEndsWhereACommitIsDue(t *testing.T) {
	m := storingMember(commitOrder{kind: "every", every: 25})
	m.sinceCommit = 20
	if m.rowsMax() != 5 {
		t.Errorf("%d rows", m.rowsMax())
	}
	m.sinceCommit = 0
	if m.rowsMax() != 10 || storingMember(commitOrder{kind: "per_batch"}).rowsMax() != 10 {
		t.Errorf("%d rows", m.rowsMax())
	}
}
