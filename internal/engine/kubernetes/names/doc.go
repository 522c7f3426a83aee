// Package names is the name server of the tasks on a cluster: private names resolve inside their stage only, all others as in the
// rest of the cluster. It runs beside the server, as pods of its own (`setopsd names`).
//
//	task ── question ──► Service ──► handler ── a private name? ── no ──► the name servers of this pod, as the cluster has it
//	                                    │ yes
//	                                    ▼
//	                       whose pod has the address that asks? ── nobody's yet: wait a moment, then SERVFAIL
//	                                    │ of the namespace NS
//	                                    ▼
//	                       the Services of NS, by the host in their annotation; NXDOMAIN for what is not there
//
// It follows our pods and our Services, of all installations: what tells stages apart is their namespace, not a label. While the
// API is away it goes on with what it knows. Start with Open.
package names
