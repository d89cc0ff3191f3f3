package main

import (
	"syscall"
	"time"
	"unsafe"
)

// Clocks of the kernel, as in <linux/time.h>.
const (
	clockMonotonic = 1
	clockProcess   = 2
	clockThread    = 3
)

func clockNs(clock uintptr) int64 {
	var now syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		panic("cannot read a clock: " + errno.Error())
	}
	return now.Nano()
}

// Go reads CLOCK_MONOTONIC without a system call, but only tells differences: origin is a moment on both scales.
var origin, originNs = readOrigin()

func readOrigin() (time.Time, int64) {
	var at time.Time
	var atNs int64
	least := time.Hour
	for range 100 {
		before := time.Now()
		ns := clockNs(clockMonotonic)
		if took := time.Since(before); took < least {
			at, atNs, least = before.Add(took/2), ns, took
		}
	}
	return at, atNs
}

// nowNs is CLOCK_MONOTONIC, the clock of the protocol.
func nowNs() int64 {
	return originNs + int64(time.Since(origin))
}

func sleepUntil(atNs int64) {
	time.Sleep(time.Duration(atNs - nowNs()))
}
