package daemon

import (
	"net"
	"sync"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/handover"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/setops"
)

// insides are the servers that answer http apps inside their stages. Like all of the front they outlive the core, whose
// engine listens for them.
type insides struct {
	mu      sync.Mutex
	servers map[string]*handover.Server // by stage
}

// serveInside answers private names until l is closed; it is an engine.Serve.
func (f *front) serveInside(stageID string, at engine.Front, l net.Listener) {
	var err error
	if at.Protocol == setops.TCP {
		err = f.router.ServeStream(l, stageID, at.App)
	} else {
		err = f.inside(stageID).Serve(l)
	}
	if err != nil && !isClosed(err) {
		f.log.Error("answer private names", "stage", stageID, "error", err)
	}
}

func (f *front) inside(stageID string) *handover.Server {
	f.insides.mu.Lock()
	defer f.insides.mu.Unlock()
	if f.insides.servers == nil {
		f.insides.servers = map[string]*handover.Server{}
	}
	s := f.insides.servers[stageID]
	if s == nil {
		s = handover.NewServer(router.NewServer(f.router.Private(stageID), f.log))
		f.insides.servers[stageID] = s
	}
	return s
}

// forgetInside ends the connections inside a stage that is gone.
func (f *front) forgetInside(stageID string) {
	f.insides.mu.Lock()
	defer f.insides.mu.Unlock()
	if s := f.insides.servers[stageID]; s != nil {
		_ = s.Close() // its tasks have ended
		delete(f.insides.servers, stageID)
	}
}

func (f *front) servers() []*handover.Server {
	return append(f.routingServers(), f.api.server)
}

// routingServers are those that send requests to tasks.
func (f *front) routingServers() []*handover.Server {
	all := []*handover.Server{f.http.server}
	if f.https != nil {
		all = append(all, f.https.server)
	}
	f.insides.mu.Lock()
	defer f.insides.mu.Unlock()
	for _, s := range f.insides.servers {
		all = append(all, s)
	}
	return all
}
