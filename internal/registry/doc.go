// Package registry is the image registry of SetOps: an http.Handler that
// speaks the OCI distribution protocol and keeps its blobs in one directory, or
// in a bucket of S3 (store.go).
//
// It is a thin front before the CNCF distribution registry. The front decides
// who may do what and how much (gate.go shows a request's way through it);
// distribution stores and serves. Nothing here knows what an organization, a
// project or an app is: who somebody is and what they may do is asked of the
// two ports in ports.go, on every request, so that a right withdrawn counts
// at once.
//
// Besides the handlers, a Registry answers the server's own questions about
// what it holds: Exists, Resolve, Manifest, Blob, TagsOf (content.go,
// resolve.go), forgets repositories (remove.go), and collects what nothing
// names any more (collect.go; renew.go says why nobody loses what they rely on).
//
// Start with New and (*Registry).ServeHTTP.
package registry
