// Package logfile keeps what the tasks of one app wrote, and what the engine says of them: append-only files that
// several processes write to at once and that are read while they grow. It knows nothing of tasks but their names, and
// nothing of apps but the directory that all tasks of one share.
//
//	DIR/<name>.1.log    full: no writer comes back to it
//	DIR/<name>.2.log    2026-10-05T17:42:54.123456789Z app GET / 200
//	                    2026-10-05T17:42:55.000000001Z system Task status is STOPPED, ...
//
// Start with Writer (Open, Append), then Read, then Sweep. The shim of a container links this package, so it imports
// next to nothing.
package logfile
