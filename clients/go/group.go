package main

// What the client calls: its group gives and takes partitions, and refuses things.

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// takeOver takes partitions: paused if the start is to come.
func (m *member) takeOver(partitions map[string][]int32) {
	m.turn.Lock()
	defer m.turn.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holding {
		m.client.PauseFetchPartitions(partitions)
	} else {
		// A pause outlives a revocation.
		m.client.ResumeFetchPartitions(partitions)
	}
	accounts := m.accountsOf(partitions)
	for _, account := range accounts {
		account.beginEpoch()
	}
	now := nowNs()
	m.assignedNs = &now
	m.changed("assigned", accounts)
}

// letGo gives partitions back. Others may have read on what was lost, so it is not committed.
func (m *member) letGo(ctx context.Context, partitions map[string][]int32, kind string) {
	m.turn.Lock()
	defer m.turn.Unlock()
	accounts := m.accountsOf(partitions)
	if len(accounts) == 0 {
		return
	}
	// Nothing of it is read after this.
	m.finish(m.receivedNs, nowNs())
	if kind == "revoked" && m.order.Commit.kind != "none" {
		m.commit(ctx, accounts)
		if m.order.Commit.kind == "auto" {
			if err := m.client.CommitMarkedOffsets(ctx); err != nil {
				m.host.report(m.index, "did not commit: "+err.Error())
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, account := range accounts {
		account.held = false
	}
	m.dropRevoked()
	m.changed(kind, accounts)
}

// beginAtLow lets the client begin at the trial's first record, so that nothing is left to ask at the start.
func (m *member) beginAtLow(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for topic, of := range offsets {
		for partition := range of {
			if account := m.account(topic, partition); account != nil && m.holding {
				of[partition] = kgo.NewOffset().At(account.Low)
			}
		}
	}
	return offsets, nil
}

// OnGroupManageError is kgo's hook for what a group's coordinator refuses.
func (m *member) OnGroupManageError(err error) {
	m.on("", -1, err)
}

// on takes an error of the client. The end of a wait is none.
func (m *member) on(topic string, partition int32, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	text := err.Error()
	// An error of the group has no topic.
	if topic != "" && partition >= 0 {
		text = fmt.Sprintf("%s [%d]: %s", topic, partition, text)
	}
	if isOneOf(err, permanent) {
		m.fail("the client reported: " + text)
		return
	}
	m.host.report(m.index, text)
}

func (m *member) changed(kind string, accounts []*account) {
	partitions := []place{}
	for _, account := range accounts {
		partitions = append(partitions, account.place)
	}
	m.rebalances = append(m.rebalances, rebalance{nowNs(), kind, partitions})
}

func (m *member) accountsOf(partitions map[string][]int32) []*account {
	var accounts []*account
	for topic, of := range partitions {
		for _, partition := range of {
			if account := m.account(topic, partition); account != nil {
				accounts = append(accounts, account)
			}
		}
	}
	return accounts
}

func isOneOf(err error, errs []error) bool {
	return slices.ContainsFunc(errs, func(each error) bool { return errors.Is(err, each) })
}
