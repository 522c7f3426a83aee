// Package traffic is the clients of the load test: requests with and without bodies over connections that are kept,
// slow streams and WebSockets, at a steady rate, to apps of which every answer says the version that gave it. It finds
// requests that fail or are cut, and answers of a version that is older than one that was seen before the request began,
// from whichever app.
//
// It deploys nothing. Start with Run.
package traffic

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what to ask whom. Everything must be set.
type Config struct {
	Router  string   // HOST:PORT
	Hosts   []string // of the apps; they change their version together
	Rate    int      // requests a second, half of them with a body, over Clients connections
	Clients int
	Streams int // slow answers in flight at any time
	Sockets int // WebSockets in use at any time
}

// Report is what has become of the traffic.
type Report struct {
	Requests, Streams, Sockets int // that ended well
	Faults                     []string
	FaultCount                 int // Faults holds the first of them
	Newest                     int // version that was seen
	P50, P99, Most             time.Duration
	Took                       time.Duration // of the requests; streams and sockets end later
}

// Rate is how many requests a second were answered.
func (r Report) Rate() float64 { return float64(r.Requests) / r.Took.Seconds() }

// mostFaults is how many faults a report tells of.
const mostFaults = 20

// Run makes traffic until ctx ends, lets what is in flight end, and reports.
func Run(ctx context.Context, c Config) Report {
	t := &traffic{Config: c, client: newClient(c)}
	began := time.Now()
	var short, long sync.WaitGroup
	for i := range c.Clients {
		short.Go(func() { t.requests(ctx, i) })
	}
	for i := range c.Streams {
		long.Go(func() { t.again(ctx, i, t.stream, &t.streams) })
	}
	for i := range c.Sockets {
		long.Go(func() { t.again(ctx, i, t.socket, &t.sockets) })
	}
	short.Wait()
	took := time.Since(began)
	long.Wait()
	t.client.CloseIdleConnections()
	return t.report(took)
}

// traffic is one run.
type traffic struct {
	Config
	client
	newest           atomic.Int64
	streams, sockets atomic.Int64

	mu     sync.Mutex
	took   []time.Duration // of requests that ended well
	faults []string
	count  int
}

// requests asks at the share of one client in the rate. It sends late requests at once: an answer that takes long must
// not thin out the traffic.
func (t *traffic) requests(ctx context.Context, client int) {
	every := time.Duration(t.Clients) * time.Second / time.Duration(t.Rate)
	next := time.Now().Add(every * time.Duration(client) / time.Duration(t.Clients))
	for n := client; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		next = next.Add(every)
		host := t.Hosts[n%len(t.Hosts)]
		began := time.Now()
		err := t.ask(host, n%4 < 2)
		t.done(time.Since(began), err)
	}
}

// again does one thing after the other.
func (t *traffic) again(ctx context.Context, n int, do func(host string) error, well *atomic.Int64) {
	for ; ctx.Err() == nil; n++ {
		if err := do(t.Hosts[n%len(t.Hosts)]); err != nil {
			t.fault(err)
			continue
		}
		well.Add(1)
	}
}

func (t *traffic) done(took time.Duration, err error) {
	if err != nil {
		t.fault(err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = append(t.took, took)
}

func (t *traffic) fault(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if len(t.faults) < mostFaults {
		t.faults = append(t.faults, time.Now().UTC().Format("15:04:05.000 ")+err.Error())
	}
}

// seen judges the version of an answer whose request began when floor was the newest one that anybody had seen.
func (t *traffic) seen(what string, version, floor int64) error {
	for {
		newest := t.newest.Load()
		if version <= newest || t.newest.CompareAndSwap(newest, version) {
			break
		}
	}
	if version < floor {
		return fmt.Errorf("%s: version %d answers, after an answer of version %d had come", what, version, floor)
	}
	return nil
}

func (t *traffic) report(took time.Duration) Report {
	r := Report{
		Requests: len(t.took), Streams: int(t.streams.Load()), Sockets: int(t.sockets.Load()),
		Faults: t.faults, FaultCount: t.count, Newest: int(t.newest.Load()), Took: took,
	}
	if n := len(t.took); n > 0 {
		slices.Sort(t.took)
		r.P50, r.P99, r.Most = t.took[n/2], t.took[n*99/100], t.took[n-1]
	}
	return r
}
