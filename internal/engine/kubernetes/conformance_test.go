package kubernetes_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/enginetest"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/latch/latchtest"
	"github.com/setopsco/setops/internal/setops"
)

// needCluster gives the kubeconfig of a cluster with a node, and the address of this machine, HOST:PORT, that its nodes pull
// from in clear. Where nothing says so the test is skipped.
func needCluster(t testing.TB) (kubeconfig, registry string) {
	t.Helper()
	kubeconfig, registry = os.Getenv("SETOPS_TEST_KUBECONFIG"), os.Getenv("SETOPS_TEST_KUBE_REGISTRY")
	if kubeconfig == "" || registry == "" {
		t.Skip("a cluster is needed: SETOPS_TEST_KUBECONFIG and SETOPS_TEST_KUBE_REGISTRY say where")
	}
	return kubeconfig, registry
}

// isWhole reports whether the cluster enforces network policies and has a DNS: one of our own does.
func isWhole() bool { return os.Getenv("SETOPS_TEST_CLUSTER") != "" }

// TestTheKubernetesEnginePassesTheSuite holds the engine to what engines promise, on a real cluster.
func TestTheKubernetesEnginePassesTheSuite(t *testing.T) {
	kubeconfig, address := needCluster(t)
	s := openStore(t, address)
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

		Isolates:        isWhole(),
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
