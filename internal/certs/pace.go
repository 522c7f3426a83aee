package certs

import "time"

// pace says how quickly things are done again.
type pace struct {
	pauses []time.Duration // after the first, second… failure in a row; the last one for all that follow
	again  time.Duration   // a Set tries what fails at once, where the last attempt is older than this
	look   time.Duration   // a wait is cut into such pieces, as a machine that was suspended has lost time
	order  time.Duration   // the most that one order may take
	advice time.Duration   // between questions to the directory whether it wants a certificate renewed early
}

// usual stays within what Let's Encrypt allows of failed checks of a name: five, and one more every twelve minutes. An
// attempt has two, one for each kind of challenge.
func usual() pace {
	return pace{
		pauses: []time.Duration{time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour},
		again:  30 * time.Minute,
		look:   time.Hour,
		order:  5 * time.Minute,
		advice: 6 * time.Hour,
	}
}
