package transport

import "time"

// stack is the idle connections to one address, the one that was used last on top: what is not needed ages below.
type stack struct {
	conns []*conn
	used  bool // since the last sweep
}

// take removes the topmost connection that can still be used, and closes those above it. It returns nil when there is
// none.
func (t *Transport) take(addr string) *conn {
	now := time.Now()
	for {
		c := t.pop(addr)
		if c == nil {
			return nil
		}
		if now.Sub(c.idleSince) < t.config.IdleTimeout && c.silent() {
			c.reused = true
			return c
		}
		c.close()
	}
}

func (t *Transport) pop(addr string) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.idle[addr]
	if s == nil || len(s.conns) == 0 {
		return nil
	}
	s.used = true
	last := len(s.conns) - 1
	c := s.conns[last]
	s.conns[last] = nil
	s.conns = s.conns[:last]
	return c
}

// put keeps a connection for the next request. Nobody else may have it any more.
func (t *Transport) put(c *conn) {
	c.idleSince = time.Now()
	if !t.push(c) {
		c.close()
	}
}

func (t *Transport) push(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.idle[c.addr]
	if s == nil {
		s = &stack{}
		t.idle[c.addr] = s
	}
	s.used = true
	if len(s.conns) >= t.config.MaxIdlePerHost {
		return false
	}
	s.conns = append(s.conns, c)
	if t.sweep == nil {
		t.sweep = time.AfterFunc(t.config.IdleTimeout, t.clean)
	}
	return true
}

// clean closes what has been idle for too long, and comes again as long as anything is left.
func (t *Transport) clean() {
	t.mu.Lock()
	now := time.Now()
	var old []*conn
	next := t.config.IdleTimeout
	for addr, s := range t.idle {
		old = append(old, s.expired(now.Add(-t.config.IdleTimeout))...)
		if len(s.conns) == 0 && !s.used {
			delete(t.idle, addr)
		}
		if len(s.conns) > 0 {
			next = min(next, t.config.IdleTimeout-now.Sub(s.conns[0].idleSince))
		}
		s.used = false
	}
	t.sweep = nil
	if len(t.idle) > 0 {
		t.sweep = time.AfterFunc(max(next, time.Millisecond), t.clean)
	}
	t.mu.Unlock()
	for _, c := range old {
		c.close()
	}
}

// expired takes out the connections that are idle since before a time: the lowest ones.
func (s *stack) expired(before time.Time) []*conn {
	n := 0
	for n < len(s.conns) && !s.conns[n].idleSince.After(before) {
		n++
	}
	old := append([]*conn(nil), s.conns[:n]...)
	kept := copy(s.conns, s.conns[n:])
	clear(s.conns[kept:])
	s.conns = s.conns[:kept]
	return old
}

// CloseIdleConnections closes the connections that have no request. Those of requests in flight are kept as usual when
// these have ended.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	idle := t.idle
	t.idle = map[string]*stack{}
	if t.sweep != nil {
		t.sweep.Stop()
		t.sweep = nil
	}
	t.mu.Unlock()
	for _, s := range idle {
		for _, c := range s.conns {
			c.close()
		}
	}
}
