// Package shim is the process that stands beside one container: it makes the container, keeps the pipes of its output,
// and knows how it ended. setopsd may stop, crash and be replaced meanwhile; the shim stays until its container has
// ended, leaves exit.json, and ends too. It decides nothing and restarts nothing.
//
// It is linked into the program setops-shim and into nothing else, so that libcontainer and cgo stay out of setopsd.
// Start with Run, then shim.serve.
package shim
