package main

const (
	pauseMinNs    = 5_000_000
	stretchesMax  = 1_000
	slowCommitNs  = 50_000_000
	slowCommitMax = 1_000
)

// A flow is when a partition was read and when not, assignment by assignment: stretches of reading, and the pauses between
// them.
type flow struct {
	stretches  []epochStretch
	committed  map[int]int64
	pauseMinNs int64
}

type epochStretch struct {
	epoch int
	stretch
}

// A flowOfEpoch is a flow as the protocol has it: microseconds of reading, of pause, of reading and so on.
type flowOfEpoch struct {
	Epoch     int     `json:"epoch"`
	FromNs    int64   `json:"from_ns"`
	Committed *int64  `json:"committed"`
	StepsUs   []int64 `json:"steps_us"`
}

func newFlow() *flow {
	return &flow{committed: map[int]int64{}, pauseMinNs: pauseMinNs}
}

func (f *flow) add(epoch int, fromNs, untilNs int64) {
	if last := len(f.stretches) - 1; last >= 0 && f.stretches[last].epoch == epoch &&
		fromNs-f.stretches[last].UntilNs < f.pauseMinNs {
		f.stretches[last].UntilNs = max(f.stretches[last].UntilNs, untilNs)
		return
	}
	f.stretches = append(f.stretches, epochStretch{epoch, stretch{fromNs, untilNs}})
	if len(f.stretches) <= stretchesMax {
		return
	}
	// Memory does not grow with the time: the shortest pauses go.
	f.pauseMinNs *= 2
	known := f.stretches
	f.stretches = nil
	for _, each := range known {
		f.add(each.epoch, each.FromNs, each.UntilNs)
	}
}

// taken says that the cluster took a commit under an assignment.
func (f *flow) taken(epoch int, offset int64) {
	if before, isKnown := f.committed[epoch]; !isKnown || offset > before {
		f.committed[epoch] = offset
	}
}

func (f *flow) result() []flowOfEpoch {
	all, reachedUs := []flowOfEpoch{}, int64(0)
	for _, each := range f.stretches {
		edges := []int64{each.FromNs, each.UntilNs}
		if len(all) == 0 || all[len(all)-1].Epoch != each.epoch {
			of := flowOfEpoch{Epoch: each.epoch, FromNs: each.FromNs}
			if offset, isKnown := f.committed[each.epoch]; isKnown {
				of.Committed = &offset
			}
			all, edges, reachedUs = append(all, of), edges[1:], 0
		}
		latest := &all[len(all)-1]
		for _, atNs := range edges {
			atUs := max(reachedUs, (atNs-latest.FromNs)/1_000)
			latest.StepsUs = append(latest.StepsUs, atUs-reachedUs)
			reachedUs = atUs
		}
	}
	return all
}
