//go:build linux

package system

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/setopsco/setops/internal/cli"
	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// The scope of everything here, besides the stages.
const (
	organization = "demo"
	admin        = "ada@example.com"
	project      = "system"
	password     = "a password of tests"
)

// atOnce is how many tests may wait for their tasks at the same time: they mostly wait.
const atOnce = "8"

// built is where TestMain lets programs be built.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "setops-system-")
	if err == nil {
		err = flag.Set("test.parallel", atOnce)
	}
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var (
	// useShim builds the program that stands beside each container, where nobody has said which to take.
	useShim = sync.OnceValue(func() error {
		if os.Getenv("SETOPS_SHIM") != "" {
			return nil
		}
		path, err := build("setops-shim", "../../cmd/setops-shim", "CGO_ENABLED=1",
			"-tags", "seccomp netgo osusergo", "-ldflags", "-s -w -linkmode external -extldflags -static")
		return errors.Join(err, os.Setenv("SETOPS_SHIM", path))
	})
	appProgram = sync.OnceValues(func() (string, error) {
		return build("app", "./app", "CGO_ENABLED=0", "-ldflags", "-s -w")
	})
)

func build(name, pkg, env string, flags ...string) (string, error) {
	path := filepath.Join(built, name)
	c := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), pkg)...)
	c.Env = append(os.Environ(), env)
	c.Stderr = os.Stderr
	return path, c.Run()
}

// server is a daemon in this process with an engine on this machine.
type server struct {
	*client.Client
	engine string
	config daemon.Config
	token  string
	daemon *daemon.Daemon
	cancel context.CancelFunc
	ended  chan error
}

// onEachEngine runs a test on every engine that there is.
func onEachEngine(t *testing.T, test func(t *testing.T, engine string)) {
	onEachHost(t, test)
	t.Run("kubernetes", func(t *testing.T) {
		t.Parallel()
		clustertest.Kubeconfig(t)
		test(t, "kubernetes")
	})
}

// onEachHost runs a test on every engine that runs on this machine alone: it is about what only such one can see or lack.
func onEachHost(t *testing.T, test func(t *testing.T, engine string)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		need(t, os.Geteuid() == 0, "containers need root")
		test(t, "embedded")
	})
	t.Run("docker", func(t *testing.T) {
		t.Parallel()
		if os.Getenv("SETOPS_TEST_DOCKER") != "1" {
			t.Skip("SETOPS_TEST_DOCKER is not 1")
		}
		need(t, exec.Command("docker", "info").Run() == nil, "Docker Engine does not answer")
		test(t, "docker")
	})
}

// need skips what cannot run here, and fails where everything shall run.
func need(t testing.TB, there bool, lacking string) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("SETOPS_TEST_ALL") != "":
		t.Fatal(lacking)
	default:
		t.Skip(lacking)
	}
}

// openServer starts a server of its own for a test. Prepare, where not nil, is given the data directory before.
func openServer(t *testing.T, engine string, prepare func(dir string)) *server {
	t.Helper()
	return openServerAs(t, engine, func(c *daemon.Config) {
		if prepare != nil {
			prepare(c.DataDir)
		}
	})
}

// openServerAs starts one with other settings.
func openServerAs(t *testing.T, engine string, change func(c *daemon.Config)) *server {
	t.Helper()
	must(t, useShim())
	dir := t.TempDir()
	file := filepath.Join(dir, "password")
	must(t, os.WriteFile(file, []byte(password+"\n"), 0o600))
	s := &server{engine: engine, config: daemon.Config{
		DataDir: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", Domain: "localhost",
		Engine: engine, Organization: organization, AdminEmail: admin, AdminPasswordFile: file,
	}}
	if engine == "kubernetes" {
		s.config.Kubeconfig, s.config.RegistryListen = clustertest.Kubeconfig(t), clustertest.Registry(t)
		// Where the cluster enforces policies, this machine is let in under the address that the nodes know.
		host, _, err := net.SplitHostPort(s.config.RegistryListen)
		must(t, err)
		s.config.RouterNetworks = host + "/32"
	}
	change(&s.config)
	s.start(t)
	t.Cleanup(func() { s.close(t) })
	s.signIn(t)
	_, err := s.CreateProject(t.Context(), projectRef)
	must(t, err)
	return s
}

// signIn makes the client, after a start.
func (s *server) signIn(t *testing.T) {
	t.Helper()
	signedIn, err := client.New("http://"+s.daemon.APIAddress(), "", client.Options{}).SignIn(t.Context(), api.Credentials{
		Organization: organization, Email: admin, Password: password,
	})
	must(t, err)
	s.token = signedIn.Token
	s.Client = client.New("http://"+s.daemon.APIAddress(), s.token, client.Options{})
}

var projectRef = client.ProjectRef{Organization: organization, Project: project}

func (s *server) start(t *testing.T) {
	t.Helper()
	ready := &readyLine{ready: make(chan struct{})}
	s.daemon = &daemon.Daemon{Config: s.config, Out: ready, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.ended = cancel, make(chan error, 1)
	must(t, s.daemon.Open(ctx))
	go func() { s.ended <- errors.Join(s.daemon.Run(ctx), s.daemon.Close()) }()
	select {
	case <-ready.ready:
	case err := <-s.ended:
		t.Fatal("the server ended before it was ready: ", err)
	}
}

// close ends all tasks, stops the server and looks whether anything is left.
func (s *server) close(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), longPatience)
	defer cancel()
	if s.Client != nil {
		if err := s.DestroyProject(ctx, projectRef); err != nil {
			t.Error(err)
		}
	}
	s.cancel()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	must(t, err)
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[0] != "tmpfs" && strings.HasPrefix(fields[1], s.config.DataDir) {
			t.Errorf("a mount is left: %s", line)
		}
	}
}

// readyLine hears when the server says that it is ready.
type readyLine struct {
	once  sync.Once
	ready chan struct{}
}

func (r *readyLine) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("setopsd ready ")) {
		r.once.Do(func() { close(r.ready) })
	}
	return len(p), nil
}

// setops types a command, and gives its exit code and what it wrote.
func (s *server) setops(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	environ := []string{
		"HOME=" + t.TempDir(), "SETOPS_URL=" + s.Address(), "SETOPS_TOKEN=" + s.token, "SETOPS_ORGANIZATION=" + organization,
	}
	var out, errs bytes.Buffer
	code = cli.Main(t.Context(), args, environ, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// visit asks the router for an app.
func (s *server) visit(ctx context.Context, host, path string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.daemon.RouterAddress()+path, nil)
	if err != nil {
		return 0, "", err
	}
	req.Host = host
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, strings.TrimSpace(string(text)), err
}

// remains says what there is of a task's container; empty: nothing.
func (s *server) remains(ctx context.Context, task string) string {
	if s.engine == "docker" {
		out, err := exec.CommandContext(ctx, "docker", "ps", "-aq", "--filter", "name="+task).CombinedOutput()
		if err != nil {
			return fmt.Sprintf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if s.engine == "kubernetes" {
		return podOf(ctx, s.config.Kubeconfig, task)
	}
	found, err := filepath.Glob(filepath.Join(s.config.DataDir, "engine", "*", "*", task))
	if err != nil {
		return err.Error()
	}
	return strings.Join(found, " ")
}

// podOf says whether a cluster has a pod whose first task that is.
func podOf(ctx context.Context, kubeconfig, task string) string {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err.Error()
	}
	api, err := core.NewForConfig(config)
	if err != nil {
		return err.Error()
	}
	pods, err := api.Pods("").List(ctx, meta.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=setops"})
	if err != nil {
		return err.Error()
	}
	for _, pod := range pods.Items {
		if strings.ReplaceAll(string(pod.UID), "-", "") == task {
			return pod.Namespace + "/" + pod.Name
		}
	}
	return ""
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
