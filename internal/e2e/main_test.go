package e2e

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/setopsco/setops/internal/cli"
	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/store/pgtest"
)

func TestMain(m *testing.M) {
	// All of it runs on SQLite, and once more on PostgreSQL.
	testscript.Main(pgtest.M{M: m}, map[string]func(){
		"setopsd": func() { os.Exit(daemon.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) },
		"setops": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			code, said := saying(ctx, cli.Arguments(os.Args), os.Environ(), os.Stdin, os.Stdout, os.Stderr)
			if err := said.keep(os.Getenv(saidDir)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 125
			}
			os.Exit(code)
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		Setup:              setUp,
		Cmds:               commands,
		RequireUniqueNames: true,
		Condition: func(name string) (bool, error) {
			return os.Getenv("SETOPS_TEST_DOCKER") == "1", unknownUnless(name == "docker", name)
		},
	})
}

func unknownUnless(known bool, condition string) error {
	if known {
		return nil
	}
	return fmt.Errorf("there is no condition %q", condition)
}

// worldKey is where a script finds its server.
type worldKey struct{}

// setUp gives each script a server of its own, signed in as its admin, and canaries to put into environments: $OPEN1 to $OPEN9 and
// $SECRET1 to $SECRET9, the latter for `env:set --secret`. What all of them have in them is $OPENS and $SECRETS.
func setUp(env *testscript.Env) error {
	w, err := newWorld(env.WorkDir)
	if err != nil {
		return err
	}
	env.Defer(func() {
		if err := w.close(); err != nil {
			env.T().Log(err)
			env.T().FailNow()
		}
	})
	env.Values[worldKey{}] = w
	w.saidDir = filepath.Join(env.WorkDir, ".said")
	if err := os.Mkdir(w.saidDir, 0o700); err != nil {
		return err
	}
	env.Setenv(saidDir, w.saidDir)
	env.Setenv("OPENS", openMark)
	env.Setenv("SECRETS", secretMark)
	for i := range 9 {
		env.Setenv(fmt.Sprint("OPEN", i+1), newCanary(openMark))
		env.Setenv(fmt.Sprint("SECRET", i+1), newCanary(secretMark))
	}
	token, err := w.signIn(context.Background(), admin)
	if err != nil {
		return err
	}
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("SETOPSD_DATA_DIR", w.config.DataDir)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // each program would otherwise sleep for a second at its end
	env.Setenv("SETOPS_URL", w.url())
	env.Setenv("SETOPS_ORGANIZATION", organization)
	env.Setenv("SETOPS_TOKEN", token)
	env.Setenv("REGISTRY", w.daemon.APIAddress())
	return nil
}
