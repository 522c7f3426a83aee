// Package api holds the wire types of the SetOps REST API, one file per noun. They are a promise to others: a field is
// added, never renamed or removed. The package depends on nothing but the standard library, so that any Go program can
// import it.
//
// Times are RFC 3339 in UTC. Start with Command and Changeset for writing, App and Task for reading, ServiceError for
// what can go wrong.
package api

// Version is the version of the API, the first element of every path.
const Version = "v1"
