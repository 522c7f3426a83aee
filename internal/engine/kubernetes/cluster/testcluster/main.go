// Command testcluster brings up Kubernetes clusters on this machine, out of the Go module proxy and the distribution's packages.
//
//	testcluster up [-nodes N] [-simulated N] [-gateway]    leaves a cluster running, and says how to reach it
//	testcluster test [the same] -- COMMAND…                runs a command with a cluster, and ends it whatever happens
//	testcluster status                                     the clusters of this machine
//	testcluster down NUMBER|all                            ends one, or those of everybody; what was killed half-way too
//	testcluster load NUMBER ARCHIVE                        gives its nodes an image without a registry
//
// A command finds the cluster by KUBECONFIG and SETOPS_TEST_KUBECONFIG. SETOPS_TEST_KUBE_REGISTRY is the address of this machine
// that nodes pull from in clear, SETOPS_TEST_CLUSTER its number, SETOPS_TEST_KUBECTL a program for it, and SETOPS_TEST_SIMULATED how many nodes are played.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testcluster:", err)
		os.Exit(1)
	}
}
