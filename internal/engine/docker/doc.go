// Package docker runs containers on Docker Engine: an implementation of host.Runtime for machines that have one. It makes,
// starts and removes single containers; which ones, and what becomes of those that end, is the supervisor's business
// (package host).
//
//	setopsd ─┬─ gateway      DNS, private fronts and packet filter of each stage's network, as the embedded engine has them
//	         ├─ log follower per container: Docker's log ──▶ package logfile
//	         └─ Docker's API ─┬─ a bridge network per stage   setops-<instance>-<stage id>
//	                          └─ a container per task         setops-<instance>-<task id>
//
// What it makes carries the label setops.instance with the id of the data directory, and a name that is made from the
// other labels. Only what has both is listed, touched or removed; the rest of what Docker runs is none of our business.
// Nothing but the addresses of stages is kept on disk here: labels say all that a later process must know.
//
// Docker may go away and come back. Every operation fails while it is away, and the supervisor tries it again; Wait and
// the log followers try by themselves.
//
// Start with Runtime, then Create in create.go.
package docker
