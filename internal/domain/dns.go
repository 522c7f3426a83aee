package domain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/miekg/dns"
)

// resolver asks name servers by itself: the system's resolver would follow a CNAME record instead of giving it.
type resolver struct {
	address string // HOST:PORT; empty: those of systemFile, read at every question
}

const (
	systemFile = "/etc/resolv.conf"
	tryLimit   = 2 * time.Second // for one question to one server
	udpSize    = 1232            // bytes of an answer that no network splits
)

// cname gives the value of a CNAME record, "" where there is none. It follows no chain. An error says that no server
// has given an answer that counts.
func (r resolver) cname(ctx context.Context, name string) (string, error) {
	servers, err := r.servers()
	if err != nil {
		return "", err
	}
	for range 2 { // a packet can get lost
		for _, server := range servers {
			var answer *dns.Msg
			if answer, err = ask(ctx, name, server); err == nil {
				return valueOf(answer, name), nil
			}
			if ctx.Err() != nil {
				return "", err
			}
		}
	}
	return "", err
}

func (r resolver) servers() ([]string, error) {
	if r.address != "" {
		return []string{r.address}, nil
	}
	c, err := dns.ClientConfigFromFile(systemFile)
	if err != nil {
		return nil, fmt.Errorf("read the system's name servers: %w", err)
	}
	var all []string
	for _, server := range c.Servers {
		all = append(all, net.JoinHostPort(server, c.Port))
	}
	if len(all) == 0 {
		return nil, errors.New(systemFile + " names no name server")
	}
	return all, nil
}

// ask asks one server, once more by TCP where the answer is too long for a packet. An answer that is neither a yes nor a
// no is an error.
func ask(ctx context.Context, name, server string) (answer *dns.Msg, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	question := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeCNAME).SetEdns0(udpSize, false)
	for _, network := range []string{"udp", "tcp"} {
		answer, _, err = (&dns.Client{Net: network, Timeout: tryLimit}).ExchangeContext(ctx, question, server)
		if err != nil {
			return nil, withoutAddresses(err)
		}
		if !answer.Truncated {
			break
		}
	}
	if answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("the name server says %s", dns.RcodeToString[answer.Rcode])
	}
	return answer, nil
}

// withoutAddresses leaves out of an error, which users read, where the server's own name servers are.
func withoutAddresses(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return errors.New("it took too long")
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

func valueOf(answer *dns.Msg, name string) string {
	for _, r := range answer.Answer {
		if c, ok := r.(*dns.CNAME); ok && sameName(c.Hdr.Name, name) {
			return c.Target
		}
	}
	return ""
}
