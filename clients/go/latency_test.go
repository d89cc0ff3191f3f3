package main

import (
	"encoding/binary"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func stamped(intendedNs, sentNs uint64) []byte {
	value := binary.LittleEndian.AppendUint64(nil, intendedNs)
	return append(binary.LittleEndian.AppendUint64(value, sentNs), make([]byte, 8)...)
}

func TestWhatAHistogramCannotHoldIsCountedBesideIt(t *testing.T) {
	r := newRecorder()
	if !r.isEmpty() {
		t.Error("it begins empty")
	}
	r.record(10, 9)
	r.record(0, highestNs+1)
	r.record(0, 123_456_789)
	saved := r.saved()
	if saved.Negative != 1 || saved.Overflow != 1 || saved.SumNs != 123_456_789 {
		t.Errorf("%+v", saved)
	}
	decoded, err := hdrhistogram.Decode([]byte(saved.Histogram))
	if err != nil || decoded.TotalCount() != 1 || !decoded.ValuesAreEquivalent(decoded.Max(), 123_456_789) {
		t.Errorf("%v, %+v", err, decoded)
	}
}

func TestRecordsOfTheWindowHaveFiveTimesAndOthersOnlyASecond(t *testing.T) {
	order := &stampOrder{WarmupNs: 1_000, DurationNs: 2_000, StampedFrom: [][]int64{{5}}, StampOffsetNs: 100}
	w, a := newWaits(order, 0), newAccount(place{}, "t", span{0, 9})
	if w.isStamped(a, 4) || !w.isStamped(a, 5) {
		t.Error("the first with a stamp is at 5")
	}
	if w.record(a, []byte("short"), 0, 0, 0) {
		t.Error("that is no stamp")
	}
	w.record(a, stamped(2_100, 2_110), 2_020, 2_030, 2_060)
	w.record(a, stamped(600, 610), 700, 710, 720)
	for name, sum := range map[string]float64{"producer_delay": 10, "transit": 10, "queued": 10, "work": 30, "response": 60} {
		if got := a.waits.saved()[name].SumNs; got != sum {
			t.Errorf("%s: %v instead of %v", name, got, sum)
		}
	}
	if a.waits.slices[10] != (waitSlice{1, 30}) {
		t.Errorf("%+v", a.waits.slices)
	}
	w.pass(secondNs)
	if taken := w.take(); len(taken) != 1 || taken[0].Second != 0 || taken[0].Response.SumNs != 280 || len(w.take()) != 0 {
		t.Errorf("%+v", taken)
	}
}

func TestTimeWithoutWorkCountsWithinTheWindow(t *testing.T) {
	w := newWaits(&stampOrder{DurationNs: 10_000_000, StampedFrom: [][]int64{{0}}}, 0)
	w.worked(1_100_000, 2_000_000)
	w.worked(2_050_000, 3_000_000)
	w.close()
	if w.idleNs != 1_000_000+6_900_000 {
		t.Errorf("%d ns", w.idleNs)
	}
}
