package handover

import "runtime"

// AwaitLeaving returns once Leave has begun.
func (s *Server) AwaitLeaving() {
	for !s.leaving.Load() {
		runtime.Gosched()
	}
}
