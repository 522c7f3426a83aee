package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/spf13/pflag"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/handover"
)

// roleVariable makes this program a server: "serves" is one with the fake engine, "dies" takes over and dies then,
// "is stopped" is told to stop while it opens its engine.
const roleVariable = "DAEMON_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "serves", "is stopped":
		if err := serveFake(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "dies":
		os.Exit(die())
	}
	os.Exit(m.Run())
}

// serveFake is what the command serve does, but for the engine.
func serveFake() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	d := &Daemon{
		Out: os.Stdout, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), NotifySocket: os.Getenv("NOTIFY_SOCKET"),
		NewEngine: func(ctx context.Context, c EngineConfig) (engine.Engine, error) {
			if os.Getenv(roleVariable) == "is stopped" {
				if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
					return nil, err
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return fake.New(ctx, fake.Config{Dir: c.Dir, Drainer: c.Drainer, Logger: c.Logger})
		},
	}
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	d.Config.Flags(f)
	if err := f.Parse(os.Args[2:]); err != nil {
		return err
	}
	return serve(ctx, d)
}

func die() int {
	ctx := context.Background()
	taker, err := handover.Inherit(ctx, handover.Limits{}, slog.New(slog.DiscardHandler))
	if err == nil {
		err = taker.Prepared(ctx)
	}
	if err != nil {
		return 4
	}
	return 3
}
