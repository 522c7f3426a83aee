package fake

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine/enginetest/script"
	"github.com/setopsco/setops/internal/engine/logfile"
)

// listen gives a listener at the container's address; one on 127.0.0.1 is out of everybody's reach.
func (c *container) listen(address string) (net.Listener, error) {
	ip, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip == "127.0.0.1" {
		port = "0"
	} else {
		ip = c.ip
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip, port))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		l.Close() //nolint:errcheck // nobody has used it
		return nil, c.ctx.Err()
	}
	c.listeners = append(c.listeners, &named{Listener: l, asked: address})
	return c.listeners[len(c.listeners)-1], nil
}

// named remembers where a listener was asked to listen.
type named struct {
	net.Listener
	asked string
}

func (c *container) dial(ctx context.Context, address string) (net.Conn, error) {
	address, err := c.resolve(c.spec.Stage.ID, address)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

// Listening implements host.Listener.
func (r *Runtime) Listening(_ context.Context, id string) ([]netip.AddrPort, error) {
	c := r.container(id)
	if c == nil {
		return nil, fmt.Errorf("look into container %s: it does not exist", id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []netip.AddrPort
	for _, l := range c.listeners {
		ip, port, _ := net.SplitHostPort(l.(*named).asked)
		if ip == "" {
			ip = "0.0.0.0"
		}
		if a, err := netip.ParseAddrPort(net.JoinHostPort(ip, port)); err == nil {
			found = append(found, a)
		}
	}
	return found, nil
}

// Exec implements host.Runtime. It knows the programs that images can have.
func (r *Runtime) Exec(ctx context.Context, id string, argv []string) (int, []byte, error) {
	r.mu.Lock()
	err := r.faults["Exec"]
	r.mu.Unlock()
	c := r.container(id)
	switch {
	case err != nil:
		return 0, nil, err
	case c == nil:
		return 0, nil, fmt.Errorf("run a command in container %s: it does not exist", id)
	}
	program := lookUp(argv)
	if program == nil {
		return 127, fmt.Appendf(nil, "%v: not found", argv), nil
	}
	var out bytes.Buffer
	p := c.process(argv)
	p.Stdout, p.Signals = &out, make(chan syscall.Signal)
	code := program(ctx, p)
	return code, out.Bytes()[:min(out.Len(), 4<<10)], ctx.Err()
}

// files are the flags of a container.
type files struct {
	mu    sync.Mutex
	names map[string]bool
}

func (f *files) Touch(name string) error { return f.set(name, true) }
func (f *files) Drop(name string) error  { return f.set(name, false) }

func (f *files) set(name string, there bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names[name] = there
	return nil
}

func (f *files) Has(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.names[name]
}

var _ script.Files = (*files)(nil)

// output writes lines into the task's log. A container that writes nothing has no file of its own.
type output struct {
	dir, name string

	mu   sync.Mutex
	log  *logfile.Writer
	rest []byte // a line without an end yet
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, p...)
	for {
		line, rest, found := bytes.Cut(o.rest, []byte{'\n'})
		if !found {
			return len(p), nil
		}
		o.rest = rest
		if err := o.line(string(line)); err != nil {
			return 0, err
		}
	}
}

func (o *output) line(text string) error {
	if o.log == nil {
		var err error
		if o.log, err = logfile.Open(o.dir, o.name, logfile.Options{}); err != nil {
			return err
		}
	}
	return o.log.Append(time.Now(), "app", text)
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rest) > 0 {
		o.line(string(o.rest)) //nolint:errcheck // the container has ended, nobody can be told
		o.rest = nil
	}
	if o.log != nil {
		o.log.Close() //nolint:errcheck // every line was written by then
	}
}
