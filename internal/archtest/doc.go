// Package archtest holds the project to the rules of docs/architecture.md: which package may import which, what stays
// pure, where a third-party module lives, what no package may contain. It has tests only, and nothing imports it.
//
// It reads the sources of the whole module as text, whatever their build constraints, so that a rule broken for another
// system is seen on this one. Files of tests are held only to the rules that say so: a test may join what the product
// keeps apart.
//
// It judges imports, names and form. Whether a package does what its comment says is for its own tests.
//
// Start in layers_test.go, the table of who imports whom: a new package gets its row there. homes_test.go is the same for
// third-party modules, rules_test.go lists all rules. An exception stands in a table with its reason, and is reported
// when nothing needs it any more.
package archtest
