package published

import "time"

// How setopsd asks a router on its admin port, with the key as a bearer token.
const (
	DrainPath = "/v1/drain" // POST of a Drain; answers 204 when it is done, 202 when it is to be asked again

	// LongestAnswer is after what time a router answers at the latest.
	LongestAnswer = 5 * time.Second
)

// Drain asks a router to have at least a version of a stage's routes, and then to have nothing in flight to a task.
type Drain struct {
	Stage   string        `json:"stage"`
	Version Version       `json:"version"`
	Removed bool          `json:"removed,omitempty"` // the stage's routes were taken away with that version
	Task    string        `json:"task,omitempty"`    // empty: the routes are enough
	Within  time.Duration `json:"within"`            // after it, what is upgraded is cut
}
