package main

import (
	"runtime"
	"slices"
	"syscall"
)

const (
	prSetTimerSlack = 29
	rounds          = 21
	sleeps          = 60
)

// sink takes the result of the loop, so that the compiler cannot drop it.
var sink uint64

// work is what is done with each record; nil if nothing is.
func (w workOrder) prepared(speed calibration) func() {
	switch w.kind {
	case "cpu":
		iterations := max(1, int(float64(w.ns)/1e3*speed.IterationsPerUs))
		return func() { sink = compute(iterations) }
	case "wait":
		askNs := max(1, w.ns-speed.SleepExcessNs)
		return func() { sleepExactly(askNs) }
	}
	return nil
}

// holdThread keeps the goroutine on its thread and lets the thread's sleeps end within a nanosecond of their time, as
// far as the kernel can.
func holdThread() {
	runtime.LockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerSlack, 1, 0); errno != 0 {
		panic("cannot set the timer slack: " + errno.Error())
	}
}

// sleepExactly sleeps as the thread does. Go's own timers end up to a millisecond late where all goroutines wait.
func sleepExactly(ns int64) {
	left := syscall.NsecToTimespec(ns)
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}

// compute is a chain of multiplications, whose time is proportional to its length.
func compute(iterations int) uint64 {
	x := sink | 1
	for range iterations {
		x = x*6364136223846793005 + 1
	}
	return x
}

// calibrate measures the loop in CPU time of this thread, and by how much a sleep is too long.
func calibrate() calibration {
	measured := make(chan calibration)
	go func() {
		// The thread ends with the goroutine, as it is locked to it.
		holdThread()
		guess := rate(2_000_000)
		for range 2 {
			guess = max(guess, rate(2_000_000))
		}
		rates := make([]float64, rounds)
		for round := range rates {
			rates[round] = rate(int(guess * 5_000))
		}
		excess := make([]int64, sleeps)
		for round := range excess {
			askNs := []int64{200_000, 1_000_000, 2_000_000}[round%3]
			fromNs := nowNs()
			sleepExactly(askNs)
			excess[round] = nowNs() - fromNs - askNs
		}
		slices.Sort(rates)
		slices.Sort(excess)
		measured <- calibration{rates[rounds/2], max(0, excess[sleeps/2])}
	}()
	return <-measured
}

// rate is iterations in a microsecond of CPU.
func rate(iterations int) float64 {
	fromNs := clockNs(clockThread)
	sink = compute(iterations)
	return float64(iterations) * 1e3 / float64(max(1, clockNs(clockThread)-fromNs))
}
