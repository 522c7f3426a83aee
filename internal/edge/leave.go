package edge

import (
	"context"
	"sync"
	"time"
)

// idleClients is for clients that may have a request on its way.
const idleClients = 10 * time.Second

// leave says that this router ends, goes on taking connections until whoever sends them has heard of it, and answers what is in
// flight. What is not over by then is cut.
func (e *Edge) leave(fronts []front) {
	e.leaving.Store(true)
	e.log.Info("ending: no more connections soon", "in", e.cfg.Linger)
	time.Sleep(e.cfg.Linger) // nobody says that they have heard
	ctx, cancel := context.WithTimeout(context.Background(), e.cfg.Leave)
	defer cancel()
	for _, f := range fronts {
		_ = f.listener.Close() // its server ends by it
	}
	var leaving sync.WaitGroup
	for _, f := range fronts {
		leaving.Go(func() { f.server.Leave(ctx, idleClients) })
	}
	leaving.Wait()
	e.router.AwaitStreams(ctx)
	for _, f := range fronts {
		f.cut()
	}
}
