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

// A member is a consumer: the loop that a user of franz-go writes, in a goroutine of its own.
type member struct {
	order    *prepare
	index    int
	host     host
	client   *kgo.Client
	accounts map[string][]*account
	// That of the partition that was read last.
	latest *account
	work   func()
	// Set if the work is to store records.
	store *store
	// Most records taken at once.
	most int
	// Whether each record has a beginning and an end.
	isTimed bool
	// Whether it commits what each poll has brought.
	commitsEach bool
	// Ends the reading.
	ctx  context.Context
	stop context.CancelFunc

	startNs int64
	started chan int64
	waits   *waits
	done    chan memberResult

	// Held by whoever counts: the goroutine outside of polls, or a callback of the group. The client lets no callback in
	// while records are worked (BlockRebalanceOnPoll).
	turn sync.Mutex

	// What a question about the assignment may meet.
	mu         sync.Mutex
	holding    bool
	assignedNs *int64
	rebalances []rebalance

	failing sync.Once
	touched []*account
	// Records that wait for their transaction.
	waiting     []*kgo.Record
	receivedNs  int64
	freeNs      int64
	unnoted     int
	sinceCommit int
	workNs      int64
	queued      int64
	commits     int
	reading     reading
	// Commits that explain why nothing was read.
	slowCommits []stretch
}

// A host is whom a member tells what happens.
type host interface {
	ended()
	report(consumer int, text string)
	unanswered(consumer int, records []offsets)
	began(consumer int, a *account, offset int64)
	failed(consumer int, text string)
}

// fail says why the consumer cannot go on. It reads no more, and stays until the worker is to leave: then the group does not
// wait for it.
func (m *member) fail(text string) {
	m.failing.Do(func() { m.host.failed(m.index, text) })
	m.stop()
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
			a := newAccount(at, of.Name, span)
			if order.Flow {
				a.flow = newFlow()
			}
			m.accounts[of.Name] = append(m.accounts[of.Name], a)
		}
	}
	if order.Work.kind == "store" {
		var err error
		if m.store, err = openStore(order.Store, order.Consumers[index].ClientID); err != nil {
			return nil, errors.New("cannot prepare the work: " + causeOf(err))
		}
	}
	m.isTimed = m.work != nil || m.store != nil || order.Stamps != nil
	m.commitsEach = order.Commit.kind == "per_batch" || order.Commit.kind == "auto"
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
	if m.order.StaticMembership {
		opts = append(opts, kgo.InstanceID(m.order.Consumers[m.index].ClientID))
	}
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
	if startNs, isStarted := m.hold(); isStarted {
		sleepUntil(startNs)
		m.release()
		for m.ctx.Err() == nil {
			m.read()
		}
		m.note()
	}
	// It stays in the group without reading.
	for topic := range m.accounts {
		m.client.PauseFetchTopics(topic)
	}
	m.turn.Lock()
	defer m.turn.Unlock()
	if m.waits != nil {
		m.waits.close()
		m.reading.WorkingThreads, m.reading.IdleNs = 1, m.waits.idleNs
	}
	m.done <- m.result()
	if m.store != nil {
		m.store.close()
	}
}

// hold waits for the start, and reports what the client says meanwhile: it hands over its errors in polls only. All
// partitions are paused, so that no poll hands over records.
func (m *member) hold() (startNs int64, isStarted bool) {
	looks := time.NewTicker(idleWait)
	defer looks.Stop()
	for {
		select {
		case startNs := <-m.started:
			return startNs, true
		case <-m.ctx.Done():
			return 0, false
		case <-looks.C:
			m.client.PollRecords(nil, m.most).EachError(m.on)
			m.client.AllowRebalance()
		}
	}
}

func (m *member) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holding {
		m.queued = m.client.BufferedFetchRecords()
	}
	m.holding = false
	unread := map[string][]int32{}
	for _, account := range m.all() {
		if account.held && !account.passed {
			unread[account.name] = append(unread[account.name], account.Partition)
		}
	}
	m.client.ResumeFetchPartitions(unread)
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
		Reading: m.reading, SlowCommits: m.slowCommits}
	m.mu.Lock()
	defer m.mu.Unlock()
	result.Rebalances = slices.Clone(m.rebalances)
	if m.store != nil {
		result.Store = &m.store.use
	}
	for _, account := range m.all() {
		if account.epochs > 0 {
			result.Partitions = append(result.Partitions, account.result(m.waits != nil))
		}
	}
	return result
}
