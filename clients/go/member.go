package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	batchRecords = 1_000
	// Polled records without work that are noted together.
	notedTogether = 100
	connectLimit  = 20 * time.Second
	idleWait      = 100 * time.Millisecond
)

// What waiting does not fix.
var permanent = []error{kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.TopicAuthorizationFailed,
	kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.UnsupportedVersion,
	kerr.InconsistentGroupProtocol, kerr.InvalidGroupID, kerr.InvalidSessionTimeout, kerr.GroupMaxSizeReached,
	kerr.FencedInstanceID, kerr.UnreleasedInstanceID, kerr.UnsupportedAssignor}

// A commit that a rebalance overtook: the next owner reads from what was committed before.
var notOwner = []error{kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch,
	kerr.FencedMemberEpoch}

// A member is a consumer: the loop that a user of franz-go writes, in a goroutine of its own. The client calls it back
// only between two polls (BlockRebalanceOnPoll), so what it counts needs no lock.
type member struct {
	order    *prepare
	index    int
	host     host
	client   *kgo.Client
	accounts map[string][]*account
	work     func()
	// Most records taken at once.
	most int
	// Whether each record has a beginning and an end.
	isTimed bool
	// Ends the reading.
	ctx  context.Context
	stop context.CancelFunc

	startNs int64
	started chan int64
	waits   *waits
	done    chan memberResult

	// What a question about the assignment may meet.
	mu         sync.Mutex
	holding    bool
	assignedNs *int64
	rebalances []rebalance

	touched     []*account
	receivedNs  int64
	freeNs      int64
	unnoted     int
	sinceCommit int
	workNs      int64
	queued      int64
	commits     int
	reading     reading
}

// A host is whom a member tells what happens.
type host interface {
	ended()
	report(consumer int, text string)
	fail(consumer int, text string, isConnecting bool)
}

// connect makes the consumer and reaches the cluster, and joins nothing.
func connect(order *prepare, index int, to host) (*member, error) {
	ctx, stop := context.WithCancel(context.Background())
	m := &member{order: order, index: index, host: to, ctx: ctx, stop: stop, holding: !order.JoinsLate,
		work: order.Work.prepared(order.Calibration), started: make(chan int64, 1), done: make(chan memberResult, 1),
		reading: reading{Readers: 1}, rebalances: []rebalance{}, accounts: map[string][]*account{}}
	for topic, of := range order.Topics {
		for partition, span := range of.Partitions {
			at := place{topic, int32(partition)}
			m.accounts[of.Name] = append(m.accounts[of.Name], newAccount(at, of.Name, span))
		}
	}
	m.isTimed = m.work != nil || order.Stamps != nil
	m.most = batchRecords
	if order.Read == "poll" {
		m.most = 1
	}
	opts, err := m.options()
	if err != nil {
		return nil, fmt.Errorf("the client refused its settings: %w", err)
	}
	if m.client, err = kgo.NewClient(opts...); err != nil {
		return nil, fmt.Errorf("the client refused its settings: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	if err := m.client.Ping(limited); err != nil {
		return nil, unreachable{err}
	}
	go m.run()
	return m, nil
}

// unreachable says that the cluster did not answer.
type unreachable struct{ cause error }

func (u unreachable) Error() string { return "the cluster did not answer: " + u.cause.Error() }

func (m *member) options() ([]kgo.Opt, error) {
	opts, err := translate(m.order.Properties)
	if err != nil {
		return nil, err
	}
	own, err := optionsOf(m.order.ClientProperties)
	if err != nil {
		return nil, err
	}
	opts = append(append(opts, own...), kgo.ClientID(m.order.Consumers[m.index].ClientID),
		kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelWarn, nil)))
	if m.order.Manual {
		if m.order.Commit.kind != "none" {
			return nil, errors.New(`franz-go commits in a group only: with assignment = "manual" give commit = "none"`)
		}
		return opts, nil
	}
	opts = append(opts, kgo.ConsumerGroup(m.order.Properties["group.id"]), kgo.BlockRebalanceOnPoll(),
		kgo.WithHooks(m), kgo.AdjustFetchOffsetsFn(m.beginAtLow),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.takeOver(partitions)
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.letGo(ctx, partitions, "revoked")
		}),
		kgo.OnPartitionsLost(func(ctx context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.letGo(ctx, partitions, "lost")
		}))
	if m.order.Commit.kind == "auto" {
		return append(opts, kgo.AutoCommitMarks()), nil
	}
	return append(opts, kgo.DisableAutoCommit()), nil
}

func (m *member) subscribe() {
	if !m.order.Manual {
		for topic := range m.accounts {
			m.client.AddConsumeTopics(topic)
		}
		return
	}
	partitions, offsets := map[string][]int32{}, map[string]map[int32]kgo.Offset{}
	for _, given := range m.order.Consumers[m.index].Manual {
		topic := m.order.Topics[given.Topic].Name
		if offsets[topic] == nil {
			offsets[topic] = map[int32]kgo.Offset{}
		}
		partitions[topic] = append(partitions[topic], given.Partition)
		offsets[topic][given.Partition] = kgo.NewOffset().At(m.accounts[topic][given.Partition].Low)
	}
	m.takeOver(partitions)
	m.client.AddConsumePartitions(offsets)
}

// held is what the client has handed over and not taken back: franz-go says it in callbacks only.
func (m *member) held() heldPartitions {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := heldPartitions{Consumer: m.index, Partitions: []place{}, AssignedNs: m.assignedNs}
	for _, account := range m.all() {
		if account.held {
			held.Partitions = append(held.Partitions, account.place)
		}
	}
	return held
}

func (m *member) all() []*account {
	var all []*account
	for _, topic := range m.order.Topics {
		all = append(all, m.accounts[topic.Name]...)
	}
	return all
}

func (m *member) start(atNs int64) {
	if m.order.Stamps != nil {
		m.waits = newWaits(m.order.Stamps, atNs)
	}
	m.startNs = atNs
	m.started <- atNs
}

// leave leaves the group and closes the client.
func (m *member) leave() {
	m.stop()
	m.client.CloseAllowingRebalance()
}

func (m *member) run() {
	if m.order.Work.kind == "wait" {
		holdThread()
	}
	select {
	case startNs := <-m.started:
		sleepUntil(startNs)
		m.release()
		for m.ctx.Err() == nil {
			m.read()
		}
		m.finish(nowNs())
	case <-m.ctx.Done():
	}
	// It stays in the group without reading.
	for topic := range m.accounts {
		m.client.PauseFetchTopics(topic)
	}
	if m.waits != nil {
		m.waits.handOver()
	}
	m.done <- m.result()
}

func (m *member) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holding = false
	m.queued = m.client.BufferedFetchRecords()
	unread := map[string][]int32{}
	for _, account := range m.all() {
		if account.held && !account.passed {
			unread[account.name] = append(unread[account.name], account.Partition)
		}
	}
	m.client.ResumeFetchPartitions(unread)
}

// read takes what is there, or waits for it, and works it off.
func (m *member) read() {
	defer m.client.AllowRebalance()
	fetches := m.client.PollRecords(nil, m.most)
	if fetches.NumRecords() == 0 {
		m.finish(nowNs())
		fetches = m.wait()
	}
	fetches.EachError(m.on)
	if m.isTimed || len(m.touched) == 0 {
		m.receivedNs = nowNs()
		m.freeNs = m.receivedNs
	}
	fetches.EachPartition(func(of kgo.FetchTopicPartition) {
		m.handle(m.account(of.Topic, of.Partition), of.Records)
	})
	m.unnoted += fetches.NumRecords()
	commits := m.order.Commit.kind == "per_batch" || m.order.Commit.kind == "auto"
	if m.unnoted >= min(m.most, notedTogether) || commits {
		m.finish(nowNs())
	}
	if commits {
		m.commit(m.ctx, m.all())
	}
	if m.waits != nil {
		m.waits.pass(nowNs())
	}
}

func (m *member) wait() kgo.Fetches {
	limited, cancel := context.WithTimeout(m.ctx, idleWait)
	defer cancel()
	fromNs := nowNs()
	fetches := m.client.PollRecords(limited, m.most)
	m.reading.waited(fromNs, nowNs())
	return fetches
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
			m.finish(nowNs())
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
			m.commitEvery()
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
	m.finish(m.freeNs)
	if m.waits == nil || !m.waits.isStamped(a, record.Offset) {
		return
	}
	if !m.waits.record(a, record.Value, m.receivedNs, startedNs, m.freeNs) {
		m.host.fail(m.index, fmt.Sprintf("offset %d of %s [%d] should begin with a stamp of %d bytes and has a value of "+
			"%d bytes", record.Offset, a.name, a.Partition, stampBytes, len(record.Value)), false)
	}
}

// finish says that what was counted is finished.
func (m *member) finish(nowNs int64) {
	m.unnoted = 0
	if len(m.touched) == 0 {
		return
	}
	m.reading.recordCame()
	for _, account := range m.touched {
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

func (m *member) commitEvery() {
	if m.sinceCommit++; m.sinceCommit < m.order.Commit.every {
		return
	}
	m.sinceCommit = 0
	m.finish(nowNs())
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
	m.reading.committed(fromNs, nowNs())
	m.commits++
	switch {
	case err == nil || errors.Is(err, context.Canceled):
	case isOneOf(err, notOwner):
		m.host.report(m.index, "did not commit: "+err.Error())
	default:
		m.host.fail(m.index, "cannot commit: "+err.Error(), false)
	}
}

func (m *member) account(topic string, partition int32) *account {
	of := m.accounts[topic]
	if int(partition) >= len(of) || partition < 0 {
		return nil
	}
	return of[partition]
}

func (m *member) result() memberResult {
	result := memberResult{Partitions: []partitionResult{}, WorkNs: m.workNs, QueuedAtStart: m.queued, Commits: m.commits,
		Reading: m.reading}
	m.mu.Lock()
	defer m.mu.Unlock()
	result.Rebalances = slices.Clone(m.rebalances)
	for _, account := range m.all() {
		if account.epochs > 0 {
			result.Partitions = append(result.Partitions, account.result(m.waits != nil))
		}
	}
	return result
}

// What the client calls.

// takeOver takes partitions: paused if the start is to come.
func (m *member) takeOver(partitions map[string][]int32) {
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
	m.note("assigned", accounts)
}

// letGo gives partitions back. Others may have read on what was lost, so it is not committed.
func (m *member) letGo(ctx context.Context, partitions map[string][]int32, kind string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	accounts := m.accountsOf(partitions)
	if len(accounts) == 0 {
		return
	}
	if kind == "revoked" && m.order.Commit.kind != "none" {
		m.commit(ctx, accounts)
		if m.order.Commit.kind == "auto" {
			if err := m.client.CommitMarkedOffsets(ctx); err != nil {
				m.host.report(m.index, "did not commit: "+err.Error())
			}
		}
	}
	for _, account := range accounts {
		account.held = false
	}
	m.note(kind, accounts)
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
	m.on("group", -1, err)
}

// on takes an error of the client. The end of a wait is none.
func (m *member) on(topic string, partition int32, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	text := err.Error()
	if partition >= 0 {
		text = fmt.Sprintf("%s [%d]: %s", topic, partition, text)
	}
	if isOneOf(err, permanent) {
		m.host.fail(m.index, "the client reported: "+text, false)
	}
	m.host.report(m.index, text)
}

func (m *member) note(kind string, accounts []*account) {
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
