package fake

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// fronts are the private names of a stage. They are answered on the loopback network: tasks find them by their names, and
// the port that they ask for is translated.
type fronts struct {
	set       []engine.Front
	listeners map[string]net.Listener // by app; that of all http apps is ""
	serving   sync.WaitGroup
}

// ServeFronts says who answers private names that are set from now on; without it nobody listens.
func (r *Runtime) ServeFronts(serve engine.Serve) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serve = serve
}

// Fronts gives what SetFronts was called with last for the stage.
func (r *Runtime) Fronts(stageID string) []engine.Front {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.fronts[stageID]; f != nil {
		return slices.Clone(f.set)
	}
	return nil
}

// SetFronts implements host.Runtime.
func (r *Runtime) SetFronts(_ context.Context, stageID string, set []engine.Front) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.faults["SetFronts"]; err != nil {
		return err
	}
	f := r.fronts[stageID]
	if f == nil {
		f = &fronts{listeners: map[string]net.Listener{}}
		r.fronts[stageID] = f
	}
	f.set = slices.Clone(set)
	return f.listen(stageID, r.serve)
}

// listen makes the listeners that are missing and closes those of names that are gone.
func (f *fronts) listen(stageID string, serve engine.Serve) error {
	wanted := map[string]engine.Front{}
	for _, one := range f.set {
		if one.Protocol == setops.HTTP {
			one = engine.Front{Protocol: setops.HTTP, Port: one.Port}
		}
		wanted[one.App] = one
	}
	for app, l := range f.listeners {
		if _, stays := wanted[app]; !stays {
			l.Close() //nolint:errcheck // nobody else closes it
			delete(f.listeners, app)
		}
	}
	for app, one := range wanted {
		if f.listeners[app] != nil || serve == nil {
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		f.listeners[app] = l
		f.serving.Go(func() { serve(stageID, one, l) })
	}
	return nil
}

// close returns when nobody answers any more.
func (f *fronts) close() {
	for _, l := range f.listeners {
		l.Close() //nolint:errcheck // nobody else closes it
	}
	f.serving.Wait()
}

// closeFronts stops answering. The names stay, as they do in the memory of a host's kernel, until they are set again.
func (r *Runtime) closeFronts() {
	r.mu.Lock()
	all := r.fronts
	r.fronts = map[string]*fronts{}
	for id, f := range all {
		r.fronts[id] = &fronts{set: f.set, listeners: map[string]net.Listener{}}
	}
	r.mu.Unlock()
	for _, f := range all {
		f.close()
	}
}

// forgetFronts does that for one stage, for good.
func (r *Runtime) forgetFronts(stageID string) {
	r.mu.Lock()
	f := r.fronts[stageID]
	delete(r.fronts, stageID)
	r.mu.Unlock()
	if f != nil {
		f.close()
	}
}

// resolve gives where an address is answered: that of a private name by its listener, another one as it is.
func (r *Runtime) resolve(stageID, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !strings.HasSuffix(strings.ToLower(host), ".internal") {
		return address, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.fronts[stageID]
	if f == nil {
		f = &fronts{}
	}
	i := slices.IndexFunc(f.set, func(one engine.Front) bool { return strings.EqualFold(one.Host, host) })
	if i < 0 {
		return "", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	app := f.set[i].App
	if f.set[i].Protocol == setops.HTTP {
		app = ""
	}
	l := f.listeners[app]
	if l == nil || strconv.Itoa(f.set[i].Port) != port {
		return "", fmt.Errorf("dial %s: connection refused", address)
	}
	return l.Addr().String(), nil
}
