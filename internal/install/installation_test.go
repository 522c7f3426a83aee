//go:build linux

package install

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/cli"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

const (
	manifests = "../../deploy/kubernetes"
	image     = "setops.test/setopsd:installed"
	instance  = "0a11ca7e"
	password  = "a password of tests"
	admin     = "admin@example.net"
	key       = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"
)

// installation is what an operator has made of the manifests.
type installation struct {
	t        *testing.T
	cluster  *cluster.Cluster
	database *database
	store    *store.Store
	api      string // HOST:PORT of the Service
	home     string // of who types setops
}

// install does what docs/kubernetes-install.md says, with a Service in place of an Ingress, which nodes pull from in clear.
func install(t *testing.T) *installation {
	t.Helper()
	c := theCluster(t)
	i := &installation{t: t, cluster: c, database: newDatabase(t, c.Host()), api: net.JoinHostPort(address(c, 130, 77), "7700"), home: t.TempDir()}
	i.loadServer()
	must(t, c.PullInClear(i.api))
	dir := filepath.Join(t.TempDir(), "setops")
	must(t, os.CopyFS(dir, os.DirFS(manifests)))
	i.set(dir)
	t.Cleanup(i.remove)
	i.kubectl("create", "namespace", "setops")
	i.kubectl("--namespace", "setops", "create", "secret", "generic", "setopsd",
		"--from-literal=database="+i.database.url, "--from-literal=key="+key, "--from-literal=admin-password="+password)
	i.shareVolume()
	i.kubectl("apply", "--server-side", "--kustomize", dir)
	i.kubectl("--namespace", "setops", "rollout", "status", "deployment/setopsd", "--timeout="+patience.String())
	i.kubectl("--namespace", "setops", "rollout", "status", "deployment/setopsd-names", "--timeout="+patience.String())
	var err error
	i.store, err = store.Connect(t.Context(), i.database.local)
	must(t, err)
	t.Cleanup(func() { must(t, i.store.Close()) })
	return i
}

// loadServer gives the nodes the image of the server, which is the program and nothing else.
func (i *installation) loadServer() {
	i.t.Helper()
	dir := i.t.TempDir()
	archive := filepath.Join(dir, "setopsd.tar")
	must(i.t, cluster.WriteImage(archive, image, build(i.t, dir, "setopsd")))
	must(i.t, i.cluster.Load(i.t.Context(), archive))
}

// set writes into a copy of the manifests what an operator does.
func (i *installation) set(dir string) {
	i.t.Helper()
	name, tag, _ := strings.Cut(image, ":")
	edit(i.t, filepath.Join(dir, "kustomization.yaml"),
		"newName: setopsd\n", "newName: "+name+"\n", "newTag: latest\n", "newTag: "+tag+"\n",
		"images:\n", "components: [shared-volume]\npatches: [{path: service-patch.yaml}]\n\nimages:\n")
	edit(i.t, filepath.Join(dir, "settings.env"),
		"SETOPSD_INSTANCE=00000000", "SETOPSD_INSTANCE="+instance, "SETOPSD_REGISTRY_ADDRESS=api.apps.example.net", "SETOPSD_REGISTRY_ADDRESS="+i.api,
		"SETOPSD_PUBLIC_URL=https://api.apps.example.net", "SETOPSD_PUBLIC_URL=http://"+i.api+"\nSETOPSD_ROUTER_NETWORKS="+address(i.cluster, 0, 0)+"/24")
	host, _, err := net.SplitHostPort(i.api)
	must(i.t, err)
	must(i.t, os.WriteFile(filepath.Join(dir, "service-patch.yaml"), fmt.Appendf(nil,
		"{apiVersion: v1, kind: Service, metadata: {name: setopsd}, spec: {clusterIP: %s}}\n", host), 0o600))
}

// edit replaces texts that must be there, so that the manifests and what an operator is told stay together.
func edit(t *testing.T, path string, pairs ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(text), pairs[i]) {
			t.Fatalf("%s has no %q", path, pairs[i])
		}
		text = bytes.Replace(text, []byte(pairs[i]), []byte(pairs[i+1]), 1)
	}
	must(t, os.WriteFile(path, text, 0o600))
}

// shareVolume makes a volume that all nodes can write to: they are on one machine.
func (i *installation) shareVolume() {
	i.t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "setops-install-")
	must(i.t, err)
	i.t.Cleanup(func() { must(i.t, os.RemoveAll(dir)) })
	for _, sub := range []string{"registry", "engine"} {
		must(i.t, os.Mkdir(filepath.Join(dir, sub), 0o700))
		must(i.t, os.Chown(filepath.Join(dir, sub), 65532, 65532))
	}
	must(i.t, os.Chmod(dir, 0o755))
	path := filepath.Join(i.t.TempDir(), "volume.yaml")
	must(i.t, os.WriteFile(path, fmt.Appendf(nil, `apiVersion: v1
kind: PersistentVolume
metadata: {name: setopsd}
spec:
  capacity: {storage: 20Gi}
  accessModes: [ReadWriteMany]
  hostPath: {path: %s}
  claimRef: {namespace: setops, name: setopsd}
`, dir), 0o600))
	i.kubectl("apply", "--filename", path)
}

// remove takes all of it away, and what the servers have made.
func (i *installation) remove() {
	if i.t.Failed() {
		for _, args := range [][]string{
			{"--namespace", "setops", "get", "pods", "--output=wide"},
			{"--namespace", "setops", "get", "events"},
			{"--namespace", "setops", "logs", "--selector=app.kubernetes.io/name=setopsd", "--prefix", "--tail=60"},
		} {
			out, err := i.try(args...)
			i.t.Logf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	i.kubectl("delete", "namespace", "setops", "--ignore-not-found")
	i.kubectl("delete", "namespaces", "--selector=setops.dev/installation="+instance, "--ignore-not-found")
	i.kubectl("delete", "clusterrole/setopsd", "clusterrole/setopsd-names", "clusterrolebinding/setopsd", "clusterrolebinding/setopsd-names",
		"clusterrole/setopsd-names", "clusterrolebinding/setopsd-names", "persistentvolume/setopsd", "--ignore-not-found")
}

// setops types a command, and gives what it printed.
func (i *installation) setops(args ...string) string {
	i.t.Helper()
	out, code := i.trySetops("", args...)
	if code != 0 {
		i.t.Fatalf("setops %s: exit code %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

func (i *installation) trySetops(input string, args ...string) (out string, code int) {
	environ := []string{"HOME=" + i.home, "SETOPS_PROJECT=shop", "SETOPS_STAGE=production", "SETOPS_APP=web"}
	var text bytes.Buffer
	code = cli.Main(i.t.Context(), args, environ, strings.NewReader(input), &text, &text)
	return text.String(), code
}

// signIn is setops login for a script.
func (i *installation) signIn() {
	i.t.Helper()
	out, code := i.trySetops("example\n"+admin+"\n"+password+"\n", "login", "--service-user", "--url", "http://"+i.api)
	if code != 0 {
		i.t.Fatalf("sign in: %s", out)
	}
}

// hello makes the images of the guide, in an OCI layout.
func hello(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hello")
	c := exec.Command("go", "run", "../example/pack", dir)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// keeper is the server that keeps the tasks, and its pod.
func (i *installation) keeper() (k setops.Keeper, pod string) {
	i.t.Helper()
	k, _, err := i.store.Keeper(i.t.Context())
	must(i.t, err)
	u, err := url.Parse(k.Address)
	must(i.t, err)
	pod = i.kubectl("--namespace", "setops", "get", "pods", "--output=name", "--field-selector=status.podIP="+u.Hostname())
	return k, pod
}

// process is that of a server, which this machine has in a namespace of a namespace.
func (i *installation) process(k setops.Keeper) *os.Process {
	i.t.Helper()
	u, err := url.Parse(k.Address)
	must(i.t, err)
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	must(i.t, err)
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte("\x00POD_IP="+u.Hostname()+"\x00")) {
			continue // it has ended meanwhile, or is another
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		must(i.t, err)
		p, err := os.FindProcess(pid)
		must(i.t, err)
		return p
	}
	i.t.Fatalf("no process has the address %s", k.Address)
	return nil
}

// seesCluster has the server say what it has found out about its cluster: these enforce network policies.
func (i *installation) seesCluster() {
	i.t.Helper()
	server := i.kubectl("--namespace", "setops", "get", "service", "setopsd-names", "--output=jsonpath={.spec.clusterIP}")
	await(i.t, "the server has found out about its cluster", func() error {
		_, pod := i.keeper()
		out, err := i.try("--namespace", "setops", "exec", pod, "--", "/setopsd", "cluster", "--output=json")
		if err == nil && !(strings.Contains(out, `"verdict":"enforced"`) && strings.Contains(out, `"name_servers":["`+server+`"]`)) {
			err = fmt.Errorf("it says %s", out)
		}
		return err
	})
}
