package routing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// portStore keeps the ports of one stage.
type portStore map[string]int

func (s portStore) ReservePort(_ context.Context, _, app string, low, high int) (int, error) {
	if s[app] != 0 {
		return s[app], nil
	}
	taken := map[int]bool{}
	for port := range maps.Values(s) {
		taken[port] = true
	}
	for port := low; port <= high; port++ {
		if !taken[port] {
			s[app] = port
			return port, nil
		}
	}
	return 0, errExhausted
}

var errExhausted = errors.New("all are taken")

func (s portStore) ReleasePort(_ context.Context, _, app string) error {
	delete(s, app)
	return nil
}

func (s portStore) Ports(context.Context, string) (map[string]int, error) { return s, nil }

// greeter gives ports on which each connection is told the app's name.
func greeter(t *testing.T, s portStore, low, high int) *Ports {
	t.Helper()
	p := &Ports{
		Host: "127.0.0.1", Low: low, High: high, Store: s, Logger: slog.New(slog.DiscardHandler),
		Listen: func(_ string, listen func() (net.Listener, error)) (net.Listener, error) { return listen() },
		Serve: func(l net.Listener, _, app string) error {
			for {
				conn, err := l.Accept()
				if err != nil {
					return err
				}
				_, _ = io.WriteString(conn, app)
				_ = conn.Close()
			}
		},
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func greeting(address string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	text, _ := io.ReadAll(conn)
	return string(text)
}

// takenPort is a port that another program has; the one above it is most likely free.
func takenPort(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

func TestAPortThatAnotherProgramHasIsPassedOver(t *testing.T) {
	_, taken := takenPort(t)
	s := portStore{}
	p := greeter(t, s, taken, taken+50)
	if err := p.OpenPort(t.Context(), ref, "queue"); err != nil {
		t.Fatal(err)
	}
	if s["queue"] <= taken {
		t.Fatalf("port %d", s["queue"])
	}
	if got := greeting(p.listeners[portKey{ref.ID, "queue"}].Addr().String()); got != "queue" {
		t.Errorf("got %q", got)
	}
}

func TestAnAppKeepsItsPortOverARestart(t *testing.T) {
	free, port := takenPort(t)
	_ = free.Close()
	s := portStore{}
	p := greeter(t, s, port, port)
	if err := p.OpenPort(t.Context(), ref, "queue"); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = greeter(t, s, port, port)
	for range 2 { // the second has nothing to do
		if err := p.Resume(t.Context(), ref.ID); err != nil {
			t.Fatal(err)
		}
	}
	address := p.listeners[portKey{ref.ID, "queue"}].Addr().String()
	if got := greeting(address); got != "queue" || !strings.HasSuffix(address, ":"+strconv.Itoa(port)) {
		t.Errorf("at %s: %q", address, got)
	}
	if err := p.ClosePort(t.Context(), ref, "queue"); err != nil || len(s) > 0 {
		t.Fatal(err, s)
	}
	if got := greeting(address); !strings.Contains(got, "refused") {
		t.Errorf("after it was closed: %q", got)
	}
}

func TestWithoutAPortLeftNothingStaysReserved(t *testing.T) {
	_, taken := takenPort(t)
	s := portStore{}
	if err := greeter(t, s, taken, taken).OpenPort(t.Context(), ref, "queue"); !errors.Is(err, errExhausted) || len(s) > 0 {
		t.Errorf("%v, %v", err, s)
	}
}

func TestAServerWithoutPortsSaysSo(t *testing.T) {
	err := greeter(t, portStore{}, 0, 0).OpenPort(t.Context(), ref, "queue")
	if !setops.IsCode(err, setops.CommitFailed) || !strings.Contains(err.Error(), "--tcp-ports") {
		t.Errorf("got %v", err)
	}
}

func TestAStageThatIsGoneListensNoMore(t *testing.T) {
	free, port := takenPort(t)
	_ = free.Close()
	p := greeter(t, portStore{}, port, port)
	if err := p.OpenPort(t.Context(), ref, "queue"); err != nil {
		t.Fatal(err)
	}
	p.Forget("another")
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if got := greeting(address); got != "queue" {
		t.Errorf("got %q", got)
	}
	p.Forget(ref.ID)
	if got := greeting(address); !strings.Contains(got, "refused") {
		t.Errorf("got %q", got)
	}
}

// cluster takes connections by itself, but not at ports that it has for something else.
type cluster struct {
	taken map[int]bool
	open  map[string]int
}

func (c *cluster) OpenPort(_ context.Context, _ setops.StageRef, app string, port int) error {
	if c.taken[port] {
		return fmt.Errorf("apply: %w", syscall.EADDRINUSE)
	}
	c.open[app] = port
	return nil
}

func (c *cluster) ClosePort(_ context.Context, _ setops.StageRef, app string) error {
	delete(c.open, app)
	return nil
}

func TestWhereTheClusterTakesConnectionsNobodyListensHere(t *testing.T) {
	free, port := takenPort(t)
	_ = free.Close()
	s := portStore{}
	p := greeter(t, s, port-1, port)
	c := &cluster{taken: map[int]bool{port - 1: true}, open: map[string]int{}}
	p.Engine = c
	if err := p.OpenPort(t.Context(), ref, "queue"); err != nil || c.open["queue"] != port || s["queue"] != port {
		t.Fatalf("%v, %v, %v", err, c.open, s)
	}
	if err := p.Resume(t.Context(), ref.ID); err != nil {
		t.Fatal(err)
	}
	if got := greeting(net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); !strings.Contains(got, "refused") {
		t.Errorf("got %q", got)
	}
	if err := p.ClosePort(t.Context(), ref, "queue"); err != nil || len(c.open)+len(s) > 0 {
		t.Errorf("%v, %v, %v", err, c.open, s)
	}
}

// The world reaches an app at its port where the app is public and has one, and who leads it there is told.
func TestWhoTakesConnectionsIsToldThePortsOfPublicApps(t *testing.T) {
	w, table := public()
	leads := &switches{}
	table.Switch = leads
	table.Ports = greeter(t, portStore{"web": 30001, "worker": 30002}, 30000, 30010)
	w.spec.Apps["web"].Network.Protocol, w.spec.Apps["worker"].Network.Protocol = setops.TCP, setops.TCP
	table.Ports.Engine = &cluster{}
	refresh(t, table)
	got := map[string]*engine.Stream{}
	for _, one := range leads.served {
		got[one.App] = one.Stream
	}
	want := map[string]*engine.Stream{"web": {Host: "web.production.shop.example.net", Port: 30001}, "worker": nil}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}
