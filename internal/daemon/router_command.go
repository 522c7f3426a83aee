package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/setopsco/setops/internal/edge"
	"github.com/setopsco/setops/internal/edge/space"
)

// routerConfig is what `setopsd router` can be told.
type routerConfig struct {
	kubeconfig, namespace                string
	httpListen, httpsListen, adminListen string
	serverURL, trustedProxies            string
	httpsPort                            int
}

func newRouter(getenv func(string) string, stdout, stderr io.Writer) *cobra.Command {
	var c routerConfig
	var fill func() error
	cmd := &cobra.Command{
		Use:   "router",
		Short: "Lead requests to the apps of a cluster, beside setopsd",
		Long: "Lead requests to the apps of a cluster, as `setopsd serve --routing router` publishes them in a namespace. Any number of\n" +
			"these can run side by side; they need no setopsd while nothing changes. At SIGTERM one goes on for 5 s, so that no\n" +
			"more connections are sent to it, answers what is in flight for 60 s at most, and ends.",
		Example: "  setopsd router --server-url http://setopsd.setops.svc:7700",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fill(); err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
			return c.run(cmd.Context(), stdout, log)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "file that says where the cluster is (default: the one that this router runs in)")
	f.StringVar(&c.namespace, "namespace", space.DefaultNamespace, "namespace where setopsd publishes, as its --router-namespace says")
	f.StringVar(&c.httpListen, "http-listen", ":8080", "address where apps answer")
	f.StringVar(&c.httpsListen, "https-listen", "", "address where apps answer by TLS (default: no TLS)")
	f.StringVar(&c.adminListen, "admin-listen", ":8081", "address of /livez and /readyz, and where setopsd asks")
	f.StringVar(&c.serverURL, "server-url", "", "where requests for api.DOMAIN are passed on to, http://HOST:PORT (default: they are not)")
	f.StringVar(&c.trustedProxies, "trusted-proxies", "", "networks, as 10.0.0.0/8,…, of proxies whose Forwarded and X-Forwarded-* headers are believed")
	f.IntVar(&c.httpsPort, "https-port", 443, "port of TLS as clients see it, where requests in clear are sent on to")
	fill = withFile(cmd, cmd.Flags(), getenv, "YAML file with any of these settings")
	return cmd
}

func (c routerConfig) run(ctx context.Context, out io.Writer, log *slog.Logger) (err error) {
	config, err := c.check()
	if err != nil {
		return err
	}
	config.Logger = log
	if config.Source, err = space.Open(c.kubeconfig, c.namespace, "", log); err != nil {
		return err
	}
	if err := c.listen(&config); err != nil {
		return err
	}
	line := fmt.Sprintf("setopsd router http=http://%s admin=http://%s", config.HTTP.Addr(), config.Admin.Addr())
	if config.HTTPS != nil {
		line += fmt.Sprintf(" https=https://%s", config.HTTPS.Addr())
	}
	fmt.Fprintln(out, line)
	return edge.New(config).Serve(ctx)
}

// check says everything that is wrong with the values.
func (c routerConfig) check() (edge.Config, error) {
	var r refusals
	config := edge.Config{HTTPSPort: c.httpsPort}
	for _, l := range []listenFlag{{"http-listen", c.httpListen}, {"https-listen", c.httpsListen}, {"admin-listen", c.adminListen}} {
		_, _, err := net.SplitHostPort(l.address)
		r.where(err != nil && (l.address != "" || l.flag != "https-listen"), "--%s %q is no address; write HOST:PORT, or :PORT for all addresses", l.flag, l.address)
	}
	r.where(!namespaceShape.MatchString(c.namespace), "--namespace %q is no name of a namespace", c.namespace)
	r.where(c.httpsPort < 1 || c.httpsPort > 65535, "--https-port %d is no port", c.httpsPort)
	for _, text := range list(c.trustedProxies) {
		p, err := parsePrefix(text)
		r.where(err != nil, "--trusted-proxies %q is no network; write ADDRESS/BITS, as 10.0.0.0/8", text)
		config.TrustedProxies = append(config.TrustedProxies, p)
	}
	if c.serverURL != "" {
		u, err := url.Parse(c.serverURL)
		r.where(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/",
			"--server-url %q is no URL of a server; write http://HOST:PORT", c.serverURL)
		config.Server = u
	}
	return config, errors.Join(r...)
}

func (c routerConfig) listen(config *edge.Config) (err error) {
	for _, l := range []struct {
		to      *net.Listener
		address string
	}{{&config.HTTP, c.httpListen}, {&config.HTTPS, c.httpsListen}, {&config.Admin, c.adminListen}} {
		if l.address == "" {
			continue
		}
		if *l.to, err = net.Listen("tcp", l.address); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	return nil
}
