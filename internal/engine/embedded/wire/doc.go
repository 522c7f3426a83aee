// Package wire is what setopsd and the shim of a container say to each other, and the files that the shim leaves for a
// later setopsd. Shims outlive the server that started them, so a server meets older shims: what is here is only ever
// added to, and a change of meaning takes a new Version.
//
//	setopsd ── Config (once, on stdin) ──▶ shim
//	setopsd ◀─ Ready (once, on stdout) ─── shim
//	setopsd ◀─ Request, Response ────────▶ shim     one pair per connection of the unix socket, a JSON line each way
//	                                       shim ──▶ shim.json (Record), exit.json (Exit)
//
// It holds no behaviour of either side. Start with Config, then Request.
package wire
