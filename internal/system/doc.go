// Package system tests the server as users meet it, with nothing faked: a daemon with its store, registry, router and a
// real engine, real images, real containers. It is for what can only be seen when all of that works together; what one
// package can show is tested there. It has no product code.
//
// The tests run on the embedded engine, as root, on Docker Engine too where SETOPS_TEST_DOCKER is 1, and on the
// Kubernetes cluster that SETOPS_TEST_KUBECONFIG names, whose nodes pull in clear from SETOPS_TEST_KUBE_REGISTRY. Start with
// openServer in server_test.go; failures_test.go is the table of everything that can be wrong with an app.
package system
