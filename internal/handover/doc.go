// Package handover lets a server be replaced by another process, a new version of it or the same with other settings,
// without losing a request. It passes listening sockets, and the right to what only one process can have open: the core.
// It does not know what that is; it knows no store, engine or router.
//
//	old                                   new
//	Giver.Give: starts it         ──────▶ Inherit
//	sockets, begin                ──────▶ reads its configuration, listens
//	                              ◀────── prepared
//	Core.Settle: no new work
//	Core.Stop; serves and accepts on
//	sockets made since, stopped   ──────▶ opens its core, accepts
//	                              ◀────── ready
//	stops accepting, Server.Leave
//	Heir.Close, or ends           ──────▶ Taker.Wait returns
//	Server.Finish
//
// Whatever goes wrong before "ready" leaves the old process as it was: it ends the new one and starts its core again. The
// two speak over a socket that closes when either ends, so that each notices when the other dies.
//
// Start with Giver (give.go) and Taker (take.go). Sockets are in sockets.go; how a server says good-bye to its clients is in
// server.go, and http2.go and goodbye.go for HTTP/2.
package handover

import "time"

// Limits are how long one process waits for the other. Every zero value means the default.
type Limits struct {
	Prepare time.Duration // from the start of the new process until it is prepared; 30 s
	Settle  time.Duration // for work in progress, which is interrupted then; 10 min
	Open    time.Duration // from the stop of the old core until the new process is ready; 2 min
	Leave   time.Duration // from then until the new process takes the old one for gone; 90 s
	End     time.Duration // from SIGTERM to SIGKILL of a new process that is not wanted; 5 s
}

func (l Limits) withDefaults() Limits {
	orElse := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	orElse(&l.Prepare, 30*time.Second)
	orElse(&l.Settle, 10*time.Minute)
	orElse(&l.Open, 2*time.Minute)
	orElse(&l.Leave, 90*time.Second)
	orElse(&l.End, 5*time.Second)
	return l
}
