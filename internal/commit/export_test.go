package commit

// TaskID is what tests of the outside look at.
var TaskID = taskID

// Streams counts the commits whose progress is kept in memory.
func (s *Service) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// RememberMost is of how many commits the log lines of failures are kept.
const RememberMost = rememberMost
