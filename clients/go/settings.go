package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// settings are properties in librdkafka's names, as this client understands them.
type settings struct {
	opts                         []kgo.Opt
	protocol                     string
	hasTLS, hasSASL              bool
	mechanism, user, password    string
	authorities                  *x509.CertPool
	certificate, key             []byte
	skipsHostname, skipsAnything bool
}

// unused are properties of tandem's own client. What they do, this one does not have.
var unused = []string{"enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof",
	"fetch.queue.backoff.ms", "queued.max.messages.kbytes", "queued.min.messages", "statistics.interval.ms"}

var balancers = map[string]func() kgo.GroupBalancer{
	"range": kgo.RangeBalancer, "roundrobin": kgo.RoundRobinBalancer, "sticky": kgo.StickyBalancer,
	"cooperative-sticky": kgo.CooperativeStickyBalancer,
}

// translate makes options of properties in librdkafka's names. One that it does not know is an error.
func translate(properties map[string]string) ([]kgo.Opt, error) {
	// In the consumer protocol a balancer stands for the assignor that the brokers have.
	s := settings{protocol: "classic"}
	for name, value := range properties {
		if slices.Contains(unused, name) {
			continue
		}
		set, known := ofProperty[name]
		if !known {
			return nil, fmt.Errorf("franz-go does not know the property %s%s", name, hint(name))
		}
		if err := set(&s, value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s.options(properties)
}

var ofProperty = map[string]func(*settings, string) error{
	"bootstrap.servers": func(s *settings, value string) error {
		return s.add(kgo.SeedBrokers(strings.Split(value, ",")...))
	},
	// The member passes it to kgo.ConsumerGroup, except for partitions taken by hand.
	"group.id": func(*settings, string) error { return nil },
	"group.protocol": func(s *settings, value string) error {
		s.protocol = value
		return oneOf(value, "classic", "consumer")
	},
	"partition.assignment.strategy": (*settings).setBalancers,
	"group.remote.assignor":         (*settings).setAssignor,
	"auto.offset.reset":             (*settings).setReset,
	"security.protocol":             (*settings).setSecurity,
	"sasl.mechanism":                (*settings).setMechanism,
	"sasl.mechanisms":               (*settings).setMechanism,
	"sasl.username":                 func(s *settings, value string) error { s.user = value; return nil },
	"sasl.password":                 func(s *settings, value string) error { s.password = value; return nil },
	"ssl.ca.location":               ofFile((*settings).setAuthorities),
	"ssl.ca.pem":                    func(s *settings, value string) error { return s.setAuthorities([]byte(value)) },
	"ssl.certificate.location":      ofFile(func(s *settings, pem []byte) error { s.certificate = pem; return nil }),
	"ssl.certificate.pem":           func(s *settings, value string) error { s.certificate = []byte(value); return nil },
	"ssl.key.location":              ofFile(func(s *settings, pem []byte) error { s.key = pem; return nil }),
	"ssl.key.pem":                   func(s *settings, value string) error { s.key = []byte(value); return nil },
	"ssl.key.password": func(*settings, string) error {
		return errors.New("this client reads keys that are not encrypted: give it a file without a password")
	},
	"ssl.endpoint.identification.algorithm": func(s *settings, value string) error {
		s.skipsHostname = value == "none"
		return oneOf(value, "https", "none")
	},
	"enable.ssl.certificate.verification": func(s *settings, value string) error {
		s.skipsAnything = value == "false"
		return oneOf(value, "true", "false")
	},
}

func (s *settings) add(opts ...kgo.Opt) error {
	s.opts = append(s.opts, opts...)
	return nil
}

func (s *settings) setBalancers(value string) error {
	var chosen []kgo.GroupBalancer
	for name := range strings.SplitSeq(value, ",") {
		balancer, known := balancers[strings.TrimSpace(name)]
		if !known {
			return oneOf(name, "range", "roundrobin", "sticky", "cooperative-sticky")
		}
		chosen = append(chosen, balancer())
	}
	return s.add(kgo.Balancers(chosen...))
}

func (s *settings) setAssignor(value string) error {
	switch value {
	case "uniform":
		return s.add(kgo.Balancers(kgo.StickyBalancer()))
	case "range":
		return s.add(kgo.Balancers(kgo.RangeBalancer()))
	}
	return oneOf(value, "uniform", "range")
}

func (s *settings) setReset(value string) error {
	switch value {
	case "earliest", "smallest", "beginning":
		return s.add(kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	case "latest", "largest", "end":
		return s.add(kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	}
	return oneOf(value, "earliest", "latest")
}

func (s *settings) setSecurity(value string) error {
	name := strings.ToLower(value)
	s.hasTLS, s.hasSASL = strings.HasSuffix(name, "ssl"), strings.HasPrefix(name, "sasl_")
	return oneOf(name, "plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
}

func (s *settings) setMechanism(value string) error {
	s.mechanism = value
	return oneOf(value, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
}

func (s *settings) setAuthorities(pem []byte) error {
	s.authorities = x509.NewCertPool()
	if !s.authorities.AppendCertsFromPEM(pem) {
		return errors.New("there is no certificate in the form PEM")
	}
	return nil
}

// ofFile reads the value's file.
func ofFile(set func(*settings, []byte) error) func(*settings, string) error {
	return func(s *settings, path string) error {
		pem, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return set(s, pem)
	}
}

func oneOf(value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("%q is none of %s", value, strings.Join(values, ", "))
}

func (s *settings) options(properties map[string]string) ([]kgo.Opt, error) {
	opts := s.opts
	if s.protocol == "consumer" {
		opts = append(opts, kgo.ServerSideBalancer())
		if _, chosen := properties["group.remote.assignor"]; !chosen {
			opts = append(opts, kgo.Balancers(kgo.StickyBalancer()))
		}
	}
	if s.hasTLS {
		config, err := s.tls()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	if s.hasSASL {
		opts = append(opts, kgo.SASL(s.login()))
	}
	return opts, nil
}

func (s *settings) login() sasl.Mechanism {
	switch s.mechanism {
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.user, Pass: s.password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.user, Pass: s.password}.AsSha512Mechanism()
	}
	return plain.Auth{User: s.user, Pass: s.password}.AsMechanism()
}

func (s *settings) tls() (*tls.Config, error) {
	config := &tls.Config{RootCAs: s.authorities, InsecureSkipVerify: s.skipsAnything || s.skipsHostname}
	if s.skipsHostname && !s.skipsAnything {
		// Go checks the name together with the chain, or neither: so the chain alone is checked here.
		config.VerifyConnection = func(state tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				between.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: s.authorities, Intermediates: between})
			return err
		}
	}
	if s.certificate == nil && s.key == nil {
		return config, nil
	}
	pair, err := tls.X509KeyPair(s.certificate, s.key)
	if err != nil {
		return nil, fmt.Errorf("ssl.certificate and ssl.key: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
