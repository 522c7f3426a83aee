//go:build cluster

package cluster

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	registries "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// TestAClusterWorksAndLeavesNothing is one test, since a cluster is not had for nothing.
func TestAClusterWorksAndLeavesNothing(t *testing.T) {
	before := traces{settings: machineState(t)}
	c, err := Up(t.Context(), Options{Nodes: 2, Simulated: 3, Gateway: true, Leashed: true, Progress: func(line string) { t.Log(line) }})
	must(t, err)
	t.Cleanup(func() {
		must(t, c.Down())
		c.leftNothing(t, before)
	})
	before.see(t, c)
	t.Run("pods resolve names and reach services", func(t *testing.T) { testService(t, c) })
	t.Run("policies are enforced", func(t *testing.T) { testPolicy(t, c) })
	t.Run("nodes pull from this machine, with a secret", func(t *testing.T) { testPull(t, c) })
	t.Run("another cluster runs beside it", func(t *testing.T) { testSecond(t) })
	t.Run("the API server can be lost", func(t *testing.T) { testAPIServer(t, c) })
	t.Run("a node can be lost, and comes again", func(t *testing.T) { testNode(t, c) })
}

// A machine forks before it executes: what it is about to start is not taken for the machine.
func TestAMachineIsFoundByItsFirstProcess(t *testing.T) {
	c := &Cluster{dir: filepath.Join(t.TempDir(), "nobody-writes")}
	must(t, syscall.Mkfifo(c.dir, 0o600))
	cat, err := exec.LookPath("cat")
	must(t, err)
	for spaces, want := range map[uintptr]string{0: "", syscall.CLONE_NEWPID: control} {
		cmd := exec.Cmd{Path: cat, Args: []string{machineName, c.dir, control}, SysProcAttr: &syscall.SysProcAttr{Cloneflags: spaces}}
		must(t, cmd.Start()) // reads for ever
		eventually(t, "it has its command line", func() error {
			line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
			if err == nil && !strings.HasPrefix(string(line), machineName) {
				err = fmt.Errorf("it has %q", line)
			}
			return err
		})
		if got := c.machineOf(cmd.Process.Pid); got != want {
			t.Errorf("with the namespaces %#x of its own it is taken for %q", spaces, got)
		}
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
	}
}

func TestAKilledHarnessLeavesWhatDownRemoves(t *testing.T) {
	before := traces{settings: machineState(t)}
	program := filepath.Join(t.TempDir(), "testcluster")
	_, err := output(t.Context(), "", "go", "build", "-o", program, "./testcluster")
	must(t, err)
	cmd := exec.Command(program, "test", "-nodes", "1", "--", "sh", "-c", "echo $SETOPS_TEST_CLUSTER; exec cat")
	cmd.Stderr = os.Stderr
	_, err = cmd.StdinPipe() // cat ends when this does
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var number int
	_, err = fmt.Fscan(out, &number)
	must(t, err)
	c := &Cluster{Number: number, dir: filepath.Join(base(), fmt.Sprint(number))}
	before.see(t, c)
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()

	eventually(t, "the machines end with who holds their leash", func() error {
		machines, err := c.machines()
		if err == nil && len(machines) > 0 {
			err = fmt.Errorf("there are %v", machines)
		}
		return err
	})
	must(t, c.Down())
	c.leftNothing(t, before)
}

func testService(t *testing.T, c *Cluster) {
	c.startPod(t, "default", "client", "")
	eventually(t, "the API by its name", func() error {
		_, err := c.inPod(t, "default", "client", "https://kubernetes.default.svc.cluster.local", "/version")
		return err
	})
}

func testPolicy(t *testing.T, c *Cluster) {
	for _, space := range []string{"friend", "stranger"} {
		c.do(t, "create", "namespace", space)
		c.startPod(t, space, "client", "")
	}
	server := "http://" + c.do(t, "-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", "jsonpath={.items[0].status.podIP}") + ":8080"
	reach := func(space string) error {
		_, err := c.inPod(t, space, "client", server, "/health")
		return err
	}
	eventually(t, "a stranger where there is no policy", func() error { return reach("stranger") })
	must(t, c.apply(t.Context(), []byte(`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"friends","namespace":"kube-system"},
		"spec":{"podSelector":{},"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"friend"}}}]}]}}`)))
	eventually(t, "that a stranger is kept out", func() error {
		if reach("stranger") == nil {
			return fmt.Errorf("it is let in")
		}
		return nil
	})
	if err := reach("friend"); err != nil {
		t.Errorf("a friend is kept out: %v", err)
	}
	c.do(t, "-n", "kube-system", "delete", "networkpolicy", "friends")
}

func testPull(t *testing.T, c *Cluster) {
	store := registries.New(registries.Logger(log.New(io.Discard, "", 0)))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "node" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		store.ServeHTTP(w, r)
	})
	listener, err := net.Listen("tcp", c.Registry())
	must(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	image, err := tarball.ImageFromPath(filepath.Join(c.dir, "pause.tar"), nil)
	must(t, err)
	// Another than what all nodes have: a kubelet takes an image that it has pulled with a secret for nobody's who has none.
	image, err = mutate.CreatedAt(image, v1.Time{Time: time.Now()})
	must(t, err)
	ref, err := name.ParseReference(c.Registry()+"/shop/web:1", name.Insecure)
	must(t, err)
	must(t, remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: "node", Password: "secret"})))

	c.do(t, "create", "secret", "docker-registry", "pull", "--docker-server="+c.Registry(), "--docker-username=node", "--docker-password=secret")
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{%s"terminationGracePeriodSeconds":1,"containers":[{"name":"web","image":"%s"}]}}`
	must(t, c.apply(t.Context(), fmt.Appendf(nil, pod, "with", `"imagePullSecrets":[{"name":"pull"}],`, ref)))
	must(t, c.apply(t.Context(), fmt.Appendf(nil, pod, "without", "", ref)))
	c.do(t, "wait", "--for=condition=Ready", "pod/with", "--timeout=60s")
	eventually(t, "the refusal of a pod without the secret", func() error {
		reason, err := c.kubectl(t.Context(), nil, "get", "pod", "without", "-o", "jsonpath={.status.containerStatuses[0].state.waiting.reason}")
		if err == nil && reason != "ErrImagePull" && reason != "ImagePullBackOff" {
			err = fmt.Errorf("its container waits for %q", reason)
		}
		return err
	})
}

func testSecond(t *testing.T) {
	c, err := Up(t.Context(), Options{Leashed: true})
	must(t, err)
	c.do(t, "get", "namespaces")
	must(t, c.Down())
}

func testAPIServer(t *testing.T, c *Cluster) {
	must(t, c.Signal(control, "kube-apiserver", os.Kill))
	eventually(t, "that nobody answers", func() error {
		if _, err := c.kubectl(t.Context(), nil, "get", "--raw", "/readyz"); err == nil {
			return fmt.Errorf("it is ready")
		}
		return nil
	})
	must(t, c.StartAPIServer())
	eventually(t, "the API server", func() error {
		_, err := c.kubectl(t.Context(), nil, "get", "--raw", "/readyz")
		return err
	})
}

func testNode(t *testing.T, c *Cluster) {
	must(t, c.Lose("node2"))
	c.do(t, "wait", "--for=condition=Ready=Unknown", "node/node2", "--timeout=120s")
	c.do(t, "wait", "--for=condition=Ready", "node/node1", "--timeout=30s")
	must(t, c.Restart(t.Context(), "node2"))
	c.startPod(t, "default", "later", "node2")
}

// startPod starts one that has the programs of the cluster.
func (c *Cluster) startPod(t *testing.T, space, name, node string) {
	t.Helper()
	must(t, c.apply(t.Context(), fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":%q},"spec":{"terminationGracePeriodSeconds":1,
		"nodeName":%q,"containers":[{"name":"main","image":%q,"imagePullPolicy":"Never","volumeMounts":[{"name":"programs","mountPath":"/programs"}]}],
		"volumes":[{"name":"programs","hostPath":{"path":"/run/programs"}}]}}`, name, space, node, pauseImage)))
	c.do(t, "-n", space, "wait", "--for=condition=Ready", "pod/"+name, "--timeout=60s")
}

// inPod asks a server from inside a pod. kubectl is as good a client as any.
func (c *Cluster) inPod(t *testing.T, space, pod, server, path string) (string, error) {
	return c.kubectl(t.Context(), nil, "-n", space, "exec", pod, "--", "/programs/kubectl", "--server="+server, "--insecure-skip-tls-verify",
		"--username=nobody", "--password=none", "--request-timeout=2s", "get", "--raw", path)
}

func (c *Cluster) do(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.kubectl(t.Context(), nil, args...)
	if err != nil {
		events, _ := c.kubectl(t.Context(), nil, "get", "events", "-A")
		t.Fatalf("%v\n%s", err, events)
	}
	return out
}

func eventually(t *testing.T, what string, look func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must(t, poll(ctx, what, look))
}
