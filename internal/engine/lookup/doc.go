// Package lookup answers questions to name servers of ours, of whatever engine: a private name from a Table, all else as the name
// servers of this machine do. It listens nowhere, and does not know which stage asks.
package lookup
