// The program proxy leads requests to a cluster's services for tests, by Ingresses or by the Gateway API: what the cluster says is read,
// judged and answered by Traefik's own code, its providers, rules and redirects, and passed on by net/http. All of Traefik cannot be had:
// it has the programs of hundreds of name servers in it, one of which is published no more.
//
// KUBECONFIG says which cluster. The Gateways are those of classes whose controller is traefik.io/gateway-controller, with a listener
// at the port of -listen.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/provider/kubernetes/gateway"
	"github.com/traefik/traefik/v3/pkg/provider/kubernetes/ingress"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// entryPoint is the name of the one listener.
const entryPoint = "web"

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address that requests come to")
	class := flag.String("ingress-class", "", "follow the Ingresses of this class")
	gateways := flag.Bool("gateway", false, "follow Gateways")
	flag.Parse()
	zerolog.SetGlobalLevel(zerolog.WarnLevel)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *class, *gateways); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, class string, gateways bool) error {
	pool := safe.NewPool(ctx)
	news := make(chan dynamic.Message, 10)
	if class != "" {
		if err := (&ingress.Provider{IngressClass: class}).Provide(news, pool); err != nil {
			return fmt.Errorf("follow Ingresses: %w", err)
		}
	}
	if gateways {
		p := &gateway.Provider{EntryPoints: map[string]gateway.Entrypoint{entryPoint: {Address: listen}}}
		p.SetDefaults()
		if err := p.Init(); err != nil {
			return fmt.Errorf("follow Gateways: %w", err)
		}
		if err := p.Provide(news, pool); err != nil {
			return fmt.Errorf("follow Gateways: %w", err)
		}
	}
	var now atomic.Pointer[table]
	now.Store(&table{handler: http.NotFoundHandler()})
	pool.GoCtx(func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-news:
				t, err := now.Load().with(m)
				if err != nil {
					fmt.Fprintln(os.Stderr, "take what the cluster says:", err)
					continue
				}
				now.Store(t)
			}
		}
	})
	server := &http.Server{Addr: listen, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) })}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	pool.Stop()
	return nil
}
