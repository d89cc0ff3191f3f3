package main

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	highestNs  = 600_000_000_000
	digits     = 3
	stampBytes = 24
	secondNs   = 1_000_000_000
	waitSlices = 20
	// Of the time between two records so much goes into taking the next one, not into waiting for it.
	takingNs = 100_000
)

// A latency is a histogram as the protocol has it. What it cannot hold is counted beside it.
type latency struct {
	Histogram string  `json:"histogram"`
	SumNs     float64 `json:"sum_ns"`
	Negative  int64   `json:"negative"`
	Overflow  int64   `json:"overflow"`
}

// A recorder counts times from one moment of a record to another.
type recorder struct {
	histogram          *hdrhistogram.Histogram
	sumNs              float64
	negative, overflow int64
}

func newRecorder() *recorder {
	return &recorder{histogram: hdrhistogram.New(1, highestNs, digits)}
}

func (r *recorder) record(fromNs, untilNs int64) {
	latencyNs := untilNs - fromNs
	if latencyNs < 0 {
		r.negative++
	} else if latencyNs > highestNs || r.histogram.RecordValue(latencyNs) != nil {
		r.overflow++
	} else {
		r.sumNs += float64(latencyNs)
	}
}

func (r *recorder) isEmpty() bool {
	return r.histogram.TotalCount()+r.negative+r.overflow == 0
}

func (r *recorder) saved() latency {
	text, err := r.histogram.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic("cannot encode a histogram: " + err.Error())
	}
	return latency{Histogram: string(text), SumNs: r.sumNs, Negative: r.negative, Overflow: r.overflow}
}

type waitSlice struct {
	Records  int64 `json:"records"`
	WaitedNs int64 `json:"waited_ns"`
}

// partitionWaits are the records of one partition that are intended for the window.
type partitionWaits struct {
	producerDelay, transit, queued, work, response *recorder
	slices                                         []waitSlice
}

func newPartitionWaits() *partitionWaits {
	return &partitionWaits{newRecorder(), newRecorder(), newRecorder(), newRecorder(), newRecorder(),
		make([]waitSlice, waitSlices)}
}

func (p *partitionWaits) saved() map[string]latency {
	return map[string]latency{"producer_delay": p.producerDelay.saved(), "transit": p.transit.saved(),
		"queued": p.queued.saved(), "work": p.work.saved(), "response": p.response.saved()}
}

type second struct {
	Second   int64   `json:"second"`
	Response latency `json:"response"`
}

// waits are what one consumer records of records with a stamp. Its goroutine records; another takes the seconds that
// are over.
type waits struct {
	order                           *stampOrder
	originNs, windowNs, windowEndNs int64
	// Time of the window without work.
	idleNs      int64
	busyUntilNs int64
	second      int64
	response    *recorder
	mu          sync.Mutex
	over        []second
}

func newWaits(order *stampOrder, startNs int64) *waits {
	originNs := startNs + order.LeadNs
	windowNs := originNs + order.WarmupNs
	return &waits{order: order, originNs: originNs, windowNs: windowNs, windowEndNs: windowNs + order.DurationNs,
		busyUntilNs: originNs, response: newRecorder()}
}

func (w *waits) isStamped(a *account, offset int64) bool {
	return offset >= w.order.StampedFrom[a.Topic][a.Partition]
}

// worked says that it was busy with a record or a commit, and had nothing to do since the one before.
func (w *waits) worked(startedNs, finishedNs int64) {
	idleFromNs := max(w.busyUntilNs+takingNs, w.windowNs)
	w.idleNs += max(0, min(startedNs, w.windowEndNs)-idleFromNs)
	w.busyUntilNs = max(w.busyUntilNs, finishedNs)
}

// record takes in the way of a record with a stamp. False if its value is too short for one.
func (w *waits) record(of *account, value []byte, receivedNs, startedNs, finishedNs int64) bool {
	if len(value) < stampBytes {
		return false
	}
	intendedNs := int64(binary.LittleEndian.Uint64(value)) - w.order.StampOffsetNs
	sentNs := int64(binary.LittleEndian.Uint64(value[8:])) - w.order.StampOffsetNs
	w.pass(finishedNs)
	w.response.record(intendedNs, finishedNs)
	inWindowNs := intendedNs - w.windowNs
	if inWindowNs < 0 || inWindowNs >= w.order.DurationNs {
		return true
	}
	if of.waits == nil {
		of.waits = newPartitionWaits()
	}
	of.waits.producerDelay.record(intendedNs, sentNs)
	of.waits.transit.record(sentNs, receivedNs)
	of.waits.queued.record(receivedNs, startedNs)
	of.waits.work.record(startedNs, finishedNs)
	of.waits.response.record(intendedNs, finishedNs)
	high, low := bits.Mul64(uint64(inWindowNs), waitSlices)
	slice, _ := bits.Div64(high, low, uint64(w.order.DurationNs))
	of.waits.slices[slice].Records++
	of.waits.slices[slice].WaitedNs += max(0, startedNs-intendedNs)
	return true
}

// pass says what time it is: a second that is over is handed over.
func (w *waits) pass(nowNs int64) {
	if current := max(0, nowNs-w.originNs) / secondNs; current > w.second {
		w.handOver()
		w.second = current
	}
}

// close says that nothing more is recorded; its last second is handed over.
func (w *waits) close() {
	w.handOver()
	w.worked(w.windowEndNs, w.windowEndNs)
}

func (w *waits) handOver() {
	if w.response.isEmpty() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = append(w.over, second{w.second, w.response.saved()})
	w.response = newRecorder()
}

// take hands out the seconds that were handed over and not taken.
func (w *waits) take() []second {
	w.mu.Lock()
	defer w.mu.Unlock()
	over := w.over
	w.over = nil
	return over
}
