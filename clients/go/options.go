package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// An option is one of kgo that a user may set, by its own name. src/clients/go.tsv lists the same.
type option struct {
	name, values, byDefault string
	apply                   func(value string) (kgo.Opt, error)
}

const (
	readUncommitted = "read_uncommitted"
	readCommitted   = "read_committed"
)

// options are those of a consumer that have a value which text can give, sorted by name. Left out is what decides how
// the trial is read (topics, offsets, commits, callbacks) and what needs code.
var options = []option{
	{"AlwaysRetryEOF", "boolean", "false", flag(kgo.AlwaysRetryEOF)},
	{"AutoCommitInterval", "text", "5s", duration(kgo.AutoCommitInterval)},
	{"BalanceRacks", "boolean", "false", flag(kgo.BalanceRacks)},
	{"BrokerMaxReadBytes", "1..2147483647", "104857600", integer(1, kgo.BrokerMaxReadBytes)},
	{"BrokerMaxWriteBytes", "1..2147483647", "104857600", integer(1, kgo.BrokerMaxWriteBytes)},
	{"ConnIdleTimeout", "text", "30s", duration(kgo.ConnIdleTimeout)},
	{"ConsiderMissingTopicDeletedAfter", "text", "15s", duration(kgo.ConsiderMissingTopicDeletedAfter)},
	{"DialTimeout", "text", "10s", duration(kgo.DialTimeout)},
	{"DisableClientMetrics", "boolean", "false", flag(kgo.DisableClientMetrics)},
	{"DisableFetchCRCValidation", "boolean", "false", flag(kgo.DisableFetchCRCValidation)},
	{"DisableFetchSessions", "boolean", "false", flag(kgo.DisableFetchSessions)},
	{"FetchIsolationLevel", readUncommitted + "|" + readCommitted, readUncommitted, isolation},
	{"FetchMaxBytes", "1..2147483647", "52428800", integer(1, kgo.FetchMaxBytes)},
	{"FetchMaxPartitionBytes", "1..2147483647", "1048576", integer(1, kgo.FetchMaxPartitionBytes)},
	{"FetchMaxWait", "text", "5s", duration(kgo.FetchMaxWait)},
	{"FetchMinBytes", "1..2147483647", "1", integer(1, kgo.FetchMinBytes)},
	{"HeartbeatInterval", "text", "3s", duration(kgo.HeartbeatInterval)},
	{"MaxConcurrentFetches", "-1..2147483647", "-1", integer(-1, kgo.MaxConcurrentFetches)},
	{"MaxDecompressBatchBytes", "1..2147483647", "1073741824", integer(1, kgo.MaxDecompressBatchBytes)},
	{"MetadataMaxAge", "text", "5m", duration(kgo.MetadataMaxAge)},
	{"MetadataMinAge", "text", "5s", duration(kgo.MetadataMinAge)},
	{"Rack", "text", "", func(rack string) (kgo.Opt, error) { return kgo.Rack(rack), nil }},
	{"RebalanceTimeout", "text", "1m", duration(kgo.RebalanceTimeout)},
	{"RecheckPreferredReplicaInterval", "text", "30m", duration(kgo.RecheckPreferredReplicaInterval)},
	{"RequestRetries", "0..2147483647", "20", integer(0, kgo.RequestRetries)},
	{"RequestTimeoutOverhead", "text", "10s", duration(kgo.RequestTimeoutOverhead)},
	{"RetryTimeout", "text", "", duration(kgo.RetryTimeout)},
	{"SessionTimeout", "text", "45s", duration(kgo.SessionTimeout)},
}

// instead is what kgo has for properties of librdkafka that people know.
var instead = map[string]string{
	"auto.commit.interval.ms":            "AutoCommitInterval",
	"client.rack":                        "Rack",
	"connections.max.idle.ms":            "ConnIdleTimeout",
	"fetch.max.bytes":                    "FetchMaxBytes",
	"fetch.message.max.bytes":            "FetchMaxPartitionBytes",
	"fetch.min.bytes":                    "FetchMinBytes",
	"fetch.wait.max.ms":                  "FetchMaxWait",
	"fetch.max.wait.ms":                  "FetchMaxWait",
	"heartbeat.interval.ms":              "HeartbeatInterval",
	"isolation.level":                    "FetchIsolationLevel",
	"max.partition.fetch.bytes":          "FetchMaxPartitionBytes",
	"max.poll.interval.ms":               "RebalanceTimeout",
	"metadata.max.age.ms":                "MetadataMaxAge",
	"receive.message.max.bytes":          "BrokerMaxReadBytes",
	"session.timeout.ms":                 "SessionTimeout",
	"socket.connection.setup.timeout.ms": "DialTimeout",
	"socket.timeout.ms":                  "RequestTimeoutOverhead",
	"topic.metadata.refresh.interval.ms": "MetadataMaxAge",
}

// optionsOf are what a user set in kgo's own names.
func optionsOf(properties map[string]string) ([]kgo.Opt, error) {
	var opts []kgo.Opt
	for name, value := range properties {
		index := slices.IndexFunc(options, func(each option) bool { return each.name == name })
		if index < 0 {
			return nil, fmt.Errorf("franz-go has no option %s that this worker can set%s", name, hint(name))
		}
		opt, err := options[index].apply(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if opt != nil {
			opts = append(opts, opt)
		}
	}
	return opts, nil
}

// hint names what would be right, to follow an error.
func hint(name string) string {
	if own, known := instead[name]; known {
		return "; its name for that is " + own
	}
	for _, each := range options {
		if strings.EqualFold(each.name, name) {
			return "; did you mean " + each.name + "?"
		}
	}
	return ""
}

func duration[O kgo.Opt](of func(time.Duration) O) func(string) (kgo.Opt, error) {
	return func(value string) (kgo.Opt, error) {
		length, err := time.ParseDuration(value)
		if err != nil || length < 0 {
			return nil, fmt.Errorf("%q is no length of time in Go's form, such as \"500ms\" or \"5s\"", value)
		}
		return of(length), nil
	}
}

func integer[N int | int32, O kgo.Opt](least N, of func(N) O) func(string) (kgo.Opt, error) {
	return func(value string) (kgo.Opt, error) {
		number, err := strconv.ParseInt(value, 10, 32)
		if err != nil || N(number) < least {
			return nil, fmt.Errorf("%q is no integer of at least %d and at most 2147483647", value, least)
		}
		return of(N(number)), nil
	}
}

func flag[O kgo.Opt](of func() O) func(string) (kgo.Opt, error) {
	return func(value string) (kgo.Opt, error) {
		switch value {
		case "true":
			return of(), nil
		case "false":
			return nil, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", value)
	}
}

func isolation(value string) (kgo.Opt, error) {
	switch value {
	case readUncommitted:
		return kgo.FetchIsolationLevel(kgo.ReadUncommitted()), nil
	case readCommitted:
		return kgo.FetchIsolationLevel(kgo.ReadCommitted()), nil
	}
	return nil, fmt.Errorf("%q is neither %s nor %s", value, readUncommitted, readCommitted)
}
