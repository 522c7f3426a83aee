package e2e

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/setopsco/setops/internal/engine/enginetest/script"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
)

// push pushes an image that nobody has seen before, as any client of a registry does, and gives its digest.
func (w *world) push(ctx context.Context, reference, email, password string) (digest string, err error) {
	ref, err := name.ParseReference(w.config.Listen + "/" + reference)
	if err != nil {
		return "", err
	}
	image, err := random.Image(256, 1)
	if err != nil {
		return "", err
	}
	who := &authn.Basic{Username: email, Password: password}
	if err := remote.Write(ref, image, remote.WithAuth(who), remote.WithContext(ctx)); err != nil {
		return "", err
	}
	d, err := image.Digest()
	return d.String(), err
}

// retag gives an image that was pushed another tag.
func (w *world) retag(ctx context.Context, reference, digest, email, password string) error {
	tag, err := name.NewTag(w.config.Listen + "/" + reference)
	if err != nil {
		return err
	}
	who := []remote.Option{remote.WithAuth(&authn.Basic{Username: email, Password: password}), remote.WithContext(ctx)}
	image, err := remote.Get(tag.Digest(digest), who...)
	if err != nil {
		return err
	}
	return remote.Tag(tag, image, who...)
}

// newImage makes an image that nobody has seen before, for the machine of the server.
func newImage() (v1.Image, string, error) {
	made, err := random.Image(256, 1)
	if err != nil {
		return nil, "", err
	}
	config, err := made.ConfigFile()
	if err != nil {
		return nil, "", err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	if made, err = mutate.ConfigFile(made, config); err != nil {
		return nil, "", err
	}
	d, err := made.Digest()
	return made, d.String(), err
}

// packArchive writes what docker save writes.
func packArchive(path string) (digest string, err error) {
	made, digest, err := newImage()
	if err != nil {
		return "", err
	}
	tag, err := name.NewTag("web:1.0")
	if err != nil {
		return "", err
	}
	return digest, tarball.WriteToFile(path, tag, made)
}

// packLayout writes an OCI layout.
func packLayout(path string) (digest string, err error) {
	made, digest, err := newImage()
	if err != nil {
		return "", err
	}
	to, err := layout.Write(path, empty.Index)
	if err != nil {
		return "", err
	}
	return digest, to.AppendImage(made, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "1.0"}))
}

// behaviour reads what an image shall do from the words of a script: see the command image.
func (w *world) behaviour(words []string) (fake.Image, error) {
	switch kind := words[0]; {
	case kind == "deaf":
		return fake.Deaf(), nil
	case kind == "foreign":
		return fake.Image{PrepareErr: &host.ImageError{Reason: "it is for arm64, this host is amd64"}}, nil
	case kind == "exit" && len(words) == 2:
		code, err := strconv.Atoi(words[1])
		return fake.Exit(code, time.Millisecond), err
	case kind == "gated" && len(words) > 1:
		then := words[2:]
		if len(then) == 0 {
			then = []string{"serve"}
		}
		return w.gates.image(words[1], then), nil
	case kind == "words":
		return fake.Words(words[1:]...), nil
	}
	return fake.Image{}, fmt.Errorf("no such behaviour: %q", words)
}

// gates hold tasks back until they are opened, so that a test can look at a commit that runs.
type gates struct {
	mu    sync.Mutex
	named map[string]chan struct{}
}

func (g *gates) of(name string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.named == nil {
		g.named = map[string]chan struct{}{}
	}
	if g.named[name] == nil {
		g.named[name] = make(chan struct{})
	}
	return g.named[name]
}

// open opens a gate for good.
func (g *gates) open(name string) {
	gate := g.of(name)
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-gate:
	default:
		close(gate)
	}
}

func (g *gates) openAll() {
	g.mu.Lock()
	var all []string
	for name := range g.named {
		all = append(all, name)
	}
	g.mu.Unlock()
	for _, name := range all {
		g.open(name)
	}
}

// image does what the words say once its gate is open.
func (g *gates) image(name string, words []string) fake.Image {
	gate := g.of(name)
	return fake.Image{Program: func(ctx context.Context, p script.Process) int {
		select {
		case <-gate:
		case <-p.Signals:
			return 0
		case <-ctx.Done():
			return 0
		}
		p.Args = words
		return script.Run(ctx, p)
	}}
}
