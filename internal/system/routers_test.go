//go:build linux

package system

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// manifest is what operators apply.
const manifest = "../../deploy/kubernetes/router/router.yaml"

// routers are those of a server, as the manifest makes them.
type routers struct {
	core      core.CoreV1Interface
	namespace string
	address   string // of their Service
}

// resources are what the manifest has, as the API names them.
var resources = map[string]string{
	"Namespace": "namespaces", "ServiceAccount": "serviceaccounts", "Role": "roles", "RoleBinding": "rolebindings", "Deployment": "deployments",
	"PodDisruptionBudget": "poddisruptionbudgets", "Service": "services", "NetworkPolicy": "networkpolicies",
}

var serverProgram = sync.OnceValues(func() (string, error) {
	return build("setopsd", "../../cmd/setopsd", "CGO_ENABLED=0", "-tags", "netgo osusergo", "-ldflags", "-s -w")
})

// deployRouters applies the manifest as an operator does, with an image of this program and in a namespace of the test's own.
func deployRouters(t *testing.T, st *stage) *routers {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", st.config.Kubeconfig)
	must(t, err)
	r := &routers{namespace: st.config.RouterNamespace}
	r.core, err = core.NewForConfig(config)
	must(t, err)
	api, err := dynamic.NewForConfig(config)
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			r.explain(t)
		}
		err := r.core.Namespaces().Delete(context.Background(), r.namespace, meta.DeleteOptions{})
		if err != nil && !kerrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	text, err := os.ReadFile(manifest)
	must(t, err)
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var o unstructured.Unstructured
		err := documents.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		r.adapt(t, st, &o)
		at := schema.FromAPIVersionAndKind(o.GetAPIVersion(), o.GetKind()).GroupVersion().WithResource(resources[o.GetKind()])
		var to dynamic.ResourceInterface = api.Resource(at)
		if o.GetNamespace() != "" {
			to = api.Resource(at).Namespace(r.namespace)
		}
		_, err = to.Apply(t.Context(), o.GetName(), &o, meta.ApplyOptions{FieldManager: "operator"})
		must(t, err)
	}
	r.pullSecret(t, st)
	r.awaitReady(t, 2)
	service, err := r.core.Services(r.namespace).Get(t.Context(), "setops-router", meta.GetOptions{})
	must(t, err)
	r.address = net.JoinHostPort(service.Spec.ClusterIP, "80")
	awaitLed(t, r.address, net.JoinHostPort(service.Spec.ClusterIP, "443"))
	return r
}

// awaitLed returns when a Service leads somewhere: the nodes learn later than the API that a pod is ready, and refuse who comes before.
func awaitLed(t *testing.T, addresses ...string) {
	t.Helper()
	for _, address := range addresses {
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			c, err := net.DialTimeout("tcp", address, patience)
			if err == nil {
				must(t, c.Close())
				break
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
}

// adapt is what an operator sets.
func (r *routers) adapt(t *testing.T, st *stage, o *unstructured.Unstructured) {
	t.Helper()
	if o.GetKind() == "Namespace" {
		o.SetName(r.namespace)
		return
	}
	o.SetNamespace(r.namespace)
	switch o.GetKind() {
	case "RoleBinding":
		subjects, _, err := unstructured.NestedSlice(o.Object, "subjects")
		must(t, err)
		if subject := subjects[0].(map[string]any); subject["namespace"] == "setops-router" {
			subject["namespace"] = r.namespace
		}
		must(t, unstructured.SetNestedSlice(o.Object, subjects, "subjects"))
	case "NetworkPolicy": // the server of a test is not in the cluster
		rules, _, err := unstructured.NestedSlice(o.Object, "spec", "ingress")
		must(t, err)
		admin := rules[len(rules)-1].(map[string]any)
		admin["from"] = append(admin["from"].([]any), map[string]any{"ipBlock": map[string]any{"cidr": st.config.RouterNetworks}})
		must(t, unstructured.SetNestedSlice(o.Object, rules, "spec", "ingress"))
	case "Deployment":
		containers, _, err := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		must(t, err)
		router := containers[0].(map[string]any)
		router["image"] = r.image(t, st)
		args := router["args"].([]any)
		for i, arg := range args {
			if strings.HasPrefix(arg.(string), "--server-url=") {
				args[i] = "--server-url=" + st.Address()
			}
		}
		must(t, unstructured.SetNestedSlice(o.Object, containers, "spec", "template", "spec", "containers"))
		must(t, unstructured.SetNestedSlice(o.Object, []any{map[string]any{"name": "pull"}}, "spec", "template", "spec", "imagePullSecrets"))
	}
}

// image is one with setopsd, in the registry that nodes pull from.
func (r *routers) image(t *testing.T, st *stage) string {
	t.Helper()
	path, err := serverProgram()
	must(t, err)
	program, err := os.ReadFile(path)
	must(t, err)
	layer, err := layerOf(map[string]file{"app": {0o755, program}}) // it is what imageOf starts
	must(t, err)
	image, err := imageOf(runtime.GOARCH, layer)
	must(t, err)
	digest := st.push(t, st.app("web"), image)
	return st.config.RegistryListen + "/" + organization + "/" + project + "/" + st.ref.Stage + "/web@" + digest
}

func (r *routers) pullSecret(t *testing.T, st *stage) {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte(admin + ":" + password))
	text, err := json.Marshal(map[string]any{"auths": map[string]any{st.config.RegistryListen: map[string]string{"auth": auth}}})
	must(t, err)
	_, err = r.core.Secrets(r.namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: meta.ObjectMeta{Name: "pull"}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: text},
	}, meta.CreateOptions{})
	must(t, err)
}

// ready gives the names of the routers that are.
func (r *routers) ready(t *testing.T) (names []string) {
	t.Helper()
	pods, err := r.core.Pods(r.namespace).List(t.Context(), meta.ListOptions{})
	must(t, err)
	for _, p := range pods.Items {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && p.DeletionTimestamp == nil {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

func (r *routers) awaitReady(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(2 * patience); len(r.ready(t)) != n; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d routers are ready", len(r.ready(t)), n)
		}
	}
}

func (r *routers) explain(t *testing.T) {
	ctx := context.WithoutCancel(t.Context()) // the test may be over
	pods, err := r.core.Pods(r.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		t.Log(err)
		return
	}
	for _, p := range pods.Items {
		log, err := r.core.Pods(r.namespace).GetLogs(p.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		t.Logf("%s: %+v\n%s %v", p.Name, p.Status.ContainerStatuses, log, err)
	}
}

// end deletes a router: with 0 it is killed, else it has its time.
func (r *routers) end(t *testing.T, name string, grace *int64) {
	t.Helper()
	must(t, r.core.Pods(r.namespace).Delete(t.Context(), name, meta.DeleteOptions{GracePeriodSeconds: grace}))
}

// load visits the apps of a stage by the routers, one after the other, until it is stopped.
type load struct {
	t       *testing.T
	st      *stage
	client  *http.Client
	address string
	stop    context.CancelFunc
	ended   chan struct{}
	visits  atomic.Int64
	newest  atomic.Int64 // release that has answered
	mixed   bool         // by several routers, which do not switch at the same moment
}

func (r *routers) load(t *testing.T, st *stage, address string, keepAlive, mixed bool) *load {
	ctx, stop := context.WithCancel(t.Context())
	l := &load{
		t: t, st: st, address: address, stop: stop, ended: make(chan struct{}), mixed: mixed,
		client: &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: !keepAlive}},
	}
	go func() {
		defer close(l.ended)
		for n := 0; ctx.Err() == nil; n++ {
			l.visit([]string{"web", "api"}[n%2])
		}
	}()
	return l
}

func (l *load) visit(app string) {
	release, err := visitAt(l.client, l.address, l.st, app, "/")
	l.visits.Add(1)
	switch {
	case err != nil:
		l.t.Errorf("visit %d: %v", l.visits.Load(), err)
		l.stop()
	case !l.mixed && release < l.newest.Load():
		l.t.Errorf("visit %d: app %s answers as in commit %d after one of commit %d", l.visits.Load(), app, release, l.newest.Load())
	default:
		l.newest.Store(max(release, l.newest.Load()))
	}
}

func (l *load) end() {
	l.stop()
	<-l.ended
}

// visitAt asks a router for an app, which says of which commit it is.
func visitAt(c *http.Client, address string, st *stage, app, path string) (commit int64, err error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return 0, err
	}
	req.Host = fmt.Sprintf("%s.%s.%s.localhost", app, st.ref.Stage, project)
	answer, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("app %s answers %d %q, %v", app, answer.StatusCode, text, err)
	}
	if string(text) == "hello\n" {
		return 0, nil
	}
	_, err = fmt.Sscanf(string(text), "commit %d", &commit)
	return commit, err
}

// deploy has both apps say another number, in one commit.
func (st *stage) deploy(t *testing.T, n int) {
	t.Helper()
	command := []string{fmt.Sprintf("body=commit %d", n), "serve"}
	st.succeed(t, api.ContainerSet{Name: "web", Command: command}, api.ContainerSet{Name: "api", Command: command})
}

func TestRoutersInTheClusterLoseNoRequest(t *testing.T) {
	t.Parallel()
	clustertest.Kubeconfig(t)
	s := openServerAs(t, "kubernetes", func(c *daemon.Config) {
		c.Routing, c.RouterNamespace = "router", fmt.Sprintf("setops-router-%d", time.Now().UnixNano())
	})
	st := s.newStage(t, "front", "web", "api")
	r := deployRouters(t, st)
	var each []*load
	for _, address := range r.addresses(t) {
		each = append(each, r.load(t, st, address, false, false), r.load(t, st, address, true, false))
	}
	byService := r.load(t, st, r.address, false, true)
	for n := 1; n <= 3; n++ {
		upgraded := r.upgrade(t, st, r.addresses(t)[n%2])
		slow := make(chan error, 1)
		go func() {
			_, err := visitAt(http.DefaultClient, r.addresses(t)[n%2], st, "web", "/slow/3s")
			slow <- err
		}()
		st.deploy(t, n)
		for _, address := range r.addresses(t) { // the commit is done: every router has switched
			for _, app := range []string{"web", "api"} {
				if got, err := visitAt(http.DefaultClient, address, st, app, "/"); err != nil || got != int64(n) {
					t.Errorf("after commit %d app %s answers as of %d by %s, %v", n, app, got, address, err)
				}
			}
		}
		must(t, <-slow)
		upgraded(t)
	}
	for _, l := range each {
		l.end()
		t.Logf("%d visits, up to commit %d", l.visits.Load(), l.newest.Load())
		if l.newest.Load() != 3 {
			t.Errorf("a router has led to commit %d", l.newest.Load())
		}
	}

	r.end(t, r.ready(t)[0], nil) // while others visit by the Service
	r.awaitReady(t, 2)
	st.deploy(t, 4)
	byService.end()
	t.Logf("%d visits by the Service", byService.visits.Load())

	r.end(t, r.ready(t)[0], new(int64)) // killed: nobody waits for it
	begun := time.Now()
	st.deploy(t, 5)
	t.Logf("a commit while a router was killed took %s", time.Since(begun))
	r.awaitReady(t, 2)

	s.cancel()
	must(t, <-s.ended)
	alone := r.load(t, st, r.address, false, true)
	r.end(t, r.ready(t)[0], nil)
	r.awaitReady(t, 2) // one of them has started without a server
	for _, address := range r.addresses(t) {
		if got, err := visitAt(http.DefaultClient, address, st, "api", "/"); err != nil || got != 5 {
			t.Errorf("without a server app api answers as of %d by %s, %v", got, address, err)
		}
	}
	s.config.Routing = "auto" // finds the routers by itself
	s.start(t)
	s.signIn(t)
	st.deploy(t, 6)
	alone.end()
	t.Logf("%d visits without a server and while one starts", alone.visits.Load())
	if alone.newest.Load() != 6 {
		t.Errorf("after the restart of the server routers lead to commit %d", alone.newest.Load())
	}
}

// Who enforces policies hears of a router after everybody else. It gets no requests before.
func TestARouterThatIsLetInLateLosesNoRequest(t *testing.T) {
	c := clustertest.Ours(t)
	s := openServerAs(t, "kubernetes", func(c *daemon.Config) {
		c.Routing, c.RouterNamespace = "router", fmt.Sprintf("setops-router-%d", time.Now().UnixNano())
	})
	st := s.newStage(t, "front", "web", "api")
	r := deployRouters(t, st)
	before := r.ready(t)
	byService := r.load(t, st, r.address, false, true)
	signal := func(what os.Signal) {
		for _, node := range []string{kept, lost} {
			must(t, c.Signal(node, "policies", what))
		}
	}
	signal(syscall.SIGSTOP)
	goOn := sync.OnceFunc(func() { signal(syscall.SIGCONT) })
	t.Cleanup(goOn)
	r.end(t, before[0], nil)
	until(t, "the router in its place is not let in", func(ctx context.Context) error { return r.isKeptOut(ctx, before) })
	goOn()
	r.awaitReady(t, 2)
	visits := byService.visits.Load()
	until(t, "both are asked", func(context.Context) error {
		if byService.visits.Load() < visits+100 && !t.Failed() {
			return errors.New("not often yet")
		}
		return nil
	})
	byService.end()
}

// isKeptOut gives an error unless a router that was not there before says that it does not reach tasks.
func (r *routers) isKeptOut(ctx context.Context, before []string) error {
	pods, err := r.core.Pods(r.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	said := "there is none"
	for _, p := range pods.Items {
		if slices.Contains(before, p.Name) || p.Status.PodIP == "" {
			continue
		}
		answer, err := http.Get("http://" + net.JoinHostPort(p.Status.PodIP, "8081") + "/readyz")
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
		if said = answer.Status + " " + string(text); strings.Contains(said, "does not reach all tasks") {
			return nil
		}
	}
	return errors.New(said)
}

func TestRoutersInTheClusterSpeakTLS(t *testing.T) {
	t.Parallel()
	clustertest.Kubeconfig(t)
	s := openServerAs(t, "kubernetes", func(c *daemon.Config) {
		host, _, err := net.SplitHostPort(c.RegistryListen)
		must(t, err)
		c.Routing, c.RouterNamespace = "router", fmt.Sprintf("setops-router-%d", time.Now().UnixNano())
		c.Listen, c.Insecure, c.HTTPSListen = net.JoinHostPort(host, "0"), true, "127.0.0.1:0"
	})
	st := &stage{server: s, ref: client.StageRef{ProjectRef: projectRef, Stage: "front"}}
	_, err := s.CreateStage(t.Context(), st.ref)
	must(t, err)
	image, err := appImage()
	must(t, err)
	st.succeed(t, api.AppCreate{Name: "web"}, api.NetworkSet{Name: "web", Public: new(true)})
	st.succeed(t, st.release(t, "web", image, 1)...)
	r := deployRouters(t, st)
	authority, err := os.ReadFile(filepath.Join(s.config.DataDir, "authority.pem"))
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	host, _, err := net.SplitHostPort(r.address)
	must(t, err)
	c := &http.Client{
		Transport: &http.Transport{
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool},
			DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(to)
				if err != nil {
					return nil, err
				}
				return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(host, port))
			},
		},
	}
	for url, want := range map[string]string{
		"https://web.front.system.localhost/": "HTTP/2.0 200 hello",
		"http://web.front.system.localhost/":  "HTTP/2.0 200 hello", // sent on to the one above
		"https://api.localhost/healthz":       "HTTP/2.0 200",
		"http://api.localhost/healthz":        "HTTP/2.0 200",
	} {
		answer, err := c.Get(url)
		must(t, err)
		text, err := io.ReadAll(answer.Body)
		must(t, errors.Join(err, answer.Body.Close()))
		if got := fmt.Sprintf("%s %d %s", answer.Proto, answer.StatusCode, text); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", url, got)
		}
	}
}

// addresses are where the routers take requests, without the Service.
func (r *routers) addresses(t *testing.T) (all []string) {
	t.Helper()
	pods, err := r.core.Pods(r.namespace).List(t.Context(), meta.ListOptions{})
	must(t, err)
	for _, name := range r.ready(t) {
		for _, p := range pods.Items {
			if p.Name == name {
				all = append(all, net.JoinHostPort(p.Status.PodIP, "8080"))
			}
		}
	}
	return all
}

// upgrade changes the protocol of a connection to web, which must still work when the function is called that it gives.
func (r *routers) upgrade(t *testing.T, st *stage, address string) (works func(t *testing.T)) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET /echo HTTP/1.1\r\nHost: web.%s.%s.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", st.ref.Stage, project)
	must(t, err)
	lines := bufio.NewReader(conn)
	answer, err := http.ReadResponse(lines, nil)
	must(t, err)
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the protocol is not changed: %s", answer.Status)
	}
	return func(t *testing.T) {
		t.Helper()
		_, err := io.WriteString(conn, "still there\n")
		must(t, err)
		line, err := lines.ReadString('\n')
		if err != nil || strings.TrimSpace(line) != "still there" {
			t.Errorf("got %q, %v", line, err)
		}
		must(t, conn.Close())
	}
}
