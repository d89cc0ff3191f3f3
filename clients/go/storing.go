package main

// How a member stores records: in transactions, whose records count when they are committed.

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const tryAgainAfter = 100 * time.Millisecond

// storeAll stores what a poll has brought, a transaction after the other.
func (m *member) storeAll(fetches kgo.Fetches) {
	passed := m.await(fetches)
	for len(m.waiting) > 0 && m.ctx.Err() == nil {
		rows := m.waiting[:min(len(m.waiting), m.rowsMax())]
		m.begin(rows)
		if mayBeThere, err := m.store.write(rows); err != nil {
			if mayBeThere {
				// Before another attempt: a process that is killed says nothing more.
				m.host.unanswered(m.index, m.spans(rows))
			}
			m.tryAgain(err)
			continue
		}
		m.waiting = m.waiting[len(rows):]
		m.stored(rows)
	}
	if len(m.waiting) == 0 {
		for account, epoch := range passed {
			// One that came back is read again from what was committed.
			if account.held && account.epochs == epoch && account.pass() {
				m.end(account)
			}
		}
	}
	m.waiting = nil
}

// begin says where each owner begins to store a partition, before it does: a process that is killed says nothing more.
func (m *member) begin(rows []*kgo.Record) {
	for _, record := range rows {
		if a := m.account(record.Topic, record.Partition); a.begun != a.epochs {
			a.begun = a.epochs
			m.host.began(m.index, a, record.Offset)
		}
	}
}

// await puts the trial's records of a poll into `waiting`, and gives the accounts that have none left, with their epoch.
func (m *member) await(fetches kgo.Fetches) map[*account]int {
	passed := map[*account]int{}
	fetches.EachPartition(func(of kgo.FetchTopicPartition) {
		a := m.account(of.Topic, of.Partition)
		if a == nil || !a.held {
			return
		}
		for _, record := range of.Records {
			if record.Offset >= a.End {
				passed[a] = a.epochs
				return
			}
			if record.Offset >= a.Low {
				m.waiting = append(m.waiting, record)
			}
		}
	})
	return passed
}

// rowsMax is how many records the next transaction may have: it ends where a commit is due.
func (m *member) rowsMax() int {
	if m.order.Commit.kind == "every" {
		return min(m.order.Store.Rows, m.order.Commit.every-m.sinceCommit)
	}
	return m.order.Store.Rows
}

// stored counts the records of a transaction. Its end is the next one's start.
func (m *member) stored(rows []*kgo.Record) {
	startedNs := m.freeNs
	m.freeNs = nowNs()
	m.workNs += m.freeNs - startedNs
	for _, record := range rows {
		m.count(m.account(record.Topic, record.Partition), record)
	}
	m.finish(startedNs, m.freeNs)
	if m.waits != nil {
		m.waits.worked(startedNs, m.freeNs)
		for _, record := range rows {
			m.recordWaits(m.account(record.Topic, record.Partition), record, startedNs)
		}
	}
	if m.order.Commit.kind == "every" {
		m.commitEvery(len(rows))
	}
}

// spans are the records of a transaction.
func (m *member) spans(rows []*kgo.Record) []offsets {
	var spans []offsets
	for _, record := range rows {
		at := m.account(record.Topic, record.Partition).place
		if last := len(spans) - 1; last >= 0 && spans[last].place == at && spans[last].End == record.Offset {
			spans[last].End++
			continue
		}
		spans = append(spans, offsets{place: at, First: record.Offset, End: record.Offset + 1})
	}
	return spans
}

// tryAgain pauses before a transaction is tried again. The group goes on meanwhile, and may revoke its records.
func (m *member) tryAgain(failure error) {
	if !m.store.maySucceed(failure) {
		m.fail("the work failed: " + causeOf(failure))
		return
	}
	m.store.use.Retries++
	m.host.report(m.index, "the work is tried again: "+causeOf(failure))
	if m.waits != nil {
		m.waits.pass(nowNs())
	}
	m.turn.Unlock()
	defer m.turn.Lock()
	m.client.AllowRebalance()
	select {
	case <-m.ctx.Done():
	case <-time.After(tryAgainAfter):
	}
}

// dropRevoked forgets the records that wait for a transaction and are the next owner's.
func (m *member) dropRevoked() {
	m.waiting = slices.DeleteFunc(m.waiting, func(record *kgo.Record) bool {
		return !m.account(record.Topic, record.Partition).held
	})
}
