// Package probe asks one address, once, from outside: is somebody there, and is the answer an accepted one?
//
// It knows nothing of apps, tasks or schedules. The supervisor of an engine uses it as the gate that a new task
// must pass, the router's caller hands it to the router for the checks that go on afterwards: how often to ask
// and how many failures count is theirs to decide.
//
// Start at Check; Status is what users write as accepted codes, Failure is what they read when a check fails.
package probe

import "context"

// Check is one way to look at an address from outside.
type Check interface {
	// Probe asks once and returns nil when the answer is an accepted one. ctx limits how long it may take: give
	// it a deadline. Every error is a *Failure, except that a cancelled ctx gives an error that wraps
	// context.Canceled, as it says nothing about the address.
	Probe(ctx context.Context, addr string) error
}
