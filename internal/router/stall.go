package router

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// stall cuts a client off that stands still: one that sends nothing of a body that is waited for, or takes nothing of
// an answer. Time alone is no reason, for uploads may be slow and answers may last for days; nor is a slow client, as
// long as something moves. It looks at the clock now and then, instead of moving a deadline with every piece.
type stall struct {
	limit   time.Duration
	writing atomic.Int64 // Unix nanoseconds since when a piece of the answer is on its way to the client; 0: none is

	mu      sync.Mutex
	timer   *time.Timer
	control *http.ResponseController // nil while there is nothing to watch
	upload  *upload                  // nil when the request has no body
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

func (s *stall) watch(w http.ResponseWriter, u *upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.control != nil {
		return
	}
	s.control, s.upload = http.NewResponseController(w), u
	if s.timer == nil {
		s.timer = time.AfterFunc(s.limit/4, s.look)
		return
	}
	s.timer.Reset(s.limit / 4)
}

// look is called by the timer. A last call may come after end and finds nothing to do.
func (s *stall) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.control == nil {
		return
	}
	// A writer that is not the server's knows no deadlines: those have no stranger behind them.
	if s.upload != nil && s.since(&s.upload.waiting) {
		s.upload.stalled.Store(true) // first, because the server cancels the request before the Read returns
		_ = s.control.SetReadDeadline(longAgo)
	}
	if s.since(&s.writing) {
		_ = s.control.SetWriteDeadline(longAgo)
	}
	s.timer.Reset(s.limit / 4)
}

func (s *stall) since(begun *atomic.Int64) bool {
	at := begun.Load()
	return at != 0 && time.Since(time.Unix(0, at)) > s.limit
}

// begin notes that a piece of the answer is on its way to the client, pause that it has arrived.
func (s *stall) begin() { s.writing.Store(time.Now().UnixNano()) }

func (s *stall) pause() { s.writing.Store(0) }

func (s *stall) end() {
	s.writing.Store(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.control != nil {
		s.timer.Stop()
		s.control, s.upload = nil, nil
	}
}
