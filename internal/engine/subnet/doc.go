// Package subnet divides the private addresses of a machine among the stages of all servers on it: which /24 networks a
// server may choose, which are still free, and how the addresses of one are given out.
//
//	.0 network   .1 gateway   .2 – .191 tasks   .192 – .254 private names   .255 broadcast
//
// It makes no network; engines do, inside Exclusively, and look at Taken once more when they have. Start there.
package subnet
