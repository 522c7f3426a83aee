package api

import "time"

// Event is a line of the audit log.
type Event struct {
	At      time.Time `json:"at"`
	Who     string    `json:"who" doc:"E-mail address; (unknown) of a refused sign-in of nobody in the organization"`
	Action  string    `json:"action" doc:"An operation of this API, spelled as words; sign in, refused sign-in, sign out"`
	Project string    `json:"project,omitempty"`
	Stage   string    `json:"stage,omitempty"`
	What    string    `json:"what,omitempty" doc:"Never a value of env, a password or a token"`
	Address string    `json:"address,omitempty" doc:"From where somebody signed in, or tried to"`
	Times   int       `json:"times" doc:"How often it happened; more than once only of refused sign-ins, which are counted by the hour"`
}
