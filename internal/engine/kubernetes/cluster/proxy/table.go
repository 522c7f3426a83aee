package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/gatewayapi/redirect"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
)

// transport keeps connections to pods, as every proxy does: a request on one that the pod has closed meanwhile is lost, unless it may
// be sent again.
var transport = &http.Transport{MaxIdleConnsPerHost: 64}

// table is what the providers have said, and how requests are answered by it.
type table struct {
	said    map[string]*dynamic.HTTPConfiguration
	handler http.Handler
}

func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestdecorator.New(nil).ServeHTTP(w, r, t.handler.ServeHTTP)
}

// with is the table after one provider has said something else.
func (t *table) with(m dynamic.Message) (*table, error) {
	next := &table{said: maps.Clone(t.said)}
	if next.said == nil {
		next.said = map[string]*dynamic.HTTPConfiguration{}
	}
	next.said[m.ProviderName] = m.Configuration.HTTP
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		return nil, err
	}
	mux := muxer.NewMuxer(parser, nil)
	for provider, c := range next.said {
		for name, r := range c.Routers {
			h, err := handler(c, r)
			if err != nil {
				return nil, fmt.Errorf("router %s: %w", name, err)
			}
			priority := r.Priority
			if priority == 0 {
				priority = muxer.GetRulePriority(r.Rule)
			}
			if err := mux.AddRoute(r.Rule, r.RuleSyntax, priority, provider, h); err != nil {
				return nil, fmt.Errorf("router %s: %w", name, err)
			}
		}
	}
	next.handler = mux
	return next, nil
}

func handler(c *dynamic.HTTPConfiguration, r *dynamic.Router) (http.Handler, error) {
	h := service(c, r.Service)
	for i := len(r.Middlewares) - 1; i >= 0; i-- {
		name := r.Middlewares[i]
		m := c.Middlewares[name]
		if m == nil || m.RequestRedirect == nil {
			return nil, fmt.Errorf("the middleware %s is none that tests need", name)
		}
		var err error
		if h, err = redirect.NewRequestRedirect(context.Background(), h, *m.RequestRedirect, name); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// service passes requests on to the servers of a service, in turn. Where there are none it answers 503, as Traefik does.
func service(c *dynamic.HTTPConfiguration, name string) http.Handler {
	var servers []http.Handler
	for _, at := range addresses(c, name) {
		servers = append(servers, &httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(at)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		}})
	}
	var turn atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(servers) == 0 {
			http.Error(w, "no server", http.StatusServiceUnavailable)
			return
		}
		servers[turn.Add(1)%uint64(len(servers))].ServeHTTP(w, r)
	})
}

func addresses(c *dynamic.HTTPConfiguration, name string) (all []*url.URL) {
	s := c.Services[name]
	switch {
	case s == nil:
	case s.LoadBalancer != nil:
		for _, server := range s.LoadBalancer.Servers {
			if u, err := url.Parse(server.URL); err == nil {
				all = append(all, u)
			}
		}
	case s.Weighted != nil:
		for _, one := range s.Weighted.Services {
			all = append(all, addresses(c, one.Name)...)
		}
	}
	return all
}
