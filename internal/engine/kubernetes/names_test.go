package kubernetes_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/names"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

// answerNames runs a name server on this machine, with a Service in the cluster in a namespace of its own.
func answerNames(t *testing.T) (namespace string) {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	host, _, err := net.SplitHostPort(clustertest.Registry(t))
	must(t, err)
	api, err := kube.Connect(kubeconfig)
	must(t, err)
	s, err := names.Open(names.Config{
		Kubeconfig: kubeconfig, Listen: net.JoinHostPort(host, "0"), ResolvConf: worldOf(t, api),
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	eventually(t, "the cluster has told what is there", s.Ready)
	namespace = "names-" + randomHex(4)
	ours := func(name string) meta.ObjectMeta {
		return meta.ObjectMeta{Name: name, Labels: map[string]string{object.LabelComponent: object.ComponentNames}}
	}
	_, err = api.Core.Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: ours(namespace)}, meta.CreateOptions{})
	must(t, err)
	t.Cleanup(func() { must(t, api.Core.Namespaces().Delete(context.Background(), namespace, meta.DeleteOptions{})) })
	_, text, err := net.SplitHostPort(s.Address())
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	service := &core.Service{ObjectMeta: ours("names")}
	there := &discovery.EndpointSlice{ObjectMeta: ours("names"), AddressType: discovery.AddressTypeIPv4}
	there.Labels[discovery.LabelServiceName] = service.Name
	there.Endpoints = []discovery.Endpoint{{Addresses: []string{host}}}
	for name, protocol := range map[string]core.Protocol{"udp": core.ProtocolUDP, "tcp": core.ProtocolTCP} {
		service.Spec.Ports = append(service.Spec.Ports, core.ServicePort{Name: name, Port: 53, Protocol: protocol, TargetPort: intstr.FromInt(port)})
		there.Ports = append(there.Ports, discovery.EndpointPort{Name: new(name), Port: new(int32(port)), Protocol: new(protocol)})
	}
	_, err = api.Core.Services(namespace).Create(t.Context(), service, meta.CreateOptions{})
	must(t, err)
	// It is no pod, so that no selector finds it.
	_, err = api.Discovery.EndpointSlices(namespace).Create(t.Context(), there, meta.CreateOptions{})
	must(t, err)
	return namespace
}

// worldOf gives a resolv.conf with the cluster's DNS, where it has one.
func worldOf(t *testing.T, api kube.API) (path string) {
	t.Helper()
	all, err := api.Core.Services("kube-system").List(t.Context(), meta.ListOptions{LabelSelector: "k8s-app=kube-dns"})
	must(t, err)
	text := ""
	for _, s := range all.Items {
		text += "nameserver " + s.Spec.ClusterIP + "\n"
	}
	path = filepath.Join(t.TempDir(), "resolv.conf")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// caller is a task that can be told to ask others.
type caller string

// callerOf runs one in a stage.
func (f *field) callerOf(t *testing.T, stage setops.StageRef) caller {
	t.Helper()
	g := f.generation()
	g.ID, g.App, g.Stage = "caller-"+randomHex(6), "caller", stage
	g.Container.Image = f.imageFor(t, stage)
	must(t, f.keep(t, g))
	tasks, err := f.List(t.Context(), stage.ID, g.App)
	must(t, err)
	for _, one := range tasks {
		if one.Status == setops.Running {
			return caller(one.Address)
		}
	}
	t.Fatalf("no task runs: %+v", tasks)
	return ""
}

// ask gives what another app answers, as "200 text".
func (c caller) ask(ctx context.Context, host, path string) string {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/ask/%s/%s", string(c), host, path), nil)
	if err != nil {
		return err.Error()
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return strings.TrimSuffix(fmt.Sprintf("%d %s %v", r.StatusCode, body, err), " <nil>")
}

// A task calls an app of its stage by the private name while the app is replaced; a task of another stage never does.
func TestAPrivateNameLeadsToItsAppFromInsideItsStageOnly(t *testing.T) {
	beside(t)
	namespace := answerNames(t)
	f := newField(t, func(c *kubernetes.Config) { c.Namespace = namespace })
	other := setops.StageRef{ID: randomHex(16), Organization: "demo", Project: "field", Name: "t" + randomHex(4)}
	must(t, f.EnsureStage(t.Context(), other, 0))
	t.Cleanup(func() { must(t, f.RemoveStage(context.Background(), other.ID)) })

	host := setops.Hosts{Domain: "apps.example.net"}.Private(f.stage, "web")
	serve := func(version string) engine.Generation {
		g := f.generation()
		g.Container.Env = append(g.Container.Env, "VERSION="+version)
		must(t, f.keep(t, g))
		served := engine.Served{App: g.App, Host: host, Generation: g.ID, Protocol: setops.HTTP, Port: 80}
		must(t, f.Engine.(engine.Switch).SetServed(t.Context(), f.stage.ID, []engine.Served{served}))
		return g
	}
	old := serve("1")
	inside, outside := f.callerOf(t, f.stage), f.callerOf(t, other)
	eventually(t, "the name leads to the app", func() bool { return inside.ask(t.Context(), host, "env/VERSION") == "200 1" })

	ctx, stop := context.WithCancel(t.Context())
	counts := make(chan map[string]int)
	go func() {
		answers := map[string]int{}
		for ctx.Err() == nil {
			answers[inside.ask(t.Context(), host, "env/VERSION")]++
		}
		counts <- answers
	}()
	serve("2")
	err := f.Remove(t.Context(), old.ID, 0)
	eventually(t, "the name leads to the new tasks", func() bool { return inside.ask(t.Context(), host, "env/VERSION") == "200 2" })
	stop()
	answers := <-counts
	t.Logf("calls by name while the app was replaced: %v", answers)
	if len(answers) > 2 || answers["200 1"] == 0 || answers["200 2"] == 0 || err != nil {
		t.Errorf("got %v, %v", answers, err)
	}
	if got := outside.ask(t.Context(), host, "env/VERSION"); !strings.HasPrefix(got, "502 ") || !strings.Contains(got, "no such host") {
		t.Errorf("another stage: %s", got)
	}
}
