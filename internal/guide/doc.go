// Package guide plays the guides in docs/: it runs the commands that they show, on a server made for it, and compares
// what comes out with what they say. A test and `make demo` play the same guide, so it cannot go stale. It is not a
// test framework for anything else; stories about single behaviours are in package e2e.
//
// # How a guide is written
//
// A block of commands begins with ```shell, and is run by bash. The block behind it that begins with ``` alone is what
// comes out, on both streams. Other blocks are for readers only. A comment before a block of commands says more:
//
//	<!-- guide: exit 1 -->       the exit code is 1, in place of 0
//	<!-- guide: eventually -->   the commands are repeated until what comes out is right, for a minute at most
//	<!-- guide: server -->       the command is a server, which runs until the end
//	<!-- guide: docker -->       the commands need Docker; they are left out where the player has none
//	<!-- guide: stay -->         here the demo stays up where there is a terminal; what follows cleans up
//
// In what comes out,
//
//	[...]                        is any text within a line; on a line of its own, any number of lines
//	a digest, a task id          is any other one, but always the same: a guide may use in a command what came out before
//	a time                       is any other time of the same form
//	<PROJECT> and so on          are names that the player chooses; so are the addresses of the server and its directory
//
// Start with Parse, then Player.
package guide
