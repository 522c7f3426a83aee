// Package setops holds the nouns of SetOps as plain values: names and their rules, the Spec of a stage, what an
// engine Observed of it, and the errors that every layer speaks. It does no I/O and reads neither clock nor
// randomness; everything else in the server is built on it.
//
// Start with Spec (what a stage should be), then App, then Error.
package setops
