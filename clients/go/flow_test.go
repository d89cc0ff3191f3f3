package main

import (
	"slices"
	"testing"
)

const ms = 1_000_000

func TestPausesAreKeptByAssignmentWithWhatWasCommitted(t *testing.T) {
	a := newAccount(place{0, 1}, "t", span{0, 100})
	a.flow = newFlow()
	a.beginEpoch()
	for offset, at := range [][2]int64{{10, 11}, {12, 13}, {50, 51}} {
		a.count(int64(offset), 10, 0)
		a.flowed(at[0]*ms, at[1]*ms)
		a.finished(at[1]*ms, 0)
	}
	a.flowed(60*ms, 61*ms) // Nothing was counted since.
	a.flow.taken(1, 3)
	a.flow.taken(1, 2)
	a.beginEpoch()
	a.count(3, 10, 0)
	a.flowed(80*ms, 90*ms)
	got := a.result(false).Flow
	if len(got) != 2 || got[0].FromNs != 10*ms || *got[0].Committed != 3 || got[1].Committed != nil ||
		!slices.Equal(got[0].StepsUs, []int64{3_000, 37_000, 1_000}) ||
		!slices.Equal(got[1].StepsUs, []int64{0, 10_000, 0}) {
		t.Errorf("%+v", got)
	}
}

func TestOfManyPausesTheLongOnesStay(t *testing.T) {
	f, atNs := newFlow(), int64(0)
	for number := range 10_000 {
		if atNs += 10 * ms; number == 7_000 {
			atNs += 1_990 * ms
		}
		f.add(1, atNs, atNs+ms)
	}
	steps := f.result()[0].StepsUs
	if len(steps) > 2_001 || slices.Max(steps) < 1_999_000 {
		t.Errorf("%d steps, the longest of %d us", len(steps), slices.Max(steps))
	}
}
