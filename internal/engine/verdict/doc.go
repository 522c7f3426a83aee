// Package verdict says why tasks end and do not get ready, in the same words for every engine. It looks at nothing: what
// ended, and what was answered, comes in as values.
//
// Start with Failure; Exit is how a container ended, CheckFailure and Health are for container health checks.
package verdict
