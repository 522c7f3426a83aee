package router_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

// A stage of two public hosts, a private one and a TCP port is swapped again and again, while another one is swapped
// beside it. Each task says which swap it belongs to. A request that begins after any answer of a swap must get
// that one or a later one, wherever it asks, and though half of the tasks take no connection, so that retries are
// common.
func TestNoRequestMeetsAnOlderSwapThanAnyAnswerBefore(t *testing.T) {
	const swaps, owners = 60, 2
	f := newFront(t, router.Config{})
	var all sync.WaitGroup
	for owner := range owners {
		s := newSequence(t, f, fmt.Sprint("owner", owner), swaps)
		all.Go(func() { s.run(swaps) })
	}
	all.Wait()
}

type sequence struct {
	t        *testing.T
	front    *front
	owner    string
	inside   *front
	port     string
	tasks    [][]router.Upstream // of each swap
	dead     router.Upstream
	newest   atomic.Int64
	answered atomic.Int64
	done     chan struct{}
}

func newSequence(t *testing.T, f *front, owner string, swaps int) *sequence {
	s := &sequence{t: t, front: f, owner: owner, inside: f.inside(t, owner), done: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.ServeStream(listener, owner, "db") }()
	t.Cleanup(func() {
		_ = listener.Close()
		<-served
	})
	for n := range swaps {
		id := fmt.Sprint(owner, "-", n)
		web, _ := backend(t, id+"-web", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strconv.Itoa(n)) })
		db := tcpApp(t, id+"-db", func(conn *net.TCPConn) { _, _ = io.WriteString(conn, strconv.Itoa(n)) })
		s.tasks = append(s.tasks, []router.Upstream{web, db})
	}
	s.dead = dead(t, owner+"-dead")
	return s
}

func (s *sequence) swap(n int) {
	gone := router.Upstream{ID: fmt.Sprint(s.dead.ID, n), Addr: s.dead.Addr}
	web, db := []router.Upstream{gone, s.tasks[n][0]}, []router.Upstream{gone, s.tasks[n][1]}
	s.front.Router.Set(s.owner, router.Routes{
		HTTP: []router.Route{
			{Host: s.host("web"), Upstreams: web},
			{Host: "*." + s.host("api"), Upstreams: web},
			{Host: s.host("private"), Upstreams: web, Private: true},
		},
		TCP: []router.Stream{{Key: "db", Upstreams: db}},
	})
}

func (s *sequence) host(app string) string { return app + "." + s.owner + ".localhost" }

func (s *sequence) run(swaps int) {
	s.swap(0)
	var clients sync.WaitGroup
	for _, ask := range []func() string{
		func() string { return s.get(s.front, s.host("web")) },
		func() string { return s.get(s.front, "x."+s.host("api")) },
		func() string { return s.get(s.inside, s.host("private")) },
		s.read,
	} {
		for range 2 {
			clients.Go(func() { s.client(ask) })
		}
	}
	for n := 1; n < swaps; n++ {
		for before := s.answered.Load(); s.answered.Load() < before+20 && !s.t.Failed(); {
			_ = s.get(s.front, s.host("web")) // so that there is something to wait with
		}
		s.swap(n)
	}
	close(s.done)
	clients.Wait()
}

func (s *sequence) client(ask func() string) {
	for {
		select {
		case <-s.done:
			return
		default:
		}
		newest := s.newest.Load()
		answer := ask()
		n, err := strconv.ParseInt(answer, 10, 64)
		if err != nil || n < newest {
			s.t.Errorf("%s: %q was answered after %d had been", s.owner, answer, newest)
			return
		}
		s.answered.Add(1)
		for seen := s.newest.Load(); n > seen && !s.newest.CompareAndSwap(seen, n); seen = s.newest.Load() {
		}
	}
}

func (s *sequence) get(f *front, host string) string {
	req, err := http.NewRequest(http.MethodPost, "http://"+f.addr, io.MultiReader(strings.NewReader("body")))
	if err != nil {
		return err.Error()
	}
	req.Host = host
	res, err := f.client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// read gets what a stream says.
func (s *sequence) read() string {
	conn, err := net.Dial("tcp", s.port)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close() }()
	said, err := io.ReadAll(conn)
	if err != nil {
		return err.Error()
	}
	return string(said)
}
