// Package rootfs answers questions about a container's root file system from outside: which program would run, which
// user a name stands for. What an image holds is not trusted: no link leads out of the root, and no device or pipe in
// it is ever opened.
//
// Start with Find, then LookupUser.
package rootfs
