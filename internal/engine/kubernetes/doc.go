// Package kubernetes runs generations and one-off tasks on a Kubernetes cluster, which keeps them alive by itself: it implements
// package engine on the cluster's API, and nothing of it runs on the nodes. Which objects there are is in package object.
//
// Start with Engine, then attendant, which follows one pod and leads its tasks through their states:
//
//	PROVISIONING    no node yet; Reason says why none fits
//	PENDING         the image is pulled and the container made, or a restart waits out its back-off; Reason says what goes on
//	ACTIVATING      started. It becomes RUNNING once the cluster says Ready and our own run of its checks has passed; with no
//	                check, once it has been up for 10 s; a one-off task at once
//	RUNNING
//	DEACTIVATING    it goes on serving while everybody who routes to it learns that it goes
//	STOPPING        SIGTERM, after the stop timeout SIGKILL
//	DEPROVISIONING  ended; the rest of its log is fetched
//	STOPPED
//
// The program of a task that is to be joined is behind a latch, package latch, and the task PENDING until somebody has come: see join.go.
//
// A container that the cluster restarts in place is another task: the first run of a pod has the pod's uid as its id, each
// later one an id that follows from that and its number.
//
// What survives a restart of the server: the cluster's objects are the truth about what runs, DIR/records knows how tasks
// ended, and DIR/logs has their lines, which are shipped while they run and once more when they have ended. The cluster
// keeps the time of each line, by which shipping goes on exactly where it was left.
//
// Who writes under an older lease is refused: the newest fence of a stage is an annotation of its namespace, that of a
// generation one of its Deployment, and what is written carries the version of the object that was looked at.
package kubernetes
