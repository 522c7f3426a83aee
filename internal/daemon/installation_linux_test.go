package daemon_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

var stage = client.StageRef{ProjectRef: client.ProjectRef{Organization: "demo", Project: "shop"}, Stage: "prod"}

func app(name string) client.AppRef { return client.AppRef{StageRef: stage, App: name} }

// installation is a setopsd that runs as it does on a server, with the embedded engine.
type installation struct {
	*server
	bin      string
	client   *client.Client
	password string
}

// install builds the programs and starts the server with some more flags.
func install(t *testing.T, flags ...string) *installation {
	t.Helper()
	if os.Geteuid() != 0 {
		leaveOut(t, "the embedded engine needs root")
	}
	for _, tool := range []string{"gcc", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			leaveOut(t, tool+" is not installed")
		}
	}
	i := &installation{server: newServer(t), bin: t.TempDir()}
	i.flags = flags
	i.build("one")
	i.start(filepath.Join(i.bin, "setopsd"))
	i.signIn()
	t.Cleanup(func() {
		if t.Failed() { // containers would be left
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_ = i.client.DestroyProject(ctx, stage.ProjectRef)
		}
	})
	return i
}

// build puts a version of setopsd and of its shim in place, as an update does: beside, then renamed.
func (i *installation) build(version string) {
	i.t.Helper()
	i.compile("./cmd/setops-shim", "setops-shim", "1", "-linkmode external -extldflags -static -buildid="+version)
	i.compile("./cmd/setopsd", "setopsd", "0", "-X github.com/setopsco/setops/internal/daemon.Version="+version)
}

func (i *installation) compile(source, program, cgo, flags string) {
	i.t.Helper()
	path := filepath.Join(i.bin, program)
	c := exec.Command("go", "build", "-tags", "seccomp netgo osusergo", "-ldflags", flags, "-o", path+".new", source)
	c.Dir = "../.."
	c.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := c.CombinedOutput(); err != nil {
		i.t.Fatalf("build %s: %v: %s", program, err, out)
	}
	i.must(os.Rename(path+".new", path))
}

// replace puts another program in the place of setopsd. What the function returns puts the first one back.
func (i *installation) replace(content []byte) (back func()) {
	i.t.Helper()
	path := filepath.Join(i.bin, "setopsd")
	i.must(os.Link(path, path+".good"))
	i.must(os.WriteFile(path+".new", content, 0o755))
	i.must(os.Rename(path+".new", path))
	return func() { i.must(os.Rename(path+".good", path)) }
}

func (i *installation) signIn() {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, "data", "admin-password"))
	i.must(err)
	i.password = strings.TrimSpace(string(text))
	ctx, cancel := context.WithTimeout(i.t.Context(), patience)
	defer cancel()
	s, err := client.New("http://"+i.api, "", client.Options{}).SignIn(ctx,
		api.Credentials{Organization: "demo", Email: "admin@localhost", Password: i.password})
	i.must(err)
	i.client = client.New("http://"+i.api, s.Token, client.Options{})
	_, err = i.client.CreateProject(ctx, stage.ProjectRef)
	i.must(err)
	_, err = i.client.CreateStage(ctx, stage)
	i.must(err)
}

// commit stages and commits.
func (i *installation) commit(commands ...api.Arguments) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), 2*patience)
	defer cancel()
	_, err := i.client.StageCommands(ctx, stage, commands...)
	i.must(err)
	c, err := i.client.StartCommit(ctx, stage, api.StartCommit{})
	i.must(err)
	end, err := i.client.WatchCommit(ctx, stage, c.ID, func(api.Progress) {})
	i.must(err)
	if end.State != "done" {
		i.t.Fatalf("the commit has failed: %+v; log:\n%s", end.Failure, i.logged())
	}
}

// deploy makes a public app of a program, with some more settings.
func (i *installation) deploy(source, app string, settings ...api.Arguments) {
	i.t.Helper()
	i.commit(append([]api.Arguments{api.AppCreate{Name: app}, api.NetworkSet{Name: app, Public: new(true)}}, settings...)...)
	digest := i.push(i.image(source), app)
	i.commit(api.EnvSet{Name: app, Key: "VERSION", Value: "1"},
		api.ReleaseCreate{Name: app, Digest: digest}, api.ReleaseActivate{Name: app, ReleaseID: 1})
}

// image builds a program, the entrypoint of an image with nothing else in it.
func (i *installation) image(source string) v1.Image {
	i.t.Helper()
	i.compile(source, "app", "0", "-s -w")
	program, err := os.ReadFile(filepath.Join(i.bin, "app"))
	i.must(err)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	i.must(w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}))
	_, err = w.Write(program)
	i.must(err)
	i.must(w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	i.must(err)
	image, err := mutate.AppendLayers(empty.Image, l)
	i.must(err)
	file, err := image.ConfigFile()
	i.must(err)
	file = file.DeepCopy()
	file.Architecture, file.OS, file.Config.Entrypoint = runtime.GOARCH, "linux", []string{"/app"}
	image, err = mutate.ConfigFile(image, file)
	i.must(err)
	return image
}

func (i *installation) push(image v1.Image, app string) (digest string) {
	i.t.Helper()
	ref, err := name.ParseReference(i.api + "/demo/shop/prod/" + app + ":1")
	i.must(err)
	i.must(remote.Write(ref, image, remote.WithContext(i.t.Context()),
		remote.WithAuth(&authn.Basic{Username: "admin@localhost", Password: i.password})))
	d, err := image.Digest()
	i.must(err)
	return d.String()
}

// destroy removes everything that the server has made in the kernel, and stops it.
func (i *installation) destroy() {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), patience)
	defer cancel()
	i.must(i.client.DestroyProject(ctx, stage.ProjectRef))
	i.stop()
}
