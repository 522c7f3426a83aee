// Package gateway is the host's side of the networks of stages, for every engine on this host that has bridges: names
// (DNS), private names and their listeners (fronts), and the packet filter rules that keep all else of the host out of
// reach.
//
//	task ── bridge (its gateway address)    port 53   names; those below .internal by us, others by the host's servers
//	                                        port 80   http apps of the stage, by Host
//	        addresses .192 to .254          a port    one tcp app of the stage each
//
// Listeners are bound to the bridge, so that only the stage reaches them, and the host itself. They listen on ports that
// are free, and a rule translates the one that tasks ask for: no program of the host is in our way, nor are we in its, and
// when this process is gone no program of the host gets connections that were meant for an app.
//
// It makes no bridge and gives tasks no address; packages network and docker do. It does not know what answers:
// Config.Serve does. Start with Gateways.Open, then settle.go.
//
//	DIR/<key>.json   private names of a stage and the addresses of its tcp apps: they stay the same, and are answered
//	                 before the server has found out again what they are
package gateway
