package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/docker"
	"github.com/setopsco/setops/internal/engine/embedded"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/engine/kubernetes"
)

// dockerPatience is how long a Docker is waited for that may come up after us.
const dockerPatience = 30 * time.Second

// thisMachine tells which engines can run here.
func thisMachine(cluster ClusterConfig) chooser {
	return chooser{
		embedded: checkEmbedded, docker: docker.Check, wait: dockerPatience,
		cluster: func(ctx context.Context) error { return kubernetes.Check(ctx, cluster.Kubeconfig) },
	}
}

// checkEngine says exactly what this machine lacks for the engine that was asked for. It writes nothing.
func checkEngine(ctx context.Context, c Config) error {
	_, err := thisMachine(c.cluster()).choose(ctx, c.Engine, filepath.Join(c.DataDir, "engine"), c.DockerHost)
	return err
}

// checkEmbedded says exactly what this machine lacks for the embedded engine.
func checkEmbedded() error {
	if missing := embedded.Check(); len(missing) > 0 {
		return fmt.Errorf("the embedded engine cannot run here:\n  %s", strings.Join(missing, "\n  "))
	}
	return nil
}

// localEngine is a supervisor with all that its runtime stands on.
type localEngine struct {
	*host.Supervisor
	runtime host.Runtime
	close   []func() error
}

// Close stops supervising; tasks go on.
func (e *localEngine) Close() error {
	var all []error
	if e.Supervisor != nil {
		all = append(all, e.Supervisor.Close())
	}
	for i := len(e.close) - 1; i >= 0; i-- {
		all = append(all, e.close[i]())
	}
	return errors.Join(all...)
}

// newEngine opens the engine that c.Kind asks for.
func newEngine(ctx context.Context, c EngineConfig) (engine.Engine, error) {
	chosen, err := thisMachine(c.Cluster).choose(ctx, c.Kind, c.Dir, c.DockerHost)
	if err != nil {
		return nil, err
	}
	c.Logger.Info("engine", "engine", chosen.kind, "because", chosen.why)
	if err := takeOver(ctx, c, chosen.kind); err != nil {
		return nil, err
	}
	if chosen.kind == kubernetesKind {
		return openCluster(ctx, c)
	}
	e := &localEngine{}
	if err := e.open(ctx, c, chosen.kind); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s engine: %w", chosen.kind, err), e.Close())
	}
	return e, nil
}

func (e *localEngine) open(ctx context.Context, c EngineConfig, kind string) error {
	if err := e.openRuntime(ctx, c, kind); err != nil {
		return err
	}
	var err error
	e.Supervisor, err = host.New(ctx, host.Config{
		Dir: filepath.Join(c.Dir, "supervisor"), Runtime: e.runtime, Drainer: c.Drainer, Logs: host.LogPolicy{Retention: c.LogsKept}, Logger: c.Logger,
	})
	return err
}

func (e *localEngine) openRuntime(ctx context.Context, c EngineConfig, kind string) error {
	if kind == dockerKind {
		return e.openDocker(ctx, c)
	}
	return e.openEmbedded(c)
}
