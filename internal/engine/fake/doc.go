// Package fake is an engine in memory: the supervisor of single hosts (package host) on a runtime whose containers are
// goroutines. It behaves as real engines do, at once: tasks have addresses on the loopback network where they serve HTTP,
// logs on disk, exit codes, memory limits and signals. It isolates nothing.
//
// Start with New. What an image does is a Program, or the words of package script; see Image.
package fake
