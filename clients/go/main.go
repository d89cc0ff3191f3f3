// The worker of tandem on franz-go: it speaks the worker protocol, version 2 (docs/protocol.md). Each consumer is a
// client of its own with a goroutine that reads.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	protocol         = 2
	silenceLimitNs   = 10 * secondNs
	pauseNs          = secondNs / 2
	beat             = 100 * time.Millisecond
	progressInterval = 100 * time.Millisecond
	// If it matters when each partition was read: a worker that is killed says no more.
	flowInterval = 20 * time.Millisecond
	leaveLimit   = 3 * time.Second
	reportsMax   = 8
)

var capabilities = []string{"hold", "assignment", "ledger", "usage", "work", "manual", "calibrate", "reading", "pauses",
	"stamps", "static", "store", "flow"}

type worker struct {
	events chan message
	// A partition's end was reached.
	endings chan struct{}
	writing sync.Mutex
	heardNs atomic.Int64
	members []*member
	// Held while positions are reported, or where an owner begins: the reports come in the order in which that happens.
	reporting sync.Mutex
	// What each member said last of each partition. A partition may have moved between members of this process.
	reported      map[*account]int64
	born          *snapshot
	atStart       *snapshot
	atEnd         *snapshot
	mu            sync.Mutex
	pauses        []stretch
	reports       map[int]map[string]int
	digitsOfAText *regexp.Regexp
	// A consumer has failed.
	hasFailed atomic.Bool
}

func main() {
	if len(os.Args) != 2 || os.Args[1] != "consumer" {
		fmt.Fprintln(os.Stderr, "this is a worker of tandem: it is started with the role `consumer` and has no other")
		os.Exit(2)
	}
	w := &worker{events: make(chan message, 64), endings: make(chan struct{}, 1), reported: map[*account]int64{}, born: &snapshot{atNs: nowNs()},
		pauses: []stretch{}, reports: map[int]map[string]int{}, digitsOfAText: regexp.MustCompile(`\d+`)}
	w.heardNs.Store(nowNs())
	go w.watch()
	w.say("hello", map[string]any{"protocol": protocol, "client": "franz-go", "client_version": clientVersion(),
		"pid": os.Getpid(), "capabilities": capabilities, "host": hostName()})
	go w.listen()
	w.serve()
	if w.hasFailed.Load() {
		os.Exit(1)
	}
}

func (w *worker) serve() {
	ticks := time.NewTicker(progressInterval)
	for {
		var event message
		select {
		case event = <-w.events:
		case <-w.endings:
			w.atEnd = takeSnapshot()
		case <-ticks.C:
		}
		switch event.Type {
		case "prepare":
			if w.prepare(event); w.members[0].order.Flow {
				ticks.Reset(flowInterval)
			}
		case "subscribe":
			for _, member := range w.members {
				member.subscribe()
			}
		case "query_assignments":
			held := []heldPartitions{}
			for _, member := range w.members {
				held = append(held, member.held())
			}
			w.say("assignments", map[string]any{"query": event.Query, "members": held})
		case "start":
			for _, member := range w.members {
				member.start(event.AtNs)
			}
			sleepUntil(event.AtNs)
			w.atStart = takeSnapshot()
		case "stop":
			w.stop()
		case "calibrate":
			speed := calibrate()
			w.say("calibrated", map[string]any{"iterations_per_us": speed.IterationsPerUs,
				"sleep_excess_ns": speed.SleepExcessNs})
		case "exit":
			w.leave()
			return
		}
		w.progress()
	}
}

func (w *worker) prepare(event message) {
	order := new(prepare)
	if err := json.Unmarshal(event.raw, order); err != nil {
		w.fail(-1, err.Error(), false)
	}
	if order.Read != "batch" && order.Read != "poll" {
		w.fail(-1, fmt.Sprintf("this worker reads in a batch or by poll, not as read = %q", order.Read), false)
	}
	if order.Threads > 1 {
		w.fail(-1, "this worker works records in the goroutine that reads them: threads = 1", false)
	}
	w.members = make([]*member, len(order.Consumers))
	var connecting sync.WaitGroup
	for index := range order.Consumers {
		connecting.Go(func() {
			connected, err := connect(order, index, w)
			if err != nil {
				w.fail(index, err.Error(), errors.As(err, new(unreachable)))
			}
			w.members[index] = connected
		})
	}
	connecting.Wait()
	w.say("ready", nil)
}

func (w *worker) stop() {
	for _, member := range w.members {
		member.stop()
	}
	end := takeSnapshot()
	results := []memberResult{}
	for _, member := range w.members {
		results = append(results, <-member.done)
	}
	w.progress()
	said := map[string]any{"members": results, "stopwatch": end.since(w.born), "pauses": w.paused()}
	if w.atStart != nil {
		if w.atEnd == nil {
			w.atEnd = end
		}
		said["window"] = w.atEnd.since(w.atStart)
	}
	w.atStart = nil
	w.say("result", said)
}

// progress reports what has moved, and the seconds that are over.
func (w *worker) progress() {
	if w.atStart == nil {
		return
	}
	w.reporting.Lock()
	if moved := w.moved(); len(moved) > 0 {
		w.say("progress", map[string]any{"positions": moved})
	}
	w.reporting.Unlock()
	seconds := []second{}
	for _, member := range w.members {
		if member.waits != nil {
			seconds = append(seconds, member.waits.take()...)
		}
	}
	if len(seconds) > 0 {
		w.say("seconds", map[string]any{"seconds": seconds})
	}
}

// moved are the positions that are others than were reported: also those of a member that reads again.
func (w *worker) moved() []position {
	moved := []position{}
	for _, member := range w.members {
		for _, account := range member.all() {
			offset := account.position.Load()
			if known, isKnown := w.reported[account]; offset != noPosition && (!isKnown || offset != known) {
				w.reported[account] = offset
				moved = append(moved, position{account.place, offset})
			}
		}
	}
	return moved
}

// leave lets all members leave their group at once, and gives a client that hangs a limit.
func (w *worker) leave() {
	left := make(chan struct{})
	go func() {
		var leaving sync.WaitGroup
		for _, member := range w.members {
			leaving.Go(member.leave)
		}
		leaving.Wait()
		close(left)
	}()
	select {
	case <-left:
	case <-time.After(leaveLimit):
		fmt.Fprintf(os.Stderr, "tandem worker: the group was not left within %s\n", leaveLimit)
	}
}

// listen hands on what the coordinator says, and answers what its own haste makes exact.
func (w *worker) listen() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		receivedNs := nowNs()
		w.heardNs.Store(receivedNs)
		if err != nil {
			w.events <- message{Type: "exit"}
			return
		}
		event := message{raw: line}
		// The line may hold secrets: an error must not repeat it.
		if json.Unmarshal(line, &event) != nil {
			w.fail(-1, "cannot read a message", false)
		}
		if event.Type == "query_clock" {
			w.say("clock", map[string]any{"received_ns": receivedNs, "sent_ns": nowNs()})
			continue
		}
		w.events <- event
	}
}

// watch notes when the process did not run, and ends it if the coordinator is silent.
func (w *worker) watch() {
	for {
		fromNs := nowNs()
		time.Sleep(beat)
		untilNs := nowNs()
		if untilNs-fromNs >= pauseNs {
			w.mu.Lock()
			w.pauses = append(w.pauses, stretch{fromNs, untilNs})
			w.mu.Unlock()
		} else if untilNs-w.heardNs.Load() > silenceLimitNs {
			w.fail(-1, "no message from the coordinator for 10 s", false)
		}
	}
}

func (w *worker) paused() []stretch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]stretch{}, w.pauses...)
}

func (w *worker) say(kind string, rest map[string]any) {
	said := map[string]any{"type": kind}
	for name, value := range rest {
		said[name] = value
	}
	line, err := json.Marshal(said)
	if err != nil {
		panic("cannot write a message: " + err.Error())
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	// If nobody reads any more, the end of input says so too.
	_, _ = os.Stdout.Write(append(line, '\n'))
}

func (w *worker) ended() {
	select {
	case w.endings <- struct{}{}:
	default:
		// The one before is not taken yet and says the same.
	}
}

// report passes on what a client reports, the first time and whenever its count has doubled.
func (w *worker) report(consumer int, text string) {
	fmt.Fprintln(os.Stderr, "client:", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reports[consumer] == nil {
		w.reports[consumer] = map[string]int{}
	}
	reports, report := w.reports[consumer], w.digitsOfAText.ReplaceAllString(text, "")
	if _, known := reports[report]; !known && len(reports) == reportsMax {
		return
	}
	reports[report]++
	if times := reports[report]; times&(times-1) == 0 {
		w.say("reported", map[string]any{"consumer": consumer, "message": text, "times": times})
	}
}

// unanswered says which records are in a transaction whose commit the store did not answer.
func (w *worker) unanswered(consumer int, records []offsets) {
	w.say("unanswered", map[string]any{"consumer": consumer, "records": records})
}

// began says where an owner is about to begin to store a partition.
func (w *worker) began(consumer int, a *account, offset int64) {
	w.reporting.Lock()
	defer w.reporting.Unlock()
	w.say("began", map[string]any{"consumer": consumer, "topic": a.Topic, "partition": a.Partition, "offset": offset})
	a.position.Store(offset)
}

// fail says why the worker cannot go on, and ends it.
func (w *worker) fail(consumer int, text string, isConnecting bool) {
	w.sayFailed(consumer, text, isConnecting)
	os.Exit(1)
}

// failed says why a consumer cannot go on.
func (w *worker) failed(consumer int, text string) {
	w.hasFailed.Store(true)
	w.sayFailed(consumer, text, false)
}

func (w *worker) sayFailed(consumer int, text string, isConnecting bool) {
	fmt.Fprintln(os.Stderr, "tandem worker:", text)
	said := map[string]any{"connect": isConnecting, "message": text}
	if consumer >= 0 {
		said["consumer"] = consumer
	}
	w.say("failed", said)
}

// clientVersion is that of the library that this program was built with.
func clientVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/twmb/franz-go" {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return "unknown"
}

// hostName names this machine's clock, which containers share.
func hostName() string {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	name := strings.TrimSpace(string(boot))
	if namespace, err := os.Readlink("/proc/self/ns/time"); err == nil {
		name += " " + namespace
	}
	return name
}
