// Package crash kills the server while it works, and looks what is left. It runs the real program in processes of its own,
// with real containers, drives it through pkg/client and kills it with SIGKILL: in each phase of a commit, in a reload, with
// all of its tasks as a reboot does. It has no product code.
//
// What must hold each time: tasks answer while the server is dead; the stage is what it was before or what it is after, all
// apps alike, from the ready line on; it can be committed again; and nothing is on this machine that does not belong there.
//
// The tests run on the embedded engine, as root, on Docker Engine too where SETOPS_TEST_DOCKER is 1, and on Kubernetes where
// SETOPS_TEST_KUBECONFIG and SETOPS_TEST_KUBE_REGISTRY say where a cluster is: `make kubernetes-test`. There they are a sample, as nodes share two
// cores with all else: a kill at each kind of step of a commit, in turns when it begins and when it is done, and seven apps instead of ten
// (SETOPS_CHAOS=all has all steps). What is looked at are the objects of the cluster, and where its Services lead. Start with
// commit_test.go; house_test.go is the stage that is looked at, traces_test.go what a server leaves on a machine.
//
// chaos_test.go is the matrix: a server that was built to break meets a fault at every write of commits that lead a stage to and
// fro between two sides (sides_test.go), and after each the stage must be one of them (model_test.go). It is a sample, or all of
// it where SETOPS_CHAOS is "all"; -faults names single ones.
package crash
