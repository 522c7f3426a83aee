// Package transact tests with random input what no package can promise alone: that every commit is all or nothing, that what
// was can be had again, that commits of several users are as if they had come one after the other. It joins the real store,
// registry, staging, commits, history and clean-up with the engine in memory, and has no product code.
//
// A run is a function of its seed, save where goroutines race on purpose. SETOPS_TRANSACT_SEEDS is how many times the usual
// number of seeds each test runs, SETOPS_TRANSACT_FIRST the seed to begin with. Start with history_test.go; world_test.go is
// the server, random_test.go what its users do, facts_test.go what must hold then.
package transact
