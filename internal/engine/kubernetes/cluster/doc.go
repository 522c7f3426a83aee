// Package cluster brings up a Kubernetes cluster for tests, out of nothing but this machine: the programs of Kubernetes and
// containerd from the Go module proxy, runc from the distribution. It is no part of setopsd.
//
// The control plane and each node are a machine: a process in namespaces of its own, the first of its PID namespace, which starts
// what the machine runs (see the program machine). What a machine has (processes, containers, mounts, network, packet filter) ends with
// its first process, however that ends. All that is left then is a directory below the temporary one and empty cgroups, which Down removes.
//
// Start with Up in up.go. The program testcluster is the same for people.
package cluster
