package lookup

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	askTimeout   = 2 * time.Second // per server
	totalTimeout = 5 * time.Second // what programs usually wait for
)

var errNoServer = errors.New("no name server is configured")

// Resolver asks the name servers that a file lists, as /etc/resolv.conf does. It is read again when it changes.
type Resolver struct {
	path string

	mu      sync.Mutex
	read    os.FileInfo // of the file that servers was read from
	servers []string
}

// NewResolver makes one that asks the name servers in the file.
func NewResolver(path string) *Resolver {
	return &Resolver{path: path}
}

// Ask puts the question to one server after the other, by the transport that it came by: a client that gets a truncated
// answer asks again by TCP itself.
func (r *Resolver) Ask(ctx context.Context, transport string, q *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	client := &dns.Client{Net: transport, Timeout: askTimeout}
	err := errNoServer
	for _, server := range r.current() {
		var answer *dns.Msg
		answer, err = exchange(ctx, client, q, server)
		if err == nil && answer.Rcode != dns.RcodeServerFailure && answer.Rcode != dns.RcodeRefused {
			return answer, nil
		}
		if err == nil {
			err = errors.New(dns.RcodeToString[answer.Rcode])
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// exchange puts one question to one server, until ctx ends.
func exchange(ctx context.Context, client *dns.Client, q *dns.Msg, server string) (*dns.Msg, error) {
	c, err := client.DialContext(ctx, server)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	// The client looks at the deadline of ctx only.
	defer context.AfterFunc(ctx, func() { c.Close() })()
	answer, _, err := client.ExchangeWithConnContext(ctx, q, c)
	return answer, err
}

// current gives the servers as host:port, from the file as it is now. A file that is not there lists none.
func (r *Resolver) current() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := os.Stat(r.path)
	if err != nil {
		r.read, r.servers = nil, nil
		return nil
	}
	if r.read != nil && os.SameFile(info, r.read) && info.ModTime().Equal(r.read.ModTime()) && info.Size() == r.read.Size() {
		return r.servers
	}
	r.read, r.servers = info, nil
	c, err := dns.ClientConfigFromFile(r.path)
	if err != nil {
		return nil
	}
	for _, s := range c.Servers {
		r.servers = append(r.servers, net.JoinHostPort(s, c.Port))
	}
	return r.servers
}
