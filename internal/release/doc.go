// Package release holds the tests of what a release is made of: that programs of neighbouring versions work together, that the
// templates for CI in docs/ci deploy, and that packaging says what the programs are. It has no code of its own.
package release
