// Package ext takes the place of a module that Traefik names and nobody publishes: nothing of it is in the open program.
package ext

// HTTP is what that module adds to the configuration of HTTP.
type HTTP struct{}

// Router is what it adds to that of a router.
type Router struct{}
