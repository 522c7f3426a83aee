// Package access says how a process of ours gets at the API of a cluster, and where in the cluster it runs.
package access
