package kubernetes_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"runtime"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/enginetest"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/latch/latchtest"
	"github.com/setopsco/setops/internal/setops"
)

// TestTheKubernetesEnginePassesTheSuite holds the engine to what engines promise, on a real cluster.
func TestTheKubernetesEnginePassesTheSuite(t *testing.T) {
	kubeconfig := clustertest.Kubeconfig(t)
	s := openStore(t)
	stage := setops.StageRef{Organization: "suite", Project: "shop", Name: "prod"}
	s.shared = engine.Repository(stage, "web") // the suite makes stages, and knows one image
	foreign := "arm64"
	if runtime.GOARCH == foreign {
		foreign = "amd64"
	}
	config := v1.Config{Entrypoint: []string{"/testapp"}, Cmd: []string{"serve"}}
	enginetest.Run(t, enginetest.Harness{
		New: func(t *testing.T, dir string, d engine.Drainer, _ engine.Serve) engine.Engine {
			return openEngine(t, s, kubeconfig, dir, d)
		},
		Image:   s.push(t, stage, runtime.GOARCH, config),
		Foreign: s.push(t, stage, foreign, config),
		Proven:  2 * time.Second,

		Isolates:        clustertest.IsOurs(),
		RestartsInPlace: true,
		LeavesAttached:  true,
		Beside:          true,
	})
}

func openEngine(t testing.TB, s *store, kubeconfig, dir string, d engine.Drainer) engine.Engine {
	t.Helper()
	sum := sha256.Sum256([]byte(dir))
	e, err := kubernetes.New(t.Context(), kubernetes.Config{
		Dir: dir, Kubeconfig: kubeconfig, Installation: hex.EncodeToString(sum[:4]),
		Registry: s.address, Credentials: s.credentials, Images: s.registry, Drainer: d,
		Latch:   latchtest.Read(t, "../../.."),
		Callers: s.callers(t), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Timings: kubernetes.Timings{ProvenAfter: 2 * time.Second, Linger: time.Second},
	})
	must(t, err)
	return e
}
