// Package e2e holds the end-to-end tests: the real program setops against a real server, over HTTP, with the engine in
// memory (package fake) in place of containers. It has no code of its own, only tests.
//
// The stories are scripts, testdata/<noun>-<behaviour>.txtar; commands_test.go says which commands they have besides
// those of testscript. What is about HTTP itself, and not about the program, is a Go test next to them. Start with
// testdata/guide-deployment.txtar.
package e2e
