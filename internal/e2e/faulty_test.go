package e2e

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// faulty is a proxy between the program and the server that loses or delays some of what goes through it. Its faults come
// from a seed.
type faulty struct {
	*httptest.Server
	target string

	mu     sync.Mutex
	random *rand.Rand
	did    map[fault]int
}

// fault is what the proxy does to one request.
type fault string

const (
	none       fault = "nothing"
	refused503 fault = "answers 503 by itself"
	before     fault = "cuts before it forwards"
	during     fault = "cuts both sides while the server works"
	after      fault = "cuts before the first byte of the answer"
	middle     fault = "cuts in the middle of the answer"
	late       fault = "delays the answer"
)

// rates are how often each comes, in a thousand.
var rates = []struct {
	fault fault
	rate  int
}{{before, 15}, {refused503, 5}, {during, 10}, {after, 15}, {middle, 15}, {late, 10}}

func newFaulty(t *testing.T, target string, seed uint64) *faulty {
	p := &faulty{target: target, random: rand.New(rand.NewPCG(seed, seed)), did: map[fault]int{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *faulty) draw() fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, drawn := p.random.IntN(1000), none
	for _, r := range rates {
		if n < r.rate {
			drawn = r.fault
			break
		}
		n -= r.rate
	}
	p.did[drawn]++
	return drawn
}

func (p *faulty) count(f fault) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.did[f]
}

// abort cuts the connection to the client.
func abort() { panic(http.ErrAbortHandler) }

func (p *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := p.draw()
	switch fault {
	case before:
		abort()
	case refused503:
		http.Error(w, "<h1>try again later</h1>", http.StatusServiceUnavailable)
		return
	}
	response, err := p.forward(r, fault)
	if err != nil {
		abort()
	}
	defer response.Body.Close() //nolint:errcheck // nobody would do anything else
	switch fault {
	case after:
		abort()
	case late:
		time.Sleep(30 * time.Millisecond) // the fault itself
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	if pass(w, response.Body, fault == middle) != nil {
		abort()
	}
}

// forward sends the request on; during leaves before the answer may be there.
func (p *faulty) forward(r *http.Request, fault fault) (*http.Response, error) {
	ctx := r.Context()
	if fault == during {
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		context.AfterFunc(ctx, cancel)
		ctx = short
	}
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", p.target, ""
	return http.DefaultTransport.RoundTrip(out)
}

// pass copies an answer as it comes, or the half of what comes first.
func pass(w http.ResponseWriter, body io.Reader, half bool) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		if half {
			n /= 2
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		switch {
		case half:
			return io.ErrUnexpectedEOF
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
