package main

// reading is what the goroutine that reads does with its time, apart from records.
type reading struct {
	Readers      int      `json:"readers"`
	WaitingNs    int64    `json:"waiting_ns"`
	CommittingNs int64    `json:"committing_ns"`
	LongestWait  *stretch `json:"longest_wait"`
	// Of records with a stamp.
	WorkingThreads int   `json:"working_threads"`
	IdleNs         int64 `json:"idle_ns"`
	openNs         int64
	open           *stretch
}

// waited says that it waited for records. What follows the last record is no waiting for one, so it counts with the
// next.
func (r *reading) waited(wait stretch) {
	r.openNs += wait.UntilNs - wait.FromNs
	if r.open == nil {
		r.open = &wait
	}
	r.open.UntilNs = wait.UntilNs
}

func (r *reading) recordCame() {
	if r.open != nil {
		r.WaitingNs += r.openNs
		r.keepLongest(r.open)
		r.openNs, r.open = 0, nil
	}
}

func (r *reading) committed(fromNs, untilNs int64) {
	r.CommittingNs += untilNs - fromNs
	r.keepLongest(&stretch{fromNs, untilNs})
}

func (r *reading) keepLongest(s *stretch) {
	if r.LongestWait == nil || s.UntilNs-s.FromNs > r.LongestWait.UntilNs-r.LongestWait.FromNs {
		r.LongestWait = s
	}
}
