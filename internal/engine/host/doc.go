// Package host supervises generations on a single host: it keeps the right number of tasks alive on a Runtime
// (libcontainer, Docker), runs their checks, replaces what fails with a back-off, and knows the state of every task.
// It holds no opinion on routes and releases; the commit does.
package host
