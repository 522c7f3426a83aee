//go:build linux

// Command bench measures what SetOps promises about its speed, as ratios to a peer in the same run on the same machine:
// rounds of both take turns, and medians are compared. Run it by `make bench`, which builds both programs first, or by
//
//	go run ./internal/bench [-write] [-only name,name] [-bin bin]
//
// It needs Linux, root and Debian's packages docker.io, docker-registry and wrk, and installs by apt what is missing. A
// Docker daemon that answers is used; else one is started in a temporary directory and stopped at the end.
//
// It is no test: a goal that is missed is said and exits 0. A measurement that could not be made is said, with the
// reason, and exits 1. Start with measurements in main.go; one file each.
package main
