package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestPropertiesOfTheContractAreTranslated(t *testing.T) {
	opts, err := translate(map[string]string{"bootstrap.servers": "a:1,b:2", "group.id": "g", "group.protocol": "classic",
		"partition.assignment.strategy": "range,roundrobin", "auto.offset.reset": "earliest", "enable.auto.commit": "false",
		"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "u", "sasl.password": "p",
		"ssl.endpoint.identification.algorithm": "none", "queued.min.messages": "1", "statistics.interval.ms": "100"})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(opts, kgo.ConsumerGroup("g"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if seeds := client.OptValue(kgo.SeedBrokers).([]string); !slices.Equal(seeds, []string{"a:1", "b:2"}) {
		t.Error(seeds)
	}
	if client.OptValue(kgo.DialTLSConfig) == nil {
		t.Error("TLS is not used")
	}
}

func TestWhatItCannotTranslateIsNamedWithWhatWouldBeRight(t *testing.T) {
	for name, of := range map[string]struct{ value, want string }{
		"fetch.min.bytes":               {"1", "franz-go does not know the property fetch.min.bytes; its name for that is FetchMinBytes"},
		"compression.level":             {"1", "franz-go does not know the property compression.level"},
		"sasl.mechanism":                {"GSSAPI", `sasl.mechanism: "GSSAPI" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512`},
		"security.protocol":             {"tls", `security.protocol: "tls" is none of plaintext, ssl, sasl_plaintext, sasl_ssl`},
		"ssl.ca.location":               {"/nowhere.pem", "ssl.ca.location: open /nowhere.pem: no such file or directory"},
		"ssl.ca.pem":                    {"x", "ssl.ca.pem: there is no certificate in the form PEM"},
		"ssl.key.password":              {"x", "ssl.key.password: this client reads keys that are not encrypted: give it a file without a password"},
		"partition.assignment.strategy": {"even", `partition.assignment.strategy: "even" is none of range, roundrobin, sticky, cooperative-sticky`},
	} {
		if _, err := translate(map[string]string{name: of.value}); err == nil || err.Error() != of.want {
			t.Errorf("%v", err)
		}
	}
}

func TestOptionsOfTheUserAreCheckedByName(t *testing.T) {
	for name, of := range map[string]struct{ value, want string }{
		"FetchMaxWait":        {"500", `FetchMaxWait: "500" is no length of time in Go's form, such as "500ms" or "5s"`},
		"FetchMinBytes":       {"0", `FetchMinBytes: "0" is no integer of at least 1 and at most 2147483647`},
		"BalanceRacks":        {"yes", `BalanceRacks: "yes" is neither true nor false`},
		"FetchIsolationLevel": {"none", `FetchIsolationLevel: "none" is neither read_uncommitted nor read_committed`},
		"fetchminbytes":       {"1", "franz-go has no option fetchminbytes that this worker can set; did you mean FetchMinBytes?"},
		"session.timeout.ms":  {"1", "franz-go has no option session.timeout.ms that this worker can set; its name for that is SessionTimeout"},
		"ProducerLinger":      {"1s", "franz-go has no option ProducerLinger that this worker can set"},
	} {
		if _, err := optionsOf(map[string]string{name: of.value}); err == nil || err.Error() != of.want {
			t.Errorf("%v", err)
		}
	}
	opts, err := optionsOf(map[string]string{"FetchMaxWait": "100ms", "MaxConcurrentFetches": "-1", "BalanceRacks": "false"})
	if err != nil || len(opts) != 2 {
		t.Errorf("%d options, %v", len(opts), err)
	}
}

func TestDefaultsAreThoseOfTheLibrary(t *testing.T) {
	client, err := kgo.NewClient(kgo.ConsumerGroup("g"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, each := range options {
		// RetryTimeout is a function of the request, and a rack is none.
		if each.byDefault == "" {
			continue
		}
		value := client.OptValue(each.name)
		switch own := value.(type) {
		case time.Duration:
			if byDefault, err := time.ParseDuration(each.byDefault); err != nil || byDefault != own {
				t.Errorf("%s: %s instead of %s", each.name, each.byDefault, own)
			}
		case int8: // The isolation level, as the protocol has it.
			if own != 0 || each.byDefault != readUncommitted {
				t.Errorf("%s: %v", each.name, own)
			}
		default:
			if fmt.Sprint(own) != each.byDefault {
				t.Errorf("%s: %s instead of %v", each.name, each.byDefault, own)
			}
		}
	}
}

// tandem checks the names and values of a scenario by that table before it starts anything.
func TestTheTableOfTandemListsTheSameOptions(t *testing.T) {
	const table = "../../src/clients/go.tsv"
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")[1:]
	if len(lines) != len(options) {
		t.Fatalf("%s has %d options instead of %d", table, len(lines), len(options))
	}
	for index, each := range options {
		columns := append(strings.Split(lines[index], "\t"), "", "")
		if want := []string{each.name, each.values, each.byDefault}; !slices.Equal(columns[:3], want) {
			t.Errorf("%s has %q instead of %q", table, columns[:3], want)
		}
		if inLibrdkafka := columns[3]; inLibrdkafka != "" && instead[inLibrdkafka] != each.name {
			t.Errorf("%s has %s for %s, and the hint is %q", table, each.name, inLibrdkafka, instead[inLibrdkafka])
		}
	}
	byName := func(a, b option) int { return strings.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(options, byName) {
		t.Error("options are not sorted by name")
	}
}

func TestOrdersAreReadAndUnknownOnesRefused(t *testing.T) {
	var order prepare
	text := `{"work": {"wait": {"ns": 200000}}, "commit": {"every": 1000}, "read": "batch"}`
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	if order.Work != (workOrder{"wait", 200_000}) || order.Commit != (commitOrder{"every", 1_000}) {
		t.Errorf("%+v", order)
	}
	for text, want := range map[string]string{
		`{"work": {"sleep": {}}}`: `this worker does the work none, cpu, wait and store, not {"sleep": {}}`,
		`{"commit": "sometimes"}`: `this worker commits none, auto, per_batch or every n records, not "sometimes"`,
	} {
		if err := json.Unmarshal([]byte(text), new(prepare)); err == nil || err.Error() != want {
			t.Errorf("%v", err)
		}
	}
}

func TestWorkShowsInTheUsageOfTheProcess(t *testing.T) {
	before := takeSnapshot()
	workOrder{"cpu", 50_000_000}.prepared(calibrate())()
	used := takeSnapshot().since(before)
	if used.CPUNs < 40_000_000 || used.PeakMemoryBytes < 1<<20 || len(used.Threads) == 0 {
		t.Errorf("%+v", used)
	}
	fromNs := nowNs()
	workOrder{"wait", 2_000_000}.prepared(calibration{SleepExcessNs: 50_000})()
	if took := nowNs() - fromNs; took < 1_950_000 {
		t.Errorf("%d ns", took)
	}
}
