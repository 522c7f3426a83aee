// Package clustertest says where the cluster is that tests of other packages run on: SETOPS_TEST_KUBECONFIG and SETOPS_TEST_KUBE_REGISTRY do,
// and for one of our own SETOPS_TEST_CLUSTER, see make kubernetes-test.
package clustertest

import (
	"os"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster"
)

// Kubeconfig is the file that leads to it. Where there is no cluster the test is skipped.
func Kubeconfig(t testing.TB) string {
	t.Helper()
	file := os.Getenv("SETOPS_TEST_KUBECONFIG")
	if file == "" || os.Getenv("SETOPS_TEST_KUBE_REGISTRY") == "" {
		t.Skip("a cluster is needed: SETOPS_TEST_KUBECONFIG and SETOPS_TEST_KUBE_REGISTRY say where")
	}
	return file
}

// IsOurs reports whether it is one of our own, which enforces network policies and has a DNS.
func IsOurs() bool { return os.Getenv("SETOPS_TEST_CLUSTER") != "" }

// Ours is one of our own, parts of which can be taken away. Where there is none the test is skipped.
func Ours(t testing.TB) *cluster.Cluster {
	t.Helper()
	if !IsOurs() {
		t.Skip("SETOPS_TEST_CLUSTER does not say which cluster of this machine: make kubernetes-test has one")
	}
	c, err := cluster.Find(os.Getenv("SETOPS_TEST_CLUSTER"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// only is the one address that nodes of a cluster pull from that is not ours.
var only sync.Mutex

// Registry is an address of this machine, HOST:PORT, that the nodes pull from in clear, until the end of the test. Tests beside each other have
// different ones; where there is but one they wait.
func Registry(t testing.TB) string {
	t.Helper()
	Kubeconfig(t)
	if !IsOurs() {
		only.Lock()
		t.Cleanup(only.Unlock)
		return os.Getenv("SETOPS_TEST_KUBE_REGISTRY")
	}
	address, release, err := Ours(t).TakeRegistry()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return address
}
