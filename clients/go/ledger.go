package main

import "sync/atomic"

const (
	seriesBucketNs = 10_000_000
	seriesBuckets  = 1_000
	noPosition     = -1
)

// A series counts records over time, in a bounded number of buckets: when they are used up, two become one.
type series struct {
	BucketNs int64   `json:"bucket_ns"`
	Counts   []int64 `json:"counts"`
}

func newSeries() series {
	return series{BucketNs: seriesBucketNs, Counts: []int64{}}
}

func (s *series) add(afterNs, records int64) {
	for afterNs/s.BucketNs >= seriesBuckets {
		halved := make([]int64, (len(s.Counts)+1)/2, seriesBuckets)
		for bucket, count := range s.Counts {
			halved[bucket/2] += count
		}
		s.Counts, s.BucketNs = halved, s.BucketNs*2
	}
	bucket := max(0, int(afterNs/s.BucketNs))
	for len(s.Counts) <= bucket {
		s.Counts = append(s.Counts, 0)
	}
	s.Counts[bucket] += records
}

// An account is what one consumer has read of one partition. It reads no clock. One goroutine writes at a time; the
// position alone is read by others.
type account struct {
	place
	span
	name   string
	epochs int
	// The epoch of which it was said where it begins.
	begun          int
	held           bool
	passed         bool
	records, bytes int64
	noted          int64
	// 0 before the first record.
	firstNs, lastNs int64
	committed       int64
	leaderEpoch     int32
	runs            []run
	series          series
	waits           *partitionWaits
	// nil unless it matters when it was read.
	flow *flow
	// Next offset to read, once a record is finished.
	position atomic.Int64
}

func newAccount(at place, name string, of span) *account {
	a := &account{place: at, span: of, name: name, passed: of.Low >= of.End, series: newSeries()}
	a.position.Store(noPosition)
	return a
}

func (a *account) beginEpoch() {
	a.epochs++
	a.held, a.committed = true, noPosition
}

// count takes in a record of the trial whose work is done.
func (a *account) count(offset int64, size int, receivedNs int64) {
	a.records++
	a.bytes += int64(size)
	if last := len(a.runs) - 1; last >= 0 && a.runs[last].End == offset && a.runs[last].Epoch == a.epochs {
		a.runs[last].End++
		return
	}
	a.runs = append(a.runs, run{First: offset, End: offset + 1, Epoch: a.epochs})
	if a.firstNs == 0 {
		a.firstNs = receivedNs
	}
}

// flowed says that what was counted and is not noted was begun and finished at these moments.
func (a *account) flowed(fromNs, nowNs int64) {
	if a.flow == nil || a.records == a.noted {
		return
	}
	// What is in hand for long is not read on meanwhile.
	epoch := a.runs[len(a.runs)-1].Epoch
	a.flow.add(epoch, fromNs, fromNs)
	a.flow.add(epoch, nowNs, nowNs)
}

// finished says that everything counted is finished now. True if that was the last of the partition.
func (a *account) finished(nowNs, startNs int64) bool {
	if a.records == a.noted {
		return false
	}
	a.series.add(nowNs-startNs, a.records-a.noted)
	a.noted, a.lastNs = a.records, nowNs
	end := a.runs[len(a.runs)-1].End
	if end == a.End {
		return a.pass()
	}
	a.position.Store(end)
	return false
}

// pass says that nothing more of the trial comes of this partition. True if that is news.
func (a *account) pass() bool {
	isNews := !a.passed
	a.passed = true
	a.position.Store(a.End)
	return isNews
}

// uncommitted is what this owner has finished and not committed, as an offset; noPosition if that is nothing.
func (a *account) uncommitted() int64 {
	if !a.held || len(a.runs) == 0 {
		return noPosition
	}
	if last := a.runs[len(a.runs)-1]; last.Epoch == a.epochs && last.End > a.committed {
		return last.End
	}
	return noPosition
}

func (a *account) result(hasStamps bool) partitionResult {
	result := partitionResult{place: a.place, Records: a.records, Bytes: a.bytes, Runs: a.runs, Series: a.series}
	if a.records > 0 {
		result.FirstNs, result.LastNs = &a.firstNs, &a.lastNs
	}
	if result.Runs == nil {
		result.Runs = []run{}
	}
	if a.flow != nil {
		result.Flow = a.flow.result()
	}
	if hasStamps {
		if a.waits == nil {
			a.waits = newPartitionWaits()
		}
		result.Latencies, result.Waits = a.waits.saved(), a.waits.slices
	}
	return result
}
