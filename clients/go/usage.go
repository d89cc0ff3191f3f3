package main

import (
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	gcCPU     = "/cpu/classes/gc/total:cpu-seconds"
	allocated = "/gc/heap/allocs:bytes"
)

type threadUsage struct {
	Name   string `json:"name"`
	CPUNs  int64  `json:"cpu_ns"`
	WaitNs int64  `json:"wait_ns"`
}

type usage struct {
	WallNs              int64         `json:"wall_ns"`
	CPUNs               int64         `json:"cpu_ns"`
	VoluntarySwitches   int64         `json:"voluntary_switches"`
	InvoluntarySwitches int64         `json:"involuntary_switches"`
	PeakMemoryBytes     int64         `json:"peak_memory_bytes"`
	Threads             []threadUsage `json:"threads"`
	// CPU of the garbage collector, as of its last cycle.
	GcNs           int64  `json:"gc_ns"`
	AllocatedBytes uint64 `json:"allocated_bytes"`
}

// A snapshot is what the process has used up to a moment.
type snapshot struct {
	atNs, cpuNs, voluntary, involuntary int64
	gcNs                                int64
	allocatedBytes                      uint64
	threads                             map[string]threadUsage
}

func takeSnapshot() *snapshot {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic("cannot read the usage: " + err.Error())
	}
	runtime := []metrics.Sample{{Name: gcCPU}, {Name: allocated}}
	metrics.Read(runtime)
	return &snapshot{atNs: nowNs(), cpuNs: clockNs(clockProcess), voluntary: used.Nvcsw, involuntary: used.Nivcsw,
		gcNs: int64(runtime[0].Value.Float64() * 1e9), allocatedBytes: runtime[1].Value.Uint64(), threads: threads()}
}

func (s *snapshot) since(earlier *snapshot) *usage {
	used := &usage{WallNs: s.atNs - earlier.atNs, CPUNs: s.cpuNs - earlier.cpuNs,
		VoluntarySwitches: s.voluntary - earlier.voluntary, InvoluntarySwitches: s.involuntary - earlier.involuntary,
		PeakMemoryBytes: peakMemoryBytes(), Threads: []threadUsage{}, GcNs: s.gcNs - earlier.gcNs,
		AllocatedBytes: s.allocatedBytes - earlier.allocatedBytes}
	for thread, now := range s.threads {
		before := earlier.threads[thread]
		now.CPUNs, now.WaitNs = now.CPUNs-before.CPUNs, now.WaitNs-before.WaitNs
		if now.CPUNs > 0 {
			used.Threads = append(used.Threads, now)
		}
	}
	slices.SortFunc(used.Threads, func(a, b threadUsage) int { return int(b.CPUNs - a.CPUNs) })
	return used
}

// threads reads the threads of this process; those that end meanwhile are left out.
func threads() map[string]threadUsage {
	found := map[string]threadUsage{}
	tasks, _ := filepath.Glob("/proc/self/task/*")
	for _, task := range tasks {
		schedstat, err := os.ReadFile(task + "/schedstat")
		name, gone := os.ReadFile(task + "/comm")
		times := strings.Fields(string(schedstat))
		if err != nil || gone != nil || len(times) < 2 {
			continue
		}
		found[task] = threadUsage{strings.TrimSpace(string(name)), number(times[0]), number(times[1])}
	}
	return found
}

func peakMemoryBytes() int64 {
	// ru_maxrss survives exec, so that it may be the parent's.
	status, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _, _ := strings.Cut(after, "kB")
	return number(strings.TrimSpace(kib)) * 1024
}

// number reads a number of the kernel's; 0 if it gives none.
func number(text string) int64 {
	value, _ := strconv.ParseInt(text, 10, 64)
	return value
}
