package kube

import (
	"errors"
	"net/http"

	"k8s.io/client-go/rest"
)

// Guarded gives clients that ask before they change anything on the cluster, and do not where holds gives an error; nil: they do not ask.
func (a API) Guarded(holds func() error) (API, error) {
	if holds == nil {
		return a, nil
	}
	config := rest.CopyConfig(a.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return guarded{next, holds} })
	return New(config)
}

// guarded lets nothing be changed on a cluster that another server may keep by now. What is on its way already is refused by fences.
type guarded struct {
	next  http.RoundTripper
	holds func() error
}

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return g.next.RoundTrip(r)
	}
	if err := g.holds(); err != nil {
		if r.Body != nil {
			err = errors.Join(err, r.Body.Close()) // that is ours to do, whatever becomes of the request
		}
		return nil, err
	}
	return g.next.RoundTrip(r)
}
