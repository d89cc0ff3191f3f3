package main

import (
	"slices"
	"testing"
)

func TestAGapARepetitionAndANewAssignmentEachBeginARun(t *testing.T) {
	a := newAccount(place{0, 1}, "t", span{0, 100})
	a.beginEpoch()
	for _, offset := range []int64{0, 1, 3, 3, 4} {
		a.count(offset, 10, 7)
	}
	a.held = false
	a.beginEpoch()
	a.count(5, 10, 8)
	want := []run{{0, 2, 1}, {3, 4, 1}, {3, 5, 1}, {5, 6, 2}}
	if got := a.result(false); !slices.Equal(got.Runs, want) || got.Records != 6 || got.Bytes != 60 || *got.FirstNs != 7 {
		t.Errorf("%+v", got)
	}
}

func TestTheEndIsNewsOnce(t *testing.T) {
	a := newAccount(place{}, "t", span{10, 12})
	a.beginEpoch()
	a.count(10, 5, 0)
	if a.finished(20, 0) || a.position.Load() != 11 {
		t.Errorf("position %d", a.position.Load())
	}
	a.count(11, 5, 0)
	if !a.finished(30, 0) || a.finished(40, 0) || a.pass() || a.position.Load() != 12 || *a.lastNs != 30 {
		t.Errorf("position %d, last %d", a.position.Load(), *a.lastNs)
	}
}

func TestOnlyWhatThisOwnerFinishedAndDidNotCommitIsCommitted(t *testing.T) {
	a := newAccount(place{}, "t", span{0, 100})
	uncommitted := func(want int64) {
		t.Helper()
		if got := a.uncommitted(); got != want {
			t.Errorf("%d instead of %d", got, want)
		}
	}
	a.beginEpoch()
	uncommitted(noPosition)
	a.count(0, 1, 0)
	uncommitted(1)
	a.committed = 1
	uncommitted(noPosition)
	a.count(1, 1, 0)
	a.held = false
	uncommitted(noPosition)
	a.beginEpoch()
	uncommitted(noPosition)
}

func TestAPartitionWithoutRecordsIsAtItsEnd(t *testing.T) {
	if !newAccount(place{}, "t", span{5, 5}).passed || newAccount(place{}, "t", span{5, 6}).passed {
		t.Error("only an empty one is")
	}
}

func TestASeriesKeepsEveryRecordWhenItsBucketsDouble(t *testing.T) {
	s, sum := newSeries(), int64(0)
	for second := range int64(100) {
		s.add(second*secondNs, 7)
	}
	for _, count := range s.Counts {
		sum += count
	}
	if sum != 700 || s.BucketNs != 160_000_000 || len(s.Counts) > seriesBuckets {
		t.Errorf("%d records in %d buckets of %d ns", sum, len(s.Counts), s.BucketNs)
	}
}

func TestWaitingAfterTheLastRecordIsNoWaitingForOne(t *testing.T) {
	var r reading
	r.waited(stretch{100, 200})
	r.waited(stretch{205, 700})
	r.recordCame()
	r.waited(stretch{800, 9_000})
	if r.WaitingNs != 595 || *r.LongestWait != (stretch{100, 700}) {
		t.Errorf("%d ns, longest %+v", r.WaitingNs, r.LongestWait)
	}
}
