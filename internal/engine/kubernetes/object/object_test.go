package object_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

var update = flag.Bool("update", false, "write the golden files anew")

func stage() object.Stage {
	return object.Stage{
		StageRef:     setops.StageRef{ID: "0d1e2f", Organization: "demo", Project: "shop", Name: "production"},
		Installation: "a1b2c3d4", Registry: "registry.example.net", User: "setopsd", Password: "secret",
	}
}

func generation() engine.Generation {
	return engine.Generation{
		ID: "web-0123456789ab", Stage: stage().StageRef, App: "web", Release: 3, Scale: 2, Fence: 7,
		Container:    container("puma", "--bind", "tcp://0.0.0.0:$PORT $(HOME)"),
		StartTimeout: 2 * time.Minute, StopTimeout: time.Minute,
	}
}

func container(command ...string) engine.Container {
	return engine.Container{
		Image:   engine.Image{Repository: "demo/shop/production/web", Digest: "sha256:" + strings.Repeat("ab", 32)},
		Command: command, Env: []string{"GREETING=good=morning", "PORT=5000", "PROTOCOL=http"}, CPU: 128, Memory: 256, Port: 5000,
	}
}

func TestTheObjectsOfAStage(t *testing.T) {
	s := stage()
	pull, err := s.Pull()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "stage", s.Space(), s.Policies()[0], s.Policies()[1], s.Policies()[2], pull)
	s.NameServers, s.Domain = []string{"10.96.0.53", "fd00:96::53"}, "cluster.local"
	s.Restricted, s.Callers, s.Machines = true, []string{"10.0.0.0/8"}, []string{"amd64", "arm64"}
	golden(t, "stage-restricted", s.Space(), s.Policies()[1], s.Generation(generation(), object.Drain))
}

func TestTheObjectsOfAGeneration(t *testing.T) {
	g := generation()
	d := stage().Generation(g, object.Drain)
	golden(t, "generation", stage().Environment(g), d, stage().Budget(g, d))
	g.HealthCheck = &setops.HealthCheck{Command: []string{"/bin/check", "$HOME"}, Interval: 15, Timeout: 10, Retries: 3, StartPeriod: 20}
	g.NetworkCheck = &setops.NetworkCheck{Protocol: setops.HTTP, Path: "/up", Status: "200,300-399"}
	golden(t, "generation-checked", stage().Generation(g, object.Drain))
	served := engine.Served{App: "web", Host: "web.production.shop.apps.example.net.internal", Generation: g.ID, Protocol: setops.HTTP, Port: 80}
	nobody := engine.Served{App: "queue", Protocol: setops.TCP, Port: 5672}
	golden(t, "service", stage().Service(served), stage().Service(nobody))
}

func TestTheObjectsOfAOneOffTask(t *testing.T) {
	o := engine.OneOff{
		ID: "fedcba9876543210fedcba9876543210", Stage: stage().StageRef, App: "web", Release: 3, Tag: "latest",
		Container: container("rake", "db:migrate"), StopTimeout: 10 * time.Second, Limit: engine.OneOffLimit,
	}
	created := time.Date(2026, 10, 5, 17, 42, 54, 123456789, time.UTC)
	golden(t, "task", stage().TaskEnvironment(o), stage().Task(o, created, nil))
	o.Console = &engine.Console{Terminal: true, Size: engine.Size{Columns: 80, Rows: 24}}
	golden(t, "task-terminal", stage().Latch(o, []byte("latch")), stage().Task(o, created, []string{"rails", "console"}))
	o.Console.Terminal = false
	golden(t, "task-pipe", stage().Task(o, created, []string{"psql", "$DATABASE"}))
}

// Codes that a node would take for a failure are asked for by a connection.
func TestANodeAsksForThePathWhereItJudgesAsTheCheckDoes(t *testing.T) {
	for accepted, asks := range map[string]bool{"200": true, "200-399": true, "204,301": true, "200-404": false, "401": false, "100-200": false} {
		g := generation()
		g.NetworkCheck = &setops.NetworkCheck{Protocol: setops.HTTP, Path: "/", Status: accepted}
		p := stage().Generation(g, 0).Spec.Template.Spec.Containers[0].ReadinessProbe
		if (p.HTTPGet != nil) != asks || (p.TCPSocket != nil) == asks {
			t.Errorf("%s: %+v", accepted, p)
		}
	}
}

func TestNamesThatAreTooLongEndInAHash(t *testing.T) {
	s := setops.StageRef{Organization: strings.Repeat("o", 64), Project: "shop", Name: "production"}
	first := object.Namespace("a1b2c3d4", s)
	s.Name = "staging"
	second := object.Namespace("a1b2c3d4", s)
	if first == second || len(first) > 63 || len(second) > 63 {
		t.Errorf("%s and %s", first, second)
	}
	if got := object.Namespace("a1b2c3d4", stage().StageRef); got != "a1b2c3d4-demo-shop-production" {
		t.Errorf("got %s", got)
	}
}

// golden compares what would be applied, as YAML.
func golden(t *testing.T, name string, objects ...runtime.Object) {
	t.Helper()
	var text strings.Builder
	for _, o := range objects {
		applied, err := kube.Manifest(o)
		if err != nil {
			t.Fatal(err)
		}
		one, err := yaml.JSONToYAML(applied)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n")
		text.Write(one)
	}
	path := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("%s is now\n%s", path, &text)
	}
}
