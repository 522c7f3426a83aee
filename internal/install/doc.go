// Package install tests what an operator does with deploy/kubernetes: it installs setopsd on a real cluster, with two servers on a
// PostgreSQL of this machine, deploys an app by setops, and takes servers and nodes away. Start with succession_test.go.
package install
