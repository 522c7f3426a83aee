// Package embedded is the container runtime that setopsd brings along: an implementation of host.Runtime on the kernel's
// own means, with nothing to install. It makes, starts and removes single containers; which ones, and what becomes of
// those that end, is the supervisor's business (package host).
//
//	setopsd ─┬─ image     unpacked layers, a writable root file system per container
//	         ├─ network   a bridge per stage, a namespace per container
//	         └─ setops-shim, one process per container, outlives setopsd
//	             └─ the container (libcontainer), dies with its shim
//
//	DIR/shim/<hash>/setops-shim     the program, as setopsd carries it
//	DIR/tasks/<id>/meta.json        what setopsd knows of the container
//	              /shim.json        which process its shim is; when the program was started
//	              /shim.sock        where the shim takes requests
//	              /shim.log         what the shim itself has to complain about
//	              /exit.json        how it ended
//	              /etc/             resolv.conf, hosts, hostname
//	              /state/           libcontainer's
//
// A container's environment is in none of these files. Cgroups are at /setops-<instance>/<id>.
//
// Start with Runtime, then Create in create.go, then package shim for the other side.
package embedded
