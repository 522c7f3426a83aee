package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/setopsco/setops/internal/handover"
)

// Main runs setopsd with the arguments behind its name and returns its exit code.
func Main(args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	root := newRoot(getenv, stdout, stderr)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(stderr, "Error: %v\n", err)
		return 1
	}
	return 0
}

// Commands is the tree of setopsd's commands, for its manual.
func Commands() *cobra.Command {
	return newRoot(func(string) string { return "" }, io.Discard, io.Discard)
}

func newRoot(getenv func(string) string, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:               "setopsd",
		Short:             "Run the SetOps server",
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              cobra.NoArgs,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(operatorCommands(getenv, stdout)...)
	root.AddCommand(newServe(getenv, stdout, stderr), newRouter(getenv, stdout, stderr), newAuthority(getenv, stdout), newCleanUp(getenv, stdout), newRotateKey(getenv, stdout, stderr), newNames(getenv, stderr), newCluster(getenv, stdout), newListen(), &cobra.Command{
		Use:   "version",
		Short: "Print the version of the server",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(stdout, "Server Version:   %s\n", Version)
			return err
		},
	})
	return root
}

func newServe(getenv func(string) string, stdout, stderr io.Writer) *cobra.Command {
	var c Config
	var fill func() error
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API, the image registry and the apps",
		Long: "Serve the API, the image registry and the apps, until SIGTERM or SIGINT. Tasks go on running when the server\n" +
			"stops; the next one adopts them. At SIGHUP the server starts its program and reads its settings anew, and hands\n" +
			"over to it without losing a request. Every flag is also a variable (--data-dir is SETOPSD_DATA_DIR) and a line of the\n" +
			"YAML file that --config names (data-dir: /srv/setops); a flag wins over a variable, a variable over the file.",
		Example: "  setopsd serve\n  setopsd serve --data-dir /srv/setops --http-listen 0.0.0.0:80 --domain apps.example.net",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fill(); err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
			return serve(cmd.Context(), &Daemon{Config: c, Out: stdout, Logger: log, NotifySocket: getenv("NOTIFY_SOCKET")})
		},
	}
	c.Flags(cmd.Flags())
	fill = withFile(cmd, cmd.Flags(), getenv, "YAML file with any of these settings")
	return cmd
}

func serve(ctx context.Context, d *Daemon) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	// What the server writes is its owner's alone, whatever umask it was started with.
	syscall.Umask(0o077)
	var err error
	if d.Program, err = handover.Self(); err != nil {
		return err
	}
	if d.Taker, err = handover.Inherit(ctx, handover.Limits{}, d.Logger); err != nil {
		return err
	}
	d.Hangup = hangup
	if err = d.Open(ctx); err != nil {
		return err
	}
	return errors.Join(d.Run(ctx), d.Close())
}
