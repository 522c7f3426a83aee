// Package isolation finds out whether a cluster enforces network policies: many networks take them and do nothing.
//
// A pod of our own listens at two ports, under a policy that lets callers to one of them only:
//
//	            the open port      the other one, three times in a row     for half a minute
//	enforced    is reached         is not reached, while the open one is
//	unenforced  is reached                                                 is reached, every time
//	unknown     anything else, with the reason
//
// So an address that cannot be reached at all is not taken for a policy, nor a policy that needs a moment for none. It is one
// look, at one node: it does not prove that all of them do.
//
// Start with Check. What it makes goes when it returns, and by itself where this process is killed.
package isolation
