package handover

import "runtime"

// AwaitLeaving returns once Leave has begun.
func (s *Server) AwaitLeaving() {
	for !s.leaving.Load() {
		runtime.Gosched()
	}
}

// AwaitClients returns once so many connections are accepted and not closed.
func (s *Server) AwaitClients(n int) {
	for found := -1; found != n; runtime.Gosched() {
		found = 0
		s.conns.Range(func(any, any) bool { found++; return true })
	}
}
