package main

// How a member reads: it takes records, works and counts them, and commits.

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// read takes what is there, or waits for it, and works it off.
func (m *member) read() {
	defer m.client.AllowRebalance()
	fetches := m.client.PollRecords(nil, m.most)
	records := fetches.NumRecords()
	var waited stretch
	if records == 0 {
		m.note()
		fetches.EachError(m.on)
		fetches, waited = m.wait()
		records = fetches.NumRecords()
	}
	m.turn.Lock()
	defer m.turn.Unlock()
	if waited.UntilNs > 0 {
		m.reading.waited(waited)
	}
	fetches.EachError(m.on)
	if m.isTimed || len(m.touched) == 0 {
		m.receivedNs = nowNs()
		m.freeNs = m.receivedNs
	}
	if m.store != nil {
		m.storeAll(fetches)
	} else {
		fetches.EachPartition(func(of kgo.FetchTopicPartition) {
			// Mostly the partition that was read before; a look into a map takes a share of what a poll does.
			if m.latest == nil || m.latest.Partition != of.Partition || m.latest.name != of.Topic {
				m.latest = m.account(of.Topic, of.Partition)
			}
			m.handle(m.latest, of.Records)
		})
	}
	m.unnoted += records
	if m.most > 1 || m.unnoted >= notedTogether || m.commitsEach {
		m.finish(m.receivedNs, nowNs())
	}
	if m.commitsEach {
		m.commit(m.ctx, m.all())
	}
	if m.waits != nil {
		m.waits.pass(nowNs())
	}
}

func (m *member) wait() (kgo.Fetches, stretch) {
	limited, cancel := context.WithTimeout(m.ctx, idleWait)
	defer cancel()
	fromNs := nowNs()
	fetches := m.client.PollRecords(limited, m.most)
	return fetches, stretch{fromNs, nowNs()}
}

// note lets everybody know what is finished.
func (m *member) note() {
	m.turn.Lock()
	defer m.turn.Unlock()
	m.finish(m.receivedNs, nowNs())
}

// handle works records of one partition and counts them.
func (m *member) handle(a *account, records []*kgo.Record) {
	if a == nil || !a.held {
		return
	}
	for _, record := range records {
		if record.Offset < a.Low {
			continue
		}
		if record.Offset >= a.End {
			m.finish(m.receivedNs, nowNs())
			if a.pass() {
				m.end(a)
			}
			return
		}
		if m.isTimed {
			if m.ctx.Err() != nil {
				return
			}
			m.workOn(a, record)
		} else {
			m.count(a, record)
		}
		if m.order.Commit.kind == "every" {
			m.commitEvery(1)
		}
	}
}

func (m *member) count(a *account, record *kgo.Record) {
	if a.records == a.noted {
		m.touched = append(m.touched, a)
	}
	a.count(record.Offset, len(record.Key)+len(record.Value), m.receivedNs)
	a.leaderEpoch = record.LeaderEpoch
}

// workOn does the work on a record. Its finish is the next one's start.
func (m *member) workOn(a *account, record *kgo.Record) {
	startedNs := m.freeNs
	if m.work != nil {
		m.work()
	}
	m.freeNs = nowNs()
	if m.work != nil {
		m.workNs += m.freeNs - startedNs
	}
	m.count(a, record)
	m.finish(startedNs, m.freeNs)
	if m.waits == nil {
		return
	}
	m.waits.worked(startedNs, m.freeNs)
	m.recordWaits(a, record, startedNs)
}

// recordWaits takes in how long a record that is finished waited.
func (m *member) recordWaits(a *account, record *kgo.Record, startedNs int64) {
	if m.waits.isStamped(a, record.Offset) && !m.waits.record(a, record.Value, m.receivedNs, startedNs, m.freeNs) {
		m.fail(fmt.Sprintf("offset %d of %s [%d] should begin with a stamp of %d bytes and has a value of "+
			"%d bytes", record.Offset, a.name, a.Partition, stampBytes, len(record.Value)))
	}
}

// finish says that what was counted was begun and is finished at these moments.
func (m *member) finish(fromNs, nowNs int64) {
	m.unnoted = 0
	if len(m.touched) == 0 {
		return
	}
	m.reading.recordCame()
	for _, account := range m.touched {
		account.flowed(fromNs, nowNs)
		if account.finished(nowNs, m.startNs) {
			m.end(account)
		}
	}
	m.touched = m.touched[:0]
}

// end stops fetching a partition that is at its end.
func (m *member) end(a *account) {
	m.host.ended()
	m.client.PauseFetchPartitions(map[string][]int32{a.name: {a.Partition}})
}

func (m *member) commitEvery(records int) {
	if m.sinceCommit += records; m.sinceCommit < m.order.Commit.every {
		return
	}
	m.sinceCommit = 0
	m.finish(m.receivedNs, nowNs())
	m.commit(m.ctx, m.all())
	m.freeNs = nowNs()
}

// commit commits, or marks for the client's own commits, what is finished and not committed.
func (m *member) commit(ctx context.Context, accounts []*account) {
	var latest []*kgo.Record
	for _, account := range accounts {
		if offset := account.uncommitted(); offset != noPosition {
			latest = append(latest, &kgo.Record{Topic: account.name, Partition: account.Partition, Offset: offset - 1,
				LeaderEpoch: account.leaderEpoch})
			account.committed = offset
		}
	}
	if len(latest) == 0 {
		return
	}
	if m.order.Commit.kind == "auto" {
		m.client.MarkCommitRecords(latest...)
		return
	}
	fromNs := nowNs()
	err := m.client.CommitRecords(ctx, latest...)
	answeredNs := nowNs()
	m.reading.committed(fromNs, answeredNs)
	if m.waits != nil {
		m.waits.worked(fromNs, answeredNs)
	}
	m.commits++
	if m.order.Flow {
		m.noteCommit(stretch{fromNs, answeredNs}, latest, err)
	}
	switch {
	case err == nil || errors.Is(err, context.Canceled):
	case isOneOf(err, notOwner):
		m.host.report(m.index, "did not commit: "+err.Error())
	default:
		m.fail("cannot commit: " + err.Error())
	}
}

// noteCommit notes what the cluster took, and how long that took if it was long.
func (m *member) noteCommit(waited stretch, latest []*kgo.Record, err error) {
	if waited.UntilNs-waited.FromNs >= slowCommitNs && len(m.slowCommits) < slowCommitMax {
		m.slowCommits = append(m.slowCommits, waited)
	}
	for _, record := range latest {
		if a := m.account(record.Topic, record.Partition); err == nil {
			a.flow.taken(a.epochs, record.Offset+1)
		}
	}
}
