package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/setopsco/setops/internal/engine/kubernetes/names"
)

// newNames answers private names on a cluster, as a process of its own beside the server.
func newNames(getenv func(string) string, stderr io.Writer) *cobra.Command {
	var c names.Config
	cmd := &cobra.Command{
		Use:   "names",
		Short: "Answer private names on a cluster",
		Long: "Answer the questions of tasks on a Kubernetes cluster, until SIGTERM or SIGINT: private names of their own stage, all\n" +
			"others as the name servers in /etc/resolv.conf do. It runs in the cluster, in pods of its own, with a Service that has the\n" +
			"label setops.dev/component=names in the namespace of the server, which has tasks ask it then. Probes are answered at\n" +
			"/healthz, and at /readyz once it is known what the cluster has.",
		Example: "  setopsd names\n  setopsd names --kubeconfig /etc/setops/kubeconfig --listen 192.0.2.1:53",
		Args:    cobra.NoArgs,
	}
	settings, fill := withSettings(cmd, getenv, "kubeconfig")
	cmd.Flags().StringVar(&c.Listen, "listen", ":5353", "address where questions are answered, by UDP and TCP")
	cmd.Flags().StringVar(&c.HealthListen, "health-listen", ":8081", "address where probes are answered")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fill(); err != nil {
			return err
		}
		c.Kubeconfig = settings.Kubeconfig
		c.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
		return answerNames(cmd.Context(), c)
	}
	return cmd
}

// answerNames answers until ctx ends, and what was asked before that.
func answerNames(ctx context.Context, c names.Config) error {
	s, err := names.Open(c)
	if err != nil {
		return err
	}
	c.Logger.Info("ready for questions; private names follow when the cluster has told what is there", "address", s.Address())
	select {
	case <-ctx.Done():
		err = nil
	case err = <-s.Broken():
	}
	return errors.Join(err, s.Close())
}
