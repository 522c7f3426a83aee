package transport

import (
	"context"
	"sync"
	"time"
)

// moment is how late a context's end may be noticed by a request that has not lasted for two moments yet.
const moment = 50 * time.Millisecond

// watch closes the connections of exchanges whose context ends. To be called by a context (context.AfterFunc) costs more
// than to look at it, and most exchanges are over in a moment. So young ones are looked at now and then, and only what
// lasts is called:
//
//	begin ──► young ──a moment──► older ──a moment──► called by its context
type watch struct {
	mu    sync.Mutex
	young map[*exchange]struct{}
	older map[*exchange]struct{}
	timer *time.Timer // nil while it does not run
}

// watched is what a watch knows of an exchange, guarded by it.
type watched struct {
	cut  bool        // the connection was closed because the context has ended
	stop func() bool // of context.AfterFunc; nil while it is not called by its context
}

func (w *watch) begin(x *exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.young == nil {
		w.young, w.older = map[*exchange]struct{}{}, map[*exchange]struct{}{}
	}
	w.young[x] = struct{}{}
	if w.timer == nil {
		w.timer = time.AfterFunc(moment, w.look)
	}
}

// end reports whether the connection was left alone. What the context does from now on is of no concern for it.
func (w *watch) end(x *exchange) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.young, x)
	delete(w.older, x)
	if x.watched.stop != nil && !x.watched.stop() {
		return false
	}
	return !x.watched.cut
}

// look is called by the timer, as long as there is anything to look at.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.age()
	w.timer = nil
	if len(w.older) > 0 {
		w.timer = time.AfterFunc(moment, w.look)
	}
}

// age lets a moment pass.
func (w *watch) age() {
	for x := range w.older {
		x.watched.stop = context.AfterFunc(x.ctx, x.conn.close) // at once where it has ended
	}
	clear(w.older)
	for x := range w.young {
		if x.ctx.Err() != nil {
			x.watched.cut = true
			x.conn.close()
			delete(w.young, x)
		}
	}
	w.young, w.older = w.older, w.young
}
