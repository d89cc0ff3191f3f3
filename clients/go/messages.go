package main

import (
	"encoding/json"
	"fmt"
)

// The messages of the worker protocol, version 2: see docs/protocol.md.

type message struct {
	Type  string `json:"type"`
	AtNs  int64  `json:"at_ns"`
	Query uint64 `json:"query"`
	raw   []byte
}

type place struct {
	Topic     int   `json:"topic"`
	Partition int32 `json:"partition"`
}

type span struct {
	Low int64 `json:"low"`
	End int64 `json:"end"`
}

type calibration struct {
	IterationsPerUs float64 `json:"iterations_per_us"`
	SleepExcessNs   int64   `json:"sleep_excess_ns"`
}

type prepare struct {
	Consumers []struct {
		ClientID string  `json:"client_id"`
		Manual   []place `json:"manual"`
	} `json:"consumers"`
	Topics []struct {
		Name       string `json:"name"`
		Partitions []span `json:"partitions"`
	} `json:"topics"`
	Properties       map[string]string `json:"properties"`
	ClientProperties map[string]string `json:"client_properties"`
	Work             workOrder         `json:"work"`
	Calibration      calibration       `json:"calibration"`
	Commit           commitOrder       `json:"commit"`
	Read             string            `json:"read"`
	Threads          int               `json:"threads"`
	Manual           bool              `json:"manual"`
	Stamps           *stampOrder       `json:"stamps"`
	JoinsLate        bool              `json:"joins_late"`
	StaticMembership bool              `json:"static_membership"`
	Flow             bool              `json:"flow"`
	Store            *storeOrder       `json:"store"`
}

type storeOrder struct {
	// Secret.
	URL string `json:"url"`
	// A quoted identifier.
	Table   string `json:"table"`
	Write   string `json:"write"`
	Rows    int    `json:"rows"`
	OnError string `json:"on_error"`
}

type stampOrder struct {
	LeadNs        int64     `json:"lead_ns"`
	WarmupNs      int64     `json:"warmup_ns"`
	DurationNs    int64     `json:"duration_ns"`
	StampedFrom   [][]int64 `json:"stamped_from"`
	StampOffsetNs int64     `json:"stamp_offset_ns"`
}

// A workOrder is "none", "store", {"cpu": {"ns": 5000}} or {"wait": {"ns": 200000}}.
type workOrder struct {
	kind string
	ns   int64
}

func (w *workOrder) UnmarshalJSON(text []byte) error {
	var timed map[string]struct {
		Ns int64 `json:"ns"`
	}
	if json.Unmarshal(text, &w.kind) != nil && json.Unmarshal(text, &timed) == nil {
		for kind, of := range timed {
			w.kind, w.ns = kind, of.Ns
		}
	}
	switch w.kind {
	case "none", "cpu", "wait", "store":
		return nil
	}
	return fmt.Errorf("this worker does the work none, cpu, wait and store, not %s", text)
}

// A commitOrder is "none", "auto", "per_batch" or {"every": 1000}.
type commitOrder struct {
	kind  string
	every int
}

func (c *commitOrder) UnmarshalJSON(text []byte) error {
	var counted struct {
		Every int `json:"every"`
	}
	if json.Unmarshal(text, &c.kind) != nil && json.Unmarshal(text, &counted) == nil && counted.Every > 0 {
		c.kind, c.every = "every", counted.Every
	}
	switch c.kind {
	case "none", "auto", "per_batch", "every":
		return nil
	}
	return fmt.Errorf("this worker commits none, auto, per_batch or every n records, not %s", text)
}

type position struct {
	place
	Offset int64 `json:"offset"`
}

type stretch struct {
	FromNs  int64 `json:"from_ns"`
	UntilNs int64 `json:"until_ns"`
}

type run struct {
	First int64 `json:"first"`
	End   int64 `json:"end"`
	Epoch int   `json:"epoch"`
}

// Consecutive records of a partition.
type offsets struct {
	place
	First int64 `json:"first"`
	End   int64 `json:"end"`
}

type rebalance struct {
	AtNs       int64   `json:"at_ns"`
	Kind       string  `json:"kind"`
	Partitions []place `json:"partitions"`
}

type heldPartitions struct {
	Consumer   int     `json:"consumer"`
	Partitions []place `json:"partitions"`
	AssignedNs *int64  `json:"assigned_ns"`
}

type partitionResult struct {
	place
	Records   int64              `json:"records"`
	Bytes     int64              `json:"bytes"`
	FirstNs   *int64             `json:"first_ns"`
	LastNs    *int64             `json:"last_ns"`
	Runs      []run              `json:"runs"`
	Series    series             `json:"series"`
	Flow      []flowOfEpoch      `json:"flow,omitempty"`
	Latencies map[string]latency `json:"latencies,omitempty"`
	Waits     []waitSlice        `json:"waits,omitempty"`
}

type memberResult struct {
	Partitions    []partitionResult `json:"partitions"`
	WorkNs        int64             `json:"work_ns"`
	QueuedAtStart int64             `json:"queued_at_start"`
	Commits       int               `json:"commits"`
	Reading       reading           `json:"reading"`
	Rebalances    []rebalance       `json:"rebalances"`
	SlowCommits   []stretch         `json:"slow_commits,omitempty"`
	Store         *storeUse         `json:"store,omitempty"`
}
