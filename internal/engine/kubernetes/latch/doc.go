// Package latch holds the program setops-latch inside setopsd: it holds the program of an interactive task back until somebody is
// connected to it, in a container whose image may have nothing else in it. Its source is cmd/setops-latch/latch.c.
//
// It is there in builds with the tag shim, after `make shim`; other builds have none, and refuse interactive tasks. It is made for the
// processor that setopsd is made for, and the tasks run on nodes that have it.
package latch
